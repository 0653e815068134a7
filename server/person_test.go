package server_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/demo"
	"github.com/clisonix/tidechart/server/login"
)

// TestWorkIsChanged on the page: open notes follow within a second, and nobody overwrites what they have not seen.
func TestWorkIsChanged(t *testing.T) {
	h := open(t).work()
	h.sql(`UPDATE note SET kind = 'progress' WHERE id = $1`, h.note)
	novak := h.signIn("novak")
	ws := h.openWire(h.token("okafor"), nil)
	send := func(pairs ...string) (int, string) {
		t.Helper()
		_, page, _ := h.get(novak, h.about("okafor"))
		epoch := regexp.MustCompile(`name="epoch" value="(\d+)"`).FindStringSubmatch(page)
		if epoch == nil {
			t.Fatal("the page has no form")
		}
		sent := form("name", "Dr Daniel Okafor", "role", "resident", "unit", "4-west", "supervisor", "", "epoch", epoch[1])
		for i := 0; i < len(pairs); i += 2 {
			sent.Set(pairs[i], pairs[i+1])
		}
		return h.post(novak, h.about("okafor")+"/work", sent)
	}
	for name, pairs := range map[string][]string{
		"no name": {"name", ""}, "no role": {"role", ""}, "an unknown unit": {"unit", "9-north"}, "under themselves": {"supervisor", "okafor"},
		"under nobody": {"supervisor", "nobody"}, "a program": {"role", "service account"}, "an older page": {"epoch", "999999"}, "no page": {"epoch", ""},
	} {
		if status, _ := send(pairs...); status != 422 {
			t.Errorf("%s: %d", name, status)
		}
	}
	before := time.Now()
	if status, _ := send("role", "pharmacist"); status != 303 {
		t.Fatal(status)
	}
	if m, code := ws.until(isScope); m.Text != "readonly" || time.Since(before) > time.Second {
		t.Errorf("a pharmacist: %q, %d after %v", m.Text, code, time.Since(before))
	}
	before = time.Now()
	if status, _ := send("role", "pharmacist", "unit", "icu"); status != 303 {
		t.Fatal(status)
	}
	if _, code := ws.until(isScope); code != 4403 || time.Since(before) > time.Second {
		t.Errorf("on another unit: %d after %v", code, time.Since(before))
	}
	at := h.about("okafor") + "/shifts"
	for _, hours := range []string{"", "0", "-1", "x", "8785", "99999999999999999999"} {
		if status, _ := h.post(novak, at, form("unit", "4-west", "hours", hours)); status != 422 {
			t.Errorf("a shift of %q hours: %d", hours, status)
		}
	}
	if err := login.CoverUnit(t.Context(), h.db, "okafor", "4-west", time.Now().AddDate(1, 1, 0)); !errors.Is(err, login.ErrPerson) {
		t.Errorf("a shift of 13 months: %v", err)
	}
	if status, _ := h.post(novak, at, form("unit", "9-north", "hours", "1")); status != 422 {
		t.Errorf("a shift nowhere: %d", status)
	}
	if status, _ := h.post(novak, at, form("unit", "4-west", "hours", "1")); status != 303 {
		t.Error(status)
	}
	ws = h.openWire(h.token("okafor"), nil)
	if _, page, _ := h.get(novak, h.about("okafor")); !strings.Contains(page, "End the shift on 4-west") {
		t.Error("the page does not have the shift")
	}
	before = time.Now()
	if status, _ := h.post(novak, at+"/end", form("unit", "4-west")); status != 303 {
		t.Error(status)
	}
	if _, code := ws.until(isScope); code != 4403 || time.Since(before) > time.Second {
		t.Errorf("after the shift: %d after %v", code, time.Since(before))
	}
}

