package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// mostStops is more than any page has that Tab comes to: boards have more in the evening, when more is overdue.
const mostStops = 400

// tabTo presses Tab until what has the focus is of the selector.
func (w *window) tabTo(selector string) {
	w.t.Helper()
	for range mostStops {
		if eval[bool](w, fmt.Sprintf(`document.activeElement?.matches(%s) ?? false`, quoteJS(selector))) {
			return
		}
		w.do(chromedp.KeyEvent("\t"))
	}
	w.t.Fatalf("%s's window: %d times Tab do not lead to %s", w.name, mostStops, selector)
}

// bedsShown are the labels of the beds that a board shows.
const bedsShown = `[...document.querySelectorAll('#board tbody tr')].filter(r => r.offsetParent !== null).map(r => r.querySelector('th').firstChild.textContent.trim())`

// TestChargeNursesTasks: with the keyboard alone, who is in charge sees who is unstable, has the watchers on top, finds the notes that
// are overdue and asks whoever began one to sign it, who is told where they are; changes a code status; and a display in the hallway
// shows what everybody may read of that, as it happens.
func TestChargeNursesTasks(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	haddad, okafor, wall := byKeyboard(t, s, "haddad"), byKeyboard(t, s, "okafor"), openWindow(t, s, "wall")
	wall.signIn("wall", password)
	wall.waitFor("the wall", exists(`body.wall #bed-4-west-01`))
	okafor.visit("/unsigned")

	haddad.visit("/units/4-west")
	haddad.waitFor("the board", `!document.querySelector('#board-filter button').offsetParent`)
	haddad.tabTo("#f-severity")
	haddad.do(chromedp.KeyEvent("Unstable"))
	haddad.waitFor("the unstable", bedsShown+`.length > 0 && [...document.querySelectorAll('#board tbody tr')].every(r => r.offsetParent === null || r.dataset.severity === 'unstable')`)
	if said := eval[string](haddad, `location.search + ' ' + document.querySelector('#board-left').textContent`); !strings.HasPrefix(said, "?severity=unstable ") || !strings.Contains(said, " of 20 beds shown") {
		t.Errorf("the page says %q", said)
	}
	haddad.pictures("board-unstable", `#board tr[data-severity="unstable"]`)
	haddad.do(chromedp.KeyEvent(kb.Home)) // "All"; letters would go on with the word before
	haddad.tabTo("#f-sort")
	haddad.do(chromedp.KeyEvent("By s"))
	haddad.waitFor("the gravest on top", `(() => { const o = [...document.querySelectorAll('#board tbody tr')].map(r => Number(r.dataset.order)); return o[0] < o.at(-1) && o.every((n, i) => i === 0 || o[i - 1] <= n) })()`)

	const okafors = `button[aria-label^="Nudge Dr Daniel Okafor to sign: History"][aria-label$="4W-02"]`
	haddad.tabTo(okafors)
	haddad.do(chromedp.KeyEvent("\r"))
	haddad.waitFor("the answer", `document.querySelector('#board-says').textContent === 'Asked.'`)
	haddad.waitFor("that he was asked", `document.querySelector('#bed-4-west-02').textContent.includes('asked ') && !`+exists(okafors))
	okafor.waitFor("the notice", exists("#asked"))
	if text := eval[string](okafor, `document.querySelector('#asked').textContent`); !strings.Contains(text, "Lina Haddad RN, charge nurse") || strings.Contains(strings.ToLower(text), "kelpwell") {
		t.Errorf("he is told %q", text)
	}
	okafor.pictures("asked", "#asked")
	okafor.tabTo("#asked button")
	okafor.do(chromedp.KeyEvent("\r"))
	okafor.waitFor("the notice to go", "!"+exists("#asked"))
	haddad.waitFor("that he has seen it", `document.querySelector('#bed-4-west-02').textContent.includes('asked, seen')`)

	haddad.tabTo("#bed-4-west-02 .change")
	haddad.leaves(chromedp.KeyEvent("\r"), "open the form")
	haddad.tabTo("#severity")
	haddad.do(chromedp.KeyEvent("Unst"))
	haddad.tabTo("#code")
	haddad.do(chromedp.KeyEvent("DNR"))
	haddad.pictures("bed", "#code")
	haddad.tabTo(".bed-form form .btn")
	haddad.leaves(chromedp.KeyEvent("\r"), "save")
	haddad.waitFor("the board, as it was left", `location.search === '?sort=severity' && document.querySelector('#bed-4-west-02').textContent.includes('DNR')`)
	wall.waitFor("the change on the wall", `document.querySelector('#bed-4-west-02').textContent.includes('Unstable')`)
	if text := strings.ToLower(eval[string](wall, `document.documentElement.outerHTML`)); strings.Contains(text, "kelpwell") || strings.Contains(text, "dnr") || strings.Contains(text, "<a ") {
		t.Error("the wall says what not everybody may read, or leads somewhere")
	}
	wall.pictures("wall", "#bed-4-west-02")
	haddad.pictures("board", "#bed-4-west-02")
	haddad.unitsTasks()
}

