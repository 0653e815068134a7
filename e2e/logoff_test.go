package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

const (
	asked   = `document.querySelector('#logoff')?.open === true`
	notes   = `location.pathname.startsWith('/notes/')`
	cleared = `document.title.startsWith('Signed out')`
	atDoor  = `location.pathname === '/login' && document.readyState === 'complete'`
)

// waitAtDoor waits until the page has left for the sign-in page, which ends any wait within it.
func (w *window) waitAtDoor() {
	w.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if w.tryFor(atDoor) == nil {
			return
		}
	}
	w.t.Fatalf("%s's window does not reach the sign-in page: %s", w.name, w.summary())
}

// nothingIsKept fails the test if the browser has anything of the note.
func (w *window) nothingIsKept() {
	w.t.Helper()
	if page := eval[string](w, `document.documentElement.outerHTML`); strings.Contains(page, canary) {
		w.t.Errorf("the page shows %.300s", page)
	}
	w.storesNothing()
}

// storesNothing fails the test if the browser's storage has anything of the note.
func (w *window) storesNothing() {
	w.t.Helper()
	kept := eval[string](w, `(async () => {
		const kept = [...Object.entries(localStorage), ...Object.entries(sessionStorage)].map(entry => entry.join('='))
		for (const name of await caches.keys()) kept.push('cache ' + name)
		for (const db of await indexedDB.databases()) kept.push('database ' + db.name)
		for (const worker of await navigator.serviceWorker.getRegistrations()) kept.push('worker ' + worker.scope)
		kept.push(JSON.stringify(history.state), document.cookie, window.name)
		return kept.join(' ')
	})()`)
	note := strings.TrimPrefix(eval[string](w, `location.pathname`), "/notes/")
	if strings.Contains(kept, canary) || strings.Contains(kept, "cache ") || strings.Contains(kept, "database ") || strings.Contains(kept, "worker ") || len(note) == 36 && strings.Contains(kept, note) {
		w.t.Errorf("the browser keeps %.300s", kept)
	}
}

// holdNote lets nothing of a note be committed until it is released.
func (s *server) holdNote(t *testing.T, note string) (release func()) {
	t.Helper()
	tx, err := s.db(t).Begin(t.Context())
	if err == nil {
		_, err = tx.Exec(t.Context(), `SELECT FROM note WHERE id = $1 FOR UPDATE`, note)
	}
	if err != nil {
		t.Fatal(err)
	}
	return func() { _ = tx.Rollback(t.Context()) } // it may be released already
}

// TestSignOutClearsEveryWindow, of whatever page.
func TestSignOutClearsEveryWindow(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	note := s.newNote(t, s.token(t, "rivera"))
	chen := signedIn(t, s, "chen")
	chen.allow("401 (Unauthorized) (" + s.url + "/api/v1/notes/") // what the page was asking for then
	list := chen.tab("chen-list")
	list.visit("/")
	chen.openNote(note)
	list.submit(`form[action="/logout"] button`)
	list.waitAtDoor()
	chen.waitAtDoor()
	list.signIn("rivera", password)
	if at := eval[string](list, `location.pathname`); at != "/" {
		t.Errorf("who comes next is led to %s", at)
	}
}

// TestSignInClearsTheWindowsBefore: who signs in beside somebody's page does not leave it there.
func TestSignInClearsTheWindowsBefore(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	window := openWindow(t, s, "chen")
	window.visit("/login")
	other := window.tab("rivera")
	other.visit("/login")
	window.signIn("chen", password)
	window.waitFor("the worklist", exists("#worklist"))
	window.do(chromedp.Evaluate[chromedp.Void](`window.hers = true`))
	other.do(
		chromedp.SetValue(chromedp.CSS(`#username`), "rivera"),
		chromedp.SendKeys(chromedp.CSS(`#password`), password),
	)
	other.submit(`form[action="/login"] button`)
	other.waitFor("the worklist", exists("#worklist"))
	for deadline := time.Now().Add(patience); ; {
		if window.tryFor(`window.hers !== true && document.querySelector('.me-name')?.textContent.includes('Rosa Rivera')`) == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("chen's page stays: %s", window.summary())
		}
	}
}

// TestLogoffPictures writes pictures of the question to $E2E_SHOTS.
func TestLogoffPictures(t *testing.T) {
	dir := os.Getenv("E2E_SHOTS")
	if dir == "" {
		t.Skip("E2E_SHOTS names no folder")
	}
	s := startServer(t, "--logoff-after=24s")
	chen := signedIn(t, s, "chen")
	for _, scheme := range []string{"light", "dark"} {
		chen.colorScheme(scheme)
		chen.visit("/")
		chen.waitFor("the question", asked)
		chen.screenshot(filepath.Join(dir, "logoff-"+scheme+".png"))
		chen.do(chromedp.Click(chromedp.CSS("#logoff-stay")))
		chen.waitFor("the answer", "!("+asked+")")
	}
	chen.do(chromedp.EmulateViewport(360, 740))
	chen.waitFor("the question", asked)
	chen.screenshot(filepath.Join(dir, "logoff-narrow.png"))
	chen.waitAtDoor()
	chen.screenshot(filepath.Join(dir, "logoff-after.png"))
}
