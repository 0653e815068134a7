package crdt

import (
	"cmp"
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
		if k := len(out) - 1; k >= 0 && out[k].Client == d.Client && out[k].Clock+out[k].Len >= d.Clock {
			out[k].Len = max(out[k].Len, d.Clock+d.Len-out[k].Clock)
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
			b = appendUint(appendUint(b, d.Clock), d.Len)
		}
		ds = ds[n:]
	}
	return b
}

// readDeleteSet calls f for each range on the wire, in wire order, and returns
// how many times it names a client.
func readDeleteSet(r *reader, f func(DeleteRange)) (clients int) {
	clients = r.count(2)
	for range clients {
		client := ClientID(r.uint())
		for range r.count(2) {
			at := r.i
			d := DeleteRange{Client: client, Clock: r.uint(), Len: r.uint()}
			if r.err != nil {
				return clients
			}
			if d.Len == 0 {
				r.failAt("empty delete range", at)
				return clients
			}
			if d.Clock > MaxClock || d.Len > MaxClock-d.Clock {
				r.failAt("delete range past clock 2^32-1", at)
				return clients
			}
			f(d)
		}
		if r.err != nil {
			return clients
		}
	}
	return clients
}

// DecodeDeleteSet reads a version 1 delete set and normalizes it.
func DecodeDeleteSet(b []byte) (DeleteSet, error) {
	r := reader{b: b}
	var ds []DeleteRange
	readDeleteSet(&r, func(d DeleteRange) { ds = append(ds, d) })
	if err := r.end(); err != nil {
		return nil, err
	}
	return normalize(ds), nil
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
func (ds DeleteSet) touching(client ClientID, from, to uint64) DeleteSet {
	first, _ := slices.BinarySearchFunc(ds, from, func(g DeleteRange, from uint64) int {
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
