package crdt

import (
	"bytes"
	"reflect"
	"testing"
)

// seedUpdates are updates that use every content, in version 1.
func seedUpdates() [][]byte {
	var w writerV1
	root := func(ref uint8, n uint32, content string) *block {
		return &block{client: 5, clock: w.clock + uint32(len(w.body)), n: n, ref: ref, content: []byte(content), parentRoot: true, root: []byte("t")}
	}
	clock := uint32(0)
	for _, b := range []*block{
		root(refDeleted, 3, ""), root(refJSON, 2, "\x04null\x09undefined"), root(refBinary, 1, "\x02\x00\xff"),
		root(refString, 4, "a😀b"), root(refEmbed, 1, "\x07{\"a\":1}"), root(refFormat, 1, "\x04bold\x02{}"),
		root(refType, 1, "\x03\x01p"), root(refType, 1, "\x06"), root(refAny, 2, "\x7d\x40\x76\x01\x01k\x7c\x3f\xc0\x00\x00"),
		root(refDoc, 1, "\x01g\x76\x00"),
	} {
		b.clock = clock
		clock += b.n
		w.block(b)
	}
	all := w.finish([]DeleteRange{{5, 5, 2}})
	return [][]byte{
		{0, 0},
		all,
		at{1, 0}.put("abc"), at{1, 3}.put("d", ID{1, 2}), deletes(DeleteRange{1, 1, 1}),
		must(MergeUpdates([][]byte{at{1, 0}.put("ab"), at{1, 9}.put("c"), all})),
	}
}

// What decodes can be passed on and applied: merging with nothing, converting
// and going through a document lose no clock and no delete.
func FuzzDecodeUpdate(f *testing.F) {
	for _, u := range seedUpdates() {
		f.Add(u)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var u *Update
		var err error
		within(t, len(b), func() { u, err = DecodeUpdate(b) })
		if err != nil {
			refusal(t, err, len(b))
			return
		}
		checkUpdate(t, u, b)
	})
}

func FuzzDecodeUpdateV2(f *testing.F) {
	for _, u := range seedUpdates() {
		f.Add(must(ConvertUpdateV1ToV2(u)))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var u *Update
		var err error
		within(t, len(b), func() { u, err = DecodeUpdateV2(b) })
		if err != nil {
			refusal(t, err, len(b))
			return
		}
		checkUpdate(t, u, u.Bytes())
	})
}

func checkUpdate(t *testing.T, u *Update, v1 []byte) {
	merged, err := MergeUpdates([][]byte{v1, {0, 0}})
	if err != nil {
		t.Fatalf("merge: %v", err)
	}
	sameClocks(t, "merged", decoded(t, merged), u)
	v2, err := ConvertUpdateV1ToV2(v1)
	if err != nil {
		t.Fatalf("to version 2: %v", err)
	}
	back, err := DecodeUpdateV2(v2)
	if err != nil {
		t.Fatalf("from version 2: %v", err)
	}
	sameClocks(t, "converted", back, u)
	d := New("fuzz")
	var state []byte
	throughDoc := func() {
		if err = d.ApplyUpdate(v1); err == nil {
			state = must(d.EncodeStateAsUpdate(nil))
		}
	}
	if checking { // which allocates, too
		throughDoc()
	} else {
		within(t, len(v1), throughDoc)
	}
	if err != nil {
		t.Fatalf("apply: %v", err)
	}
	if err := d.verify(); err != nil {
		t.Fatal(err)
	}
	again := New("again")
	if err := again.ApplyUpdate(state); err != nil {
		t.Fatalf("apply the state: %v", err)
	}
	if !bytes.Equal(again.EncodeStateVector(), d.EncodeStateVector()) || again.Text("t").String() != d.Text("t").String() {
		t.Fatalf("a document loaded from its state is another")
	}
	plainList(d.XMLFragment("t").Children())
	plainDelta(d.Text("t"))
}

