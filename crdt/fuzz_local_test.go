package crdt

import (
	"bytes"
	"errors"
	"reflect"
	"runtime"
	"testing"
)

// within fails if f allocates more than 8 times an input of n bytes, plus 1 MB.
func within(t *testing.T, n int, f func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	if got, limit := after.TotalAlloc-before.TotalAlloc, uint64(8*n+1<<20); got > limit {
		t.Errorf("%d bytes allocated for an input of %d, want at most %d", got, n, limit)
	}
}

// refusal fails if err does not say what is wrong with n bytes, and where.
func refusal(t *testing.T, err error, n int) {
	t.Helper()
	var m *MalformedError
	if !errors.As(err, &m) || m.What == "" || m.Offset < 0 || m.Offset > n {
		t.Errorf("refused with %v", err)
	}
}

// Decoding allocates in proportion to the input, however it lies about counts.
func TestDecodersAllocateLittle(t *testing.T) {
	d := New("d")
	apply(t, d, typed(20_000)...)
	v1, v2 := must(d.EncodeStateAsUpdate(nil)), must(d.EncodeStateAsUpdateV2(nil))
	s := d.Snapshot()
	p := RelativePosition{Item: &ID{1, 2}}.Encode()
	for name, tt := range map[string]struct {
		in     []byte
		decode func(b []byte)
	}{
		"update":       {v1, func(b []byte) { _, _ = DecodeUpdate(b) }},
		"update v2":    {v2, func(b []byte) { _, _ = DecodeUpdateV2(b) }},
		"merge":        {v1, func(b []byte) { _, _ = MergeUpdates([][]byte{b}) }},
		"difference":   {v1, func(b []byte) { _, _ = DiffUpdate(b, []byte{1, 1, 9}) }},
		"state vector": {d.EncodeStateVector(), func(b []byte) { _, _ = DecodeStateVector(b) }},
		"delete set":   {s.Deletes.Encode(), func(b []byte) { _, _ = DecodeDeleteSet(b) }},
		"snapshot":     {s.Encode(), func(b []byte) { _, _ = DecodeSnapshot(b) }},
		"snapshot v2":  {s.EncodeV2(), func(b []byte) { _, _ = DecodeSnapshotV2(b) }},
		"position":     {p, func(b []byte) { _, _ = DecodeRelativePosition(b) }},
		"apply":        {v1, func(b []byte) { _ = New("n").ApplyUpdate(b) }},
	} {
		t.Run(name, func(t *testing.T) {
			within(t, len(tt.in), func() { tt.decode(tt.in) })
			for _, lie := range [][]byte{{0xff, 0xff, 0xff, 0xff, 0x0f}, {1, 0xff, 0xff, 0xff, 0xff, 0x0f}, {1, 1, 0xff, 0xff, 0xff, 0x7f}, {1, 1, 1, 0, 4, 1, 1, 't', 0xff, 0xff, 0xff, 0x7f}, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f}} {
				within(t, len(lie), func() { tt.decode(lie) })
			}
		})
	}
}

func FuzzDecodeSnapshot(f *testing.F) {
	f.Add([]byte{0, 0})
	f.Add(Snapshot{DeleteSet{{7, 1, 2}, {1, 0, 3}}, StateVector{1: 3, 7: 9}}.Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		var s Snapshot
		var err error
		within(t, len(b), func() { s, err = DecodeSnapshot(b) })
		if err != nil {
			refusal(t, err, len(b))
		} else if again, err := DecodeSnapshotV2(s.EncodeV2()); err != nil || !sameSnapshot(again, s) {
			t.Fatalf("%v became %v, %v", s, again, err)
		}
	})
}

func FuzzDecodeSnapshotV2(f *testing.F) {
	f.Add([]byte{0, 0})
	f.Add(Snapshot{DeleteSet{{7, 1, 2}, {1, 0, 3}}, StateVector{1: 3, 7: 9}}.EncodeV2())
	f.Fuzz(func(t *testing.T, b []byte) {
		var s Snapshot
		var err error
		within(t, len(b), func() { s, err = DecodeSnapshotV2(b) })
		if err != nil {
			refusal(t, err, len(b))
		} else if again, err := DecodeSnapshot(s.Encode()); err != nil || !sameSnapshot(again, s) {
			t.Fatalf("%v became %v, %v", s, again, err)
		}
	})
}

