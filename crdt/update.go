package crdt

import (
	"cmp"
	"iter"
	"slices"
)

// An Update is a decoded, fully validated update. It never changes and may be
// read from several goroutines.
type Update struct {
	b        []byte    // version 1, or its internal superset
	sections []section // in wire order, without empty ones
	order    []uint32  // sections, clients descending; nil if they are so on the wire
	ds       int       // where the delete set starts in b
	internal bool      // b may hold refEmbedAny and refFormatAny
	payload  int       // bytes of content
	lists    int       // up to how many lists it brings, see list
	types    int       // how many types
	dsPlain  bool      // the delete set is as Yjs would write it
}

// A section is the structs of one client, contiguous but for Skips. It is small:
// an update may bring one for 7 bytes.
type section struct {
	client     ClientID
	clock, end uint32
	count      uint32
	off        uint32 // of the first struct in b
}

// A lacking is what a replica lacks of an update: its sections then begin with
// that, and those that bring nothing new have no structs.
type lacking struct {
	have StateVector
	ends []sectionEnd // by section
}

// A sectionEnd is where the last struct of a section ends.
type sectionEnd struct {
	at       uint32
	verbatim bool // Yjs would pass the structs on byte for byte
}

// maxUpdate is up to how many bytes an update may have: offsets are 32 bits.
const maxUpdate = 1<<32 - 1

// mostSections returns the most sections that so many bytes hold, if each is of
// another client and has a struct. A count from the wire may say 3 bytes each.
func mostSections(bytes int) int {
	const short, middle = 1 << 7, 1 << 14 // ids of one byte, and of up to two
	return (bytes+2*short+middle)/7 + 1
}

// DecodeUpdate validates a version 1 update:
//
//	nClients { nStructs client firstClock struct* }* deleteSet
//
// It refuses what Yjs would misread or crash on: bytes after the end, integers
// longer than needed, a client named twice, empty structs, dependence on a
// later element of the same client, values nested deeper than 32, invalid
// UTF-8 or JSON. The Update keeps v1, which must not change afterwards. Beside
// it takes 28 bytes a client at most.
func DecodeUpdate(v1 []byte) (*Update, error) {
	u := new(Update)
	if err := u.decode(v1, false, nil); err != nil {
		return nil, err
	}
	return u, nil
}

// decode fills u, reusing its sections. Of what l.have has, it keeps nothing,
// unless l is nil.
func (u *Update) decode(v1 []byte, internal bool, l *lacking) error {
	*u = Update{b: v1, sections: u.sections[:0], internal: internal}
	r := reader{b: v1}
	if uint64(len(v1)) > maxUpdate {
		r.failAt("update longer than 4 GiB", 0)
	}
	clients := r.count(3)
	u.room(min(clients, mostSections(r.left())), l)
	for range clients {
		s, ok := u.section(&r, l)
		if r.err != nil {
			return r.err
		}
		if !ok {
			continue
		}
		if k := len(u.sections); k == cap(u.sections) { // then there are two of one client
			if err := u.checkClients(); err != nil {
				return err
			}
		}
		u.sections = append(u.sections, s)
	}
	u.ds = r.i
	u.dsPlain = plainDeletes(&r)
	if err := r.end(); err != nil {
		return err
	}
	return u.checkClients()
}

// section reads the structs of one client, and reports whether there are any.
func (u *Update) section(r *reader, l *lacking) (s section, ok bool) {
	at := r.i
	s.count, s.client = uint32(min(r.count(2), MaxClock)), ClientID(r.uint())
	clock := r.uint()
	if clock > MaxClock {
		r.failAt("clock above 2^32-1", at)
	}
	s.clock, s.off = uint32(clock), uint32(r.i)
	x := skimmer{structs: structs{r: *r, own: ownerOf(s.client), clock: s.clock, left: s.count, internal: u.internal}}
	first, lacked := s, false // what l.have lacks begins there
	from, verbatim := uint64(1<<63), !u.internal
	if l != nil {
		from = l.have[s.client]
	}
	var b block
	var p piece
	for x.left > 0 {
		if content, ok := x.skim(uint32(min(from, MaxClock))); ok {
			u.payload += content
			continue
		}
		if end := x.own.piece(x.r.b, x.r.i, x.clock, &p); end > 0 && uint64(x.clock+p.n) <= from {
			u.payload += p.size
			x.r.i, x.clock, x.left = end, x.clock+p.n, x.left-1
			continue
		}
		if !x.next(&b) {
			break
		}
		u.count(&b)
		verbatim = verbatim && b.subBit == b.hasSub
		if uint64(x.clock) > from && b.ref != refSkip {
			first.clock, first.count, first.off = b.clock, x.left+1, uint32(x.r.i-len(b.raw))
			lacked, from = true, 1<<63
		}
	}
	*r = x.r
	ok = s.count > 0 && r.err == nil
	if ok && l != nil {
		if s = first; !lacked {
			s.count = 0
		}
		l.ends = append(l.ends, sectionEnd{uint32(r.i), verbatim})
	}
	s.end = x.clock
	return s, ok
}

