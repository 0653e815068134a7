package crdt

import (
	"bytes"
	"math/rand"
	"strings"
	"testing"
)

// What one person wrote loads as it applies, whole or with a byte changed, and
// reads as its delta.
func TestLoadOneWriter(t *testing.T) {
	for seed := range int64(16) {
		v1 := writtenByOne(seed)
		v2 := must(ConvertUpdateV1ToV2(v1))
		if !New("whole").load(v1, false) || !New("whole").load(v2, true) {
			t.Fatalf("seed %d is nothing for a loader", seed)
		}
		d := loadedAs(t, v1, false)
		var read strings.Builder
		for _, op := range d.Text("t").Delta() {
			read.WriteString(op.Insert.(string))
		}
		if d.Text("t").String() != read.String() {
			t.Fatalf("seed %d: the text is not its delta", seed)
		}
		loadedAs(t, v2, true)
		r := rand.New(rand.NewSource(seed))
		for range 6 {
			b, c := bytes.Clone(v1), bytes.Clone(v2)
			b[r.Intn(len(b))] = byte(r.Intn(256))
			c[r.Intn(len(c))] = byte(r.Intn(256))
			loadedAs(t, b, false)
			loadedAs(t, c, true)
		}
	}
}

// writtenByOne returns the state of a text that one person wrote, going back and
// forth.
func writtenByOne(seed int64) []byte {
	r := rand.New(rand.NewSource(seed))
	d := New("one")
	text := d.Text("t")
	client := ClientID(1) << r.Intn(33)
	longest, odd := 1+r.Intn(11), 1+r.Intn(100)
	for i := range 300 {
		s := strings.Repeat("y", 1<<r.Intn(longest)-r.Intn(2))
		if r.Intn(odd) == 0 {
			s += "é😀"
		}
		must(d.Transact(client, func(tx *Txn) {
			if at := r.Intn(text.Len() + 1); i%3 == 2 && at < text.Len() {
				text.Delete(tx, at, min(text.Len()-at, 1+r.Intn(9)))
			} else {
				text.Insert(tx, at, s)
			}
		}))
	}
	return must(d.EncodeStateAsUpdate(nil))
}
