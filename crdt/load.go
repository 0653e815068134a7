package crdt

import (
	"math/bits"
	"slices"
)

// loader fills an empty document from one update that needs nothing else, which
// is what opening a note does. It reads each struct once, straight into the run
// it becomes, before it links any; and it finds the neighbours of a run by
// counting bits instead of searching. Where an update is not of that kind, or not
// valid, it gives up and leaves the document empty: the general way then does what
// is right, and says what is wrong.
type loader struct {
	d            *Doc
	types, lists int // how many the document had
	free         int // lists that it has room for
	most         int // clients that the update may have, or name
	clients      int // clients that the update has room for
	count        int // structs of the present client, as the update says
	holders      int // runs that hold a type
	limit        int // of the bytes that runs take, and their content: version 2 repeats structs and names at no cost

	id      ClientID // whose structs are read
	cl      int32
	parts   []part   // by index of client
	order   []int32  // clients that the update has
	parents []parent // of the runs that have neither origin; such a run's l is its place here
	starts  []starts
	deletes reader  // of the delete set, in version 1
	plain   bool    // it is as Yjs would write it
	joins   []int32 // runs that could have been joined to the one before when they were linked
}

// A part is the runs of one client.
type part struct {
	first, next, end int32  // the runs are those from first on up to end; the next to link
	clock            uint32 // from here on the client has none
	there            bool   // the update has it
	waits            bool   // it is on the stack
	starts           int32  // of clock 0, if the part is dense
}

// starts is at which of 64 clocks runs start, and the last run that does before.
type starts struct {
	at     uint64
	before int32
}

// last returns the run that starts last of those up to a clock among them.
func (s *starts) last(clk uint32) int32 {
	return s.before + int32(bits.OnesCount64(s.at<<(63-clk&63)))
}

// dense reports whether the clocks of a part are few enough for each to have a bit.
func (p *part) dense() bool { return int64(p.clock)>>7 <= int64(p.end-p.first) }

// A parent says where a run is that no neighbour says it of.
type parent struct {
	typ int32 // a root, or none:
	cl  int32 // then it is the type that an element of this client holds
	clk uint32
	key int32 // or none
}

// load applies an update, of version 2 if v2 is set, if it is one for a loader. If
// not, the document is as it was.
func (d *Doc) load(b []byte, v2 bool) bool {
	if len(b) > maxPayload || len(d.clients) > 0 || d.HasPending() || d.txn.open {
		return false
	}
	l := loader{d: d, types: len(d.types), lists: len(d.lists), free: maxLists - len(d.lists), cl: none, limit: expansion(len(b))}
	read := l.read1
	if v2 {
		read = l.read2
	}
	if !read(b) || !l.whole() || !l.link() {
		l.undo()
		return false
	}
	l.finish()
	return true
}

// whole reports whether the update has every client that it names, and makes the
// indexes.
func (l *loader) whole() bool {
	d := l.d
	size, count := 0, 0
	for c := range l.parts {
		p := &l.parts[c]
		if !p.there {
			return false
		}
		count += leavesFor(p.end - p.next)
		if p.starts = int32(size); p.dense() {
			size += int((p.clock-1)>>6) + 1
		}
	}
	l.starts = make([]starts, size)
	d.tx.begin()
	d.tx.clients = slices.Grow(d.tx.clients, len(l.parts))
	d.tx.ds = slices.Grow(d.tx.ds, l.deletes.left()/4) // most ranges take as many bytes
	leaves := make([]leaf, 0, count)
	for c := range l.parts {
		p := &l.parts[c]
		if p.dense() {
			l.noteStarts(p)
		}
		cl := &d.clients[c]
		d.touch(cl, int32(c))
		cl.next = p.clock
		cl.index, leaves = rangeIndex(d.runs, p.first, p.end, leaves)
	}
	if l.holders > 0 {
		d.types, d.lists = slices.Grow(d.types, l.holders), slices.Grow(d.lists, l.holders)
	}
	return true
}

// noteStarts notes where the runs of p start.
func (l *loader) noteStarts(p *part) {
	runs, s := l.d.runs[p.first:p.end], l.starts[p.starts:]
	for i := range runs {
		clk := runs[i].clk
		s[clk>>6].at |= 1 << (clk & 63)
	}
	before := p.first - 1
	for k := range s[:(p.clock-1)>>6+1] {
		s[k].before = before
		before += int32(bits.OnesCount64(s[k].at))
	}
}

// find returns the run that holds a clock, as the update has it: it may have been
// split since.
func (l *loader) find(c int32, clk uint32) int32 {
	p := &l.parts[c]
	if p.dense() {
		return l.starts[p.starts+int32(clk>>6)].last(clk)
	}
	i, n := p.first, p.end-p.first
	for n > 1 {
		half := n / 2
		if l.d.runs[i+half].clk <= clk {
			i += half
		}
		n -= half
	}
	return i
}

// finish applies the deletes and ends the transaction, without slack.
func (l *loader) finish() {
	d := l.d
	if slack := cap(d.runs) - len(d.runs); slack > len(d.runs)/16 {
		d.runs = append(make([]run, 0, len(d.runs)), d.runs...)
	}
	if slack := cap(d.pay) - len(d.pay); slack > len(d.pay)/16 {
		d.pay = append(make([]byte, 0, len(d.pay)), d.pay...)
	}
	k := 0 // up to here nothing that was linked as deleted is to come
	eachDelete(l.deletes, l.plain, func(g DeleteRange) {
		c := d.lookup(g.Client)
		for k < len(d.tx.ds) && d.tx.ds[k].cl == c && d.tx.ds[k].clk < g.Clock {
			k++
		}
		if k < len(d.tx.ds) && d.tx.ds[k] == (deletion{c, g.Clock, g.Len}) {
			return
		}
		if c == none || !l.deleted(c, g) {
			d.applyDelete(g, l.deletes)
		}
	})
	d.tx.loaded = !slices.ContainsFunc(l.joins, func(i int32) bool { return d.joinable(i-1, i) })
	d.pending.deletes = normalize(d.pending.deletes)
	d.cleanup()
	d.check()
	d.tx.seen = seen{}
}

// deleted reports whether the elements of g are known to be deleted already.
func (l *loader) deleted(c int32, g DeleteRange) bool {
	if g.end() > l.parts[c].clock {
		return false
	}
	for i := l.find(c, g.Clock); ; i++ {
		x := &l.d.runs[i]
		if !x.deleted() {
			return false
		}
		if x.end() >= g.end() {
			return true
		}
		if i+1 == l.parts[c].end || l.d.runs[i+1].clk != x.end() { // or it was split
			return false
		}
	}
}

// undo empties the document again. Roots that it had stay, for handles refer to
// them.
func (l *loader) undo() {
	d := l.d
	for name, t := range d.roots {
		if int(t) >= l.types {
			delete(d.roots, name)
		}
	}
	d.types, d.lists = d.types[:l.types], d.lists[:l.lists]
	for t := range d.types {
		d.types[t].firstKey, d.types[t].lastKey = none, none
	}
	for k := range d.lists {
		x := &d.lists[k]
		x.head, x.tail, x.length, x.nextKey = none, none, 0, none
	}
	clear(d.keyLists)
	d.byID = make(map[ClientID]int32)
	d.runs, d.free, d.typ, d.leaf = nil, nil, nil, nil
	d.pay, d.garbage, d.stretches = nil, 0, nil
	d.clients, d.ids, d.lastClient = nil, nil, none
	d.tx.begin() // it named clients that are gone
}