// count adds what b takes in a document.
func (u *Update) count(b *block) {
	u.payload += len(b.content)
	u.lists += b.lists()
	if b.ref == refType {
		u.types++
	}
}

// room makes room for the sections of n clients, all at once: a slice that grows
// would take several times their memory.
func (u *Update) room(n int, l *lacking) {
	if cap(u.sections) < n {
		u.sections = make([]section, 0, n)
	}
	if l != nil {
		l.ends = make([]sectionEnd, 0, n)
	}
}

// plainDeletes reads the delete set at r and reports whether it is as Yjs would
// write it.
func plainDeletes(r *reader) bool {
	var g DeleteRange
	last := DeleteRange{Client: MaxInt + 1}
	plain, clients := true, 0
	x := readDeletes(r, false)
	named := x.clients
	for x.next(&g) {
		switch {
		case g.Client < last.Client:
			clients++
		case g.Client > last.Client || g.Clock < last.end():
			plain = false
		}
		last = g
		last.Len = x.skip(last.end()) - last.Clock
	}
	return plain && named == clients
}

// eachDelete calls f for each range of the delete set at r. If the set is not
// plain it is normalized first: to name the same elements over and over must not
// cost the square.
func eachDelete(r reader, plain bool, f func(DeleteRange)) {
	if !plain {
		u := [1]Update{{b: r.b, ds: r.i}}
		deletesOf(u[:], true).each(func(client ClientID, spans []span) {
			for _, s := range spans {
				f(DeleteRange{client, s.clk, s.n})
			}
		})
		return
	}
	var g DeleteRange
	for x := readDeletes(&r, false); x.next(&g); {
		f(g)
	}
}

// putInOrder makes u.order if the clients need it, and returns one that has two
// sections: Yjs would drop the first.
func (u *Update) putInOrder() (client ClientID, twice bool) {
	descending := true
	for i := 1; i < len(u.sections); i++ {
		descending = descending && u.sections[i-1].client > u.sections[i].client
	}
	if descending {
		return 0, false
	}
	u.order = make([]uint32, len(u.sections))
	for i := range u.order {
		u.order[i] = uint32(i)
	}
	slices.SortFunc(u.order, func(a, b uint32) int {
		return cmp.Or(cmp.Compare(u.sections[b].client, u.sections[a].client), cmp.Compare(a, b))
	})
	for i := 1; i < len(u.order); i++ {
		if client = u.nth(i).client; u.nth(i-1).client == client {
			return client, true
		}
	}
	return 0, false
}

// checkClients refuses a client with two sections.
func (u *Update) checkClients() error {
	client, twice := u.putInOrder()
	if !twice {
		return nil
	}
	first := slices.IndexFunc(u.sections, func(s section) bool { return s.client == client })
	second := slices.IndexFunc(u.sections[first+1:], func(s section) bool { return s.client == client })
	return &MalformedError{What: "client named twice", Offset: int(u.sections[first+1+second].off)}
}

// nth returns the section with the k-th highest client.
func (u *Update) nth(k int) section {
	if u.order != nil {
		k = int(u.order[k])
	}
	return u.sections[k]
}

// blocks are the structs of s, each valid until the next.
func (u *Update) blocks(s section) iter.Seq[*block] {
	return func(yield func(*block) bool) {
		var b block
		for x := u.structs(s); x.next(&b) && yield(&b); {
		}
	}
}

// Bytes returns the update in version 1.
func (u *Update) Bytes() []byte {
	if !u.internal {
		return u.b
	}
	w := newWriterV1(len(u.b))
	u.copyTo(w)
	return w.finishAll([]Update{*u}, false)
}

// Empty reports whether the update carries neither structs nor deletes.
func (u *Update) Empty() bool { return len(u.sections) == 0 && u.b[u.ds] == 0 }

// Ranges returns the clocks the update has structs for, in wire order: one
// range per client, more where Skips leave holes.
func (u *Update) Ranges() []ClockRange {
	out := make([]ClockRange, 0, len(u.sections))
	var b block
	for _, s := range u.sections {
		open := false
		for x := u.structs(s); x.next(&b); {
			switch {
			case b.ref == refSkip:
				open = false
			case open:
				out[len(out)-1].To = uint64(b.end())
			default:
				out, open = append(out, ClockRange{s.client, uint64(b.clock), uint64(b.end())}), true
			}
		}
	}
	return out
}

// Inserts returns the update without its delete set: all that it brings, and nothing that it removes.
func (u *Update) Inserts() *Update {
	all := *u
	all.b, all.dsPlain = append(slices.Clip(u.b[:u.ds]), 0), true
	return &all
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
func (u *Update) Deletes() []DeleteRange {
	return decodeDeletes(&reader{b: u.b, i: u.ds}, false)
}
