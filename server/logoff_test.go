package server_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt/ysync"
	"github.com/clisonix/tidechart/server"
	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/demo"
	"github.com/clisonix/tidechart/server/login"
)

// clock is the machine's, put forward.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time           { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) forward(by time.Duration) { c.ahead.Add(int64(by)) }

// openWithClock opens a server with automatic logoff after a quarter of an hour, and five minutes for charge nurses.
func openWithClock(t *testing.T) (*hospital, *clock) {
	t.Helper()
	c := &clock{}
	return open(t, c.set), c
}

func (c *clock) set(config *server.Config) {
	config.Now = c.now
	config.Logoff = login.Logoff{ByRole: map[access.Role]time.Duration{access.ChargeNurse: 5 * time.Minute}}
}

// input tells of a key pressed in a note, and returns what the page is told.
func (h *hospital) input(c *http.Client, note string) (status int, left time.Duration) {
	h.t.Helper()
	r, err := c.PostForm(h.URL+"/login/input", url.Values{"note": {note}})
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	var says struct{ Left int64 }
	if r.StatusCode == http.StatusOK {
		if err := json.NewDecoder(r.Body).Decode(&says); err != nil {
			h.t.Fatal(err)
		}
	}
	return r.StatusCode, time.Duration(says.Left) * time.Millisecond
}

// signInAgain signs in with a browser that may have been used before, and returns where that leads.
func (h *hospital) signInAgain(c *http.Client, username, next string) string {
	h.t.Helper()
	r, err := c.PostForm(h.URL+"/login", url.Values{"username": {username}, "password": {demo.Password}, "next": {next}})
	if err != nil {
		h.t.Fatal(err)
	}
	_ = r.Body.Close()
	if r.StatusCode != http.StatusSeeOther {
		h.t.Fatalf("sign in as %s: %s", username, r.Status)
	}
	return r.Header.Get("Location")
}

// TestUnusedLoginEnds, whatever requests its pages send by themselves.
func TestUnusedLoginEnds(t *testing.T) {
	h, clock := openWithClock(t)
	for _, tt := range []struct {
		username string
		after    time.Duration
	}{{"chen", 15 * time.Minute}, {"haddad", 5 * time.Minute}} {
		c := h.signIn(tt.username)
		for range 4 {
			clock.forward(tt.after/4 - time.Second)
			if status, _, _ := h.get(c, "/"); status != http.StatusOK {
				t.Fatalf("%s, in time: %d", tt.username, status)
			}
			if status, body, _ := h.get(c, "/login/left"); status != http.StatusOK || !strings.Contains(body, `"left"`) {
				t.Fatalf("%s asks what is left: %d %s", tt.username, status, body)
			}
		}
		clock.forward(5 * time.Second)
		status, _, header := h.get(c, "/notes/"+h.note.String())
		if status != http.StatusSeeOther || header.Get("Location") != "/login?ended=unused" || !strings.Contains(header.Get("Clear-Site-Data"), "cache") {
			t.Errorf("%s, too late: %d to %s, Clear-Site-Data %s", tt.username, status, header.Get("Location"), header.Get("Clear-Site-Data"))
		}
		if status, _ := h.input(c, ""); status != http.StatusUnauthorized {
			t.Errorf("%s moves the pointer too late: %d", tt.username, status)
		}
	}
}

// TestInputKeepsLogin, but no longer than a shift.
func TestInputKeepsLogin(t *testing.T) {
	h, clock := openWithClock(t)
	c := h.signIn("chen")
	for i := range 51 { // the last after 11 h 40 min
		if i > 0 {
			clock.forward(14 * time.Minute)
		}
		want := min(15*time.Minute, 12*time.Hour-time.Duration(i)*14*time.Minute)
		if status, left := h.input(c, ""); status != http.StatusOK || left > want || left < want-time.Minute {
			t.Fatalf("input after %d times 14 min: %d, %v left, want %v", i, status, left, want)
		}
	}
	clock.forward(21 * time.Minute)
	if status, _ := h.input(c, ""); status != http.StatusUnauthorized {
		t.Errorf("after a shift: %d", status)
	}
}

// TestUnusedSocketEnds, though programs go on sending.
func TestUnusedSocketEnds(t *testing.T) {
	h := open(t, func(config *server.Config) { config.Logoff = login.Logoff{After: 2 * time.Second} })
	c := h.signIn("chen")
	began := time.Now()
	w := h.openWireOf(c)
	if saved, _ := w.write(77, 0); !saved {
		t.Error("not saved while signed in")
	}
	_, code := w.until(func(m ysync.Message) bool { return false })
	if took := time.Since(began); code != 4401 || took < time.Second || took > 8*time.Second {
		t.Errorf("closed with %d after %v, want 4401 after 2 s", code, took)
	}
	if status, _, header := h.get(c, "/"); status != http.StatusSeeOther || header.Get("Location") != "/login?next=%2F" {
		t.Errorf("the login has ended with its socket, and the page leads to %q", header.Get("Location"))
	}
}

