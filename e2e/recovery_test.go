package e2e

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestRestoredDatabase puts an older copy of the database in place of the newer
// one. Browsers still hold what is missing; with the operator's leave they bring
// it back, a colleague's text too, and everybody writes on.
func TestRestoredDatabase(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	chen, rivera := s.token(t, "chen"), s.token(t, "rivera")
	note := s.newNote(t, chen)
	n := startNode(t)
	c := n.connect("chen", hocuspocusV4, s, note, chen, map[string]any{"backoff": 500})
	r := n.connect("rivera", yWebsocket, s, note, rivera, map[string]any{"backoff": 500})
	both := func(w want) {
		t.Helper()
		c.wait(w)
		r.wait(w)
	}
	both(want{"synced": true})
	c.fresh()
	c.insert(-1, "chen was here. ")
	r.wait(want{"text": "chen was here. "})
	r.insert(-1, "so was rivera. ")
	both(want{"text": "chen was here. so was rivera. ", "unsynced": 0})

	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	copied := s.data + ".bak"
	if out, err := exec.CommandContext(t.Context(), "cp", "-a", s.data, copied).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	both(want{"synced": true})
	c.insert(-1, "chen's last words. ")
	r.insert(0, "rivera's last words. ")
	whole := "rivera's last words. chen was here. so was rivera. chen's last words. "
	both(want{"text": whole, "unsynced": 0})
	n.must(c.name, "leave", nil, nil)
	if err := s.kill(); err != nil {
		t.Fatal(err)
	}
	n.must(r.name, "leave", nil, nil)
	err := os.RemoveAll(s.data)
	for began := time.Now(); err != nil && time.Since(began) < patience; { // its Postgres, whose server is gone, still writes as it stops
		err = os.RemoveAll(s.data)
	}
	for _, err := range []error{err, os.Rename(copied, s.data), s.start()} {
		if err != nil {
			t.Fatal(err)
		}
	}

	n.must(r.name, "comeBack", nil, nil)
	r.wait(want{"closedWith": 4205}) // an attempt under way when the cable was pulled ends with a 1006 of its own
	if got := strings.TrimSpace(s.text(t, chen, note)); got != "chen was here. so was rivera." {
		t.Errorf("without leave: %q", got)
	}
	out, err := s.command(t.Context(), "recover", "--data", s.data, "--for", "10m", note)
	if err != nil || !strings.Contains(out, "1 note") {
		t.Errorf("recover: %q, %v", out, err)
	}
	r.wait(want{"synced": true, "text": whole})
	late := n.connect("late", hocuspocusV3, s, note, chen)
	late.wait(want{"synced": true, "text": whole})
	out, err = s.command(t.Context(), "recover", "--data", s.data, "--list", note)
	if lines := strings.Split(strings.TrimSpace(out), "\n"); err != nil || len(lines) != 2 ||
		!strings.Contains(lines[1], "Chen") || !strings.Contains(lines[1], "Rivera") || !strings.Contains(lines[1], " 19 ") {
		t.Errorf("recover --list: %v\n%s", err, out)
	}
	if _, err = s.command(t.Context(), "recover", "--data", s.data, "--end", "--all"); err != nil {
		t.Error(err)
	}

	n.must(c.name, "comeBack", nil, nil)
	c.wait(want{"synced": true, "text": whole})
	c.insert(-1, "chen goes on.")
	both(want{"text": whole + "chen goes on.", "unsynced": 0})
	s.checkLog(t, note)
}
