package crdt

import (
	"cmp"
	"slices"
)

// A transaction is what one ApplyUpdate changes, kept until it is cleaned up.
// Its slices are reused by the next.
type transaction struct {
	id      uint64
	clients []int32 // that got new runs
	loaded  bool    // nothing that is new can be joined
	dropped bool    // something that had content was deleted
	ds      []deletion
	merge   []mark // runs that may join a neighbour again
	seen    seen
	feeds   []feed
	stack   []int
	frames  []frame
	path    []int32
	grown   grown
}

// grown says where in the content of a run a client's clocks of this transaction
// begin, after they were joined to it.
type grown struct {
	cl  int32
	clk uint32 // none of them if 0
	off uint32
}

// A mark is the run that holds a clock.
type mark struct {
	cl  int32
	clk uint32
}

// A deletion is n deleted elements.
type deletion struct {
	cl     int32
	clk, n uint32
}

func (t *transaction) begin() {
	t.id++
	t.grown = grown{}
	t.loaded, t.dropped = false, false
	if cap(t.ds) > keepScratch {
		t.ds = nil
	}
	t.clients, t.ds, t.merge = t.clients[:0], t.ds[:0], t.merge[:0]
}

// keepScratch is up to how much scratch is kept for the next transaction.
const keepScratch = 4096

// trim lets go of what one big update needed, so that a document does not keep
// it for ever.
func (t *transaction) trim() {
	if cap(t.ds) > max(keepScratch, 2*len(t.ds)) {
		t.ds = append([]deletion(nil), t.ds...)
	}
	if cap(t.merge) > keepScratch {
		t.merge = nil
	}
	if cap(t.frames) > keepScratch {
		t.frames = nil
	}
	if cap(t.stack) > keepScratch {
		t.stack = nil
	}
}

func (t *transaction) deleted(x *run) {
	cl := x.cl()
	if k := len(t.ds) - 1; k >= 0 && t.ds[k].cl == cl && t.ds[k].clk+t.ds[k].n == x.clk {
		t.ds[k].n += x.n
		return
	}
	t.ds = append(t.ds, deletion{cl, x.clk, x.n})
}

// normalize sorts the deletions and joins those that touch.
func (t *transaction) normalize() {
	if len(t.ds) < 2 {
		return
	}
	slices.SortFunc(t.ds, func(a, b deletion) int {
		if a.cl != b.cl {
			return cmp.Compare(a.cl, b.cl)
		}
		return cmp.Compare(a.clk, b.clk)
	})
	out := t.ds[:1]
	for _, x := range t.ds[1:] {
		if k := &out[len(out)-1]; k.cl == x.cl && k.clk+k.n >= x.clk {
			k.n = max(k.n, x.clk+x.n-k.clk)
			continue
		}
		out = append(out, x)
	}
	t.ds = out
}

// A frame is a type whose children are being visited.
type frame struct {
	run  int32 // next child
	list int32 // next key
}

// delete marks run i deleted, and all below it if it holds a type. It keeps its
// own stack: nesting is as deep as a peer likes.
func (d *Doc) delete(i int32) {
	base := len(d.tx.frames)
	d.deleteOne(i)
	for len(d.tx.frames) > base {
		f := &d.tx.frames[len(d.tx.frames)-1]
		var child int32
		switch {
		case f.run != none:
			child = f.run
			f.run = d.runs[child].r
		case f.list != none:
			child = d.lists[f.list].tail
			f.list = d.lists[f.list].nextKey
		default:
			d.tx.frames = d.tx.frames[:len(d.tx.frames)-1]
			continue
		}
		if child == none {
			continue
		}
		if x := &d.runs[child]; !x.deleted() {
			d.deleteOne(child)
		} else if x.clk < d.before(x.cl()) {
			// Not in this transaction's deletions, yet soon collected: its
			// neighbours are to join it then.
			d.tx.merge = append(d.tx.merge, mark{x.cl(), x.clk})
		}
	}
}

func (d *Doc) deleteOne(i int32) {
	x := &d.runs[i]
	if x.deleted() {
		return
	}
	if l := &d.lists[x.list()]; l.key == none && x.countable() {
		l.length -= x.n
	}
	d.treeDelete(i)
	x.setDeleted()
	d.tx.deleted(x)
	d.tx.dropped = true
	if x.ref() == refType {
		t := &d.types[d.typ.at(i)]
		d.tx.frames = append(d.tx.frames, frame{d.lists[t.children].head, t.firstKey})
	}
}

// deleteRange deletes what exists of a range and returns how many clocks at its
// end do not exist yet.
func (d *Doc) deleteRange(g DeleteRange) (rest uint32) {
	c := d.lookup(g.Client)
	if c == none || d.clients[c].next <= g.Clock {
		return g.Len
	}
	clk, end := g.Clock, g.end()
	if next := d.clients[c].next; end > next {
		rest, end = end-next, next
	}
	x := &d.clients[c].index
	p := x.find(d.runs, clk)
	if r := &d.runs[x.at(p)]; !r.deleted() && r.clk < clk {
		d.split(p, c, clk-r.clk)
		p = x.find(d.runs, clk)
	}
	for ok := true; ok; p, ok = x.next(p) {
		i := x.at(p)
		r := &d.runs[i]
		if r.clk >= end {
			break
		}
		if r.deleted() {
			continue
		}
		if at := r.clk; end < r.end() {
			d.split(p, c, end-at)
			p = x.find(d.runs, at)
		}
		d.delete(i)
	}
	return rest
}
