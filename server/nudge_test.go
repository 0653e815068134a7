package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// TestNudge: who is in charge asks whoever began a note to sign it; they are told at once on whatever page they are, without a
// word of whose record it is, until they have looked; and the board says so.
func TestNudge(t *testing.T) {
	h := open(t)
	h.sql(`UPDATE note SET created_by = (SELECT id FROM person WHERE username = 'okafor') WHERE id = $1`, h.note)
	row, err := h.db.NoteByID(t.Context(), h.note)
	if err != nil {
		t.Fatal(err)
	}
	haddad, okafor := h.signIn("haddad"), h.signIn("okafor")
	page, board := tidings{h, "okafor", h.events(okafor, "/events")}, tidings{h, "haddad", h.watch(haddad)}
	asks := func(e string) bool { return strings.Contains(e, "Please sign") }
	quiet := func(e string) bool { return strings.Contains(e, `hx-target="#notices"`) && !asks(e) }
	if first := <-page.events; !quiet(first) {
		t.Fatalf("at first: %s", first)
	}
	<-board.events
	h.acts()
	nudge := "/notes/" + h.note.String() + "/nudge"
	began := time.Now()
	if to := h.post303(haddad, nudge, nil); to != "/units/4-west" {
		t.Fatalf("asking leads to %q", to)
	}
	told := page.awaits(began, "that they are asked", asks)
	for _, secret := range []string{row.Patient.Family, row.Patient.Given, row.Patient.Mrn, row.BedLabel} {
		if strings.Contains(strings.ToLower(told), strings.ToLower(secret)) {
			t.Errorf("the notice says %q", secret)
		}
	}
	if !strings.Contains(told, "Lina Haddad RN, charge nurse, asked") {
		t.Errorf("the notice does not say who asks: %s", told)
	}
	board.awaits(began, "that they were asked", func(e string) bool { return strings.Contains(e, "asked ") })
	h.recorded("asking", "note.nudge done haddad note okafor")
	if _, next, _ := h.get(okafor, "/security"); !asks(next) {
		t.Error("the next page does not ask")
	}
	if _, mine, _ := h.get(h.signIn("rivera"), "/security"); asks(mine) {
		t.Error("somebody else is asked")
	}
	h.recorded("signing in", "login.begin done rivera")
	if status, _ := h.post(haddad, nudge, nil); status != http.StatusTooManyRequests {
		t.Errorf("asking again at once: %d", status)
	}
	if n := h.count(`SELECT count(*) FROM nudge`); n != 1 {
		t.Errorf("%d are kept", n)
	}
	h.acts()

	looked := time.Now()
	if status, _, _ := h.get(okafor, "/notes/"+h.note.String()); status != http.StatusOK {
		t.Fatal(status)
	}
	page.awaits(looked, "that they have looked", quiet)
	board.awaits(looked, "that they have seen it", func(e string) bool { return strings.Contains(e, "asked, seen") })
	h.sql(`ALTER TABLE nudge DISABLE TRIGGER ALL`)
	h.sql(`UPDATE nudge SET at = at - interval '31 minutes'`)
	h.sql(`ALTER TABLE nudge ENABLE TRIGGER ALL`)
	again := time.Now()
	if h.post303(haddad, nudge, nil) == "" {
		t.Fatal("half an hour later nobody may ask again")
	}
	page.awaits(again, "that they are asked again", asks)
	seen := time.Now()
	if h.post303(okafor, "/nudges/seen", nil) == "" {
		t.Fatal("they cannot say that they have seen it")
	}
	page.awaits(seen, "that they have seen it", quiet)
}

// TestNudgeEndsWithTheSignature: nobody is asked for what is signed.
func TestNudgeEndsWithTheSignature(t *testing.T) {
	h := open(t)
	h.sql(`UPDATE note SET created_by = (SELECT id FROM person WHERE username = 'okafor') WHERE id = $1`, h.note)
	haddad, okafor := h.signIn("haddad"), h.signIn("okafor")
	page := tidings{h, "okafor", h.events(okafor, "/events")}
	<-page.events
	nudge := "/notes/" + h.note.String() + "/nudge"
	if h.post303(haddad, nudge, nil) == "" {
		t.Fatal("nobody is asked")
	}
	page.awaits(time.Now(), "that they are asked", func(e string) bool { return strings.Contains(e, "Please sign") })
	signed := time.Now()
	h.signed()
	page.awaits(signed, "that it is signed", func(e string) bool { return !strings.Contains(e, "Please sign") && strings.Contains(e, "#notices") })
	if status, _ := h.post(h.signIn("chen"), nudge, nil); status != http.StatusUnprocessableEntity {
		t.Errorf("asking for a signed note: %d", status)
	}
}

// TestWhoMayNudge: who answers for the unit, about what they may read, and nobody themselves.
func TestWhoMayNudge(t *testing.T) {
	h := open(t)
	h.sql(`UPDATE note SET created_by = (SELECT id FROM person WHERE username = 'haddad') WHERE id = $1`, h.note)
	nudge := "/notes/" + h.note.String() + "/nudge"
	for who, want := range map[string]int{
		"rivera": http.StatusForbidden, "brandt": http.StatusForbidden, "novak": http.StatusForbidden, "wall": http.StatusForbidden, "lindqvist": http.StatusForbidden,
		"haddad": http.StatusUnprocessableEntity, "chen": http.StatusSeeOther,
	} {
		if status, _ := h.post(h.signIn(who), nudge, url.Values{}); status != want {
			t.Errorf("%s asks: %d, want %d", who, status, want)
		}
	}
	if status, _ := h.post(h.signIn("chen"), "/notes/"+strings.Repeat("0", 8)+"-0000-0000-0000-000000000000/nudge", nil); status != http.StatusNotFound {
		t.Errorf("no such note: %d", status)
	}
}
