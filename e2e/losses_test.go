package e2e

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"
)

// The notice about words that were removed.
const (
	lossNotice = `#losses:not([hidden]) .loss`
	putBack    = `#losses button[data-remedy="restored"]`
	dismiss    = `#losses button[data-remedy="dismissed"]`
)

// stableNote is a new note with one paragraph.
func stableNote(t *testing.T, s *server) (token, note string) {
	t.Helper()
	token = s.token(t, "chen")
	note = s.newNote(t, token)
	n := startNode(t)
	seeder := n.connect("seeder", hocuspocusV4, s, note, token)
	seeder.wait(want{"synced": true})
	seeder.fresh()
	seeder.insert(0, "Stable.")
	seeder.wait(want{"unsynced": 0})
	seeder.close()
	return token, note
}

// settled is what became of a note's losses, the oldest first: "" for those that wait.
func (s *server) settled(t *testing.T, token, note string) []string {
	t.Helper()
	_, body := s.api(t, apiRequest{method: "GET", path: "/notes/" + note + "/losses", token: token})
	var list struct {
		Losses []struct{ Settled struct{ How string } }
	}
	if err := json.Unmarshal(body, &list); err != nil {
		t.Fatalf("losses: %v in %.300s", err, body)
	}
	var how []string
	for _, l := range slices.Backward(list.Losses) {
		how = append(how, l.Settled.How)
	}
	return how
}

// makeHeading turns the paragraph with the caret into a heading.
func (w *window) makeHeading() {
	w.t.Helper()
	w.caretAtEnd(0)
	w.do(chromedp.Click(chromedp.CSS(`#toolbar [data-command="heading1"]`)))
	w.waitFor("the heading", exists(noteEditor+" h1"))
}

func (w *window) press(button string) {
	w.t.Helper()
	w.do(chromedp.Click(chromedp.CSS(button)))
	w.waitFor("the notice to go", "!"+exists(lossNotice))
}

// shot takes a picture for whoever looks, if a folder is named.
func (w *window) shot(name string) {
	if dir := os.Getenv("E2E_SHOTS"); dir != "" {
		w.screenshot(filepath.Join(dir, name+".png"))
	}
}

// TestWordsRemovedByAHeading: chen types while rivera, cut off, turns the
// paragraph into a heading. Chen is told when rivera is back, and still after
// a reload; one press puts the words behind the heading, for everybody.
func TestWordsRemovedByAHeading(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	token, note := stableNote(t, s)
	line := startCable(t, s)
	chen, rivera := signedIn(t, s, "chen"), line.signedInOver(t, s, "rivera")
	chen.openNote(note)
	rivera.openNote(note)
	line.pull()
	rivera.waitStatus("offline")
	chen.caretAtEnd(0)
	if err := chen.typeKeys(" ANAPHYLAXIS to penicillin!"); err != nil {
		t.Fatal(err)
	}
	chen.waitStatus("saved")
	rivera.makeHeading()
	line.plug()
	rivera.do(chromedp.Evaluate[chromedp.Void](`window.dispatchEvent(new Event('online'))`))
	rivera.waitStatus("saved")
	for _, w := range []*window{chen, rivera} {
		w.waitText("Stable.")
	}
	const said = `Rosa Rivera RN changed the paragraph that you were typing in. These words of yours were removed:`
	const words = ` ANAPHYLAXIS to penicillin!`
	for range 2 { // the second time the page is new
		chen.waitFor("the notice", exists(lossNotice))
		if got := eval[string](chen, `document.querySelector('#losses p').textContent`); got != said {
			t.Errorf("the notice says %q", got)
		}
		if got := eval[string](chen, `document.querySelector('#losses blockquote').textContent`); got != words {
			t.Errorf("the words are %q", got)
		}
		chen.do(chromedp.Reload())
	}
	if eval[bool](rivera, exists(lossNotice)) {
		t.Error("rivera is told of chen's words")
	}
	chen.waitFor("the notice", exists(lossNotice))
	lookAtNotice(t, chen)
	chen.waitStatus("saved")
	chen.press(putBack)
	const text = "Stable.\nANAPHYLAXIS to penicillin!"
	for _, w := range []*window{chen, rivera} {
		w.waitText(text)
		w.waitFor("the words in a paragraph", exists(noteEditor+" > h1 + p"))
		w.waitStatus("saved")
	}
	if got := eval[string](chen, `getSelection().toString()`); "Stable.\n"+got != text {
		t.Errorf("selected is %q, want what came back", got)
	}
	chen.do(chromedp.Reload())
	chen.waitText(text)
	chen.waitStatus("saved")
	if got := s.settled(t, token, note); len(got) == 0 || slices.ContainsFunc(got, func(how string) bool { return how != "restored" }) {
		t.Errorf("the losses are %q, want all restored", got)
	}
	if eval[bool](chen, exists(lossNotice)) {
		t.Error("the notice is back")
	}
	s.checkLog(t, note)
	chen.do(chromedp.Evaluate[chromedp.Void](`window.dispatchEvent(new Event('beforeprint'))`))
	chen.do(chromedp.Reload()) // what was sent arrives all the same
	for act, code := range map[string]string{"note.print": "page%", "note.losses": "restored=%"} {
		s.onRecord(t, note, "chen", act, code)
	}
}

