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

// String returns the fragment as Y.XmlFragment.toString does. Element names come
// out in lower case and nothing is escaped: it is for comparing with Yjs, not
// for pages. See package prose.
func (x *XMLFragment) String() string {
	var b strings.Builder
	x.children(func(c Child) { b.WriteString(jsString(c.Value)) })
	return b.String()
}

// String returns the element as Y.XmlElement.toString does.
func (x *XMLElement) String() string {
	var b strings.Builder
	name := strings.ToLower(x.Name())
	b.WriteString("<" + name)
	writeAttrs(&b, x.Attributes())
	b.WriteString(">" + x.XMLFragment.String() + "</" + name + ">")
	return b.String()
}

// String returns the text as Y.XmlText.toString does: formats as elements.
func (t *XMLText) String() string {
	var b strings.Builder
	for _, op := range t.Delta() {
		names := sortedKeys(op.Attributes)
		for _, name := range names {
			b.WriteString("<" + name)
			attrs, _ := op.Attributes[name].(map[string]any)
			writeAttrs(&b, attrs)
			b.WriteString(">")
		}
		b.WriteString(jsString(op.Insert))
		for _, name := range slices.Backward(names) {
			b.WriteString("</" + name + ">")
		}
	}
	return b.String()
}

func writeAttrs(b *strings.Builder, attrs map[string]any) {
	for _, k := range sortedKeys(attrs) {
		b.WriteString(" " + k + `="` + jsString(attrs[k]) + `"`)
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
func (a *Array) ToJSON() any {
	out := []any{}
	a.children(func(c Child) { out = append(out, toJSON(c.Value)) })
	return out
}

// ToJSON returns the values by key, shared types as their ToJSON.
func (m *Map) ToJSON() any {
	out := make(map[string]any)
	m.entries(func(k string, c Child) { out[k] = toJSON(c.Value) })
	return out
}

func toJSON(v any) any {
	if t, ok := v.(interface{ ToJSON() any }); ok {
		return t.ToJSON()
	}
	return v
}

// jsString converts a value as JavaScript's template strings do.
func jsString(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case Undefined:
		return "undefined"
	case string:
		return v
	case bool:
		if v {
			return "true"
		}
		return "false"
	case float64:
		switch {
		case math.IsNaN(v):
			return "NaN"
		case math.IsInf(v, 1):
			return "Infinity"
		case math.IsInf(v, -1):
			return "-Infinity"
		}
		return string(appendJSONNumber(nil, v))
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			if _, undefined := e.(Undefined); e != nil && !undefined {
				parts[i] = jsString(e)
			}
		}
		return strings.Join(parts, ",")
	case []byte:
		parts := make([]any, len(v))
		for i, c := range v {
			parts[i] = float64(c)
		}
		return jsString(parts)
	case int64:
		return strconv.FormatInt(v, 10)
	case *Text:
		return v.String()
	case *XMLText:
		return v.String()
	case *XMLElement:
		return v.String()
	case *XMLFragment:
		return v.String()
	default:
		return "[object Object]"
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
