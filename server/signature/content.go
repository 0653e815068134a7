package signature

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/clisonix/tidechart/crdt/prose"
)

// contentHead begins the first line of canonical content; the fingerprint of the schema follows.
const contentHead = "tidechart-content/v1 "

// Content returns a note in its canonical form: a line that says the version of the form and which schema filled in what the note
// leaves to it, then the note as one line of canonical JSON (RFC 8785, JCS). Nothing of the note is left out, whether the schema
// knows it or not. Documents that read equally have equal bytes: neighbouring texts of equal marks are one, marks are in the order
// of their names, an attribute that is not set has the schema's default.
//
// A node is {"attrs","content","marks","text","type"}, of which only those are there that it has. What JSON has no value for is an
// object of one key: {"$bytes":base64}, {"$bigint":decimal}, {"$number":"NaN"}, "Infinity" or "-Infinity"; a key of the note's own
// that begins with $ has one more. The error is [ErrTooLarge].
func Content(schema *prose.Schema, doc prose.Node) ([]byte, error) {
	w := writer{schema: schema, out: []byte(contentHead + schema.Fingerprint() + "\n")}
	if err := w.node(doc); err != nil {
		return nil, fmt.Errorf("canonical form: %w", err)
	}
	return append(w.out, '\n'), nil
}

// writer writes canonical JSON.
type writer struct {
	schema *prose.Schema
	out    []byte
}

func (w *writer) raw(s string) { w.out = append(w.out, s...) }

// node writes a node. Its keys are in the order that JCS asks for.
func (w *writer) node(n prose.Node) error {
	if len(w.out) > MaxContent {
		return ErrTooLarge
	}
	w.raw("{")
	if err := w.attrs(w.schema.NodeAttrs(n)); err != nil {
		return err
	}
	if children := joined(w.schema, n.Content); len(children) > 0 {
		w.raw(`"content":[`)
		for i, c := range children {
			if i > 0 {
				w.raw(",")
			}
			if err := w.node(c); err != nil {
				return err
			}
		}
		w.raw("],")
	}
	if marks, err := marksOf(w.schema, n.Marks); err != nil {
		return err
	} else if len(marks) > 0 {
		w.raw(`"marks":[`)
		for i, m := range marks {
			if i > 0 {
				w.raw(",")
			}
			w.raw(m)
		}
		w.raw("],")
	}
	if n.Type == "text" {
		w.raw(`"text":`)
		if err := w.text(n.Text); err != nil {
			return err
		}
		w.raw(",")
	}
	w.raw(`"type":`)
	if err := w.text(n.Type); err != nil {
		return err
	}
	w.raw("}")
	return nil
}

func (w *writer) attrs(attrs map[string]any) error {
	if len(attrs) == 0 {
		return nil
	}
	w.raw(`"attrs":`)
	if err := w.object(attrs); err != nil {
		return err
	}
	w.raw(",")
	return nil
}

// marksOf returns marks as JSON, in the order of their names; those of one name, which may overlap, by what they say.
func marksOf(schema *prose.Schema, marks []prose.Mark) ([]string, error) {
	type mark struct{ name, json string }
	all := make([]mark, len(marks))
	for i, m := range marks {
		w := writer{schema: schema, out: []byte("{")}
		err := w.attrs(schema.MarkAttrs(m))
		if err == nil {
			w.raw(`"type":`)
			err = w.text(m.Type)
		}
		if err != nil {
			return nil, err
		}
		w.raw("}")
		all[i] = mark{m.Type, string(w.out)}
	}
	slices.SortFunc(all, func(a, b mark) int {
		if a.name != b.name {
			return compareUTF16(a.name, b.name)
		}
		return compareUTF16(a.json, b.json)
	})
	texts := make([]string, len(all))
	for i, m := range all {
		texts[i] = m.json
	}
	return texts, nil
}

