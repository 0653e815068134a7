package crdt

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// A DeleteSet lists deleted elements: clients descending, clocks ascending,
// ranges neither overlapping nor touching.
type DeleteSet []DeleteRange

// normalize sorts ranges and joins those that overlap or touch, in place.
func normalize(ds []DeleteRange) DeleteSet {
	byWire := func(a, b DeleteRange) int {
		if a.Client != b.Client {
			return cmp.Compare(b.Client, a.Client)
		}
		return cmp.Compare(a.Clock, b.Clock)
	}
	if !slices.IsSortedFunc(ds, byWire) {
		slices.SortStableFunc(ds, byWire)
	}
	out := ds[:0]
	for _, d := range ds {
		if k := len(out) - 1; k >= 0 && out[k].Client == d.Client && out[k].end() >= d.Clock {
			out[k].Len = max(out[k].end(), d.end()) - out[k].Clock
			continue
		}
		out = append(out, d)
	}
	return out
}

// Encode writes the set in version 1:
//
//	nClients { client nRanges { clock len }* }*
func (ds DeleteSet) Encode() []byte { return appendDeleteSet(nil, ds) }

// clientsIn counts groups of equal clients.
func clientsIn(ds []DeleteRange) (n uint64) {
	for i := range ds {
		if i == 0 || ds[i].Client != ds[i-1].Client {
			n++
		}
	}
	return n
}

// appendDeleteSet writes ranges that are already grouped by client.
func appendDeleteSet(b []byte, ds []DeleteRange) []byte {
	b = appendUint(b, clientsIn(ds))
	for len(ds) > 0 {
		n := 1
		for n < len(ds) && ds[n].Client == ds[0].Client {
			n++
		}
		b = appendUint(appendUint(b, uint64(ds[0].Client)), uint64(n))
		for _, d := range ds[:n] {
			b = appendUint(appendUint(b, uint64(d.Clock)), uint64(d.Len))
		}
		ds = ds[n:]
	}
	return b
}

// A rangeReader reads the ranges of a delete set one after the other, in wire
// order.
type rangeReader struct {
	*reader
	v2      bool
	clients int // still to come
	left    int // ranges of the present client to come
	client  ClientID
	clock   uint64 // version 2: where the range before ended
}

// readDeletes begins to read the delete set at r.
func readDeletes(r *reader, v2 bool) rangeReader {
	return rangeReader{reader: r, v2: v2, clients: r.count(2)}
}

// next reads one and reports whether there was one. Version 2 has clocks as
// distances from the end of the range before, and lengths less one.
func (r *rangeReader) next(g *DeleteRange) bool {
	for r.left == 0 {
		if r.clients == 0 || r.err != nil {
			return false
		}
		r.client, r.left, r.clock = ClientID(r.uint()), r.count(2), 0
		r.clients--
	}
	if !r.v2 {
		if clock, n, end := fastRange(r.b, r.i); end > 0 {
			r.i, r.left = end, r.left-1
			*g = DeleteRange{r.client, clock, n}
			return true
		}
	}
	at := r.i
	clock, size := r.uint(), r.uint()
	if r.v2 {
		clock, size = clock+r.clock, size+1
	}
	switch {
	case r.err != nil:
		return false
	case size == 0:
		r.failAt("empty delete range", at)
		return false
	case clock > MaxClock || size > MaxClock-clock:
		r.failAt("delete range past clock 2^32-1", at)
		return false
	}
	r.left--
	r.clock = clock + size
	*g = DeleteRange{r.client, uint32(clock), uint32(size)}
	return true
}

// skip passes ranges of version 1 that each begin at the clock from or later, where
// the one before ended, as long as they are what most are. It returns where the last
// ends.
func (r *rangeReader) skip(from uint32) uint32 {
	for ; r.left > 0; r.left-- {
		clock, n, end := fastRange(r.b, r.i)
		if end == 0 || clock < from {
			break
		}
		r.i, from = end, clock+n
	}
	return from
}

// fastRange reads at i what most ranges are, a clock of 3 bytes and a length of one.
// It returns where the range ends, or 0 if it is another or is not valid.
func fastRange(b []byte, i int) (clock, n uint32, end int) {
	if i+4 > len(b) {
		return 0, 0, 0
	}
	x := binary.LittleEndian.Uint32(b[i:])
	clock, n = x&0x7f|x>>1&0x3f80|x>>2&0x1fc000, x>>24
	if x&0x80808080 != 0x8080 || clock < 1<<14 || n == 0 {
		return 0, 0, 0
	}
	return clock, n, i + 4
}

// DecodeDeleteSet reads a version 1 delete set and normalizes it. A range takes
// 2 bytes at least, and 16 in the set.
func DecodeDeleteSet(b []byte) (DeleteSet, error) {
	r := reader{b: b}
	ds := decodeDeletes(&r, false)
	if err := r.end(); err != nil {
		return nil, err
	}
	return ds, nil
}

// decodeDeletes reads the delete set at r, normalized. It counts the ranges
// first: a slice that grows would take several times their memory.
func decodeDeletes(r *reader, v2 bool) DeleteSet {
	n := 0
	var g DeleteRange
	ahead := *r
	for x := readDeletes(&ahead, v2); x.next(&g); {
		n++
	}
	if n == 0 || ahead.err != nil {
		*r = ahead
		return nil
	}
	ds := make([]DeleteRange, 0, n)
	for x := readDeletes(r, v2); x.next(&g); {
		ds = append(ds, g)
	}
	return normalize(ds)
}

// without returns the elements of ds that o does not list.
func (ds DeleteSet) without(o DeleteSet) DeleteSet {
	var out DeleteSet
	for _, d := range ds {
		from, end := d.Clock, d.Clock+d.Len
		for _, g := range o.touching(d.Client, from, end) {
			if g.Clock > from {
				out = append(out, DeleteRange{d.Client, from, g.Clock - from})
			}
			from = g.Clock + g.Len
		}
		if from < end {
			out = append(out, DeleteRange{d.Client, from, end - from})
		}
	}
	return out
}

// touching returns the ranges that have an element of client from ≤ clock < to.
func (ds DeleteSet) touching(client ClientID, from, to uint32) DeleteSet {
	first, _ := slices.BinarySearchFunc(ds, from, func(g DeleteRange, from uint32) int {
		if g.Client != client {
			return cmp.Compare(client, g.Client)
		}
		if g.Clock+g.Len <= from {
			return -1
		}
		return 1
	})
	n := first
	for n < len(ds) && ds[n].Client == client && ds[n].Clock < to {
		n++
	}
	return ds[first:n]
}
