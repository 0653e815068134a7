package e2e

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestShots writes the README's pictures to $E2E_SHOTS: two people in one
// note, the unit's board meanwhile, the sheet before a signature, how the
// note came about, two versions of it, and the note on paper, before it is
// signed and after it was corrected.
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
	firstSheet(t, filepath.Join(dir, "print"), chen.printed())
	rivera.visit("/notes/" + note + "/compare?from=1")
	rivera.waitFor("two versions", exists("#compared ins"))
	rivera.screenshot(filepath.Join(dir, "compare.png"))

	okafor.submit(`#sign button`)
	chen.visit("/notes/" + note)
	chen.submit(`.signed-acts a[href*="cosign"]`)
	chen.submit(`#sign button`)
	chen.visit("/notes/" + note + "/amend")
	chen.do(
		chromedp.Click(chromedp.CSS(`[name="relation"][value="correction"]`)),
		chromedp.SendKeys(chromedp.CSS(`#reason`), "The potassium was that of the day before."),
	)
	chen.submit(`#amend button`)
	chen.waitFor("the correction in the editor", exists(noteEditor))
	chen.waitStatus("saved")
	chen.caretAtEnd(0)
	chen.types("Potassium this morning was 3.9 mmol/L.")
	chen.waitStatus("saved")
	chen.submit(`.note-state a[href$="/sign"]`)
	chen.submit(`#sign button`)
	resp, pdf := fetch(t, s.signIn(t, "chen"), s.url+"/notes/"+note+"/note.pdf")
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("the PDF: %s", resp.Status)
	}
	firstSheet(t, filepath.Join(dir, "signed-print"), pdf)
}

// firstSheet keeps a picture of the first sheet of a PDF.
func firstSheet(t *testing.T, path string, pdf []byte) {
	t.Helper()
	draw := exec.Command("pdftoppm", "-png", "-r", "80", "-singlefile", "-", path)
	draw.Stdin = bytes.NewReader(pdf)
	if out, err := draw.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}
