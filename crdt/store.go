package crdt

import "slices"

// A list is the children of a type in order, or the values ever set for one of
// its keys; of those the last one counts.
type list struct {
	typ, key   int32 // key indexes Doc.keyNames; none for children
	head, tail int32
	length     uint32 // live countable elements; kept for children only
	tree       int32  // root of its position tree, or none
	nextKey    int32  // next list of the same type's keys
}

// A sharedType is a root or what a run of refType holds.
type sharedType struct {
	item              int32 // the run that holds it, none for a root; another's when it is collected
	cl                int32 // the element that held it first and last; none for a root
	clk               uint32
	ref               uint8 // type reference; of a root unknown
	name              string
	children          int32 // list
	firstKey, lastKey int32 // lists of its keys, in order of first use
}

// A client is one writer that this replica has elements of.
type client struct {
	next   uint32 // its next clock
	before uint32 // next as it was when the transaction began, if tx is current
	tx     uint64
	index  index
}

// clientOf returns the index of id, which is added if new.
func (d *Doc) clientOf(id ClientID) int32 {
	if c := d.lookup(id); c != none {
		return c
	}
	c := int32(len(d.clients))
	d.clients = append(d.clients, client{})
	d.ids = append(d.ids, id)
	d.byID[id] = c
	d.lastID, d.lastClient = id, c
	return c
}

// lookup returns the index of id, or none.
func (d *Doc) lookup(id ClientID) int32 {
	if id == d.lastID && d.lastClient != none {
		return d.lastClient
	}
	c, ok := d.byID[id]
	if !ok {
		return none
	}
	d.lastID, d.lastClient = id, c
	return c
}

// state returns the next clock of id.
func (d *Doc) state(id ClientID) uint64 {
	if c := d.lookup(id); c != none {
		return uint64(d.clients[c].next)
	}
	return 0
}

// reserve makes room for the structs of a big update at once, so that loading a
// document leaves no slack.
func (d *Doc) reserve(u *Update) {
	const big = 256
	n := 0
	for _, s := range u.sections {
		n += int(s.count)
	}
	if n < big || n < len(d.runs)/4 {
		return
	}
	if k := len(u.sections); k >= big {
		d.clients, d.ids = slices.Grow(d.clients, k), slices.Grow(d.ids, k)
		d.tx.clients = slices.Grow(d.tx.clients, k)
	}
	if free := cap(d.runs) - len(d.runs) + len(d.free); free < n {
		d.runs = append(make([]run, 0, len(d.runs)+n), d.runs...)
	}
	if u.types >= big {
		d.types, d.lists = slices.Grow(d.types, u.types), slices.Grow(d.lists, u.types)
	}
	if cap(d.pay)-len(d.pay) < u.payload {
		d.pay = append(make([]byte, 0, len(d.pay)+u.payload), d.pay...)
	}
}

// newRun adds x to the arena; the index finds it only after addStruct.
func (d *Doc) newRun(x run) int32 {
	if k := len(d.free) - 1; k >= 0 {
		i := d.free[k]
		d.free = d.free[:k]
		d.runs[i] = x
		return i
	}
	d.runs = append(d.runs, x)
	return int32(len(d.runs) - 1)
}

// addStruct makes run i the last of its client.
func (d *Doc) addStruct(i int32) {
	x := &d.runs[i]
	c := &d.clients[x.cl()]
	d.touch(c, x.cl())
	c.index.append(d.runs, entry{x.clk, i})
	c.next = x.end()
}

// touch remembers where the client stood when the transaction began.
func (d *Doc) touch(c *client, i int32) {
	if c.tx != d.tx.id {
		c.tx, c.before = d.tx.id, c.next
		d.tx.clients = append(d.tx.clients, i)
	}
}

// before returns the client's next clock at the start of the transaction.
func (d *Doc) before(cl int32) uint32 {
	if c := &d.clients[cl]; c.tx == d.tx.id {
		return c.before
	}
	return d.clients[cl].next
}

// runAt returns the run that holds clock clk of client cl.
func (d *Doc) runAt(cl int32, clk uint32) int32 {
	x := &d.clients[cl].index
	return x.at(x.find(d.runs, clk))
}

