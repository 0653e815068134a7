package crdt

import (
	"errors"
	"fmt"
)

// ErrCollected is returned for a past state of a document that collects what is
// deleted. See [WithoutGC].
var ErrCollected = errors.New("the document collects what is deleted")

// ErrAhead is returned for a snapshot of elements that the document lacks.
var ErrAhead = errors.New("the snapshot is ahead of the document")

// A Snapshot names a state of a document: what had been inserted by then, and
// what of it deleted.
type Snapshot struct {
	Deletes DeleteSet
	State   StateVector
}

// Snapshot returns the document's present state.
func (d *Doc) Snapshot() Snapshot { return Snapshot{d.DeleteSet(), d.StateVector()} }

// Encode writes the snapshot in version 1: the delete set, then the state
// vector.
func (s Snapshot) Encode() []byte { return append(s.Deletes.Encode(), s.State.Encode()...) }

// EncodeV2 writes the snapshot in version 2, which differs in the delete set.
func (s Snapshot) EncodeV2() []byte {
	return append(appendDeleteSetV2(nil, s.Deletes), s.State.Encode()...)
}

// DecodeSnapshot reads what [Snapshot.Encode] or Yjs wrote.
func DecodeSnapshot(v1 []byte) (Snapshot, error) {
	r := reader{b: v1}
	s := Snapshot{Deletes: decodeDeletes(&r, false)}
	return s.finish(&r)
}

// DecodeSnapshotV2 is [DecodeSnapshot] for version 2.
func DecodeSnapshotV2(v2 []byte) (Snapshot, error) {
	r := reader{b: v2}
	s := Snapshot{Deletes: decodeDeletes(&r, true)}
	return s.finish(&r)
}

// finish reads the state vector behind the delete set.
func (s Snapshot) finish(r *reader) (Snapshot, error) {
	s.State = readStateVector(r)
	if err := r.end(); err != nil {
		return Snapshot{}, err
	}
	return s, nil
}

// Contains reports whether a document in this state gains nothing from u.
func (s Snapshot) Contains(u *Update) bool {
	if u.Novel(s.State) {
		return false
	}
	all := normalize(append(append([]DeleteRange(nil), s.Deletes...), u.Deletes()...))
	return len(all) == len(s.Deletes) && fmt.Sprint(all) == fmt.Sprint(s.Deletes)
}

// At returns the document as it was at s, as a document of its own.
//
// Source: yjs Snapshot.js, createDocFromSnapshot.
func (d *Doc) At(s Snapshot) (*Doc, error) {
	if d.gc {
		return nil, ErrCollected
	}
	var w writerV1
	w.internal = true
	for _, c := range d.byClient() {
		cl := &d.clients[c]
		to := s.State[d.ids[c]]
		if to > uint64(cl.next) {
			return nil, ErrAhead
		}
		if to > 0 {
			d.writeUntil(c, uint32(to), &w)
		}
	}
	for id, clk := range s.State {
		if clk > d.state(id) {
			return nil, ErrAhead
		}
	}
	past := New(d.name)
	if err := past.Apply(decodeOwn(w.finish(s.Deletes))); err != nil {
		return nil, err
	}
	return past, nil
}

// writeUntil writes the structs of a client up to a clock, cutting the last.
func (d *Doc) writeUntil(c int32, to uint32, w writer) {
	var b block
	x := &d.clients[c].index
	for p, ok := x.find(d.runs, 0), true; ok; p, ok = x.next(p) {
		d.blockOf(x.at(p), &b)
		if b.clock >= to {
			return
		}
		if b.end() > to {
			b.content = prefix(b.ref, b.content, b.n, to-b.clock)
			b.n = to - b.clock
		}
		w.block(&b)
	}
}

// prefix returns the first k of n elements of content. A surrogate pair that is
// cut becomes U+FFFD.
func prefix(ref uint8, content []byte, n, k uint32) []byte {
	switch ref {
	case refString:
		if int(n) == len(content) {
			return content[:k]
		}
		at, inPair := utf16Offset(content, int(k))
		if inPair {
			return append(content[:at:at], replacement...)
		}
		return content[:at]
	case refJSON, refAny:
		return content[:elementOffset(ref, content, k)]
	default:
		return content
	}
}
