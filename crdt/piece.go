package crdt

// A Piece is elements of one client, clock after clock, that stand together in a
// document: Len of them from ID on. Of is what they repeat, see [Doc.Credit]; it is
// ID if they repeat nothing.
type Piece struct {
	ID, Of ID
	Len    uint64
}

// Cut returns the first n elements of p, and the others.
func (p Piece) Cut(n uint64) (head, tail Piece) {
	head, tail = p, p
	head.Len = n
	tail.ID.Clock += n
	tail.Of.Clock += n
	tail.Len -= n
	return head, tail
}

// joins reports whether o goes on where p ends.
func (p Piece) joins(o Piece) bool {
	_, end := p.Cut(p.Len)
	return end.ID == o.ID && end.Of == o.Of
}

// AppendPiece adds p behind others, to the last of them if it goes on there.
func AppendPiece(to []Piece, p Piece) []Piece {
	if k := len(to) - 1; k >= 0 && to[k].joins(p) {
		to[k].Len += p.Len
		return to
	}
	return append(to, p)
}

// TracedSpans is [Text.Spans] that says of which elements each span consists.
func (t *Text) TracedSpans() []Span { return t.spans(spanWriter{byAuthor: true, traced: true}) }

// ID returns the element that holds the type, none for a root.
func (n node) ID() (id ID, nested bool) {
	t := &n.d.types[n.t]
	if t.cl == none {
		return ID{}, false
	}
	return ID{n.d.ids[t.cl], uint64(t.clk)}, true
}
