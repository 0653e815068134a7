package e2e

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// traceName is a recorded two-person history of 26,078 edits, in the format of
// josephg/editing-traces.
const traceName = "concurrent-friendsforever.json.gz"

// TestRecordedHistoryIsReplayedLive: a recorded two-person editing history,
// typed again by two real clients, one over each protocol, with the history's
// own interleaving, ends on the server in the recorded text; who joins late
// gets the same.
func TestRecordedHistoryIsReplayedLive(t *testing.T) {
	t.Parallel()
	path := tracePath(t)
	endContent := readEndContent(t, path)
	s := startServer(t, "--edits-per-second=100000") // nobody types 26,000 keystrokes in seconds
	chen, rivera := s.token(t, "chen"), s.token(t, "rivera")
	note := s.newNote(t, chen)

	n := startNode(t)
	// Where both typed at the same place at the same time, the recording put
	// agent 0 first, as Yjs does with the smaller client id.
	first := n.connect("first", hocuspocusV4, s, note, chen, map[string]any{"clientID": 1001})
	second := n.connect("second", yWebsocket, s, note, rivera, map[string]any{"clientID": 2002})
	first.wait(want{"synced": true})
	second.wait(want{"synced": true})
	first.fresh()
	second.wait(want{"blocks": 1, "text": ""})

	var done struct{ Edits, Exchanges, Length int }
	n.must("", "replay", map[string]any{"clients": []string{"first", "second"}, "path": path, "ms": patience.Milliseconds()}, &done)
	t.Logf("%d edits, %d times one waited for the other, %d UTF-16 units at the end", done.Edits, done.Exchanges, done.Length)
	if done.Exchanges < 2 {
		t.Errorf("the two clients met %d times: the history was not concurrent", done.Exchanges)
	}
	for _, c := range []*yclient{first, second} {
		if st := c.stats(); st.Opens != 1 || st.Refused > 0 || len(st.Closes) > 0 {
			t.Errorf("%s: %d connections, %d refused edits, closes %v; want 1, 0, none", c.name, st.Opens, st.Refused, st.Closes)
		}
	}
	if got := s.text(t, chen, note); got != endContent {
		t.Errorf("the server's text differs from endContent %s", firstDifference(got, endContent))
	}
	late := n.connect("late", hocuspocusV3, s, note, s.token(t, "okafor"))
	late.wait(want{"synced": true, "text": endContent})
	s.checkLog(t, note)
}

// tracePath is the recorded history in $TRACES, or one generated for this run.
func tracePath(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("TRACES"); dir != "" {
		path, err := filepath.Abs(filepath.Join(dir, traceName))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(path); err != nil {
			t.Fatalf("TRACES is set, but: %v", err)
		}
		return path
	}
	n := seed(t)
	t.Logf("TRACES is not set: the history is a generated one, of seed %d", n)
	b, err := json.Marshal(generateTrace(n))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "generated.json")
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func readEndContent(t *testing.T, path string) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			t.Fatal(err)
		}
	}
	var tr trace
	if err := json.NewDecoder(r).Decode(&tr); err != nil {
		t.Fatal(err)
	}
	return tr.EndContent
}

// firstDifference shows where two texts part, for a failure's message.
func firstDifference(got, want string) string {
	i := 0
	for i < len(got) && i < len(want) && got[i] == want[i] {
		i++
	}
	around := func(s string) string { return s[max(0, i-30):min(len(s), i+30)] }
	return "at byte " + itoa(i) + ": " + around(got) + " | want " + around(want) + "; lengths " + itoa(len(got)) + ", " + itoa(len(want))
}
