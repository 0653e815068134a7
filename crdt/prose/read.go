package prose

import (
	"cmp"
	"regexp"
	"slices"

	"github.com/clisonix/tidechart/crdt"
)

// Read returns the note in f as a node of type "doc".
func Read(f *crdt.XMLFragment) Node {
	doc := Node{Type: "doc"}
	doc.Content = readAll(f.Children(), 1)
	return doc
}

func readAll(cs []crdt.Child, depth int) []Node {
	var out []Node
	for _, c := range cs {
		out = append(out, readChild(c, depth)...)
	}
	return out
}

func readChild(c crdt.Child, depth int) []Node {
	switch v := c.Value.(type) {
	case *crdt.XMLElement:
		return readParent(Node{Type: v.Name(), Attrs: attrs(v.Attributes()), Author: c.Author}, v.Children, depth)
	case *crdt.XMLText:
		return readText(&v.Text, depth)
	case *crdt.Text:
		return readText(v, depth)
	case *crdt.XMLFragment:
		return readParent(Node{Type: Unknown, Author: c.Author}, v.Children, depth)
	case *crdt.Array:
		return readParent(Node{Type: Unknown, Author: c.Author}, v.Children, depth)
	case *crdt.XMLHook:
		return []Node{{Type: v.Name(), Attrs: attrs(v.Values()), Author: c.Author}}
	case *crdt.Map:
		return []Node{{Type: Unknown, Attrs: attrs(v.Values()), Author: c.Author}}
	default:
		return []Node{{Type: Unknown, Attrs: map[string]any{"value": jsonValue(v)}, Author: c.Author}}
	}
}

// readParent reads the children into n. Past MaxDepth it returns them instead:
// the text stays, n goes.
func readParent(n Node, children func() []crdt.Child, depth int) []Node {
	if depth > MaxDepth {
		return flatten(children())
	}
	n.Content = readAll(children(), depth+1)
	return []Node{n}
}

// flatten returns all text below cs in order, without recursion: nesting is as
// deep as a peer likes.
func flatten(cs []crdt.Child) []Node {
	var out []Node
	work := slices.Clone(cs)
	slices.Reverse(work)
	for len(work) > 0 {
		c := work[len(work)-1]
		work = work[:len(work)-1]
		var below []crdt.Child
		switch v := c.Value.(type) {
		case *crdt.XMLElement:
			below = v.Children()
		case *crdt.XMLFragment:
			below = v.Children()
		case *crdt.Array:
			below = v.Children()
		case *crdt.XMLText:
			below = spanChildren(&v.Text, &out)
		case *crdt.Text:
			below = spanChildren(v, &out)
		}
		slices.Reverse(below)
		work = append(work, below...)
	}
	return out
}

// spanChildren appends the strings of t to out and returns what is nested in it.
func spanChildren(t *crdt.Text, out *[]Node) (below []crdt.Child) {
	for _, s := range t.Spans() {
		if text, ok := s.Insert.(string); ok {
			*out = append(*out, Node{Type: "text", Text: text, Marks: marks(s.Attributes), Author: s.Author})
		} else {
			below = append(below, crdt.Child{Value: s.Insert, Author: s.Author})
		}
	}
	return below
}

// readText returns the spans of a text as nodes.
func readText(t *crdt.Text, depth int) []Node {
	var out []Node
	for _, s := range t.Spans() {
		switch v := s.Insert.(type) {
		case string:
			out = append(out, Node{Type: "text", Text: v, Marks: marks(s.Attributes), Author: s.Author})
		case map[string]any:
			out = append(out, Node{Type: Embed, Attrs: attrs(v), Marks: marks(s.Attributes), Author: s.Author})
		default:
			out = append(out, readChild(crdt.Child{Value: v, Author: s.Author}, depth)...)
		}
	}
	return out
}

// hashedMark matches the key of a mark that may overlap others of its kind.
var hashedMark = regexp.MustCompile(`^(?s:(.*))--[a-zA-Z0-9+/=]{8}$`)

// marks returns the marks of a span in the schema's order, unknown ones last.
func marks(formats map[string]any) []Mark {
	if len(formats) == 0 {
		return nil
	}
	keys := make([]string, 0, len(formats))
	for k := range formats {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b string) int {
		return cmp.Or(cmp.Compare(markRank(a), markRank(b)), cmp.Compare(a, b))
	})
	out := make([]Mark, len(keys))
	for i, k := range keys {
		out[i] = Mark{Type: markName(k)}
		if v, ok := formats[k].(map[string]any); ok {
			out[i].Attrs = attrs(v)
		}
	}
	return out
}

func markName(key string) string {
	if m := hashedMark.FindStringSubmatch(key); m != nil {
		return m[1]
	}
	return key
}

func markRank(key string) int {
	if k := schema.marks[markName(key)]; k != nil {
		return k.rank
	}
	return len(schema.marks)
}

// attrs returns m with values that JSON can hold, or nil if m is empty.
func attrs(m map[string]any) map[string]any {
	if len(m) == 0 {
		return nil
	}
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = jsonValue(v)
	}
	return out
}

// jsonValue replaces shared types and other values that JSON has no form for.
func jsonValue(v any) any {
	switch v := v.(type) {
	case nil, bool, float64, string, int64, []byte:
		return v
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = jsonValue(e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = jsonValue(e)
		}
		return out
	default: // a shared type, a subdocument, undefined
		return nil
	}
}