func sameSnapshot(a, b Snapshot) bool {
	return reflect.DeepEqual(a.State, b.State) && bytes.Equal(a.Deletes.Encode(), b.Deletes.Encode())
}

func FuzzDecodeRelativePosition(f *testing.F) {
	for _, p := range []RelativePosition{{Item: &ID{1, 2}, Assoc: -1}, {Type: &ID{3, 4}}, {Root: "t"}, {Root: "é", Assoc: 1 << 20}, {Item: &ID{MaxInt, MaxClock - 1}}} {
		f.Add(p.Encode())
	}
	f.Add([]byte{0, 1, 2}) // an old client's, without assoc
	f.Fuzz(func(t *testing.T, b []byte) {
		var p RelativePosition
		var err error
		within(t, len(b), func() { p, err = DecodeRelativePosition(b) })
		if err != nil {
			refusal(t, err, len(b))
			return
		}
		again, err := DecodeRelativePosition(p.Encode())
		if err != nil || !bytes.Equal(again.Encode(), p.Encode()) {
			t.Fatalf("%v became %v, %v", p, again, err)
		}
		New("empty").AbsolutePosition(p)
	})
}

// Edits of any loaded document leave it whole, and another replica that is given
// their updates holds the same. (But for a surrogate pair that a position here
// cuts, as in Yjs; histories compared with yjs have those.)
func FuzzLocalEdits(f *testing.F) {
	for _, u := range seedUpdates() {
		f.Add(u, []byte("edit this document, please"), true)
		f.Add(u, []byte{0, 0, 0, 1, 9, 9, 2, 1, 1, 3, 0, 8, 4, 4, 4, 5, 2, 2, 6, 1, 1, 7, 3, 3}, false)
	}
	f.Fuzz(func(t *testing.T, u, edits []byte, gc bool) {
		d, e := New("d"), New("e")
		if !gc {
			d, e = New("d", WithoutGC()), New("e", WithoutGC())
		}
		if d.ApplyUpdate(u) != nil || d.HasPending() || len(edits) > 300 || bytes.ContainsFunc(u, func(r rune) bool { return r > 0xffff }) {
			return
		}
		apply(t, e, u)
		parents := edits[:min(len(edits), 8)]
		text, array, m, x := d.Text("t"), d.Array("t"), d.Map("t"), d.XMLFragment("t")
		for len(edits) >= 3 {
			op, i, n := edits[0], int(edits[1]), int(edits[2])
			edits = edits[3:]
			out, _ := d.Transact(MaxInt, func(tx *Txn) { // what is out of range is refused
				switch at := i % (text.Len() + 1); op % 8 {
				case 0:
					text.Insert(tx, at, "aé"[:1+2*(n&1)])
				case 1:
					text.Delete(tx, at, n)
				case 2:
					text.Format(tx, at, n, map[string]any{"b": []any{nil, true, "x"}[n%3]})
				case 3:
					array.Insert(tx, at, n, []byte{1}, NewMap(map[string]any{"k": n}))
				case 4:
					array.Delete(tx, at, n)
				case 5:
					m.Set(tx, string(rune('a'+n%4)), i)
				case 6:
					x.Push(tx, NewXMLElement("p", map[string]any{"n": n}, NewXMLText("t")))
				default:
					text.ApplyDelta(tx, []Op{{Retain: at, Attributes: map[string]any{"b": true}}, {Insert: "z"}, {Delete: n}})
				}
			})
			if err := d.verify(); err != nil {
				t.Fatal(err)
			}
			if out != nil {
				apply(t, e, out)
			}
		}
		// What says that it is in some element of these is in the same type everywhere, or nowhere.
		for _, k := range parents {
			have := d.StateVector()
			if have[MaxInt] == 0 {
				break
			}
			b := one(&block{client: 77, clock: uint32(have[77]), n: 1, ref: refString, content: []byte("x"), parentID: true, parent: ID{MaxInt, uint64(k) % have[MaxInt]}})
			apply(t, d, b)
			apply(t, e, b)
			if err := d.verify(); err != nil {
				t.Fatal(err)
			}
		}
		same(t, "state of the other replica", must(e.EncodeStateAsUpdate(nil)), must(d.EncodeStateAsUpdate(nil)))
	})
}
