package server_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// TestPasskeys: somebody adds two, signs in and confirms with them, and removes them but for the last way in.
func TestPasskeys(t *testing.T) {
	h := open(t)
	first, second := newDevice(t), newDevice(t)
	code := h.newcomer("duarte")
	duarte := h.browser()
	if status, s := h.tell(h.browser(), "/passkeys/enrol/ask", url.Values{"code": {"0000-0000-0000-0000"}}); status != http.StatusUnprocessableEntity || !strings.Contains(s.Error, "does not work") {
		t.Errorf("a wrong code: %d %q", status, s.Error)
	}
	_, s := h.tell(duarte, "/passkeys/enrol/ask", url.Values{"code": {code}})
	if o := s.Options.PublicKey; o.AuthenticatorSelection.ResidentKey != "required" || o.AuthenticatorSelection.UserVerification != "required" {
		t.Errorf("enrolment asks for %+v", o)
	}
	first.handle = base64Of(t, s.Options.PublicKey.User.ID)
	if status, next := h.finish(duarte, "enrol", first.make(s.Options.PublicKey.Challenge)); status != http.StatusOK || next != "/security" {
		t.Fatalf("enrolment: %d to %q", status, next)
	}
	if status, _, _ := h.get(duarte, "/"); status != http.StatusOK {
		t.Errorf("her worklist: %d", status)
	}
	if status, _ := h.tell(h.browser(), "/passkeys/enrol/ask", url.Values{"code": {code}}); status != http.StatusUnprocessableEntity {
		t.Errorf("the code works twice: %d", status)
	}
	if status, _ := h.try(h.browser(), "duarte", ""); status != http.StatusUnauthorized {
		t.Errorf("without a password she signs in with one: %d", status)
	}

	if status, page := h.post(duarte, "/security/passkeys/remove", url.Values{"id": {plain64(first.id)}}); status != http.StatusConflict || !strings.Contains(page, "last way") {
		t.Errorf("removing the last way in: %d", status)
	}
	h.add(duarte, second)
	if status, _ := h.tell(duarte, "/passkeys/add", url.Values{"credential": {second.make("x")}}); status != http.StatusUnprocessableEntity {
		t.Errorf("adding without being asked: %d", status)
	}
	_, s = h.tell(h.browser(), "/passkeys/sign-in/ask", nil)
	if o := s.Options.PublicKey; len(o.AllowCredentials) > 0 || o.UserVerification != "required" {
		t.Errorf("signing in names somebody, or does not ask who it is: %+v", o)
	}
	for _, d := range []*device{first, second, first} {
		if status := h.signInBy(h.browser(), d); status != http.StatusOK {
			t.Errorf("signing in: %d", status)
		}
	}

	h.sql(`UPDATE login SET proven_at = now() - interval '5 minutes'`)
	if status, _ := h.post(duarte, "/security/passkeys/remove", url.Values{"id": {plain64(first.id)}}); status != http.StatusSeeOther || h.signInBy(h.browser(), first) != http.StatusOK {
		t.Errorf("removing one, later: %d", status)
	}
	if status, s := h.tell(duarte, "/passkeys/add/ask", nil); status != http.StatusForbidden || s.Next != "/confirm?next=%2Fsecurity" {
		t.Errorf("adding one, later: %d to %q", status, s.Next)
	}
	old := loginOf(duarte, h.at()).Value
	second.count++
	if status, next := h.finish(duarte, "confirm", second.use(h.ask(duarte, "confirm"))); status != http.StatusOK || next != "/security" || loginOf(duarte, h.at()).Value == old {
		t.Errorf("confirming: %d to %q, or the cookie is the same", status, next)
	}
	for what, want := range map[string]int{plain64([]byte("none")): http.StatusNotFound, "%": http.StatusNotFound} {
		if status, _ := h.post(duarte, "/security/passkeys/remove", url.Values{"id": {what}}); status != want {
			t.Errorf("removing %q: %d", what, status)
		}
	}
	if status, _ := h.post(h.signIn("chen"), "/security/passkeys/remove", url.Values{"id": {plain64(first.id)}}); status != http.StatusNotFound {
		t.Errorf("a colleague removes it: %d", status)
	}
	if status, _ := h.post(duarte, "/security/passkeys/remove", url.Values{"id": {plain64(first.id)}}); status != http.StatusSeeOther {
		t.Errorf("removing one: %d", status)
	}
	if status := h.signInBy(h.browser(), first); status != http.StatusUnauthorized {
		t.Errorf("signing in with what was removed: %d", status)
	}

	if status, _ := h.enrol(h.browser(), h.invite("duarte"), sentence, sentence); status != http.StatusSeeOther {
		t.Fatalf("a new start: %d", status)
	}
	if status := h.signInBy(h.browser(), second); status != http.StatusUnauthorized {
		t.Errorf("signing in with what was before: %d", status)
	}
}