// onRecord waits until the log of acts has what somebody did to a note.
func (s *server) onRecord(t *testing.T, note, who, act, code string) {
	t.Helper()
	db := s.db(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for n := 0; n == 0; {
		err := db.QueryRow(ctx, `SELECT count(*) FROM audit_event JOIN person ON person.id = who
			WHERE note_id = $1 AND username = $2 AND act = $3 AND code LIKE $4 AND audit_event.patient_id IS NOT NULL`, note, who, act, code).Scan(&n)
		if err != nil {
			t.Fatalf("%s of %s is not on record: %v", act, who, err)
		}
	}
}

// lookAtNotice has axe look at the page with the notice, light and dark, wide and narrow.
func lookAtNotice(t *testing.T, w *window) {
	t.Helper()
	axe, err := os.ReadFile(axePath)
	if err != nil {
		t.Fatal(err)
	}
	for name, width := range map[string]int64{"wide": 1280, "narrow": 390} {
		w.do(chromedp.EmulateViewport(width, 900))
		for _, scheme := range []string{"light", "dark"} {
			w.colorScheme(scheme)
			w.do(chromedp.Reload())
			w.waitFor("the notice", exists(lossNotice))
			w.waitStatus("saved")
			w.shot("loss-" + name + "-" + scheme)
			for _, v := range w.axe(axe) {
				t.Errorf("%s %s: %s", name, scheme, v)
			}
			if eval[bool](w, `document.documentElement.scrollWidth > innerWidth`) {
				t.Errorf("%s: the page is wider than the window", name)
			}
		}
	}
	w.colorScheme("light")
	w.do(chromedp.EmulateViewport(1280, 900), chromedp.Reload())
	w.waitFor("the notice", exists(lossNotice))
}

// TestWordsTypedOffline: chen, cut off, types into what rivera deletes
// meanwhile. The words reach the server with chen, who dismisses them.
func TestWordsTypedOffline(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	token, note := stableNote(t, s)
	line := startCable(t, s)
	chen, rivera := line.signedInOver(t, s, "chen"), signedIn(t, s, "rivera")
	chen.openNote(note)
	rivera.openNote(note)
	line.pull()
	chen.waitStatus("offline")
	chen.caretAtEnd(0)
	if err := chen.typeKeys(" SEIZURE at 04:10"); err != nil {
		t.Fatal(err)
	}
	rivera.makeHeading()
	rivera.waitStatus("saved")
	line.plug()
	chen.do(chromedp.Evaluate[chromedp.Void](`window.dispatchEvent(new Event('online'))`))
	chen.waitFor("the notice", exists(lossNotice))
	if got := eval[string](chen, `document.querySelector('#losses blockquote').textContent`); got != " SEIZURE at 04:10" {
		t.Errorf("the words are %q", got)
	}
	chen.waitStatus("saved")
	chen.do(chromedp.Focus(chromedp.CSS(noteEditor)))
	chen.do(chromedp.KeyEvent("\t", chromedp.KeyModifiers(chromedp.ModifierShift)))
	if !eval[bool](chen, `document.activeElement.matches(`+quoteJS(dismiss)+`)`) {
		t.Error("the key for the tab stop before the text does not lead to the notice")
	}
	chen.do(chromedp.KeyEvent("\r"))
	chen.waitFor("the notice to go", "!"+exists(lossNotice))
	chen.waitStatus("saved")
	chen.do(chromedp.Reload())
	chen.waitText("Stable.")
	chen.waitStatus("saved")
	if got := s.settled(t, token, note); !slices.Equal(got, []string{"dismissed"}) {
		t.Errorf("the losses are %q, want one dismissed", got)
	}
	if eval[bool](chen, exists(lossNotice)) {
		t.Error("the notice is back")
	}
	s.checkLog(t, note)
}
