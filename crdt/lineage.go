package crdt

import (
	"cmp"
	"slices"
	"unicode/utf16"
)

// A lineage knows of each element of text what it says, who has removed it, and
// which repeats it now: so much is needed to check what an editor says it has
// moved. Its zero value knows nothing.
type lineage struct {
	says  map[ClientID]*sayings
	gone  map[int]spans // what each person removed, whether or not it was there still
	of    spans         // what a copy repeats: what its author did not bring themself as a copy
	heirs map[int]spans // what each person brought last instead of an element

	waiting []waiting // what was told and is true, but that somebody has it twice
}

// waiting is a copy that counts once the one before it is gone.
type waiting struct {
	Copy
	by int
}

// maxWaiting is how many of them there may be (I10); more are never looked at again.
const maxWaiting = 4096

// spans say something of stretches of clocks, in order and without overlap.
type spans map[ClientID][]spanOf

// A spanOf says of the elements from ≤ clock < to which others they have to do
// with, from id on, and by whom.
type spanOf struct {
	from, to uint64
	id       ID
	by       int
}

// joins reports whether b goes on where a ends.
func (a spanOf) joins(b spanOf) bool {
	return a.to == b.from && a.by == b.by && a.id.Client == b.id.Client && a.id.Clock+a.to-a.from == b.id.Clock
}

// cut returns what of s is from ≤ clock < to.
func (s spanOf) cut(from, to uint64) spanOf {
	s.id.Clock += from - s.from
	s.from, s.to = from, to
	return s
}

// find returns the first span of a client that ends behind a clock.
func (m spans) find(client ClientID, clock uint64) int {
	k, _ := slices.BinarySearchFunc(m[client], clock, func(s spanOf, clock uint64) int {
		if s.to <= clock {
			return -1
		}
		return 1
	})
	return k
}

// at returns what is said of an element and those behind it, of n at most.
func (m spans) at(id ID, n uint64) (s spanOf, there bool, same uint64) {
	list := m[id.Client]
	k := m.find(id.Client, id.Clock)
	if k == len(list) {
		return s, false, n
	}
	if list[k].from > id.Clock {
		return s, false, min(n, list[k].from-id.Clock)
	}
	n = min(n, list[k].to-id.Clock)
	return list[k].cut(id.Clock, id.Clock+n), true, n
}

// set says s of its elements, instead of what was said before.
func (m spans) set(client ClientID, s spanOf) {
	list := m[client]
	k := m.find(client, s.from)
	if k > 0 && list[k-1].joins(s) {
		k--
		s.from, s.id = list[k].from, list[k].id
	}
	out, end := make([]spanOf, 0, 3), k
	if k < len(list) && list[k].from < s.from {
		out = append(out, list[k].cut(list[k].from, s.from))
	}
	for end < len(list) && list[end].from < s.to {
		end++
	}
	out = append(out, s)
	if end > k && list[end-1].to > s.to {
		out = append(out, list[end-1].cut(s.to, list[end-1].to))
	}
	m[client] = slices.Replace(list, k, end, out...)
}

// add says of elements that they are among m, of which nothing else is said.
func (m spans) add(client ClientID, from, to uint64) {
	list := m[client]
	k := m.find(client, from)
	if k < len(list) && list[k].from <= from && list[k].to >= to {
		return
	}
	if k > 0 && list[k-1].to == from {
		k--
	}
	end := k
	for ; end < len(list) && list[end].from <= to; end++ {
		from, to = min(from, list[end].from), max(to, list[end].to)
	}
	m[client] = slices.Replace(list, k, end, spanOf{from: from, to: to})
}

// sayings are all the text that a client ever brought.
type sayings struct {
	units []uint16
	parts []saying
}

// A saying is text of consecutive clocks: its units begin at one, and end where the next one's do.
type saying struct {
	clock uint64
	at    int
}

func (s *sayings) end(k int) int {
	if k+1 < len(s.parts) {
		return s.parts[k+1].at
	}
	return len(s.units)
}

// hear takes down the text that u brings and d lacks.
func (l *lineage) hear(d *Doc, u *Update) {
	for _, s := range u.sections {
		have := d.state(s.client)
		for b := range u.blocks(s) {
			if b.ref == refString && uint64(b.clock) >= have {
				l.add(ID{s.client, uint64(b.clock)}, b.content)
			}
		}
	}
}

