package crdt

import (
	"fmt"
	"testing"
)

func TestFork(t *testing.T) {
	d := New("fork")
	apply(t, d, at{1, 0}.put("warf😀arin 5mg"), at{2, 0}.put("x", ID{1, 3}), deletes(DeleteRange{1, 0, 1}))
	tests := []struct {
		name   string
		update []byte
		want   ID
		ok     bool
	}{
		{"the same", at{1, 0}.put("warf😀arin 5mg"), ID{}, false},
		{"a part", at{1, 1}.put("arf", ID{1, 0}), ID{}, false},
		{"cut in a pair", at{1, 5}.put("\ufffdarin", ID{1, 4}), ID{}, false},
		{"longer than known", at{2, 0}.put("xyz", ID{1, 3}), ID{}, false},
		{"new", at{2, 1}.put("q", ID{2, 0}), ID{}, false},
		{"other text", at{1, 0}.put("warf😀arin 9mg"), ID{1, 1}, true},
		{"other text in another cut", at{1, 11}.put("9", ID{1, 10}), ID{1, 11}, true},
		{"other place", at{2, 0}.put("x", ID{1, 5}), ID{2, 0}, true},
		{"other root", one(&block{client: 2, n: 1, ref: refString, content: []byte("x"), parentRoot: true, root: []byte("u")}), ID{2, 0}, true},
		{"other kind", one(&block{client: 2, n: 1, ref: refAny, content: []byte{anyTrue}, hasOrigin: true, origin: ID{1, 3}}), ID{2, 0}, true},
		{"collected at the sender", one(&block{client: 1, n: 5, ref: refGC}), ID{}, false},
		{"collected here", at{1, 0}.put("?"), ID{}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, ok := d.Fork(decoded(t, tt.update)); got != tt.want || ok != tt.ok {
				t.Errorf("Fork = %v, %v; want %v, %v", got, ok, tt.want, tt.ok)
			}
		})
	}
}

// A peer that writes a value in another form does not make a fork.
func TestForkComparesValues(t *testing.T) {
	embed := func(json string) []byte {
		return one(&block{client: 1, n: 1, ref: refEmbed, content: appendString(nil, json), parentRoot: true, root: []byte("t")})
	}
	d := New("values")
	if err := d.ApplyUpdateV2(must(ConvertUpdateV1ToV2(embed(`{"a":1}`)))); err != nil {
		t.Fatal(err)
	}
	for json, want := range map[string]bool{`{"a":1}`: false, `{ "a": 1.0 }`: false, `{"a":2}`: true} {
		if _, ok := d.Fork(decoded(t, embed(json))); ok != want {
			t.Errorf("Fork of %s = %v, want %v", json, ok, want)
		}
	}
}

// What honest yjs peers send, whole states included, is never taken for a fork.
func TestYjsMakesNoForks(t *testing.T) {
	o := newOracle(t)
	for seed := range 15 {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			o.t = t
			var h struct{ Log [][]byte }
			o.ask(map[string]any{"cmd": "history", "seed": 20_000 + seed, "edits": 30}, &h)
			d := New("honest")
			for range 2 {
				for i, u := range h.Log {
					if id, ok := d.Fork(decoded(t, u)); ok {
						t.Fatalf("update %d: %v is taken for a fork", i, id)
					}
					apply(t, d, u)
				}
			}
		})
	}
}
