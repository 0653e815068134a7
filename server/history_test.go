package server_test

import (
	"strings"
	"testing"
)

// TestHistoryIsOnRecord: who looks at a note as it was has opened the record, however often they look until it is ten minutes
// later; who may not read the note does not see what it was; and no address leads astray.
func TestHistoryIsOnRecord(t *testing.T) {
	h := open(t).work()
	path := "/notes/" + h.note.String() + "/history"
	chen := h.signIn("chen")
	for _, query := range []string{"", "?at=1", "?at=0", "?at=-1", "?at=18446744073709551615", "?at=x&go=on", "?at=1&go=back", "?go=last", "?go=play&for=-5", "?go=play&for=99999999999999", "?by=nobody", "?go=astray"} {
		status, page, _ := h.get(chen, path+query)
		if status != 200 || !strings.Contains(page, `data-at="`) || !strings.Contains(page, "Nothing you do here changes it") {
			t.Fatalf("%s: %d", query, status)
		}
	}
	if n := h.count("SELECT count(*) FROM opening WHERE how = 'history'"); n != 1 {
		t.Errorf("twelve looks of one person are on record %d times", n)
	}
	if n := h.count("SELECT count(*) FROM audit_event WHERE act = 'note.open' AND code LIKE 'history%'"); n != 1 {
		t.Errorf("they are in the log of acts %d times", n)
	}
	h.get(h.signIn("haddad"), path)
	if n := h.count("SELECT count(*) FROM opening WHERE how = 'history'"); n != 2 {
		t.Errorf("the looks of two people are on record %d times", n)
	}
	for username, want := range map[string]int{"brandt": 403, "novak": 403} {
		if status, page, _ := h.get(h.signIn(username), path); status != want || strings.Contains(page, "data-at=") {
			t.Errorf("%s: %d, want %d", username, status, want)
		}
	}
	if status, _, _ := h.get(chen, "/notes/0a1b2c3d-0000-4000-8000-000000000000/history"); status != 404 {
		t.Errorf("a note that is not there: %d", status)
	}
}