func (l *lineage) add(id ID, text []byte) {
	if l.says == nil {
		l.says = make(map[ClientID]*sayings)
	}
	s := l.says[id.Client]
	if s == nil {
		s = new(sayings)
		l.says[id.Client] = s
	}
	if k := len(s.parts) - 1; k < 0 || s.parts[k].clock+uint64(len(s.units)-s.parts[k].at) != id.Clock {
		s.parts = append(s.parts, saying{id.Clock, len(s.units)})
	}
	for _, r := range string(text) {
		s.units = utf16.AppendRune(s.units, r)
	}
}

// text returns what elements of consecutive clocks say, from one on, n at most, up to where something else is.
func (l *lineage) text(id ID, n uint64) []uint16 {
	s := l.says[id.Client]
	if s == nil {
		return nil
	}
	k, there := slices.BinarySearchFunc(s.parts, id.Clock, func(p saying, clock uint64) int { return cmp.Compare(p.clock, clock) })
	if !there {
		k--
	}
	if k < 0 {
		return nil
	}
	at, end := uint64(s.parts[k].at)+id.Clock-s.parts[k].clock, uint64(s.end(k))
	if at >= end {
		return nil
	}
	return s.units[at:min(end, at+min(n, end))]
}

// remove notes that somebody removes elements.
func (l *lineage) remove(ds DeleteSet, by int) {
	if len(ds) == 0 {
		return
	}
	if l.gone == nil {
		l.gone = make(map[int]spans)
	}
	if l.gone[by] == nil {
		l.gone[by] = make(spans)
	}
	for _, g := range ds {
		l.gone[by].add(g.Client, uint64(g.Clock), uint64(g.end()))
	}
}

// first returns which element one stands for that by brought, of n.
func (l *lineage) first(id ID, by int, n uint64) (ID, uint64) {
	s, there, same := l.of.at(id, n)
	if there && s.by == by {
		return s.id, same
	}
	return id, same
}

// took notes that by has brought elements instead of others.
func (l *lineage) took(c Copy, by int) {
	if l.of == nil {
		l.of, l.heirs = make(spans), make(map[int]spans)
	}
	if l.heirs[by] == nil {
		l.heirs[by] = make(spans)
	}
	for c.Len > 0 {
		first, n := l.first(c.From, by, c.Len)
		l.of.set(c.To.Client, spanOf{c.To.Clock, c.To.Clock + n, first, by})
		l.heirs[by].set(first.Client, spanOf{first.Clock, first.Clock + n, c.To, by})
		c.To.Clock, c.From.Clock, c.Len = c.To.Clock+n, c.From.Clock+n, c.Len-n
	}
}

// free reports whether by may bring an element again, and for how many of n the same is true: nobody has it twice.
func (l *lineage) free(d *Doc, doomed DeleteSet, id ID, by int, n uint64) (bool, uint64) {
	first, n := l.first(id, by, n)
	heir, there, n := l.heirs[by].at(first, n)
	if !there {
		return true, n
	}
	return d.dead(doomed, heir.id, n)
}

// dead reports whether an element is deleted, or among doomed, or in something that is, and for how many of n the same is true.
func (d *Doc) dead(doomed DeleteSet, id ID, n uint64) (bool, uint64) {
	if c := d.lookup(id.Client); c != none && id.Clock < uint64(d.clients[c].next) {
		i := d.runAt(c, uint32(id.Clock))
		r := &d.runs[i]
		n = min(n, uint64(r.end())-id.Clock)
		if r.deleted() {
			return true, n
		}
		for holder := range d.outwards(i) { // whoever removes that may not know of what stands in it
			if d.among(doomed, holder) {
				return true, n
			}
		}
	}
	among := doomed.touching(id.Client, uint32(id.Clock), uint32(id.Clock+n))
	switch {
	case len(among) == 0:
		return false, n
	case uint64(among[0].Clock) > id.Clock:
		return false, uint64(among[0].Clock) - id.Clock
	}
	return true, min(n, uint64(among[0].end())-id.Clock)
}

// tell takes down what u brings and deletes, and returns what of told is true.
func (l *lineage) tell(d *Doc, u *Update, doomed DeleteSet, by int, told []Copy) []Copy {
	l.hear(d, u)
	l.remove(doomed, by)
	return l.check(d, doomed, by, told)
}

