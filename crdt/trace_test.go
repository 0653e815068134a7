package crdt

import (
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// A real editing session, keystroke by keystroke, ends in the text it ended in.
func TestTrace(t *testing.T) {
	dir := os.Getenv("TRACES")
	if dir == "" {
		t.Skip("set TRACES to a folder with josephg/editing-traces")
	}
	f, err := os.Open(filepath.Join(dir, "sequential-automerge-paper.json.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var trace struct{ EndContent string }
	if err := json.NewDecoder(z).Decode(&trace); err != nil {
		t.Fatal(err)
	}
	us := keystrokes(t, 0)
	d := New("trace")
	apply(t, d, us...)
	if d.Text("t").String() != trace.EndContent {
		t.Error("the text is another")
	}
	merged := must(MergeUpdates(us))
	e := New("merged")
	apply(t, e, merged)
	same(t, "state from the merged update", must(e.EncodeStateAsUpdate(nil)), must(d.EncodeStateAsUpdate(nil)))
	// What yjs 13.6.33 makes of the same trace with client id 1 and this root.
	if v1, v2 := len(must(d.EncodeStateAsUpdate(nil))), len(must(d.EncodeStateAsUpdateV2(nil))); v1 != 223_411 || v2 != 159_918 {
		t.Errorf("%d bytes in version 1 and %d in version 2; yjs has 223411 and 159918", v1, v2)
	}
	if n := len(d.runs) - len(d.free); n != 10_971 {
		t.Errorf("%d runs, yjs has 10971", n)
	}
}
