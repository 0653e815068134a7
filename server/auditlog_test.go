package server_test

import (
	"net/http"
	"testing"
)

// TestLogForWitnesses: whoever asks gets the newest checkpoint and the tree, and nothing else.
func TestLogForWitnesses(t *testing.T) {
	h := open(t)
	stranger := h.browser()
	if status, _, _ := h.get(stranger, "/log/checkpoint"); status != http.StatusNotFound {
		t.Errorf("nothing is signed: %d", status)
	}
	sequencer, err := h.db.NewSequencer(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sequencer.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	keys, err := h.db.AuditRing(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	status, signed, _ := h.get(stranger, "/log/checkpoint")
	c, err := keys.Open([]byte(signed))
	if status != http.StatusOK || err != nil || c.Size == 0 {
		t.Fatalf("%d, %+v, %v", status, c, err)
	}
	if status, tile, _ := h.get(stranger, "/log/tile/8/0/000.p/1"); status != http.StatusOK || len(tile) != 32 {
		t.Errorf("a tile: %d, %d bytes", status, len(tile))
	}
	for _, path := range []string{"8/0/000", "8/0/001.p/1", "8/9/000.p/1", "8/-1/000.p/1", "4/0/000.p/1", "8/data/000", "8/0/x", "", "8/0/000.p/0", "8/0/000.p/256"} {
		if status, _, _ := h.get(stranger, "/log/tile/"+path); status != http.StatusNotFound {
			t.Errorf("tile %q: %d", path, status)
		}
	}
}
