package server_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/server/demo"
)

// TestOverview: who administers, and who reviews, see what waits, and find people and units; patients are found by who reviews alone.
// What was looked for is on record, and stands in no address; nobody else gets there.
func TestOverview(t *testing.T) {
	h := open(t)
	novak, lindqvist, chen := h.signIn("novak"), h.signIn("lindqvist"), h.signIn("chen")
	places := []string{"/admin", "/admin/keys", "/admin/system"}
	h.acts()
	for _, path := range places {
		if status, _, _ := h.get(chen, path); status != http.StatusForbidden {
			t.Errorf("an attending gets %s: %d", path, status)
		}
		for name, c := range map[string]*http.Client{"novak": novak, "lindqvist": lindqvist} {
			if status, page, _ := h.get(c, path); status != http.StatusOK || !strings.Contains(page, `href="`+path+`" aria-current="page"`) {
				t.Errorf("%s gets %s: %d", name, path, status)
			}
		}
	}
	if status, _ := h.post(chen, "/admin/search", url.Values{"q": {"kelp"}}); status != http.StatusForbidden {
		t.Errorf("an attending searches: %d", status)
	}
	if n := strings.Count(strings.Join(h.acts(), "\n"), ": see system: "); n != 4 {
		t.Errorf("%d refusals are on record, want 4", n)
	}

	status, page := h.post(novak, "/admin/search", url.Values{"q": {"CHEN attending"}})
	says(t, "an administrator's search", page, `href="`+h.about("chen")+`"`, `href="/admin/sessions?person=chen"`, "1 person, 0 units")
	if status != http.StatusOK || strings.Contains(page, "Rosa Rivera") {
		t.Errorf("found more, or not: %d", status)
	}
	for _, words := range []string{"kelpwell", "T-104248", "4W-02"} {
		_, theirs := h.post(novak, "/admin/search", url.Values{"q": {words}})
		_, officers := h.post(lindqvist, "/admin/search", url.Values{"q": {words}})
		if strings.Contains(theirs, "KELPWELL") || !strings.Contains(theirs, "Nothing matches") || !strings.Contains(officers, "KELPWELL") || !strings.Contains(officers, "/accesses") {
			t.Errorf("%s finds the patient for an administrator, or not for a privacy officer", words)
		}
	}
	_, page = h.post(lindqvist, "/admin/search", url.Values{"q": {"surgery"}})
	says(t, "a unit", page, "5 East, Surgery", `href="/admin/sessions?unit=5-east"`)
	_, page = h.post(lindqvist, "/admin/search", url.Values{"q": {"chen"}})
	if strings.Contains(page, "/admin/people") || !strings.Contains(page, "Dr Mei Chen") {
		t.Error("a privacy officer is led to pages of administrators, or finds nobody")
	}
	h.recorded("searches",
		"search.places done novak: 1 people 0 units 0 patients",
		"search.places done novak: 0 people 0 units 0 patients",
		"search.places done lindqvist: 0 people 0 units 1 patients",
		"search.places done novak: 0 people 0 units 0 patients",
		"search.places done lindqvist: 0 people 0 units 1 patients",
		"search.places done novak: 0 people 0 units 0 patients",
		"search.places done lindqvist: 0 people 0 units 1 patients",
		"search.places done lindqvist: 0 people 1 units 0 patients",
		"search.places done lindqvist: 1 people 0 units 0 patients",
	)
	for _, words := range []string{"", "\x00", strings.Repeat("ü", 9000)} {
		if status, _ := h.post(lindqvist, "/admin/search", url.Values{"q": {words}}); status != http.StatusOK && status != http.StatusRequestEntityTooLarge && status != http.StatusUnprocessableEntity && status != http.StatusNotFound {
			t.Errorf("%.10q: %d", words, status)
		}
	}
}

// TestWhatWaits: what needs somebody is there until it is done.
func TestWhatWaits(t *testing.T) {
	h := open(t)
	lindqvist, brandt := h.signIn("lindqvist"), h.signIn("brandt")
	_, page, _ := h.get(lindqvist, "/admin")
	says(t, "a quiet day", page, "notes unsigned for more than a day")
	if strings.Contains(page, "emergency access to be reviewed") || strings.Contains(page, "failed since yesterday") {
		t.Error("something waits that has not been")
	}
	if status, _ := h.post(brandt, "/glass", h.why()); status != http.StatusSeeOther {
		t.Fatalf("the glass: %d", status)
	}
	h.signInWith(h.browser(), "chen", "wrong", "")
	h.sql(`INSERT INTO server_status (server, version, began_at, seen_at, figures) VALUES (gen_random_uuid(), '9.9', now(), now() - interval '31 seconds', '{}')`)
	_, page, _ = h.get(lindqvist, "/admin")
	says(t, "what waits", page, "emergency access to be reviewed", "sign-in failed since yesterday", "server that is not heard of any more")
	const doubtful = "failed several times in a row to prove who"
	chen, okafor, novak := h.signIn("chen"), h.signIn("okafor"), h.signIn("novak")
	for i, password := range []string{"guess", "guess", demo.Password, "guess"} {
		h.confirm(okafor, password, "/")
		if i < 3 {
			h.confirm(chen, "guess", "/")
		}
		if _, page, _ = h.get(lindqvist, "/admin"); strings.Contains(page, doubtful) != (i >= 2) {
			t.Errorf("after %d wrong proofs in a row, the page says it or not: %s", i+1, page)
		}
	}
	h.confirm(chen, demo.Password, "/") // in the end; it may have been somebody else
	_, page, _ = h.get(lindqvist, "/admin")
	says(t, "what the privacy officer is told", page, "<strong>1</strong>", "person "+doubtful)
	to := regexp.MustCompile(`href="(/reviews/log\?[^"]*confirm[^"]*)"`).FindStringSubmatch(page)
	if to == nil {
		t.Fatal("nothing leads to who it was")
	}
	_, page, _ = h.get(lindqvist, strings.ReplaceAll(to[1], "&amp;", "&"))
	if _, rows, _ := strings.Cut(page, "<tbody>"); strings.Count(rows, "Dr Mei Chen") != 3 || strings.Count(rows, "Dr Daniel Okafor") != 3 || strings.Count(rows, "failed") != 6 {
		t.Errorf("the log of failed proofs: %s", rows)
	}
	if _, page, _ = h.get(novak, "/admin"); !strings.Contains(page, doubtful) || strings.Contains(page, "/reviews/log") {
		t.Error("an administrator is not told, or led to the log")
	}
	_, page, _ = h.get(lindqvist, "/admin/system")
	says(t, "the servers", page, "9.9", "not heard of", "1 server runs", "this one")
}

