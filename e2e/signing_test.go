package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestSigning: a resident and a nurse write a handoff; what is to be filled in keeps it from being signed until it is; the resident proves
// again who they are, and signs what they read. An attending cosigns it from the inbox. The nurse, who had no network at that moment,
// comes back: her words are kept beside the note, and become an addendum that she signs. Another note is retracted, and stays legible.
func TestSigning(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	token := s.token(t, "okafor")
	note := s.newNoteFor(t, token, s.notes(t, token)[0].Patient.ID, "handoff").ID
	line := startCable(t, s)
	okafor, chen, rivera := signedIn(t, s, "okafor"), signedIn(t, s, "chen"), line.signedInOver(t, s, "rivera")
	okafor.openNote(note)
	rivera.openNote(note)
	okafor.caretAtEnd(0)
	if err := okafor.typeKeys("Weight ***"); err != nil {
		t.Fatal(err)
	}
	rivera.waitContains("Weight ***")
	rivera.caretAtEnd(1)
	if err := rivera.typeKeys("Pain two of ten."); err != nil {
		t.Fatal(err)
	}
	okafor.waitContains("Pain two of ten.")
	okafor.waitStatus("saved")

	okafor.submit(`.note-state a[href$="/sign"]`)
	okafor.pictures("sign-blanks", "#blanks a")
	if eval[bool](okafor, exists("#sign")) {
		t.Error("a note with something to fill in can be signed")
	}
	okafor.submit(`#blanks + p a`)
	okafor.waitStatus("saved")
	okafor.caretAtEnd(0)
	if err := okafor.typeKeys("?"); err != nil {
		t.Fatal(err)
	}
	okafor.waitContains("Weight ***?") // the editor knows where the caret is
	for range "***?" {
		okafor.do(chromedp.KeyEvent(kb.Backspace))
	}
	if err := okafor.typeKeys("71.4 kg"); err != nil {
		t.Fatal(err)
	}
	okafor.waitStatus("saved")
	rivera.waitContains("Weight 71.4 kg")

	okafor.submit(`.note-state a[href$="/sign"]`)
	okafor.pictures("sign-sheet", "#sign")
	okafor.submit(`#hold button`)
	okafor.waitFor("the note to be held", exists("#frozen"))
	rivera.waitFor("who holds it", `document.querySelector('#standing')?.textContent.includes('Dr Daniel Okafor holds the note still')`)
	if eval[bool](rivera, exists(noteEditor)) {
		t.Error("a colleague can write in a note that is held still")
	}
	rivera.pictures("note-held", "#standing #frozen")
	rivera.submit(`#standing #frozen button`)
	rivera.waitStatus("saved")

	line.pull()
	rivera.typeOffline(" Up to the chair twice.")
	rivera.waitFor("how much of it is not saved", `document.querySelector('#save-text').textContent === 'Offline: 5 words not saved yet'`)
	if _, err := s.db(t).Exec(t.Context(), `UPDATE login SET proven_at = now() - interval '5 minutes'`); err != nil {
		t.Fatal(err)
	}
	okafor.visit("/notes/" + note + "/sign")
	okafor.submit(`#sign button`)
	okafor.waitFor("the question for a proof", exists(`form[action="/confirm"]`))
	okafor.do(chromedp.SendKeys(chromedp.CSS(`#password`), password))
	okafor.submit(`form[action="/confirm"] button`)
	okafor.waitFor("the sheet as it was", `document.querySelector('#since')?.textContent.includes('Nothing has changed')`)
	chen.openNote(note)
	okafor.submit(`#sign button`)
	okafor.waitFor("the band", `document.querySelector('#signed-band')?.textContent.includes('Signed by Dr Daniel Okafor')`)
	chen.waitFor("an open editor to say that it is signed", `document.querySelector('#standing')?.textContent.includes('by Dr Daniel Okafor')`)
	if eval[bool](chen, exists(noteEditor)) {
		t.Error("an open editor can write in a signed note")
	}

	if _, err := s.db(t).Exec(t.Context(), `UPDATE login SET proven_at = now()`); err != nil {
		t.Fatal(err)
	}
	chen.submit(`nav a[href="/cosign"]`)
	chen.pictures("cosign-inbox", "#inbox tbody a.btn")
	chen.submit(`#inbox a[href^="/notes/` + note + `/sign"]`)
	chen.do(chromedp.SendKeys(chromedp.CSS(`#remark`), "Seen and examined with the resident; I agree."))
	chen.pictures("cosign-sheet", "#remark")
	chen.submit(`#sign button`)
	chen.waitFor("the cosignature", `document.querySelector('#signed-band')?.textContent.includes('Cosigned by Dr Mei Chen')`)
	chen.waitFor("the attestation", `document.querySelector('.signatures .said')?.textContent === 'Seen and examined with the resident; I agree.'`)

	line.plug()
	rivera.waitFor("what became of her words", `document.querySelector('#standing')?.textContent.includes('Words of yours came after that: 5 words')`)
	rivera.pictures("note-late", "#standing .signed-band")
	rivera.submit(`#standing a[href="/late"]`)
	rivera.pictures("late", ".late-words")
	rivera.submit(`.make-addendum button`)
	rivera.waitFor("the addendum in the editor", exists(noteEditor))
	rivera.waitContains("Up to the chair twice.")
	rivera.waitStatus("saved")
	rivera.pictures("addendum", "#about")
	rivera.submit(`.note-state a[href$="/sign"]`)
	rivera.submit(`#sign button`)
	rivera.waitFor("the band", exists("#signed-band"))
	rivera.submit(`#about a`)
	rivera.waitFor("the addendum below the note", `document.querySelector('.addendum')?.textContent.includes('Up to the chair twice.')`)
	if said := eval[string](rivera, `document.querySelector('#note-body').textContent`); strings.Contains(said, "chair") || !strings.Contains(said, "71.4 kg") {
		t.Errorf("the signed note says %q", said)
	}
	rivera.pictures("signed", "#signed-band")

	retracted := s.newNoteFor(t, token, s.notes(t, token)[0].Patient.ID, "progress").ID
	chen.visit("/unsigned?of=unit")
	chen.pictures("unsigned", "#unsigned tbody a")
	chen.visit("/notes/" + retracted + "/sign")
	chen.submit(`#sign button`)
	chen.submit(`a[href$="/amend"]`)
	chen.pictures("amend", "#amend")
	chen.do(
		chromedp.Click(chromedp.CSS(`[name="relation"][value="retraction"]`)),
		chromedp.SendKeys(chromedp.CSS(`#reason`), "Written about another patient."),
	)
	chen.submit(`#amend button`)
	chen.waitFor("the retraction in the editor", exists(noteEditor))
	chen.waitStatus("saved")
	chen.submit(`.note-state a[href$="/sign"]`)
	chen.submit(`#sign button`)
	chen.submit(`#about a`)
	chen.waitFor("the note to be struck", `document.querySelector('#note-body del')?.textContent.includes('Subjective')`)
	chen.pictures("retracted", "#signed-band.retracted")
}