// unitsTasks: from the board's counts she goes to what is to be done on the unit, finds what is hers, ticks one off, which stays as done, and opens
// the note where another stands.
func (w *window) unitsTasks() {
	w.t.Helper()
	const shown = `[...document.querySelectorAll('#tasks tbody tr')].filter(r => r.offsetParent !== null)`
	w.waitFor("the unit's tasks", exists(`#board-totals a`)) // they are read behind the notes
	w.enters(`#board-totals a[href="/units/4-west/tasks"]`)
	w.waitFor("the list", shown+`.length > 3 && document.querySelector('#tasks-filter button').hidden`)
	w.pictures("unit-tasks", "#unit-tasks")
	w.tabTo("#f-who")
	w.do(chromedp.KeyEvent("Mine"))
	w.waitFor("hers", `location.search === '?who=mine' && `+shown+`.length > 0 && `+shown+`.every(r => r.dataset.mine !== undefined)`)
	w.alt("/")
	w.waitFor("the filter", `document.activeElement.id === 'q'`)
	bed := eval[string](w, shown+`[0].dataset.bed`)
	w.types(strings.Replace(bed, "4-west", "4w", 1))
	w.waitFor("those of a bed", shown+`.length > 0 && `+shown+`.every(r => r.dataset.bed === '`+bed+`')`)
	if said := eval[string](w, `location.search + ' ' + document.querySelector('#tasks-left').textContent`); !strings.HasPrefix(said, "?who=mine ") || !strings.Contains(said, " tasks shown") {
		w.t.Errorf("the page says %q", said)
	}
	w.do(chromedp.KeyEvent(kb.ArrowDown))
	w.waitFor("the first of them", shown+`[0].contains(document.activeElement)`)
	row := eval[string](w, shown+`[0].id`)
	w.tabTo("#" + row + " button")
	w.do(chromedp.KeyEvent("\r"))
	w.waitFor("the answer", `document.querySelector('#board-says').textContent === 'Ticked off.'`)
	w.waitFor("it among what was done", exists(`#tasks-done #`+row))
	w.enters(`#` + row + ` a`)
	w.waitStatus("saved")
	w.waitFor("the caret in the task", `document.querySelector('`+noteEditor+`').editor.state.selection.$from.node(-1).type.name === 'taskItem'`)
}

// TestBoardOutlivesBlips: while the line is out a board and a wall say that they are not current; once it is back they catch up with what
// happened meanwhile, by themselves, and nobody has loaded a page again. So they do when the server was killed.
func TestBoardOutlivesBlips(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	line := startCable(t, s)
	haddad, wall := line.signedInOver(t, s, "haddad"), openWindow(t, line.over(t, s), "wall")
	wall.signIn("wall", password)
	haddad.visit("/units/4-west")
	rivera := signedIn(t, s, "rivera")
	screens := []*window{haddad, wall}
	for _, w := range []*window{haddad, wall, rivera} {
		w.allow(lineAway...)
	}
	const stale = `document.querySelector('#board-stale')?.hidden === false && document.querySelector('#board').classList.contains('stale')`
	for _, w := range screens {
		w.waitFor("the board", exists("#bed-4-west-03"))
		w.do(chromedp.Evaluate[chromedp.Void](`window.stillHere = true`))
	}
	change := func(to string) {
		t.Helper()
		rivera.visit("/units/4-west/beds/4-west-03")
		rivera.do(chromedp.SetValue(chromedp.CSS(`#severity`), to))
		rivera.submit(`.bed-form form .btn`)
	}
	caughtUp := func(to string) {
		t.Helper()
		for _, w := range screens {
			w.waitFor("the change", fmt.Sprintf(`document.querySelector('#bed-4-west-03').dataset.severity === %q && document.querySelector('#board-stale').hidden`, to))
			if !eval[bool](w, `window.stillHere === true`) {
				t.Errorf("%s's page was loaded anew", w.name)
			}
		}
	}
	change("watcher")
	caughtUp("watcher")
	line.pull()
	for _, w := range screens {
		w.waitFor("being told that it is not current", stale)
	}
	change("unstable")
	line.plug()
	caughtUp("unstable")
	if err := s.kill(); err != nil {
		t.Fatal(err)
	}
	for _, w := range screens {
		w.waitFor("being told that it is not current", stale)
	}
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	change("stable")
	caughtUp("stable")
}
