package e2e

import (
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// TestNamedColleague: a physician names a nurse in a note by "@", who is told of it on the page that she has open, finds the note marked on her
// worklist, and opens it: then she is told no more.
func TestNamedColleague(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	note := s.newNote(t, s.token(t, "chen"))
	chen, rivera := signedIn(t, s, "chen"), signedIn(t, s, "rivera")
	rivera.visit("/")

	// What is left stays as it was typed; who is chosen is named.
	chen.openNote(note)
	chen.caretAtEnd(0)
	chen.types("Walks well. @")
	chen.waitFor("colleagues", `document.querySelectorAll('#suggest:not([hidden]) [role=option]').length > 2 && !document.querySelector('#suggest').textContent.includes('Mei Chen')`)
	chen.pictures("named-popup", "#suggest:not([hidden])")
	chen.keyDown("", kb.Escape)
	chen.types(" 5 steps, ask @rosa riv")
	chen.waitFor("one colleague", `[...document.querySelectorAll('#suggest:not([hidden]) [role=option]')].map(o => o.textContent).join() === 'Rosa Rivera RNnurse'`)
	chen.keyDown("", kb.Tab)
	chen.types("to help.")
	chen.waitContains("Walks well. @ 5 steps, ask @Rosa Rivera RN to help.")
	chen.waitStatus("saved")

	rivera.waitFor("that she is named", `document.querySelector('#named')?.textContent.includes('Dr Mei Chen, attending, named you at')`)
	rivera.visit("/")
	rivera.waitFor("the note on the list", exists(`#worklist a.changed-mark[href="/notes/`+note+`"][aria-label^="You are named in"]`))
	rivera.pictures("named-worklist", "#named")
	rivera.submit(`#named a`)
	rivera.waitFor("her name in the note", `document.querySelector('#note-body .mention')?.textContent === '@Rosa Rivera RN'`)
	rivera.visit("/")
	if eval[bool](rivera, exists(`#named`)+` || `+exists(`[aria-label^="You are named"]`)) {
		t.Error("she is told still")
	}
}
