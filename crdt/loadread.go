package crdt

import (
	"maps"
	"slices"
)

// How a loader makes runs of the structs of an update.

// read1 makes the runs of a version 1 update.
func (l *loader) read1(v1 []byte) bool {
	r := reader{b: v1}
	l.d.pay = make([]byte, 0, len(v1)/2)
	var b block
	if l.most = r.count(3); !l.expect(r.left()) {
		return false
	}
	for range l.most {
		count, client, clock := r.count(2), ClientID(r.uint()), r.uint()
		if r.err != nil || clock != 0 || !l.begin(client, count, r.left()) {
			return false
		}
		x := skimmer{structs: structs{r: r, own: ownerOf(client), left: uint32(count)}}
		var p piece
		for x.left > 0 {
			if l.skim(&x) {
				continue
			}
			if end := x.own.piece(v1, x.r.i, x.clock, &p); end > 0 {
				l.addPiece(x.clock, &p, v1[p.from:p.from+p.size])
				x.r.i, x.clock, x.left = end, x.clock+p.n, x.left-1
			} else if !x.next(&b) || !l.add(&b) {
				return false
			}
		}
		l.end(x.clock)
		if r = x.r; r.err != nil {
			return false
		}
	}
	l.deletes = r
	l.plain = plainDeletes(&r)
	return r.end() == nil
}

// read2 makes the runs of a version 2 update.
func (l *loader) read2(v2 []byte) bool {
	var d decoderV2
	if !d.open(v2) {
		return false
	}
	l.d.pay = make([]byte, 0, len(d.str)+len(v2)/64)
	b, some := block{}, batch{most: mostSkimmed}
	if l.most = d.rest.count(2); !l.expect(len(v2)) {
		return false
	}
	for range l.most {
		count, client, clock := d.rest.uint(), ClientID(d.col[colClient].uint()), d.rest.uint()
		if d.err() != nil || clock != 0 || count > MaxClock || !l.begin(client, int(count), len(v2)) {
			return false
		}
		b.client, b.clock = client, 0
		for left := count; left > 0; {
			n, next := l.skim2(&d, &some, b.clock, left)
			if left, b.clock = left-n, next; n > 0 {
				if !l.fits() {
					return false
				}
				continue
			}
			if d.rest.err != nil || !d.fastBlock(&b) && !d.anyBlock(&b) || !l.add(&b) {
				return false
			}
			left, b.clock = left-1, b.clock+b.n
		}
		l.end(b.clock)
	}
	d.out = slices.Grow(d.out[:0], 2*d.rest.left()) // clocks are longer than the distances between them
	d.deletes()
	if d.rest.end() != nil || d.err() != nil {
		return false
	}
	l.deletes = reader{b: d.out}
	l.plain = plainDeletes(&reader{b: d.out})
	return true
}

// expect makes room for some of the clients that are to come in so many bytes.
func (l *loader) expect(size int) bool {
	if l.most > maxClients {
		return false
	}
	l.clients = min(l.most, mostSections(size))
	l.widen((l.clients + 7) / 8)
	return true
}

// widen makes room for n clients: an eighth of the claim first, for it may be a
// lie, then for all, for what grows slowly takes several times its memory.
func (l *loader) widen(n int) {
	d := l.d
	d.clients = append(make([]client, 0, n), d.clients...)
	d.ids = append(make([]ClientID, 0, n), d.ids...)
	l.parts = append(make([]part, 0, n), l.parts...)
	l.order = append(make([]int32, 0, n), l.order...)
	byID := make(map[ClientID]int32, n)
	maps.Copy(byID, d.byID)
	d.byID = byID
}

// begin starts the structs of a client, so many in at most size bytes.
func (l *loader) begin(id ClientID, count, size int) bool {
	l.id, l.cl = id, l.client(id)
	if count == 0 || l.parts[l.cl].there {
		return false
	}
	l.order = append(l.order, l.cl)
	l.parts[l.cl] = part{first: int32(len(l.d.runs)), next: int32(len(l.d.runs)), there: true}
	l.count = count
	if n := min(count, size/8); cap(l.d.runs)-len(l.d.runs) < n {
		l.grow(n + min(l.most-len(l.order), size/32))
	}
	return true
}