// TestSystemAndKeys: how edits were saved, by how many servers, and which key seals what; no page holds a key.
func TestSystemAndKeys(t *testing.T) {
	h := open(t)
	novak := h.signIn("novak")
	_, state, _ := h.api("GET", "/api/v1/notes/"+h.note.String()+"/state", h.token("chen"), "", nil)
	h.edit("rivera", state, func(tx *crdt.Txn, f *crdt.XMLFragment) {
		f.Insert(tx, 0, crdt.NewXMLElement("paragraph", nil, crdt.NewXMLText("Slept well.")))
	})
	_, page, _ := h.get(novak, "/admin/system")
	says(t, "the system", page, "1 commit since the servers began", "Postgres ", "This connection", "not encrypted", `hx-trigger="every 5s"`)
	if err := h.db.FollowKeys(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	_, page, _ = h.get(novak, "/admin/keys")
	id := h.text(`SELECT encode(id, 'hex') FROM kek`)
	all := h.text(`SELECT count(*)::text FROM data_key`)
	says(t, "the keys", page, id, `data-label="Data keys wrapped to it">`+all+`<`, "what is new is wrapped to it", "tidechart keys init", `data-label="Servers that have it">1`)
	h.sql(`INSERT INTO kek (id, number) SELECT '\x00112233445566778899aabbccddeeff', 2`)
	_, page, _ = h.get(novak, "/admin/keys")
	says(t, "while keys change", page, "1 server has it not", "are wrapped to an older key", "tidechart keys rewrap", "tidechart keys status")
	if _, page, _ := h.get(novak, "/admin"); !strings.Contains(page, "server without a key that is in use") {
		t.Error("the overview does not say so")
	}
}

// TestFirstSteps: they are there for each role until they are ended, which is kept for the person, and come back when asked for.
func TestFirstSteps(t *testing.T) {
	h := open(t)
	for name, first := range map[string]string{"chen": "Open a note", "haddad": `href="/units/4-west"`, "moreau": "Ready for review", "novak": "Add people", "lindqvist": "Review emergency access"} {
		home := "/"
		if name == "novak" || name == "lindqvist" {
			home = "/admin"
		}
		c := h.signIn(name)
		_, page, _ := h.get(c, home)
		says(t, name, page, `id="tour"`, first)
		if strings.Count(page, `class="tour-number"`) != 3 {
			t.Errorf("%s: not three steps", name)
		}
		status, _, header := h.submit(c, "/tour", nil)
		if status != http.StatusSeeOther || header.Get("Location") != "/" && header.Get("Location") != "/admin" {
			t.Errorf("ended: %d to %s", status, header.Get("Location"))
		}
		if _, page, _ := h.get(h.signIn(name), home); strings.Contains(page, `id="tour"`) {
			t.Errorf("%s sees them again, at another browser", name)
		}
		if _, page, _ := h.get(c, "/security"); !strings.Contains(page, `action="/tour"`) {
			t.Error("nothing leads back")
		}
		h.post(c, "/tour", url.Values{"again": {"1"}})
		if _, page, _ := h.get(c, home); !strings.Contains(page, `id="tour"`) {
			t.Errorf("%s asked for them", name)
		}
	}
	if status, _, _ := h.submit(h.browser(), "/tour", nil); status != http.StatusUnauthorized && status != http.StatusSeeOther {
		t.Errorf("a stranger: %d", status)
	}
}

// TestRetentionIsForOverseers: what is due is shown to who decides about destruction; that others asked is on record.
func TestRetentionIsForOverseers(t *testing.T) {
	h := open(t)
	for name, want := range map[string]int{"lindqvist": 200, "novak": 200, "chen": 403, "haddad": 403, "sato": 403, "moreau": 403} {
		c := h.signIn(name)
		h.acts()
		status, page, _ := h.get(c, "/retention")
		if status != want || (status == http.StatusOK) != strings.Contains(page, "Retention of records") {
			t.Errorf("%s: %d, want %d", name, status, want)
		}
		if on := strings.Join(h.acts(), "\n"); (want == http.StatusForbidden) != strings.Contains(on, "access refused") {
			t.Errorf("%s: on record is %q", name, on)
		}
	}
	if status, _, header := h.get(h.browser(), "/retention"); status != http.StatusSeeOther || !strings.HasPrefix(header.Get("Location"), "/login") {
		t.Errorf("a stranger: %d", status)
	}
}
