package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestPlaces makes pictures of all pages in $E2E_PLACES: light and dark, of a desk's screen and a phone's, as long as the page is; one
// that is to be looked at sideways is an error.
func TestPlaces(t *testing.T) {
	dir := os.Getenv("E2E_PLACES")
	if dir == "" {
		t.Skip("make shots makes these pictures")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s := startServer(t)
	scene := newScene(t, s)
	only := os.Getenv("E2E_ONLY")
	windows := map[string]*window{}
	for _, p := range places {
		if !strings.Contains(p.name, only) {
			continue
		}
		w := windows[p.user]
		if w == nil && p.user == "" {
			w = openWindow(t, s, "nobody")
		} else if w == nil {
			w = signedIn(t, s, p.user)
		}
		windows[p.user] = w
		w.allow("404 (Not Found)", "403 (Forbidden)")
		w.visit(scene.Replace(p.path))
		w.waitFor(p.name, exists(p.ready))
		w.allPictures(dir, p.name)
		if p.name == "note" || p.name == "note-signed" { // on a tablet, where it is written, too
			w.do(chromedp.EmulateViewport(768, 1024))
			w.wholePicture(filepath.Join(dir, p.name+"-768-light.png"))
		}
	}
	if name := "note-busy"; strings.Contains(name, only) {
		w := busyNote(t, s)
		w.allPictures(dir, name)
		w.do(chromedp.EmulateViewport(1280, 900))
		if rows := eval[int](w, `new Set([...document.querySelectorAll('.note-bar button, .note-bar a, #save-status')].filter(e => e.checkVisibility()).map(e => Math.round((e.getBoundingClientRect().top + e.getBoundingClientRect().bottom) / 8))).size`); rows != 1 {
			t.Errorf("the bar above a note in which much goes on has %d rows", rows)
		}
		w.do(chromedp.EmulateViewport(360, 800))
		if height := eval[int](w, `document.querySelector('#toolbar').offsetHeight`); height > 48 {
			t.Errorf("the tools take %d pixels of a phone's height: more than one row", height)
		}
	}
}

// busyNote opens a note in which much goes on: it has changed since one looked, colleagues write in it, and places are to be filled in, a
// comment waits, words are suggested.
func busyNote(t *testing.T, s *server) *window {
	t.Helper()
	token := s.token(t, "okafor")
	note := s.newNoteFor(t, token, s.notes(t, token)[0].Patient.ID, "progress").ID
	n := startNode(t)
	rivera := n.connect("rivera", hocuspocusV4, s, note, s.token(t, "rivera"), s.schema(t, token))
	rivera.wait(want{"synced": true})
	rivera.fresh()
	rivera.insert(0, "Slept until four. Pain 3 of 10 on movement; paracetamol 1 g at 04:20 helped.")
	rivera.wait(want{"unsynced": 0})
	w := signedIn(t, s, "chen")
	w.openNote(note)
	w.comments("Pain 3 of 10", "Does it wake him?")
	w.visit("/")
	rivera.insert(-1, " Walked to the door at 06:00. Weight *** kg.")
	rivera.wait(want{"unsynced": 0})
	for _, user := range []string{"okafor", "haddad"} {
		n.connect(user, hocuspocusV4, s, note, s.token(t, user), s.schema(t, token)).wait(want{"synced": true})
	}
	w.openNote(note)
	w.waitFor("all who are here", `document.querySelectorAll('#presence li').length === 4 && !document.querySelector('#stops').hidden`)
	w.waitFor("that it has changed", exists(".note-head .changed-mark"))
	w.selects("helped")
	w.do(chromedp.KeyEvent("E", chromedp.KeyModifiers(chromedp.ModifierCtrl, chromedp.ModifierShift)))
	w.suggestionsSay("You are suggesting")
	w.types("eased it")
	w.suggests("-helped|+eased it")
	w.waitStatus("saved")
	return w
}

// allPictures makes all pictures of the page that is there.
func (w *window) allPictures(dir, name string) {
	t := w.t
	t.Helper()
	for _, width := range []int64{1280, 360} {
		w.do(chromedp.EmulateViewport(width, 900))
		for _, scheme := range []string{"light", "dark"} {
			w.colorScheme(scheme)
			w.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`document.documentElement.classList.toggle('dark', %v)`, scheme == "dark")))
			path := filepath.Join(dir, fmt.Sprintf("%s-%d-%s.png", name, width, scheme))
			w.wholePicture(path)
			fmt.Println(path)
		}
		w.fits(name, int(width))
	}
	// The desk's screen at 200 % (WCAG 1.4.4 and 1.4.10).
	w.colorScheme("light")
	w.do(chromedp.EmulateViewport(640, 450, chromedp.EmulateScale(2)), chromedp.Evaluate[chromedp.Void](`document.documentElement.classList.remove('dark')`))
	path := filepath.Join(dir, name+"-1280-zoomed.png")
	w.wholePicture(path)
	fmt.Println(path)
	// Between the two: the others are tablets.
	for _, width := range []int64{640, 768, 1024, 1280} {
		w.do(chromedp.EmulateViewport(width, 900))
		w.fits(name, int(width))
	}
}

// cutText is an expression for what a page cuts off: elements that have text of their own, hide what is beyond their edge, and have
// something there. What is for readers of screens alone is not meant.
const cutText = `[...document.querySelectorAll('body *')].filter(e => {
	const s = getComputedStyle(e)
	return (s.overflowX === 'hidden' || s.overflowX === 'clip') && s.clipPath === 'none' && e.clientWidth > 1 &&
		e.scrollWidth > e.clientWidth + 1 && e.checkVisibility() && e.textContent.trim() !== ''
}).map(e => e.tagName + '.' + e.className + ': ' + e.textContent.trim().slice(0, 60))`

// wholePicture keeps a picture of a page, with what is below the screen.
func (w *window) wholePicture(path string) {
	w.t.Helper()
	png, err := chromedp.Run(w.ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(path, png, 0o644)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}
