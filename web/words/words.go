// Package words holds what pages say, for translators: English stands in the code and is its own key, as in gettext, so that a page
// stays readable; [Say] and its neighbours say it in the language of whoever reads. Without a translation, or in a language that lacks
// a message, that is English.
//
// en.json is the catalogue of all messages, written by make generate from the code. A translation is a file in translations with the same
// messages, named by its language: see [Read] and docs/translating.md.
package words

import (
	"context"
	"strings"
	"sync/atomic"
)

// Text is a message in English. What is in braces is a placeholder, whose name is for translators: values fill the placeholders in the
// order in which English has them. A translation may have them in another order. Only constants are Texts: the catalogue has each of them.
type Text string

type inContext struct{}

// foreign says that some context may have a language. Until then, which is always where no translation is there, nobody looks.
var foreign atomic.Bool

// In is a context whose reader reads l; nil is English.
func In(ctx context.Context, l *Language) context.Context {
	if l == nil {
		return ctx
	}
	foreign.Store(true)
	return context.WithValue(ctx, inContext{}, l)
}

// Of is the language of whoever reads; nil is English.
func Of(ctx context.Context) *Language {
	if !foreign.Load() {
		return nil
	}
	l, _ := ctx.Value(inContext{}).(*Language)
	return l
}

// Tag names the language of whoever reads, as HTML does: "en".
func Tag(ctx context.Context) string {
	if l := Of(ctx); l != nil {
		return l.tag.String()
	}
	return "en"
}

// Say is a message in the language of whoever reads, with values in the place of its placeholders.
func Say(ctx context.Context, text Text, values ...string) string {
	return fill(Of(ctx).say(text), text, values)
}

// Count is the message for a number of things: "1 note", "{n} notes". {n} is the number; values fill what else many holds in braces.
func Count(ctx context.Context, n int, one, many Text, values ...string) string {
	said, number := Of(ctx).count(n, one, many)
	return fill(strings.ReplaceAll(said, "{n}", number), many, values)
}

// fill puts values in the place of placeholders. What a value holds is not looked at.
func fill(said string, english Text, values []string) string {
	if len(values) == 0 {
		return said
	}
	size := len(said)
	for _, v := range values {
		size += len(v)
	}
	var b strings.Builder
	b.Grow(size)
	for {
		before, rest, found := strings.Cut(said, "{")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		name, after, closed := strings.Cut(rest, "}")
		if i := place(english, name); closed && i < len(values) {
			b.WriteString(values[i])
			said = after
			continue
		}
		b.WriteByte('{')
		said = rest
	}
}

// place is the place of a placeholder among those of English, each of which has a name of its own; {n} is the number of Count.
func place(english Text, name string) (i int) {
	for rest := string(english); ; i++ {
		_, after, found := strings.Cut(rest, "{")
		if !found {
			return len(english) // no value's
		}
		at, behind, _ := strings.Cut(after, "}")
		if at == name {
			return i
		}
		if at == "n" {
			i--
		}
		rest = behind
	}
}
