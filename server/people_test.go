package server_test

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/demo"
	"github.com/clisonix/tidechart/server/login"
)

// form is a form of one value each.
func form(pairs ...string) url.Values {
	values := make(url.Values)
	for i := 0; i < len(pairs); i += 2 {
		values.Add(pairs[i], pairs[i+1])
	}
	return values
}

// text runs a query for one text.
func (h *hospital) text(query string, args ...any) (found string) {
	h.t.Helper()
	if err := h.connect().QueryRow(h.t.Context(), query, args...).Scan(&found); err != nil {
		h.t.Fatal(err)
	}
	return found
}

// id is somebody's, by the name that they sign in with; of nobody, one that nobody has.
func (h *hospital) id(username string) uuid.UUID {
	h.t.Helper()
	return uuid.MustParse(h.text(`SELECT coalesce((SELECT id FROM person WHERE username = $1), gen_random_uuid())::text`, username))
}

// about is the page about somebody, whom its address does not name.
func (h *hospital) about(username string) string { return "/admin/people/" + h.id(username).String() }

// changes are all that an administrator may do to somebody, as forms send it.
func (h *hospital) changes(username string) map[string]url.Values {
	at := h.about(username)
	return map[string]url.Values{
		"/admin/people": form("username", "duarte", "name", "Ines Duarte RN", "role", "nurse", "unit", "4-west"),
		"/admin/units":  form("id", "7-north", "name", "7 North", "beds", "2"),
		at + "/work":    form("name", "Ines Duarte RN", "role", "nurse", "unit", "icu", "supervisor", "", "epoch", "0"),
		at + "/suspend": nil, at + "/reinstate": nil, at + "/invite": nil, at + "/start-over": nil,
		at + "/shifts": form("unit", "icu", "hours", "8"), at + "/shifts/end": form("unit", "icu"),
		at + "/logins/end": form("id", uuid.NewString()), at + "/tokens/revoke": form("id", uuid.NewString()),
		at + "/tokens": form("label", "x", "scope", "accesses:read", "days", "90"),
	}
}

// snapshot is what must be as before when nothing was done.
func (h *hospital) snapshot() (all string) {
	h.t.Helper()
	err := h.connect().QueryRow(h.t.Context(), `SELECT md5(string_agg(person::text, ';' ORDER BY username)) || (SELECT count(*) FROM invitation)::text
		|| (SELECT count(*) FROM login)::text || (SELECT count(*) FROM api_token)::text || (SELECT count(*) FROM cover)::text || (SELECT count(*) FROM bed)::text FROM person`).Scan(&all)
	if err != nil {
		h.t.Fatal(err)
	}
	return all
}

// TestWhoAdministers: nobody but an administrator, in a browser, who has just proven that it is them, and nobody themselves.
func TestWhoAdministers(t *testing.T) {
	h := open(t)
	others := map[string]*http.Client{}
	for _, username := range []string{"chen", "okafor", "rivera", "haddad", "sato", "moreau", "lindqvist"} {
		others[username] = h.signIn(username)
	}
	novak, token := h.signIn("novak"), h.token("novak")
	before := h.snapshot()
	for username, c := range others {
		for _, path := range []string{"/admin/people", h.about("novak"), "/admin/people/none", "/admin/add", "/admin/units"} {
			if status, _, _ := h.get(c, path); status != 403 {
				t.Errorf("%s at %s: %d", username, path, status)
			}
		}
		for path, form := range h.changes("okafor") {
			if status, _, _ := h.submit(c, path, form); status != 403 {
				t.Errorf("%s sends %s: %d", username, path, status)
			}
		}
	}
	themselves := 0
	for path, form := range h.changes("novak") {
		if !strings.HasPrefix(path, h.about("novak")) {
			continue
		}
		themselves++
		if status, body, _ := h.submit(novak, path, form); status != 403 || !strings.Contains(body, "administers themselves") {
			t.Errorf("to oneself, %s: %d", path, status)
		}
	}
	if themselves != 10 {
		t.Errorf("%d things were tried to oneself, want 10", themselves)
	}
	if _, body, _ := h.get(novak, h.about("novak")); strings.Contains(body, `action="/admin`) || !strings.Contains(body, "Another administrator changes your role") {
		t.Error("the page about oneself has forms, or does not say why not")
	}
	h.age()
	for path, form := range h.changes("okafor") {
		back := path
		switch {
		case path == "/admin/people":
			back = "/admin/add"
		case strings.HasPrefix(path, h.about("okafor")):
			back = h.about("okafor")
		}
		if status, _, header := h.submit(novak, path, form); status != 303 || header.Get("Location") != "/confirm?next="+url.QueryEscape(back) {
			t.Errorf("after an old sign-in, %s: %d to %q", path, status, header.Get("Location"))
		}
		if status, _, _ := h.api("POST", path, token, "", nil); status != 401 {
			t.Errorf("with a token, %s: %d", path, status)
		}
	}
	if _, body, _ := h.get(novak, h.about("okafor")); strings.Contains(body, `action="/admin`) || !strings.Contains(body, "/confirm?next="+h.about("okafor")) {
		t.Error("the page has forms for whose sign-in is old, or does not lead to a fresh one")
	}
	if after := h.snapshot(); after != before {
		t.Error("something was changed")
	}
	for path, form := range h.changes("nobody") {
		if status, _ := h.confirm(novak, demo.Password, "/"); status != 303 {
			t.Fatal(status)
		}
		if !strings.HasPrefix(path, "/admin/people/") {
			continue
		}
		if status, _, _ := h.submit(novak, path, form); status != 404 {
			t.Errorf("to nobody, %s: %d", path, status)
		}
	}
}

