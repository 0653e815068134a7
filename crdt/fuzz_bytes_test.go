package crdt

import (
	"bytes"
	"errors"
	"testing"
)

// What works on encoded updates takes any bytes: it stays within its memory, says
// what it refuses, and loses nothing of what it takes.
func FuzzEncodedUpdates(f *testing.F) {
	seeds := seedUpdates()
	for seed := range 4 {
		seeds = append(seeds, writtenByMany(seed)...)
	}
	for i, a := range seeds {
		b := seeds[(i*7+3)%len(seeds)]
		f.Add(a, b, StateVector{1: 3, 5: 9, 100_001: 4}.Encode())
	}
	f.Fuzz(func(t *testing.T, a, b, sv []byte) {
		var merged, diff, vector, v2 []byte
		var errs [4]error
		within(t, len(a)+len(b)+2*24, func() { merged, errs[0] = MergeUpdates([][]byte{a, b}) })
		within(t, len(a)+len(sv), func() { diff, errs[1] = DiffUpdate(a, sv) })
		within(t, len(a), func() { vector, errs[2] = EncodeStateVectorFromUpdate(a) })
		within(t, len(a), func() { v2, errs[3] = ConvertUpdateV1ToV2(a) })
		for _, err := range errs {
			if err != nil {
				refusal(t, err, max(len(a), len(b), len(sv)))
			}
		}
		fuzzVersion2(t, a, b, sv)
		if errs[3] != nil {
			return
		}
		u, back := decoded(t, a), must(ConvertUpdateV2ToV1(v2))
		sameClocks(t, "converted", decoded(t, back), u)
		if have, err := DecodeStateVector(vector); err != nil || !knows(u, have) {
			t.Fatalf("%v is not all of %v", have, u.Ranges())
		}
		if errs[1] == nil {
			have, err := DecodeStateVector(sv)
			if err != nil {
				t.Fatal(err)
			}
			lacks(t, decoded(t, diff), u, have)
			lacks(t, decoded(t, must(ConvertUpdateV2ToV1(must(DiffUpdateV2(v2, sv))))), u, have)
		}
		if errs[0] == nil && !conflict(u, decoded(t, b)) {
			d, e := New("merged"), New("apart")
			apply(t, d, merged)
			apply(t, e, a, b)
			if err := d.verify(); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(d.EncodeStateVector(), e.EncodeStateVector()) || d.Text("t").String() != e.Text("t").String() {
				t.Fatalf("merged %q, apart %q", d.Text("t"), e.Text("t"))
			}
		}
	})
}

// fuzzVersion2 gives the same bytes to what reads version 2.
func fuzzVersion2(t *testing.T, a, b, sv []byte) {
	var v1 []byte
	var errs [3]error
	within(t, 3*len(a), func() { v1, errs[0] = ConvertUpdateV2ToV1(a) }) // whose JSON is longer
	within(t, 3*(len(a)+len(b))+2*24, func() { _, errs[1] = MergeUpdatesV2([][]byte{a, b}) })
	within(t, 3*len(a)+len(sv), func() { _, errs[2] = DiffUpdateV2(a, sv) })
	for _, err := range errs {
		if err != nil {
			refusal(t, err, max(len(a), len(b), len(sv)))
		}
	}
	if errs[0] == nil {
		decoded(t, v1)
	}
}

// knows reports whether have is what a replica has after u alone.
func knows(u *Update, have StateVector) bool {
	ranges := provider{ranges: joined(u.Ranges())}
	for client, next := range have {
		if _, missing := ranges.hole(client, 0, next); missing {
			return false
		}
		if _, missing := ranges.hole(client, next, next+1); !missing {
			return false
		}
	}
	return true
}

// lacks fails if diff is not what have lacks of u.
func lacks(t *testing.T, diff, u *Update, have StateVector) {
	t.Helper()
	got, all := provider{ranges: joined(diff.Ranges())}, provider{ranges: joined(u.Ranges())}
	for _, g := range u.Ranges() {
		if id, missing := got.hole(g.Client, max(g.From, have[g.Client]), g.To); missing && g.To > have[g.Client] {
			t.Fatalf("the difference to %v is without %v", have, id)
		}
	}
	for _, g := range diff.Ranges() {
		if id, missing := all.hole(g.Client, g.From, g.To); missing || g.From < have[g.Client] {
			t.Fatalf("the difference to %v has %v", have, max(g.From, id.Clock))
		}
	}
}

// A document that refuses an update is as it was.
func FuzzRefused(f *testing.F) {
	for _, u := range seedUpdates() {
		f.Add(u[:len(u)-1], false)
		f.Add(append(u, 1), false)
		v2 := must(ConvertUpdateV1ToV2(u))
		f.Add(v2[:len(v2)-1], true)
	}
	f.Fuzz(func(t *testing.T, b []byte, v2 bool) {
		known := New("known")
		apply(t, known, seedUpdates()...)
		for _, d := range []*Doc{New("new"), known} {
			text := d.Text("t")
			state, vector, pending := must(d.EncodeStateAsUpdate(nil)), d.EncodeStateVector(), d.HasPending()
			way := d.ApplyUpdate
			if v2 {
				way = d.ApplyUpdateV2
			}
			err := way(b)
			if err == nil {
				return
			}
			if !errors.Is(err, ErrTooLarge) {
				refusal(t, err, len(b))
			}
			if err := d.verify(); err != nil {
				t.Fatal(err)
			}
			same(t, "state", must(d.EncodeStateAsUpdate(nil)), state)
			same(t, "state vector", d.EncodeStateVector(), vector)
			if d.HasPending() != pending || len(d.clients) > 0 && d == known && text.Len() == 0 {
				t.Fatal("what waits, or the text, is another")
			}
		}
	})
}
