package e2e

import (
	"os"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestBreakingTheGlass: a nurse of another unit is refused a note, breaks the glass on the page, and writes; the charge
// nurse sees it on her board as it happens, and closes the review; the privacy officer sees who has opened the record, and
// finds it all in the log of acts.
func TestBreakingTheGlass(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	note := s.newNote(t, s.token(t, "chen"))
	brandt, haddad, lindqvist := byKeyboard(t, s, "brandt"), byKeyboard(t, s, "haddad"), byKeyboard(t, s, "lindqvist")
	haddad.visit("/units/4-west")
	haddad.waitFor("the board", exists("#board tr"))

	brandt.allow("403")
	brandt.visit("/notes/" + note)
	brandt.pictures("glass-denied", "main.error, .error")
	brandt.enters(`a[href^="/glass"]`)
	brandt.pictures("glass-form", "#glass")
	brandt.tabTo(`#reason`)
	brandt.types("Em")
	brandt.tabTo(`#words`)
	brandt.types("Called to the arrest in this bed; the team asks for the history.")
	brandt.enters(`#glass button`)
	brandt.waitStatus("saved")
	brandt.tabTo(noteEditor)
	brandt.stands("Subjective")
	brandt.down(1)
	brandt.types("ROSC after two minutes.")
	brandt.waitStatus("saved")

	haddad.waitFor("the notice", exists(`#notices a[href="/reviews"]`))
	haddad.pictures("glass-board", "#notices .notice")
	haddad.enters(`#notices a`)
	haddad.pictures("glass-reviews", "table.reviews form")
	haddad.tabTo(`[name="finding"]`)
	haddad.types("It was a")
	haddad.tabTo(`[name="words"]`)
	haddad.types("She was first at the bed.")
	haddad.enters(`table.reviews button`)
	haddad.waitFor("the finding", `document.querySelector('table.reviews').textContent.includes('first at the bed')`)
	haddad.pictures("glass-reviewed", "table.reviews")

	lindqvist.visit("/reviews")
	lindqvist.enters(`a[href^="/patients/"]`)
	lindqvist.waitFor("the list", `document.querySelector('main').textContent.includes('broke the glass')`)
	lindqvist.pictures("glass-accesses", "table.sessions")
	lindqvist.visit("/reviews/activity")
	lindqvist.pictures("activity", "table.sessions")

	lindqvist.visit("/reviews")
	lindqvist.enters(`a[href="/reviews/log"]`)
	lindqvist.allow("422")
	lindqvist.tabTo(`#person`)
	lindqvist.types("nobody-of-this-name")
	lindqvist.enters(`form[action="/reviews/log"] button`)
	lindqvist.waitFor("what is wrong", exists(`[role="alert"]`))
	lindqvist.tabTo(`#person`)
	lindqvist.ctrl("a")
	lindqvist.types("brandt")
	lindqvist.enters(`form[action="/reviews/log"] button`)
	lindqvist.waitFor("what he did", `document.querySelector('#acts')?.textContent.includes('broke the glass')`)
	if eval[bool](lindqvist, `document.querySelector('#acts').textContent.includes('Mei Chen')`) || eval[string](lindqvist, `location.pathname + location.search`) != "/reviews/log" {
		t.Error("others are listed, or the address says who was looked for")
	}
	lindqvist.pictures("log", "#acts")
}

// pictures has axe look at a page, light and dark, wide and narrow, and keeps a picture of each.
func (w *window) pictures(name, ready string) {
	w.t.Helper()
	script, err := os.ReadFile(axePath)
	if err != nil {
		w.t.Fatalf("axe-core is needed, from `npm ci`: %v", err)
	}
	defer w.do(chromedp.EmulateViewport(1280, 900))
	for _, look := range []struct {
		name, scheme string
		width        int64
	}{{"light", "light", 1280}, {"dark", "dark", 1280}, {"narrow", "light", 360}} {
		w.colorScheme(look.scheme)
		w.do(chromedp.EmulateViewport(look.width, 900))
		w.waitFor(name, exists(ready))
		w.shot(name + "-" + look.name)
		for _, v := range w.axe(script) {
			w.t.Errorf("%s, %s: %s", name, look.name, v)
		}
		if wide := eval[int64](w, `document.documentElement.scrollWidth`); wide > look.width {
			w.t.Errorf("%s, %s: %d pixels wide", name, look.name, wide)
		}
	}
}