// TestNewcomersOfThePage: who is added gets a code, shown once, which works.
func TestNewcomersOfThePage(t *testing.T) {
	h := open(t)
	novak := h.signIn("novak")
	for name, change := range map[string][]string{
		"a username of capitals": {"username", "Duarte"}, "somebody's username": {"username", "chen"}, "no name": {"name", " "},
		"no role": {"role", ""}, "an unknown role": {"role", "janitor"}, "an unknown unit": {"unit", "9-north"}, "an unknown supervisor": {"supervisor", "nobody"},
		"no text": {"name", "a\x00b"},
	} {
		sent := h.changes("x")["/admin/people"]
		sent.Set(change[0], change[1])
		status, body, _ := h.submit(novak, "/admin/people", sent)
		if status != 422 || !strings.Contains(body, "person-error") || change[0] != "name" && !strings.Contains(body, "Ines Duarte RN") {
			t.Errorf("%s: %d, or the form is empty", name, status)
		}
	}
	status, body, _ := h.submit(novak, "/admin/people", h.changes("x")["/admin/people"])
	code := regexp.MustCompile(`[0-9A-Z]{4}(-[0-9A-Z]{4}){3}`).FindString(body)
	if status != 200 || code == "" || !strings.Contains(body, here.String()+"/enrol") {
		t.Fatalf("%d, code %q", status, code)
	}
	if _, body, _ := h.get(novak, h.about("duarte")); strings.Contains(body, code) || !strings.Contains(body, "Invited") {
		t.Error("the code is shown again, or the invitation is not")
	}
	if strings.Contains(h.log.String(), code) {
		t.Error("the log holds the code")
	}
	duarte := h.browser()
	if status, _ := h.enrol(duarte, code, sentence, sentence); status != 303 {
		t.Fatalf("enrolment: %d", status)
	}
	if status, _, _ := h.get(duarte, "/units/4-west"); status != 200 {
		t.Errorf("her board: %d", status)
	}

	status, _, header := h.submit(novak, "/admin/people", form("username", "lab", "name", "Laboratory", "role", "service account", "unit", "4-west"))
	if status != 303 || header.Get("Location") != h.about("lab")+"?done=added" {
		t.Errorf("a program: %d to %q", status, header.Get("Location"))
	}
	for _, path := range []string{"/invite", "/start-over"} {
		if status, body, _ := h.submit(novak, h.about("lab")+path, nil); status != 422 || !strings.Contains(body, "is a program") {
			t.Errorf("a program, %s: %d", path, status)
		}
	}
	if n := h.count(`SELECT count(*) FROM audit_event JOIN person ON person.id = who WHERE act = 'person.invite' AND username = 'novak' AND about IS NOT NULL`); n == 0 {
		t.Error("it is not on record who was invited, and by whom")
	}
}

