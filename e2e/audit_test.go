package e2e

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/clisonix/tidechart/crdt/prose"
)

// TestAuditCommands: an operator hands out the log, an auditor checks it elsewhere, and a witness on another machine notices when a
// restored database lacks what it has seen.
func TestAuditCommands(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	must := func(args ...string) string {
		t.Helper()
		said, err := s.command(t.Context(), args...)
		if err != nil {
			t.Fatalf("%v: %v", args, err)
		}
		return said
	}
	refused := func(says string, args ...string) {
		t.Helper()
		_, err := s.command(t.Context(), args...)
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 2 || !strings.Contains(err.Error(), says) {
			t.Errorf("%v: %v; want status 2 and %q", args, err, says)
		}
	}
	token := s.token(t, "chen")
	note := s.newNote(t, token)
	if len(s.state(t, token, note, octets)) == 0 {
		t.Fatal("the note is empty")
	}
	lost := s.newNote(t, token)
	end, err := prose.Build(77, prose.Node{Type: "doc", Content: []prose.Node{{Type: "paragraph", Content: []prose.Node{{Type: "text", Text: "the end of this note"}}}}})
	if err != nil {
		t.Fatal(err)
	}
	s.edit(t, apiRequest{method: "POST", path: "/notes/" + lost + "/edits", token: token, contentType: octets, body: end})
	s.signed(t)

	keys := must("audit", "keys", "--data", s.data)
	if err := os.WriteFile(in("public"), []byte(keys), 0o600); err != nil {
		t.Fatal(err)
	}
	if said := must("audit", "verify", "--data", s.data, "--keys", filepath.Join(s.data, "keys")); !strings.HasPrefix(said, "good\n") || strings.Contains(said, "details     0") || !strings.Contains(said, "all their rows are those that the log has") {
		t.Errorf("the database: %s", said)
	}
	must("audit", "export", "--data", s.data, in("bundle"))
	if said := must("audit", "verify", in("bundle"), "--public", in("public")); !strings.HasPrefix(said, "good\n") || !strings.Contains(said, "freshness   unknown") {
		t.Errorf("the bundle: %s", said)
	}
	bundle, err := os.ReadFile(in("bundle"))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`\{"entry":(\d+),"leaf":\{[^}]*"act":"note.create"[^}]*"note":"` + note + `"`).FindSubmatch(bundle)
	if found == nil {
		t.Fatalf("the bundle does not say that the note was begun")
	}
	number := string(found[1])
	if err := os.WriteFile(in("forged"), bytes.Replace(bundle, []byte(`"act":"note.create","outcome":"done"`), []byte(`"act":"note.create","outcome":"failed"`), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	refused("changed, entry ", "audit", "verify", in("forged"))
	must("audit", "prove", "--data", s.data, number, in("proof"))
	if said := must("audit", "verify", in("proof"), "--public", in("public")); !strings.HasPrefix(said, "good, as a selection\n") || !strings.Contains(said, "entries     a selection: 1 of ") {
		t.Errorf("the proof: %s", said)
	}
	refused("is a selection", "audit", "verify", in("proof"), "--public", in("public"), "--whole")
	must("audit", "verify", in("bundle"), "--public", in("public"), "--whole")

	witness := []string{"audit", "witness", s.url, "--public", in("public"), "--dir", in("witness"), "--once"}
	must(witness...)
	early, err := os.ReadFile(filepath.Join(in("witness"), "checkpoint"))
	if err != nil {
		t.Fatal(err)
	}
	_ = s.newNote(t, token)
	s.signed(t)
	must(witness...)
	seen := filepath.Join(in("witness"), "checkpoint")
	refused("rolled back", "audit", "verify", in("bundle"), "--witnessed", seen, "--witness-key", filepath.Join(in("witness"), "keys"))
	if said := must("audit", "verify", "--data", s.data, "--witnessed", seen, "--witness-key", filepath.Join(in("witness"), "keys")); !strings.Contains(said, "are there") {
		t.Errorf("with a witness: %s", said)
	}

	// What the privacy officer exports is checked elsewhere, and is not taken for the whole log.
	resp, err := s.signIn(t, "lindqvist").PostForm(s.url+"/reviews/log", url.Values{"act": {"note.create"}, "export": {"yes"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(in("acts.bundle"), readAll(t, resp), 0o600); err != nil {
		t.Fatal(err)
	}
	said := must("audit", "verify", in("acts.bundle"), "--public", in("public"), "--witnessed", seen, "--witness-key", filepath.Join(in("witness"), "keys"))
	if !strings.HasPrefix(said, "good, as a selection\n") || strings.Contains(said, "are there") || !regexp.MustCompile(`a selection: \d+ of \d+; what is between is not shown`).MatchString(said) {
		t.Errorf("the privacy officer's bundle: %s", said)
	}
	refused("is a selection", "audit", "verify", in("acts.bundle"), "--whole")

	// The server shows an older log, as after a restore: an old checkpoint does, for a witness that has seen a newer one.
	stale := http.NewServeMux()
	stale.HandleFunc("GET /log/checkpoint", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(early) })
	elsewhere := httptest.NewServer(stale)
	defer elsewhere.Close()
	refused("rolled back", "audit", "witness", elsewhere.URL, "--public", in("public"), "--dir", in("witness"), "--once")
	if now, err := os.ReadFile(seen); err != nil || bytes.Equal(now, early) {
		t.Errorf("the witness keeps what it refused: %v", err)
	}
	kept, err := filepath.Glob(filepath.Join(in("witness"), "refused-*"))
	if err != nil || len(kept) != 1 {
		t.Errorf("evidence: %v, %v", kept, err)
	}

	// Other keys sign from now on: whoever has those of before goes on, and so does who has the new ones.
	master := filepath.Join(s.data, "keys")
	if said := must("audit", "keys", "rotate", "--data", s.data, "--keys", master, "--dry-run"); !strings.Contains(said, "1 so far") {
		t.Errorf("dry run: %s", said)
	}
	now := must("audit", "keys", "rotate", "--data", s.data, "--keys", master)
	if err := os.WriteFile(in("now"), []byte(now), 0o600); err != nil {
		t.Fatal(err)
	}
	_ = s.newNote(t, token)
	s.signed(t)
	must(witness...)
	must(witness...)
	must("audit", "export", "--data", s.data, in("later"))
	for _, public := range []string{"public", "now"} {
		said := must("audit", "verify", in("later"), "--public", in(public))
		if !strings.Contains(said, "the newest of 2 pairs") {
			t.Errorf("with %s: %s", public, said)
		}
	}
	refused("the log has other keys", "audit", "verify", in("later"), "--public", filepath.Join(in("witness"), "keys"))
	refused("the log has other keys", "audit", "verify", in("bundle"), "--public", in("now"))

	// A note loses its end, by the hand of somebody who writes in the database.
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{`ALTER TABLE note_update DISABLE TRIGGER ALL`, `DELETE FROM note_base`, `DELETE FROM note_update WHERE note_id = '` + lost + `' AND seq = 2`, `UPDATE note SET head = 1 WHERE id = '` + lost + `'`} {
		if _, err := s.db(t).Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	refused("1 of", "audit", "verify", "--data", s.data)
	refused("1 of", "audit", "verify", "--data", s.data, "--keys", master)
}

// signed waits until a checkpoint is signed for the newest acts.
func (s *server) signed(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	for {
		said, err := s.command(ctx, "audit", "verify", "--data", s.data)
		if err == nil && strings.Contains(said, ", 0 more are not signed for yet") {
			return
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			t.Fatalf("nothing is signed: %s, %v", said, err)
		}
	}
}
