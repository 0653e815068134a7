package crdt

import (
	"cmp"
	"slices"
)

// deleteSets are the delete sets of some updates as one, which nobody holds in
// memory: they are read again, client by client.
type deleteSets struct {
	us     []Update
	groups []deleteGroup // clients descending, each client's in the order of updates
	n      uint64        // clients
	spans  []span        // scratch: of one client

	// join makes touching ranges of one client one, as merging does. Else they
	// stay as on the wire, which is how Yjs passes them on, unless they overlap
	// or are out of order: version 2 has no form for those.
	join bool
}

// A deleteGroup is where an update names a client and ranges of it.
type deleteGroup struct {
	client ClientID
	update int32
	off    uint32 // of how many ranges follow
}

// A span is n clocks of a client from clk on.
type span struct{ clk, n uint32 }

func deletesOf(us []Update, join bool) *deleteSets {
	d := &deleteSets{us: us, join: join}
	count := 0
	d.walk(func(ClientID, int, int) { count++ })
	if count == 0 {
		return d
	}
	d.groups = make([]deleteGroup, 0, count)
	d.walk(func(client ClientID, update, off int) {
		d.groups = append(d.groups, deleteGroup{client, int32(update), uint32(off)})
	})
	desc := func(a, b deleteGroup) int { return cmp.Compare(b.client, a.client) }
	if !slices.IsSortedFunc(d.groups, desc) {
		slices.SortStableFunc(d.groups, desc)
	}
	for i := range d.groups {
		if i == 0 || d.groups[i].client != d.groups[i-1].client {
			d.n++
		}
	}
	return d
}

// walk calls f for each client that a delete set names with at least one range.
func (d *deleteSets) walk(f func(client ClientID, update, off int)) {
	for i := range d.us {
		r := reader{b: d.us[i].b, i: d.us[i].ds}
		for range r.count(2) {
			client, off := ClientID(r.uint()), r.i
			n := r.count(2)
			if n > 0 {
				f(client, i, off)
			}
			for range n {
				r.uint()
				r.uint()
			}
		}
	}
}

// ranges returns a reader of how many ranges a group has, and of these.
func (d *deleteSets) ranges(g deleteGroup) reader {
	return reader{b: d.us[g.update].b, i: int(g.off)}
}

// each calls f for each client, descending, with its ranges in order; they are
// f's until it returns.
func (d *deleteSets) each(f func(ClientID, []span)) {
	for g := d.groups; len(g) > 0; {
		client, groups, n := g[0].client, 0, 0
		for ; groups < len(g) && g[groups].client == client; groups++ {
			r := d.ranges(g[groups])
			n += r.count(2)
		}
		s, ordered := slices.Grow(d.spans[:0], n), true
		for ; groups > 0; groups, g = groups-1, g[1:] {
			r := d.ranges(g[0])
			for range r.count(2) {
				x := span{uint32(r.uint()), uint32(r.uint())}
				if k := len(s) - 1; k >= 0 && x.clk < s[k].clk+s[k].n {
					ordered = false
				}
				s = append(s, x)
			}
		}
		if !ordered {
			slices.SortFunc(s, func(a, b span) int { return cmp.Compare(a.clk, b.clk) })
		}
		if d.spans = s; d.join || !ordered {
			s = joinSpans(s)
		}
		f(client, s)
	}
}

// joinSpans joins sorted spans that overlap or touch, in place.
func joinSpans(s []span) []span {
	out := s[:1]
	for _, x := range s[1:] {
		if k := &out[len(out)-1]; x.clk <= k.clk+k.n {
			k.n = max(k.clk+k.n, x.clk+x.n) - k.clk
			continue
		}
		out = append(out, x)
	}
	return out
}

// size returns about how many bytes the sets take, in any version.
func (d *deleteSets) size() int {
	n := 10
	for i := range d.us {
		n += len(d.us[i].b) - d.us[i].ds
	}
	return n
}

// append writes the set in version 1, or 2.
func (d *deleteSets) append(b []byte, v2 bool) []byte {
	b = appendUint(b, d.n)
	d.each(func(client ClientID, spans []span) {
		b = appendUint(appendUint(b, uint64(client)), uint64(len(spans)))
		var at uint32
		for _, s := range spans {
			if v2 {
				b = appendUint(appendUint(b, uint64(s.clk-at)), uint64(s.n-1))
				at = s.clk + s.n
			} else {
				b = appendUint(appendUint(b, uint64(s.clk)), uint64(s.n))
			}
		}
	})
	return b
}