// TestSuspendedOnThePage: all that somebody has open ends within a second, and they are back when they are reinstated.
func TestSuspendedOnThePage(t *testing.T) {
	h := open(t)
	novak, chen := h.signIn("novak"), h.signIn("chen")
	ws, program := h.openWireOf(chen), h.openWire(h.token("chen"), nil)
	before := time.Now()
	if status, _ := h.post(novak, h.about("chen")+"/suspend", nil); status != 303 {
		t.Fatal(status)
	}
	for _, ws := range []*wire{ws, program} {
		if _, code := ws.until(isScope); code != 4401 || time.Since(before) > time.Second {
			t.Errorf("close code %d after %v", code, time.Since(before))
		}
	}
	if status, _, _ := h.get(chen, "/"); status != 303 {
		t.Errorf("her page: %d", status)
	}
	for _, path := range []string{"/invite", "/start-over"} {
		if status, body := h.post(novak, h.about("chen")+path, nil); status != 422 || !strings.Contains(body, "is suspended") {
			t.Errorf("%s of who is suspended: %d", path, status)
		}
	}
	if _, page, _ := h.get(novak, h.about("chen")); !strings.Contains(page, "Reinstate") || !strings.Contains(page, "Suspended") {
		t.Error("the page does not say so")
	}
	if status, _ := h.post(novak, h.about("chen")+"/reinstate", nil); status != 303 {
		t.Error(status)
	}
	h.signIn("chen")
}

// TestLoginsOfOthers: an administrator sees where somebody is signed in, and ends it; nothing of anybody else.
func TestLoginsOfOthers(t *testing.T) {
	h := open(t)
	novak, chen, again, rivera := h.signIn("novak"), h.signIn("chen"), h.signIn("chen"), h.signIn("rivera")
	ws := h.openWireOf(again)
	ids := regexp.MustCompile(`name="id" value="([0-9a-f-]{36})"`)
	_, page, _ := h.get(novak, h.about("chen"))
	listed := ids.FindAllStringSubmatch(page, -1)
	if len(listed) != 2 {
		t.Fatalf("%d logins, want 2", len(listed))
	}
	if status, _ := h.post(novak, h.about("rivera")+"/logins/end", form("id", listed[0][1])); status != 404 {
		t.Errorf("another's login: %d", status)
	}
	before := time.Now()
	for _, id := range listed {
		if status, _ := h.post(novak, h.about("chen")+"/logins/end", form("id", id[1])); status != 303 {
			t.Error(status)
		}
	}
	if _, code := ws.until(isScope); code != 4401 || time.Since(before) > time.Second {
		t.Errorf("close code %d after %v", code, time.Since(before))
	}
	for name, c := range map[string]*http.Client{"chen": chen, "chen again": again} {
		if status, _, _ := h.get(c, "/"); status != 303 {
			t.Errorf("%s: %d", name, status)
		}
	}
	if status, _, _ := h.get(rivera, "/"); status != 200 {
		t.Errorf("somebody else: %d", status)
	}
	for _, id := range []string{"", "none", listed[0][1]} {
		if status, _ := h.post(novak, h.about("chen")+"/logins/end", form("id", id)); status != 404 {
			t.Errorf("login %q: %d", id, status)
		}
	}
}

