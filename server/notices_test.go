package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// tidings are the events of one page that somebody has open.
type tidings struct {
	h      *hospital
	who    string
	events <-chan string
}

// awaits fails unless the page is told so within a second of began; it returns the event.
func (p tidings) awaits(began time.Time, what string, is func(event string) bool) string {
	p.h.t.Helper()
	late := time.After(10 * time.Second)
	for {
		select {
		case event, more := <-p.events:
			switch {
			case !more:
				p.h.t.Fatalf("%s: the stream ends before %s", p.who, what)
			case is(event):
				if took := time.Since(began); took > time.Second {
					p.h.t.Errorf("%s: %s after %v", p.who, what, took)
				}
				return event
			}
		case <-late:
			p.h.t.Fatalf("%s: no %s", p.who, what)
		}
	}
}

func tells(event string) bool { return strings.Contains(event, "See why") }

func tellsNothing(event string) bool {
	return strings.Contains(event, `hx-target="#notices"`) && !tells(event)
}

// emergency is a hospital in which brandt, a nurse of the ICU, opens a record of 4 West, where haddad is in charge. Rivera is in
// charge of the ICU, and brandt works under okafor; both know nothing of 4 West.
func emergency(t *testing.T) *hospital {
	h := open(t).work()
	h.sql(`UPDATE person SET role = 'charge nurse', unit_id = 'icu' WHERE username = 'rivera'`)
	h.sql(`UPDATE person SET unit_id = '5-east' WHERE username = 'okafor'`)
	h.sql(`UPDATE person SET supervisor_id = (SELECT id FROM person WHERE username = 'okafor') WHERE username = 'brandt'`)
	h.sql(`DELETE FROM care_team`)
	return h
}

// TestWhoHasToKnowIsToldAtOnce: on whatever page they are, within a second, and on the next one, until they have looked or the
// review is closed. What they are told names no patient.
func TestWhoHasToKnowIsToldAtOnce(t *testing.T) {
	h := emergency(t)
	row, err := h.db.NoteByID(t.Context(), h.note)
	if err != nil {
		t.Fatal(err)
	}
	browsers, pages := map[string]*http.Client{}, map[string]tidings{}
	for _, username := range []string{"lindqvist", "haddad", "rivera", "okafor"} {
		c := h.signIn(username)
		browsers[username] = c
		pages[username] = tidings{h, username, h.events(c, "/events")}
		if first := <-pages[username].events; !tellsNothing(first) {
			t.Errorf("%s is told at first: %s", username, first)
		}
		if _, page, _ := h.get(c, "/security"); !strings.Contains(page, `hx-sse:connect="/events"`) || strings.Contains(page, "See why") {
			t.Errorf("%s: the page does not listen, or tells of nothing", username)
		}
	}
	brandt := h.signIn("brandt")
	for username, c := range map[string]*http.Client{"novak": h.signIn("novak"), "wall": h.signIn("wall")} {
		if status, _, _ := h.get(c, "/events"); status != http.StatusNotFound {
			t.Errorf("%s, whom nothing is told, has a stream: %d", username, status)
		}
	}

	broke := time.Now()
	if status, _, _ := h.submit(brandt, "/glass", h.why()); status != http.StatusSeeOther {
		t.Fatal(status)
	}
	for username, page := range pages {
		event := page.awaits(broke, "word of it", tells)
		if !strings.Contains(event, "Jonas Brandt RN, nurse") || strings.Contains(event, "Arrest") {
			t.Errorf("%s is told: %s", username, event)
		}
		for _, known := range []string{row.Patient.Family, row.Patient.Mrn, row.Patient.ID.String(), h.note.String()} {
			if strings.Contains(strings.ToLower(event), strings.ToLower(known)) {
				t.Errorf("%s is told whose record it is", username)
			}
		}
		if _, next, _ := h.get(browsers[username], "/security"); !strings.Contains(next, "Jonas Brandt RN, nurse") {
			t.Errorf("%s: the next page does not tell", username)
		}
	}
	if _, page, _ := h.get(brandt, "/"); strings.Contains(page, "See why") {
		t.Error("who broke it is told")
	}

	for _, username := range []string{"rivera", "okafor"} {
		status, list, _ := h.get(browsers[username], "/reviews")
		if status != http.StatusOK || !strings.Contains(list, "Jonas Brandt") || !strings.Contains(list, "Not one of yours") {
			t.Errorf("%s does not see what happened: %d", username, status)
		}
		if containsAny(list, row.Patient.Mrn, row.Patient.ID.String(), "Arrest", "Close the review", "4 West") {
			t.Errorf("%s sees whose record it was", username)
		}
		looked := time.Now()
		pages[username].awaits(looked, "word that they have looked", tellsNothing)
		if _, next, _ := h.get(browsers[username], "/security"); strings.Contains(next, "See why") {
			t.Errorf("%s is told what they have seen", username)
		}
	}
	review := "/reviews/" + h.text(`SELECT id::text FROM glass`)
	finding := url.Values{"finding": {"appropriate"}, "words": {"He was the first at the bed."}}
	for _, username := range []string{"rivera", "okafor"} {
		if status, _, _ := h.submit(browsers[username], review, finding); status != http.StatusForbidden {
			t.Errorf("%s, who may not know of the patient, closes the review: %d", username, status)
		}
	}
	closed := time.Now()
	if status, _, _ := h.submit(browsers["haddad"], review, finding); status != http.StatusSeeOther {
		t.Fatalf("the review is not closed: %d", status)
	}
	for _, username := range []string{"haddad", "lindqvist"} {
		pages[username].awaits(closed, "word that it is closed", tellsNothing)
	}
	if n := h.count("SELECT count(*) FROM glass_look"); n != 2 {
		t.Errorf("%d people have looked, want 2", n)
	}
	if _, err := h.connect().Exec(t.Context(), "DELETE FROM glass_look"); err == nil {
		t.Error("that somebody has looked can be deleted")
	}
	if log := h.log.String(); containsAny(log, row.Patient.Family, row.Patient.Mrn, "Arrest") {
		t.Error("the log names the patient, or says why")
	}
}

