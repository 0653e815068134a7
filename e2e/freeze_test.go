package e2e

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// frozenFor is how long the database stands still while nothing may happen.
const frozenFor = 4 * time.Second

// recordStates keeps every state that the note's status ever shows from now on.
const recordStates = `(() => {
	const line = document.querySelector('#save-status')
	window.states = [line.dataset.state]
	new MutationObserver(() => window.states.push(line.dataset.state)).observe(line, {attributes: true})
})()`

// recordSightings counts how often the page shows the edit that must not come.
const recordSightings = `(() => {
	const body = document.querySelector('#note-body')
	window.sightings = 0
	const look = () => { if (body.textContent.includes('F')) window.sightings++ }
	new MutationObserver(look).observe(body, {subtree: true, childList: true, characterData: true})
})()`

// TestFrozenDatabase: while Postgres stands still, the page never says Saved
// and no peer sees the edit; when it goes on, all do (I1, I2).
func TestFrozenDatabase(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	token := s.token(t, "rivera")
	note := s.newNote(t, token)
	n := startNode(t)
	peers := []*yclient{
		n.connect("hocuspocus", hocuspocusV4, s, note, token),
		n.connect("ywebsocket", yWebsocket, s, note, token),
	}
	peers[0].wait(want{"synced": true})
	peers[0].fresh()
	peers[0].insert(0, "BP 120/80. ")
	peers[1].wait(want{"text": "BP 120/80. "})
	chen, okafor := signedIn(t, s, "chen"), signedIn(t, s, "okafor")
	for _, w := range []*window{chen, okafor} {
		w.openNote(note)
		w.waitText("BP 120/80. ")
	}
	chen.caretAtEnd(0)

	s.freezePostgres(t)
	okafor.do(chromedp.Evaluate[chromedp.Void](recordSightings))
	if err := chen.typeKeys("F"); err != nil {
		t.Fatal(err)
	}
	chen.waitStatus("saving")
	chen.do(chromedp.Evaluate[chromedp.Void](recordStates))
	if err := chen.typeKeys("rozen edit."); err != nil {
		t.Fatal(err)
	}
	// One peer's edit waits beside the page's: neither is acknowledged.
	peers[0].insert(0, "Waiting too. ")

	checkNobodySees(t, map[*yclient]string{peers[0]: "Frozen", peers[1]: "Waiting"})
	for _, state := range eval[[]string](chen, `window.states`) {
		if state != "saving" {
			t.Errorf("while Postgres stood still the page showed %q, want only saving", state)
		}
	}
	if n := eval[int](okafor, `window.sightings`); n != 0 {
		t.Errorf("okafor's window showed the edit %d times while Postgres stood still", n)
	}
	if u := peers[0].stats().Unsynced; u == 0 {
		t.Error("the provider says that all is saved while Postgres stands still")
	}

	s.thawPostgres()
	const text = "Waiting too. BP 120/80. Frozen edit."
	for _, w := range []*window{chen, okafor} {
		w.waitText(text)
		w.waitStatus("saved")
	}
	for _, c := range peers {
		c.wait(want{"text": text, "unsynced": 0})
	}
	if got := s.text(t, token, note); got != text {
		t.Errorf("the server has %q, want %q", got, text)
	}
}

// checkNobodySees fails if a client sees a text while the database stands still.
func checkNobodySees(t *testing.T, texts map[*yclient]string) {
	t.Helper()
	errs := make(chan error, len(texts))
	for c, text := range texts {
		go func() { errs <- c.neverSees(text, frozenFor) }()
	}
	for range texts {
		if err := <-errs; err != nil {
			t.Errorf("while Postgres stood still: %v", err)
		}
	}
}
