package crdt

// Inverted returns the first element of u whose place depends on how a replica
// has cut its text at the time. Yjs's undo makes such elements: the origin and
// the right origin are in one struct, the right origin before the origin or the
// same, because the undo found one struct on both sides.
//
//	S = abcd, origin c, right origin b:   a b c x d   or   a x b c d
//
// Yjs finds the struct that ends with the origin first, and then cuts where the
// right origin begins. If that is inside the struct, what it has for the left
// neighbour is the first half now, and x goes there. Where something was cut at
// the right origin before, x goes behind the origin. So an element is such a one
// if the right origin can be inside the struct of the origin: all elements from
// the one before it on to the origin are of one client, each typed behind the
// one before, with the same right origin. Whether they are one struct now does
// not matter: in a replica that knows less, or more, they may be.
//
// d must have all that u needs (see [Update.Missing]), but for what ahead has,
// which will be applied before. What was collected has no place.
//
// Source: yjs Item.js, getMissing, redoItem, mergeWith.
func (d *Doc) Inverted(u *Update, ahead ...*Update) (id ID, ok bool) {
	c := chains{d: d, u: u, ahead: ahead}
	for _, s := range u.sections {
		for b := range u.blocks(s) {
			if b.inverted() && c.first(b) < b.right.Clock {
				return ID{b.client, uint64(b.clock)}, true
			}
		}
	}
	return ID{}, false
}

// inverted reports whether b's right origin is older than its origin, or is it, and
// of the same client: where somebody typed in their own text, it is, and stands behind
// it all the same.
func (b *block) inverted() bool {
	return b.hasOrigin && b.hasRight && b.origin.Client == b.right.Client && b.right.Clock <= b.origin.Clock
}

// chains are the elements of a document, and of an update to it, that may be one
// struct in some replica.
type chains struct {
	d      *Doc
	u      *Update
	ahead  []*Update
	sorted blocks        // of u, once one was looked for
	firsts map[ID]uint64 // where the chains begin of the structs that were passed
}

// first returns the first clock of the chain that the origin of b is in. If it is in
// none, or b goes on with it, so that b's right origin is not, that is b's right origin.
func (c *chains) first(b *block) uint64 {
	var x block
	c.find(b.origin, &x)
	if x.ref == refGC || x.hasRight && x.right == b.right {
		return b.right.Clock
	}
	if c.firsts == nil {
		c.firsts = make(map[ID]uint64)
	}
	var passed []ID
	var first uint64
	for client := b.origin.Client; ; {
		at, known := ID{client, uint64(x.clock)}, false
		if first, known = c.firsts[at]; known {
			break
		}
		passed, first = append(passed, at), at.Clock
		typed, right, hasRight := x.hasOrigin && x.clock > 0 && x.origin == ID{client, first - 1}, x.right, x.hasRight
		if !typed || x.ref == refGC {
			break
		}
		if c.find(x.origin, &x); x.ref == refGC || x.hasRight != hasRight || hasRight && x.right != right {
			break
		}
	}
	for _, at := range passed {
		c.firsts[at] = first
	}
	return first
}

// find reads the struct of an element into x.
func (c *chains) find(id ID, x *block) {
	if cl := c.d.lookup(id.Client); cl != none && id.Clock < uint64(c.d.clients[cl].next) {
		c.d.blockOf(c.d.runAt(cl, uint32(id.Clock)), x)
		return
	}
	if c.sorted == nil {
		c.sorted = c.u.sorted()
	}
	if i := c.sorted.find(id); i >= 0 {
		*x = c.sorted[i]
		return
	}
	*x = block{clock: uint32(id.Clock), ref: refGC}
	for _, u := range c.ahead {
		for _, s := range u.sections {
			if s.client != id.Client || uint64(s.clock) > id.Clock || uint64(s.end) <= id.Clock {
				continue
			}
			for b := range u.blocks(s) {
				if uint64(b.clock) <= id.Clock && id.Clock < uint64(b.end()) && b.ref != refSkip {
					*x = *b
					return
				}
			}
		}
	}
}
