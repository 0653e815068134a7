package crdt

// A list that somebody edits or reads by index gets a position tree: a B+tree
// over its runs, in order, that sums their visible lengths. It is derived and
// lazy. Applying updates needs none; once there it is kept up to date, until an
// update comes that is cheaper to apply without it.

const (
	treeFan = 32
	// walkLimit is how many runs are walked before a tree is worth building.
	walkLimit = 48
	// treeLimit is the size in bytes of an update that drops all trees.
	treeLimit = 64 << 10
)

// A treeNode is a leaf, whose kids are runs, or an inner node, whose kids are
// nodes. Nodes live in positions.nodes.
type treeNode struct {
	kids    [treeFan]int32
	lens    [treeFan]uint32 // visible length of each kid
	formats uint32          // live format marks below
	parent  int32           // none for a root
	at      int32           // which kid of its parent it was last
	n       int32           // kids in use
	inner   bool
}

type positions struct {
	nodes []treeNode
	free  []int32
	at    int32 // which kid of a leaf was asked for last
	found found
}

// found is the leaf that was found by index last: who types comes back.
type found struct {
	known bool // until something changes before it
	list  int32
	leaf  int32
	index uint32 // of its first element
}

func (p *positions) newNode(inner bool) int32 {
	if k := len(p.free) - 1; k >= 0 {
		i := p.free[k]
		p.free = p.free[:k]
		p.nodes[i] = treeNode{parent: none, inner: inner}
		return i
	}
	p.nodes = append(p.nodes, treeNode{parent: none, inner: inner})
	return int32(len(p.nodes) - 1)
}

// slot returns where kid is in node t: where it was last, mostly.
func (p *positions) slot(t, kid int32) int {
	n := &p.nodes[t]
	last := &p.at
	if n.inner {
		last = &p.nodes[kid].at
	}
	if at := *last; at < n.n && n.kids[at] == kid {
		return int(at)
	}
	for i := range n.n {
		if n.kids[i] == kid {
			*last = i
			return int(i)
		}
	}
	panic("crdt: a position tree lost a kid")
}

// visible returns how many elements of the run a reader can index.
func (x *run) visible() uint32 {
	if x.deleted() || !x.countable() {
		return 0
	}
	return x.n
}

// liveFormat returns 1 for a format mark that is not deleted, else 0.
func (x *run) liveFormat() uint32 {
	if !x.deleted() && (x.ref() == refFormat || x.ref() == refFormatAny) {
		return 1
	}
	return 0
}

// buildTree gives list l a tree.
func (d *Doc) buildTree(l int32) {
	const fill = treeFan * 3 / 4
	p := &d.positions
	var level []int32
	t := none
	for i := d.lists[l].head; i != none; i = d.runs[i].r {
		if t == none || p.nodes[t].n == fill {
			t = p.newNode(false)
			level = append(level, t)
		}
		x, n := &d.runs[i], &p.nodes[t]
		n.kids[n.n], n.lens[n.n] = i, x.visible()
		n.formats += x.liveFormat()
		n.n++
		d.leaf.set(i, t)
	}
	if t == none {
		level = append(level, p.newNode(false))
	}
	for len(level) > 1 {
		var above []int32
		for k, kid := range level {
			if k%fill == 0 {
				t = p.newNode(true)
				above = append(above, t)
			}
			n := &p.nodes[t]
			n.kids[n.n], n.lens[n.n] = kid, p.sum(kid)
			n.formats += p.nodes[kid].formats
			n.n++
			p.nodes[kid].parent = t
		}
		level = above
	}
	d.lists[l].tree = level[0]
}

func (p *positions) sum(t int32) (sum uint32) {
	n := &p.nodes[t]
	for _, v := range n.lens[:n.n] {
		sum += v
	}
	return sum
}

// dropTrees forgets all trees.
func (d *Doc) dropTrees() {
	if len(d.positions.nodes) == 0 {
		return
	}
	for l := range d.lists {
		d.lists[l].tree = none
	}
	d.leaf = nil
	d.positions = positions{}
}

// dropTree forgets the tree of list l, whose runs are leaving it.
func (d *Doc) dropTree(l int32) {
	if t := d.lists[l].tree; t != none {
		d.positions.drop(t)
		d.lists[l].tree = none
	}
}

// drop frees a node and all below it. It recurses as deep as the tree is high.
func (p *positions) drop(t int32) {
	p.found.known = false
	if n := &p.nodes[t]; n.inner {
		for _, kid := range n.kids[:n.n] {
			p.drop(kid)
		}
	}
	p.free = append(p.free, t)
}

// bump changes the sums above slot i of node t.
func (p *positions) bump(t int32, i int, length, formats uint32) {
	p.found.known = p.found.known && p.found.leaf == t
	for {
		n := &p.nodes[t]
		n.lens[i] += length // a negative change wraps around
		n.formats += formats
		if n.parent == none {
			return
		}
		i = p.slot(n.parent, t)
		t = n.parent
	}
}

// treeInsert puts run i, newly linked behind left, into the tree of its list.
func (d *Doc) treeInsert(i, left int32) {
	x := &d.runs[i]
	t := d.lists[x.list()].tree
	if t == none {
		return
	}
	p := &d.positions
	at := 0
	if left != none {
		t = d.leaf.at(left)
		at = p.slot(t, left) + 1
	} else {
		for p.nodes[t].inner {
			t = p.nodes[t].kids[0]
		}
	}
	t, at = d.treePlace(x.list(), t, at, i, 0)
	p.bump(t, at, x.visible(), x.liveFormat())
}

