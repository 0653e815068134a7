package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// focusNotice moves the focus to the notice before the page's stream can say anything, and marks when it has.
const focusNotice = `document.addEventListener('DOMContentLoaded', () => document.querySelector('#notices a')?.focus())
document.addEventListener('htmx:sse:after:message', () => document.documentElement.dataset.told = 'yes')`

// TestToldOnAnyPage: a nurse breaks the glass, and whoever has to know sees it where they are, without asking: the privacy
// officer on a page about herself, who is in charge where the nurse works on the worklist, and whom he works under in a note,
// while typing, which goes on. Who has looked is told no more, in none of their windows.
func TestToldOnAnyPage(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	note, other := s.newNote(t, s.token(t, "chen")), s.newNote(t, s.token(t, "chen"))
	for _, change := range [][]string{{"rivera", "--role=charge nurse", "--unit=icu"}, {"brandt", "--supervisor=okafor"}} {
		if out, err := s.command(t.Context(), append([]string{"user", "set", "--data", s.data}, change...)...); err != nil {
			t.Fatal(err, out)
		}
	}
	brandt, lindqvist, rivera, okafor := signedIn(t, s, "brandt"), signedIn(t, s, "lindqvist"), signedIn(t, s, "rivera"), signedIn(t, s, "okafor")
	lindqvist.visit("/security")
	rivera.visit("/")
	okafor.openNote(other)
	okafor.caretAtEnd(0)
	if err := okafor.typeKeys("Before. "); err != nil {
		t.Fatal(err)
	}
	for _, w := range []*window{lindqvist, rivera, okafor} {
		if eval[bool](w, exists("#notices .notice")) {
			t.Error("a page tells of nothing")
		}
	}

	brandt.allow("403")
	brandt.visit("/glass?note=" + note)
	brandt.do(
		chromedp.SetValue(chromedp.CSS(`#reason`), "emergency"),
		chromedp.SendKeys(chromedp.CSS(`#words`), "Called to the arrest in this bed; the team asks for the history."),
	)
	brandt.submit(`#glass button`)
	for _, w := range []*window{lindqvist, rivera, okafor} {
		w.waitFor("the notice", exists(`#notices[role="status"] .notice a[href="/reviews"]`))
		if text := eval[string](w, `document.querySelector('#notices').textContent`); !strings.Contains(text, "Jonas Brandt RN, nurse") || strings.Contains(text, "arrest") {
			t.Errorf("the notice says %q", text)
		}
	}
	if err := okafor.typeKeys("After."); err != nil { // what has the focus keeps it
		t.Fatal(err)
	}
	okafor.waitStatus("saved")
	if got := s.text(t, s.token(t, "chen"), other); !strings.Contains(got, "Before. After.") {
		t.Errorf("the note reads %q", got)
	}
	okafor.pictures("told-note", "#notices .notice")
	rivera.pictures("told-worklist", "#notices .notice")

	lindqvist.visit("/api/docs")
	lindqvist.waitFor("the notice on the next page", exists("#notices .notice"))
	lindqvist.onEachPage(focusNotice)
	lindqvist.visit("/security")
	lindqvist.waitFor("the stream's first message", `document.documentElement.dataset.told === 'yes'`)
	if !eval[bool](lindqvist, `document.activeElement.matches('#notices a')`) {
		t.Error("a message that says nothing new takes the focus")
	}
	lindqvist.leaves(chromedp.KeyEvent("\r"), "press Enter on the link")
	lindqvist.waitFor("the review", exists(`table.reviews form`))
	if eval[bool](lindqvist, exists("#notices .notice")) {
		t.Error("who looks at it is told")
	}
	okafor.submit(`#notices a`)
	okafor.waitFor("what his nurse did", `document.querySelector('table.reviews').textContent.includes('Jonas Brandt')`)
	okafor.pictures("told-review", "table.reviews")
	if !eval[bool](rivera, exists("#notices .notice")) {
		t.Error("who has not looked is told no more")
	}
}
