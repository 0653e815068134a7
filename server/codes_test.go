package server_test

import (
	"cmp"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/clisonix/tidechart/internal/needs"
	"github.com/clisonix/tidechart/server/demo"
)

var (
	shownSecret   = regexp.MustCompile(`id="secret">([A-Z2-7 ]+)<`)
	shownRecovery = regexp.MustCompile(`<li><code>([0-9A-Z-]{19})</code>`)
	nonces        = regexp.MustCompile(` nonce="[^"]+"`) // of each answer another
)

// codeOf is what an app with that secret shows, so many steps from now.
func (h *hospital) codeOf(secret string, steps int) string {
	h.t.Helper()
	code, err := totp.GenerateCode(secret, time.Now().Add(time.Duration(steps)*30*time.Second))
	if err != nil {
		h.t.Fatal(err)
	}
	return code
}

// useApp sets up an app for codes, and returns its secret, and recovery codes. No step of it counts as used.
func (h *hospital) useApp(c *http.Client) (secret string, recovery []string) {
	h.t.Helper()
	if status, _ := h.post(c, "/security/codes", nil); status != http.StatusSeeOther {
		h.t.Fatalf("beginning with an app: %d", status)
	}
	_, page, _ := h.get(c, "/security/codes")
	shown := shownSecret.FindStringSubmatch(page)
	if shown == nil || !strings.Contains(page, "otpauth://totp/Tidechart:") {
		h.t.Fatalf("no secret is shown: %.2000s", page)
	}
	secret = strings.ReplaceAll(shown[1], " ", "")
	status, page := h.post(c, "/security/codes/accept", url.Values{"code": {h.codeOf(secret, 0)}})
	for _, m := range shownRecovery.FindAllStringSubmatch(page, -1) {
		recovery = append(recovery, m[1])
	}
	if status != http.StatusOK || len(recovery) != 10 {
		h.t.Fatalf("the first code: %d, recovery codes %v", status, recovery)
	}
	h.sql(`UPDATE totp SET step = 0`)
	return secret, recovery
}

// signInWith signs in with a code.
func (h *hospital) signInWith(c *http.Client, username, password, code string) (int, string) {
	h.t.Helper()
	return h.post(c, "/login", url.Values{"username": {username}, "password": {password}, "code": {code}})
}

// TestCodes: whoever has an app needs a code of it, each once; what is wrong nobody learns.
func TestCodes(t *testing.T) {
	h := open(t)
	chen := h.signIn("chen")
	h.post(chen, "/security/codes", nil)
	if status, page := h.post(chen, "/security/codes/accept", url.Values{"code": {"000000"}}); status != http.StatusUnprocessableEntity || !strings.Contains(page, "otpauth://") {
		t.Errorf("a wrong first code: %d", status)
	}
	if status, _ := h.signInWith(h.browser(), "chen", demo.Password, ""); status != http.StatusSeeOther {
		t.Errorf("an app that was never accepted is asked for: %d", status)
	}
	secret, recovery := h.useApp(chen)
	for _, path := range []string{"/security", "/security/codes"} {
		if _, page, _ := h.get(chen, path); strings.Contains(page, secret[:4]+" "+secret[4:8]) || strings.Contains(page, recovery[0]) {
			t.Errorf("%s shows the secret, or a recovery code, again", path)
		}
	}

	var first string
	for what, try := range map[string][3]string{
		"no code": {"chen", demo.Password, ""}, "a wrong code": {"chen", demo.Password, "000000"}, "no word": {"chen", demo.Password, "🌊"},
		"two steps old": {"chen", demo.Password, h.codeOf(secret, -2)}, "not yet": {"chen", demo.Password, h.codeOf(secret, 3)},
		"a wrong password": {"chen", "guess", h.codeOf(secret, 0)}, "nobody": {"chef", demo.Password, ""},
	} {
		status, page := h.signInWith(h.browser(), try[0], try[1], try[2])
		page = nonces.ReplaceAllString(strings.ReplaceAll(page, "chef", "chen"), "")
		if first = cmp.Or(first, page); status != http.StatusUnauthorized || page != first {
			t.Errorf("%s: %d, or another page than for the rest", what, status)
		}
	}

	code := h.codeOf(secret, 0)
	if status, _ := h.signInWith(h.browser(), "chen", demo.Password, " "+code[:3]+" "+code[3:]); status != http.StatusSeeOther {
		t.Errorf("the right code, with the app's space: %d", status)
	}
	for what, used := range map[string]string{"the same": code, "an earlier one": h.codeOf(secret, -1)} {
		if status, _ := h.signInWith(h.browser(), "chen", demo.Password, used); status != http.StatusUnauthorized {
			t.Errorf("%s again: %d", what, status)
		}
	}
	for i, want := range []int{http.StatusSeeOther, http.StatusUnauthorized} {
		if status, _ := h.signInWith(h.browser(), "chen", demo.Password, strings.ToLower(recovery[0])); status != want {
			t.Errorf("a recovery code, time %d: %d", i, status)
		}
	}
	if _, page, _ := h.get(chen, "/security"); !strings.Contains(page, "9 recovery codes are left") {
		t.Error("the page does not say that a recovery code is used up")
	}
	if _, page := h.post(chen, "/security/recovery", nil); len(shownRecovery.FindAllString(page, -1)) != 10 {
		t.Error("no new recovery codes")
	}
	if status, _ := h.signInWith(h.browser(), "chen", demo.Password, recovery[1]); status != http.StatusUnauthorized {
		t.Errorf("one of the old recovery codes: %d", status)
	}
	if log := h.log.String(); strings.Contains(log, secret) || strings.Contains(log, recovery[0]) || strings.Contains(log, code) {
		t.Error("the log knows a secret")
	}
}

