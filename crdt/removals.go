package crdt

import (
	"cmp"
	"iter"
	"slices"
)

// Limits of what is remembered of a note.
const (
	maxRemovals     = 4096      // pieces of text
	maxRemovedBytes = 256 << 10 // of text
	maxWhole        = 64        // texts that are recognized wherever they come back

	minElsewhere    = 16      // UTF-16 units of these
	minOwnElsewhere = minCopy // the same, of one's own text
)

// Removals remember text that people have removed lately from one note, and
// where. If somebody puts back what they removed, by undoing or by typing it
// again, it stays who wrote it first's: the same would stand there, as theirs, if
// it had never been removed. The zero value remembers nothing.
//
// What is undone is recognized by its right origin, which is what was removed:
// Yjs inserts it there, and what is typed behind. A type that comes back does so
// beside itself, with what it held. Much text is recognized wherever it comes
// back whole.
type Removals struct {
	pieces map[ClientID][]removed // in order, without overlap
	below  map[ID][]*source       // what was removed with a type
	whole  []wholeText            // the longest ago first
	oldest []ID                   // of pieces, and of types in below, the longest ago first
	bytes  int
	typing map[int]*retyping // by person
	doomed DeleteSet         // of the update that is asked about
	lineage
}

// removed is text of consecutive clocks that is gone.
type removed struct {
	clock uint64
	text  string
	by    []int   // who deleted it, whether or not it was there still
	of    *source // as it stood
}

// start returns where the text begins that a person removed and that ends with an element: as far as its clocks go back.
func (m *Removals) start(d *Doc, id ID, by int) (ID, bool) {
	k, there := m.find(id)
	list := m.pieces[id.Client]
	if !there || list[k].end() != id.Clock+1 {
		return id, false
	}
	found := false
	for ; k >= 0 && list[k].end() >= id.Clock && slices.Contains(list[k].by, by) && m.anew(d, id.Client, list[k], by); k-- {
		id.Clock, found = list[k].clock, true
	}
	return id, found
}

// anew reports whether somebody has not brought r again, or that is gone, too: nobody has what others wrote there twice.
func (m *Removals) anew(d *Doc, client ClientID, r removed, by int) bool {
	for clock := r.clock; clock < r.end(); {
		free, n := m.free(d, m.doomed, ID{client, clock}, by, r.end()-clock)
		if !free {
			return false
		}
		clock += n
	}
	return true
}

func (r removed) end() uint64 { return r.clock + uint64(units16(r.text)) }

// wholeText is text that stood together and that one update removed.
type wholeText struct {
	*source
	by int
}

// retyping is what somebody is typing again.
type retyping struct {
	pending      []Copy // so far too short to be more than chance
	behind, from ID     // what is typed behind this may go on with that
}

// Copies returns what of the text that u brings repeats text that u deletes, or
// that the person by, whose it is, deleted before. It remembers what u deletes. It
// must be asked of all updates, in order, each before it is applied.
//
// told is what the person's editor says that is, in order of what u brings. It
// counts if the two say the same, the one was removed by that person, and is not
// there again: so nobody's words are said to stand where they were not, or twice.
// What nobody tells is found as [Moves.Copies] does.
//
// A copy may be of elements that earlier updates have brought: of text that is
// typed again letter by letter, the first letters say nothing.
func (m *Removals) Copies(d *Doc, u *Update, by int, told []Copy) []Copy {
	m.doomed = u.Deletes()
	moved := m.tell(d, u, m.doomed, by, told)
	copies := moved
	if len(u.sections) > 0 && (len(m.doomed) > 0 || len(m.oldest) > 0) {
		copies = append(copies, m.guess(d, u, by, moved)...)
	}
	if len(m.doomed) > 0 {
		m.remember(d, by)
	}
	for _, c := range copies {
		m.part(c, by)
	}
	m.forget()
	return copies
}

// guess finds what is copied of the text of which nothing is known.
func (m *Removals) guess(d *Doc, u *Update, by int, moved []Copy) []Copy {
	stays, gone := d.bringsText(u, m.doomed)
	stays, gone = leftOf(stays, moved), leftOf(gone, moved)
	p := putter{Removals: m, d: d, u: u, by: by}
	if len(m.oldest) > 0 && len(stays) > 0 {
		stays = p.undo(stays)
	}
	c := copyMatcher{effort: copyEffort, sources: d.deletedTexts(m.doomed.without(sourcesOf(moved)), m, by)}
	c.matchAll(stays, gone)
	for _, x := range c.out {
		m.use(x, by)
	}
	if len(m.oldest) > 0 {
		for _, l := range c.left {
			p.retype(l)
		}
	}
	return append(p.found, c.out...)
}

