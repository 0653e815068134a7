package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestReplay: somebody finds out how a note came about: who wrote what, what was there before, and what was taken out; by
// buttons, by the keyboard, by an address, and by watching. Nobody can take it for the note, and nothing changes.
func TestReplay(t *testing.T) {
	t.Parallel()
	s := shared.get(t)
	chen := byKeyboard(t, s, "chen")
	token := s.token(t, "chen")
	seeded := s.notes(t, token)[0]
	note := s.newNoteFor(t, token, seeded.Patient.ID, "progress").ID
	n := startNode(t)
	write := func(name, text string) *yclient {
		p := n.connect(name, hocuspocusV4, s, note, s.token(t, name))
		p.wait(want{"synced": true})
		if name == "chen" {
			p.fresh()
		}
		p.insert(0, text)
		p.wait(want{"unsynced": 0})
		return p
	}
	write("chen", "Afebrile overnight.")
	write("rivera", "Pain is two of ten. ")
	const past = `document.querySelector('#past')`
	before := s.xml(t, n, token, note)

	chen.openNote(note) // what stands in its bar is all there
	// By keyboard: Enter opens what stands behind "More", Tab goes into it, Escape back to its button.
	chen.tabTo(".note-state .more")
	chen.keyDown("", kb.Enter)
	chen.waitFor("what stands behind More", exists("#note-more:popover-open"))
	chen.keyDown("", kb.Tab)
	chen.waitFor("its first entry", `document.activeElement.matches('#note-more a[href$="/history"]')`)
	chen.keyDown("", kb.Escape)
	chen.waitFor("its button again", `document.activeElement.matches('.more') && document.querySelector('#note-more:popover-open') === null`)
	chen.entersMore("/history")
	chen.waitFor("the end of the history", `document.querySelector('#past').dataset.at === document.querySelector('#past').dataset.head`)
	chen.waitFor("the last edit", past+`.textContent.includes('Pain is two of ten.')`)
	if got := eval[string](chen, `document.querySelector('.past-banner').textContent`); !strings.Contains(got, "Nothing you do here changes it") {
		t.Errorf("the page says %q, not that this is history", got)
	}
	if exists := eval[bool](chen, `document.querySelector('[contenteditable]') !== null`); exists {
		t.Error("the past can be edited")
	}
	by := func(title string) string {
		return eval[string](chen, `Array.from(document.querySelectorAll('#past .by[title*="`+title+`"]'), x => x.textContent).join('')`)
	}
	if by("Chen") != "Afebrile overnight." || by("Rivera") != "Pain is two of ten. " {
		t.Errorf("whose words they are: Chen's %q, Rivera's %q", by("Chen"), by("Rivera"))
	}
	if got := eval[string](chen, `document.querySelector('.past-people').textContent`); !strings.Contains(got, "2 words") || !strings.Contains(got, "5 words") {
		t.Errorf("how much is whose: %q", got)
	}

	presses := func(button string) {
		t.Helper()
		chen.tabTo(button)
		chen.enter()
	}
	presses(`#timeline [value="back"]`)
	chen.waitFor("the note before the last edit", `!document.querySelector('#past').textContent.includes('Pain is two of ten.')`)
	chen.tabTo(`#at`)
	chen.do(chromedp.KeyEvent(kb.ArrowRight))
	chen.waitFor("the last edit", past+`.textContent.includes('Pain is two of ten.')`)
	presses(`#timeline [value="first"]`)
	chen.waitFor("the beginning", `document.querySelector('#past').dataset.at === '1'`)
	chen.tabTo(`#speed`)
	chen.types("64")
	presses(`#play`)
	chen.waitFor("the last edit", past+`.textContent.includes('Pain is two of ten.')`)
	chen.waitFor("the end of playing", `document.querySelector('#play').textContent === 'Play'`)

	chen.tabTo(`#by`)
	chen.types("Dr Mei")
	presses(`#timeline [value="last"]`)
	chen.waitFor("Chen's last edit", `document.querySelector('#past').dataset.says.includes('Chen')`)
	presses(`#play`) // from their last edit: it begins anew, and ends there
	chen.waitFor("playing", `document.querySelector('#play').textContent === 'Pause'`)
	chen.waitFor("the end of what Chen wrote", `document.querySelector('#play').textContent === 'Play' && document.querySelector('#past').dataset.says.includes('Chen')`)
	at := eval[string](chen, `location.search`)
	chen.visit("/notes/" + note + "/history" + at)
	if got := eval[string](chen, `document.querySelector('#past').dataset.says`); !strings.Contains(got, "Chen") {
		t.Errorf("the address %q leads to %q", at, got)
	}
	if after := s.xml(t, n, token, note); after != before {
		t.Errorf("looking at the past changed the note from %s to %s", before, after)
	}

	haddad := signedIn(t, s, "novak") // who administers reads no notes
	haddad.visit("/notes/" + note + "/history")
	if got := eval[string](haddad, `document.body.textContent`); strings.Contains(got, "Afebrile") {
		t.Error("an administrator reads a note by its history")
	}
	haddad.allow("403")
}
