package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// TestShots writes the README's pictures to $E2E_SHOTS: two people in one
// note, the unit's board meanwhile, the sheet before a signature, how the
// note came about, two versions of it, and the note on paper.
func TestShots(t *testing.T) {
	dir := os.Getenv("E2E_SHOTS")
	if dir == "" {
		t.Skip("E2E_SHOTS names no folder")
	}
	s := startServer(t)
	token := s.token(t, "chen")
	chen, rivera, haddad := signedIn(t, s, "chen"), signedIn(t, s, "rivera"), signedIn(t, s, "haddad")
	unit := unitPath(t, haddad)
	onTop := func(n apiNote) bool { return n.Unit == unit && n.Kind == "progress" && n.Patient.Bed == "4W-02" }
	i := slices.IndexFunc(s.notes(t, token), onTop)
	note := s.notes(t, token)[i].ID
	chen.openNote(note)
	rivera.openNote(note)
	paragraphs := eval[int](chen, `document.querySelectorAll('`+noteEditor+` > p').length`)
	chen.caretAtEnd(paragraphs - 1)
	rivera.caretAtEnd(0)
	typeTogether(t, map[*window]string{
		chen:   " Continue furosemide; recheck potassium at 18:00.",
		rivera: " Up to the chair twice, tolerated well.",
	})
	for _, w := range []*window{chen, rivera} {
		w.waitContains("recheck potassium at 18:00.")
		w.waitContains("tolerated well.")
		w.waitStatus("saved")
	}
	chen.waitFor("rivera's caret", exists(noteEditor+" .caret"))
	chen.screenshot(filepath.Join(dir, "note.png"))
	chen.altA()
	chen.waitFor("who wrote what", exists(noteEditor+" .by"))
	chen.screenshot(filepath.Join(dir, "attribution.png"))
	haddad.visit("/units/" + unit)
	haddad.waitFor("writers on the board", exists("#board [data-writing]"))
	haddad.screenshot(filepath.Join(dir, "board.png"))
	okafor := signedIn(t, s, "okafor")
	okafor.visit("/notes/" + note + "/sign")
	okafor.waitFor("the sheet", exists("#sign"))
	okafor.screenshot(filepath.Join(dir, "sign.png"))
	rivera.visit("/notes/" + note + "/history")
	rivera.waitFor("the history", exists("#past .by"))
	rivera.screenshot(filepath.Join(dir, "replay.png"))
	chen.visit("/notes/" + note + "/print")
	chen.waitFor("the sheet", exists(".sheet"))
	sheets := filepath.Join(dir, "print.pdf")
	if err := os.WriteFile(sheets, chen.printed(), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("pdftoppm", "-png", "-r", "80", "-singlefile", sheets, filepath.Join(dir, "print")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	_ = os.Remove(sheets) // the picture is of its first
	rivera.visit("/notes/" + note + "/compare?from=1")
	rivera.waitFor("two versions", exists("#compared ins"))
	rivera.screenshot(filepath.Join(dir, "compare.png"))
}