// TestReturn: the next sign-in of a person leads to where they were, once; that of anybody else does not.
func TestReturn(t *testing.T) {
	h, clock := openWithClock(t)
	c := h.signIn("chen")
	note := "/notes/" + h.note.String()
	leave := func() {
		t.Helper()
		if status, _ := h.input(c, h.note.String()); status != http.StatusOK {
			t.Fatal(status)
		}
		clock.forward(16 * time.Minute)
		if status, _, header := h.get(c, "/"); status != http.StatusSeeOther || strings.Contains(header.Get("Location"), "note") {
			t.Fatalf("unused: %d to %s", status, header.Get("Location"))
		}
	}
	leave()
	for i, tt := range []struct{ username, next, want string }{
		{"rivera", "", "/"},
		{"chen", "", note},
		{"chen", "", "/"},
	} {
		if got := h.signInAgain(c, tt.username, tt.next); got != tt.want {
			t.Errorf("%d, %s: led to %q, want %q", i, tt.username, got, tt.want)
		}
	}
	leave()
	if got := h.signInAgain(c, "chen", "/units/4-west"); got != "/units/4-west" {
		t.Errorf("who asked for something else is led to %q", got)
	}
	leave()
	h.sql(`UPDATE person SET role = 'administrator' WHERE username = 'chen'`)
	if got := h.signInAgain(c, "chen", ""); got != "/admin" {
		t.Errorf("who may not read it any more is led to %q", got)
	}
}

// TestNextOfAnotherPerson: an address that somebody left behind leads nobody to a note that they may not see.
func TestNextOfAnotherPerson(t *testing.T) {
	h := open(t)
	note := "/notes/" + h.note.String()
	for _, tt := range []struct{ username, next, want string }{
		{"rivera", note, note},
		{"rivera", note + "?print=1", note + "?print=1"},
		{"rivera", "/notes/" + uuid.NewString(), "/"},
		{"novak", note, "/admin"},
		{"novak", "/notes/../notes/" + h.note.String(), "/admin"},
		{"novak", "/./notes/" + h.note.String(), "/admin"},
		{"rivera", "/notes/%2e%2e/units/4-west", "/notes/%2e%2e/units/4-west"},
	} {
		if got := h.signInAgain(h.browser(), tt.username, tt.next); got != tt.want {
			t.Errorf("%s with %q: led to %q, want %q", tt.username, tt.next, got, tt.want)
		}
	}
}

// TestSignOutIsNoLogoff: who says that they go has gone; the page of who just went may say so in their place.
func TestSignOutIsNoLogoff(t *testing.T) {
	h := open(t)
	for unused, want := range map[string]string{"": "/", "1": "/notes/" + h.note.String()} {
		c := h.signIn("chen")
		h.input(c, h.note.String())
		if status, _ := h.post(c, "/logout", url.Values{"unused": {"1"}, "person": {uuid.NewString()}}); status != http.StatusConflict {
			t.Errorf("a page of who was here before signs out who is here: %d", status)
		}
		_, body, _ := h.get(c, "/login/left")
		person := regexp.MustCompile(`"person":"([^"]+)"`).FindStringSubmatch(body)[1]
		r, err := c.PostForm(h.URL+"/logout", url.Values{"unused": {unused}, "person": {person}})
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, r.Body)
		_ = r.Body.Close()
		if cleared := r.Header.Get("Clear-Site-Data"); !strings.Contains(cleared, `"cache"`) || !strings.Contains(cleared, `"storage"`) {
			t.Errorf("unused %q: Clear-Site-Data is %q", unused, cleared)
		}
		if status, _ := h.input(c, ""); status != http.StatusUnauthorized {
			t.Errorf("unused %q: still signed in: %d", unused, status)
		}
		if got := h.signInAgain(c, "chen", ""); got != want {
			t.Errorf("unused %q: led to %q, want %q", unused, got, want)
		}
	}
}

// TestSignInEndsTheLoginBefore of the same browser, and its sockets.
func TestSignInEndsTheLoginBefore(t *testing.T) {
	h := open(t)
	c := h.signIn("chen")
	at, _ := url.Parse(h.URL)
	before := loginOf(c, at)
	w := h.openWireOf(c)
	h.signInAgain(c, "rivera", "")
	if _, code := w.until(func(m ysync.Message) bool { return false }); code != 4401 {
		t.Errorf("the socket of who was there before: %d, want 4401", code)
	}
	old := h.browser()
	old.Jar.SetCookies(at, []*http.Cookie{before})
	if status, _, _ := h.get(old, "/"); status != http.StatusSeeOther {
		t.Errorf("the cookie of who was there before: %d", status)
	}
}
