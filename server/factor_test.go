package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/clisonix/tidechart/server"
	"github.com/clisonix/tidechart/server/demo"
	"github.com/clisonix/tidechart/server/login"
)

// demanding opens a server that demands more than a password.
func demanding(t *testing.T, from login.Demand, but ...func(*server.Config)) *hospital {
	t.Helper()
	return open(t, append(but, func(c *server.Config) { c.SecondFactor = from })...)
}

// checkDoors fails the test unless each door is open, or none, to a browser.
func (h *hospital) checkDoors(c *http.Client, wantOpen bool) {
	h.t.Helper()
	note := "/notes/" + h.note.String()
	for _, path := range []string{"/", note, "/units/4-west", "/units/4-west/events", "/glass", "/security"} {
		req, err := http.NewRequestWithContext(h.t.Context(), http.MethodGet, h.URL+path, nil)
		if err != nil {
			h.t.Fatal(err)
		}
		r, err := c.Do(req)
		if err != nil {
			h.t.Fatal(err)
		}
		_ = r.Body.Close()
		to := r.Header.Get("Location")
		if isOpen := r.StatusCode == http.StatusOK; isOpen != wantOpen || !isOpen && !strings.HasPrefix(to, "/second-factor") {
			h.t.Errorf("%s: %d to %q, want it open: %v", path, r.StatusCode, to, wantOpen)
		}
	}
	for _, path := range []string{"/notes", "/glass", "/security/codes/stop", "/security/recovery", "/security/passkeys/remove", "/security/logins/end-others"} {
		if _, _, header := h.submit(c, path, nil); strings.HasPrefix(header.Get("Location"), "/second-factor") == wantOpen {
			h.t.Errorf("a form to %s leads to %q, want it open: %v", path, header.Get("Location"), wantOpen)
		}
	}
	for _, path := range []string{"/api/v1/notes", "/api/v1" + note, "/api/v1" + note + "/state"} {
		if status, body, _ := h.get(c, path); (status == http.StatusOK) != wantOpen || !wantOpen && (status != http.StatusForbidden || !strings.Contains(body, "/second-factor")) {
			h.t.Errorf("%s: %d %.200s, want it open: %v", path, status, body, wantOpen)
		}
	}
	status, body := h.post(c, "/api/v1"+note+"/ticket", nil)
	if (status == http.StatusOK) != wantOpen || strings.Contains(body, "tick_") != wantOpen {
		h.t.Errorf("a ticket: %d %.200s, want one: %v", status, body, wantOpen)
	}
}

// TestPasswordAloneOpensNothing: no page, form, call, ticket or socket, until there is a passkey or an app; then all of it,
// at once, in the same login, whose secret is another.
func TestPasswordAloneOpensNothing(t *testing.T) {
	h := demanding(t, login.FromAll)
	for with, get := range map[string]func(c *http.Client) (next string){
		"passkey": func(c *http.Client) string {
			_, s := h.tell(c, "/passkeys/add/ask", nil)
			d := newDevice(t)
			d.handle = base64Of(t, s.Options.PublicKey.User.ID)
			_, s = h.tell(c, "/passkeys/add", url.Values{"credential": {d.make(s.Options.PublicKey.Challenge)}, "next": {"/units/4-west"}})
			return s.Next
		},
		"app": func(c *http.Client) string {
			status, _, header := h.submit(c, "/security/codes", url.Values{"next": {"/units/4-west"}})
			_, page, _ := h.get(c, header.Get("Location"))
			shown := shownSecret.FindStringSubmatch(page)
			if shown == nil || !strings.Contains(page, `name="next" value="/units/4-west"`) {
				t.Fatalf("%d to %s: %.2000s", status, header.Get("Location"), page)
			}
			code := h.codeOf(strings.ReplaceAll(shown[1], " ", ""), 0)
			_, page = h.post(c, "/security/codes/accept", url.Values{"code": {code}, "next": {"/units/4-west"}})
			if !strings.Contains(page, `href="/units/4-west"`) {
				t.Errorf("the app's page leads elsewhere: %.2000s", page)
			}
			return "/units/4-west"
		},
	} {
		t.Run(with, func(t *testing.T) {
			username := map[string]string{"passkey": "okafor", "app": "rivera"}[with]
			c := h.browser()
			status, _, header := h.submit(c, "/login", url.Values{"username": {username}, "password": {demo.Password}, "next": {"/units/4-west"}})
			if to := header.Get("Location"); status != http.StatusSeeOther || to != "/second-factor?next=%2Funits%2F4-west" {
				t.Fatalf("signing in: %d to %q", status, to)
			}
			if status, page, _ := h.get(c, "/second-factor?next=%2Funits%2F4-west"); status != http.StatusOK || !strings.Contains(page, `data-next="/units/4-west"`) || strings.Contains(page, `href="/units/`) {
				t.Errorf("the page: %d, or it leads elsewhere", status)
			}
			h.checkDoors(c, false)
			old := loginOf(c, h.at()).Value
			if next := get(c); next != "/units/4-west" {
				t.Errorf("then they are led to %q", next)
			}
			if loginOf(c, h.at()).Value == old {
				t.Error("the cookie is the one from before")
			}
			h.checkDoors(c, true)
		})
	}
}

