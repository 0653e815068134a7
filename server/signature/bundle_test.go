package signature

import (
	"bytes"
	"encoding/json"
	"testing"
)

// FuzzBundle: whatever a file says, it is read within bounds, and what passes is what was signed.
func FuzzBundle(f *testing.F) {
	f.Add([]byte(`{"tidechart":"tidechart note bundle v1","keys":["x"],"people":[],"notes":[{"note":"5b0c3c0e-0001-4000-8000-000000000001","content":"","attribution":"","signatures":["a\n\n\u2014 b c\n"]}],"log":""}`))
	f.Add([]byte(`{"tidechart":"tidechart note bundle v1","keys":[],"people":[],"notes":[{}],"log":"{}"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		b, err := ReadBundle(bytes.NewReader(text))
		if err != nil {
			return
		}
		if !json.Valid(text) {
			t.Fatalf("%q was read", text)
		}
		if r, err := b.Verify(Trust{}); err == nil {
			for _, n := range r.Notes {
				if len(n.Signatures) == 0 {
					t.Fatal("good, and nobody has signed it")
				}
			}
		}
	})
}
