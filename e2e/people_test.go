package e2e

import (
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestNewcomer: the operator adds somebody, who chooses a password by the code, writes, and is sent away in mid-sentence.
func TestNewcomer(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	user := func(args ...string) string {
		t.Helper()
		out, err := s.command(t.Context(), append(append([]string{"user"}, args...), "--data", s.data)...)
		if err != nil {
			t.Fatalf("tidechart user %s: %v", strings.Join(args, " "), err)
		}
		return out
	}
	out := user("add", "duarte", "--name", "Ines Duarte RN", "--role", "nurse", "--unit", "4-west")
	code := regexp.MustCompile(`^[0-9A-Z]{4}(-[0-9A-Z]{4}){3}\n`).FindString(out)
	if code == "" {
		t.Fatalf("tidechart user add printed %q, want a code first", out)
	}
	if list := user("list"); !regexp.MustCompile(`duarte +Ines Duarte RN +nurse +4-west +invited until `).MatchString(list) {
		t.Errorf("tidechart user list printed\n%s", list)
	}

	w := openWindow(t, s, "duarte")
	w.visit("/login")
	w.submit(`a[href="/enrol"]`)
	w.shot("enrol")
	const password = "seven grey gulls at low tide"
	enrol := func(code string) {
		t.Helper()
		w.do(
			chromedp.SetValue(chromedp.CSS(`#code`), code),
			chromedp.SendKeys(chromedp.CSS(`#new-password`), password),
			chromedp.SendKeys(chromedp.CSS(`#repeat`), password),
		)
		w.submit(`form[action="/enrol"] button`)
	}
	w.allow("422")
	enrol("0000-0000-0000-0000")
	w.waitFor("the reason", exists(`#enrol-error`))
	enrol(strings.TrimSpace(code))
	w.waitFor("being signed in", exists(`form[action="/logout"]`))

	note := s.newNote(t, s.token(t, "chen"))
	w.openNote(note)
	w.caretAtEnd(0)
	if err := w.typeKeys("Ines was here."); err != nil {
		t.Fatal(err)
	}
	w.waitStatus("saved")
	checkHas(t, s.text(t, s.token(t, "chen"), note), "Ines was here.")

	w.allow("WebSocket connection to", "401")
	user("suspend", "duarte")
	w.waitFor("the note to close to her", `!document.querySelector('`+noteEditor+`')`)
	if list := user("list"); !regexp.MustCompile(`duarte .* suspended`).MatchString(list) {
		t.Errorf("tidechart user list printed\n%s", list)
	}
	user("resume", "duarte")
	w.visit("/")
	w.waitFor("the sign-in page", exists(`#password`))
}