// TestCodesAtOnce: of several that show the same code at the same time, one gets in.
func TestCodesAtOnce(t *testing.T) {
	h := open(t)
	secret, _ := h.useApp(h.signIn("chen"))
	code, in := h.codeOf(secret, 0), make(chan bool)
	for range 4 {
		browser := h.browser()
		go func() {
			r, err := browser.PostForm(h.URL+"/login", url.Values{"username": {"chen"}, "password": {demo.Password}, "code": {code}})
			if err == nil {
				_ = r.Body.Close()
			}
			in <- err == nil && r.StatusCode == http.StatusSeeOther
		}()
	}
	n := 0
	for range 4 {
		if <-in {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d of 4 got in with one code", n)
	}
}

// TestCodesAreNotGuessed by whoever knows the password, which locks nobody out of a browser of theirs.
func TestCodesAreNotGuessed(t *testing.T) {
	h := open(t)
	hers := h.signIn("chen")
	secret, _ := h.useApp(hers)
	for range 10 {
		h.signInWith(h.browser(), "chen", demo.Password, "000000")
	}
	if status, _ := h.signInWith(h.browser(), "chen", demo.Password, h.codeOf(secret, 0)); status != http.StatusTooManyRequests {
		t.Errorf("one more guess: %d", status)
	}
	if status, _ := h.signInWith(hers, "chen", demo.Password, h.codeOf(secret, 0)); status != http.StatusSeeOther {
		t.Errorf("her own browser: %d", status)
	}
}

// TestStepUp: what changes how somebody signs in is for who has just proven that it is them, and so is coming back from there.
func TestStepUp(t *testing.T) {
	h := open(t)
	chen := h.signIn("chen")
	h.sql(`UPDATE login SET proven_at = now() - interval '5 minutes'`)
	if status, _, header := h.get(chen, "/security/codes"); status != http.StatusSeeOther || header.Get("Location") != "/confirm?next=%2Fsecurity" {
		t.Errorf("looking, later: %d to %s", status, header.Get("Location"))
	}
	for _, path := range []string{"/security/codes", "/security/codes/accept", "/security/codes/stop", "/security/recovery"} {
		r, err := chen.PostForm(h.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = r.Body.Close()
		if to := r.Header.Get("Location"); r.StatusCode != http.StatusSeeOther || to != "/confirm?next=%2Fsecurity" {
			t.Errorf("%s, later: %d to %s", path, r.StatusCode, to)
		}
	}
	if status, page, _ := h.get(chen, "/confirm?next=%2Fsecurity"); status != http.StatusOK || !strings.Contains(page, `name="next" value="/security"`) {
		t.Errorf("the page to confirm: %d", status)
	}
	if status, to := h.confirm(chen, demo.Password, "/security"); status != http.StatusSeeOther || to != "/security" {
		t.Errorf("confirming: %d to %s", status, to)
	}
	secret, _ := h.useApp(chen)
	h.sql(`UPDATE login SET proven_at = now() - interval '5 minutes'`)
	if status, _ := h.confirm(chen, demo.Password, "/security"); status != http.StatusUnauthorized {
		t.Errorf("the password without a code: %d", status)
	}
	if status, _ := h.post(chen, "/confirm", url.Values{"password": {demo.Password}, "code": {h.codeOf(secret, 0)}}); status != http.StatusSeeOther {
		t.Errorf("with a code: %d", status)
	}
	if status, _ := h.post(chen, "/security/codes/stop", nil); status != http.StatusSeeOther {
		t.Errorf("stopping: %d", status)
	}
	if status, _ := h.signInWith(h.browser(), "chen", demo.Password, ""); status != http.StatusSeeOther {
		t.Errorf("without codes again: %d", status)
	}
}

// TestInvitationEndsCodes: whoever lost their app is invited anew.
func TestInvitationEndsCodes(t *testing.T) {
	h := open(t)
	_, recovery := h.useApp(h.signIn("chen"))
	if status, _ := h.enrol(h.browser(), h.invite("chen"), sentence, sentence); status != http.StatusSeeOther {
		t.Fatalf("enrolment: %d", status)
	}
	if status, _ := h.signInWith(h.browser(), "chen", sentence, ""); status != http.StatusSeeOther {
		t.Errorf("the new password: %d", status)
	}
	secret, _ := h.useApp(h.browserOf("chen", sentence))
	if status, _ := h.signInWith(h.browser(), "chen", sentence, recovery[0]); status != http.StatusUnauthorized {
		t.Errorf("a recovery code of the app before: %d", status)
	}
	if status, _ := h.signInWith(h.browser(), "chen", sentence, h.codeOf(secret, 0)); status != http.StatusSeeOther {
		t.Errorf("a code: %d", status)
	}
}

// browserOf signs in with a password.
func (h *hospital) browserOf(username, password string) *http.Client {
	h.t.Helper()
	c := h.browser()
	if status, _ := h.try(c, username, password); status != http.StatusSeeOther {
		h.t.Fatalf("sign in as %s: %d", username, status)
	}
	return c
}

// TestNamesAreLookedUpAlike: from a browser that somebody has used before, too, a name that does not exist is asked about as one
// that does.
func TestNamesAreLookedUpAlike(t *testing.T) {
	h := open(t)
	used := h.signIn("rivera")
	lock, err := h.connect().Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lock.Exec(t.Context(), `LOCK TABLE device IN ACCESS EXCLUSIVE MODE`); err != nil {
		t.Fatal(err)
	}
	answers := make(chan int)
	for _, name := range []string{"chen", "nobody"} {
		go func() {
			status, _ := h.try(used, name, "a wrong password")
			answers <- status
		}()
	}
	for waiting, late := 0, time.Now().Add(8*time.Second); waiting < 2; {
		if err := lock.QueryRow(t.Context(), `SELECT count(*), pg_sleep(0.01) IS NULL FROM pg_locks WHERE NOT granted AND relation = 'device'::regclass`).Scan(&waiting, nil); err != nil {
			t.Fatal(err)
		}
		if time.Now().After(late) {
			t.Errorf("%d of 2 names wait to be asked about", waiting)
			break
		}
	}
	if err := lock.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if status := <-answers; status != http.StatusUnauthorized {
			t.Errorf("a wrong password: %d", status)
		}
	}
}

// TestTimeTellsNoNames: a sign-in under a name that does not exist takes as long as one under a name that does.
func TestTimeTellsNoNames(t *testing.T) {
	if needs.Raced {
		t.Skip("measures how long a hash takes, and the race detector has cheap ones; make test does, without it")
	}
	h := open(t)
	somebody, nobody := time.Hour, time.Hour
	for range 8 { // in turns: the machine may have other work for a while
		for name, least := range map[string]*time.Duration{"chen": &somebody, "nobody": &nobody} {
			before := time.Now()
			h.try(h.browser(), name, "a wrong password")
			*least = min(*least, time.Since(before))
		}
	}
	if ratio := float64(nobody) / float64(somebody); ratio < 0.6 || ratio > 1.6 {
		t.Errorf("a sign-in of nobody takes %v, of somebody %v", nobody, somebody)
	}
}
