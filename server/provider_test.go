package server_test

import (
	"crypto/rand"
	"crypto/rsa"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// TestProvider: an account elsewhere signs in whom an invitation has linked it to, and nobody else.
func TestProvider(t *testing.T) {
	h, p := openWith(t)
	if status, _ := h.visit(p, h.browser(), "sign-in", "", "d-17"); status != http.StatusForbidden {
		t.Errorf("an account that nobody has linked: %d", status)
	}
	if status, page := h.post(h.browser(), "/login/provider", url.Values{"for": {"enrol"}, "code": {"0000-0000-0000-0000"}}); status != http.StatusUnprocessableEntity || !strings.Contains(page, "does not work") {
		t.Errorf("linking by a wrong code: %d", status)
	}
	code, duarte := h.newcomer("duarte"), h.browser()
	if status, next := h.visit(p, duarte, "enrol", code, "d-17"); status != http.StatusOK || next != "/units/4-west" {
		t.Fatalf("linking: %d to %q", status, next)
	}
	if status, page, _ := h.get(duarte, "/security"); status != http.StatusOK || !strings.Contains(page, "Ines Duarte RN") || !strings.Contains(page, "St. Elsewhere") {
		t.Errorf("her own page: %d", status)
	}
	if status, _ := h.visit(p, h.browser(), "enrol", h.invite("chen"), "d-17"); status != http.StatusForbidden {
		t.Errorf("linking it to a colleague, too: %d", status)
	}
	h.signIn("chen") // whose password still works: nothing was changed

	again := h.signIn("okafor")
	before := loginOf(again, h.at())
	if status, next := h.visit(p, again, "sign-in", "", "d-17"); status != http.StatusOK || next != "/units/4-west" {
		t.Errorf("signing in: %d to %q", status, next)
	}
	if _, page, _ := h.get(again, "/security"); !strings.Contains(page, "Ines Duarte RN") {
		t.Error("the browser does not know her")
	}
	if status, _, _ := h.get(h.with(before), "/"); status != http.StatusSeeOther {
		t.Errorf("whoever was signed in there before still is: %d", status)
	}

	h.sql(`UPDATE login SET proven_at = now() - interval '5 minutes'`)
	old := loginOf(duarte, h.at()).Value
	if status, next := h.visit(p, duarte, "confirm", "", "d-17"); status != http.StatusOK || next != "/units/4-west" || loginOf(duarte, h.at()).Value == old {
		t.Errorf("confirming: %d to %q, or the cookie is the same", status, next)
	}
	if status, _ := h.post(duarte, "/security/codes", nil); status != http.StatusSeeOther {
		t.Errorf("afterwards: %d", status)
	}
	if status, _ := h.visit(p, h.signIn("chen"), "confirm", "", "d-17"); status != http.StatusForbidden {
		t.Errorf("chen confirms by duarte's account: %d", status)
	}
	h.sql(`UPDATE person SET suspended = true WHERE username = 'duarte'`)
	if status, _ := h.visit(p, h.browser(), "sign-in", "", "d-17"); status != http.StatusForbidden {
		t.Errorf("suspended: %d", status)
	}
	if log := h.log.String(); strings.Contains(log, providerSecret) || strings.Contains(log, "d-17") || strings.Contains(log, code) {
		t.Error("the log knows a secret, or who somebody is elsewhere")
	}
}

// TestProviderThatLies: what is not exactly the answer of that provider to what this browser asked lets nobody in.
func TestProviderThatLies(t *testing.T) {
	h, p := openWith(t)
	if status, _ := h.visit(p, h.browser(), "enrol", h.newcomer("duarte"), "d-17"); status != http.StatusOK {
		t.Fatalf("linking: %d", status)
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	signed := func(change func(c claims)) func(q, a url.Values) {
		return func(q, a url.Values) {
			c := p.honest("d-17", q)
			change(c)
			a.Set("code", p.code(q, p.sign(p.key, "RS256", c)))
		}
	}
	for what, lie := range map[string]func(q, a url.Values){
		"another issuer":          signed(func(c claims) { c["iss"] = "https://evil.example" }),
		"for another client":      signed(func(c claims) { c["aud"] = "evil" }),
		"for two, by neither":     signed(func(c claims) { c["aud"] = []string{"tidechart", "evil"} }),
		"by another party":        signed(func(c claims) { c["azp"] = "evil" }),
		"another question":        signed(func(c claims) { c["nonce"] = strings.Repeat("A", 43) }),
		"no question":             signed(func(c claims) { delete(c, "nonce") }),
		"expired":                 signed(func(c claims) { c["exp"] = time.Now().Add(-time.Minute).Unix() }),
		"never expires":           signed(func(c claims) { delete(c, "exp") }),
		"nobody":                  signed(func(c claims) { c["sub"] = "" }),
		"a claim of another kind": signed(func(c claims) { c["auth_time"] = "now" }),
		"not signed":              func(q, a url.Values) { a.Set("code", p.code(q, p.sign(nil, "none", p.honest("d-17", q)))) },
		"another's key":           func(q, a url.Values) { a.Set("code", p.code(q, p.sign(other, "RS256", p.honest("d-17", q)))) },
		"another kind of key":     func(q, a url.Values) { a.Set("code", p.code(q, p.sign(p.key, "HS256", p.honest("d-17", q)))) },
		"no token":                func(q, a url.Values) { a.Set("code", p.code(q, "")) },
		"a code of another browser": func(q, a url.Values) {
			a.Set("code", p.code(url.Values{"code_challenge": {"x"}}, p.sign(p.key, "RS256", p.honest("d-17", q))))
		},
		"an unknown code": func(_, a url.Values) { a.Set("code", "x") },
		"no code":         func(_, a url.Values) { a.Del("code") },
		"another state":   func(_, a url.Values) { a.Set("state", strings.Repeat("A", 43)) },
		"no state":        func(_, a url.Values) { a.Del("state") },
		"mixed up":        func(_, a url.Values) { a.Set("iss", "https://evil.example") },
		"it says no":      func(_, a url.Values) { a.Set("error", "access_denied") },
	} {
		c := h.browser()
		q := h.toProvider(c, "sign-in", "")
		answer := url.Values{"state": {q.Get("state")}, "iss": {p.URL}, "code": {p.code(q, p.sign(p.key, "RS256", p.honest("d-17", q)))}}
		lie(q, answer)
		if status, next := h.back(c, answer); status != http.StatusUnauthorized || next != "" {
			t.Errorf("%s: %d to %q", what, status, next)
		}
		if status, _, _ := h.get(c, "/"); status != http.StatusSeeOther {
			t.Errorf("%s: somebody is signed in", what)
		}
	}

	c := h.browser()
	q := h.toProvider(c, "sign-in", "")
	cookies := ceremonyOf(c.Jar.Cookies(h.at()))
	token := p.sign(p.key, "RS256", p.honest("d-17", q))
	answer := url.Values{"state": {q.Get("state")}, "code": {p.code(q, token)}}
	if status, _ := h.back(h.browser(), answer); status != http.StatusUnprocessableEntity {
		t.Errorf("in a browser that was not sent there: %d", status)
	}
	if status, _ := h.back(c, answer); status != http.StatusOK {
		t.Errorf("the honest answer: %d", status)
	}
	replay := h.browser()
	replay.Jar.SetCookies(h.at(), cookies)
	answer.Set("code", p.code(q, token))
	if status, _ := h.back(replay, answer); status != http.StatusUnprocessableEntity {
		t.Errorf("again, by whoever copied all of it: %d", status)
	}
	for _, form := range []url.Values{{"for": {"else"}}, {}, {"for": {"confirm"}}} {
		if status, _ := h.post(h.browser(), "/login/provider", form); status != http.StatusNotFound && status != http.StatusUnauthorized {
			t.Errorf("%v: %d", form, status)
		}
	}
}

// TestProviderDoesNotConfirmByItself: that somebody signed in there this morning does not prove that they are here now.
func TestProviderDoesNotConfirmByItself(t *testing.T) {
	h, p := openWith(t)
	duarte := h.browser()
	if status, _ := h.visit(p, duarte, "enrol", h.newcomer("duarte"), "d-17"); status != http.StatusOK {
		t.Fatalf("linking: %d", status)
	}
	for what, change := range map[string]func(claims){
		"this morning": func(c claims) { c["auth_time"] = time.Now().Add(-2 * time.Minute).Unix() },
		"some time":    func(c claims) { delete(c, "auth_time") },
	} {
		for _, why := range []string{"confirm", "sign-in"} {
			c := h.browser()
			if why == "confirm" {
				c = duarte
			}
			q := h.toProvider(c, why, "")
			if why == "confirm" && (q.Get("prompt") != "login" || q.Get("max_age") != "0") {
				t.Errorf("to confirm it is asked %v", q)
			}
			said := p.honest("d-17", q)
			change(said)
			status, _ := h.back(c, url.Values{"state": {q.Get("state")}, "code": {p.code(q, p.sign(p.key, "RS256", said))}})
			switch {
			case why == "confirm" && status != http.StatusUnauthorized:
				t.Errorf("%s, to confirm: %d", what, status)
			case why == "sign-in" && status != http.StatusOK:
				t.Errorf("%s, to sign in: %d", what, status)
			case why == "sign-in" && what == "some time":
				if status, _, header := h.get(c, "/security/codes"); status != http.StatusSeeOther || !strings.HasPrefix(header.Get("Location"), "/confirm") {
					t.Errorf("%s, and then it counts as proven: %d to %s", what, status, header.Get("Location"))
				}
			}
		}
	}
}

// TestProviderSaysWhen: what counts is when somebody proved at the provider who they are, not when they are back; and what they
// have proven since goes on counting.
func TestProviderSaysWhen(t *testing.T) {
	h, p := openWith(t)
	duarte := h.browser()
	if status, _ := h.visit(p, duarte, "enrol", h.newcomer("duarte"), "d-17"); status != http.StatusOK {
		t.Fatalf("linking: %d", status)
	}
	for before, want := range map[string]int{"5 minutes": 30, "10 seconds": 10} {
		h.sql(`UPDATE login SET proven_at = now() - $1::text::interval`, before)
		q := h.toProvider(duarte, "confirm", "")
		said := p.honest("d-17", q)
		said["auth_time"] = time.Now().Add(-30 * time.Second).Unix()
		if status, _ := h.back(duarte, url.Values{"state": {q.Get("state")}, "code": {p.code(q, p.sign(p.key, "RS256", said))}}); status != http.StatusOK {
			t.Fatalf("confirming: %d", status)
		}
		if ago := h.count(`SELECT extract(epoch FROM now() - proven_at)::int FROM login WHERE id = $1`, h.loginID(duarte)); ago < want-1 || ago > want+15 {
			t.Errorf("proven %s before: it counts from %d s ago, want %d", before, ago, want)
		}
	}
}

// TestProviderSignsOut: who signs out at the provider is signed out here, and what is open closes within a second.
func TestProviderSignsOut(t *testing.T) {
	h, p := openWith(t)
	duarte, chen := h.browser(), h.signIn("chen")
	if status, _ := h.visit(p, duarte, "enrol", h.newcomer("duarte"), "d-17"); status != http.StatusOK {
		t.Fatalf("linking: %d", status)
	}
	tell := func(token string) int {
		t.Helper()
		status, _ := h.post(http.DefaultClient, "/login/provider/logout", url.Values{"logout_token": {token}})
		return status
	}
	signedIn := func() bool { status, _, _ := h.get(duarte, "/"); return status == http.StatusOK }
	for what, c := range map[string]claims{
		"for another client": p.logout(claims{"sub": "d-17", "aud": "evil"}), "of another issuer": p.logout(claims{"sub": "d-17", "iss": "https://evil.example"}),
		"expired": p.logout(claims{"sub": "d-17", "exp": time.Now().Add(-time.Minute).Unix()}), "about nobody": p.logout(nil),
		"an answer to a question": p.honest("d-17", url.Values{"nonce": {"x"}}), "with a nonce": p.logout(claims{"sub": "d-17", "nonce": "x"}),
	} {
		if status := tell(p.sign(p.key, "RS256", c)); status != http.StatusBadRequest || !signedIn() {
			t.Errorf("%s: %d, signed in %v", what, status, signedIn())
		}
	}
	for what, token := range map[string]string{"not signed": p.sign(nil, "none", p.logout(claims{"sub": "d-17"})), "nothing": "", "no token": "x.y.z"} {
		if status := tell(token); status != http.StatusBadRequest || !signedIn() {
			t.Errorf("%s: %d, signed in %v", what, status, signedIn())
		}
	}
	if status := tell(p.sign(p.key, "RS256", p.logout(claims{"sid": "another's"}))); status != http.StatusOK || !signedIn() {
		t.Errorf("of another sign-in: %d, signed in %v", status, signedIn())
	}
	for what, about := range map[string]claims{"by sign-in": {"sid": "sid of d-17"}, "by name": {"sub": "d-17"}} {
		if !signedIn() {
			if status, _ := h.visit(p, duarte, "sign-in", "", "d-17"); status != http.StatusOK {
				t.Fatalf("signing in again: %d", status)
			}
		}
		ws := h.openWireOf(duarte)
		token, before := p.sign(p.key, "RS256", p.logout(about)), time.Now()
		if status := tell(token); status != http.StatusOK || signedIn() {
			t.Errorf("%s: %d, signed in %v", what, status, signedIn())
		}
		if _, code := ws.until(isScope); code != 4401 || time.Since(before) > time.Second {
			t.Errorf("%s: her socket: %d after %v", what, code, time.Since(before))
		}
		if status, _ := h.visit(p, duarte, "sign-in", "", "d-17"); status != http.StatusOK || tell(token) != http.StatusBadRequest || !signedIn() {
			t.Errorf("%s: an old token ends the next sign-in, too", what)
		}
	}
	if status, _, _ := h.get(chen, "/"); status != http.StatusOK {
		t.Errorf("a colleague: %d", status)
	}
}

// TestProviderIsAway: this server works without it.
func TestProviderIsAway(t *testing.T) {
	h, p := openWith(t)
	p.Close()
	if status, page := h.post(h.browser(), "/login/provider", url.Values{"for": {"sign-in"}}); status != http.StatusServiceUnavailable || leads.MatchString(page) {
		t.Errorf("to the provider: %d", status)
	}
	h.signIn("chen")
}