// joined makes one text of neighbours with equal marks.
func joined(schema *prose.Schema, ns []prose.Node) []prose.Node {
	var out []prose.Node
	var marks []string // of the last of out, if it is a text
	var text strings.Builder
	end := func() {
		if k := len(out) - 1; k >= 0 && out[k].Type == "text" {
			out[k].Text = text.String()
		}
		text.Reset()
	}
	for _, n := range ns {
		if n.Type != "text" {
			end()
			out = append(out, n)
			continue
		}
		own, err := marksOf(schema, n.Marks)
		if k := len(out) - 1; err != nil || k < 0 || out[k].Type != "text" || !slices.Equal(own, marks) {
			end()
			out, marks = append(out, n), own
		}
		text.WriteString(n.Text)
	}
	end()
	return out
}

func (w *writer) object(m map[string]any) error {
	w.raw("{")
	for i, key := range slices.SortedFunc(maps.Keys(m), func(a, b string) int { return compareUTF16(escaped(a), escaped(b)) }) {
		if i > 0 {
			w.raw(",")
		}
		if err := w.text(escaped(key)); err != nil {
			return err
		}
		w.raw(":")
		if err := w.value(m[key]); err != nil {
			return err
		}
	}
	w.raw("}")
	return nil
}

// escaped is a note's own key, which no key of ours equals.
func escaped(key string) string {
	if len(key) > 0 && key[0] == '$' {
		return "$" + key
	}
	return key
}

var errValue = errors.New("a value that has no canonical form")

func (w *writer) value(v any) error {
	if len(w.out) > MaxContent {
		return ErrTooLarge
	}
	switch v := v.(type) {
	case nil:
		w.raw("null")
	case bool:
		w.out = strconv.AppendBool(w.out, v)
	case string:
		return w.text(v)
	case int: // of templates
		return w.value(float64(v))
	case float64:
		w.number(v)
	case int64:
		w.raw(`{"$bigint":"` + strconv.FormatInt(v, 10) + `"}`)
	case []byte:
		w.raw(`{"$bytes":"` + base64.StdEncoding.EncodeToString(v) + `"}`)
	case map[string]any:
		return w.object(v)
	case []any:
		w.raw("[")
		for i, e := range v {
			if i > 0 {
				w.raw(",")
			}
			if err := w.value(e); err != nil {
				return err
			}
		}
		w.raw("]")
	default:
		return errValue
	}
	return nil
}

// number writes one as ECMAScript does, which JCS asks for.
func (w *writer) number(f float64) {
	switch abs := math.Abs(f); {
	case math.IsNaN(f):
		w.raw(`{"$number":"NaN"}`)
	case math.IsInf(f, 1):
		w.raw(`{"$number":"Infinity"}`)
	case math.IsInf(f, -1):
		w.raw(`{"$number":"-Infinity"}`)
	case f == 0:
		w.raw("0") // and no other zero
	case abs >= 1e-6 && abs < 1e21:
		w.out = strconv.AppendFloat(w.out, f, 'f', -1, 64)
	default:
		w.out = strconv.AppendFloat(w.out, f, 'e', -1, 64)
		if n := len(w.out); w.out[n-4] == 'e' && w.out[n-3] == '-' && w.out[n-2] == '0' { // 1e-07
			w.out[n-2] = w.out[n-1]
			w.out = w.out[:n-1]
		}
	}
}

// text writes a string with no more escapes than JSON needs.
func (w *writer) text(s string) error {
	if !utf8.ValidString(s) {
		return fmt.Errorf("%w: text that is not UTF-8", errValue)
	}
	if len(w.out)+len(s) > MaxContent {
		return ErrTooLarge
	}
	w.out = append(w.out, '"')
	for i := range len(s) {
		switch c := s[i]; c {
		case '"', '\\':
			w.out = append(w.out, '\\', c)
		case '\b':
			w.raw(`\b`)
		case '\f':
			w.raw(`\f`)
		case '\n':
			w.raw(`\n`)
		case '\r':
			w.raw(`\r`)
		case '\t':
			w.raw(`\t`)
		default:
			if c < 0x20 {
				w.raw(fmt.Sprintf(`\u%04x`, c))
			} else {
				w.out = append(w.out, c)
			}
		}
	}
	w.out = append(w.out, '"')
	return nil
}

// compareUTF16 is the order of keys in JCS, which is that of ECMAScript's strings.
func compareUTF16(a, b string) int {
	return slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
}