// TestPeopleAreFound: by words and role, fifty at a time, each once.
func TestPeopleAreFound(t *testing.T) {
	h := open(t)
	h.sql(`INSERT INTO person (id, username, name, role, unit_id, color) SELECT gen_random_uuid(), 'mass' || n, 'Mass ' || n || ' 100%_', 'nurse', 'icu', 0 FROM generate_series(1, 120) n`)
	novak := h.signIn("novak")
	for query, want := range map[string]int{
		"": 50, "q=mei": 1, "q=MEI+chen": 1, "q=mei+okafor": 0, "role=attending": 1, "role=nurse&q=icu+jonas": 1, "role=janitor": 0, "q=%25_": 50,
		"q=%25%25": 0, "after=" + h.id("wall").String(): 0, "after=" + uuid.NewString(): 0, "q=4-west": 6,
	} {
		form, _ := url.ParseQuery(query)
		status, body := h.post(novak, "/admin/people/search", form)
		if got := strings.Count(body, `<tr><th scope="row">`); status != 200 || got != want {
			t.Errorf("%q: %d, %d people, want %d", query, status, got, want)
		}
	}
	if status, body, _ := h.get(novak, "/admin/people?q=mei"); status != 200 || strings.Count(body, `<tr><th scope="row">`) != 50 {
		t.Errorf("an address, which is kept and logged, names who is looked for: %d", status)
	}
	if status, _, _ := h.get(novak, "/admin/people/okafor"); status != 404 {
		t.Errorf("an address that names somebody: %d", status)
	}
	for _, form := range []url.Values{{"after": {"okafor"}}, {"q": {"\x00"}}} {
		if status, _ := h.post(novak, "/admin/people/search", form); status != 404 {
			t.Errorf("%q: %d", form, status)
		}
	}
	seen, after := make(map[string]int), ""
	for pages := 0; pages == 0 || after != ""; pages++ {
		if pages > 3 {
			t.Fatal("the list does not end")
		}
		_, body := h.post(novak, "/admin/people/search", url.Values{"q": {"mass"}, "after": {after}})
		for _, m := range regexp.MustCompile(`href="/admin/people/([0-9a-f-]{36})"`).FindAllStringSubmatch(body, -1) {
			seen[m[1]]++
		}
		after = ""
		if m := regexp.MustCompile(`name="after" value="([^"]+)"`).FindStringSubmatch(body); m != nil {
			after = m[1]
		}
	}
	if len(seen) != 120 {
		t.Errorf("%d people, want 120", len(seen))
	}
	for username, times := range seen {
		if times != 1 {
			t.Errorf("%s is listed %d times", username, times)
		}
	}
}

// TestAnAdministratorRemains: two administrators who send each other away at one moment do not both go; and who is none
// any more changes nobody, whenever that was decided.
func TestAnAdministratorRemains(t *testing.T) {
	h := open(t)
	h.hire("brink", "administrator", "", "")
	ids := map[string]uuid.UUID{"novak": h.id("novak"), "brink": h.id("brink")}
	yes, nurse := true, "nurse"
	for i, c := range []login.Change{{Suspended: &yes}, {Role: &nurse}} {
		for range 10 {
			h.sql(`UPDATE person SET role = 'administrator', suspended = false WHERE username IN ('novak', 'brink')`)
			failed := make(chan error, 2)
			for by, whom := range map[string]string{"novak": "brink", "brink": "novak"} {
				go func() {
					_, err := login.Alter(t.Context(), h.db, ids[by], whom, c)
					failed <- err
				}()
			}
			first, second := <-failed, <-failed
			if (first == nil) == (second == nil) || !errors.Is(errors.Join(first, second), login.ErrOffice) {
				t.Fatalf("change %d: %v, %v", i, first, second)
			}
			if n := h.count(`SELECT count(*) FROM person WHERE role = 'administrator' AND NOT suspended`); n != 1 {
				t.Fatalf("%d administrators are left", n)
			}
		}
	}
	if _, err := login.Alter(t.Context(), h.db, h.id("chen"), "okafor", login.Change{Suspended: &yes}); !errors.Is(err, login.ErrOffice) {
		t.Errorf("an attending suspends a resident: %v", err)
	}
}

// TestUnitsOfThePage are added, or get beds.
func TestUnitsOfThePage(t *testing.T) {
	h := open(t)
	novak := h.signIn("novak")
	for name, sent := range map[string]url.Values{
		"no id": form("name", "X", "beds", "1"), "a bad id": form("id", "7 North", "name", "X"), "nothing": form("id", "7-north"),
		"too many beds": form("id", "7-north", "name", "X", "beds", "201"), "beds in words": form("id", "7-north", "name", "X", "beds", "two"), "fewer beds": form("id", "4-west", "beds", "-1"),
		"beds of nothing": form("id", "7-north", "beds", "2"), "a long name": form("id", "7-north", "name", strings.Repeat("x", 101)),
		"no text": form("id", "7-north", "name", "\x00"),
	} {
		if status, body := h.post(novak, "/admin/units", sent); status != 422 || !strings.Contains(body, "unit-error") {
			t.Errorf("%s: %d", name, status)
		}
	}
	for _, sent := range []url.Values{form("id", "7-north", "name", "7 North", "beds", "120", "prefix", "7N"), form("id", "4-west", "beds", "1")} {
		if status, _ := h.post(novak, "/admin/units", sent); status != 303 {
			t.Error(status)
		}
	}
	_, page, _ := h.get(novak, "/admin/units")
	if !regexp.MustCompile(`7 North.*120.*0`).MatchString(page) {
		t.Error("the page does not have the unit")
	}
	if n := h.count(`SELECT count(*) FROM bed WHERE label IN ('7N-01', '7N-120')`); n != 2 {
		t.Errorf("%d of the beds have their labels", n)
	}
}
