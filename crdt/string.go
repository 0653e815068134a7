package crdt

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

// mostNested is how many shared types in each other String and ToJSON follow. What is
// deeper is left out: Yjs throws at some thousands, and a stack has an end.
const mostNested = 10_000

// A printer writes values as JavaScript's template strings do, into one builder: each
// level would copy all below it else.
type printer struct {
	strings.Builder
	depth int
}

// String returns the fragment as Y.XmlFragment.toString does. Element names come
// out in lower case and nothing is escaped: it is for comparing with Yjs, not
// for pages. See package prose.
func (x *XMLFragment) String() string { return jsString(x) }

// String returns the element as Y.XmlElement.toString does.
func (x *XMLElement) String() string { return jsString(x) }

// String returns the text as Y.XmlText.toString does: formats as elements.
func (t *XMLText) String() string { return jsString(t) }

func (p *printer) fragment(x *XMLFragment) { x.children(func(c Child) { p.value(c.Value) }) }

func (p *printer) element(x *XMLElement) {
	name := strings.ToLower(x.Name())
	p.WriteString("<" + name)
	p.attrs(x.Attributes())
	p.WriteString(">")
	p.fragment(&x.XMLFragment)
	p.WriteString("</" + name + ">")
}

func (p *printer) text(t *XMLText) {
	for _, op := range t.Delta() {
		names := sortedKeys(op.Attributes)
		for _, name := range names {
			p.WriteString("<" + name)
			p.attrs(members(op.Attributes[name]))
			p.WriteString(">")
		}
		p.value(op.Insert)
		for _, name := range slices.Backward(names) {
			p.WriteString("</" + name + ">")
		}
	}
}

func (p *printer) attrs(attrs map[string]any) {
	for _, k := range sortedKeys(attrs) {
		p.WriteString(" " + k + `="`)
		p.value(attrs[k])
		p.WriteString(`"`)
	}
}

// ToJSON returns the text without formats, as Y.Text.toJSON does.
func (t *Text) ToJSON() any { return t.String() }

// ToJSON returns what String does, as in Yjs.
func (t *XMLText) ToJSON() any { return t.String() }

// ToJSON returns what String does, as in Yjs.
func (x *XMLFragment) ToJSON() any { return x.String() }

// ToJSON returns what String does, as in Yjs.
func (x *XMLElement) ToJSON() any { return x.String() }

// ToJSON returns the values, shared types as their ToJSON.
func (a *Array) ToJSON() any { return a.toJSON(0) }

// ToJSON returns the values by key, shared types as their ToJSON.
func (m *Map) ToJSON() any { return m.toJSON(0) }

func (a *Array) toJSON(depth int) any {
	out := []any{}
	a.children(func(c Child) { out = append(out, toJSON(c.Value, depth+1)) })
	return out
}

func (m *Map) toJSON(depth int) any {
	out := make(map[string]any)
	m.entries(func(k string, c Child) { out[k] = toJSON(c.Value, depth+1) })
	return out
}

func toJSON(v any, depth int) any {
	switch v := v.(type) {
	case interface{ toJSON(int) any }:
		if depth > mostNested {
			return nil
		}
		return v.toJSON(depth)
	case interface{ ToJSON() any }:
		return v.ToJSON()
	}
	return v
}

// jsString converts a value as JavaScript's template strings do.
func jsString(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	var p printer
	p.value(v)
	return p.String()
}

func (p *printer) value(v any) {
	if p.depth++; p.depth <= mostNested {
		p.write(v)
	}
	p.depth--
}

func (p *printer) write(v any) {
	switch v := v.(type) {
	case nil:
		p.WriteString("null")
	case Undefined:
		p.WriteString("undefined")
	case string:
		p.WriteString(v)
	case bool:
		p.WriteString(strconv.FormatBool(v))
	case float64:
		p.number(v)
	case int64:
		p.WriteString(strconv.FormatInt(v, 10))
	case []any:
		for i, e := range v {
			if i > 0 {
				p.WriteByte(',')
			}
			if _, undefined := e.(Undefined); e != nil && !undefined {
				p.value(e)
			}
		}
	case []byte:
		for i, c := range v {
			if i > 0 {
				p.WriteByte(',')
			}
			p.number(float64(c))
		}
	case *Text:
		p.WriteString(v.String())
	case *XMLText:
		p.text(v)
	case *XMLElement:
		p.element(v)
	case *XMLFragment:
		p.fragment(v)
	default:
		p.WriteString("[object Object]")
	}
}

func (p *printer) number(f float64) {
	switch {
	case math.IsNaN(f):
		p.WriteString("NaN")
	case math.IsInf(f, 1):
		p.WriteString("Infinity")
	case math.IsInf(f, -1):
		p.WriteString("-Infinity")
	default:
		p.Write(appendJSONNumber(nil, f))
	}
}

// sortedKeys returns the keys as JavaScript sorts strings: by UTF-16 units.
func sortedKeys(m map[string]any) []string {
	return slices.SortedFunc(maps.Keys(m), func(a, b string) int {
		if c := slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b))); c != 0 {
			return c
		}
		return cmp.Compare(a, b)
	})
}

// propertyKeys returns the keys as JavaScript lists those of an object on which
// they were set in order: array indexes by value, then the others.
func propertyKeys(m map[string]any) []string {
	keys := sortedKeys(m)
	slices.SortStableFunc(keys, func(a, b string) int {
		i, isIndex := arrayIndex(a)
		k, alsoIndex := arrayIndex(b)
		switch {
		case isIndex && alsoIndex:
			return cmp.Compare(i, k)
		case isIndex:
			return -1
		case alsoIndex:
			return 1
		default:
			return 0
		}
	})
	return keys
}

// arrayIndex returns the integer that s is, written as JavaScript does, if it is
// one that comes before other keys.
func arrayIndex(s string) (uint64, bool) {
	if s == "" || s[0] < '0' || s[0] > '9' {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 10, 32)
	return n, err == nil && n < 1<<32-1 && strconv.FormatUint(n, 10) == s
}
