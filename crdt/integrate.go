package crdt

// integrate links the struct b, which nothing is missing for, from its element
// off on: the elements before are known.
//
// Source: yjs Item.js, getMissing and integrate.
func (d *Doc) integrate(b *block, off uint32) {
	cl := d.clientOf(b.client)
	if b.ref == refGC {
		d.integrateGC(cl, b.clock+off, b.n-off)
		return
	}
	if off == 0 && b.ref == refString && d.appends(cl, b) {
		d.extend(d.runAt(cl, b.clock-1), b.content, b.n)
		return
	}
	left, right := none, none
	x := run{clk: b.clock, n: b.n, l: none, r: none}
	oC, rC := none, none
	if b.hasOrigin {
		oC, x.oK = d.lookup(b.origin.Client), uint32(b.origin.Clock)
		left = d.cleanEnd(oC, x.oK)
	}
	if b.hasRight {
		rC, x.rK = d.lookup(b.right.Client), uint32(b.right.Clock)
		right = d.cleanStart(rC, x.rK)
		left = d.uncut(left, oC, x.oK)
	}
	l := d.listFor(b, left, right)
	if off > 0 {
		x.clk, x.n = x.clk+off, x.n-off
		left = d.cleanEnd(cl, x.clk-1)
		oC, x.oK = cl, x.clk-1
		if d.runs[left].ref() == refGC {
			l = none
		}
	}
	if l == none {
		d.integrateGC(cl, x.clk, x.n)
		return
	}
	x.clients, x.bits = clientsOf(cl, oC, rC), bitsOf(l, b.ref)
	if d.contested(left, right) {
		left = d.place(&x, left, right)
	}
	i := d.newRun(x)
	d.setContent(&d.runs[i], suffix(b.ref, b.content, b.n, off))
	d.addStruct(i)
	d.link(i, left)
}

// uncut returns the run that ends with clk of client cl, which was left before
// something was cut: perhaps left itself, if a peer claims that a right origin
// stands before the origin. How runs are cut must not decide where elements go.
func (d *Doc) uncut(left, cl int32, clk uint32) int32 {
	if left == none || d.runs[left].end()-1 == clk || d.runs[left].ref() == refGC {
		return left
	}
	return d.runAt(cl, clk)
}

// appends reports whether b would join the last run of its client when the
// transaction ends: someone goes on typing, and nobody has typed there since.
func (d *Doc) appends(cl int32, b *block) bool {
	if !b.hasOrigin || b.origin.Client != b.client || b.clock == 0 || b.origin.Clock != uint64(b.clock)-1 {
		return false
	}
	x := &d.runs[d.runAt(cl, b.clock-1)]
	if x.ref() != refString || x.deleted() || d.lists[x.list()].key != none {
		return false
	}
	if !b.hasRight {
		return x.r == none && x.rC() == none
	}
	if x.r == none || x.rC() == none {
		return false
	}
	y := &d.runs[x.r]
	return x.rC() == y.cl() && x.rK == y.clk && uint64(y.clk) == b.right.Clock && d.ids[y.cl()] == b.right.Client
}

// integrateGC adds n collected clocks. They join a collected run at once, as
// they would at the end of the transaction: two bytes on the wire must not cost
// a run each.
func (d *Doc) integrateGC(cl int32, clk, n uint32) {
	c := &d.clients[cl]
	if c.next > 0 {
		if x := &d.runs[c.index.at(c.index.last())]; x.ref() == refGC {
			d.touch(c, cl)
			x.n += n
			c.next += n
			return
		}
	}
	d.addStruct(d.newRun(run{clk: clk, n: n, l: none, r: none, clients: clientsOf(cl, none, none), bits: bitsOf(none, refGC) | isDeleted}))
}

// listFor returns the list that b belongs to: its neighbour's, or the one its
// parent names. It is none if a neighbour or the parent was collected; then b
// can never be seen and is collected too.
func (d *Doc) listFor(b *block, left, right int32) int32 {
	if left != none && d.runs[left].ref() == refGC || right != none && d.runs[right].ref() == refGC {
		return none
	}
	if left != none {
		return d.runs[left].list()
	}
	if right != none {
		return d.runs[right].list()
	}
	var typ int32
	if b.parentRoot {
		typ = d.rootOf(b.root)
	} else if typ = d.holds(d.runAt(d.lookup(b.parent.Client), uint32(b.parent.Clock))); typ == none {
		return none
	}
	if b.hasSub {
		return d.listOfKey(typ, b.sub)
	}
	return d.types[typ].children
}

