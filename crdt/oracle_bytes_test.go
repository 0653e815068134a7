package crdt

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
)

// Merging, differences, state vectors and conversions of encoded updates give
// yjs's bytes, and yjs reads from this package's bytes what was written.
func TestYjsEncodedUpdates(t *testing.T) {
	o := newOracle(t)
	for seed := range seeds(24) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			o.t = t
			r := rand.New(rand.NewPCG(uint64(seed), 2))
			var h struct{ Log [][]byte }
			o.ask(map[string]any{"cmd": "history", "seed": 5000 + seed, "edits": 30}, &h)
			r.Shuffle(len(h.Log)/3, func(i, j int) { h.Log[i], h.Log[j] = h.Log[j], h.Log[i] })
			// The last entries are whole states; of those merges depend on the
			// insides of yjs's sort, see sameState.
			some := h.Log[:1+r.IntN(len(h.Log)-4)]
			sv := StateVector{}
			for _, g := range decoded(t, h.Log[len(h.Log)-1]).Ranges() {
				sv[g.Client] = g.From + r.Uint64N(g.To-g.From+1)
			}
			compareBytes(t, o, some, sv.Encode(), false)
			for i := range some {
				var converted struct{ B []byte }
				o.ask(map[string]any{"cmd": "convert", "update": some[i]}, &converted)
				same(t, "converted to v2", must(ConvertUpdateV1ToV2(some[i])), converted.B)
				some[i] = converted.B
			}
			compareBytes(t, o, some, sv.Encode(), true)
		})
	}
}

func compareBytes(t *testing.T, o *oracle, updates [][]byte, sv []byte, v2 bool) {
	t.Helper()
	merge, diff := MergeUpdates, DiffUpdate
	if v2 {
		merge, diff = MergeUpdatesV2, DiffUpdateV2
	}
	var want struct{ B, SV []byte }
	o.ask(map[string]any{"cmd": "merge", "updates": updates, "v2": v2}, &want)
	merged := must(merge(updates))
	sameState(t, "merged", merged, want.B, v2)
	if !v2 {
		same(t, "state vector", must(EncodeStateVectorFromUpdate(want.B)), want.SV)
		same(t, "state vector of version 2", must(EncodeStateVectorFromUpdateV2(must(ConvertUpdateV1ToV2(want.B)))), want.SV)
	}
	var wantDiff, wantV1 struct{ B []byte }
	o.ask(map[string]any{"cmd": "diff", "update": want.B, "sv": sv, "v2": v2}, &wantDiff)
	same(t, "difference", must(diff(want.B, sv)), wantDiff.B)
	if v2 {
		o.ask(map[string]any{"cmd": "convert", "update": want.B, "v2": true}, &wantV1)
		same(t, "converted to v1", must(ConvertUpdateV2ToV1(want.B)), wantV1.B)
	}
}

// yjs, given what a replica here sends, becomes what it is.
func TestYjsReadsUs(t *testing.T) {
	o := newOracle(t)
	for seed := range seeds(18) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			o.t = t
			var h struct{ Log [][]byte }
			o.ask(map[string]any{"cmd": "history", "seed": 9000 + seed, "edits": 40}, &h)
			d := New("ours")
			half := len(h.Log) / 2
			apply(t, d, h.Log[:half]...)
			sv := d.EncodeStateVector()
			first := must(d.EncodeStateAsUpdate(nil))
			apply(t, d, h.Log[half:]...)
			type update struct {
				B  []byte `json:"b"`
				V2 bool   `json:"v2"`
			}
			var whole, parts rendering
			o.ask(map[string]any{"cmd": "apply", "updates": []update{{must(d.EncodeStateAsUpdateV2(nil)), true}}}, &whole)
			o.ask(map[string]any{"cmd": "apply", "updates": []update{{must(d.EncodeStateAsUpdate(sv)), false}, {first, false}}}, &parts)
			sameRendering(t, 0, d, whole)
			sameRendering(t, 1, d, parts)
			same(t, "state vector", whole.SV, d.EncodeStateVector())
			if !reflect.DeepEqual(decoded(t, whole.V1).Deletes(), []DeleteRange(d.DeleteSet())) {
				t.Error("delete sets differ")
			}
		})
	}
}
