package crdt

// cleanup ends a transaction: it collects what was deleted and joins runs that
// can be one. The order is Yjs's; it decides the runs and so the encoded bytes.
//
// Source: yjs Transaction.js, cleanupTransactions.
func (d *Doc) cleanup() {
	d.tx.normalize()
	if d.gc && d.tx.dropped {
		for _, x := range d.tx.ds {
			d.collect(x)
		}
	}
	for _, x := range d.tx.ds {
		// Among new runs, joinNew will join the same ones.
		if x.clk < d.before(x.cl) {
			d.joinDeleted(x)
		}
	}
	if !d.tx.loaded || d.tx.dropped {
		for _, c := range d.tx.clients {
			d.joinNew(c)
		}
	}
	for k := len(d.tx.merge) - 1; k >= 0; k-- {
		d.joinAt(d.tx.merge[k])
	}
	d.compact()
	d.tx.trim()
}

// collect drops the content of deleted runs.
func (d *Doc) collect(x deletion) {
	index := &d.clients[x.cl].index
	for p, ok := index.find(d.runs, x.clk), true; ok; p, ok = index.next(p) {
		i := index.at(p)
		if d.runs[i].clk >= x.clk+x.n {
			return
		}
		if r := &d.runs[i]; r.deleted() && r.ref() != refGC {
			d.collectRun(i)
		}
	}
}

// collectRun replaces the content of run i by its length, and everything below
// it by structs that have nothing else.
func (d *Doc) collectRun(i int32) {
	work := d.tx.stack[:0]
	if d.runs[i].ref() == refType {
		work = append(work, int(d.typ.at(i)))
	}
	d.runs[i].setRef(refDeleted)
	d.typ.set(i, none)
	d.dropContent(&d.runs[i])
	for len(work) > 0 {
		t := &d.types[work[len(work)-1]]
		work = work[:len(work)-1]
		work = d.collectList(t.children, work)
		for l := t.firstKey; l != none; l = d.lists[l].nextKey {
			work = d.collectList(l, work)
		}
	}
	d.tx.stack = work
}

func (d *Doc) collectList(l int32, work []int) []int {
	d.dropTree(l)
	for i := d.lists[l].head; i != none; {
		x := &d.runs[i]
		next := x.r
		if x.ref() == refType {
			work = append(work, int(d.typ.at(i)))
		}
		d.dropContent(x)
		*x = run{clk: x.clk, n: x.n, l: none, r: none, clients: clientsOf(x.cl(), none, none), bits: bitsOf(none, refGC) | isDeleted}
		d.typ.set(i, none)
		d.leaf.set(i, none)
		i = next
	}
	d.lists[l].head, d.lists[l].tail, d.lists[l].length = none, none, 0
	return work
}

// joinDeleted joins runs from the one behind the deletion to its first.
func (d *Doc) joinDeleted(x deletion) {
	index := &d.clients[x.cl].index
	p := index.find(d.runs, x.clk+x.n-1)
	if q, ok := index.next(p); ok {
		p = q
	}
	for ok := true; ok && d.runs[index.at(p)].clk >= x.clk; {
		p, _ = d.joinLefts(index, p)
		p, ok = index.prev(p)
	}
}

// joinNew joins the runs that the transaction added to a client, from the last.
func (d *Doc) joinNew(cl int32) {
	c := &d.clients[cl]
	if p := c.index.last(); d.runs[c.index.at(p)].clk < c.before { // it has only grown
		d.joinLefts(&c.index, p)
		return
	}
	first := c.index.find(d.runs, c.before)
	if first == (pos{}) {
		if second, ok := c.index.next(first); ok {
			first = second
		} else {
			return
		}
	}
	stop := d.runs[c.index.at(first)].clk
	p, ok := c.index.last(), true
	for ok && d.runs[c.index.at(p)].clk >= stop {
		p, _ = d.joinLefts(&c.index, p)
		p, ok = c.index.prev(p)
	}
}

// joinAt joins the run that m is in with its neighbours.
func (d *Doc) joinAt(m mark) {
	index := &d.clients[m.cl].index
	p := index.find(d.runs, m.clk)
	if q, ok := index.next(p); ok {
		var n int
		if q, n = d.joinLefts(index, q); n > 1 {
			return
		} else if n == 1 {
			p = q
		}
	}
	d.joinLefts(index, p)
}

// joinLefts joins the run at p with the one before it, and that with the one
// before, as far as it goes. It returns where the joined run is and how many
// vanished in it. The first takes up the others one by one: a run grows cheaply at
// its end only.
func (d *Doc) joinLefts(x *index, p pos) (pos, int) {
	n := 0
	for {
		before, ok := x.prev(p)
		if !ok || !d.joinable(x.at(before), x.at(p)) {
			break
		}
		p = before
		n++
	}
	for range n {
		next, _ := x.next(p)
		d.join(x.at(p), x.at(next))
		p = x.remove(d.runs, next)
	}
	return p, n
}

// joinable reports whether two runs with adjoining clocks of one client could
// be one.
func (d *Doc) joinable(li, ri int32) bool {
	l, r := &d.runs[li], &d.runs[ri]
	if l.ref() != r.ref() || l.deleted() != r.deleted() {
		return false
	}
	switch l.ref() {
	case refGC:
		return true
	case refDeleted, refString, refJSON, refAny:
		return r.oC() == r.cl() && r.oK == l.end()-1 && l.r == ri &&
			l.rC() == r.rC() && (l.rC() == none || l.rK == r.rK)
	default:
		return false
	}
}

// noteGrown keeps tx.grown true while r is joined to l: a run that grows element
// by element is not to be read from its start each time.
func (d *Doc) noteGrown(l, r *run) {
	g := &d.tx.grown
	switch {
	case g.clk == 0 && r.clk > 0 && r.clk == d.before(r.cl()):
		*g = grown{r.cl(), r.clk, l.payLen}
	case g.clk >= r.clk && g.clk < r.end() && g.cl == r.cl():
		g.off += l.payLen
	}
}

func (d *Doc) join(li, ri int32) {
	l, r := &d.runs[li], &d.runs[ri]
	l.n += r.n
	if l.ref() != refGC {
		d.noteGrown(l, r)
		d.joinPayload(l, r)
		d.treeJoin(li, ri)
		if l.r = r.r; l.r != none {
			d.runs[l.r].l = li
		} else {
			d.lists[l.list()].tail = li
		}
	}
	*r = run{l: none, r: none, bits: bitsOf(none, refGC)}
	d.leaf.set(ri, none)
	d.free = append(d.free, ri)
}
