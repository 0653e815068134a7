package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/clisonix/tidechart/server"
)

// TestWall: a display shows its unit's beds as they change, without a name, a birth date, an allergy or a code status; it stays signed
// in, and opens nothing else.
func TestWall(t *testing.T) {
	var passed time.Duration // on the server's clock
	h := open(t, func(c *server.Config) { c.Now = func() time.Time { return time.Now().Add(passed) } })
	display := h.signIn("wall")
	if status, _, header := h.get(display, "/"); status != http.StatusSeeOther || header.Get("Location") != "/units/4-west/wall" {
		t.Fatalf("the display is led to %d %s", status, header.Get("Location"))
	}
	status, wall, _ := h.get(display, "/units/4-west/wall")
	if status != http.StatusOK || strings.Count(wall, `class="wall-bed"`) != 20 || !strings.Contains(wall, "<span>AD</span>") || !strings.Contains(wall, "Unstable") {
		t.Fatalf("the wall: %d", status)
	}
	page := tidings{h, "wall", h.events(display, "/units/4-west/wall/events")}
	first := <-page.events
	beds, err := h.db.BoardBeds(t.Context(), "4-west")
	if err != nil {
		t.Fatal(err)
	}
	for _, html := range []string{wall, first} {
		lower := strings.ToLower(html)
		for _, bed := range beds {
			if p := bed.Patient; bed.PatientID.Valid && containsAny(lower, strings.ToLower(p.Family), ">"+strings.ToLower(p.Given)+"<", ", "+strings.ToLower(p.Given), strings.ToLower(p.Mrn), p.BirthDate.Format("02-Jan-2006"), p.ID.String()) {
				t.Errorf("the wall says who lies in %s", bed.BedLabel)
			}
		}
		if containsAny(html, "DNR", "Full code", "llerg", "<a ", "/notes/", "Progress note") {
			t.Error("the wall says more than everybody may read")
		}
		restricted := html[strings.Index(html, `id="bed-4-west-13"`):]
		if restricted, _, _ = strings.Cut(restricted, "</li>"); !strings.Contains(restricted, "Taken") || strings.Contains(restricted, "LP") || strings.Contains(restricted, "to sign") {
			t.Errorf("of a restricted record the wall says %s", restricted)
		}
	}
	began := time.Now()
	ws := h.dialNote(h.note.String(), h.token("rivera"))
	page.awaits(began, "who writes", func(e string) bool { return strings.Contains(e, "Rosa Rivera") && strings.Count(e, "wall-bed\"") == 1 })
	_ = ws.Close(websocket.StatusNormalClosure, "")
	rivera := h.signIn("rivera")
	form := h.bedForm(rivera, on4West, url.Values{"severity": {"unstable"}})
	began = time.Now()
	if h.post303(rivera, on4West, form) == "" {
		t.Fatal("the bed is not changed")
	}
	page.awaits(began, "the change", func(e string) bool {
		return strings.Contains(e, `id="bed-4-west-01"`) && strings.Contains(e, "Unstable")
	})

	for _, path := range []string{"/units/4-west", "/units/4-west/events", "/units/icu/wall", "/units/icu/wall/events", "/notes/" + h.note.String(), on4West, "/reviews"} {
		if status, _, _ := h.get(display, path); status != http.StatusForbidden && status != http.StatusNotFound {
			t.Errorf("the display opens %s: %d", path, status)
		}
	}
	passed = 30 * 24 * time.Hour
	if status, _, _ := h.get(display, "/units/4-west/wall"); status != http.StatusOK {
		t.Errorf("after a month the display is signed out: %d", status)
	}
	passed = 91 * 24 * time.Hour
	if status, _, _ := h.get(display, "/units/4-west/wall"); status != http.StatusSeeOther {
		t.Errorf("after three months it is not: %d", status)
	}
}
