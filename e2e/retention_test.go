package e2e

import (
	"fmt"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// purge has a patient's record be over and purged, as docs/retention.md says it, while the server runs: note is one of theirs.
func (s *server) purge(t *testing.T, note apiNote, token string) {
	t.Helper()
	ctx := t.Context()
	command := func(want string, args ...string) {
		t.Helper()
		said, err := s.command(ctx, append(args, "--data", s.data)...)
		if text := fmt.Sprint(said, err); !regexp.MustCompile(want).MatchString(text) {
			t.Fatalf("%v: %s; want %s", args, text, want)
		}
	}
	keys := filepath.Join(s.data, "keys")
	command(`standard +patients +6 +\d+\n(?s:.*)due +0 notes`, "retention", "status")
	db := s.db(t)
	for _, sql := range []string{
		`DELETE FROM stay WHERE patient_id = $1`,
		`UPDATE note SET edited_at = now() - interval '7 years' WHERE patient_id = $1`,
		`UPDATE patient SET seen_at = now() - interval '7 years', retention = NULL WHERE id = $1`,
	} {
		if _, err := db.Exec(ctx, sql, note.Patient.ID); err != nil {
			t.Fatal(err)
		}
	}
	command(`1 patients are of no class yet`, "retention", "purge", "--dry-run")
	command(`\b0 notes are purged`, "retention", "purge")
	command(`there are no notes of kind "letter"`, "retention", "set", "--kind", "letter", "--years", "8")
	command(note.Kind+` +notes +8`, "retention", "set", "--kind", note.Kind, "--years", "8")
	command(`notes are purged, \d+ rows of their logs, and who 0 patients were`, "retention", "purge", "--keys", keys) // finds out that they were no minor
	command(`is of class standard`, "retention", "set", "--class", "standard", "--mrn", note.Patient.MRN, "--keys", keys)
	if resp, _ := s.api(t, apiRequest{method: http.MethodGet, path: "/notes/" + note.ID + "/state", token: token}); resp.StatusCode != http.StatusOK {
		t.Errorf("a note whose kind is kept for longer: %s", resp.Status)
	}
	command(note.Kind+` +notes +1`, "retention", "set", "--kind", note.Kind, "--years", "1")
	command(`run [0-9a-f-]{36}: [1-9]\d* notes are purged, [1-9]\d* rows of their logs, and who 1 patients were`, "retention", "purge", "--keys", keys)
	if resp, says := s.api(t, apiRequest{method: http.MethodGet, path: "/notes/" + note.ID + "/state", token: token}); resp.StatusCode != http.StatusGone || !strings.Contains(string(says), "kept for as long as it had to be") {
		t.Errorf("a note that was purged: %s, %s", resp.Status, says)
	}
	s.signed(t)
	command(`^good\n`, "audit", "verify", "--keys", keys)
}