// rootOf is typeOfRoot without making a string of a known name.
func (d *Doc) rootOf(name []byte) int32 {
	if t, ok := d.roots[string(name)]; ok {
		return t
	}
	return d.typeOfRoot(string(name))
}

// contested reports whether something stands between left and right already.
func (d *Doc) contested(left, right int32) bool {
	if left != none {
		return d.runs[left].r != right
	}
	return right == none || d.runs[right].l != none
}

// place returns the run that x is to follow, given that others were inserted
// between its origin (left) and right origin (right), concurrently:
//
//	left  o1  o2  o3  right
//
// Those with x's origin stand in order of client. An o whose origin is among
// the o's stays behind that origin, so x passes it if x passes the origin. x
// passes an o with the same origin and a higher client only if a later o shows
// that o was typed before something else than x was.
func (d *Doc) place(x *run, left, right int32) int32 {
	o := none
	if left != none {
		o = d.runs[left].r
	} else {
		o = d.lists[x.list()].head
	}
	if o == none || o == right {
		return left // it is the first, and needs no sets
	}
	s := &d.tx.seen
	s.reset(len(d.runs))
	oC, id := x.oC(), d.ids[x.cl()]
	for o != none && o != right {
		s.add(o)
		y := &d.runs[o]
		switch yC := y.oC(); {
		case yC == oC && (oC == none || y.oK == x.oK):
			if d.ids[y.cl()] < id {
				left = o
				s.clear()
			} else if y.rC() == x.rC() && (x.rC() == none || y.rK == x.rK) {
				return left
			}
		case yC != none && s.before(d.runAt(yC, y.oK)):
			if !s.conflicts(d.runAt(yC, y.oK)) {
				left = o
				s.clear()
			}
		default:
			return left
		}
		o = y.r
	}
	return left
}

// seen is the two sets of the conflict rule, as stamps on runs: those passed
// since the origin, and of them those not yet known to stand before x.
type seen struct {
	passed, open       []uint32
	passStamp, opStamp uint32
}

func (s *seen) reset(runs int) {
	if len(s.passed) < runs || s.passStamp == 1<<32-1 || s.opStamp >= 1<<31 {
		n := max(runs, 2*len(s.passed))
		s.passed, s.open = make([]uint32, n), make([]uint32, n)
		s.passStamp, s.opStamp = 0, 0
	}
	s.passStamp++
	s.opStamp++
}

func (s *seen) add(i int32)            { s.passed[i], s.open[i] = s.passStamp, s.opStamp }
func (s *seen) clear()                 { s.opStamp++ }
func (s *seen) before(i int32) bool    { return s.passed[i] == s.passStamp }
func (s *seen) conflicts(i int32) bool { return s.open[i] == s.opStamp }

// link puts run i into its list behind left and does what that implies: the
// last value of a key is the present one and deletes its predecessor, any other
// value is deleted, and so is a child of a deleted type.
func (d *Doc) link(i, left int32) {
	x := &d.runs[i]
	l := &d.lists[x.list()]
	x.l = left
	if left != none {
		x.r = d.runs[left].r
		d.runs[left].r = i
	} else {
		x.r = l.head
		l.head = i
	}
	if x.r != none {
		d.runs[x.r].l = i
	} else {
		l.tail = i
		if l.key != none && left != none {
			d.delete(left)
			x, l = &d.runs[i], &d.lists[x.list()]
		}
	}
	if l.key == none && x.countable() {
		l.length += x.n
	}
	d.treeInsert(i, left)
	parent := d.types[l.typ].item
	switch x.ref() {
	case refDeleted:
		x.setDeleted()
		d.tx.deleted(x)
	case refType:
		d.addType(i)
		l, x = &d.lists[d.runs[i].list()], &d.runs[i]
	}
	if parent != none && d.runs[parent].deleted() || l.key != none && x.r != none {
		d.delete(i)
	}
}

// addType makes the type that run i holds.
func (d *Doc) addType(i int32) {
	r := reader{b: d.content(&d.runs[i])}
	ref := uint8(r.uint())
	name := ""
	if ref == typeXMLElement || ref == typeXMLHook {
		name = string(r.str())
	}
	d.typ.set(i, d.newType(i, ref, name))
}