// treeSplit puts run ri, cut from li, behind it.
func (d *Doc) treeSplit(li, ri int32) {
	t := d.leaf.at(li)
	if t == none {
		return
	}
	at := d.positions.slot(t, li)
	v := d.runs[ri].visible()
	d.positions.nodes[t].lens[at] -= v
	d.treePlace(d.runs[li].list(), t, at+1, ri, v)
}

// treeJoin takes out run ri, which was joined to li.
func (d *Doc) treeJoin(li, ri int32) {
	t := d.leaf.at(li)
	if t == none {
		return
	}
	p := &d.positions
	u := d.leaf.at(ri)
	at := p.slot(u, ri)
	v := p.nodes[u].lens[at]
	if t == u {
		p.nodes[t].lens[at-1] += v
	} else {
		p.bump(u, at, -v, 0)
		p.bump(t, p.slot(t, li), v, 0)
	}
	d.treeRemove(d.runs[li].list(), u, at)
}

// treeDelete takes the length of run i, about to be deleted, out of the sums.
func (d *Doc) treeDelete(i int32) {
	t := d.leaf.at(i)
	if t == none {
		return
	}
	x := &d.runs[i]
	if v, f := x.visible(), x.liveFormat(); v|f != 0 {
		d.positions.bump(t, d.positions.slot(t, i), -v, -f)
	}
}

// treeGrow adds n visible elements to run i.
func (d *Doc) treeGrow(i int32, n uint32) {
	if t := d.leaf.at(i); t != none {
		d.positions.bump(t, d.positions.slot(t, i), n, 0)
	}
}

// own makes t the parent of kid, a run or a node.
func (d *Doc) own(t, kid int32) {
	if d.positions.nodes[t].inner {
		d.positions.nodes[kid].parent = t
	} else {
		d.leaf.set(kid, t)
	}
}

// treePlace puts kid with a length at slot at of node t, cutting full nodes in
// two, and returns where it went. The sums above must count the length already.
func (d *Doc) treePlace(l, t int32, at int, kid int32, length uint32) (int32, int) {
	p := &d.positions
	if p.nodes[t].n == treeFan {
		u := d.treeCut(l, t, length)
		if at > treeFan/2 {
			// What is counted for kid stayed with t.
			parent := p.nodes[u].parent
			k := p.slot(parent, u)
			p.nodes[parent].lens[k] += length
			p.nodes[parent].lens[k-1] -= length
			if p.nodes[t].inner {
				f := p.nodes[kid].formats
				p.nodes[t].formats -= f
				p.nodes[u].formats += f
			}
			t, at = u, at-treeFan/2
		}
	}
	n := &p.nodes[t]
	copy(n.kids[at+1:n.n+1], n.kids[at:n.n])
	copy(n.lens[at+1:n.n+1], n.lens[at:n.n])
	n.kids[at], n.lens[at] = kid, length
	n.n++
	d.own(t, kid)
	return t, at
}

// treeCut moves the upper half of full node t to a new node behind it, and
// returns that. The length that the sums above count for a kid to come stays
// with t.
func (d *Doc) treeCut(l, t int32, length uint32) int32 {
	p := &d.positions
	u := p.newNode(p.nodes[t].inner)
	n, m := &p.nodes[t], &p.nodes[u]
	m.n = int32(copy(m.kids[:], n.kids[treeFan/2:]))
	copy(m.lens[:], n.lens[treeFan/2:])
	n.n = treeFan / 2
	for _, kid := range m.kids[:m.n] {
		d.own(u, kid)
		if m.inner {
			m.formats += p.nodes[kid].formats
		} else {
			m.formats += d.runs[kid].liveFormat()
		}
	}
	n.formats -= m.formats
	moved := p.sum(u)
	parent := n.parent
	if parent == none {
		parent = p.newNode(true)
		root := &p.nodes[parent]
		root.kids[0], root.lens[0], root.n = t, p.sum(t)+moved+length, 1
		root.formats = p.nodes[t].formats + p.nodes[u].formats
		p.nodes[t].parent = parent
		d.lists[l].tree = parent
	}
	at := p.slot(parent, t)
	p.nodes[parent].lens[at] -= moved
	d.treePlace(l, parent, at+1, u, moved)
	return u
}

// treeRemove takes out slot at of node t, whose length is counted nowhere above
// any more or has moved to its neighbour there. A node that runs empty goes, one
// that is nearly empty joins its right neighbour.
func (d *Doc) treeRemove(l, t int32, at int) {
	p := &d.positions
	n := &p.nodes[t]
	copy(n.kids[at:], n.kids[at+1:n.n])
	copy(n.lens[at:], n.lens[at+1:n.n])
	n.n--
	if n.parent == none {
		if n.inner && n.n == 1 {
			d.lists[l].tree = n.kids[0]
			p.nodes[n.kids[0]].parent = none
			p.free = append(p.free, t)
		}
		return
	}
	if n.n > treeFan/4 {
		return
	}
	k := p.slot(n.parent, t)
	parent := &p.nodes[n.parent]
	if n.n > 0 {
		if k+1 >= int(parent.n) || p.nodes[parent.kids[k+1]].n+n.n > treeFan*3/4 {
			return
		}
		u := parent.kids[k+1]
		m := &p.nodes[u]
		copy(m.kids[n.n:], m.kids[:m.n])
		copy(m.lens[n.n:], m.lens[:m.n])
		copy(m.kids[:n.n], n.kids[:])
		copy(m.lens[:n.n], n.lens[:])
		m.n += n.n
		m.formats += n.formats
		for _, kid := range n.kids[:n.n] {
			d.own(u, kid)
		}
		parent.lens[k+1] += parent.lens[k]
	}
	p.found.known = false
	p.free = append(p.free, t)
	d.treeRemove(l, n.parent, k)
}
