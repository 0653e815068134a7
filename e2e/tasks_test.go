package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestOverseersDay: an administrator finds a person, and ends their login, at which their browser is signed out; a privacy officer finds
// who opened a record, and from a session gets to the note as it was. Both begin at the overview, and use the keyboard alone.
func TestOverseersDay(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	chen, novak, lindqvist := signedIn(t, s, "chen"), byKeyboard(t, s, "novak"), byKeyboard(t, s, "lindqvist")
	token := s.token(t, "chen")
	listed := s.notes(t, token)
	note := s.newNoteFor(t, token, listed[0].Patient.ID, "progress").ID
	chen.openNote(note)
	chen.caretAtEnd(0)
	if err := chen.typeKeys("Walked to the door."); err != nil {
		t.Fatal(err)
	}
	chen.waitStatus("saved")

	search := func(w *window, words string) {
		w.t.Helper()
		w.visit("/admin")
		w.tabTo(`#search input`)
		if err := w.typeKeys(words); err != nil {
			w.t.Fatal(err)
		}
		w.leaves(chromedp.KeyEvent(kb.Enter), "search")
		w.waitFor("what was found", exists(`#found`))
	}
	if at := eval[string](novak, `location.pathname`); at != "/admin" {
		t.Errorf("an administrator begins at %s", at)
	}
	search(novak, "mei ch")
	novak.enters(`#found a[href^="/admin/people/"]`)
	chen.allow("401", "WebSocket connection to")
	novak.enters(`#logins form button`)
	novak.waitFor("what was done", exists(`#done`))
	chen.waitAtDoor()

	search(lindqvist, listed[0].Patient.MRN)
	lindqvist.enters(`#found a[href$="/accesses"]`)
	lindqvist.waitFor("who opened it", `document.querySelector('main').innerText.includes('Dr Mei Chen')`)
	if eval[bool](lindqvist, `location.href.includes('`+listed[0].Patient.MRN+`')`) {
		t.Error("an address says who was looked for")
	}
	lindqvist.enters(`.place-nav a[href="/admin/sessions"]`)
	const ended = `#sessions section[aria-labelledby="past-heading"] tbody a`
	lindqvist.waitFor("chen's session among those that have ended", exists(ended)) // which it does in seconds
	lindqvist.enters(ended)
	lindqvist.enters(`#replay`)
	lindqvist.waitFor("the note as it was", exists(`#past`))

	novak.visit("/admin/system")
	was := eval[string](novak, `document.querySelector('#system-as-of').textContent`)
	novak.waitFor("newer figures", `document.querySelector('#system-as-of').textContent !== '`+was+`'`)
	novak.visit("/admin")
	novak.enters(`#tour button`)
	if eval[bool](novak, exists(`#tour`)) {
		t.Error("the first steps are there still")
	}
}

// TestWorklistByKeyboard: a clinician filters as she types, goes from patient to patient, and opens what has changed; no letter alone does
// anything, and no address says whom she looked for.
func TestWorklistByKeyboard(t *testing.T) {
	s := shared.get(t)
	chen := byKeyboard(t, s, "chen")
	alt := chromedp.KeyModifiers(chromedp.ModifierAlt)
	chen.do(chromedp.KeyEvent("/"))
	if at := eval[string](chen, `document.activeElement.tagName`); at != "BODY" {
		t.Errorf("a key alone leads to %s", at)
	}
	chen.do(chromedp.KeyEvent("/", alt))
	chen.waitFor("the filter", `document.activeElement.id === 'q'`)
	if err := chen.typeKeys("kelp"); err != nil {
		t.Fatal(err)
	}
	chen.waitFor("one patient", `document.querySelectorAll('#worklist tbody tr').length === 1`)
	chen.do(chromedp.KeyEvent(kb.ArrowDown))
	chen.waitFor("a note of theirs", `document.activeElement.closest('tr')?.innerText.includes('KELPWELL')`)
	chen.do(chromedp.KeyEvent("/", alt))
	for range "kelp" {
		chen.do(chromedp.KeyEvent(kb.Backspace))
	}
	chen.tabTo("#sort")
	chen.do(chromedp.KeyEvent("name"))
	chen.waitFor("all by name", `document.querySelectorAll('#worklist tbody tr').length > 10 && location.search === '?sort=name'`)
	chen.do(chromedp.KeyEvent(kb.ArrowDown, alt), chromedp.KeyEvent(kb.ArrowDown, alt))
	chen.waitFor("the second patient", `document.activeElement.closest('tr') === document.querySelectorAll('#worklist tbody tr')[1]`)
	chen.do(chromedp.KeyEvent(kb.ArrowUp, alt))
	chen.waitFor("the first patient", `document.activeElement.closest('tr') === document.querySelectorAll('#worklist tbody tr')[0]`)
	chen.enters(`.parts a[href="/?show=mine"]`)
	if got := eval[string](chen, `document.querySelector('.parts [aria-current]').textContent`); !strings.HasPrefix(strings.TrimSpace(got), "Mine") {
		t.Errorf("the part is %q", got)
	}
}

// TestTextFromTheRight: a paragraph in Hebrew or Arabic begins at the right, in the editor, in the note as a page, and on paper; others
// begin at the left.
func TestTextFromTheRight(t *testing.T) {
	t.Parallel()
	s := shared.get(t)
	token := s.token(t, "chen")
	note := s.newNoteFor(t, token, s.notes(t, token)[0].Patient.ID, "progress").ID
	n := startNode(t)
	chen := n.connect("chen", hocuspocusV4, s, note, token)
	chen.wait(want{"synced": true})
	chen.fresh()
	chen.insert(0, "המטופלת מדברת עברית, 38.5 C.")
	chen.wait(want{"unsynced": 0})
	w := signedIn(t, s, "chen")
	for path, ready := range map[string]string{"": noteEditor, "/history": "#past p", "/print": ".sheet .prose p"} {
		w.visit("/notes/" + note + path)
		w.waitFor("the page", exists(ready))
		w.waitFor("the paragraph at the right", `(() => {
			const p = [...document.querySelectorAll('.prose p')].find(p => p.textContent.includes('עברית'))
			if (!p) return false
			const text = document.createRange()
			text.selectNodeContents(p)
			const box = text.getBoundingClientRect(), around = p.getBoundingClientRect()
			return around.right - box.right < 2 && box.left - around.left > 20
		})()`)
	}
}
