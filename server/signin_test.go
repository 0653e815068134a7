package server_test

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/clisonix/tidechart/server/demo"
)

// try signs in with a password and returns the status, and Retry-After.
func (h *hospital) try(c *http.Client, username, password string) (status, wait int) {
	h.t.Helper()
	r, err := c.PostForm(h.URL+"/login", url.Values{"username": {username}, "password": {password}})
	if err != nil {
		h.t.Fatal(err)
	}
	_ = r.Body.Close()
	wait, _ = strconv.Atoi(r.Header.Get("Retry-After"))
	return r.StatusCode, wait
}

// TestGuessingIsSlow, for names that exist and those that do not alike, and locks nobody out of a browser of theirs.
func TestGuessingIsSlow(t *testing.T) {
	h := open(t)
	hers := h.signIn("chen") // she has used this browser
	for _, name := range []string{"chen", "nobody"} {
		for i := range 20 {
			if status, _ := h.try(h.browser(), name, "guess "+strconv.Itoa(i)); status != http.StatusUnauthorized {
				t.Fatalf("%s, guess %d: %d", name, i, status)
			}
		}
		status, wait := h.try(h.browser(), name, "one more")
		if status != http.StatusTooManyRequests || wait < 1 || wait > 30 {
			t.Errorf("%s, one more: %d, again in %d s", name, status, wait)
		}
		if status, _ := h.try(h.browser(), name, demo.Password); status != http.StatusTooManyRequests {
			t.Errorf("%s, the right password, from where it was guessed: %d", name, status)
		}
	}
	for i := range 5 { // who signs in does not use tries up
		if status, _ := h.try(hers, "chen", demo.Password); status != http.StatusSeeOther {
			t.Errorf("her browser, time %d: %d", i, status)
		}
	}
	if status, _ := h.try(h.browser(), "rivera", demo.Password); status != http.StatusSeeOther {
		t.Errorf("a colleague: %d", status)
	}
	for range 10 {
		h.try(hers, "chen", "guess")
	}
	if status, _ := h.try(hers, "chen", demo.Password); status != http.StatusTooManyRequests {
		t.Errorf("guessing from her own browser: %d", status)
	}
	if status, _ := h.try(hers, "okafor", demo.Password); status != http.StatusSeeOther {
		t.Errorf("a colleague at her workstation: %d", status)
	}
}

// TestStolenDeviceLetsNobodyIn: the cookie by which a browser is known is no login.
func TestStolenDeviceLetsNobodyIn(t *testing.T) {
	h := open(t)
	chen := h.signIn("chen")
	at, err := url.Parse(h.URL)
	if err != nil {
		t.Fatal(err)
	}
	thief := h.browser()
	for _, c := range chen.Jar.Cookies(at) {
		if c.Name == "tidechart-device" {
			thief.Jar.SetCookies(at, []*http.Cookie{c})
		}
	}
	if len(thief.Jar.Cookies(at)) != 1 {
		t.Fatalf("chen's browser has %v", chen.Jar.Cookies(at))
	}
	if status, _, _ := h.get(thief, "/"); status != http.StatusSeeOther {
		t.Errorf("the worklist answers %d", status)
	}
}

// TestSignInsAreLogged, and fresh proofs, refused ones too, and how logins end: by ids and networks, not by what was typed.
func TestSignInsAreLogged(t *testing.T) {
	h, clock := openWithClock(t)
	h.try(h.browser(), "chen", "my secret guess")
	chen, lost := h.signIn("chen"), h.signIn("chen")
	if status, _ := h.confirm(chen, "my other guess", "/"); status != http.StatusUnauthorized {
		t.Errorf("a wrong password: %d", status)
	}
	if status, _ := h.confirm(chen, demo.Password, "/"); status != http.StatusSeeOther {
		t.Errorf("confirming: %d", status)
	}
	h.post(chen, "/security/logins/end", url.Values{"id": {h.loginID(lost)}})
	h.post(chen, "/security/logins/end-others", nil)
	gone := h.signIn("chen")
	h.post(chen, "/logout", nil)
	clock.forward(16 * time.Minute)
	h.get(gone, "/")
	row, err := h.db.PersonByUsername(t.Context(), "chen")
	if err != nil {
		t.Fatal(err)
	}
	log := h.log.String()
	for line, times := range map[string]int{
		`msg="sign-in refused" remote=127.0.0.1 status=401`:                                     1,
		`msg="signed in" person=` + row.ID.String() + ` with=password remote=127.0.0.1`:         3,
		`msg="confirmation refused" person=` + row.ID.String() + ` remote=127.0.0.1 status=401`: 1,
		`msg=confirmed person=` + row.ID.String() + ` with=password remote=127.0.0.1`:           1,
		`msg="ended their other logins" person=` + row.ID.String():                              1,
		`msg="ended a login of theirs" person=` + row.ID.String():                               1,
		`msg="signed out" person=` + row.ID.String() + ` unused=false remote=127.0.0.1`:         1,
		`no input for too long`: 1,
	} {
		if n := strings.Count(log, line); n != times {
			t.Errorf("%d lines of %s, want %d", n, line, times)
		}
	}
	if strings.Contains(log, "guess") || strings.Contains(log, demo.Password) {
		t.Error("the log knows what was typed")
	}
}
