package prose

import (
	"slices"

	"github.com/clisonix/tidechart/crdt"
)

// flatten returns all that is in c, in order, as nodes without content: texts,
// each block's on lines of their own, and as [Unknown] what is no text. It does
// not recurse: nesting is as deep as a peer likes.
func flatten(c crdt.Child) []Node {
	var out []Node
	work := []crdt.Child{c} // the next one last; a Node among them is done
	for len(work) > 0 {
		c := work[len(work)-1]
		work = work[:len(work)-1]
		if n, ok := c.Value.(Node); ok {
			out = append(out, n)
			continue
		}
		p := partOf(c)
		values, below := split(p.attrs, c.Author)
		p.node.Attrs = attrs(values, MaxDepth)
		if _, element := c.Value.(*crdt.XMLElement); element && len(out) > 0 && out[len(out)-1].Type != "hardBreak" {
			out = append(out, Node{Type: "hardBreak", Author: c.Author})
		}
		if p.node.Type == Unknown && len(p.node.Attrs) > 0 {
			out = append(out, p.node)
		} else if p.node.Type != Unknown && (len(p.node.Attrs) > 0 || schema.nodes[p.node.Type] == nil) {
			out = append(out, renamed(p.node))
		}
		below = append(below, p.children...)
		if p.text != nil {
			below = append(below, spanChildren(p.text)...)
		}
		slices.Reverse(below)
		work = append(work, below...)
	}
	return out
}

// split parts attributes into plain values and, in the order of their names, the
// shared types among them, for which null stands.
func split(m map[string]any, author crdt.ClientID) (values map[string]any, shared []crdt.Child) {
	values = make(map[string]any, len(m))
	for _, k := range sortedKeys(m) {
		values[k] = m[k]
		if isShared(m[k]) {
			values[k] = nil
			shared = append(shared, crdt.Child{Value: m[k], Author: author})
		}
	}
	return values, shared
}

// spanChildren returns what is in t, strings and plain objects as nodes.
func spanChildren(t *crdt.Text) []crdt.Child {
	var out []crdt.Child
	for _, s := range t.Spans() {
		c := crdt.Child{Value: s.Insert, Author: s.Author}
		if n, ok := readSpan(s); ok {
			c.Value = n
		} else if ms := marks(s.Attributes); len(ms) > 0 {
			out = append(out, crdt.Child{Value: Node{Type: Unknown, Marks: ms, Author: s.Author}})
		}
		out = append(out, c)
	}
	return out
}
