package prose

import (
	"github.com/clisonix/tidechart/crdt"
)

// A cursor walks along a line.
type cursor struct {
	line *line
	at   int // in the text
	node int // which it is in

	piece int    // of the node
	done  uint64 // elements of that piece that lie behind
}

// taken is what a cursor went over, of one node.
type taken struct {
	node Node // with that part of its text and of its pieces
	size int  // bytes
}

// left is how many bytes of the present node lie ahead.
func (c *cursor) left() int {
	c.skipEmpty()
	if c.node >= len(c.line.nodes) {
		return 0
	}
	return c.line.end(c.node) - c.at
}

// skipEmpty leaves nodes that have no text behind.
func (c *cursor) skipEmpty() {
	for c.node < len(c.line.nodes) && c.line.end(c.node) <= c.at {
		c.node, c.piece, c.done = c.node+1, 0, 0
	}
}

// id returns what the next element is or repeats.
func (c *cursor) id() (crdt.ID, bool) {
	pieces := c.line.nodes[c.node].Pieces
	if c.piece >= len(pieces) {
		return crdt.ID{}, false
	}
	of := pieces[c.piece].Of
	of.Clock += c.done
	return of, true
}

// take goes over size bytes, or less if a node ends before.
func (c *cursor) take(size int) taken {
	size = min(size, c.left())
	n := c.line.nodes[c.node]
	pieces := n.Pieces
	n.Pieces = nil
	if n.Type == "text" {
		n.Text = c.line.text[c.at : c.at+size]
		c.elements(pieces, units16(n.Text), &n.Pieces)
	} else {
		n.Pieces = append(n.Pieces, pieces...)
	}
	c.at += size
	return taken{n, size}
}

// skip goes over size bytes of whatever nodes.
func (c *cursor) skip(size int) {
	for size > 0 {
		n := min(size, c.left())
		if node := &c.line.nodes[c.node]; node.Type == "text" {
			c.elements(node.Pieces, units16(c.line.text[c.at:c.at+n]), nil)
		}
		c.at, size = c.at+n, size-n
	}
}

// elements goes over n elements of a node, and adds them to out unless that is nil.
func (c *cursor) elements(pieces []crdt.Piece, n uint64, out *[]crdt.Piece) {
	for n > 0 && c.piece < len(pieces) {
		_, p := pieces[c.piece].Cut(c.done)
		k := min(n, p.Len)
		if out != nil {
			head, _ := p.Cut(k)
			*out = crdt.AppendPiece(*out, head)
		}
		n -= k
		if c.done += k; k == p.Len {
			c.piece, c.done = c.piece+1, 0
		}
	}
}

// units16 returns the length of s in UTF-16 units.
func units16(s string) (n uint64) {
	for _, r := range s {
		if n++; r > 0xffff {
			n++
		}
	}
	return n
}
