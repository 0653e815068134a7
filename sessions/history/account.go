package history

import (
	"unicode/utf8"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/sessions"
)

// Account is a note as it was after one row, its texts cut wherever it changes whose they are, or how they came.
type Account struct {
	Seq  uint64
	Body prose.Node

	from map[crdt.ID]Provenance // by the first element of a text
}

// Account returns the note after the row seq, from 0 to Head, with whose each piece of its text is.
func (p *Past) Account(seq uint64) (*Account, error) {
	doc, err := p.Doc(seq)
	if err != nil {
		return nil, err
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	c := cutter{p, &Account{Seq: seq, from: make(map[crdt.ID]Provenance)}}
	c.account.Body = prose.ReadTraced(doc.XMLFragment(sessions.Fragment))
	c.cut(&c.account.Body)
	return c.account, nil
}

// Of says where one of the body's texts comes from.
func (a *Account) Of(text prose.Node) Provenance {
	if len(text.Pieces) == 0 {
		return Provenance{}
	}
	return a.from[text.Pieces[0].ID]
}

// Texts calls f for each piece of text, in its order: begins says that it is the first one of a block.
func (a *Account) Texts(f func(text prose.Node, from Provenance, begins bool)) { a.texts(a.Body, f) }

func (a *Account) texts(n prose.Node, f func(prose.Node, Provenance, bool)) {
	begins := true
	for _, child := range n.Content {
		if child.Type != "text" {
			a.texts(child, f)
			begins = true
			continue
		}
		f(child, a.Of(child), begins)
		begins = false
	}
}

// cutter cuts the texts of a note.
type cutter struct {
	past    *Past
	account *Account
}

func (c *cutter) cut(n *prose.Node) {
	var out []prose.Node
	for i := range n.Content {
		child := &n.Content[i]
		if child.Type != "text" || len(child.Pieces) == 0 {
			c.cut(child)
			out = append(out, *child)
			continue
		}
		out = append(out, c.pieces(*child)...)
	}
	n.Content = out
}

// pieces cuts one text.
func (c *cutter) pieces(text prose.Node) (out []prose.Node) {
	var last Provenance
	begin, end := 0, 0 // of the last piece, in the text
	for _, p := range text.Pieces {
		c.past.trace(crdt.ClockRange{Client: p.Of.Client, From: p.Of.Clock, To: p.Of.Clock + p.Len}, func(n uint64, from Provenance) {
			head, tail := p.Cut(n)
			at := end
			end += bytesOf(text.Text[end:], n)
			if k := len(out) - 1; k >= 0 && from.same(last) {
				out[k].Text = text.Text[begin:end]
				out[k].Pieces = crdt.AppendPiece(out[k].Pieces, head)
			} else {
				piece := text
				begin, piece.Text, piece.Pieces = at, text.Text[at:end], []crdt.Piece{head}
				out, last = append(out, piece), from
				c.account.from[head.ID] = from
			}
			p = tail
		})
	}
	return out
}

// bytesOf returns how many bytes the first n UTF-16 units of s take; half a pair takes all of it.
func bytesOf(s string, n uint64) (size int) {
	for units := uint64(0); units < n && size < len(s); {
		r, width := utf8.DecodeRuneInString(s[size:])
		size, units = size+width, units+1
		if r >= 1<<16 {
			units++
		}
	}
	return size
}

// unitsOf returns how many UTF-16 units s takes.
func unitsOf(s string) (n uint64) {
	for _, r := range s {
		n++
		if r >= 1<<16 {
			n++
		}
	}
	return n
}