// cleanStart returns the run that starts at clk, splitting one if need be.
func (d *Doc) cleanStart(cl int32, clk uint32) int32 {
	x := &d.clients[cl].index
	p := x.find(d.runs, clk)
	i := x.at(p)
	if c := &d.runs[i]; c.clk < clk && c.ref() != refGC {
		return d.split(p, cl, clk-c.clk)
	}
	return i
}

// cleanEnd returns the run that ends with clk, splitting one if need be.
func (d *Doc) cleanEnd(cl int32, clk uint32) int32 {
	x := &d.clients[cl].index
	p := x.find(d.runs, clk)
	i := x.at(p)
	if c := &d.runs[i]; clk != c.end()-1 && c.ref() != refGC {
		d.split(p, cl, clk-c.clk+1)
	}
	return i
}

// split cuts the run at p in two after its first diff elements and returns the
// new right one.
func (d *Doc) split(p pos, cl int32, diff uint32) int32 {
	li := d.clients[cl].index.at(p)
	x := d.runs[li]
	x.clk += diff
	x.n -= diff
	x.setOrigin(cl, x.clk-1)
	x.l = li
	ri := d.newRun(x)
	left, right := &d.runs[li], &d.runs[ri]
	left.n, left.r = diff, ri
	if right.r != none {
		d.runs[right.r].l = ri
	} else {
		d.lists[right.list()].tail = ri
	}
	d.splitPayload(left, right)
	d.treeSplit(li, ri)
	if g := &d.tx.grown; g.cl == cl && g.clk >= right.clk && g.clk < right.end() {
		g.clk = MaxClock // it is known no more
	}
	d.clients[cl].index.insertAfter(d.runs, p, entry{right.clk, ri})
	d.tx.merge = append(d.tx.merge, mark{cl, right.clk})
	return ri
}

// typeOfRoot returns the root type of that name, created if new.
func (d *Doc) typeOfRoot(name string) int32 {
	if t, ok := d.roots[name]; ok {
		return t
	}
	t := d.newType(none, 0, name)
	d.roots[name] = t
	return t
}

func (d *Doc) newType(item int32, ref uint8, name string) int32 {
	t := int32(len(d.types))
	s := sharedType{item: item, cl: none, ref: ref, name: name, children: d.newList(t, none), firstKey: none, lastKey: none}
	if item != none {
		s.cl, s.clk = d.runs[item].cl(), d.runs[item].clk
	}
	d.types = append(d.types, s)
	return t
}

// holds returns the type that run i holds, or none. What the column says of a format mark is another thing.
func (d *Doc) holds(i int32) int32 {
	if d.runs[i].ref() != refType {
		return none
	}
	return d.typ.at(i)
}

func (d *Doc) newList(typ, key int32) int32 {
	d.lists = append(d.lists, list{typ: typ, key: key, head: none, tail: none, nextKey: none, tree: none})
	return int32(len(d.lists) - 1)
}

// listOfKey returns the list of the values of a key, created if new.
func (d *Doc) listOfKey(typ int32, key []byte) int32 { return d.listOf(typ, d.keyOf(key)) }

// keyOf returns the index of a key, which is added if new.
func (d *Doc) keyOf(key []byte) int32 {
	if k, ok := d.keys[string(key)]; ok {
		return k
	}
	k := int32(len(d.keyNames))
	d.keys[string(key)] = k
	d.keyNames = append(d.keyNames, string(key))
	return k
}

func (d *Doc) listOf(typ, k int32) int32 {
	at := uint64(typ)<<32 | uint64(k)
	if l, ok := d.keyLists[at]; ok {
		return l
	}
	l := d.newList(typ, k)
	d.keyLists[at] = l
	if t := &d.types[typ]; t.lastKey == none {
		t.firstKey, t.lastKey = l, l
	} else {
		d.lists[t.lastKey].nextKey = l
		t.lastKey = l
	}
	return l
}

// liveKey returns the run that holds the present value of a key, or none.
func (d *Doc) liveKey(typ int32, key string) int32 {
	k, ok := d.keys[key]
	if !ok {
		return none
	}
	l, ok := d.keyLists[uint64(typ)<<32|uint64(k)]
	if !ok {
		return none
	}
	if i := d.lists[l].tail; i != none && !d.runs[i].deleted() {
		return i
	}
	return none
}
