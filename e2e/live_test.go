package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestBoardChangesByItself: the unit's board shows who starts to write, and
// that they stopped, without anybody reloading it.
func TestBoardChangesByItself(t *testing.T) {
	s := shared.get(t)
	haddad := signedIn(t, s, "haddad")
	unit := unitPath(t, haddad)
	haddad.visit("/units/" + unit)
	haddad.waitFor("the board", exists("#board tbody tr"))
	link := eval[string](haddad, `document.querySelector('#board tr:not([data-writing]) td.notes a[href^="/notes/"]').getAttribute('href')`)
	row := fmt.Sprintf(`document.querySelector('a[href=%q]').closest('tr')`, link)
	bed := eval[string](haddad, row+".id")
	haddad.do(chromedp.Evaluate[chromedp.Void](`window.stillHere = true`))

	n := startNode(t)
	okafor := n.connect("okafor", yWebsocket, s, strings.TrimPrefix(link, "/notes/"), s.token(t, "okafor"))
	okafor.wait(want{"synced": true})
	n.must("okafor", "append", map[string]any{"text": "Reviewed on the round."}, nil)
	okafor.wait(want{"unsynced": 0})
	writing := fmt.Sprintf(`document.querySelector('#%s td.writing').textContent.includes('Dr Daniel Okafor')`, bed)
	haddad.waitFor("okafor writing", writing+` && `+exists("#"+bed+"[data-writing]"))
	if !strings.Contains(eval[string](haddad, `document.querySelector('#board-totals').textContent`), "1") {
		t.Errorf("the board's totals say %q", eval[string](haddad, `document.querySelector('#board-totals').textContent`))
	}
	okafor.close()
	haddad.waitFor("okafor gone", "!"+writing)
	if !eval[bool](haddad, `window.stillHere === true`) {
		t.Error("the board was loaded anew; it must change in place")
	}
}

// TestSessionsPage: the administrator sees who is in a note now, and
// afterwards who was, with their edits.
func TestSessionsPage(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	token := s.token(t, "chen")
	note := s.newNote(t, token)
	n := startNode(t)
	chen := n.connect("chen", hocuspocusV4, s, note, token)
	rivera := n.connect("rivera", yWebsocket, s, note, s.token(t, "rivera"))
	chen.wait(want{"synced": true})
	rivera.wait(want{"synced": true})
	n.must("chen", "append", map[string]any{"text": "one"}, nil)
	chen.wait(want{"unsynced": 0})
	rivera.wait(want{"contains": "one"})

	novak := signedIn(t, s, "novak")
	novak.visit("/admin/sessions")
	live := novak.sessionRows("live-heading")
	if len(live) != 1 || !strings.Contains(live[0], "Dr Mei Chen") || !strings.Contains(live[0], "Rosa Rivera RN") || !strings.Contains(live[0], "Live") {
		t.Errorf("live sessions are %q, want one with chen and rivera", live)
	}
	chen.close()
	rivera.close()
	// It ends a little after the last one left; the page moves it by itself.
	novak.waitFor("the session's end", fmt.Sprintf(`(%s).length === 0 && (%s).length === 1`, sessionRows("live-heading"), sessionRows("past-heading")))
	past := novak.sessionRows("past-heading")
	if len(past) != 1 {
		t.Fatalf("past sessions are %q, want one", past)
	}
	for _, said := range []string{"Dr Mei Chen", "1 edit", "Rosa Rivera RN", "0 edits"} {
		if !strings.Contains(past[0], said) {
			t.Errorf("the past session says %q, want %q in it", past[0], said)
		}
	}
	if strings.Contains(past[0], "Live") {
		t.Errorf("the past session is called live: %q", past[0])
	}
}

// sessionRows is an expression for the texts of the table below a heading.
func sessionRows(heading string) string {
	return fmt.Sprintf(`[...document.querySelectorAll('section[aria-labelledby="%s"] tbody tr')].map(r => r.innerText)`, heading)
}

func (w *window) sessionRows(heading string) []string {
	w.t.Helper()
	return eval[[]string](w, sessionRows(heading))
}

// TestReaderSeesReadOnly: who may read and not write sees the note change, is
// told Read-only, and can type nothing.
func TestReaderSeesReadOnly(t *testing.T) {
	t.Parallel()
	s := shared.get(t)
	token := s.token(t, "chen")
	note := s.newNote(t, token)
	n := startNode(t)
	chen := n.connect("chen", hocuspocusV4, s, note, token)
	chen.wait(want{"synced": true})
	chen.fresh()
	chen.insert(0, "Seen by the officer.")

	officer := signedIn(t, s, "lindqvist")
	officer.visit("/notes/" + note)
	officer.waitText("Seen by the officer.")
	officer.waitStatus("readonly")
	if text := eval[string](officer, `document.querySelector('#save-text').textContent`); text != "Read-only" {
		t.Errorf("the status says %q, want Read-only", text)
	}
	if eval[bool](officer, exists(noteEditor)) {
		t.Error("the reader's editor takes input")
	}
	officer.do(chromedp.Click(chromedp.CSS(anyEditor)))
	if err := officer.typeKeys("not allowed"); err != nil {
		t.Fatal(err)
	}
	chen.insert(-1, " Live.")
	officer.waitText("Seen by the officer. Live.")
	officer.waitStatus("readonly")
	chen.wait(want{"text": "Seen by the officer. Live.", "unsynced": 0})
}

// TestOpeningANoteChangesNothing: whoever opens a note, of each kind, sees in
// the editor what the server renders, and leaves the note as it was.
func TestOpeningANoteChangesNothing(t *testing.T) {
	s := shared.get(t)
	token := s.token(t, "chen")
	n := startNode(t)
	chen, officer := signedIn(t, s, "chen"), signedIn(t, s, "lindqvist")
	kinds := map[string]bool{}
	for _, note := range s.notes(t, token) {
		if kinds[note.Kind] {
			continue
		}
		kinds[note.Kind] = true
		before := s.xml(t, n, token, note.ID)
		_, page := fetch(t, s.signIn(t, "chen"), s.url+"/notes/"+note.ID)
		chen.openNote(note.ID)
		officer.visit("/notes/" + note.ID)
		officer.waitStatus("readonly")
		rendered := squeeze(textOf(t, page, "note-body"))
		if got := squeeze(chen.text()); got != rendered || got == "" {
			t.Errorf("%s: the editor shows %q, the server renders %q", note.Kind, got, rendered)
		}
		if got := squeeze(s.text(t, token, note.ID)); got != rendered {
			t.Errorf("%s: as text it is %q, rendered %q", note.Kind, got, rendered)
		}
		// Both pages have said all they have to say when they leave.
		chen.visit("/")
		officer.visit("/admin/sessions")
		if after := s.xml(t, n, token, note.ID); after != before {
			t.Errorf("%s: opening it made %s of %s", note.Kind, after, before)
		}
	}
	if len(kinds) < 4 {
		t.Errorf("the demo has notes of %d kinds, want 4", len(kinds))
	}
}

// xml is a note's content as Yjs writes it, with its state vector.
func (s *server) xml(t *testing.T, n *node, token, note string) string {
	t.Helper()
	var yjs struct{ XML, SV string }
	n.must("", "readUpdate", map[string]any{"update": s.state(t, token, note, octets)}, &yjs)
	return yjs.XML + " at " + yjs.SV
}

// squeeze leaves white space out: pages and texts lay it out differently.
func squeeze(s string) string { return strings.Join(strings.Fields(s), "") }
