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

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/access"
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

// changes are all that an administrator may do to somebody, as forms send it.
func changes(username string) map[string]url.Values {
	at := "/admin/people/" + username
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
		for _, path := range []string{"/admin/people", "/admin/people/novak", "/admin/people/none", "/admin/add", "/admin/units"} {
			if status, _, _ := h.get(c, path); status != 403 {
				t.Errorf("%s at %s: %d", username, path, status)
			}
		}
		for path, form := range changes("okafor") {
			if status, _, _ := h.submit(c, path, form); status != 403 {
				t.Errorf("%s sends %s: %d", username, path, status)
			}
		}
	}
	for path, form := range changes("novak") {
		if !strings.Contains(path, "novak") {
			continue
		}
		if status, body, _ := h.submit(novak, path, form); status != 403 || !strings.Contains(body, "administers themselves") {
			t.Errorf("to oneself, %s: %d", path, status)
		}
	}
	if _, body, _ := h.get(novak, "/admin/people/novak"); strings.Contains(body, `action="/admin`) || !strings.Contains(body, "Another administrator changes your role") {
		t.Error("the page about oneself has forms, or does not say why not")
	}
	h.age()
	for path, form := range changes("okafor") {
		back := path
		switch {
		case path == "/admin/people":
			back = "/admin/add"
		case strings.Contains(path, "okafor"):
			back = "/admin/people/okafor"
		}
		if status, _, header := h.submit(novak, path, form); status != 303 || header.Get("Location") != "/confirm?next="+url.QueryEscape(back) {
			t.Errorf("after an old sign-in, %s: %d to %q", path, status, header.Get("Location"))
		}
		if status, _, _ := h.api("POST", path, token, "", nil); status != 401 {
			t.Errorf("with a token, %s: %d", path, status)
		}
	}
	if _, body, _ := h.get(novak, "/admin/people/okafor"); strings.Contains(body, `action="/admin`) || !strings.Contains(body, "/confirm?next=/admin/people/okafor") {
		t.Error("the page has forms for whose sign-in is old, or does not lead to a fresh one")
	}
	if after := h.snapshot(); after != before {
		t.Error("something was changed")
	}
	for path, form := range changes("nobody") {
		if status, _ := h.confirm(novak, demo.Password, "/"); status != 303 {
			t.Fatal(status)
		}
		if !strings.Contains(path, "nobody") {
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
		sent := changes("x")["/admin/people"]
		sent.Set(change[0], change[1])
		status, body, _ := h.submit(novak, "/admin/people", sent)
		if status != 422 || !strings.Contains(body, "person-error") || change[0] != "name" && !strings.Contains(body, "Ines Duarte RN") {
			t.Errorf("%s: %d, or the form is empty", name, status)
		}
	}
	status, body, _ := h.submit(novak, "/admin/people", changes("x")["/admin/people"])
	code := regexp.MustCompile(`[0-9A-Z]{4}(-[0-9A-Z]{4}){3}`).FindString(body)
	if status != 200 || code == "" || !strings.Contains(body, here.String()+"/enrol") {
		t.Fatalf("%d, code %q", status, code)
	}
	if _, body, _ := h.get(novak, "/admin/people/duarte"); strings.Contains(body, code) || !strings.Contains(body, "Invited") {
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
	if status != 303 || header.Get("Location") != "/admin/people/lab?done=added" {
		t.Errorf("a program: %d to %q", status, header.Get("Location"))
	}
	for _, path := range []string{"/invite", "/start-over"} {
		if status, body, _ := h.submit(novak, "/admin/people/lab"+path, nil); status != 422 || !strings.Contains(body, "is a program") {
			t.Errorf("a program, %s: %d", path, status)
		}
	}
	if log := h.log.String(); !strings.Contains(log, `msg=administered`) || !strings.Contains(log, "did=invited") {
		t.Error("the log does not say who was invited")
	}
}

// TestPeopleAreFound: by words and role, fifty at a time, each once.
func TestPeopleAreFound(t *testing.T) {
	h := open(t)
	h.sql(`INSERT INTO person (id, username, name, role, unit_id, color) SELECT gen_random_uuid(), 'mass' || n, 'Mass ' || n || ' 100%_', 'nurse', 'icu', 0 FROM generate_series(1, 120) n`)
	novak := h.signIn("novak")
	for query, want := range map[string]int{
		"": 50, "?q=mei": 1, "?q=MEI+chen": 1, "?q=mei+okafor": 0, "?role=attending": 1, "?role=nurse&q=icu+jonas": 1, "?role=janitor": 0, "?q=%25_": 50,
		"?q=%25%25": 0, "?after=zzz": 0, "?q=4-west": 5,
	} {
		status, body, _ := h.get(novak, "/admin/people"+query)
		if got := strings.Count(body, `<tr><th scope="row">`); status != 200 || got != want {
			t.Errorf("%q: %d, %d people, want %d", query, status, got, want)
		}
	}
	if status, _, _ := h.get(novak, "/admin/people?q=%00"); status != 404 {
		t.Errorf("what nobody is called: %d", status)
	}
	seen, path := make(map[string]int), "/admin/people?q=mass"
	for pages := 0; path != ""; pages++ {
		if pages > 3 {
			t.Fatal("the list does not end")
		}
		_, body, _ := h.get(novak, path)
		for _, m := range regexp.MustCompile(`href="/admin/people/(mass\d+)"`).FindAllStringSubmatch(body, -1) {
			seen[m[1]]++
		}
		path = ""
		if m := regexp.MustCompile(`href="([^"]+)" rel="next"`).FindStringSubmatch(body); m != nil {
			path = strings.ReplaceAll(m[1], "&amp;", "&")
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

// TestWorkIsChanged on the page: open notes follow within a second, and nobody overwrites what they have not seen.
func TestWorkIsChanged(t *testing.T) {
	h := open(t).work()
	h.sql(`UPDATE note SET kind = 'progress' WHERE id = $1`, h.note)
	novak := h.signIn("novak")
	ws := h.openWire(h.token("okafor"), nil)
	send := func(pairs ...string) (int, string) {
		t.Helper()
		_, page, _ := h.get(novak, "/admin/people/okafor")
		epoch := regexp.MustCompile(`name="epoch" value="(\d+)"`).FindStringSubmatch(page)
		if epoch == nil {
			t.Fatal("the page has no form")
		}
		sent := form("name", "Dr Daniel Okafor", "role", "resident", "unit", "4-west", "supervisor", "", "epoch", epoch[1])
		for i := 0; i < len(pairs); i += 2 {
			sent.Set(pairs[i], pairs[i+1])
		}
		return h.post(novak, "/admin/people/okafor/work", sent)
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
	at := "/admin/people/okafor/shifts"
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
	if _, page, _ := h.get(novak, "/admin/people/okafor"); !strings.Contains(page, "End the shift on 4-west") {
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
	if status, _ := h.post(novak, "/admin/people/chen/suspend", nil); status != 303 {
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
		if status, body := h.post(novak, "/admin/people/chen"+path, nil); status != 422 || !strings.Contains(body, "is suspended") {
			t.Errorf("%s of who is suspended: %d", path, status)
		}
	}
	if _, page, _ := h.get(novak, "/admin/people/chen"); !strings.Contains(page, "Reinstate") || !strings.Contains(page, "Suspended") {
		t.Error("the page does not say so")
	}
	if status, _ := h.post(novak, "/admin/people/chen/reinstate", nil); status != 303 {
		t.Error(status)
	}
	h.signIn("chen")
}

// TestAnAdministratorRemains: two administrators who send each other away at one moment do not both go; and who is none
// any more changes nobody, whenever that was decided.
func TestAnAdministratorRemains(t *testing.T) {
	h := open(t)
	h.hire("brink", "administrator", "", "")
	ids := make(map[string]uuid.UUID)
	for _, username := range []string{"novak", "brink"} {
		a, err := login.AccountOf(t.Context(), h.db, username)
		if err != nil {
			t.Fatal(err)
		}
		ids[username] = a.ID
	}
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
	chen, err := login.AccountOf(t.Context(), h.db, "chen")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := login.Alter(t.Context(), h.db, chen.ID, "okafor", login.Change{Suspended: &yes}); !errors.Is(err, login.ErrOffice) {
		t.Errorf("an attending suspends a resident: %v", err)
	}
}

// TestLoginsOfOthers: an administrator sees where somebody is signed in, and ends it; nothing of anybody else.
func TestLoginsOfOthers(t *testing.T) {
	h := open(t)
	novak, chen, again, rivera := h.signIn("novak"), h.signIn("chen"), h.signIn("chen"), h.signIn("rivera")
	ws := h.openWireOf(again)
	ids := regexp.MustCompile(`name="id" value="([0-9a-f-]{36})"`)
	_, page, _ := h.get(novak, "/admin/people/chen")
	listed := ids.FindAllStringSubmatch(page, -1)
	if len(listed) != 2 {
		t.Fatalf("%d logins, want 2", len(listed))
	}
	if status, _ := h.post(novak, "/admin/people/rivera/logins/end", form("id", listed[0][1])); status != 404 {
		t.Errorf("another's login: %d", status)
	}
	before := time.Now()
	for _, id := range listed {
		if status, _ := h.post(novak, "/admin/people/chen/logins/end", form("id", id[1])); status != 303 {
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
		if status, _ := h.post(novak, "/admin/people/chen/logins/end", form("id", id)); status != 404 {
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
	_, page, _ := h.get(novak, "/admin/people/chen")
	for _, want := range []string{"Password, with codes from an app (10 recovery codes left); 1 passkey.", "Passkey made with"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	status, body := h.post(novak, "/admin/people/chen/start-over", nil)
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
	if _, page, _ := h.get(novak, "/admin/people/chen"); !strings.Contains(page, "In no way yet") {
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
	novak, at := h.signIn("novak"), "/admin/people/lab/tokens"
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
	if status, body := h.post(novak, "/admin/people/chen/tokens", form("days", "30")); status != 422 || strings.Contains(body, "tide_") {
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
	_, page, _ := h.get(novak, "/admin/people/lab")
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
	if status, _ := h.post(novak, "/admin/people/chen/tokens/revoke", form("id", all[0].ID.String())); status != 404 {
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
