package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/clisonix/tidechart/server/demo"
	"github.com/clisonix/tidechart/server/login"
)

// changePassword fills in the form, and returns where that leads.
func (h *hospital) changePassword(c *http.Client, password, repeat string) (status int, body, to string) {
	h.t.Helper()
	status, body, header := h.submit(c, "/security/password", url.Values{"password": {password}, "repeat": {repeat}})
	return status, body, header.Get("Location")
}

// TestOwnPassword: somebody changes it without anybody's help, after a fresh proof; what else was open under the old one ends
// within a second, and they are told.
func TestOwnPassword(t *testing.T) {
	h := open(t)
	chen, elsewhere := h.signIn("chen"), h.signIn("chen")
	ws := h.openWireOf(elsewhere)
	h.age()
	for _, form := range []url.Values{nil, {"password": {sentence}, "repeat": {sentence}}} {
		status, _, header := h.get(chen, "/security/password")
		if form != nil {
			status, _, header = h.submit(chen, "/security/password", form)
		}
		if to := header.Get("Location"); status != http.StatusSeeOther || to != "/confirm?next=%2Fsecurity%2Fpassword" {
			t.Errorf("later: %d to %q", status, to)
		}
	}
	if status, to := h.confirm(chen, demo.Password, "/security/password"); status != http.StatusSeeOther || to != "/security/password" {
		t.Fatalf("confirming: %d to %q", status, to)
	}
	if status, page, _ := h.get(chen, "/security/password"); status != http.StatusOK || !strings.Contains(page, `minlength="15"`) {
		t.Errorf("the page: %d", status)
	}
	for what, try := range map[string]struct{ password, repeat, says string }{
		"different": {sentence, sentence + ".", "not the same"}, "short": {"gulls", "gulls", "easy to guess"},
		"her name": {"Doctor Mei Chen Chen", "Doctor Mei Chen Chen", "easy to guess"}, "stolen": {"jonasbrothersfan", "jonasbrothersfan", "was stolen"},
	} {
		if status, page, _ := h.changePassword(chen, try.password, try.repeat); status != http.StatusUnprocessableEntity || !strings.Contains(page, try.says) || strings.Contains(page, try.password) {
			t.Errorf("%s: %d, and not %q, or the password is in the page", what, status, try.says)
		}
	}
	if status, _, _ := h.get(elsewhere, "/"); status != http.StatusOK {
		t.Fatalf("what was refused ends another login: %d", status)
	}

	old, before := loginOf(chen, h.at()).Value, time.Now()
	status, _, to := h.changePassword(chen, sentence, sentence)
	if status != http.StatusSeeOther || to != "/security?changed=password" || loginOf(chen, h.at()).Value == old {
		t.Fatalf("changing it: %d to %q, or the cookie is the same", status, to)
	}
	if _, code := ws.until(isScope); code != 4401 || time.Since(before) > time.Second {
		t.Errorf("a socket elsewhere: close code %d after %v, want 4401 within a second", code, time.Since(before))
	}
	if status, page, _ := h.get(chen, to); status != http.StatusOK || !strings.Contains(page, "signed out everywhere else") {
		t.Errorf("she is not told: %d", status)
	}
	if status, _, _ := h.get(elsewhere, "/"); status != http.StatusSeeOther {
		t.Errorf("the other login goes on: %d", status)
	}
	for password, want := range map[string]int{demo.Password: http.StatusUnauthorized, sentence: http.StatusSeeOther} {
		if status, _ := h.try(h.browser(), "chen", password); status != want {
			t.Errorf("signing in afterwards: %d, want %d", status, want)
		}
	}
	if status, _ := h.try(h.browser(), "rivera", demo.Password); status != http.StatusSeeOther {
		t.Errorf("a colleague's password: %d", status)
	}
	changed := h.count(`SELECT count(*) FROM audit_event JOIN person ON person.id = who WHERE act = 'person.sign-in' AND code = 'password' AND username = 'chen'`)
	if strings.Contains(h.log.String(), sentence) || changed != 1 {
		t.Error("the log knows the password, or it is not on record that it was changed")
	}
}

// TestNoPasswordByItself: who signs in by a passkey alone gets no weaker way in there.
func TestNoPasswordByItself(t *testing.T) {
	h := open(t)
	duarte, d := h.browser(), newDevice(t)
	_, s := h.tell(duarte, "/passkeys/enrol/ask", url.Values{"code": {h.newcomer("duarte")}})
	d.handle = base64Of(t, s.Options.PublicKey.User.ID)
	if status, _ := h.finish(duarte, "enrol", d.make(s.Options.PublicKey.Challenge)); status != http.StatusOK {
		t.Fatalf("enrolment: %d", status)
	}
	if status, _, _ := h.changePassword(duarte, sentence, sentence); status != http.StatusNotFound {
		t.Errorf("a password beside it: %d", status)
	}
}

// TestPasskeyNames: their owner calls them something when they are made, and later something else.
func TestPasskeyNames(t *testing.T) {
	h := open(t)
	chen, d := h.signIn("chen"), newDevice(t)
	_, s := h.tell(chen, "/passkeys/add/ask", nil)
	d.handle = base64Of(t, s.Options.PublicKey.User.ID)
	status, _ := h.tell(chen, "/passkeys/add", url.Values{"credential": {d.make(s.Options.PublicKey.Challenge)}, "name": {"  Blue  key "}})
	if _, page, _ := h.get(chen, "/security"); status != http.StatusOK || !strings.Contains(page, "Blue key") || !strings.Contains(page, "Last used") {
		t.Errorf("making one: %d, or its name is not shown", status)
	}
	name := func(c *http.Client, name string) int {
		status, _ := h.post(c, "/security/passkeys/name", url.Values{"id": {plain64(d.id)}, "name": {name}})
		return status
	}
	for what, want := range map[string]int{
		"": http.StatusSeeOther, strings.Repeat("x", 41): http.StatusUnprocessableEntity, "a\x00b": http.StatusUnprocessableEntity,
		"\xff": http.StatusUnprocessableEntity, "Red <b>key</b>": http.StatusSeeOther,
	} {
		if status := name(chen, what); status != want {
			t.Errorf("calling it %q: %d, want %d", what, status, want)
		}
	}
	name(chen, "Red <b>key</b>")
	if _, page, _ := h.get(chen, "/security"); !strings.Contains(page, "Red &lt;b&gt;key") || strings.Contains(page, "<b>key") {
		t.Error("its new name is not shown, or is markup")
	}
	if status := name(h.signIn("okafor"), "mine"); status != http.StatusNotFound {
		t.Errorf("a colleague names it: %d", status)
	}
}

// TestOneWayIsNotEnough: who would be locked out by losing one thing is told so.
func TestOneWayIsNotEnough(t *testing.T) {
	for demand, ways := range map[login.Demand][3]bool{ // with a password; and a passkey; and another
		login.FromNobody: {true, false, false}, login.FromAll: {true, true, false},
	} {
		h := demanding(t, demand)
		c := h.signIn("okafor")
		for i, want := range ways {
			if i > 0 {
				_, s := h.tell(c, "/passkeys/add/ask", nil)
				d := newDevice(t)
				d.handle = base64Of(t, s.Options.PublicKey.User.ID)
				h.finish(c, "add", d.make(s.Options.PublicKey.Challenge))
			} else if demand == login.FromAll {
				continue
			}
			if _, page, _ := h.get(c, "/security"); strings.Contains(page, `id="one-way"`) != want {
				t.Errorf("demand %d, %d passkeys: told %v, want %v", demand, i, !want, want)
			}
		}
	}
}
