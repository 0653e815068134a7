package crdt

import (
	"cmp"
	"maps"
	"slices"
)

// A StateVector holds the next clock of each client: a replica has all elements
// below it. Clients it has nothing of are absent.
type StateVector map[ClientID]uint64

// DecodeStateVector reads what [StateVector.Encode] or Yjs wrote.
// A client may be named once. The map takes up to 8 times the bytes and 1 MB, of
// more than 200,000 clients up to 10 times.
func DecodeStateVector(b []byte) (StateVector, error) {
	r := reader{b: b}
	sv := readStateVector(&r)
	if err := r.end(); err != nil {
		return nil, err
	}
	return sv, nil
}

// readStateVector returns nil if it fails.
func readStateVector(r *reader) StateVector {
	n := r.count(2)
	sv := make(StateVector, min(n, (r.left()+2<<7+1<<14)/4)) // ids of many take 3 bytes and more
	for range n {
		at := r.i
		client, clock := ClientID(r.uint()), r.uint()
		if r.err != nil {
			return nil
		}
		if clock > MaxClock {
			r.failAt("clock above 2^32-1", at)
			return nil
		}
		if _, ok := sv[client]; ok {
			r.failAt("client named twice", at)
			return nil
		}
		sv[client] = clock
	}
	return sv
}

// Encode writes sv, clients descending, as Yjs does.
func (sv StateVector) Encode() []byte {
	clients := slices.SortedFunc(maps.Keys(sv), func(a, b ClientID) int { return cmp.Compare(b, a) })
	b := appendUint(make([]byte, 0, 1+8*len(sv)), uint64(len(sv)))
	for _, c := range clients {
		b = appendUint(appendUint(b, uint64(c)), sv[c])
	}
	return b
}

// Covers reports whether sv has the element id.
func (sv StateVector) Covers(id ID) bool { return id.Clock < sv[id.Client] }
