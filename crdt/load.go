package crdt

import (
	"cmp"
	"slices"
)

// loader fills an empty document from one update that needs nothing else, which
// is what opening a note does. It reads each struct once, straight into the run
// it becomes, before it links any; and it finds the neighbours of a run by table
// instead of searching. Where an update is not of that kind, or not valid, it
// gives up and leaves the document empty: the general way then does what is
// right, and says what is wrong.
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
	tables  []int32
	deletes reader  // of the delete set, in version 1
	plain   bool    // it is as Yjs would write it
	joins   []int32 // runs that could have been joined to the one before when they were linked
}

// A part is the runs of one client.
type part struct {
	next, end int32  // the next to link, and where they end
	clock     uint32 // from here on the client has none
	there     bool   // the update has it
	waits     bool   // it is on the stack

	// The run that holds clock c is one from tables[table+c>>shift] on.
	table int32
	shift uint8
}

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
	d.pay = make([]byte, 0, len(b)/2)
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
		for uint64(p.clock-1)>>p.shift >= 2*uint64(p.end-p.next) {
			p.shift++
		}
		p.table = int32(size)
		size += int((p.clock-1)>>p.shift) + 2
	}
	l.tables = make([]int32, 0, size)
	d.tx.begin()
	d.tx.clients = slices.Grow(d.tx.clients, len(l.parts))
	leaves := make([]leaf, 0, count)
	for c := range l.parts {
		p := &l.parts[c]
		for i := p.next; i < p.end; i++ {
			for k := len(l.tables) - int(p.table); uint64(k)<<p.shift < uint64(d.runs[i].end()); k++ {
				l.tables = append(l.tables, i)
			}
		}
		l.tables = append(l.tables, p.end-1)
		cl := &d.clients[c]
		d.touch(cl, int32(c))
		cl.next = p.clock
		cl.index, leaves = rangeIndex(d.runs, p.next, p.end, leaves)
	}
	if l.holders > 0 {
		d.types, d.lists = slices.Grow(d.types, l.holders), slices.Grow(d.lists, l.holders)
	}
	return true
}

// find returns the run that holds a clock, as the update has it: it may have been
// split since.
func (l *loader) find(c int32, clk uint32) int32 {
	p := &l.parts[c]
	k := p.table + int32(clk>>p.shift)
	i, last := l.tables[k], l.tables[k+1]
	for last-i > 8 {
		if mid := i + (last-i)/2; l.d.runs[mid].clk <= clk {
			i = mid
		} else {
			last = mid - 1
		}
	}
	for i < last && l.d.runs[i+1].clk <= clk {
		i++
	}
	return i
}

// link puts the runs in order, each after those it depends on, clients descending
// as [Doc.applyStructs] does. It fails if they depend on each other, or on what is
// not there.
func (l *loader) link() bool {
	ids := l.d.ids
	slices.SortFunc(l.order, func(a, b int32) int { return cmp.Compare(ids[b], ids[a]) })
	var stack []int32
	for _, c := range l.order {
		stack = append(stack, c)
		for len(stack) > 0 {
			c := stack[len(stack)-1]
			p := &l.parts[c]
			if p.next == p.end {
				stack = stack[:len(stack)-1]
				continue
			}
			if need := l.missing(p.next); need != none {
				if l.parts[need].waits || l.parts[need].next == l.parts[need].end {
					return false
				}
				p.waits = true
				stack = append(stack, need)
				continue
			}
			l.linkRun(p.next)
			p.next++
			if p.waits = false; len(stack) > 1 {
				stack = stack[:len(stack)-1]
			}
		}
	}
	return true
}

// missing returns a client that run i depends on and that has not got far enough.
func (l *loader) missing(i int32) int32 {
	x := &l.d.runs[i]
	cl, oC, rC := x.cl(), x.oC(), x.rC()
	switch {
	case oC != cl && oC != none && l.lacks(oC, x.oK):
		return oC
	case rC != cl && rC != none && l.lacks(rC, x.rK):
		return rC
	case x.l != none:
		if p := &l.parents[x.l]; p.typ == none && p.cl != cl && l.lacks(p.cl, p.clk) {
			return p.cl
		}
	}
	return none
}

func (l *loader) lacks(c int32, clk uint32) bool {
	p := &l.parts[c]
	return clk >= p.clock || p.next < p.end && l.d.runs[p.next].clk <= clk
}

// linkRun is integrate for a run that nothing is missing for.
func (l *loader) linkRun(i int32) {
	d := l.d
	x := &d.runs[i]
	if x.ref() == refGC {
		l.mayJoin(i)
		return
	}
	in, left, right := x.l, none, none
	if oC := x.oC(); oC != none {
		if left = i - 1; oC != x.cl() || x.oK != x.clk-1 { // the usual one
			left = l.find(oC, x.oK)
		}
		if y := &d.runs[left]; y.end()-1 != x.oK && y.ref() != refGC {
			left = d.cleanEnd(oC, x.oK)
			x = &d.runs[i]
		}
	}
	if rC := x.rC(); rC != none {
		if right = l.after(left); right == none || d.runs[right].clk != x.rK || d.runs[right].cl() != rC {
			right = l.find(rC, x.rK)
		}
		if y := &d.runs[right]; y.clk != x.rK && y.ref() != refGC {
			right = d.cleanStart(rC, x.rK)
			x = &d.runs[i]
			left = d.uncut(left, x.oC(), x.oK)
		}
	}
	list := l.listFor(in, left, right)
	if x.l = none; list == none {
		d.dropContent(x)
		*x = run{clk: x.clk, n: x.n, l: none, r: none, clients: clientsOf(x.cl(), none, none), bits: bitsOf(none, refGC) | isDeleted}
		l.mayJoin(i)
		return
	}
	x.bits = bitsOf(list, x.ref())
	if d.contested(left, right) {
		left = d.place(x, left, right)
	}
	d.link(i, left)
	if left == i-1 {
		l.mayJoin(i)
	}
}

// mayJoin notes that run i perhaps can be joined to the one before it.
func (l *loader) mayJoin(i int32) {
	if l.d.runs[i].clk > 0 && l.d.joinable(i-1, i) {
		l.joins = append(l.joins, i)
	}
}

// after returns the run behind one, or none: where nobody else typed, the right
// origin.
func (l *loader) after(left int32) int32 {
	if left == none {
		return none
	}
	return l.d.runs[left].r
}

// listFor is [Doc.listFor] for a run that no neighbour gives a list but the parent.
func (l *loader) listFor(in, left, right int32) int32 {
	d := l.d
	if left != none && d.runs[left].ref() == refGC || right != none && d.runs[right].ref() == refGC {
		return none
	}
	if left != none {
		return d.runs[left].list()
	}
	if right != none {
		return d.runs[right].list()
	}
	p := &l.parents[in]
	typ := p.typ
	if typ == none {
		if typ = d.typ.at(l.find(p.cl, p.clk)); typ == none {
			return none
		}
	}
	if p.key != none {
		return d.listOf(typ, p.key)
	}
	return d.types[typ].children
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
	eachDelete(l.deletes, l.plain, func(g DeleteRange) {
		if !l.deleted(g) {
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
func (l *loader) deleted(g DeleteRange) bool {
	c := l.d.lookup(g.Client)
	if c == none || g.end() > l.parts[c].clock {
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