// TestWeakSocket: a ticket from before, and a socket and a board that are open while more comes to be demanded, are worth
// nothing.
func TestWeakSocket(t *testing.T) {
	h := demanding(t, login.FromOverseers)
	rivera := h.signIn("rivera") // a nurse
	ticket, ws, board := h.ticket(rivera, h.note), h.openWireOf(rivera), h.watch(rivera)
	if saved, code := ws.write(7, 0); !saved {
		t.Fatalf("before: close code %d", code)
	}
	began := time.Now()
	h.sql(`UPDATE person SET role = 'charge nurse' WHERE username = 'rivera'`)
	if _, code := ws.until(isScope); code != 4403 || time.Since(began) > time.Second {
		t.Errorf("the socket: close code %d after %v, want 4403 within a second", code, time.Since(began))
	}
	for ended := time.After(time.Second); board != nil; {
		select {
		case _, more := <-board:
			if !more {
				board = nil
			}
		case <-ended:
			t.Fatal("the board goes on")
		}
	}
	if code := h.knock("y-websocket", h.note, ticket, h.page(rivera)); code != websocket.StatusCode(4403) {
		t.Errorf("a ticket from before: %d, want 4403", code)
	}
	h.checkDoors(rivera, false)
}

// TestWhatMoreIsDemandedOf: each of the three demands, of whom.
func TestWhatMoreIsDemandedOf(t *testing.T) {
	overseers := map[string]bool{"haddad": true, "novak": true, "lindqvist": true}
	for demand, of := range map[login.Demand]func(string) bool{
		login.FromAll: func(string) bool { return true }, login.FromNobody: func(string) bool { return false },
		login.FromOverseers: func(username string) bool { return overseers[username] },
	} {
		h := demanding(t, demand)
		for _, p := range demo.People() {
			_, _, header := h.get(h.signIn(p.Username), "/glass") // 200, or 403
			asked := of(p.Username) && p.Role != "display"        // a screen on a wall has no second factor, and nothing to open by it
			if got := header.Get("Location") != ""; got != asked {
				t.Errorf("demand %d, %s: led away: %v", demand, p.Role, got)
			}
		}
	}
}

// TestPasswordDoesNotGetMore: whoever knows somebody's password, and signs in by it, gets neither a passkey nor an app if
// that one has something already; showing it opens everything.
func TestPasswordDoesNotGetMore(t *testing.T) {
	h := demanding(t, login.FromAll)
	owner, thief, d := h.signIn("okafor"), h.signIn("okafor"), newDevice(t)
	_, s := h.tell(owner, "/passkeys/add/ask", nil)
	d.handle = base64Of(t, s.Options.PublicKey.User.ID)
	if status, _ := h.finish(owner, "add", d.make(s.Options.PublicKey.Challenge)); status != http.StatusOK {
		t.Fatalf("her own: %d", status)
	}
	late := h.signIn("okafor")
	for who, c := range map[string]*http.Client{"who was signed in before": thief, "who signs in later": late} {
		h.checkDoors(c, false)
		if status, s := h.tell(c, "/passkeys/add/ask", nil); status != http.StatusForbidden || s.Next != "/second-factor" {
			t.Errorf("%s is asked for a passkey: %d to %q", who, status, s.Next)
		}
		for _, path := range []string{"/security/codes", "/security/codes/accept"} {
			if status, _, header := h.submit(c, path, nil); status != http.StatusSeeOther || header.Get("Location") != "/second-factor" {
				t.Errorf("%s at %s: %d to %q", who, path, status, header.Get("Location"))
			}
		}
		if _, _, header := h.get(c, "/second-factor?next=%2Fglass"); header.Get("Location") != "/confirm?next=%2Fglass" {
			t.Errorf("%s is led to %q", who, header.Get("Location"))
		}
		if _, page, _ := h.get(c, "/confirm?next=%2Fglass"); strings.Contains(page, `type="password"`) || !strings.Contains(page, `data-passkey="confirm"`) {
			t.Errorf("%s is asked for the password again, or not for the passkey", who)
		}
		if status, to := h.confirm(c, demo.Password, "/glass"); status != http.StatusSeeOther || to != "/second-factor?next=%2Fglass" {
			t.Errorf("%s confirms by the password: %d to %q", who, status, to)
		}
		h.checkDoors(c, false)
	}
	d.count++
	if status, next := h.finish(late, "confirm", d.use(h.ask(late, "confirm"))); status != http.StatusOK || next != "/security" {
		t.Errorf("showing the passkey: %d to %q", status, next)
	}
	h.checkDoors(late, true)
}

