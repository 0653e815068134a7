package crdt

import "fmt"

// EncodeStateAsUpdate returns, in version 1, what a replica with the encoded
// state vector sv lacks, everything if sv is nil: the structs, all deletes, and
// what is pending here.
func (d *Doc) EncodeStateAsUpdate(sv []byte) ([]byte, error) {
	return d.encodeState(sv, func() writer { return new(writerV1) })
}

func (d *Doc) encodeState(sv []byte, newWriter func() writer) ([]byte, error) {
	have := StateVector{}
	if sv != nil {
		var err error
		if have, err = DecodeStateVector(sv); err != nil {
			return nil, fmt.Errorf("state vector: %w", err)
		}
	}
	if !d.HasPending() {
		w := newWriter()
		d.writeStructs(have, w)
		return w.finish(d.DeleteSet()), nil
	}
	own := &writerV1{internal: true}
	d.writeStructs(have, own)
	us := []Update{
		*decodeOwn(own.finish(d.DeleteSet())),
		*decodeOwn(appendDeleteSet([]byte{0}, d.pending.deletes)),
	}
	if u := d.pending.merged(); u != nil {
		rest := &writerV1{internal: true}
		diffBlocks(u, have, rest)
		us = append(us, *decodeOwn(rest.finish(nil)))
	}
	w := newWriter()
	mergeBlocks(us, w)
	return w.finishAll(us, true), nil
}

// writeStructs writes what have lacks, clients descending.
func (d *Doc) writeStructs(have StateVector, w writer) {
	for _, c := range d.byClient() {
		cl := &d.clients[c]
		if from := have[d.ids[c]]; uint64(cl.next) > from {
			d.writeClient(c, from, w)
		}
	}
}

// writeClient writes the structs of a client from a clock on that it has.
func (d *Doc) writeClient(c int32, from uint64, w writer) {
	b := &d.txn.block
	cl := &d.clients[c]
	for p, ok := cl.index.find(d.runs, uint32(from)), true; ok; p, ok = cl.index.next(p) {
		d.blockFrom(c, cl.index.at(p), uint32(from), b)
		w.block(b)
	}
	*b = block{}
}

// blockFrom describes what run i of client c has from a clock on as a struct of
// an update.
func (d *Doc) blockFrom(c, i int32, from uint32, b *block) {
	d.blockOf(i, b)
	switch g := &d.tx.grown; {
	case b.clock >= from:
	case g.cl == c && g.clk == from && b.ref != refDeleted:
		b.sliceAt(from-b.clock, int(g.off))
	default:
		b.slice(from - b.clock)
	}
}

// blockOf describes run i as a struct of an update.
func (d *Doc) blockOf(i int32, b *block) {
	x := &d.runs[i]
	*b = block{client: d.ids[x.cl()], clock: x.clk, n: x.n, ref: x.ref()}
	if x.ref() == refGC {
		return
	}
	b.content = d.content(x)
	if x.oC() != none {
		b.hasOrigin, b.origin = true, ID{d.ids[x.oC()], uint64(x.oK)}
	}
	if x.rC() != none {
		b.hasRight, b.right = true, ID{d.ids[x.rC()], uint64(x.rK)}
	}
	l := &d.lists[x.list()]
	if l.key != none {
		b.hasSub, b.sub = true, []byte(d.keyNames[l.key])
	}
	if b.hasOrigin || b.hasRight {
		return
	}
	if t := &d.types[l.typ]; t.item == none {
		b.parentRoot, b.root = true, []byte(t.name)
	} else {
		parent := &d.runs[t.item]
		b.parentID, b.parent = true, ID{d.ids[parent.cl()], uint64(parent.clk)}
	}
}