// check returns what of told is true, and notes it: that elements which u brings
// repeat others that say the same, which by has removed, with u or before, and has
// not brought again. What undo has made two of counts once the first of them is
// gone.
func (l *lineage) check(d *Doc, doomed DeleteSet, by int, told []Copy) (out []Copy) {
	for _, c := range told {
		if !l.equal(c) {
			continue
		}
		for c.Len > 0 {
			moved, n := l.moved(d, by, c)
			if moved {
				before := len(l.waiting)
				out = l.grant(out, d, doomed, waiting{Copy{c.To, c.From, n}, by})
				for i := before; i < len(l.waiting); i++ {
					out = l.carry(out, d, doomed, l.waiting[i], l.waiting[:before])
				}
			}
			c.To.Clock, c.From.Clock, c.Len = c.To.Clock+n, c.From.Clock+n, c.Len-n
		}
	}
	if len(l.waiting) > 0 && len(doomed) > 0 {
		was := l.waiting
		l.waiting = nil
		for _, w := range was {
			out = l.grant(out, d, doomed, w)
		}
	}
	return out
}

// grant adds to out what of a copy nobody has twice; the rest waits.
func (l *lineage) grant(out []Copy, d *Doc, doomed DeleteSet, w waiting) []Copy {
	for w.Len > 0 {
		free, n := l.free(d, doomed, w.From, w.by, w.Len)
		part := w
		part.Len = n
		if free {
			out = append(out, part.Copy)
			l.took(part.Copy, w.by)
		} else if len(l.waiting) < maxWaiting {
			part.From, _ = l.first(part.From, w.by, n)
			l.waiting = append(l.waiting, part)
		}
		w.To.Clock, w.From.Clock, w.Len = w.To.Clock+n, w.From.Clock+n, w.Len-n
	}
	return out
}

// carry adds to out what of a copy that waits goes on with one that waited before and is gone: it is what that one was, until it counts itself.
func (l *lineage) carry(out []Copy, d *Doc, doomed DeleteSet, w waiting, before []waiting) []Copy {
	for w.Len > 0 {
		n := w.Len
		for _, b := range slices.Backward(before) {
			if b.by != w.by || b.From.Client != w.From.Client || b.From.Clock+b.Len <= w.From.Clock || b.From.Clock >= w.From.Clock+n {
				continue
			}
			if b.From.Clock > w.From.Clock {
				n = b.From.Clock - w.From.Clock
				continue
			}
			at := w.From.Clock - b.From.Clock
			c := Copy{w.To, ID{b.To.Client, b.To.Clock + at}, min(n, b.Len-at)}
			var dead, free bool
			dead, c.Len = d.dead(doomed, c.From, c.Len)
			free, c.Len = l.free(d, doomed, c.From, w.by, c.Len)
			n = c.Len
			if dead && free {
				out = append(out, c)
				l.took(c, w.by)
				break
			}
		}
		w.To.Clock, w.From.Clock, w.Len = w.To.Clock+n, w.From.Clock+n, w.Len-n
	}
	return out
}

// equal reports whether all elements of a copy are text, and say what those do that they repeat.
func (l *lineage) equal(c Copy) bool {
	to, from := l.text(c.To, c.Len), l.text(c.From, c.Len)
	return uint64(len(to)) == c.Len && slices.Equal(to, from)
}

// moved reports whether a beginning of c, which is equal, is true, or not, but for whether somebody has it twice, and how long it is.
func (l *lineage) moved(d *Doc, by int, c Copy) (bool, uint64) {
	n := c.Len
	if c.To.Clock < d.state(c.To.Client) {
		return false, n // it was there before
	}
	switch have := d.state(c.From.Client); {
	case c.From.Clock < have:
		n = min(n, have-c.From.Clock)
	case c.From.Client != c.To.Client || c.From.Clock >= c.To.Clock:
		return false, n
	default: // both came at once: the older of them first
		n = min(n, c.To.Clock-c.From.Clock)
	}
	_, known, n := l.of.at(c.To, n)
	if known {
		return false, n
	}
	_, removed, n := l.gone[by].at(c.From, n)
	return removed, n
}