// TestWhoHasNotLooked: what a program asks for, a browser in advance, or anybody without reading the answer, is no look.
func TestWhoHasNotLooked(t *testing.T) {
	h := emergency(t)
	okafor := h.signIn("okafor")
	if status, _, _ := h.submit(h.signIn("brandt"), "/glass", h.why()); status != http.StatusSeeOther {
		t.Fatal(status)
	}
	ask := func(c *http.Client, method string, header http.Header) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, h.URL+"/reviews", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header = header
		r, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = r.Body.Close()
		if r.StatusCode != http.StatusOK {
			t.Errorf("%s %v: %s", method, header, r.Status)
		}
	}
	for name, look := range map[string]func(){
		"a program":         func() { ask(http.DefaultClient, "GET", bearer(h.token("okafor"))) },
		"a page in advance": func() { ask(okafor, "GET", http.Header{"Sec-Purpose": {"prefetch"}}) },
		"drawn in advance":  func() { ask(okafor, "GET", http.Header{"Sec-Purpose": {"prefetch;prerender"}}) },
		"only the head":     func() { ask(okafor, "HEAD", http.Header{}) },
	} {
		look()
		if n := h.count("SELECT count(*) FROM glass_look"); n != 0 {
			t.Fatalf("%s has looked", name)
		}
		if _, page, _ := h.get(okafor, "/security"); !strings.Contains(page, "See why") {
			t.Errorf("%s: he is told no more", name)
		}
	}
	ask(okafor, "GET", http.Header{})
	if n := h.count("SELECT count(*) FROM glass_look"); n != 1 {
		t.Errorf("%d have looked, want him", n)
	}
}

// TestToldOnTheNextShift: who comes to be in charge later is told then, and who was in charge where somebody worked when they
// broke the glass is, though they do not work there any more. Whoever is suspended is told nothing.
func TestToldOnTheNextShift(t *testing.T) {
	h := emergency(t)
	okafor := h.signIn("okafor")
	page := tidings{h, "okafor", h.events(okafor, "/events")}
	<-page.events
	h.sql(`UPDATE person SET suspended = true WHERE username = 'okafor'`)
	brandt := h.signIn("brandt")
	if status, _, _ := h.submit(brandt, "/glass", h.why()); status != http.StatusSeeOther {
		t.Fatal(status)
	}
	h.sql(`UPDATE person SET unit_id = '5-east' WHERE username = 'brandt'`)
	for ends := time.After(20 * time.Second); ; {
		select {
		case event, more := <-page.events:
			if tells(event) {
				t.Fatal("who is suspended is told")
			}
			if more {
				continue
			}
		case <-ends:
			t.Fatal("the stream of who is suspended does not end")
		}
		break
	}
	sees := func(username string) bool {
		_, page, _ := h.get(h.signIn(username), "/security")
		return strings.Contains(page, "See why")
	}
	if !sees("rivera") {
		t.Error("who is in charge where he worked is not told")
	}
	h.sql(`UPDATE person SET role = 'charge nurse' WHERE username = 'sato'`)
	h.sql(`DELETE FROM cover`)
	h.sql(`UPDATE person SET unit_id = NULL WHERE username = 'sato'`)
	if sees("sato") {
		t.Error("somebody in charge of neither unit is told")
	}
	for _, unit := range []string{"4-west", "icu"} {
		h.sql(`DELETE FROM cover`)
		h.sql(`INSERT INTO cover SELECT id, $1, now() + interval '1 hour' FROM person WHERE username = 'sato'`, unit)
		if !sees("sato") {
			t.Errorf("who covers %s now is not told", unit)
		}
	}
}
