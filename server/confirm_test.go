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

// at is the server's address.
func (h *hospital) at() *url.URL {
	h.t.Helper()
	at, err := url.Parse(h.URL)
	if err != nil {
		h.t.Fatal(err)
	}
	return at
}

// with returns a browser that has a copied login.
func (h *hospital) with(login *http.Cookie) *http.Client {
	h.t.Helper()
	c := h.browser()
	c.Jar.SetCookies(h.at(), []*http.Cookie{login})
	return c
}

// confirm proves again who somebody is, and returns where that leads.
func (h *hospital) confirm(c *http.Client, password, next string) (status int, to string) {
	h.t.Helper()
	r, err := c.PostForm(h.URL+"/confirm", url.Values{"password": {password}, "next": {next}})
	if err != nil {
		h.t.Fatal(err)
	}
	_ = r.Body.Close()
	return r.StatusCode, r.Header.Get("Location")
}

// TestConfirmingRenewsTheLogin: its old secret is worth nothing, and what is open under it goes on.
func TestConfirmingRenewsTheLogin(t *testing.T) {
	h := open(t)
	chen := h.signIn("chen")
	old := loginOf(chen, h.at())
	ws := h.openWireOf(chen)
	if status, _ := h.confirm(chen, "guess", "/"); status != http.StatusUnauthorized || loginOf(chen, h.at()).Value != old.Value {
		t.Errorf("a wrong password: %d, or the cookie changed", status)
	}
	for next, want := range map[string]string{"/units/4-west": "/units/4-west", "": "/", "//evil.example": "/", "https://evil.example": "/"} {
		if status, to := h.confirm(chen, demo.Password, next); status != http.StatusSeeOther || to != want {
			t.Errorf("next %q: %d to %q, want %q", next, status, to, want)
		}
	}
	if loginOf(chen, h.at()).Value == old.Value {
		t.Error("the cookie is the one from before")
	}
	if status, _, _ := h.get(chen, "/"); status != http.StatusOK {
		t.Errorf("the renewed login: %d", status)
	}
	if status, _, _ := h.get(h.with(old), "/"); status != http.StatusSeeOther {
		t.Errorf("the old cookie: %d", status)
	}
	h.sql(`UPDATE person SET role = 'privacy officer' WHERE username = 'chen'`) // so that the socket is looked at again
	if m, code := ws.until(isScope); code != 0 {
		t.Errorf("the socket: %v, %d", m, code)
	}
	h.sql(`UPDATE person SET role = 'attending' WHERE username = 'chen'`)
	ws.until(isScope)
	if saved, code := ws.write(1, 0); !saved {
		t.Errorf("the socket saves nothing: %d", code)
	}
	if status, _ := h.confirm(h.browser(), demo.Password, "/"); status != http.StatusUnauthorized {
		t.Errorf("nobody confirms: %d", status)
	}
}

// TestConfirmingIsSlow to guess, and costs the person no other login.
func TestConfirmingIsSlow(t *testing.T) {
	h := open(t)
	found, hers := h.signIn("chen"), h.signIn("chen")
	for range 10 {
		h.confirm(found, "guess", "/")
	}
	if status, _ := h.confirm(found, demo.Password, "/"); status != http.StatusTooManyRequests {
		t.Errorf("one more, at the browser that was found open: %d", status)
	}
	if status, _ := h.confirm(hers, demo.Password, "/"); status != http.StatusSeeOther {
		t.Errorf("at her own: %d", status)
	}
}

// TestFixation: a cookie that somebody else put into a browser is not signed in by who uses that browser.
func TestFixation(t *testing.T) {
	h := open(t)
	mallory := h.signIn("okafor")
	for what, planted := range map[string]*http.Cookie{
		"made up":          {Name: "tidechart", Value: strings.Repeat("A", 43)},
		"of another login": loginOf(mallory, h.at()),
	} {
		victim := h.with(planted)
		if status, _ := h.try(victim, "chen", demo.Password); status != http.StatusSeeOther {
			t.Fatalf("%s: chen does not get in: %d", what, status)
		}
		if loginOf(victim, h.at()).Value == planted.Value {
			t.Errorf("%s: chen has the planted cookie", what)
		}
		if status, body, _ := h.get(h.with(planted), "/security"); status != http.StatusSeeOther {
			t.Errorf("%s: the planted cookie answers %d, as chen: %v", what, status, strings.Contains(body, "Mei Chen"))
		}
	}
}

var loginID = regexp.MustCompile(`name="id" value="([0-9a-f-]{36})"`)

// TestOwnLogins: everybody sees and ends their own, and what is open there closes within a second.
func TestOwnLogins(t *testing.T) {
	h := open(t)
	chen, lost, rivera := h.signIn("chen"), h.signIn("chen"), h.signIn("rivera")
	ws, hers, own := h.openWireOf(lost), h.openWireOf(rivera), h.openWireOf(chen)
	ids := func(c *http.Client) (all []string) {
		_, page, _ := h.get(c, "/security")
		for _, m := range loginID.FindAllStringSubmatch(page, -1) {
			all = append(all, m[1])
		}
		return all
	}
	var other string
	for _, id := range ids(lost) {
		if _, page, _ := h.get(chen, "/security"); strings.Contains(page, id) && !strings.Contains(rowOf(page, id), "this one") {
			other = id
		}
	}
	if len(ids(chen)) != 2 || other == "" || len(ids(rivera)) != 1 {
		t.Fatalf("chen sees %v, rivera %v", ids(chen), ids(rivera))
	}
	for what, id := range map[string]string{"a colleague's": ids(rivera)[0], "none": "x"} {
		if status, _ := h.post(chen, "/security/logins/end", url.Values{"id": {id}}); status != http.StatusNotFound {
			t.Errorf("ending %s: %d", what, status)
		}
	}
	before := time.Now()
	if status, _ := h.post(chen, "/security/logins/end", url.Values{"id": {other}}); status != http.StatusSeeOther {
		t.Fatalf("ending the other: %d", status)
	}
	if _, code := ws.until(isScope); code != 4401 || time.Since(before) > time.Second {
		t.Errorf("its socket: %d after %v", code, time.Since(before))
	}
	if status, _, _ := h.get(lost, "/"); status != http.StatusSeeOther {
		t.Errorf("its cookie: %d", status)
	}
	again, thrice := h.signIn("chen"), h.signIn("chen")
	if status, _ := h.post(chen, "/security/logins/end-others", nil); status != http.StatusSeeOther || len(ids(chen)) != 1 {
		t.Errorf("ending all others: %d, left %v", status, ids(chen))
	}
	for _, c := range []*http.Client{again, thrice} {
		if status, _, _ := h.get(c, "/"); status != http.StatusSeeOther {
			t.Errorf("another's cookie: %d", status)
		}
	}
	for name, w := range map[string]*wire{"rivera's": hers, "chen's own": own} {
		if saved, code := w.write(name[0], 0); !saved {
			t.Errorf("%s socket saves nothing: %d", name, code)
		}
	}
	if status, _ := h.post(chen, "/security/logins/end", url.Values{"id": ids(chen)[:1]}); status != http.StatusSeeOther {
		t.Errorf("signing out there: %d", status)
	}
	if status, _, _ := h.get(chen, "/"); status != http.StatusSeeOther {
		t.Errorf("afterwards: %d", status)
	}
}

// rowOf is the row of a table that holds text.
func rowOf(page, text string) string {
	for row := range strings.SplitSeq(page, "<tr>") {
		if strings.Contains(row, text) {
			return row
		}
	}
	return ""
}
