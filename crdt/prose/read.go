package prose

import (
	"github.com/clisonix/tidechart/crdt"
)

// Read returns the note in f as a node of type "doc".
func Read(f *crdt.XMLFragment) Node { return reader{}.doc(f) }

// ReadTraced is [Read] that says of which elements of the document each node and
// text consists, which [Compare] needs to tell what stayed from what was typed again.
func ReadTraced(f *crdt.XMLFragment) Node { return reader{traced: true}.doc(f) }

// A reader reads nodes, and what they consist of if it is asked to.
type reader struct{ traced bool }

func (r reader) doc(f *crdt.XMLFragment) Node {
	return Node{Type: "doc", Content: r.all(f.Children(), 1)}
}

func (r reader) all(cs []crdt.Child, depth int) []Node {
	var out []Node
	for _, c := range cs {
		out = append(out, r.child(c, depth)...)
	}
	return out
}

// child returns c as one node, or as the nodes in it if it is a plain text.
// What is past MaxDepth lies flat in a node that says so.
func (r reader) child(c crdt.Child, depth int) []Node {
	p := partOf(c)
	switch {
	case p.text != nil && len(p.attrs) == 0:
		return r.text(p.text, depth)
	case depth > MaxDepth:
		return []Node{{Type: TooDeep, Content: flatten(c), Author: c.Author}}
	}
	n := p.node
	n.Attrs = attrs(p.attrs, depth)
	if held, ok := c.Value.(interface{ ID() (crdt.ID, bool) }); ok && r.traced {
		id, _ := held.ID()
		n.Pieces = []crdt.Piece{{ID: id, Of: id, Len: 1}}
	}
	if p.text != nil {
		n.Content = r.text(p.text, depth)
	} else {
		n.Content = r.all(p.children, depth+1)
	}
	return []Node{named(n)}
}

// A part is what a child of a shared type is, apart from what nests in it.
type part struct {
	node     Node
	attrs    map[string]any // may hold shared types
	children []crdt.Child
	text     *crdt.Text // instead of children
}

func partOf(c crdt.Child) part {
	p := part{node: Node{Type: Unknown, Author: c.Author}}
	switch v := c.Value.(type) {
	case *crdt.XMLElement:
		p.node.Type, p.attrs, p.children = v.Name(), v.Attributes(), v.Children()
	case *crdt.XMLText:
		p.attrs, p.text = v.Attributes(), &v.Text
	case *crdt.Text: // has attributes too
		p.attrs, p.text = (&crdt.XMLText{Text: *v}).Attributes(), v
	case *crdt.XMLFragment:
		p.children = v.Children()
	case *crdt.Array:
		p.children = v.Children()
	case *crdt.XMLHook:
		p.node.Type, p.attrs = v.Name(), v.Values()
	case *crdt.Map:
		p.attrs = v.Values()
	default:
		p.attrs = map[string]any{"value": v}
	}
	return p
}

// named returns n, as [Unknown] if its name is one that no element may have: a
// text is no element, and a document is the root.
func named(n Node) Node {
	if n.Type == "text" || n.Type == "doc" {
		return renamed(n)
	}
	return n
}

// renamed returns n as [Unknown], its name and attributes in attributes.
func renamed(n Node) Node {
	all := map[string]any{"name": n.Type}
	if len(n.Attrs) > 0 {
		all["attrs"] = n.Attrs
	}
	n.Type, n.Attrs = Unknown, all
	return n
}

// text returns the spans of a text as nodes.
func (r reader) text(t *crdt.Text, depth int) []Node {
	spans := t.Spans
	if r.traced {
		spans = t.TracedSpans
	}
	var out []Node
	for _, s := range spans() {
		c := crdt.Child{Value: s.Insert, Author: s.Author}
		if n, ok := readSpan(s); ok {
			out = append(out, n)
		} else if depth > MaxDepth {
			out = append(out, Node{Type: TooDeep, Marks: marks(s.Attributes), Content: flatten(c), Author: s.Author})
		} else {
			out = append(out, withMarks(r.child(c, depth+1), marks(s.Attributes), s.Author)...)
		}
	}
	return out
}

// readSpan returns a string or plain object; in a shared type there is more.
func readSpan(s crdt.Span) (Node, bool) {
	n := Node{Type: "text", Author: s.Author, Pieces: s.Pieces}
	switch v := s.Insert.(type) {
	case string:
		n.Text = v
	case map[string]any:
		n.Type, n.Attrs = Embed, attrs(v, 0)
	default:
		return Node{}, false
	}
	n.Marks = marks(s.Attributes)
	return n, true
}

// withMarks puts marks on the node that a shared type inside a text is; the
// nodes of a text have marks of their own and get them together.
func withMarks(ns []Node, ms []Mark, author crdt.ClientID) []Node {
	if len(ms) == 0 {
		return ns
	}
	if len(ns) == 1 && len(ns[0].Marks) == 0 {
		ns[0].Marks = ms
		return ns
	}
	return []Node{{Type: Unknown, Marks: ms, Content: ns, Author: author}}
}
