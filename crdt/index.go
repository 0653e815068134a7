package crdt

// leafSize is the most runs in one leaf of an index: inserting moves at most
// this many entries, plus one slot per leaf.
const leafSize = 512

// An index finds the run that holds a clock, for one client. Entries are sorted
// by clock and cut into leaves; one flat slice would make splitting quadratic.
type index struct {
	leaves [][]entry
	hint   pos // what find found last
}

type entry struct {
	clk uint32 // first clock of the run
	run int32
}

// pos is a place in an index. It is valid until the index changes before it.
type pos struct{ leaf, i int }

func (x *index) at(p pos) int32 { return x.leaves[p.leaf][p.i].run }

func (x *index) last() pos {
	k := len(x.leaves) - 1
	return pos{k, len(x.leaves[k]) - 1}
}

func (x *index) next(p pos) (pos, bool) {
	if p.i+1 < len(x.leaves[p.leaf]) {
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
	return pos{p.leaf - 1, len(x.leaves[p.leaf-1]) - 1}, true
}

// find returns the last entry that starts at or before clk, which must not be
// before the first.
func (x *index) find(clk uint32) pos {
	if p := x.hint; p.leaf < len(x.leaves) {
		leaf := x.leaves[p.leaf]
		for range 4 { // the same again, or one of the next
			if p.i+1 < len(leaf) && leaf[p.i].clk <= clk && clk < leaf[p.i+1].clk {
				x.hint = p
				return p
			}
			p.i++
		}
	}
	k := len(x.leaves) - 1
	if k > 0 && x.leaves[k][0].clk > clk {
		k = x.leafOf(clk)
	}
	leaf := x.leaves[k]
	lo, n := 0, len(leaf)
	if leaf[n-1].clk <= clk {
		return pos{k, n - 1}
	}
	for n > 1 {
		half := n / 2
		if leaf[lo+half].clk <= clk {
			lo += half
		}
		n -= half
	}
	x.hint = pos{k, lo}
	return pos{k, lo}
}

// leafOf returns the last leaf that starts at or before clk.
func (x *index) leafOf(clk uint32) int {
	lo, n := 0, len(x.leaves)
	for n > 1 {
		half := n / 2
		if x.leaves[lo+half][0].clk <= clk {
			lo += half
		}
		n -= half
	}
	return lo
}

func (x *index) append(e entry) {
	k := len(x.leaves) - 1
	if k < 0 || len(x.leaves[k]) == leafSize {
		var leaf []entry
		if k >= 0 {
			leaf = make([]entry, 0, leafSize)
		}
		x.leaves = append(x.leaves, leaf)
		k++
	}
	x.leaves[k] = append(x.leaves[k], e)
}

// insertAfter puts e behind p. p stays valid unless its leaf was full, so it is
// returned anew.
func (x *index) insertAfter(p pos, e entry) pos {
	leaf := x.leaves[p.leaf]
	if len(leaf) == leafSize {
		half := append(make([]entry, 0, leafSize), leaf[leafSize/2:]...)
		x.leaves = append(x.leaves, nil)
		copy(x.leaves[p.leaf+2:], x.leaves[p.leaf+1:])
		x.leaves[p.leaf], x.leaves[p.leaf+1] = leaf[:leafSize/2], half
		if p.i >= leafSize/2 {
			p = pos{p.leaf + 1, p.i - leafSize/2}
		}
		leaf = x.leaves[p.leaf]
	}
	leaf = append(leaf, entry{})
	copy(leaf[p.i+2:], leaf[p.i+1:])
	leaf[p.i+1] = e
	x.leaves[p.leaf] = leaf
	return p
}

// remove takes out the entry at p, which is not the first, and returns the
// place of the one before it.
func (x *index) remove(p pos) pos {
	before, _ := x.prev(p)
	leaf := x.leaves[p.leaf]
	copy(leaf[p.i:], leaf[p.i+1:])
	if leaf = leaf[:len(leaf)-1]; len(leaf) > 0 {
		x.leaves[p.leaf] = leaf
		return before
	}
	copy(x.leaves[p.leaf:], x.leaves[p.leaf+1:])
	x.leaves[len(x.leaves)-1] = nil
	x.leaves = x.leaves[:len(x.leaves)-1]
	return before
}