// TestRecoveryCodeIsMore than a password, as a code of the app is; and what is last nobody removes.
func TestRecoveryCodeIsMore(t *testing.T) {
	h := demanding(t, login.FromAll)
	rivera := h.signIn("rivera")
	_, recovery := h.useApp(rivera)
	c := h.browser()
	if status, _ := h.signInWith(c, "rivera", demo.Password, recovery[0]); status != http.StatusSeeOther {
		t.Fatalf("by a recovery code: %d", status)
	}
	h.checkDoors(c, true) // which tries to stop asking for codes
	if status, page := h.post(c, "/security/codes/stop", nil); status != http.StatusConflict || !strings.Contains(page, "all that you have beside it") {
		t.Errorf("removing the last: %d", status)
	}
	d := newDevice(t)
	h.add(c, d)
	if status, _ := h.post(c, "/security/codes/stop", nil); status != http.StatusSeeOther {
		t.Errorf("removing the last but one: %d", status)
	}
	if status, page := h.post(c, "/security/passkeys/remove", url.Values{"id": {plain64(d.id)}}); status != http.StatusConflict || !strings.Contains(page, "all that you have beside it") {
		t.Errorf("removing the passkey: %d", status)
	}
}

// TestEnrolmentGoesOnToMore: whoever is invited chooses a password, and gets what goes with it, in one go.
func TestEnrolmentGoesOnToMore(t *testing.T) {
	h := demanding(t, login.FromAll)
	c := h.browser()
	status, _, header := h.submit(c, "/enrol", url.Values{"code": {h.newcomer("duarte")}, "password": {sentence}, "repeat": {sentence}})
	if status != http.StatusSeeOther || header.Get("Location") != "/second-factor" {
		t.Fatalf("enrolling: %d to %q", status, header.Get("Location"))
	}
	h.checkDoors(c, false)
	h.useApp(c)
	h.checkDoors(c, true)
}

// TestWeakSignInTellsNothing of whether a note is there, or where somebody was: that waits until they have shown more.
func TestWeakSignInTellsNothing(t *testing.T) {
	clock := &clock{}
	h := demanding(t, login.FromAll, clock.set)
	note := "/notes/" + h.note.String()
	c := h.signIn("chen")
	_, _ = h.useApp(c)
	if status, _ := h.input(c, h.note.String()); status != http.StatusOK {
		t.Fatalf("input: %d", status)
	}
	clock.forward(16 * time.Minute)
	h.get(c, "/") // ends it
	h.sql(`DELETE FROM totp`)
	c = h.browser()
	if _, _, header := h.submit(c, "/login", url.Values{"username": {"chen"}, "password": {demo.Password}}); header.Get("Location") != "/second-factor" {
		t.Errorf("she is led to %q", header.Get("Location"))
	}
	d := newDevice(t)
	_, s := h.tell(c, "/passkeys/add/ask", nil)
	d.handle = base64Of(t, s.Options.PublicKey.User.ID)
	if _, s = h.tell(c, "/passkeys/add", url.Values{"credential": {d.make(s.Options.PublicKey.Challenge)}}); s.Next != note {
		t.Errorf("then she is led to %q, want the note she was in", s.Next)
	}
}
