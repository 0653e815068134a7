package crdt

// seek returns the run that holds the visible element index of list l, and the
// element's place in it. index must be below the list's length.
func (d *Doc) seek(l int32, index uint32) (int32, uint32) {
	if d.lists[l].tree == none {
		i := d.lists[l].head
		for range walkLimit {
			x := &d.runs[i]
			if v := x.visible(); index < v {
				return i, index
			} else {
				index -= v
			}
			if i = x.r; i == none {
				break
			}
		}
		if i == none {
			panic("crdt: a list is shorter than its length")
		}
		d.buildTree(l)
		return d.seekTree(l, index+d.walked(l, i))
	}
	return d.seekTree(l, index)
}

// walked returns the visible length before run i, one of the first of list l.
func (d *Doc) walked(l, i int32) (n uint32) {
	for k := d.lists[l].head; k != i; k = d.runs[k].r {
		n += d.runs[k].visible()
	}
	return n
}

func (d *Doc) seekTree(l int32, index uint32) (int32, uint32) {
	p := &d.positions
	if f := &p.found; f.known && f.list == l && index >= f.index {
		n, off := &p.nodes[f.leaf], index-f.index
		for at := range n.n {
			if off < n.lens[at] {
				p.at = at
				return n.kids[at], off
			}
			off -= n.lens[at]
		}
	}
	t, off := d.lists[l].tree, index
	for {
		n := &p.nodes[t]
		if !n.inner {
			p.found = found{known: true, list: l, leaf: t, index: index - off}
		}
		at := 0
		for off >= n.lens[at] {
			off -= n.lens[at]
			at++
		}
		if !n.inner {
			p.at = int32(at)
			return n.kids[at], off
		}
		t = n.kids[at]
	}
}

// indexOf returns how many visible elements stand before run i in its list.
func (d *Doc) indexOf(i int32) (index uint32) {
	x := &d.runs[i]
	if d.leaf.at(i) == none {
		k := x.l
		for range walkLimit {
			if k == none {
				return index
			}
			index += d.runs[k].visible()
			k = d.runs[k].l
		}
		d.buildTree(x.list())
		index = 0
	}
	p := &d.positions
	kid := i
	for t := d.leaf.at(i); t != none; t = p.nodes[t].parent {
		n := &p.nodes[t]
		for at := 0; n.kids[at] != kid; at++ {
			index += n.lens[at]
		}
		kid = t
	}
	return index
}

// formatted reports whether list l may hold live format marks. Without a tree it
// looks at the first runs only and then builds one.
func (d *Doc) formatted(l int32) bool {
	if d.lists[l].tree == none {
		i := d.lists[l].head
		for range walkLimit {
			if i == none {
				return false
			}
			if d.runs[i].liveFormat() != 0 {
				return true
			}
			i = d.runs[i].r
		}
		d.buildTree(l)
	}
	return d.positions.nodes[d.lists[l].tree].formats != 0
}

// formatsUpTo calls f for each live format mark of list l up to run last, in
// order; for none if last is none.
func (d *Doc) formatsUpTo(l, last int32, f func(int32)) {
	if last == none {
		return
	}
	if d.lists[l].tree == none {
		for i := d.lists[l].head; ; i = d.runs[i].r {
			if d.runs[i].liveFormat() != 0 {
				f(i)
			}
			if i == last {
				return
			}
		}
	}
	d.formatsBelow(d.lists[l].tree, d.pathTo(last), f)
}

// pathTo returns the nodes above run i and the run, from the root down.
func (d *Doc) pathTo(i int32) []int32 {
	path := append(d.tx.path[:0], i)
	for t := d.leaf.at(i); t != none; t = d.positions.nodes[t].parent {
		path = append(path, t)
	}
	for a, b := 0, len(path)-1; a < b; a, b = a+1, b-1 {
		path[a], path[b] = path[b], path[a]
	}
	d.tx.path = path
	return path[1:]
}

// formatsBelow visits node t up to where path leads; all of it if path is nil.
func (d *Doc) formatsBelow(t int32, path []int32, f func(int32)) {
	n := &d.positions.nodes[t]
	if n.formats == 0 {
		return
	}
	for _, kid := range n.kids[:n.n] {
		last := path != nil && kid == path[0]
		switch {
		case !n.inner:
			if d.runs[kid].liveFormat() != 0 {
				f(kid)
			}
		case last:
			d.formatsBelow(kid, path[1:], f)
		default:
			d.formatsBelow(kid, nil, f)
		}
		if last {
			return
		}
	}
}
