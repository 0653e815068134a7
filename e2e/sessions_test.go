package e2e

import (
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestReviewOfSessions: a privacy officer watches who writes, finds a session by the keyboard, sees who wrote how much and with what,
// and follows it to where it began. Whoever administers sees the same, and no content.
func TestReviewOfSessions(t *testing.T) {
	t.Parallel()
	axe, err := os.ReadFile(axePath)
	if err != nil {
		t.Fatal(err)
	}
	s := shared.get(t)
	token := s.token(t, "sato")
	note := s.newNoteFor(t, token, s.notes(t, token)[0].Patient.ID, "medications").ID
	officer := signedIn(t, s, "lindqvist")
	officer.visit("/admin/sessions?person=sato&state=live")
	officer.waitFor("no live session", `document.querySelector('#live-sessions').textContent.includes('Nobody has a note open')`)

	n := startNode(t)
	sato := n.connect("sato", hocuspocusV4, s, note, token)
	sato.wait(want{"synced": true})
	sato.fresh()
	for _, word := range []string{"Aspirin ", "75 mg ", "daily"} {
		sato.insert(-1, word)
	}
	sato.wait(want{"unsynced": 0})
	officer.waitFor("the session, and how much was written", `/Live[^]*typed 4 words, 19 characters/.test(document.querySelector('#live-sessions table')?.innerText)`)
	// Other tests have sessions of hers, too.
	link := eval[string](officer, `'#' + [...document.querySelectorAll('#live-sessions tbody tr')].find(r => r.innerText.includes('typed 4 words, 19 characters')).id + ' a'`)

	// By the keyboard alone: another state, which the address says, then nobody's sessions, then hers again.
	officer.do(chromedp.Focus(chromedp.CSS(`#state`)), chromedp.KeyEvent("A"))
	officer.waitFor("all of her sessions", exists(`#past-heading`)+` && !location.search.includes('state=') && location.search.includes('person=sato')`)
	officer.do(chromedp.Focus(chromedp.CSS(`#person`)))
	if err := officer.typeKeys("x"); err != nil {
		t.Fatal(err)
	}
	officer.waitFor("that nobody is called so", `document.querySelector('#sessions [role="alert"]')?.textContent.includes('Nobody has this username')`)
	officer.do(chromedp.KeyEvent(kb.Backspace))
	officer.waitFor("her session", exists(link))
	if at := eval[string](officer, `document.activeElement.id`); at != "person" {
		t.Errorf("the focus went to %q", at)
	}
	officer.allow("422")
	for _, v := range officer.axe(axe) {
		t.Error(v)
	}

	officer.do(chromedp.Focus(chromedp.CSS(link)))
	officer.leaves(chromedp.KeyEvent(kb.Enter), "open the session")
	if got := eval[string](officer, `document.querySelector('#summary').textContent`); !strings.Contains(got, "Yuki Sato PharmD: 4 words.") {
		t.Errorf("the session says %q", got)
	}
	session := eval[string](officer, `location.pathname`)
	for _, v := range officer.axe(axe) {
		t.Error(v)
	}
	officer.do(chromedp.Focus(chromedp.CSS(`#replay`)))
	officer.leaves(chromedp.KeyEvent(kb.Enter), "follow to the replay")
	officer.waitFor("the note after the session's first edit, which was to empty it", `document.querySelector('#past').dataset.at === '2'
		&& document.querySelector('#past').dataset.head === '5' && !document.querySelector('#past').textContent.includes('daily')`)

	novak := signedIn(t, s, "novak")
	novak.visit(session)
	if got := eval[string](novak, `document.querySelector('main').innerText`); !strings.Contains(got, "Yuki Sato") || strings.Contains(got, "Aspirin") || strings.Contains(got, "Replay") {
		t.Errorf("an administrator sees %q", got)
	}
	if dir := os.Getenv("E2E_PICTURES"); dir != "" {
		officer.visit(session)
		officer.screenshot(dir + "/session.png")
		officer.visit("/admin/sessions")
		officer.screenshot(dir + "/sessions.png")
	}
}
