package words

import (
	"context"
	"fmt"
	"html"
	"io"
	"slices"
	"strings"

	"github.com/a-h/templ"
)

// Sentence is a message with elements in it: "Signed by <strong>{name}</strong>. <a>Show it</a>". Values fill what it holds in the order
// of English: a placeholder a string, a number or a component, an element other than [plain] its attributes, which are [Attributes]. Elements that
// stand there twice have a number behind their name.
func Sentence(text Text, values ...any) templ.Component {
	return sentence{text, values}
}

type sentence struct {
	text   Text
	values []any
}

// plain are elements that have no attributes.
var plain = []string{"b", "br", "code", "em", "i", "kbd", "q", "small", "strong"}

// Attributes are an element's, in pairs: "href", to, "class", "quiet". A value is a string, a bool or a templ.SafeURL.
func Attributes(pairs ...any) templ.OrderedAttributes {
	var all templ.OrderedAttributes
	for i := 0; i+1 < len(pairs); i += 2 {
		name, value := pairs[i].(string), pairs[i+1]
		switch v := value.(type) {
		case templ.SafeURL:
			value = string(v)
		case string:
			if name == "href" {
				value = string(templ.URL(v))
			}
		}
		all = append(all, templ.KV(name, value))
	}
	return all
}

// Render implements templ.Component.
func (s sentence) Render(ctx context.Context, w io.Writer) error {
	said := Of(ctx).say(s.text)
	for said != "" {
		before, part, rest := nextPart(said)
		if _, err := io.WriteString(w, html.EscapeString(before)); err != nil {
			return err
		}
		if err := s.part(ctx, w, part); err != nil {
			return err
		}
		said = rest
	}
	return nil
}

// nextPart finds the next placeholder, or beginning or end of an element.
func nextPart(said string) (before, part, rest string) {
	from := strings.IndexAny(said, "{<")
	if from < 0 {
		return said, "", ""
	}
	to := strings.IndexAny(said[from:], "}>")
	if to < 0 {
		return said, "", ""
	}
	to += from + 1
	return said[:from], said[from:to], said[to:]
}

func (s sentence) part(ctx context.Context, w io.Writer, part string) error {
	if part == "" {
		return nil
	}
	if part[0] == '<' {
		name := strings.TrimRight(part[:len(part)-1], "0123456789")
		if _, err := io.WriteString(w, name); err != nil {
			return err
		}
		if attributes, ok := s.value(part).(templ.OrderedAttributes); ok {
			if err := templ.RenderAttributes(ctx, w, attributes); err != nil {
				return err
			}
		}
		_, err := io.WriteString(w, ">")
		return err
	}
	switch v := s.value(part).(type) {
	case string:
		_, err := io.WriteString(w, html.EscapeString(v))
		return err
	case templ.Component:
		return v.Render(ctx, w)
	default:
		_, err := io.WriteString(w, html.EscapeString(fmt.Sprint(v)))
		return err
	}
}

// value is what stands for a placeholder or an element; nil: nothing does.
func (s sentence) value(of string) any {
	i := 0
	for rest := string(s.text); rest != ""; {
		var part string
		_, part, rest = nextPart(rest)
		if part == "" || part[1] == '/' || slices.Contains(plain, part[1:len(part)-1]) && part[0] == '<' {
			continue
		}
		if part == of && i < len(s.values) {
			return s.values[i]
		}
		i++
	}
	return nil
}

// partsOf are the placeholders and the ends of elements of a message.
func partsOf(said string) (all []string) {
	for said != "" {
		var part string
		if _, part, said = nextPart(said); part != "" {
			all = append(all, part)
		}
	}
	return all
}

// sameParts reports whether two messages hold the same placeholders and elements, in any order, and elements end where they have to.
func sameParts(a, b string) bool {
	in, other := partsOf(a), partsOf(b)
	slices.Sort(in)
	var open []string
	for _, p := range other {
		switch {
		case p == "<br>" || p[0] == '{':
		case p[1] != '/':
			open = append(open, p[1:])
		case len(open) == 0 || open[len(open)-1] != p[2:]:
			return false
		default:
			open = open[:len(open)-1]
		}
	}
	slices.Sort(other)
	return slices.Equal(in, other) && len(open) == 0
}
