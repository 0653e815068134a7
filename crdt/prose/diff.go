package prose

import (
	"unicode/utf8"

	"github.com/clisonix/tidechart/crdt"
)

// A Change is what became of a part of a note from one version to another.
type Change uint8

// The changes. What was changed has its content on both sides: a block became one of
// another kind or has other attributes, text has other marks.
const (
	Same Change = iota
	Added
	Removed
	Changed
)

// A Part is a part of a note in two versions at once. A word has come, gone or stayed as
// a whole.
type Part struct {
	Change Change
	Node   Node   // as the newer version has it, or as the older one had it if it was removed; without its content
	Was    *Node  // what one that was changed was before: its type, attributes and marks
	Parts  []Part // its content in both versions: what was removed before what was added in its place
	Moved  bool   // text that was added here and removed elsewhere, or the other way round
}

// Compare returns how older became newer, two versions of one note, as their common
// root. Leaving out what was added gives older, leaving out what was removed gives
// newer, but for where texts of several authors are cut in older.
//
// Versions that were read by [ReadTraced] are compared by what they consist of, so that
// a paragraph which was split, joined with another or made a heading is not taken for
// new. Without that, and for what somebody typed again, words count.
//
// It takes time in proportion to both, and to the logarithm of it; of what is too
// different for that, everything is removed and added.
func Compare(older, newer Node) Part {
	a, b := outlineOf(&older), outlineOf(&newer)
	c := comparer{effort: maxEffort, moved: make(map[crdt.ID]struct{})}
	c.trace(&a, &b)
	m := match{a: &a, b: &b}
	c.match(&m)
	c.findMoved(&m)
	parts := c.parts(&m)
	root := Part{Node: shell(newer), Parts: parts}
	if !sameShell(older, newer) {
		was := shell(older)
		root.Change, root.Was = Changed, &was
	}
	return root
}

// shell is n without its content.
func shell(n Node) Node {
	n.Content = nil
	return n
}

// parts returns the content of two nodes that are one.
func (c *comparer) parts(m *match) []Part {
	if m.a.line != nil && m.b.line != nil {
		return c.inLine(m)
	}
	var out []Part
	for i := range m.steps {
		s := &m.steps[i]
		switch {
		case s.b == nil:
			out = append(out, c.whole(s.a, Removed)...)
		case s.a == nil:
			out = append(out, c.whole(s.b, Added)...)
		case s.same:
			out = append(out, c.whole(s.b, Same)...)
		case s.b.line != nil:
			out = append(out, c.parts(s)...)
		default:
			p := Part{Node: shell(*s.b.node), Parts: c.parts(s)}
			if !sameShell(*s.a.node, *s.b.node) {
				was := shell(*s.a.node)
				p.Change, p.Was = Changed, &was
			}
			out = append(out, p)
		}
	}
	return out
}

// whole returns a node, or a line, all of which has come, gone or stayed.
func (c *comparer) whole(o *outline, how Change) []Part {
	if o.line == nil {
		p := Part{Change: how, Node: shell(*o.node)}
		for i := range o.kids {
			p.Parts = append(p.Parts, c.whole(&o.kids[i], how)...)
		}
		return []Part{p}
	}
	if how == Same {
		var out []Part
		for _, n := range o.line.nodes {
			out = append(out, nodePart(n, Same))
		}
		return out
	}
	w := lineWriter{}
	at := cursor{line: o.line}
	w.lexemes(c, &at, o.line.lexemes(), how)
	return w.out
}

// nodePart returns a node with all that is in it as one part.
func nodePart(n Node, how Change) Part {
	p := Part{Change: how, Node: shell(n)}
	for _, child := range n.Content {
		p.Parts = append(p.Parts, nodePart(child, how))
	}
	return p
}

// inLine returns the parts of a line of text that both versions have.
func (c *comparer) inLine(m *match) []Part {
	a, b := m.a.line.lexemes(), m.b.line.lexemes()
	from, to := cursor{line: m.a.line}, cursor{line: m.b.line}
	w := lineWriter{}
	for i, j, k := 0, 0, 0; i < len(a) || j < len(b); {
		p := pair{len(a), len(b)}
		if k < len(m.pairs) {
			p = m.pairs[k]
		}
		w.lexemes(c, &from, a[i:p.a], Removed)
		w.lexemes(c, &to, b[j:p.b], Added)
		size := 0
		for i, j = p.a, p.b; k < len(m.pairs) && m.pairs[k] == (pair{i, j}); k++ {
			size += a[i].size()
			i, j = i+1, j+1
		}
		w.both(&from, &to, size)
	}
	return w.out
}