// add makes a run of b.
func (l *loader) add(b *block) bool {
	d := l.d
	x := l.room() // every field is set, in place: it is read again soon
	x.clk, x.n, x.l, x.r, x.oK, x.rK = b.clock, b.n, none, none, 0, 0
	x.pay, x.payLen = uint32(len(d.pay)), uint32(len(b.content))
	d.pay = append(d.pay, b.content...)
	x.bits = bitsOf(none, b.ref)
	oC, rC := none, none
	switch {
	case b.ref == refSkip:
		return false
	case b.ref == refGC:
		if x.bits |= isDeleted; l.collected() {
			return true
		}
	case b.hasOrigin || b.hasRight:
		if b.hasOrigin {
			oC, x.oK = l.client(b.origin.Client), uint32(b.origin.Clock)
		}
		if b.hasRight {
			rC, x.rK = l.client(b.right.Client), uint32(b.right.Clock)
		}
	default:
		x.l = int32(len(l.parents))
		l.parents = append(l.parents, l.parent(b))
	}
	x.clients = clientsOf(l.cl, oC, rC)
	if b.ref == refType {
		l.holders++
	}
	l.free -= b.lists()
	return l.free >= 0 && len(d.clients) <= l.most && l.fits()
}

// fits reports whether the runs are no more than an update of its size may make.
func (l *loader) fits() bool {
	d := l.d
	return len(d.pay) <= l.limit/8 && len(d.runs)*runSize < l.limit+8*len(d.pay)
}

// room returns the place of the next run.
func (l *loader) room() *run {
	d := l.d
	n := len(d.runs)
	if n == cap(d.runs) {
		l.grow(1)
	}
	d.runs = d.runs[:n+1]
	return &d.runs[n]
}

// grow makes room for n more runs at least, and twice as many as there are at
// most: the update says how many come, but may lie.
func (l *loader) grow(n int) {
	runs := l.d.runs
	toCome := l.count - (len(runs) - int(l.parts[l.cl].next)) + l.most - len(l.order)
	n = max(n, min(toCome, len(runs)), len(runs)/4)
	l.d.runs = append(make([]run, 0, len(runs)+n), runs...)
}

// collected joins the last run to the one before it if that is of the same client
// and collected, too: 2 bytes on the wire must not cost a run each.
func (l *loader) collected() bool {
	d := l.d
	n := len(d.runs) - 1
	if n == int(l.parts[l.cl].next) || d.runs[n-1].ref() != refGC {
		return false
	}
	d.runs[n-1].n += d.runs[n].n
	d.runs = d.runs[:n]
	return true
}

// addPiece makes a run of p.
func (l *loader) addPiece(clock uint32, p *piece, content []byte) {
	d, x := l.d, l.room()
	x.clk, x.n, x.l, x.r, x.oK, x.rK = clock, p.n, none, none, p.oK, p.rK
	x.pay, x.payLen = uint32(len(d.pay)), uint32(len(content))
	d.pay = append(d.pay, content...)
	x.bits = bitsOf(none, p.info&infoRef)
	x.clients = clientsOf(l.cl, l.cl|(int32(p.info>>7)-1), l.cl|(int32(p.info>>6&1)-1)) // none is -1
}

func (l *loader) parent(b *block) parent {
	p := parent{typ: none, key: none}
	if b.parentRoot {
		p.typ = l.d.rootOf(b.root)
	} else {
		p.cl, p.clk = l.client(b.parent.Client), uint32(b.parent.Clock)
	}
	if b.hasSub {
		p.key = l.d.keyOf(b.sub)
	}
	return p
}

// end ends the structs of a client, which has no clock from next on.
func (l *loader) end(next uint32) {
	p := &l.parts[l.cl]
	p.end, p.clock = int32(len(l.d.runs)), next
}

// client returns the index of a client, which is added if new.
func (l *loader) client(id ClientID) int32 {
	if id == l.id && l.cl != none {
		return l.cl
	}
	if n := len(l.d.ids); n == cap(l.d.ids) && n < l.clients {
		l.widen(l.clients)
	}
	c := l.d.clientOf(id)
	for len(l.parts) <= int(c) {
		l.parts = append(l.parts, part{})
	}
	return c
}
