package e2e

import (
	"strings"
	"sync"
	"testing"
	"unicode"
)

// TestTwoPeopleTypeIntoOneParagraph: what two windows type into the same
// paragraph at the same time is the same text in both, in the database after a
// restart, and in the page that the server renders.
func TestTwoPeopleTypeIntoOneParagraph(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	token := s.token(t, "chen")
	note := s.newNote(t, token)
	n := startNode(t)
	seeder := n.connect("seeder", hocuspocusV4, s, note, token)
	seeder.wait(want{"synced": true})
	seeder.fresh()
	seeder.insert(0, "Plan: ")
	seeder.wait(want{"unsynced": 0})
	seeder.close()

	chen, rivera := signedIn(t, s, "chen"), signedIn(t, s, "rivera")
	for _, w := range []*window{chen, rivera} {
		w.openNote(note)
		w.waitText("Plan: ")
		w.caretAtEnd(0)
	}
	// Upper and lower case tell afterwards who typed what.
	const byChen, byRivera = "give furosemide forty milligrams now", "WEIGH HER DAILY AND WATCH POTASSIUM"
	typeTogether(t, map[*window]string{chen: byChen, rivera: byRivera})

	count := len("Plan: " + byChen + byRivera)
	for _, w := range []*window{chen, rivera} {
		w.waitFor("all that was typed", "("+editorText+").length === "+itoa(count))
		w.waitStatus("saved")
	}
	text := chen.text()
	if other := rivera.text(); other != text {
		t.Errorf("chen sees %q, rivera sees %q", text, other)
	}
	if got := lettersIn(text, unicode.IsLower); got != "lan"+lettersIn(byChen, unicode.IsLower) {
		t.Errorf("chen's letters in %q are %q, want what chen typed", text, got)
	}
	if got := lettersIn(text, unicode.IsUpper); got != "P"+lettersIn(byRivera, unicode.IsUpper) {
		t.Errorf("rivera's letters in %q are %q, want what rivera typed", text, got)
	}

	chen.close()
	rivera.close()
	if err := s.stop(); err != nil {
		t.Fatalf("stop: %v", err)
	}
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	if got := s.text(t, token, note); got != text {
		t.Errorf("after a restart the database has %q, want %q", got, text)
	}
	s.checkLog(t, note)
	_, page := fetch(t, s.signIn(t, "rivera"), s.url+"/notes/"+note)
	if got := textOf(t, page, "note-body"); got != text {
		t.Errorf("the server renders %q, want %q", got, text)
	}
}

// typeTogether types in all windows at the same time.
func typeTogether(t *testing.T, texts map[*window]string) {
	t.Helper()
	var wg sync.WaitGroup
	errs := make(chan error, len(texts))
	for w, text := range texts {
		wg.Go(func() { errs <- w.typeKeys(text) })
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func lettersIn(s string, class func(rune) bool) string {
	return strings.Map(func(r rune) rune {
		if class(r) {
			return r
		}
		return -1
	}, s)
}
