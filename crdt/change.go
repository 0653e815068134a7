package crdt

import (
	"cmp"
	"slices"
)

// A Change says what one transaction did to a document: local edits, or an
// update that was applied. Format marks and what was deleted at once are among
// what was inserted.
type Change struct {
	Inserted  []ClockRange  // elements new here, clients descending
	Deleted   []DeleteRange // elements deleted, by the client that had inserted them
	Formatted []FormatMark  // marks that came and are alive
}

// A FormatMark turns a format of a text on for what follows it, or off if Value
// is nil. Its author is ID.Client.
type FormatMark struct {
	ID    ID
	Key   string
	Value any
}

// LastChange returns what the last transaction did. It can be asked until the
// next begins.
func (d *Doc) LastChange() Change {
	var c Change
	for _, cl := range d.changed() {
		x := &d.clients[cl]
		c.Inserted = append(c.Inserted, ClockRange{d.ids[cl], uint64(x.before), uint64(x.next)})
		for p, ok := x.index.find(d.runs, x.before), true; ok; p, ok = x.index.next(p) {
			i := x.index.at(p)
			if r := &d.runs[i]; r.clk >= x.before && r.liveFormat() != 0 {
				c.Formatted = append(c.Formatted, d.formatMark(i))
			}
		}
	}
	c.Deleted = slices.Clone(d.lastDeletes())
	return c
}

func (d *Doc) formatMark(i int32) FormatMark {
	x := &d.runs[i]
	return readFormat(ID{d.ids[x.cl()], uint64(x.clk)}, d.content(x), x.ref())
}

// changed returns the clients that the last transaction brought elements of,
// descending. The result is scratch.
func (d *Doc) changed() []int32 {
	cs := d.tx.clients
	if len(cs) > 1 {
		slices.SortFunc(cs, func(a, b int32) int { return cmp.Compare(d.ids[b], d.ids[a]) })
	}
	return cs
}

// lastDeletes returns what the last transaction deleted, clients descending. The
// result is scratch.
func (d *Doc) lastDeletes() []DeleteRange {
	if len(d.tx.ds) == 0 {
		return nil
	}
	ds := d.txn.ranges[:0]
	for _, x := range d.tx.ds {
		ds = append(ds, DeleteRange{d.ids[x.cl], x.clk, x.n})
	}
	d.txn.ranges = ds
	if ds[0].Client != ds[len(ds)-1].Client { // they are sorted by clock already
		slices.SortStableFunc(ds, func(a, b DeleteRange) int { return cmp.Compare(b.Client, a.Client) })
	}
	return ds
}

// LastUpdate returns what the last transaction did as a version 1 update, nil if
// it did nothing. It can be asked until the next begins.
func (d *Doc) LastUpdate() []byte {
	if len(d.tx.clients) == 0 && len(d.tx.ds) == 0 {
		return nil
	}
	out := d.txn.update
	if cap(out) > keepScratch {
		out = nil
	}
	out = appendUint(out[:0], uint64(len(d.tx.clients)))
	for _, c := range d.changed() {
		out = d.appendNew(out, c)
	}
	out = appendDeleteSet(out, d.lastDeletes())
	d.txn.update = out
	update := make([]byte, len(out))
	copy(update, out)
	return update
}

// appendNew writes the structs that the last transaction brought of a client.
func (d *Doc) appendNew(out []byte, c int32) []byte {
	cl := &d.clients[c]
	first := cl.index.find(d.runs, cl.before)
	n := 1
	for p, ok := cl.index.next(first); ok; p, ok = cl.index.next(p) {
		n++
	}
	out = appendUint(appendUint(appendUint(out, uint64(n)), uint64(d.ids[c])), uint64(cl.before))
	b := &d.txn.block
	for p, ok := first, true; ok; p, ok = cl.index.next(p) {
		d.blockFrom(c, cl.index.at(p), cl.before, b)
		out = appendBlock(out, b, false)
	}
	*b = block{}
	return out
}

// LastUpdateV2 is [Doc.LastUpdate] in version 2.
func (d *Doc) LastUpdateV2() []byte {
	if len(d.tx.clients) == 0 && len(d.tx.ds) == 0 {
		return nil
	}
	w := new(writerV2)
	for _, c := range d.changed() {
		d.writeClient(c, uint64(d.clients[c].before), w)
	}
	return w.finish(d.lastDeletes())
}
