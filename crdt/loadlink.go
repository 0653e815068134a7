package crdt

import (
	"cmp"
	"slices"
)

// How a loader links the runs that it has read.

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
			if len(stack) == 1 {
				p.next = l.linkBeside(c, p.next, p.end)
			}
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

// linkBeside links runs of client c from i on up to end as long as they are like
// nearly all of a text: characters or deleted elements, between two runs of the same
// client that nothing was inserted between since, and that are not to be cut. It
// returns the first that it left.
func (l *loader) linkBeside(c, i, end int32) int32 {
	d, p, own := l.d, &l.parts[c], clientsOf(c, c, c)
	runs, dense, starts := d.runs, p.dense(), l.starts[p.starts:]
	list, length := none, uint32(0)
	for ; i < end; i++ {
		x := &runs[i]
		ref := x.bits & infoRef
		if ref != refString && ref != refDeleted || x.clients != own {
			break
		}
		var left int32 // it is found also where it is the run before: that is as good as random
		if dense {
			left = starts[x.oK>>6].last(x.oK)
		} else {
			left = l.find(c, x.oK)
		}
		y := &runs[left]
		right := y.r
		if right == none || y.end()-1 != x.oK {
			break
		}
		if y.list() != list {
			if list != none || !l.plainList(y.list()) {
				break
			}
			list = y.list()
		}
		z := &runs[right]
		if z.clk != x.rK || z.cl() != c {
			break
		}
		x.l, x.r, y.r, z.l = left, right, i, i
		gone := ref & refDeleted // 0 or 1
		x.bits = bitsOf(list, uint8(ref)) | gone*isDeleted
		length += x.n & (gone - 1)
		if gone != 0 {
			d.tx.deleted(x)
		}
		if uint32(left^(i-1))|(x.rK^y.rK)|(x.bits^y.bits)&(infoRef|isDeleted) == 0 {
			l.mayJoin(i)
		}
	}
	if list != none {
		d.lists[list].length += length
	}
	return i
}

// plainList reports whether a list is one where runs may be linked without more ado:
// children of a type that is not deleted, without an index.
func (l *loader) plainList(list int32) bool {
	if list == none {
		return false
	}
	d := l.d
	in := &d.lists[list]
	item := d.types[in.typ].item
	return in.key == none && in.tree == none && (item == none || !d.runs[item].deleted())
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
		if typ = d.holds(l.find(p.cl, p.clk)); typ == none {
			return none
		}
	}
	if p.key != none {
		return d.listOf(typ, p.key)
	}
	return d.types[typ].children
}
