package e2e

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// TestNamedAndUnmistakable: a physician names a nurse in a note by "@", who is told of it on the page that she has open, finds the note marked on
// her worklist, and opens it: then she is told no more. What the physician writes that is easily misread is underlined; by one key she writes it out,
// or leaves it as it is, which stays so while the nurse writes beside it; and the sheet before the signature says what is left.
// What she pastes from an earlier note says from when it is.
func TestNamedAndUnmistakable(t *testing.T) {
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
	chen.shot("named-popup")
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
	rivera.shot("named-worklist")
	rivera.submit(`#named a`)
	rivera.waitFor("her name in the note", `document.querySelector('#note-body .mention')?.textContent === '@Rosa Rivera RN'`)

	marked := `[...document.querySelectorAll('` + noteEditor + ` .misread')].map(e => e.textContent).join('|')`
	chen.types(" Insulin 10 U at night, aspirin 81 mg qd, ")
	chen.waitFor("what is easily misread", marked+` === ' U|qd'`)
	chen.keyDown("Ctrl", ".")
	chen.waitFor("what to write", `document.activeElement.textContent === 'Write “units”' && document.activeElement.closest('[role=dialog]').textContent.startsWith('U is easily read as a 0')`)
	chen.pictures("misread", ".misread-box:not([hidden])")
	chen.keyDown("", kb.Enter)
	chen.waitContains("Insulin 10 units at night, aspirin 81 mg qd, ")
	chen.keyDown("Ctrl", ".")
	chen.waitFor("the other one", `document.activeElement.textContent === 'Write “daily”'`)
	chen.keyDown("", kb.Tab)
	chen.keyDown("", kb.Enter)
	chen.waitFor("nothing underlined", marked+` === ''`)
	rivera.waitFor("what she sees", marked+` === 'qd'`) // in her window nobody has left it
	rivera.puts("Walks", false)
	rivera.types("Seen. ")
	chen.waitContains("Seen. Walks well.")
	chen.puts("Seen", false)
	chen.types("Now MSO4 2 mg. ")
	chen.waitFor("the new one alone", marked+` === 'MSO4'`)
	chen.waitStatus("saved")
	if got := s.text(t, s.token(t, "chen"), note); !strings.Contains(got, "Now MSO4 2 mg. Seen. Walks well.") || !strings.Contains(got, "10 units at night, aspirin 81 mg qd,") {
		t.Errorf("the note says %q", got)
	}
	rivera.visit("/")
	if eval[bool](rivera, exists(`#named`)+` || `+exists(`[aria-label^="You are named"]`)) {
		t.Error("she is told still")
	}

	// What she pastes from an earlier note of the patient is marked as such, with its age, in both windows.
	rivera.openNote(note)
	listed := s.notes(t, s.token(t, "chen"))
	of := listed[slices.IndexFunc(listed, func(n apiNote) bool { return n.ID == note })].Patient.ID
	earlier := listed[slices.IndexFunc(listed, func(n apiNote) bool { return n.Patient.ID == of && n.Kind == "history-physical" })].ID
	lines := strings.Split(s.text(t, s.token(t, "chen"), earlier), "\n")
	line := lines[slices.IndexFunc(lines, func(l string) bool { return len(strings.Fields(l)) > 15 })]
	chen.caretAtEnd(1)
	chen.paste(line)
	for _, w := range []*window{chen, rivera} {
		w.waitFor("what was carried forward", `[...document.querySelectorAll('`+noteEditor+` .carried[title^="from the note of "]')].map(e => e.textContent).join('').length > `+strconv.Itoa(len(line)/2)+` && /\d+-[A-Z][a-z]{2}-\d{4}, (.*day|.*days) old/.test(document.querySelector('`+noteEditor+` .carried').title)`)
	}
	chen.pictures("carried", noteEditor+" .carried")
	chen.visit("/notes/" + note + "/sign")
	chen.waitFor("what is left", `[...document.querySelectorAll('#misread mark')].map(m => m.textContent).join('|') === 'MSO4|qd'`)
	chen.pictures("misread-sheet", "#misread")
}
