package server_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/clisonix/tidechart/server/demo"
)

// twoWays opens a server on which duarte has a passkey, and an account at the provider.
func twoWays(t *testing.T) (*hospital, *clock, *issuer, *device) {
	t.Helper()
	clock := &clock{}
	h, p := openWith(t, clock.set)
	c, d := h.browser(), newDevice(t)
	if status, _ := h.visit(p, c, "enrol", h.newcomer("duarte"), "d-17"); status != http.StatusOK {
		t.Fatalf("linking: %d", status)
	}
	h.add(c, d)
	return h, clock, p, d
}

// TestEveryWayInIsTheSame: whoever comes back after their login ended unused is led to where they were, and it is logged.
func TestEveryWayInIsTheSame(t *testing.T) {
	h, clock, p, d := twoWays(t)
	note := "/notes/" + h.note.String()
	for with, signIn := range map[string]func(c *http.Client) (int, string){
		"passkey": func(c *http.Client) (int, string) {
			d.count++
			status, s := h.tell(c, "/passkeys/sign-in", url.Values{"credential": {d.use(h.ask(c, "sign-in"))}})
			return status, s.Next
		},
		"provider": func(c *http.Client) (int, string) {
			return h.vouch(p, c, h.toProviderFor(c, "sign-in", "", ""), "d-17")
		},
	} {
		c := h.browser()
		for i, want := range []string{"/", note, "/"} {
			if status, next := signIn(c); status != http.StatusOK || next != want {
				t.Errorf("%s, %d: %d to %q, want %q", with, i, status, next, want)
			}
			if i > 0 {
				continue
			}
			if status, left := h.input(c, h.note.String()); status != http.StatusOK || left < 14*time.Minute {
				t.Fatalf("%s: input: %d, %v left", with, status, left)
			}
			clock.forward(16 * time.Minute)
			if status, _, header := h.get(c, "/"); status != http.StatusSeeOther || header.Get("Location") != "/login?ended=unused" {
				t.Fatalf("%s, unused: %d to %s", with, status, header.Get("Location"))
			}
		}
		if n := strings.Count(h.log.String(), "with="+with+" remote=127.0.0.1"); n < 3 {
			t.Errorf("%d sign-ins by %s are logged", n, with)
		}
	}
}

// TestConfirmingIsInput, in each way; nobody confirms a login that has gone unused.
func TestConfirmingIsInput(t *testing.T) {
	h, clock, p, d := twoWays(t)
	byPasskey, byProvider := h.browser(), h.browser()
	for _, c := range []*http.Client{byPasskey, byProvider} {
		if status := h.signInBy(c, d); status != http.StatusOK {
			t.Fatalf("signing in: %d", status)
		}
	}
	chen := h.signIn("chen")
	ways := map[string]struct {
		c       *http.Client
		confirm func() int
	}{
		"password": {chen, func() int { status, _ := h.confirm(chen, demo.Password, "/"); return status }},
		"passkey": {byPasskey, func() int {
			d.count++
			status, _ := h.finish(byPasskey, "confirm", d.use(h.ask(byPasskey, "confirm")))
			return status
		}},
		"provider": {byProvider, func() int { status, _ := h.visit(p, byProvider, "confirm", "", "d-17"); return status }},
	}
	clock.forward(14 * time.Minute)
	for with, way := range ways {
		if status := way.confirm(); status != http.StatusOK && status != http.StatusSeeOther {
			t.Errorf("confirming with a %s: %d", with, status)
		}
		if !regexp.MustCompile(`msg=confirmed person=\S+ with=` + with + ` remote=127\.0\.0\.1\n`).MatchString(h.log.String()) {
			t.Errorf("confirming with a %s is not logged", with)
		}
	}
	clock.forward(14 * time.Minute)
	for with, way := range ways {
		if status, _, header := h.get(way.c, "/"); status != http.StatusOK {
			t.Errorf("28 minutes after signing in, and 14 after confirming with a %s: %d to %s", with, status, header.Get("Location"))
		}
	}

	q := h.toProvider(byProvider, "confirm", "")
	clock.forward(2 * time.Minute)
	if status, next := h.vouch(p, byProvider, q, "d-17"); status == http.StatusOK {
		t.Errorf("the provider revives a login that has gone unused: to %q", next)
	}
	if status := ways["password"].confirm(); status != http.StatusUnauthorized {
		t.Errorf("the password revives a login that has gone unused: %d", status)
	}
	if status, s := h.tell(byPasskey, "/passkeys/confirm/ask", nil); status != http.StatusUnauthorized || s.Next != "/login?ended=unused" {
		t.Errorf("a passkey is asked for, for a login that has gone unused: %d to %q", status, s.Next)
	}
	for with, way := range ways {
		if status, _, _ := h.get(way.c, "/"); status != http.StatusSeeOther {
			t.Errorf("%s: the login goes on: %d", with, status)
		}
	}
}

// TestUnusedLoginsAreNotListed, though nobody has asked for a page of theirs since.
func TestUnusedLoginsAreNotListed(t *testing.T) {
	h, clock := openWithClock(t)
	h.signIn("chen")
	clock.forward(16 * time.Minute)
	if _, page, _ := h.get(h.signIn("chen"), "/security"); len(loginID.FindAllString(page, -1)) != 1 {
		t.Errorf("she sees %v", loginID.FindAllString(page, -1))
	}
}

// TestTicketsOutliveConfirming: they are the login's, whose secret may change meanwhile.
func TestTicketsOutliveConfirming(t *testing.T) {
	h := open(t)
	chen := h.signIn("chen")
	ticket, old := h.ticket(chen, h.note), h.page(chen)
	if status, _ := h.confirm(chen, demo.Password, "/"); status != http.StatusSeeOther {
		t.Fatalf("confirming: %d", status)
	}
	if code := h.knock("y-websocket", h.note, h.ticket(chen, h.note), old); code != 4401 {
		t.Errorf("a ticket beside the secret of before: %d, want 4401", code)
	}
	if code := h.knock("y-websocket", h.note, ticket, h.page(chen)); code != 0 {
		t.Errorf("a ticket from before: %d", code)
	}
}

// TestInvitationsAreNotGuessed, neither for a password, nor for a passkey, nor for an account elsewhere.
func TestInvitationsAreNotGuessed(t *testing.T) {
	h := behindProxy(t, withProvider(newIssuer(t)))
	forms := []string{"/passkeys/enrol/ask", "/enrol", "/login/provider"}
	guess := func(address, path string) *http.Request {
		return h.from(address, 0, "POST", path, url.Values{"code": {"0000-0000-0000-0000"}, "password": {"a"}, "repeat": {"a"}, "for": {"enrol"}})
	}
	if refused := h.flood(130, func(i int) *http.Request { return guess("203.0.113.9", forms[i%len(forms)]) }); refused == nil {
		t.Fatal("130 wrong codes are looked at")
	}
	for _, path := range forms {
		for address, want := range map[string]int{"203.0.113.9": http.StatusTooManyRequests, "203.0.113.10": http.StatusUnprocessableEntity} {
			r, err := http.DefaultTransport.RoundTrip(guess(address, path))
			if err != nil {
				t.Fatal(err)
			}
			_ = r.Body.Close()
			if r.StatusCode != want || want == http.StatusTooManyRequests && r.Header.Get("Retry-After") == "" {
				t.Errorf("%s from %s: %d, want %d", path, address, r.StatusCode, want)
			}
		}
	}
}
