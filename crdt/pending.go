package crdt

// pending is what could not be applied yet. Yjs keeps it, too, and hands it on
// with the rest of the document.
type pending struct {
	structs []*Update           // each without deletes
	missing map[ClientID]uint32 // a struct waits until the client has this clock
	deletes []DeleteRange
}

// wait records that something waits for clock clk of a client.
func (p *pending) wait(id ClientID, clk uint32) {
	if p.missing == nil {
		p.missing = make(map[ClientID]uint32)
	}
	if old, ok := p.missing[id]; !ok || clk < old {
		p.missing[id] = clk
	}
}

// mergeAtOnce is up to how many bytes parked structs are merged as they come,
// which is what Yjs does; where peers cut the same text differently the order
// of merging shows in the bytes. Beyond, merging waits until it is needed, lest
// many small updates cost the square of their number.
const mergeAtOnce = 4 << 10

func (p *pending) add(u *Update) {
	p.structs = append(p.structs, u)
	if len(p.structs) == 2 && len(p.structs[0].b) < mergeAtOnce {
		p.merged()
	}
}

// merged returns the parked structs as one update, or nil.
func (p *pending) merged() *Update {
	switch len(p.structs) {
	case 0:
		return nil
	case 1:
		return p.structs[0]
	}
	us := make([]Update, len(p.structs))
	for i, u := range p.structs {
		us[i] = *u
	}
	w := newWriterV1(structBytes(us))
	w.internal = true
	mergeBlocks(us, w)
	p.structs = append(p.structs[:0], decodeOwn(w.finish(nil)))
	return p.structs[0]
}

// decodeOwn decodes what this package has just encoded.
func decodeOwn(b []byte) *Update {
	u := new(Update)
	if err := u.decode(b, true, nil); err != nil {
		panic("crdt: own encoding refused: " + err.Error())
	}
	return u
}

// fits reports whether d has room for the clients and lists of u, and for those
// that wait.
func (p *pending) fits(d *Doc, u *Update) bool {
	clients, lists := len(d.clients)+len(u.sections), len(d.lists)+u.lists
	for _, w := range p.structs {
		clients, lists = clients+len(w.sections), lists+w.lists
	}
	return clients <= maxClients && lists <= maxLists
}

// A feed is what is left of one client's structs in an update. It is small: an
// update may bring a client for 7 bytes.
type feed struct {
	client      ClientID
	off         uint32 // of the next struct
	clock, left uint32
	waits       bool // the next is on the stack, for what it depends on
	parked      bool
}

// structs reads what is left.
func (f *feed) structs(u *Update) structs {
	return u.structs(section{client: f.client, clock: f.clock, count: f.left, off: f.off})
}

// ready reports whether there is a struct that is neither integrated nor parked.
func (f *feed) ready() bool { return f.left > 0 && !f.parked }

// applyStructs integrates what can be integrated of u and parks the rest.
//
// Source: yjs encoding.js, integrateStructs.
func (d *Doc) applyStructs(u *Update) {
	d.reserve(u)
	feeds := d.tx.feeds[:0]
	if n := len(u.sections); cap(feeds) < n {
		feeds = make([]feed, 0, n)
	}
	for k := range u.sections {
		s := u.nth(k)
		feeds = append(feeds, feed{client: s.client, off: s.off, clock: s.clock, left: s.count})
	}
	parked := false
	for i := range feeds {
		if !d.settle(u, feeds, i) {
			parked = true
		}
	}
	if parked {
		d.park(u, feeds)
	}
	if d.tx.feeds = feeds[:0]; cap(feeds) > keepScratch {
		d.tx.feeds = nil
	}
}

// settle integrates the structs of feeds[i], each after those it depends on. If
// one of them is nowhere, it parks the feeds that wait for it.
func (d *Doc) settle(u *Update, feeds []feed, i int) bool {
	var b block // the next of the feed on top of the stack
	var x structs
	open := -1 // the feed that x reads
	for feeds[i].ready() {
		stack := append(d.tx.stack[:0], i)
		for len(stack) > 0 {
			top := stack[len(stack)-1]
			f := &feeds[top]
			if top != open {
				x, open = f.structs(u), top
			}
			x.peek(&b)
			if b.ref != refSkip {
				state := d.state(b.client)
				client, ok := d.missing(&b)
				switch {
				case uint64(b.clock) > state:
					d.pending.wait(b.client, b.clock-1)
					return d.parkStack(feeds, stack)
				case ok:
					k := feedOf(feeds, client)
					f.waits = true
					if k < 0 || !feeds[k].ready() || feeds[k].waits {
						d.pending.wait(client, uint32(d.state(client)))
						return d.parkStack(feeds, stack)
					}
					stack = append(stack, k)
					continue
				case uint64(b.end()) > state:
					d.integrate(&b, uint32(state)-b.clock)
				default:
					d.cutFor(&b)
				}
			}
			x.advance(&b)
			f.off, f.clock, f.left, f.waits = uint32(x.r.i), x.clock, x.left, false
			stack = stack[:len(stack)-1]
		}
		d.tx.stack = stack
	}
	return true
}

// cutFor splits runs where the known struct b starts and ends in them, as Yjs
// does even though b adds nothing. They join again when the transaction ends,
// but a surrogate pair that another replica has cut is then cut here, too.
func (d *Doc) cutFor(b *block) {
	if b.hasOrigin {
		d.cleanEnd(d.lookup(b.origin.Client), uint32(b.origin.Clock))
	}
	if b.hasRight {
		d.cleanStart(d.lookup(b.right.Client), uint32(b.right.Clock))
	}
}

// missing returns a client that b depends on and that has not got far enough.
func (d *Doc) missing(b *block) (ClientID, bool) {
	switch {
	case b.hasOrigin && d.lacks(b, b.origin):
		return b.origin.Client, true
	case b.hasRight && d.lacks(b, b.right):
		return b.right.Client, true
	case b.parentID && d.lacks(b, b.parent):
		return b.parent.Client, true
	}
	return 0, false
}

func (d *Doc) lacks(b *block, id ID) bool {
	return id.Client != b.client && id.Clock >= d.state(id.Client)
}

// feedOf finds the feed of a client; feeds are in descending order.
func feedOf(feeds []feed, id ClientID) int {
	lo, hi := 0, len(feeds)
	for lo < hi {
		if mid := (lo + hi) / 2; feeds[mid].client > id {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo < len(feeds) && feeds[lo].client == id {
		return lo
	}
	return -1
}

func (d *Doc) parkStack(feeds []feed, stack []int) bool {
	for _, k := range stack {
		feeds[k].parked = true
	}
	d.tx.stack = stack[:0]
	return false
}

// park keeps what the parked feeds have left.
func (d *Doc) park(u *Update, feeds []feed) {
	w := newWriterV1(u.ds)
	w.internal = true
	var b block
	for i := range feeds {
		if f := &feeds[i]; f.parked {
			for x := f.structs(u); x.next(&b); {
				w.block(&b)
			}
		}
	}
	d.pending.add(decodeOwn(w.finish(nil)))
}
