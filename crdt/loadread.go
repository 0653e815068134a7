package crdt

import "slices"

// How a loader makes runs of the structs of an update.

// read1 makes the runs of a version 1 update.
func (l *loader) read1(v1 []byte) bool {
	r := reader{b: v1}
	var b block
	if l.most = r.count(3); l.most > maxClients {
		return false
	}
	for range l.most {
		count, client, clock := r.count(2), ClientID(r.uint()), r.uint()
		if r.err != nil || clock != 0 || !l.begin(client, count, r.left()) {
			return false
		}
		x := structs{r: r, own: ownerOf(client), left: uint32(count)}
		var p piece
		for x.left > 0 {
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
	var b block
	if l.most = d.rest.count(2); l.most > maxClients {
		return false
	}
	for range l.most {
		count, client, clock := d.rest.uint(), ClientID(d.col[colClient].uint()), d.rest.uint()
		if d.err() != nil || clock != 0 || count > MaxClock || !l.begin(client, int(count), len(v2)) {
			return false
		}
		b.client, b.clock = client, 0
		for range count {
			if !d.fastBlock(&b) && !d.anyBlock(&b) || !l.add(&b) {
				return false
			}
			b.clock += b.n
		}
		l.end(b.clock)
	}
	d.out = d.out[:0]
	d.deletes()
	if d.rest.end() != nil || d.err() != nil {
		return false
	}
	l.deletes = reader{b: d.out}
	l.plain = plainDeletes(&reader{b: d.out})
	return true
}

// begin starts the structs of a client, so many in at most size bytes.
func (l *loader) begin(id ClientID, count, size int) bool {
	l.id, l.cl = id, l.client(id)
	if count == 0 || l.parts[l.cl].there {
		return false
	}
	l.d.runs = slices.Grow(l.d.runs, min(count, size/8))
	l.order = append(l.order, l.cl)
	l.parts[l.cl] = part{next: int32(len(l.d.runs)), there: true}
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
		x.bits |= isDeleted
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
	l.free -= b.lists()
	return l.free >= 0 && len(d.clients) <= l.most && len(d.pay) <= l.limit/8 && len(d.runs)*runSize < l.limit+8*len(d.pay)
}

// room returns the place of the next run.
func (l *loader) room() *run {
	d := l.d
	n := len(d.runs)
	if n == cap(d.runs) {
		d.runs = slices.Grow(d.runs, 1)
	}
	d.runs = d.runs[:n+1]
	return &d.runs[n]
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
	c := l.d.clientOf(id)
	for len(l.parts) <= int(c) {
		l.parts = append(l.parts, part{})
	}
	return c
}
