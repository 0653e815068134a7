package crdt

import "fmt"

// check verifies the document if checking is on: under the race detector, or
// with the build tag crdtcheck. A violation is a bug here, never bad input, so
// it panics. Verifying takes as long as the document is big, so of big ones
// only some transactions are checked.
func (d *Doc) check() {
	const big, some = 2000, 512
	if !checking || len(d.runs) > big && d.tx.id%some != 0 {
		return
	}
	if err := d.verify(); err != nil {
		panic("crdt: " + err.Error())
	}
}

// verify returns the first invariant that does not hold.
func (d *Doc) verify() error {
	indexed := make([]bool, len(d.runs))
	for c := range d.clients {
		if err := d.verifyClient(int32(c), indexed); err != nil {
			return err
		}
	}
	free := make(map[int32]bool, len(d.free))
	for _, i := range d.free {
		if indexed[i] || free[i] {
			return fmt.Errorf("run %d is free and used, or free twice", i)
		}
		free[i] = true
	}
	owned := 0
	for i := range d.runs {
		if !indexed[i] && !free[int32(i)] {
			return fmt.Errorf("run %d is lost", i)
		}
		owned += int(d.runs[i].payCap())
	}
	if owned+d.garbage != len(d.pay) {
		return fmt.Errorf("%d bytes owned and %d garbage of %d", owned, d.garbage, len(d.pay))
	}
	linked := 0
	for l := range d.lists {
		n, err := d.verifyList(int32(l))
		if err != nil {
			return err
		}
		linked += n
	}
	for i := range d.runs {
		if indexed[i] && d.runs[i].ref() != refGC {
			linked--
		}
	}
	if linked != 0 {
		return fmt.Errorf("%d more runs in lists than in clients", linked)
	}
	return nil
}

// verifyClient checks that a client's runs cover its clocks without a hole.
func (d *Doc) verifyClient(c int32, indexed []bool) error {
	cl := &d.clients[c]
	if d.byID[d.ids[c]] != c {
		return fmt.Errorf("client %d is not found by its id", c)
	}
	clk := uint32(0)
	for _, leaf := range cl.index.leaves {
		if leaf.n == 0 || leaf.n > leafSize || leaf.entries != nil && len(leaf.entries) != int(leaf.n) || leaf.clk != clk {
			return fmt.Errorf("client %d: leaf of %d at clock %d", c, leaf.n, leaf.clk)
		}
		for k := range int(leaf.n) {
			i := leaf.at(k)
			x := &d.runs[i]
			switch {
			case indexed[i]:
				return fmt.Errorf("run %d is indexed twice", i)
			case x.cl() != c || x.clk != leaf.clkAt(d.runs, k) || x.clk != clk || x.n == 0:
				return fmt.Errorf("client %d: run %d at clock %d, want %d", c, i, x.clk, clk)
			case x.ref() == refGC != (x.list() == none):
				return fmt.Errorf("run %d: collected and linked, or neither", i)
			case x.ref() == refType && d.typ.at(i) == none, d.typ.at(i) != none && x.ref() != refType && x.ref() != refFormat && x.ref() != refFormatAny:
				return fmt.Errorf("run %d: type without a type, or the reverse", i)
			}
			if err := d.verifyContent(x); err != nil {
				return fmt.Errorf("run %d: %w", i, err)
			}
			indexed[i] = true
			clk = x.end()
		}
	}
	if clk != cl.next {
		return fmt.Errorf("client %d: runs end at %d, next is %d", c, clk, cl.next)
	}
	return nil
}

// verifyContent checks that a run holds as many elements as it says.
func (d *Doc) verifyContent(x *run) error {
	if x.payLen > x.payCap() || int(x.pay+x.payCap()) > len(d.pay) && x.payCap() > 0 {
		return fmt.Errorf("content outside the arena")
	}
	n := x.n
	switch x.ref() {
	case refString:
		n = uint32(utf16Len(d.content(x)))
	case refJSON, refAny:
		if at := elementOffset(x.ref(), d.content(x), x.n); at != int(x.payLen) {
			return fmt.Errorf("%d bytes of elements, want %d", at, x.payLen)
		}
	case refGC, refDeleted:
		if !x.deleted() || x.payLen != 0 {
			return fmt.Errorf("collected but there")
		}
	default:
		n = 1
	}
	if n != x.n {
		return fmt.Errorf("content is %d long, want %d", n, x.n)
	}
	return nil
}

// verifyList checks that links are symmetric and the length is right.
func (d *Doc) verifyList(l int32) (n int, err error) {
	x := &d.lists[l]
	length, last := uint32(0), none
	for i := x.head; i != none; i = d.runs[i].r {
		r := &d.runs[i]
		if r.l != last || r.list() != l {
			return 0, fmt.Errorf("list %d: run %d is linked wrongly", l, i)
		}
		if n++; n > len(d.runs) {
			return 0, fmt.Errorf("list %d: goes in a circle", l)
		}
		if x.key == none && !r.deleted() && r.countable() {
			length += r.n
		}
		if x.key != none && r.r != none && !r.deleted() && !d.continues(r) {
			return 0, fmt.Errorf("list %d: an old value is alive", l)
		}
		last = i
	}
	if !d.verifyTree(l) {
		return 0, fmt.Errorf("list %d: its position tree is wrong", l)
	}
	if last != x.tail || length != x.length {
		return 0, fmt.Errorf("list %d: tail %d, length %d, want %d, %d", l, x.tail, x.length, last, length)
	}
	return n, nil
}

// continues reports whether something was cut from the end of r. Of a value of
// several elements the earlier ones are alive, too, though nobody sees them.
func (d *Doc) continues(r *run) bool {
	if r.end() == d.clients[r.cl()].next {
		return false
	}
	next := &d.runs[d.runAt(r.cl(), r.end())]
	return next.list() == r.list() && next.oC() == r.cl() && next.oK == next.clk-1
}

// verifyTree checks that the tree of list l is the list, and its sums.
func (d *Doc) verifyTree(l int32) bool {
	i := d.lists[l].head
	if d.lists[l].tree == none {
		for ; i != none; i = d.runs[i].r {
			if d.leaf.at(i) != none {
				return false
			}
		}
		return true
	}
	p := &d.positions
	ok := p.nodes[d.lists[l].tree].parent == none
	before := uint32(0) // visible elements
	var below func(t int32) (length, formats uint32)
	below = func(t int32) (length, formats uint32) {
		n := &p.nodes[t]
		if f := &p.found; f.known && f.leaf == t {
			ok = ok && f.list == l && f.index == before && !n.inner
		}
		for k, kid := range n.kids[:n.n] {
			var v, f uint32
			if n.inner {
				ok = ok && p.nodes[kid].parent == t && p.nodes[kid].n > 0
				v, f = below(kid)
			} else {
				ok = ok && kid == i && d.leaf.at(kid) == t
				if !ok {
					return 0, 0
				}
				v, f = d.runs[kid].visible(), d.runs[kid].liveFormat()
				i = d.runs[i].r
				before += v
			}
			ok = ok && n.lens[k] == v
			length, formats = length+v, formats+f
		}
		ok = ok && n.formats == formats
		return length, formats
	}
	below(d.lists[l].tree)
	return ok && i == none
}
