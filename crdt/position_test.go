package crdt

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"unicode/utf16"
)

// Wherever one edits, and whoever else does meanwhile, an index means the same
// element as in a plain string.
func TestIndexesAreThoseOfAString(t *testing.T) {
	edits := 2500
	if checking { // each edit then takes time in proportion to all
		edits = 600
	}
	for seed := range uint64(6) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			here, there := New("here"), New("there")
			var want [2][]uint16 // two texts: the places in one are not those in the other
			at := [2]int{}
			for range edits {
				k := r.IntN(2)
				name := string("ab"[k])
				if at[k] > len(want[k]) || r.IntN(8) == 0 {
					at[k] = r.IntN(len(want[k]) + 1)
				}
				d, other, client := here, there, ClientID(1)
				if r.IntN(8) == 0 { // the other one, at the same place
					d, other, client = there, here, 2
				}
				text := d.Text(name)
				var u []byte
				if n := min(r.IntN(3), len(want[k])-at[k]); n > 0 && r.IntN(3) == 0 {
					u = must(d.Transact(client, func(tx *Txn) { text.Delete(tx, at[k], n) }))
					want[k] = slices.Delete(want[k], at[k], at[k]+n)
				} else {
					s := []string{"x", "é", "lorem", "\n"}[r.IntN(4)]
					u = must(d.Transact(client, func(tx *Txn) { text.Insert(tx, at[k], s) }))
					units := utf16.Encode([]rune(s))
					want[k] = slices.Insert(want[k], at[k], units...)
					at[k] += len(units)
				}
				if err := other.ApplyUpdate(u); err != nil {
					t.Fatal(err)
				}
			}
			for k, w := range want {
				for _, d := range []*Doc{here, there} {
					if got := d.Text(string("ab"[k])).String(); got != string(utf16.Decode(w)) {
						t.Errorf("text %c of %s differs from the string", "ab"[k], d.Name())
					}
				}
			}
		})
	}
}
