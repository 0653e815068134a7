package prose

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/clisonix/tidechart/crdt"
)

// hashedMark matches the key of a mark that may overlap others of its kind.
var hashedMark = regexp.MustCompile(`^(?s:(.*))--[a-zA-Z0-9+/=]{8}$`)

// marks returns the marks of a span in the schema's order, unknown ones last.
// A value that is no object is an attribute "value"; true says nothing.
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
		v, ok := formats[k].(map[string]any)
		if !ok && formats[k] != true {
			v = map[string]any{"value": formats[k]}
		}
		out[i] = Mark{Type: markName(k), Attrs: attrs(v, 0)}
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

// attrs returns m with plain values, or nil if m is empty. What is in shared
// types among them lies at depth.
func attrs(m map[string]any, depth int) map[string]any {
	if len(m) == 0 {
		return nil
	}
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = plain(v, depth)
	}
	return out
}

// plain makes v a value that has a form in JSON, but for some numbers. A shared
// map or array is one, a text without formats a string, and any other shared
// type, or one past MaxDepth, a list of its nodes.
func plain(v any, depth int) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = plain(e, depth)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = plain(e, depth)
		}
		return out
	case *crdt.Map:
		if depth <= MaxDepth {
			return plain(v.Values(), depth+1)
		}
	case *crdt.Array:
		if depth <= MaxDepth {
			out := make([]any, 0, v.Len())
			for _, c := range v.Children() {
				out = append(out, plain(c.Value, depth+1))
			}
			return out
		}
	case *crdt.Subdoc:
		return map[string]any{"guid": v.GUID, "opts": plain(v.Opts, depth)}
	case *crdt.UnknownType, crdt.Undefined:
		return nil
	}
	if isShared(v) {
		return nodesValue(joinText(reader{}.child(crdt.Child{Value: v}, depth+1)))
	}
	return v
}

// isShared reports whether v is a shared type that can be read.
func isShared(v any) bool {
	switch v.(type) {
	case *crdt.Map, *crdt.XMLHook, *crdt.Array, *crdt.Text, *crdt.XMLText, *crdt.XMLElement, *crdt.XMLFragment:
		return true
	}
	return false
}

// nodesValue returns nodes as a value. It is no string that holds JSON: one in
// another, at each depth, would double its escapes.
func nodesValue(ns []Node) any {
	switch {
	case len(ns) == 0:
		return ""
	case len(ns) == 1 && ns[0].Type == "text" && len(ns[0].Marks) == 0:
		return ns[0].Text
	}
	out := make([]any, len(ns))
	for i, n := range ns {
		v := map[string]any{"type": n.Type}
		if n.Type == "text" {
			v["text"] = n.Text
		}
		if len(n.Attrs) > 0 {
			v["attrs"] = n.Attrs
		}
		if len(n.Content) > 0 {
			v["content"] = nodesValue(joinText(n.Content))
		}
		if len(n.Marks) > 0 {
			v["marks"] = marksValue(n.Marks)
		}
		out[i] = v
	}
	return out
}

func marksValue(ms []Mark) any {
	out := make([]any, len(ms))
	for i, m := range ms {
		v := map[string]any{"type": m.Type}
		if len(m.Attrs) > 0 {
			v["attrs"] = m.Attrs
		}
		out[i] = v
	}
	return out
}

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }

// Label says in a line what n is: its type and, if the schema does not know it,
// its attributes as JSON. It is what a page or text shows of such a node,
// besides what is in it.
func (n Node) Label() string { return label(n.Type, schema.nodes[n.Type], n.Attrs) }

func label(name string, known *kind, attrs map[string]any) string {
	if known != nil || len(attrs) == 0 {
		return name
	}
	j, err := appendValue(nil, attrs)
	if err != nil {
		return fmt.Sprintf("%s %v", name, attrs)
	}
	return name + " " + string(j)
}

// UnknownMarks returns labels like those of nodes for the marks that end with
// ns[i], of those that the schema does not know and that have attributes.
func UnknownMarks(ns []Node, i int) []string {
	var out []string
	for _, m := range ns[i].Marks {
		goesOn := func(next Mark) bool { return sameMarks([]Mark{m}, []Mark{next}) }
		if schema.marks[m.Type] == nil && len(m.Attrs) > 0 && (i+1 == len(ns) || !slices.ContainsFunc(ns[i+1].Marks, goesOn)) {
			out = append(out, label(m.Type, nil, m.Attrs))
		}
	}
	return out
}
