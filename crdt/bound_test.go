package crdt

import (
	"bytes"
	"runtime"
	"testing"
)

// hostile are updates made to take much memory for their size: more of one thing
// than anybody needs, in as few bytes as it fits.
func hostile() map[string][]byte {
	n := 150_000
	if checking || testing.Short() {
		n = 15_000
	}
	section := func(b []byte, structs int, client, clock uint64) []byte {
		return appendUint(appendUint(appendUint(b, uint64(structs)), client), clock)
	}
	of := func(structs int, each func(b []byte, i int) []byte) []byte {
		b := section([]byte{1}, structs, 1, 0)
		for i := range structs {
			b = each(b, i)
		}
		return append(b, 0)
	}
	clients := func(descending bool, content string) []byte {
		b := appendUint(nil, uint64(n))
		for i := range n {
			id := uint64(i)
			if descending {
				id = uint64(n - 1 - i)
			}
			b = append(section(b, 1, id, 0), content...)
		}
		return append(b, 0)
	}
	ranges := func(clients, each int, next uint64) []byte {
		b := appendUint([]byte{0}, uint64(clients))
		for i := range clients {
			b = appendUint(appendUint(b, uint64(i)), uint64(each))
			for k := range each {
				b = append(appendUint(b, uint64(k)*next), 1)
			}
		}
		return b
	}
	behind := func(b []byte, info byte, i int) []byte { // the first element, or behind it
		if i == 0 {
			return append(b, info, 1, 1, 't')
		}
		return append(b, info|infoOrigin, 1, 0)
	}
	key := func(b []byte, i int) []byte { return append(b, 3, byte(i>>14), byte(i>>7&0x7f), byte(i&0x7f)) }
	return map[string][]byte{
		"clients":            clients(true, "\x00\x01"),
		"clients, ascending": clients(false, "\x00\x01"),
		"clients that wait":  clients(true, "\x84\x7f\x00\x01a"),
		"clients with text":  clients(true, "\x04\x01\x01t\x01a"),
		"clients with types": clients(true, "\x07\x01\x01t\x02"),
		"collected structs":  of(n, func(b []byte, i int) []byte { return append(b, 0, 1) }),
		"skips and structs":  of(n, func(b []byte, i int) []byte { return append(b, byte(10*(i&1)), 1) }),
		"deleted structs":    of(n, func(b []byte, i int) []byte { return append(behind(b, refDeleted, i), 1) }),
		"characters":         of(n, func(b []byte, i int) []byte { return append(behind(b, refString, i), 1, 'a') }),
		"binaries":           of(n, func(b []byte, i int) []byte { return append(behind(b, refBinary, i), 0) }),
		"format marks":       of(n, func(b []byte, i int) []byte { return append(behind(b, refFormat, i), 0, 1, '1') }),
		"types":              of(n, func(b []byte, i int) []byte { return append(behind(b, refType, i), 1) }),
		"nested types": of(n, func(b []byte, i int) []byte {
			if i == 0 {
				return append(b, refType, 1, 1, 't', 1)
			}
			return append(appendUint(append(b, refType, 0, 1), uint64(i-1)), 1)
		}),
		"map keys": of(n, func(b []byte, i int) []byte {
			return append(key(append(b, refAny|infoSub, 1, 1, 't'), i), 1, anyNull)
		}),
		"roots": of(n, func(b []byte, i int) []byte {
			return append(key(append(b, refDeleted, 1), i), 1)
		}),
		"values": of(1, func(b []byte, i int) []byte {
			return append(appendUint(append(b, refAny, 1, 1, 't'), uint64(n)), bytes.Repeat([]byte{anyNull}, n)...)
		}),
		"values in one another": of(n/64, func(b []byte, i int) []byte {
			return append(append(append(behind(b, refAny, i), 1), bytes.Repeat([]byte{anyArray, 1}, 31)...), anyNull)
		}),
		"JSON": of(1, func(b []byte, i int) []byte {
			return append(appendUint(append(b, refJSON, 1, 1, 't'), uint64(n)), bytes.Repeat([]byte{1, '1'}, n)...)
		}),
		"delete ranges":            ranges(1, n, 2),
		"delete ranges of clients": ranges(2000, 64, 2),
		"the same delete ranges":   ranges(1, n, 0),
		"deletes of clients":       ranges(n, 1, 0),
		"a count without structs":  append(appendUint([]byte{1}, uint64(n)), bytes.Repeat([]byte{1}, 2*n)...),
		"a count without clients":  append(appendUint(nil, uint64(n)), bytes.Repeat([]byte{1}, 3*n)...),
		"a client many times":      append(append(appendUint(nil, uint64(n)), bytes.Repeat([]byte{1, 1, 0, 0, 1}, n)...), 0),
		"clients without structs":  append(append(appendUint(nil, uint64(n)), bytes.Repeat([]byte{0, 1, 0}, n)...), 0),
		"a count without ranges":   append(appendUint([]byte{0, 1, 1}, uint64(n)), bytes.Repeat([]byte{1}, 2*n-1)...),
	}
}