// TestStartingOver: an administrator sees the ways in which somebody signs in, and ends them all, at once.
func TestStartingOver(t *testing.T) {
	h, _ := openWith(t)
	novak, chen := h.signIn("novak"), h.signIn("chen")
	h.useApp(chen)
	h.add(chen, newDevice(t))
	ws, token := h.openWireOf(chen), h.token("chen")
	_, page, _ := h.get(novak, h.about("chen"))
	for _, want := range []string{"Password, with codes from an app (10 recovery codes left); 1 passkey.", "Passkey made with"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	status, body := h.post(novak, h.about("chen")+"/start-over", nil)
	code := regexp.MustCompile(`[0-9A-Z]{4}(-[0-9A-Z]{4}){3}`).FindString(body)
	if status != 200 || code == "" {
		t.Fatalf("%d, code %q", status, code)
	}
	if _, code := ws.until(isScope); code != 4401 {
		t.Errorf("close code %d", code)
	}
	if status, _, _ := h.api("GET", "/api/v1/notes", token, "", nil); status != 401 {
		t.Errorf("a token: %d", status)
	}
	if status, _, _ := h.submit(h.browser(), "/login", form("username", "chen", "password", demo.Password)); status != 401 {
		t.Errorf("the password: %d", status)
	}
	for _, table := range []string{"totp", "recovery_code", "passkey", "identity", "device", "login"} {
		if n := h.count(fmt.Sprintf(`SELECT count(*) FROM %s JOIN person ON person.id = person_id WHERE username = 'chen'`, table)); n != 0 {
			t.Errorf("%d rows are left in %s", n, table)
		}
	}
	if _, page, _ := h.get(novak, h.about("chen")); !strings.Contains(page, "In no way yet") {
		t.Error("the page says that there is a way")
	}
	if status, _ := h.enrol(h.browser(), code, sentence, sentence); status != 303 {
		t.Errorf("the code: %d", status)
	}
}

// TestTokensOfThePage: an administrator gives a program a token, which is shown once, and takes it back; nobody's is given
// to who would speak for a person.
func TestTokensOfThePage(t *testing.T) {
	h := open(t).work()
	h.program(access.ReadAccesses, "")
	novak, at := h.signIn("novak"), h.about("lab")+"/tokens"
	for name, sent := range map[string]url.Values{
		"no scope": form("label", "x", "unit", "4-west", "days", "90"), "no unit": form("scope", "notes:read", "days", "90"),
		"an unknown scope": form("scope", "notes:delete", "scope", "accesses:read", "days", "90"), "for ever": form("scope", "accesses:read", "days", "366"),
		"no days": form("scope", "accesses:read"), "negative days": form("scope", "accesses:read", "days", "-1"),
		"many days": form("scope", "accesses:read", "days", "106752"), "no text": form("scope", "accesses:read", "days", "1", "label", "\x00"),
	} {
		if status, body := h.post(novak, at, sent); status != 422 || !strings.Contains(body, "person-error") || strings.Contains(body, "tide_") {
			t.Errorf("%s: %d", name, status)
		}
	}
	if status, body := h.post(novak, h.about("chen")+"/tokens", form("days", "30")); status != 422 || strings.Contains(body, "tide_") {
		t.Errorf("a person's: %d", status)
	}
	status, body := h.post(novak, at, form("label", "Results of the night", "scope", "notes:read", "scope", "notes:write", "unit", "4-west", "days", "7"))
	token := regexp.MustCompile(`tide_[0-9A-Za-z]{49}`).FindString(body)
	if status != 200 || token == "" {
		t.Fatal(status)
	}
	if status, _, _ := h.api("GET", "/api/v1/notes/"+h.note.String(), token, "", nil); status != 200 {
		t.Errorf("the token: %d", status)
	}
	_, page, _ := h.get(novak, h.about("lab"))
	for _, want := range []string{"Results of the night", "notes:read, notes:write", "4-west", "Petra Novak", "accesses:read", "the operator", "never"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(page, "tide_") || strings.Contains(h.log.String(), token) {
		t.Error("it is shown again, or logged")
	}
	ws := h.openWire(token, nil)
	all, err := login.Tokens(t.Context(), h.db, "lab")
	if err != nil || len(all) != 2 {
		t.Fatal(all, err)
	}
	if status, _ := h.post(novak, h.about("chen")+"/tokens/revoke", form("id", all[0].ID.String())); status != 404 {
		t.Errorf("as another's: %d", status)
	}
	before := time.Now()
	if status, _ := h.post(novak, at+"/revoke", form("id", all[0].ID.String())); status != 303 {
		t.Fatal(status)
	}
	if _, code := ws.until(isScope); code != 4401 || time.Since(before) > time.Second {
		t.Errorf("close code %d after %v", code, time.Since(before))
	}
	if status, _, _ := h.api("GET", "/api/v1/notes", token, "", nil); status != 401 {
		t.Errorf("afterwards: %d", status)
	}
}
