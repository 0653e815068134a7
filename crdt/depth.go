package crdt

// Depth returns how deep the types that u brings would lie in d: 1 for one in a
// root, 2 for one in that, and so on; 0 if u brings none. d must have all that u
// needs (see [Update.Missing]). Yjs descends into types by recursion, so that
// one that lies deep enough stops every editor, and can no longer be removed.
func (d *Doc) Depth(u *Update) int {
	n := nesting{d: d}
	deepest := 0
	for _, s := range u.sections {
		for b := range u.blocks(s) {
			if b.ref == refType {
				n.types = true
				break
			}
		}
	}
	if !n.types {
		return 0
	}
	n.blocks = u.sorted()
	n.levels = make([]int, len(n.blocks))
	for i := range n.blocks {
		if n.blocks[i].ref == refType {
			deepest = max(deepest, n.level(i)+1)
		}
	}
	return deepest
}

// nesting finds out how deep the structs of an update lie.
type nesting struct {
	d      *Doc
	types  bool // the update brings some
	blocks blocks
	levels []int // of blocks, plus one; 0 is not yet known
}

// level returns how many types block i lies in, roots not counted.
func (n *nesting) level(i int) int {
	if n.levels[i] > 0 {
		return n.levels[i] - 1
	}
	b, level := &n.blocks[i], 0
	switch {
	case b.hasOrigin:
		level = n.levelOf(b.origin)
	case b.hasRight:
		level = n.levelOf(b.right)
	case b.parentID:
		level = n.levelOf(b.parent) + 1
	}
	n.levels[i] = level + 1
	return level
}

func (n *nesting) levelOf(id ID) int {
	if c := n.d.lookup(id.Client); c != none && id.Clock < uint64(n.d.clients[c].next) {
		x := &n.d.clients[c].index
		return n.d.level(&n.d.runs[x.at(x.find(n.d.runs, uint32(id.Clock)))])
	}
	i := n.blocks.find(id)
	if i < 0 {
		return 0
	}
	return n.level(i)
}

// level returns how many types r lies in, roots not counted.
func (d *Doc) level(r *run) int {
	for level := 0; ; level++ {
		if r.list() == none { // collected
			return level
		}
		item := d.types[d.lists[r.list()].typ].item
		if item == none {
			return level
		}
		r = &d.runs[item]
	}
}
