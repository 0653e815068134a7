package e2e

import (
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// A test that waits for minutes stands here, where it begins among the first: others run meanwhile.

// TestLogoffAndHandOver: who walks away is asked, and then signed out in every window; nothing of the note stays on the
// screen, behind it, or in the browser. Who comes next begins at their own work, who comes back goes on.
func TestLogoffAndHandOver(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--logoff-after=1m")
	token := s.token(t, "rivera")
	note := s.newNote(t, token)
	chen := signedIn(t, s, "chen")
	chen.allow("401 (Unauthorized) (" + s.url + "/api/v1/notes/") // what the page was asking for then
	list := chen.tab("chen-list")
	list.visit("/")
	chen.openNote(note)
	chen.caretAtEnd(0)
	if err := chen.typeKeys(canary); err != nil {
		t.Fatal(err)
	}
	chen.waitStatus("saved")
	chen.storesNothing() // not even while she writes
	rivera := startNode(t).connect("rivera", hocuspocusV4, s, note, token)
	rivera.wait(want{"synced": true, "peers": "Dr Mei Chen"})

	chen.waitFor("the question", asked)
	list.waitFor("the question in the other window", asked)
	axe, err := os.ReadFile(axePath)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range chen.axe(axe) {
		t.Error(v)
	}
	if focused := eval[string](chen, `document.activeElement.id`); focused != "logoff-stay" {
		t.Errorf("the focus is at %q", focused)
	}
	list.do(chromedp.Click(chromedp.CSS("#logoff-stay")))
	list.waitFor("the answer", "!("+asked+")")
	chen.waitFor("the answer given elsewhere", "!("+asked+")")

	okafor := signedIn(t, s, "okafor") // on the same machine, in another profile
	okafor.openNote(note)
	okafor.waitFor("chen's presence", `document.querySelector('#presence').textContent.includes('Mei Chen')`)

	chen.waitFor("the question again", asked)
	okafor.waitFor("a question of his own", asked)
	okafor.do(chromedp.Click(chromedp.CSS("#logoff-stay")))
	chen.waitAtDoor()
	list.waitAtDoor()
	okafor.waitFor("chen to be gone", `!document.querySelector('#presence').textContent.includes('Mei Chen')`)
	if at := eval[string](okafor, `location.pathname`); at != "/notes/"+note {
		t.Errorf("who answered is led to %s", at)
	}
	okafor.waitStatus("saved")
	rivera.wait(want{"nobody": "Dr Mei Chen"})
	if said := eval[string](chen, `document.querySelector('#ended').innerText`); !strings.Contains(said, "Nobody had used") || strings.Contains(said, "may not have been saved") {
		t.Errorf("the sign-in page says %q", said)
	}
	if at := eval[string](chen, `location.href + history.state`); strings.Contains(at, note) {
		t.Errorf("the address of the sign-in page is %s", at)
	}
	if text := s.text(t, token, note); !strings.Contains(text, canary) {
		t.Errorf("the note is %q", text)
	}
	chen.nothingIsKept()

	chen.do(chromedp.NavigateBack())
	chen.waitAtDoor()
	chen.nothingIsKept()

	chen.signIn("rivera", password) // at chen's workstation
	if at := eval[string](chen, `location.pathname`); at != "/" {
		t.Errorf("who comes next is led to %s", at)
	}
	chen.submit(`form[action="/logout"] button`)
	chen.signIn("chen", password)
	chen.waitFor("the note", notes)
	if at := eval[string](chen, `location.pathname`); at != "/notes/"+note {
		t.Errorf("who comes back is led to %s", at)
	}
	chen.waitContains(canary)
}
