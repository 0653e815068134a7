package crdt

import (
	"cmp"
	"slices"
)

// An Update is a decoded, fully validated update. It never changes and may be
// read from several goroutines.
type Update struct {
	b        []byte    // version 1, or its internal superset
	sections []section // in wire order, without empty ones
	ds       int       // where the delete set starts in b
	internal bool      // b may hold refEmbedAny and refFormatAny
	payload  int       // bytes of content
	lists    int       // up to how many lists it brings, see list
	dsPlain  bool      // the delete set is as Yjs would write it
}

// A section is the structs of one client, contiguous but for Skips.
type section struct {
	client     ClientID
	clock, end uint32
	count      uint32
	off        int  // of the first struct in b
	stop       int  // where the last struct ends
	verbatim   bool // Yjs would pass these structs on byte for byte
	news       news
}

// news is where the structs of a section begin that somebody lacks: with the one
// that starts at off, with clock. There is none if left, the structs from there
// on, is 0.
type news struct {
	off         int
	clock, left uint32
}

// DecodeUpdate validates a version 1 update:
//
//	nClients { nStructs client firstClock struct* }* deleteSet
//
// It refuses what Yjs would misread or crash on: bytes after the end, integers
// longer than needed, a client named twice, empty structs, dependence on a
// later element of the same client, values nested deeper than 32, invalid
// UTF-8 or JSON. The Update keeps v1, which must not change afterwards.
func DecodeUpdate(v1 []byte) (*Update, error) {
	u := new(Update)
	if err := u.decode(v1, false, nil); err != nil {
		return nil, err
	}
	return u, nil
}

// decode fills u, reusing its sections. It notes what have lacks, unless that is
// nil.
func (u *Update) decode(v1 []byte, internal bool, have StateVector) error {
	*u = Update{b: v1, sections: u.sections[:0], internal: internal}
	r := reader{b: v1}
	descending := true
	var b block
	var p piece
	for range r.count(3) {
		at := r.i
		s := section{count: uint32(min(r.count(2), MaxClock))}
		s.client = ClientID(r.uint())
		clock := r.uint()
		if clock > MaxClock {
			r.failAt("clock above 2^32-1", at)
		}
		s.clock, s.off = uint32(clock), r.i
		s.verbatim = !internal
		x := structs{r: r, own: ownerOf(s.client), clock: s.clock, left: s.count, internal: internal}
		from := uint64(1 << 63)
		if have != nil {
			from = have[s.client]
		}
		for x.left > 0 {
			if end := x.own.piece(x.r.b, x.r.i, x.clock, &p); end > 0 && uint64(x.clock+p.n) <= from {
				u.payload += p.size
				x.r.i, x.clock, x.left = end, x.clock+p.n, x.left-1
				continue
			}
			if !x.next(&b) {
				break
			}
			u.payload += len(b.content)
			u.lists += b.lists()
			s.verbatim = s.verbatim && b.subBit == b.hasSub
			if uint64(x.clock) > from && b.ref != refSkip {
				s.news = news{x.r.i - len(b.raw), b.clock, x.left + 1}
				from = 1 << 63
			}
		}
		r = x.r
		s.end, s.stop = x.clock, r.i
		if r.err != nil {
			return r.err
		}
		if s.count == 0 {
			continue
		}
		if k := len(u.sections); k > 0 && u.sections[k-1].client <= s.client {
			descending = false
		}
		u.sections = append(u.sections, s)
	}
	u.ds = r.i
	u.dsPlain = plainDeletes(&r)
	if err := r.end(); err != nil {
		return err
	}
	if !descending {
		return u.checkClients()
	}
	return nil
}

// plainDeletes reads the delete set at r and reports whether it is as Yjs would
// write it.
func plainDeletes(r *reader) bool {
	last := DeleteRange{Client: MaxInt + 1}
	plain, clients := true, 0
	named := readDeleteSet(r, func(g DeleteRange) {
		switch {
		case g.Client < last.Client:
			clients++
		case g.Client > last.Client || g.Clock < last.Clock+last.Len:
			plain = false
		}
		last = g
	})
	return plain && named == clients
}

// eachDelete calls f for each range of the delete set at r. If the set is not
// plain it is normalized first: to name the same elements over and over must not
// cost the square.
func eachDelete(r reader, plain bool, f func(DeleteRange)) {
	if plain {
		readDeleteSet(&r, f)
		return
	}
	var ds []DeleteRange
	readDeleteSet(&r, func(g DeleteRange) { ds = append(ds, g) })
	for _, g := range normalize(ds) {
		f(g)
	}
}

// checkClients refuses a client with two sections: Yjs would drop the first.
func (u *Update) checkClients() error {
	s := u.byClient()
	for i := 1; i < len(s); i++ {
		if s[i].client == s[i-1].client {
			return &MalformedError{What: "client named twice", Offset: max(s[i].off, s[i-1].off)}
		}
	}
	return nil
}

// byClient returns the sections, clients descending.
func (u *Update) byClient() []section {
	desc := func(a, b section) int { return cmp.Compare(b.client, a.client) }
	if slices.IsSortedFunc(u.sections, desc) {
		return u.sections
	}
	return slices.SortedFunc(slices.Values(u.sections), desc)
}

// blocks calls f for each struct of s until it returns false.
func (u *Update) blocks(s section, f func(*block) bool) {
	var b block
	for x := u.structs(s); x.next(&b); {
		if !f(&b) {
			return
		}
	}
}

// Bytes returns the update in version 1.
func (u *Update) Bytes() []byte {
	if !u.internal {
		return u.b
	}
	w := new(writerV1)
	u.copyTo(w)
	return w.finish(u.deletes())
}

// Empty reports whether the update carries neither structs nor deletes.
func (u *Update) Empty() bool { return len(u.sections) == 0 && u.b[u.ds] == 0 }

// Ranges returns the clocks the update has structs for, in wire order: one
// range per client, more where Skips leave holes.
func (u *Update) Ranges() []ClockRange {
	out := make([]ClockRange, 0, len(u.sections))
	for _, s := range u.sections {
		open := false
		u.blocks(s, func(b *block) bool {
			switch {
			case b.ref == refSkip:
				open = false
			case open:
				out[len(out)-1].To = uint64(b.end())
			default:
				out, open = append(out, ClockRange{s.client, uint64(b.clock), uint64(b.end())}), true
			}
			return true
		})
	}
	return out
}

// Novel reports whether the update carries a struct that have lacks. It does
// not look at deletes; see [Doc.HasDeleted].
func (u *Update) Novel(have StateVector) bool {
	for _, g := range u.Ranges() {
		if g.To > have[g.Client] {
			return true
		}
	}
	return false
}

// Deletes returns the delete set, normalized.
func (u *Update) Deletes() []DeleteRange { return normalize(u.deletes()) }

// deletes returns the ranges grouped by client, descending, each client's as
// on the wire: what Yjs writes when it passes a delete set on. Ranges that
// overlap or are out of order, which version 2 has no form for, are normalized.
func (u *Update) deletes() []DeleteRange {
	var ds []DeleteRange
	r := reader{b: u.b, i: u.ds}
	readDeleteSet(&r, func(d DeleteRange) { ds = append(ds, d) })
	desc := func(a, b DeleteRange) int { return cmp.Compare(b.Client, a.Client) }
	if !slices.IsSortedFunc(ds, desc) {
		slices.SortStableFunc(ds, desc)
	}
	for i := 1; i < len(ds); i++ {
		if ds[i].Client == ds[i-1].Client && ds[i].Clock < ds[i-1].Clock+ds[i-1].Len {
			return normalize(ds)
		}
	}
	return ds
}