// TestPasskeysOfOthers: what is not exactly the answer to what this browser was asked, by a passkey of this site, is refused.
func TestPasskeysOfOthers(t *testing.T) {
	h := open(t)
	chen := h.signIn("chen")
	honest := newDevice(t)
	honest.count = 7
	h.add(chen, honest)
	okafor := newDevice(t)
	h.add(h.signIn("okafor"), okafor)
	for what, lie := range map[string]func(d *device){
		"another origin":           func(d *device) { d.origin = "https://notes.example.evil.example" },
		"another port":             func(d *device) { d.origin = "https://notes.example:8443" },
		"without TLS":              func(d *device) { d.origin = "http://notes.example" },
		"another site":             func(d *device) { d.site = "evil.example" },
		"nobody looked":            func(d *device) { d.flags = present },
		"nobody was there":         func(d *device) { d.flags = verified },
		"a copy":                   func(d *device) { d.count = 6 },
		"another's key":            func(d *device) { d.key = okafor.key },
		"another's name":           func(d *device) { d.handle = okafor.handle },
		"nobody's name":            func(d *device) { d.handle = []byte("nobody") },
		"a key never seen":         func(d *device) { d.id = []byte("never seen") },
		"could suddenly be copied": func(d *device) { d.flags |= mayCopy },
		"copied, though it cannot": func(d *device) { d.flags |= copied },
	} {
		d, browser := *honest, h.browser()
		d.count++
		lie(&d)
		challenge := h.ask(browser, "sign-in")
		if status, _ := h.finish(browser, "sign-in", d.use(challenge)); status != http.StatusUnauthorized {
			t.Errorf("%s: %d", what, status)
		}
		if status, _, _ := h.get(browser, "/"); status != http.StatusSeeOther {
			t.Errorf("%s: somebody is signed in", what)
		}
		if what == "a copy" || what == "another's key" || what == "another's name" || what == "nobody's name" || what == "a key never seen" || strings.Contains(what, "cop") {
			continue
		}
		d.id = []byte("new " + what)
		challenge = h.ask(chen, "add")
		if status, _ := h.finish(chen, "add", d.make(challenge)); status != http.StatusUnauthorized {
			t.Errorf("adding, %s: %d", what, status)
		}
	}
	taken := newDevice(t)
	taken.id = honest.id
	rivera := h.signIn("rivera")
	if status, _ := h.finish(rivera, "add", taken.make(h.ask(rivera, "add"))); status != http.StatusUnauthorized {
		t.Errorf("adding under the name of another's: %d", status)
	}
	for what, answer := range map[string]string{"nothing": "", "no JSON": "{", "an empty object": "{}", "much": strings.Repeat("x", 15<<10)} {
		browser := h.browser()
		h.ask(browser, "sign-in")
		if status, _ := h.finish(browser, "sign-in", answer); status != http.StatusUnauthorized {
			t.Errorf("%s: %d", what, status)
		}
	}
	if status := h.signInBy(h.browser(), honest); status != http.StatusOK {
		t.Errorf("the honest device, afterwards: %d", status)
	}
}