// sameClocks compares what two updates carry, however it is cut and ordered.
func sameClocks(t *testing.T, what string, got, want *Update) {
	t.Helper()
	for _, g := range [2][2]*Update{{got, want}, {want, got}} {
		have := provider{ranges: joined(g[1].Ranges())}
		for _, r := range g[0].Ranges() {
			if id, missing := have.hole(r.Client, r.From, r.To); missing {
				t.Fatalf("%s: %v is on one side only", what, id)
			}
		}
	}
	if !reflect.DeepEqual(got.Deletes(), want.Deletes()) {
		t.Fatalf("%s: deletes %v, want %v", what, got.Deletes(), want.Deletes())
	}
}

// joined sorts ranges for a provider.
func joined(rs []ClockRange) []ClockRange {
	var ds []DeleteRange
	for _, r := range rs {
		ds = append(ds, DeleteRange{MaxInt - r.Client, uint32(r.From), uint32(r.To - r.From)})
	}
	rs = rs[:0]
	for _, d := range normalize(ds) {
		rs = append(rs, ClockRange{MaxInt - d.Client, uint64(d.Clock), uint64(d.end())})
	}
	return rs
}

// Two updates applied in either order, or merged, make one document.
func FuzzOrder(f *testing.F) {
	seeds := seedUpdates()
	for i := range seeds {
		f.Add(seeds[i], seeds[(i+1)%len(seeds)])
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		ua, err := DecodeUpdate(a)
		if err != nil {
			return
		}
		ub, err := DecodeUpdate(b)
		if err != nil || conflict(ua, ub) {
			return
		}
		d, e := New("ab"), New("ba")
		apply(t, d, a, b)
		apply(t, e, b, a)
		if err := d.verify(); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(d.StateVector(), e.StateVector()) || d.Text("t").String() != e.Text("t").String() {
			t.Fatalf("%q %v one way, %q %v the other", d.Text("t"), d.StateVector(), e.Text("t"), e.StateVector())
		}
	})
}

// conflict reports whether two updates claim the same clocks: then they are a
// fork, which the CRDT does not resolve and admission must refuse.
func conflict(a, b *Update) bool {
	for _, x := range a.Ranges() {
		for _, y := range b.Ranges() {
			if x.Client == y.Client && x.From < y.To && y.From < x.To {
				return true
			}
		}
	}
	return false
}

func FuzzDecodeStateVector(f *testing.F) {
	f.Add([]byte{0})
	f.Add(StateVector{1: 3, 200: 70}.Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		var sv StateVector
		var err error
		within(t, len(b), func() { sv, err = DecodeStateVector(b) })
		if err != nil {
			refusal(t, err, len(b))
			return
		}
		again, err := DecodeStateVector(sv.Encode())
		if err != nil || !reflect.DeepEqual(again, sv) {
			t.Fatalf("%v encodes to %v, %v", sv, again, err)
		}
	})
}

func FuzzDecodeDeleteSet(f *testing.F) {
	f.Add([]byte{0})
	f.Add(DeleteSet{{7, 1, 2}, {7, 9, 1}, {1, 0, 3}}.Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		var ds DeleteSet
		var err error
		within(t, len(b), func() { ds, err = DecodeDeleteSet(b) })
		if err != nil {
			refusal(t, err, len(b))
			return
		}
		again, err := DecodeDeleteSet(ds.Encode())
		if err != nil || !reflect.DeepEqual(again, ds) {
			t.Fatalf("%v encodes to %v, %v", ds, again, err)
		}
	})
}

// A value goes to JSON and back to the same JSON.
func FuzzAny(f *testing.F) {
	for _, s := range []string{"\x7d\x40", "\x7b\x3f\xb9\x99\x99\x99\x99\x99\x9a", "\x76\x02\x01k\x7e\x01l\x75\x02\x78\x77\x02\"\\", "\x74\x02\x00\x01", "\x7c\x7f\xc0\x00\x00"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r := reader{b: b}
		within(t, len(b), func() { skipAny(&r, 0) })
		if err := r.end(); err != nil {
			refusal(t, err, len(b))
			return
		}
		first := appendJSON(nil, &reader{b: b})
		var check reader
		if checkJSON(&check, first, 0); check.err != nil {
			t.Fatalf("%x became %q: %v", b, first, check.err)
		}
		again := appendJSON(nil, &reader{b: appendJSONAsAny(nil, first)})
		if !bytes.Equal(again, first) {
			t.Fatalf("%q became %q", first, again)
		}
	})
}