// sourcesOf returns what copies repeat.
func sourcesOf(copies []Copy) DeleteSet {
	from := make(DeleteSet, 0, len(copies))
	for _, c := range copies {
		from = append(from, DeleteRange{c.From.Client, uint32(c.From.Clock), uint32(c.Len)})
	}
	return normalize(from)
}

// leftOf returns what of texts is no copy.
func leftOf(texts []leftText, copies []Copy) []leftText {
	if len(copies) == 0 {
		return texts
	}
	known := make(DeleteSet, 0, len(copies))
	for _, c := range copies {
		known = append(known, DeleteRange{c.To.Client, uint32(c.To.Clock), uint32(c.Len)})
	}
	known = normalize(known)
	var left []leftText
	for _, t := range texts {
		whole := removed{clock: t.to.Clock, text: t.s}
		for _, g := range (DeleteSet{{t.to.Client, uint32(t.to.Clock), uint32(units16(t.s))}}).without(known) {
			left = append(left, leftText{ID{g.Client, uint64(g.Clock)}, whole.cut(uint64(g.Clock), uint64(g.end()))})
		}
	}
	return left
}

// remember takes down what is doomed.
func (m *Removals) remember(d *Doc, by int) {
	ds := m.doomed
	for _, g := range ds {
		m.alsoBy(ClockRange{g.Client, uint64(g.Clock), uint64(g.end())}, by)
	}
	for _, s := range d.deletedTexts(ds, nil, by) {
		at := 0
		for _, p := range s.pieces {
			text := s.text[at : at+p.size]
			at += p.size
			m.add(p.first, text, by, s)
		}
		m.whole = append(m.whole, wholeText{s, by})
		if top := d.topAmong(s.pieces[0].first, ds); top != (ID{}) {
			m.addBelow(top, s)
		}
	}
}

// alsoBy notes that somebody deletes what is gone.
func (m *Removals) alsoBy(r ClockRange, by int) {
	m.split(r, func(r *removed) {
		if !slices.Contains(r.by, by) {
			r.by = append(slices.Clone(r.by), by)
		}
	})
}

// split calls f for what is gone of r.
func (m *Removals) split(r ClockRange, f func(*removed)) {
	for k, _ := m.find(ID{r.Client, r.From}); k < len(m.pieces[r.Client]); k++ {
		list := m.pieces[r.Client]
		p := list[k]
		from, to := max(p.clock, r.From), min(p.end(), r.To)
		if from >= to {
			return
		}
		var parts []removed
		if p.clock < from {
			parts = append(parts, removed{p.clock, p.cut(p.clock, from), p.by, p.of})
		}
		parts = append(parts, removed{from, p.cut(from, to), p.by, p.of})
		f(&parts[len(parts)-1])
		if to < p.end() {
			parts = append(parts, removed{to, p.cut(to, p.end()), p.by, p.of})
		}
		for _, x := range parts[1:] {
			m.oldest = append(m.oldest, ID{r.Client, x.clock})
		}
		m.pieces[r.Client] = slices.Replace(list, k, k+1, parts...)
		k += len(parts) - 1
	}
}

// topAmong returns the outermost type that holds an element and is deleted by ds,
// as it is, too.
func (d *Doc) topAmong(id ID, ds DeleteSet) (top ID) {
	for i := range d.outwards(d.runAt(d.lookup(id.Client), uint32(id.Clock))) {
		if d.among(ds, i) {
			top = *d.idOf(i, 0)
		}
	}
	return top
}

// outwards are the types that hold a run, from the one that it stands in outwards.
func (d *Doc) outwards(i int32) iter.Seq[int32] {
	return func(yield func(int32) bool) {
		for list := d.runs[i].list(); list != none; list = d.runs[i].list() {
			if i = d.types[d.lists[list].typ].item; i == none || !yield(i) {
				return
			}
		}
	}
}

// among reports whether ds has some of a run.
func (d *Doc) among(ds DeleteSet, i int32) bool {
	x := &d.runs[i]
	return len(ds.touching(d.ids[x.cl()], x.clk, x.end())) > 0
}

func (m *Removals) add(first ID, text string, by int, of *source) {
	if m.pieces == nil {
		m.pieces = make(map[ClientID][]removed)
	}
	list := m.pieces[first.Client]
	k, _ := slices.BinarySearchFunc(list, first.Clock, func(r removed, clock uint64) int { return cmp.Compare(r.clock, clock) })
	m.pieces[first.Client] = slices.Insert(list, k, removed{first.Clock, text, []int{by}, of})
	m.oldest, m.bytes = append(m.oldest, first), m.bytes+len(text)
}

