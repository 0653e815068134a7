package crdt

// leafSize is the most runs in one leaf of an index: inserting moves at most
// this many entries, plus one slot per leaf.
const leafSize = 512

// An index finds the run that holds a clock, for one client. Its runs are sorted
// by clock and cut into leaves; one flat slice would make splitting quadratic.
type index struct {
	leaves []leaf
	hint   pos // what find found last
}

// A leaf is n runs. As long as they stand in Doc.runs one behind the other, as
// they do after a document was loaded, that is all it says; a run inserted among
// them makes it list them.
type leaf struct {
	clk     uint32 // first clock
	first   int32  // first run; the others follow
	n       int32
	entries []entry // nil, or all of them
}

type entry struct {
	clk uint32 // first clock of the run
	run int32
}

func (l *leaf) at(k int) int32 {
	if l.entries == nil {
		return l.first + int32(k)
	}
	return l.entries[k].run
}

func (l *leaf) clkAt(runs []run, k int) uint32 {
	if l.entries == nil {
		return runs[l.first+int32(k)].clk
	}
	return l.entries[k].clk
}

// list makes the leaf list its runs.
func (l *leaf) list(runs []run) {
	if l.entries != nil {
		return
	}
	l.entries = make([]entry, l.n, l.n+8)
	for k := range l.entries {
		i := l.first + int32(k)
		l.entries[k] = entry{runs[i].clk, i}
	}
}

// leavesFor returns how many leaves so many runs fill.
func leavesFor(runs int32) int { return int(runs+leafSize-1) / leafSize }

// rangeIndex is the index of runs[first:end]. Its leaves are added to those of
// other clients, which stand in one slice: most clients have one.
func rangeIndex(runs []run, first, end int32, all []leaf) (index, []leaf) {
	from := len(all)
	for ; first < end; first += leafSize {
		all = append(all, leaf{clk: runs[first].clk, first: first, n: min(leafSize, end-first)})
	}
	return index{leaves: all[from:len(all):len(all)]}, all
}

// pos is a place in an index. It is valid until the index changes before it.
type pos struct{ leaf, i int }

func (x *index) at(p pos) int32 { return x.leaves[p.leaf].at(p.i) }

func (x *index) last() pos {
	k := len(x.leaves) - 1
	return pos{k, int(x.leaves[k].n) - 1}
}

// start returns the first place and whether there is one.
func (x *index) start() (pos, bool) { return pos{}, len(x.leaves) > 0 }

func (x *index) next(p pos) (pos, bool) {
	if p.i+1 < int(x.leaves[p.leaf].n) {
		return pos{p.leaf, p.i + 1}, true
	}
	return pos{p.leaf + 1, 0}, p.leaf+1 < len(x.leaves)
}

func (x *index) prev(p pos) (pos, bool) {
	if p.i > 0 {
		return pos{p.leaf, p.i - 1}, true
	}
	if p.leaf == 0 {
		return p, false
	}
	return pos{p.leaf - 1, int(x.leaves[p.leaf-1].n) - 1}, true
}

// find returns the last entry that starts at or before clk, which must not be
// before the first. runs is Doc.runs.
func (x *index) find(runs []run, clk uint32) pos {
	if p := x.hint; p.leaf < len(x.leaves) {
		l := &x.leaves[p.leaf]
		for range 4 { // the same again, or one of the next
			if p.i+1 < int(l.n) && l.clkAt(runs, p.i) <= clk && clk < l.clkAt(runs, p.i+1) {
				x.hint = p
				return p
			}
			p.i++
		}
	}
	k := len(x.leaves) - 1
	if x.leaves[k].clk > clk {
		k = x.leafOf(clk)
	}
	l := &x.leaves[k]
	n := int(l.n)
	if l.clkAt(runs, n-1) <= clk {
		return pos{k, n - 1}
	}
	lo := 0
	if l.entries == nil {
		for n > 1 {
			half := n / 2
			if runs[int(l.first)+lo+half].clk <= clk {
				lo += half
			}
			n -= half
		}
	} else {
		for n > 1 {
			half := n / 2
			if l.entries[lo+half].clk <= clk {
				lo += half
			}
			n -= half
		}
	}
	x.hint = pos{k, lo}
	return x.hint
}

// leafOf returns the last leaf that starts at or before clk.
func (x *index) leafOf(clk uint32) int {
	lo, n := 0, len(x.leaves)
	for n > 1 {
		half := n / 2
		if x.leaves[lo+half].clk <= clk {
			lo += half
		}
		n -= half
	}
	return lo
}

// append puts e last.
func (x *index) append(runs []run, e entry) {
	const short = leafSize / 8 // below this, a leaf had better list its runs than end
	if k := len(x.leaves) - 1; k >= 0 && x.leaves[k].n < leafSize {
		l := &x.leaves[k]
		if l.entries == nil && e.run != l.first+l.n && l.n < short {
			l.list(runs)
		}
		if l.entries != nil {
			l.entries = append(l.entries, e)
			l.n++
			return
		}
		if e.run == l.first+l.n {
			l.n++
			return
		}
	}
	x.leaves = append(x.leaves, leaf{clk: e.clk, first: e.run, n: 1})
}

// insertAfter puts e behind p. p stays valid unless its leaf was full, so it is
// returned anew.
func (x *index) insertAfter(runs []run, p pos, e entry) pos {
	l := &x.leaves[p.leaf]
	l.list(runs)
	if l.n == leafSize {
		half := append(make([]entry, 0, leafSize), l.entries[leafSize/2:]...)
		l.entries, l.n = l.entries[:leafSize/2], leafSize/2
		x.leaves = append(x.leaves, leaf{})
		copy(x.leaves[p.leaf+2:], x.leaves[p.leaf+1:])
		x.leaves[p.leaf+1] = leaf{clk: half[0].clk, n: int32(len(half)), entries: half}
		if p.i >= leafSize/2 {
			p = pos{p.leaf + 1, p.i - leafSize/2}
		}
		l = &x.leaves[p.leaf]
	}
	l.entries = append(l.entries, entry{})
	copy(l.entries[p.i+2:], l.entries[p.i+1:])
	l.entries[p.i+1] = e
	l.n++
	return p
}

// remove takes out the entry at p, which is not the first of all, and returns
// the place of the one before it.
func (x *index) remove(runs []run, p pos) pos {
	before, _ := x.prev(p)
	l := &x.leaves[p.leaf]
	l.n--
	switch {
	case l.n == 0:
		copy(x.leaves[p.leaf:], x.leaves[p.leaf+1:])
		x.leaves[len(x.leaves)-1] = leaf{}
		x.leaves = x.leaves[:len(x.leaves)-1]
		return before
	case l.entries == nil && p.i == int(l.n): // the last
		return before
	case l.entries == nil:
		l.n++
		l.list(runs)
		l.n--
	}
	copy(l.entries[p.i:], l.entries[p.i+1:])
	l.entries = l.entries[:l.n]
	l.clk = l.entries[0].clk
	return before
}
