package server_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// TestInvitedPeopleAreTold: a code that an administrator makes lets its holder be somebody. Who signs in without it is told on
// every page, and ends it, with nobody's help; nobody else is, or does.
func TestInvitedPeopleAreTold(t *testing.T) {
	h := open(t)
	chen, rivera, novak := h.signIn("chen"), h.signIn("rivera"), h.signIn("novak")
	pages := []string{"/", "/security", "/notes/" + h.note.String(), "/units/4-west"}
	told := func(c *http.Client, want bool) {
		t.Helper()
		for _, path := range pages {
			if status, page, _ := h.get(c, path); status != http.StatusOK || strings.Contains(page, `id="invited"`) != want {
				t.Errorf("%s: %d, told %v, want %v", path, status, !want, want)
			}
		}
		if _, page, _ := h.get(c, "/security"); strings.Contains(page, `action="/security/invitation/end"`) != want {
			t.Errorf("the page to end it has a form: %v, want %v", !want, want)
		}
	}
	invite := func() string {
		t.Helper()
		_, page := h.post(novak, h.about("chen")+"/invite", nil)
		return regexp.MustCompile(`[0-9A-Z]{4}(-[0-9A-Z]{4}){3}`).FindString(page)
	}
	told(chen, false)
	code := invite()
	told(chen, true)
	told(rivera, false)
	if status, _ := h.post(rivera, "/security/invitation/end", nil); status != http.StatusNotFound {
		t.Errorf("a colleague ends it: %d", status)
	}
	if status, _ := h.post(h.browser(), "/security/invitation/end", nil); status != http.StatusUnauthorized {
		t.Errorf("nobody ends it: %d", status)
	}
	told(chen, true)
	if status, _, header := h.submit(chen, "/security/invitation/end", nil); status != http.StatusSeeOther || header.Get("Location") != "/security" {
		t.Errorf("she ends it: %d to %q", status, header.Get("Location"))
	}
	told(chen, false)
	if status, _ := h.enrol(h.browser(), code, sentence, sentence); status != http.StatusUnprocessableEntity {
		t.Errorf("the code still works: %d", status)
	}
	if !strings.Contains(h.log.String(), `msg="ended an invitation of theirs" person=`+h.id("chen").String()) {
		t.Error("the log does not say that she ended it")
	}
	if status, _ := h.post(chen, "/security/invitation/end", nil); status != http.StatusNotFound {
		t.Errorf("ending what is not there: %d", status)
	}

	invite()
	h.sql(`UPDATE invitation SET expires_at = now()`)
	told(chen, false) // what does not work any more is no news
	again := h.browser()
	if status, _ := h.enrol(again, invite(), sentence, sentence); status != http.StatusSeeOther {
		t.Fatalf("she uses one: %d", status)
	}
	told(again, false)
}
