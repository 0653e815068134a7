package e2e

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestAdministration: an administrator adds a nurse, whose code she hands over; changes her role while she types, and sends
// her away; and gives a program a token, which works until it is revoked. Everything is done by keyboard and forms.
func TestAdministration(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	note := s.newNote(t, s.token(t, "chen"))
	novak := signedIn(t, s, "novak")

	novak.submit(`nav a[href="/admin/people"]`)
	novak.pictures("people", "#people")
	novak.submit(`a[href="/admin/add"]`)
	fill := func(username, name, role, unit string) {
		novak.do(
			chromedp.SetValue(chromedp.CSS(`#username`), username),
			chromedp.SetValue(chromedp.CSS(`#name`), name),
			chromedp.SetValue(chromedp.CSS(`#role`), role),
			chromedp.SetValue(chromedp.CSS(`#unit`), unit),
		)
	}
	fill("chen", "Ines Duarte RN", "nurse", "4-west")
	novak.allow("422")
	novak.submit(`#add button`)
	novak.pictures("people-refused", "#person-error")
	fill("duarte", "Ines Duarte RN", "nurse", "4-west")
	novak.submit(`#add button`)
	novak.pictures("people-invitation", "#invitation")
	code := eval[string](novak, `document.querySelector('#code').textContent`)

	duarte := openWindow(t, s, "duarte")
	duarte.visit("/enrol")
	const password = "seven grey gulls at low tide"
	duarte.do(
		chromedp.SetValue(chromedp.CSS(`#code`), code),
		chromedp.SendKeys(chromedp.CSS(`#new-password`), password),
		chromedp.SendKeys(chromedp.CSS(`#repeat`), password),
	)
	duarte.submit(`form[action="/enrol"] button`)
	duarte.openNote(note)
	duarte.caretAtEnd(0)
	if err := duarte.typeKeys("As a nurse."); err != nil {
		t.Fatal(err)
	}
	duarte.waitStatus("saved")

	novak.submit(`main a[href^="/admin/people/"]`)
	novak.pictures("person", "#logins")
	novak.do(chromedp.SetValue(chromedp.CSS(`#role`), "pharmacist"))
	novak.submit(`#work button`)
	novak.waitFor("what was done", exists(`#done`))
	duarte.waitStatus("readonly")
	if text := s.text(t, s.token(t, "chen"), note); strings.Count(text, "As a nurse.") != 1 {
		t.Error("what she typed as a nurse is not there, once")
	}

	duarte.allow("WebSocket connection to", "401")
	novak.submit(`form[action$="/suspend"] button`)
	duarte.waitAtDoor()
	novak.pictures("person-suspended", `form[action$="/reinstate"]`)

	novak.visit("/admin/add")
	fill("lab", "Laboratory results", "service account", "4-west")
	novak.submit(`#add button`)
	novak.do(chromedp.SetValue(chromedp.CSS(`#label`), "Results of the night"), chromedp.Click(chromedp.CSS(`input[value="notes:read"]`)))
	novak.pictures("program", "#token")
	novak.submit(`#token button`)
	novak.pictures("program-token", "#issued")
	token := eval[string](novak, `document.querySelector('#issued').textContent`)
	if !regexp.MustCompile(`^tide_[0-9A-Za-z]{49}$`).MatchString(token) {
		t.Fatal("the page shows no token")
	}
	read := apiRequest{method: "GET", path: "/notes/" + note, token: token}
	if resp, _ := s.api(t, read); resp.StatusCode != http.StatusOK {
		t.Errorf("the token: %s", resp.Status)
	}
	novak.submit(`main a[href^="/admin/people/"]`)
	novak.submit(`form[action$="/tokens/revoke"] button`)
	novak.waitFor("what was done", exists(`#done`))
	if resp, _ := s.api(t, read); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("the revoked token: %s", resp.Status)
	}
	checkTokenCommand(t, s, read)
	novak.visit("/admin/units")
	novak.pictures("units", "#units")
}

// checkTokenCommand: the operator does the same for the program of that name, lab, by command.
func checkTokenCommand(t *testing.T, s *server, read apiRequest) {
	t.Helper()
	run := func(args ...string) string {
		t.Helper()
		out, err := s.command(t.Context(), append(args, "--data", s.data)...)
		if err != nil {
			t.Fatalf("tidechart %s: %v", strings.Join(args, " "), err)
		}
		return strings.TrimSpace(out)
	}
	if list := run("user", "list", "laboratory", "4-west"); strings.Count(list, "\n") != 1 || !strings.Contains(list, "lab ") {
		t.Errorf("tidechart user list printed\n%s", list)
	}
	read.token = run("token", "--user", "lab", "--scope", "notes:read", "--unit", "4-west", "--days", "7", "--label", "by the operator")
	if resp, _ := s.api(t, read); resp.StatusCode != http.StatusOK {
		t.Errorf("the operator's token: %s", resp.Status)
	}
	list := run("token", "list", "lab")
	row := regexp.MustCompile(`(?m)^([0-9a-f-]{36}) +notes:read +4-west .* the operator +by the operator$`).FindStringSubmatch(list)
	if row == nil {
		t.Fatalf("tidechart token list printed\n%s", list)
	}
	run("token", "revoke", "lab", row[1])
	if resp, _ := s.api(t, read); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("the operator's token, revoked: %s", resp.Status)
	}
	if out, err := s.command(t.Context(), "token", "--user", "lab", "--data", s.data); err == nil {
		t.Errorf("a token for nothing in particular: %d bytes", len(out))
	}
}