func (m *Removals) addBelow(top ID, s *source) {
	if m.below == nil {
		m.below = make(map[ID][]*source)
	}
	if m.below[top] == nil {
		m.oldest = append(m.oldest, top)
	}
	m.below[top] = append(m.below[top], s)
	m.bytes += len(s.text)
}

// forget lets go of what was removed longest ago, if it is too much.
func (m *Removals) forget() {
	m.whole = m.whole[max(0, len(m.whole)-maxWhole):]
	for len(m.oldest) > maxRemovals || m.bytes > maxRemovedBytes {
		id := m.oldest[0]
		m.oldest = m.oldest[1:]
		for _, s := range m.below[id] {
			m.bytes -= len(s.text)
		}
		delete(m.below, id)
		if k, there := m.find(id); there && m.pieces[id.Client][k].clock == id.Clock {
			m.bytes -= len(m.pieces[id.Client][k].text)
			m.pieces[id.Client] = slices.Delete(m.pieces[id.Client], k, k+1)
		}
	}
}

// find returns the piece that an element is in, or where it would be.
func (m *Removals) find(id ID) (k int, there bool) {
	return slices.BinarySearchFunc(m.pieces[id.Client], id.Clock, func(r removed, clock uint64) int {
		switch {
		case r.end() <= clock:
			return -1
		case r.clock > clock:
			return 1
		}
		return 0
	})
}

// sources adds those that elements were removed with.
func (m *Removals) sources(all []*source, r ClockRange) []*source {
	list := m.pieces[r.Client]
	for k, _ := m.find(ID{r.Client, r.From}); k < len(list) && list[k].clock < r.To; k++ {
		if !slices.Contains(all, list[k].of) {
			all = append(all, list[k].of)
		}
	}
	return all
}

// between yields what of r is gone and free, and where it begins.
func (m *Removals) between(d *Doc, r ClockRange, by int) iter.Seq2[ID, string] {
	return func(yield func(ID, string) bool) {
		list := m.pieces[r.Client]
		for k, _ := m.find(ID{r.Client, r.From}); k < len(list) && list[k].clock < r.To; k++ {
			p := list[k]
			from, to := max(r.From, p.clock), min(r.To, p.end())
			if m.anew(d, r.Client, p, by) && !yield(ID{r.Client, from}, p.cut(from, to)) {
				return
			}
		}
	}
}

// cut returns the text from one clock to another.
func (r removed) cut(from, to uint64) string {
	part := suffix(refString, []byte(r.text), uint32(r.end()-r.clock), uint32(from-r.clock))
	return string(prefix(refString, part, uint32(r.end()-from), uint32(to-from)))
}

// from returns what a person removed from an element on, as far as its clocks go on, and whether that is all: the element
// before is not gone.
func (m *Removals) from(d *Doc, id ID, by int) (text string, whole bool) {
	k, there := m.find(id)
	if !there {
		return "", false
	}
	list := m.pieces[id.Client]
	whole = list[k].clock == id.Clock && (k == 0 || list[k-1].end() < id.Clock || !m.anew(d, id.Client, list[k-1], by))
	for ; k < len(list) && slices.Contains(list[k].by, by) && list[k].clock <= id.Clock && m.anew(d, id.Client, list[k], by); k++ {
		text += list[k].cut(id.Clock, list[k].end())
		id.Clock = list[k].end()
	}
	return text, whole
}

// use notes that elements have been brought again.
func (m *Removals) use(c Copy, by int) {
	m.took(c, by)
	m.part(c, by)
}

// part parts what is remembered where a copy begins and ends, so that each piece is free or is not.
func (m *Removals) part(c Copy, by int) {
	for c.Len > 0 {
		first, n := m.first(c.From, by, c.Len)
		for _, id := range []ID{c.From, first} {
			m.split(ClockRange{id.Client, id.Clock, id.Clock + n}, func(*removed) {})
		}
		c.From.Clock, c.Len = c.From.Clock+n, c.Len-n
	}
}

// again returns what of a source is gone and free, and among ds unless that is nil; nil: nothing.
func (m *Removals) again(d *Doc, c *source, by int, ds DeleteSet) *source {
	s, at := &source{}, 0
	for _, p := range c.pieces {
		from := uint32(p.first.Clock)
		to := from + uint32(units16(c.text[at:at+p.size]))
		at += p.size
		among := DeleteSet{{p.first.Client, from, to - from}}
		if ds != nil {
			among = ds.touching(p.first.Client, from, to)
		}
		for _, g := range among {
			for first, text := range m.between(d, ClockRange{g.Client, uint64(max(from, g.Clock)), uint64(min(to, g.end()))}, by) {
				s.pieces, s.text = append(s.pieces, textPiece{first, len(text)}), s.text+text
			}
		}
	}
	if s.end = len(s.text); s.end == 0 {
		return nil
	}
	return s
}
