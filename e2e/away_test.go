package e2e

import (
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// Tests that wait for minutes, while others run.

// TestLogoffAndHandOver: who walks away is asked, and then signed out in every window; nothing of the note stays on the
// screen, behind it, or in the browser. Who comes next begins at their own work, who comes back goes on.
func TestLogoffAndHandOver(t *testing.T) {
	t.Parallel()
	idles(t)
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

// TestLogoffSendsWhatIsUnsaved, though the page is cleared already, and says how much it could not.
func TestLogoffSendsWhatIsUnsaved(t *testing.T) {
	t.Parallel()
	idles(t)
	for name, inTime := range map[string]bool{"in time": true, "never": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startServer(t, "--logoff-after=1m")
			note := s.newNote(t, s.token(t, "rivera"))
			chen := signedIn(t, s, "chen")
			chen.allow("Failed to load resource")
			chen.openNote(note)
			chen.caretAtEnd(0)
			release := s.holdNote(t, note)
			if err := chen.typeKeys(canary); err != nil {
				t.Fatal(err)
			}
			chen.waitFor("the question", asked)
			chen.waitFor("an empty screen", cleared)
			if page := eval[string](chen, `document.documentElement.outerHTML`); strings.Contains(page, canary) {
				t.Errorf("the screen shows %.300s", page)
			}
			if inTime {
				release()
			}
			chen.waitAtDoor()
			release()
			at, err := url.Parse(eval[string](chen, `location.href`))
			if err != nil {
				t.Fatal(err)
			}
			text, unsaved := s.text(t, s.token(t, "rivera"), note), at.Query().Get("unsaved")
			if inTime && (!strings.Contains(text, canary) || unsaved != "") {
				t.Errorf("the note is %q, and %q changes were not saved", text, unsaved)
			}
			if !inTime && unsaved == "" {
				t.Errorf("the page led to %s, and does not say that something was lost", at)
			}
		})
	}
}

// TestLogoffOffline: what somebody typed while the line was away is sent if it comes back before their login ends, though the
// screen is empty by then; they were told until when.
func TestLogoffOffline(t *testing.T) {
	t.Parallel()
	idles(t)
	s := startServer(t, "--logoff-after=2m")
	note := s.newNote(t, s.token(t, "rivera"))
	line := startCable(t, s)
	chen := line.signedInOver(t, s, "chen")
	chen.openNote(note)
	chen.caretAtEnd(0)
	line.pull()
	chen.waitStatus("offline")
	if err := chen.typeKeys(canary); err != nil {
		t.Fatal(err)
	}
	chen.waitFor("the time by which the line has to be back", `/sign-in ends at \d\d:\d\d/.test(document.querySelector('#save-alert').textContent)`)
	chen.waitFor("the question, and how much is not saved", asked+` && /\d changes on this page are not saved/.test(document.querySelector('#logoff-problem').textContent)`)
	chen.shot("logoff-offline")
	chen.waitFor("an empty screen", cleared)
	line.plug()
	chen.waitAtDoor()
	if text := s.text(t, s.token(t, "rivera"), note); !strings.Contains(text, canary) {
		t.Errorf("the note is %q", text)
	}
	if at := eval[string](chen, `location.search`); strings.Contains(at, "unsaved") {
		t.Errorf("the sign-in page is told of losses: %s", at)
	}
	chen.nothingIsKept()
}

// TestStockProviders: the providers that people use get in sync, exchange
// edits and presence, stay connected while nobody does anything, and have
// nothing unsaved.
func TestStockProviders(t *testing.T) {
	t.Parallel()
	idles(t)
	s := shared.get(t)
	for kind, name := range map[string]string{
		yWebsocket:   "y-websocket 3.1.0",
		hocuspocusV4: "hocuspocus provider 4.8.0",
		hocuspocusV3: "hocuspocus provider 3.4.4",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testProvider(t, s, kind)
		})
	}
}