// A lineWriter writes the parts of a line, and joins those that are alike.
type lineWriter struct {
	out  []Part
	from int // where the last one begins, in the text of its line
}

// lexemes writes what is on one side only.
func (w *lineWriter) lexemes(c *comparer, at *cursor, ts []lexeme, how Change) {
	for len(ts) > 0 {
		moved, size, k := c.hasMoved(&ts[0]), 0, 0
		for left := at.left(); k < len(ts) && c.hasMoved(&ts[k]) == moved && size+ts[k].size() <= left; k++ {
			size += ts[k].size()
		}
		if k == 0 { // several wrote it
			w.word(at, ts[0].size(), how, moved)
			ts = ts[1:]
			continue
		}
		ts = ts[k:]
		w.piece(at, size, how, moved)
	}
}

// piece writes what is one node's.
func (w *lineWriter) piece(at *cursor, size int, how Change, moved bool) {
	n := at.take(size)
	p := nodePart(n.node, how)
	p.Moved = moved
	w.add(p, at.line, at.at-n.size)
}

// word writes a word of several nodes. As far as they have the same marks it is one part, of whoever made the word what it is: an editor that
// changes a letter may repeat others.
func (w *lineWriter) word(at *cursor, size int, how Change, moved bool) {
	for size > 0 {
		begin := at.at
		first := at.take(size)
		p := nodePart(first.node, how)
		p.Moved = moved
		own := !repeats(first.node)
		for size -= first.size; size > 0; {
			ahead := *at
			next := ahead.take(size)
			if next.node.Type != "text" || !sameMarks(next.node.Marks, p.Node.Marks) {
				break
			}
			*at, size = ahead, size-next.size
			if !own && !repeats(next.node) {
				p.Node.Author, own = next.node.Author, true
			}
			for _, x := range next.node.Pieces {
				p.Node.Pieces = crdt.AppendPiece(p.Node.Pieces, x)
			}
		}
		p.Node.Text = at.line.text[begin:at.at]
		w.add(p, at.line, begin)
	}
}

// repeats reports whether all of a text is what an editor moved.
func repeats(n Node) bool {
	for _, p := range n.Pieces {
		if p.ID == p.Of {
			return false
		}
	}
	return len(n.Pieces) > 0
}

// both writes what is on both sides.
func (w *lineWriter) both(from, to *cursor, size int) {
	for size > 0 { // as much as is one node's on either side
		n := to.take(min(size, from.left()))
		o := from.take(n.size)
		size -= n.size
		p := nodePart(n.node, Same)
		if !sameMarks(o.node.Marks, n.node.Marks) {
			p.Change, p.Was = Changed, &Node{Type: o.node.Type, Attrs: o.node.Attrs, Marks: o.node.Marks, Author: o.node.Author}
		}
		w.add(p, to.line, to.at-n.size)
	}
}

// add adds a part, which stands at from in a line, to the one before it if they differ in nothing but text.
func (w *lineWriter) add(p Part, l *line, from int) {
	k := len(w.out) - 1
	if k < 0 || !w.out[k].goesOn(&p) {
		w.out, w.from = append(w.out, p), from
		return
	}
	last := &w.out[k].Node
	last.Text = l.text[w.from : from+len(p.Node.Text)] // they stand side by side
	for _, x := range p.Node.Pieces {
		last.Pieces = crdt.AppendPiece(last.Pieces, x)
	}
}

// goesOn reports whether o is text like p.
func (p *Part) goesOn(o *Part) bool {
	return p.Node.Type == "text" && o.Node.Type == "text" && p.Change == o.Change && p.Moved == o.Moved && p.Node.Author == o.Node.Author &&
		sameMarks(p.Node.Marks, o.Node.Marks) && (p.Was == nil || sameMarks(p.Was.Marks, o.Was.Marks))
}

// Words returns how many words and numbers s has.
func Words(s string) (n int) {
	for s != "" {
		r, _ := utf8.DecodeRuneInString(s)
		if inWord(r) {
			n++
		}
		s = s[wordEnd(s):]
	}
	return n
}