// TestChallenges are answered once, soon, by the browser that was asked, for what it was asked.
func TestChallenges(t *testing.T) {
	h := open(t)
	chen, d := h.signIn("chen"), newDevice(t)
	h.add(chen, d)
	asked := h.browser()
	d.count++
	answer := d.use(h.ask(asked, "sign-in"))
	if status, _ := h.finish(h.browser(), "sign-in", answer); status != http.StatusUnprocessableEntity {
		t.Errorf("from a browser that was not asked: %d", status)
	}
	other := h.browser()
	h.ask(other, "sign-in")
	if status, _ := h.finish(other, "sign-in", answer); status != http.StatusUnauthorized {
		t.Errorf("from a browser that was asked something else: %d", status)
	}
	cookies := asked.Jar.Cookies(h.at())
	if status, _ := h.finish(asked, "sign-in", answer); status != http.StatusOK {
		t.Errorf("from the one that was asked: %d", status)
	}
	replay := h.browser()
	replay.Jar.SetCookies(h.at(), cookies)
	if status, _ := h.finish(replay, "sign-in", answer); status != http.StatusUnprocessableEntity {
		t.Errorf("again, by whoever copied all of it: %d", status)
	}
	d.count++
	answer = d.use(h.ask(asked, "sign-in"))
	h.sql(`UPDATE ceremony SET expires_at = now()`)
	if status, _ := h.finish(asked, "sign-in", answer); status != http.StatusUnprocessableEntity {
		t.Errorf("too late: %d", status)
	}
	d.count++
	if status, _ := h.finish(chen, "confirm", d.use(h.ask(chen, "sign-in"))); status != http.StatusUnprocessableEntity {
		t.Errorf("for something else: %d", status)
	}
	d.count++
	if status, _ := h.finish(chen, "confirm", d.use(h.ask(chen, "add"))); status != http.StatusUnprocessableEntity {
		t.Errorf("for something else of her own: %d", status)
	}
	challenge, rivera := h.ask(chen, "confirm"), h.signIn("rivera")
	rivera.Jar.SetCookies(h.at(), ceremonyOf(chen.Jar.Cookies(h.at())))
	d.count++
	if status, _ := h.finish(rivera, "confirm", d.use(challenge)); status != http.StatusUnprocessableEntity {
		t.Errorf("in another's login: %d", status)
	}
	if status, s := h.tell(rivera, "/passkeys/confirm/ask", nil); status != http.StatusUnauthorized {
		t.Errorf("confirming without a passkey: %d %+v", status, s)
	}
	if status, s := h.tell(h.browser(), "/passkeys/confirm/ask", nil); status != http.StatusUnauthorized || s.Next != "/login" {
		t.Errorf("confirming as nobody: %d to %q", status, s.Next)
	}
}

// TestPasskeysAtOnce: of two that use one with the same count, one gets in; of two removals of the last two, one happens.
func TestPasskeysAtOnce(t *testing.T) {
	h := open(t)
	chen, a, b := h.signIn("chen"), newDevice(t), newDevice(t)
	h.add(chen, a)
	h.add(chen, b)
	a.count++
	results := make(chan int)
	together := h.meetAt("passkey")
	for range 2 {
		browser := h.browser()
		answer := a.use(h.ask(browser, "sign-in"))
		go func() {
			status, _ := h.finish(browser, "sign-in", answer)
			results <- status
		}()
	}
	together(2)
	if got := <-results + <-results; got != http.StatusOK+http.StatusUnauthorized {
		t.Errorf("two with the same count: statuses add up to %d", got)
	}
	h.sql(`UPDATE person SET password_hash = NULL`)
	together = h.meetAt("passkey")
	for _, d := range []*device{a, b} {
		go func() {
			status, _ := h.post(chen, "/security/passkeys/remove", url.Values{"id": {plain64(d.id)}})
			results <- status
		}()
	}
	together(2)
	if got := <-results + <-results; got != http.StatusSeeOther+http.StatusConflict {
		t.Errorf("two removals: statuses add up to %d", got)
	}
}

// meetAt keeps whoever writes a table waiting, until so many wait for that or for each other.
func (h *hospital) meetAt(table string) (together func(n int)) {
	h.t.Helper()
	ctx := h.t.Context()
	conn, err := pgx.Connect(ctx, h.url)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = conn.Close(context.Background()) })
	if _, err := conn.Exec(ctx, "BEGIN; LOCK TABLE "+table+" IN SHARE MODE"); err != nil {
		h.t.Fatal(err)
	}
	return func(n int) {
		h.t.Helper()
		ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
		defer cancel()
		for waiting := 0; waiting < n; {
			err := conn.QueryRow(ctx, `SELECT count(*), pg_stat_clear_snapshot() IS NULL, pg_sleep(0.01) IS NULL
				FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&waiting, nil, nil)
			if err != nil {
				h.t.Fatal(err)
			}
		}
		if _, err := conn.Exec(ctx, "COMMIT"); err != nil {
			h.t.Fatal(err)
		}
	}
}

// ceremonyOf picks the cookie by which a browser is known that was asked something.
func ceremonyOf(cookies []*http.Cookie) []*http.Cookie {
	for _, c := range cookies {
		if strings.HasSuffix(c.Name, "-ceremony") {
			return []*http.Cookie{c}
		}
	}
	return nil
}
