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
	okafor, chen, rivera := byKeyboard(t, s, "okafor"), byKeyboard(t, s, "chen"), byKeyboard(t, line.over(t, s), "rivera")
	rivera.allow(lineAway...)
	okafor.openNote(note)
	rivera.openNote(note)
	below := func(w *window, lines int, text string) {
		t.Helper()
		w.tabTo(noteEditor)
		w.stands("Illness severity")
		w.down(lines)
		w.stands(text)
	}
	below(okafor, 1, "")
	okafor.types("Weight ***")
	rivera.waitContains("Weight ***")
	below(rivera, 3, "")
	rivera.types("Pain two of ten.")
	okafor.waitContains("Pain two of ten.")
	okafor.waitStatus("saved")

	okafor.enters(`.note-state a[href$="/sign"]`)
	okafor.pictures("sign-blanks", "#blanks a")
	if eval[bool](okafor, exists("#sign")) {
		t.Error("a note with something to fill in can be signed")
	}
	okafor.enters(`#blanks + p a`)
	okafor.waitStatus("saved")
	okafor.do(chromedp.KeyEvent(kb.F2))
	okafor.types("71.4 kg")
	okafor.waitStatus("saved")
	rivera.waitContains("Weight 71.4 kg")

	okafor.enters(`.note-state a[href$="/sign"]`)
	okafor.pictures("sign-sheet", "#sign")
	okafor.enters(`#hold button`)
	okafor.waitFor("the note to be held", exists("#frozen"))
	rivera.waitFor("who holds it", `document.querySelector('#standing')?.textContent.includes('Dr Daniel Okafor holds the note still')`)
	if eval[bool](rivera, exists(noteEditor)) {
		t.Error("a colleague can write in a note that is held still")
	}
	rivera.pictures("note-held", "#standing #frozen")
	rivera.enters(`#standing #frozen button`)
	rivera.waitStatus("saved")

	line.pull()
	rivera.waitStatus("offline")
	below(rivera, 1, "Weight 71.4 kg")
	rivera.do(chromedp.KeyEvent(kb.End))
	rivera.types(" Up to the chair twice.")
	rivera.waitFor("how much of it is not saved", `document.querySelector('#save-text').textContent === 'Offline: 5 words not saved yet'`)
	if _, err := s.db(t).Exec(t.Context(), `UPDATE login SET proven_at = now() - interval '5 minutes'`); err != nil {
		t.Fatal(err)
	}
	okafor.visit("/notes/" + note + "/sign")
	okafor.enters(`#sign button`)
	okafor.waitFor("the question for a proof", exists(`form[action="/confirm"]`))
	okafor.tabTo(`#password`)
	okafor.types(password)
	okafor.leaves(chromedp.KeyEvent("\r"), "confirm")
	okafor.waitFor("the sheet as it was", `document.querySelector('#since')?.textContent.includes('Nothing has changed')`)
	chen.openNote(note)
	okafor.enters(`#sign button`)
	okafor.waitFor("the band", `document.querySelector('#signed-band')?.textContent.includes('Signed by Dr Daniel Okafor')`)
	chen.waitFor("an open editor to say that it is signed", `document.querySelector('#standing')?.textContent.includes('by Dr Daniel Okafor')`)
	if eval[bool](chen, exists(noteEditor)) {
		t.Error("an open editor can write in a signed note")
	}

	if _, err := s.db(t).Exec(t.Context(), `UPDATE login SET proven_at = now()`); err != nil {
		t.Fatal(err)
	}
	chen.enters(`nav a[href="/cosign"]`)
	chen.pictures("cosign-inbox", "#inbox tbody a.btn")
	chen.enters(`#inbox a[href^="/notes/` + note + `/sign"]`)
	chen.tabTo(`#remark`)
	chen.types("Seen and examined with the resident; I agree.")
	chen.pictures("cosign-sheet", "#remark")
	chen.enters(`#sign button`)
	chen.waitFor("the cosignature", `document.querySelector('#signed-band')?.textContent.includes('Cosigned by Dr Mei Chen')`)
	chen.waitFor("the attestation", `document.querySelector('.signatures .said')?.textContent === 'Seen and examined with the resident; I agree.'`)

	line.plug()
	rivera.waitFor("what became of her words", `document.querySelector('#standing')?.textContent.includes('Words of yours came after that: 5 words')`)
	rivera.pictures("note-late", "#standing .signed-band")
	rivera.enters(`#standing a[href="/late"]`)
	rivera.pictures("late", ".late-words")
	rivera.enters(`.make-addendum button`)
	rivera.waitFor("the addendum in the editor", exists(noteEditor))
	rivera.waitContains("Up to the chair twice.")
	rivera.waitStatus("saved")
	rivera.pictures("addendum", "#about")
	rivera.enters(`.note-state a[href$="/sign"]`)
	rivera.enters(`#sign button`)
	rivera.waitFor("the band", exists("#signed-band"))
	rivera.enters(`#about a`)
	rivera.waitFor("the addendum below the note", `document.querySelector('.addendum')?.textContent.includes('Up to the chair twice.')`)
	if said := eval[string](rivera, `document.querySelector('#note-body').textContent`); strings.Contains(said, "chair") || !strings.Contains(said, "71.4 kg") {
		t.Errorf("the signed note says %q", said)
	}
	rivera.pictures("signed", "#signed-band")

	retracted := s.newNoteFor(t, token, s.notes(t, token)[0].Patient.ID, "progress").ID
	chen.visit("/unsigned?of=unit")
	chen.pictures("unsigned", "#unsigned tbody a")
	chen.visit("/notes/" + retracted + "/sign")
	chen.enters(`#sign button`)
	chen.enters(`a[href$="/amend"]`)
	chen.pictures("amend", "#amend")
	chen.chooses(`[name="relation"]`, `[value="retraction"]`)
	chen.tabTo(`#reason`)
	chen.types("Written about another patient.")
	chen.enters(`#amend button`)
	chen.waitFor("the retraction in the editor", exists(noteEditor))
	chen.waitStatus("saved")
	chen.enters(`.note-state a[href$="/sign"]`)
	chen.enters(`#sign button`)
	chen.enters(`#about a`)
	chen.waitFor("the note to be struck", `document.querySelector('#note-body del')?.textContent.includes('Subjective')`)
	chen.pictures("retracted", "#signed-band.retracted")
}
