package prose

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
)

// JSON returns n as ProseMirror JSON, as Tiptap's getJSON: attributes that the
// schema gives a default are always there.
func JSON(n Node) ([]byte, error) {
	b, err := appendNode(nil, n)
	if err != nil {
		return nil, fmt.Errorf("note as JSON: %w", err)
	}
	return b, nil
}

func appendNode(b []byte, n Node) (_ []byte, err error) {
	b, err = appendType(b, n.Type, schema.nodes[n.Type], n.Attrs)
	if err != nil {
		return nil, err
	}
	if len(n.Content) > 0 {
		b = append(b, `,"content":[`...)
		for i, c := range joinText(n.Content) {
			if i > 0 {
				b = append(b, ',')
			}
			if b, err = appendNode(b, c); err != nil {
				return nil, err
			}
		}
		b = append(b, ']')
	}
	if len(n.Marks) > 0 {
		b = append(b, `,"marks":[`...)
		for i, m := range n.Marks {
			if i > 0 {
				b = append(b, ',')
			}
			if b, err = appendType(b, m.Type, schema.marks[m.Type], m.Attrs); err != nil {
				return nil, err
			}
			b = append(b, '}')
		}
		b = append(b, ']')
	}
	if n.Type == "text" {
		if b, err = appendValue(append(b, `,"text":`...), n.Text); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}

// joinText joins neighbouring texts with equal marks: ProseMirror knows no
// authors.
func joinText(ns []Node) []Node {
	var out []Node
	for len(ns) > 0 {
		n, k := ns[0], 1
		for k < len(ns) && n.Type == "text" && ns[k].Type == "text" && sameMarks(n.Marks, ns[k].Marks) {
			k++
		}
		if k > 1 {
			var text strings.Builder
			for _, same := range ns[:k] {
				text.WriteString(same.Text)
			}
			n.Text = text.String()
		}
		out, ns = append(out, n), ns[k:]
	}
	return out
}

// appendType writes the type and attributes of a node or mark, in the schema's
// order; the brace stays open.
func appendType(b []byte, name string, k *kind, attrs map[string]any) (_ []byte, err error) {
	if b, err = appendValue(append(b, `{"type":`...), name); err != nil {
		return nil, err
	}
	names, values := fill(k, attrs)
	if len(names) == 0 {
		return b, nil
	}
	b, err = appendObject(append(b, `,"attrs":`...), names, values)
	return b, err
}

// fill returns the attributes with the schema's defaults, in its order, then
// those it does not know.
func fill(k *kind, attrs map[string]any) (names []string, values []any) {
	known := 0
	if k != nil {
		for _, a := range k.Attrs {
			v, ok := attrs[a.Name]
			if ok {
				known++
			} else {
				v = a.Default
			}
			names, values = append(names, a.Name), append(values, v)
		}
	}
	if known == len(attrs) {
		return names, values
	}
	for _, name := range sortedKeys(attrs) {
		if !slices.Contains(names, name) {
			names, values = append(names, name), append(values, attrs[name])
		}
	}
	return names, values
}

func appendObject(b []byte, names []string, values []any) (_ []byte, err error) {
	b = append(b, '{')
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = appendValue(b, name); err != nil {
			return nil, err
		}
		if b, err = appendValue(append(b, ':'), values[i]); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}

// appendValue writes a value as JSON.stringify would. Numbers that JSON cannot
// hold become null, wherever they are.
func appendValue(b []byte, v any) (_ []byte, err error) {
	switch x := v.(type) {
	case float64:
		if math.IsNaN(x) || math.IsInf(x, 0) {
			v = nil
		}
	case map[string]any:
		names := sortedKeys(x)
		values := make([]any, len(names))
		for i, name := range names {
			values[i] = x[name]
		}
		return appendObject(b, names, values)
	case []any:
		b = append(b, '[')
		for i, e := range x {
			if i > 0 {
				b = append(b, ',')
			}
			if b, err = appendValue(b, e); err != nil {
				return nil, err
			}
		}
		return append(b, ']'), nil
	}
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return appendUnescaped(b, bytes.TrimSuffix(buf.Bytes(), []byte{'\n'})), nil
}

// appendUnescaped undoes the escapes that encoding/json always makes and
// JavaScript never does: of the line and paragraph separators.
func appendUnescaped(b, j []byte) []byte {
	for len(j) > 0 {
		n := 1
		if j[0] == '\\' {
			n = 2
		}
		switch {
		case bytes.HasPrefix(j, []byte(`\u2028`)):
			b, n = append(b, "\u2028"...), 6
		case bytes.HasPrefix(j, []byte(`\u2029`)):
			b, n = append(b, "\u2029"...), 6
		default:
			b = append(b, j[:n]...)
		}
		j = j[n:]
	}
	return b
}