func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// What reads bytes and gives back bytes, or what they say, allocates at most 8
// times its input and 1 MB, whatever that is.
func TestAllocationBound(t *testing.T) {
	sv := StateVector{1: 1}.Encode()
	merge := func(b []byte) { _, _ = MergeUpdates([][]byte{b, {0, 0}}) }
	ways := map[string]func(b []byte){
		"DecodeUpdate":                func(b []byte) { _, _ = DecodeUpdate(b) },
		"DiffUpdate":                  func(b []byte) { _, _ = DiffUpdate(b, sv) },
		"MergeUpdates":                merge,
		"EncodeStateVectorFromUpdate": func(b []byte) { _, _ = EncodeStateVectorFromUpdate(b) },
		"ConvertUpdateV1ToV2":         func(b []byte) { _, _ = ConvertUpdateV1ToV2(b) },
	}
	ways2 := map[string]func(b []byte){
		"DecodeUpdateV2":                func(b []byte) { _, _ = DecodeUpdateV2(b) },
		"EncodeStateVectorFromUpdateV2": func(b []byte) { _, _ = EncodeStateVectorFromUpdateV2(b) },
	}
	for name, b := range hostile() {
		t.Run(name, func(t *testing.T) {
			for way, f := range ways {
				t.Run(way, func(t *testing.T) { within(t, len(b), func() { f(b) }) })
			}
			v2, err := ConvertUpdateV1ToV2(b)
			if err != nil {
				return
			}
			for way, f := range ways2 {
				t.Run(way, func(t *testing.T) { within(t, len(v2), func() { f(v2) }) })
			}
			if name != "format marks" { // whose values become JSON
				t.Run("ConvertUpdateV2ToV1", func(t *testing.T) { within(t, len(v2), func() { _, _ = ConvertUpdateV2ToV1(v2) }) })
			}
		})
	}
}

// So do the decoders of what is not an update.
func TestAllocationBoundOfSets(t *testing.T) {
	n := 150_000
	if checking {
		n = 15_000
	}
	many := make(StateVector, n)
	ranges := make(DeleteSet, n)
	for i := range n {
		many[ClientID(i)] = 1
		ranges[i] = DeleteRange{1, uint32(2 * i), 1}
	}
	vector := many.Encode()
	liar := append(appendUint(nil, uint64(n)), bytes.Repeat([]byte{1, 0}, n)...)
	groups := append(appendUint(nil, 2000), bytes.Repeat(DeleteSet(clientRanges(64)).Encode()[1:], 2000)...)
	for name, tt := range map[string]struct {
		in     []byte
		decode func(b []byte) error
	}{
		"state vector":                      {vector, func(b []byte) error { _, err := DecodeStateVector(b); return err }},
		"state vector of one client":        {liar, func(b []byte) error { _, err := DecodeStateVector(b); return err }},
		"delete set":                        {ranges.Encode(), func(b []byte) error { _, err := DecodeDeleteSet(b); return err }},
		"delete set that repeats":           {groups, func(b []byte) error { _, err := DecodeDeleteSet(b); return err }},
		"delete set of nothing":             {liar, func(b []byte) error { _, err := DecodeDeleteSet(b); return err }},
		"snapshot":                          {Snapshot{ranges, many}.Encode(), func(b []byte) error { _, err := DecodeSnapshot(b); return err }},
		"snapshot of one client":            {append([]byte{0}, liar...), func(b []byte) error { _, err := DecodeSnapshot(b); return err }},
		"version 2 snapshot":                {Snapshot{ranges, many}.EncodeV2(), func(b []byte) error { _, err := DecodeSnapshotV2(b); return err }},
		"version 2 snapshot without clocks": {Snapshot{ranges, nil}.EncodeV2(), func(b []byte) error { _, err := DecodeSnapshotV2(b); return err }},
	} {
		t.Run(name, func(t *testing.T) {
			within(t, len(tt.in), func() { _ = tt.decode(tt.in) })
		})
	}
}

// clientRanges are n ranges of client 1 that take 2 bytes each.
func clientRanges(n int) (ds []DeleteRange) {
	for i := range n {
		ds = append(ds, DeleteRange{1, uint32(2 * i % 126), 1})
	}
	return ds
}

// A document takes more than that, for it is there to be edited: see ApplyUpdate.
func TestApplyAllocationBound(t *testing.T) {
	if checking {
		t.Skip("checking the document allocates, too; make test does, without the race detector")
	}
	for name, b := range hostile() {
		t.Run(name, func(t *testing.T) {
			for way, d := range map[string]*Doc{"first": New(""), "second": New("")} {
				limit := 110
				if way == "second" {
					if _, err := d.Transact(MaxInt, func(tx *Txn) { d.Text("t").Insert(tx, 0, "x") }); err != nil {
						t.Fatal(err)
					}
				}
				var err error
				got := allocated(func() { err = d.ApplyUpdate(b) })
				if err != nil {
					limit = 30
				}
				if factor := (float64(got) - 1<<20) / float64(len(b)); factor > float64(limit) {
					t.Errorf("%s: %d bytes allocated for %d, %.0f times, want at most %d", way, got, len(b), factor, limit)
				}
			}
		})
	}
}
