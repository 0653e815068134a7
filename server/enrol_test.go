package server_test

import (
	"errors"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/demo"
	"github.com/clisonix/tidechart/server/login"
)

// browser returns one without a login.
func (h *hospital) browser() *http.Client {
	h.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// post sends a form.
func (h *hospital) post(c *http.Client, path string, form url.Values) (int, string) {
	h.t.Helper()
	status, body, _ := h.submit(c, path, form)
	return status, body
}

func (h *hospital) enrol(c *http.Client, code, password, repeat string) (int, string) {
	h.t.Helper()
	return h.post(c, "/enrol", url.Values{"code": {code}, "password": {password}, "repeat": {repeat}})
}

// newcomer adds a nurse and returns the code that she is given.
func (h *hospital) newcomer(username string) string {
	h.t.Helper()
	name, role, unit := "Ines Duarte RN", "nurse", "4-west"
	if _, err := login.Add(h.t.Context(), h.db, username, login.Change{Name: &name, Role: &role, Unit: &unit}); err != nil {
		h.t.Fatal(err)
	}
	return h.invite(username)
}

// invite returns the code that somebody is given.
func (h *hospital) invite(username string) string {
	h.t.Helper()
	i, err := login.Invite(h.t.Context(), h.db, username)
	if err != nil {
		h.t.Fatal(err)
	}
	return i.Code
}

const sentence = "seven grey gulls at low tide"

// TestEnrolment: whoever was invited chooses a password, once, and works with it.
func TestEnrolment(t *testing.T) {
	h := open(t)
	code := h.newcomer("duarte")
	if status, _ := h.post(h.browser(), "/login", url.Values{"username": {"duarte"}, "password": {""}}); status != http.StatusUnauthorized {
		t.Errorf("without a password she signs in: %d", status)
	}
	for what, try := range map[string]struct{ code, password, repeat, says string }{
		"a wrong code":    {"0000-0000-0000-0000", sentence, sentence, "does not work"},
		"no code":         {"", sentence, sentence, "does not work"},
		"different":       {code, sentence, sentence + ".", "not the same"},
		"short":           {code, "gulls at tide", "gulls at tide", "easy to guess"},
		"one key":         {code, strings.Repeat("a", 40), strings.Repeat("a", 40), "easy to guess"},
		"her name":        {code, "Ines Duarte Duarte Ines", "Ines Duarte Duarte Ines", "easy to guess"},
		"what all say":    {code, "Hospital Patient Notes", "Hospital Patient Notes", "easy to guess"},
		"a stolen one":    {code, "ILoveTokioHotel2026", "ILoveTokioHotel2026", "was stolen"},
		"not UTF-8":       {code, sentence + "\xff", sentence + "\xff", "easy to guess"},
		"a long password": {code, strings.Repeat(sentence, 100), strings.Repeat(sentence, 100), "easy to guess"},
	} {
		status, body := h.enrol(h.browser(), try.code, try.password, try.repeat)
		if status != http.StatusUnprocessableEntity || !strings.Contains(body, try.says) || strings.Contains(body, try.password) {
			t.Errorf("%s: %d, and not %q, or the password is in the page", what, status, try.says)
		}
	}

	duarte := h.browser()
	if status, _ := h.enrol(duarte, " "+strings.ToLower(strings.ReplaceAll(code, "-", " ")), sentence, sentence); status != http.StatusSeeOther {
		t.Fatalf("the code, as she typed it: %d", status)
	}
	if status, body, _ := h.get(duarte, "/"); status != http.StatusOK || !strings.Contains(body, "Ines Duarte RN") {
		t.Errorf("her worklist: %d", status)
	}
	if status, _ := h.enrol(h.browser(), code, sentence, sentence); status != http.StatusUnprocessableEntity {
		t.Errorf("the code works twice: %d", status)
	}
	if strings.Contains(h.log.String(), code) || strings.Contains(h.log.String(), sentence) {
		t.Error("the log knows her code or her password")
	}
}

// TestForgottenPassword: a new password ends what the old one had begun, and a new code the one before.
func TestForgottenPassword(t *testing.T) {
	h := open(t)
	chen := h.signIn("chen")
	first, second := h.invite("chen"), h.invite("chen")
	if status, _ := h.enrol(h.browser(), first, sentence, sentence); status != http.StatusUnprocessableEntity {
		t.Errorf("the first code still works: %d", status)
	}
	if status, _, _ := h.get(chen, "/"); status != http.StatusOK {
		t.Errorf("an invitation alone ends a login: %d", status)
	}
	if status, _ := h.enrol(h.browser(), second, sentence, sentence); status != http.StatusSeeOther {
		t.Fatalf("the second code: %d", status)
	}
	if status, _, _ := h.get(chen, "/"); status != http.StatusSeeOther {
		t.Errorf("the login before goes on: %d", status)
	}
	for password, want := range map[string]int{demo.Password: http.StatusUnauthorized, sentence: http.StatusSeeOther} {
		if status, _ := h.post(h.browser(), "/login", url.Values{"username": {"chen"}, "password": {password}}); status != want {
			t.Errorf("signing in afterwards: %d, want %d", status, want)
		}
	}
}

// TestInvitationsExpire, and those of suspended people.
func TestInvitationsExpire(t *testing.T) {
	h := open(t)
	late, gone := h.newcomer("late"), h.newcomer("gone")
	if left := h.count(`SELECT ceil(extract(epoch FROM max(expires_at - now())) / 3600)::int FROM invitation`); left != 72 {
		t.Errorf("an invitation is good for %d hours, want 72", left)
	}
	h.sql("UPDATE invitation SET expires_at = now() - interval '1 second' WHERE person_id = (SELECT id FROM person WHERE username = 'late')")
	yes := true
	if _, err := login.Alter(t.Context(), h.db, uuid.Nil, "gone", login.Change{Suspended: &yes}); err != nil {
		t.Fatal(err)
	}
	for _, code := range []string{late, gone} {
		if status, _ := h.enrol(h.browser(), code, sentence, sentence); status != http.StatusUnprocessableEntity {
			t.Errorf("the code still works: %d", status)
		}
	}
}

// TestSuspensionEndsAll: nothing that somebody had works again when they are back, but for their password.
func TestSuspensionEndsAll(t *testing.T) {
	h := open(t)
	chen := h.signIn("chen")
	token, err := login.IssueToken(t.Context(), h.db, login.NewToken{Username: "chen"})
	if err != nil {
		t.Fatal(err)
	}
	for _, suspended := range []bool{true, false} {
		if _, err := login.Alter(t.Context(), h.db, uuid.Nil, "chen", login.Change{Suspended: &suspended}); err != nil {
			t.Fatal(err)
		}
		if status, _, _ := h.get(chen, "/"); status != http.StatusSeeOther {
			t.Errorf("suspended %v: the login works: %d", suspended, status)
		}
		if status, _, _ := h.api(http.MethodGet, "/api/v1/notes/"+h.note.String(), token, "", nil); status != http.StatusUnauthorized {
			t.Errorf("suspended %v: the token works: %d", suspended, status)
		}
	}
	h.signIn("chen")
}

// TestPeopleAreChecked before they are stored.
func TestPeopleAreChecked(t *testing.T) {
	h := open(t)
	name, role, janitor := "Ines Duarte RN", "nurse", "janitor"
	text := func(s string) *string { return &s }
	for what, try := range map[string]struct {
		username string
		change   login.Change
	}{
		"no username":      {"", login.Change{Name: &name, Role: &role}},
		"a long username":  {strings.Repeat("x", 65), login.Change{Name: &name, Role: &role}},
		"capitals":         {"Duarte", login.Change{Name: &name, Role: &role}},
		"somebody's":       {"chen", login.Change{Name: &name, Role: &role}},
		"no name":          {"duarte", login.Change{Name: text(" "), Role: &role}},
		"a long name":      {"duarte", login.Change{Name: text(strings.Repeat("x", 101)), Role: &role}},
		"no role":          {"duarte", login.Change{Name: &name}},
		"an unknown role":  {"duarte", login.Change{Name: &name, Role: &janitor}},
		"an unknown unit":  {"duarte", login.Change{Name: &name, Role: &role, Unit: text("9-north")}},
		"a name not UTF-8": {"duarte", login.Change{Name: text("\xff"), Role: &role}},
	} {
		if _, err := login.Add(t.Context(), h.db, try.username, try.change); !errors.Is(err, login.ErrPerson) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := login.Invite(t.Context(), h.db, "nobody"); !errors.Is(err, login.ErrPerson) {
		t.Errorf("nobody is invited: %v", err)
	}
	if _, err := login.Alter(t.Context(), h.db, uuid.Nil, "nobody", login.Change{Name: &name}); !errors.Is(err, login.ErrPerson) {
		t.Errorf("nobody is changed: %v", err)
	}
}
