package crdt

import (
	"cmp"
	"slices"
)

// A LostText is a piece of text that a transaction deleted without the update
// that it applied naming it. A Yjs client names all that it deletes and knows,
// children included: whoever removed this text, by removing what held it, had
// not seen it.
type LostText struct {
	ID   ID // of its first element
	Len  uint64
	Text string

	// Holders are the elements that hold the types it is in, from the inside
	// out, the root left out. The first Gone of them are deleted. There are
	// none if they have been collected.
	Holders []ID
	Gone    int
}

// Unnamed returns what the last transaction deleted, or took in as deleted
// already, and u, the update that it applied, does not name in its delete set.
// It can be asked until the next transaction begins.
func (d *Doc) Unnamed(u *Update) DeleteSet {
	ds := append([]DeleteRange(nil), d.lastDeletes()...)
	for _, c := range d.tx.clients {
		x := &d.clients[c]
		for p, ok := x.index.find(d.runs, x.before), true; ok; p, ok = x.index.next(p) {
			if r := &d.runs[x.index.at(p)]; r.deleted() {
				from := max(r.clk, x.before)
				ds = append(ds, DeleteRange{d.ids[c], from, r.end() - from})
			}
		}
	}
	if len(ds) == 0 {
		return nil
	}
	return normalize(ds).without(u.Deletes())
}

// Lost returns the text among [Doc.Unnamed]: what is in one type in its order,
// what one deleted element held together. In a document that collects what is
// deleted it finds only text that came with u.
func (d *Doc) Lost(u *Update) []LostText {
	unnamed := d.Unnamed(u)
	if len(unnamed) == 0 {
		return nil
	}
	s := lostSearch{d: d, in: unnamed}
	for _, g := range unnamed {
		s.add(g)
	}
	s.fromUpdate(u)
	tops := make([]int32, 0, len(s.tops))
	for i := range s.tops {
		tops = append(tops, i)
	}
	slices.SortFunc(tops, func(i, k int32) int {
		a, b := d.idOf(i, 0), d.idOf(k, 0)
		return cmp.Or(cmp.Compare(a.Client, b.Client), cmp.Compare(a.Clock, b.Clock))
	})
	for _, i := range tops {
		s.below(i)
	}
	return s.found
}

// A lostSearch collects the text of ranges that were deleted.
type lostSearch struct {
	d     *Doc
	in    DeleteSet
	tops  map[int32]bool // runs that are deleted and hold text of it, while what holds them is not
	found []LostText

	collected []ClockRange // the text of these is in the update, if anywhere
}

// add finds the runs of one range: text is reported at once if nothing that was
// deleted holds it.
func (s *lostSearch) add(g DeleteRange) {
	d := s.d
	c := d.lookup(g.Client)
	x := &d.clients[c].index
	for p, ok := x.find(d.runs, g.Clock), true; ok; p, ok = x.next(p) {
		i := x.at(p)
		r := &d.runs[i]
		if r.clk >= g.Clock+g.Len {
			return
		}
		switch {
		case r.list() == none:
			from, to := max(g.Clock, r.clk), min(g.Clock+g.Len, r.end())
			s.collected = append(s.collected, ClockRange{g.Client, uint64(from), uint64(to)})
		case r.ref() == refString:
			if top := d.topOf(i); top != i {
				if s.tops == nil {
					s.tops = make(map[int32]bool)
				}
				s.tops[top] = true
			} else {
				s.take(i, DeleteSet{g})
			}
		}
	}
}

// fromUpdate reports text that was collected as it came.
func (s *lostSearch) fromUpdate(u *Update) {
	slices.SortFunc(s.collected, func(a, b ClockRange) int {
		return cmp.Or(cmp.Compare(a.Client, b.Client), cmp.Compare(a.From, b.From))
	})
	u.Texts(s.collected, func(_ int, first ID, text string) {
		s.found = append(s.found, LostText{ID: first, Len: uint64(units16(text)), Text: text})
	})
}

// topOf returns the outermost run that is deleted of run i and those that hold
// it.
func (d *Doc) topOf(i int32) int32 {
	for {
		up := d.types[d.lists[d.runs[i].list()].typ].item
		if up == none || !d.runs[up].deleted() || d.runs[up].list() == none {
			return i
		}
		i = up
	}
}

// below takes all text under run top, in order.
func (s *lostSearch) below(top int32) {
	d := s.d
	t := &d.types[d.typ.at(top)]
	frames := []frame{{d.lists[t.children].head, t.firstKey}}
	for len(frames) > 0 {
		f := &frames[len(frames)-1]
		var i int32
		switch {
		case f.run != none:
			i = f.run
			f.run = d.runs[i].r
		case f.list != none:
			i = d.lists[f.list].tail
			f.list = d.lists[f.list].nextKey
		default:
			frames = frames[:len(frames)-1]
			continue
		}
		if i == none {
			continue
		}
		switch d.runs[i].ref() {
		case refString:
			s.take(i, s.in)
		case refType:
			t := &d.types[d.typ.at(i)]
			frames = append(frames, frame{d.lists[t.children].head, t.firstKey})
		}
	}
}

// take reports what of run i is among ds. Runs that were deleted at different
// times may have been joined.
func (s *lostSearch) take(i int32, ds DeleteSet) {
	d := s.d
	r := &d.runs[i]
	client, first, end := d.ids[r.cl()], r.clk, r.end()
	holders, gone := d.holders(i)
	for _, g := range ds.touching(client, first, end) {
		from, to := max(g.Clock, first), min(g.Clock+g.Len, end)
		content := suffix(refString, d.content(r), r.n, from-first)
		content = prefix(refString, content, end-from, to-from)
		l := LostText{ID: ID{client, uint64(from)}, Len: uint64(to - from), Text: string(content), Holders: holders, Gone: gone}
		s.found = append(s.found, l)
	}
}

// holders returns the elements that hold run i, and how many of them, the inner
// ones, are deleted.
func (d *Doc) holders(i int32) (ids []ID, gone int) {
	for h := range d.outwards(i) {
		ids = append(ids, *d.idOf(h, 0))
		if d.runs[h].deleted() {
			gone = len(ids)
		}
	}
	return ids, gone
}
