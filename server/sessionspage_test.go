package server_test

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/server/login"
)

// sat makes sessions that have ended, of the note's first author unless somebody else is named, a minute after one another.
func (h *hospital) sat(n int, username string) {
	h.t.Helper()
	h.sql(`WITH made AS (INSERT INTO session (id, note_id, started_at, ended_at, words, counted)
	                     SELECT gen_random_uuid(), $1, now() - n * interval '1 minute', now(), n % 3, true FROM generate_series(1, $2::int) AS n RETURNING id, started_at)
	       INSERT INTO participation (id, session_id, person_id, joined_at, left_at, device)
	       SELECT gen_random_uuid(), made.id, person.id, started_at, now(), 'Firefox on Windows' FROM made, person WHERE username = $3`, h.note, n, username)
}

var (
	sessionLink = regexp.MustCompile(`href="/admin/sessions/([0-9a-f-]{36})"`)
	nextPage    = regexp.MustCompile(`href="([^"]+)" rel="next"`)
)

// listed are the sessions of a page, and where the next one is.
func listed(page string) (ids []string, next string) {
	for _, found := range sessionLink.FindAllStringSubmatch(page, -1) {
		ids = append(ids, found[1])
	}
	if found := nextPage.FindStringSubmatch(page); found != nil {
		next = strings.ReplaceAll(found[1], "&amp;", "&")
	}
	return ids, next
}

// TestSessionsAreFound: by who was there, about whom, on which unit, when and whether they live; what there is not, is said, and no
// address leads astray.
func TestSessionsAreFound(t *testing.T) {
	h := open(t)
	h.sat(1, "chen")
	h.sql(`UPDATE session SET started_at = '2025-03-01 12:00:00Z', ended_at = '2025-03-03 13:00:00Z'`)
	h.sat(1, "rivera")
	_, state, _ := h.api("GET", "/api/v1/notes/"+h.note.String()+"/state", h.token("chen"), "", nil)
	h.edit("okafor", state, func(tx *crdt.Txn, f *crdt.XMLFragment) {
		f.Insert(tx, 0, crdt.NewXMLElement("paragraph", nil, crdt.NewXMLText("Slept well.")))
	})
	if _, err := h.db.CountSessions(t.Context()); err != nil {
		t.Fatal(err)
	}
	patient := h.patient(uuid.MustParse(h.text(`SELECT patient_id::text FROM note WHERE id = $1`, h.note)))
	officer := h.signIn("lindqvist")
	tomorrow := time.Now().AddDate(0, 0, 2).Format(time.DateOnly) // when what is live still goes on
	for query, want := range map[string]int{
		"": 3, "state=live": 1, "state=ended": 2, "state=astray": 3, "person=chen": 1, "person=okafor": 1, "person=okafor&state=ended": 0, "person=novak": 0,
		"unit=4-west": 3, "unit=icu": 0, "since=2025-03-01&until=2025-03-01": 1, "since=2025-03-02&until=2025-03-02": 1, "since=2025-03-03&until=2025-03-09&state=ended": 1, "until=2025-03-02": 1,
		"until=2025-02-28": 0, "since=2025-03-04&until=2025-03-09": 0, "since=2025-03-03": 3, "since=2025-03-04": 2, "since=" + tomorrow: 1, "since=" + tomorrow + "&sort=oldest": 1,
		"patient=" + patient.ID.String(): 3, "sort=oldest": 3, "sort=words": 3, "sort=%27": 3, "after=": 3,
		"state=ended&after=1740830400000000.ffffffff-ffff-ffff-ffff-ffffffffffff": 1, "state=ended&sort=words&after=0.00000000-0000-0000-0000-000000000000": 0,
	} {
		status, page, _ := h.get(officer, "/admin/sessions?"+query)
		if ids, _ := listed(page); status != http.StatusOK || len(ids) != want {
			t.Errorf("%q: %d, %d sessions, want %d", query, status, len(ids), want)
		}
		if strings.Contains(page, patient.Family) || strings.Contains(page, patient.Mrn) {
			t.Errorf("%q names the patient", query)
		}
	}
	for query, want := range map[string]string{
		"person=nobody": "Nobody has this username", "person=%00": "Nobody has this username", "unit=mars": "no such unit", "unit=%00%ff": "no such unit",
		"since=yesterday": "Give days as in", "until=2026-02-30": "Give days as in", "since=0000-01-01%00": "Give days as in", "since=2025-03-03&until=2025-03-02": "before the first", "patient=1": "no such patient", "after=x": "no such page",
		"after=1.2": "no such page", "after=99999999999999999999.ffffffff-ffff-ffff-ffff-ffffffffffff": "no such page",
		"after=9223372036854775807.ffffffff-ffff-ffff-ffff-ffffffffffff": "no such page", "person=" + strings.Repeat("x", 5000): "Nobody has this username",
	} {
		if status, page, _ := h.get(officer, "/admin/sessions?"+query); status != http.StatusUnprocessableEntity || !strings.Contains(page, want) {
			t.Errorf("%q: %d, and does not say %q", query, status, want)
		}
		if strings.HasPrefix(query, "after=") {
			continue
		}
		if status, _, _ := h.get(officer, "/admin/sessions/events?"+query); status != http.StatusUnprocessableEntity {
			t.Errorf("events of %q: %d", query, status)
		}
	}
	if status, _, _ := h.get(officer, "/admin/sessions?patient="+uuid.NewString()); status != http.StatusNotFound {
		t.Errorf("a patient that is not there: %d", status)
	}

	h.acts()
	status, _, header := h.submit(officer, "/admin/sessions/patient", form("mrn", patient.Mrn, "filter", "state=live&unit=4-west&after=1.2"))
	to := header.Get("Location")
	if status != http.StatusSeeOther || to != "/admin/sessions?patient="+patient.ID.String()+"&sort=newest&state=live&unit=4-west" {
		t.Errorf("a patient's number leads to %q (%d)", to, status)
	}
	if _, page, _ := h.get(officer, to); !strings.Contains(page, "alone.") || !strings.Contains(page, patient.Given[:1]+patient.Family[:1]) {
		t.Error("the page does not say about whom alone it is")
	}
	h.recorded("looks for sessions about a patient", "search.sessions done lindqvist patient")
	h.get(officer, "/admin/sessions?person=okafor")
	h.recorded("looks for sessions of somebody", "search.sessions done lindqvist okafor")
	h.get(officer, "/admin/sessions?state=ended")
	h.recorded("looks at all sessions")
	if status, _, _ := h.submit(officer, "/admin/sessions/patient", form("mrn", "none")); status != http.StatusUnprocessableEntity {
		t.Errorf("a number that nobody has: %d", status)
	}
}

// TestAdministratorsReviewSessions: they see who wrote how much, when and with what, and of patients bed and initials; they find no
// patient by number, read nothing, and take nothing along. Who neither administers nor reviews sees none of it.
func TestAdministratorsReviewSessions(t *testing.T) {
	h := open(t)
	token, err := login.IssueToken(t.Context(), h.db, login.NewToken{Username: "okafor", Label: "Ward tablet"})
	if err != nil {
		t.Fatal(err)
	}
	_, state, _ := h.api("GET", "/api/v1/notes/"+h.note.String()+"/state", token, "", nil)
	doc := crdt.New("")
	if err := doc.ApplyUpdate(state); err != nil {
		t.Fatal(err)
	}
	update, err := doc.Transact(77, func(tx *crdt.Txn) {
		doc.XMLFragment("default").Insert(tx, 0, crdt.NewXMLElement("paragraph", nil, crdt.NewXMLText("CANARY slept well")))
	})
	if err != nil {
		t.Fatal(err)
	}
	if status, body, _ := h.api("POST", "/api/v1/notes/"+h.note.String()+"/edits", token, "", update); status != http.StatusOK {
		t.Fatal(status, string(body))
	}
	h.api("POST", "/api/v1/notes/"+h.note.String()+"/edits", token, "", h.forgery(state))
	h.get(h.signIn("brandt"), "/notes/"+h.note.String())
	h.lose(" ANAPHYLAXIS")
	if got := h.losses("lindqvist", ""); len(got) != 1 {
		t.Fatal(got)
	}
	if _, err := h.db.CountSessions(t.Context()); err != nil {
		t.Fatal(err)
	}
	patient := h.patient(uuid.MustParse(h.text(`SELECT patient_id::text FROM note WHERE id = $1`, h.note)))
	const bed = ` FROM bed JOIN stay ON stay.bed_id = bed.id JOIN note ON note.patient_id = stay.patient_id WHERE note.id = $1`
	lay := h.text(`SELECT bed.label`+bed, h.note)
	h.sql(`UPDATE bed SET label = 'ELSEWHERE' WHERE id = (SELECT bed.id`+bed+`)`, h.note)
	admin, officer := h.signIn("novak"), h.signIn("lindqvist")
	_, list, _ := h.get(admin, "/admin/sessions")
	ids, _ := listed(list)
	if len(ids) != 1 {
		t.Fatalf("%d sessions", len(ids))
	}
	if strings.Contains(list, "ELSEWHERE") || !strings.Contains(list, lay) {
		t.Errorf("the list does not say that the patient lay in %s then", lay)
	}
	path := "/admin/sessions/" + ids[0]
	h.acts()
	_, page, _ := h.get(admin, path)
	h.recorded("looks at a session", "session.see done novak note")
	for _, want := range []string{
		"Dr Daniel Okafor", "token “Ward tablet”", "Rosa Rivera RN", "3 words, 17 characters", "refused: sent forged updates",
		"refused: asked for what is not theirs", "Jonas Brandt RN", "lost text unseen", "12 characters, removed by Rosa Rivera RN; not settled", "Dr Daniel Okafor: 3 words",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the session does not say %q", want)
		}
	}
	for _, secret := range []string{"CANARY", "ANAPHYLAXIS", patient.Family, patient.Mrn, "/notes/", "/admin/sessions/export", `name="mrn"`} {
		if strings.Contains(list, secret) || strings.Contains(page, secret) {
			t.Errorf("an administrator's page holds %q", secret)
		}
	}
	if !strings.Contains(list, "2 refusals") || !strings.Contains(list, "1 lost edit") {
		t.Error("the list does not say what to look at")
	}
	_, page, _ = h.get(officer, path)
	replay := regexp.MustCompile(`id="replay" href="(/notes/[0-9a-f-]+/history\?at=2)"`).FindStringSubmatch(page)
	if replay == nil {
		t.Fatal("nothing leads the privacy officer to the replay")
	}
	if status, past, _ := h.get(officer, replay[1]); status != http.StatusOK || !strings.Contains(past, "CANARY") {
		t.Errorf("the replay: %d", status)
	}
	if status, _, _ := h.get(admin, replay[1]); status != http.StatusForbidden {
		t.Errorf("an administrator's replay: %d", status)
	}
	for _, to := range []string{"/admin/sessions/patient", "/admin/sessions/export"} {
		if status, _, _ := h.submit(admin, to, form("mrn", patient.Mrn, "as", "csv")); status != http.StatusForbidden {
			t.Errorf("an administrator asks %s: %d", to, status)
		}
		if status, _, _ := h.submit(h.signIn("rivera"), to, form("mrn", patient.Mrn, "as", "csv")); status != http.StatusForbidden {
			t.Errorf("a nurse asks %s: %d", to, status)
		}
	}
	for _, path := range []string{path, "/admin/sessions/events"} {
		if status, _, _ := h.get(h.signIn("rivera"), path); status != http.StatusForbidden {
			t.Errorf("a nurse asks %s: %d", path, status)
		}
	}
	for _, id := range []string{"x", uuid.NewString(), "%00"} {
		if status, _, _ := h.get(admin, "/admin/sessions/"+id); status != http.StatusNotFound {
			t.Errorf("session %q: %d", id, status)
		}
	}
}

// TestPagesOfSessions: whoever goes from page to page sees each session once, though others begin meanwhile, in any order.
func TestPagesOfSessions(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.sat(120, "chen")
	h.sql(`UPDATE session SET started_at = date_trunc('hour', started_at)`) // many at one time
	before := strings.Fields(h.text(`SELECT string_agg(id::text, ' ') FROM session`))
	admin := h.signIn("novak")
	for _, sort := range []string{"newest", "oldest", "words"} {
		seen := make(map[string]int)
		for next := "/admin/sessions?state=ended&person=chen&sort=" + sort; next != ""; {
			status, page, _ := h.get(admin, next)
			var ids []string
			if ids, next = listed(page); status != http.StatusOK || len(ids) == 0 {
				t.Fatalf("%s: %d with %d sessions", sort, status, len(ids))
			}
			for _, id := range ids {
				seen[id]++
			}
			h.sat(3, "chen")
		}
		for _, id := range before {
			if seen[id] != 1 {
				t.Errorf("%s: a session is seen %d times", sort, seen[id])
			}
		}
	}
}

// TestSessionsAreExported: whole, by who may and has just proven who they are, with names that no spreadsheet takes for formulas; and
// it is on record before anything is handed out.
func TestSessionsAreExported(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.sat(1201, "chen")
	h.sat(1, "rivera")
	h.sql(`UPDATE person SET name = '=HYPERLINK("http://evil","R,R")' WHERE username = 'rivera'`)
	h.sql(`UPDATE participation SET device = '@SUM(A1)' WHERE person_id = (SELECT id FROM person WHERE username = 'rivera')`)
	officer := h.signIn("lindqvist")
	export := func(pairs ...string) (int, string, http.Header) {
		t.Helper()
		return h.submit(officer, "/admin/sessions/export", form(pairs...))
	}
	h.acts()
	status, body, header := export("as", "csv")
	h.recorded("the export", "session.export done lindqvist: csv")
	lines, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if err != nil || status != http.StatusOK || len(lines) != 1203 || header.Get("Content-Type") != "text/csv; charset=utf-8" ||
		header.Get("Content-Disposition") != `attachment; filename="sessions.csv"` || strings.Count(body, "\r\n") != 1203 {
		t.Fatalf("CSV: %d, %d lines, %v, %v", status, len(lines), err, header)
	}
	column := func(name string) int { return slices.Index(lines[0], name) }
	ids := make(map[string]bool)
	for _, line := range lines[1:] {
		ids[line[column("session")]] = true
		for _, cell := range line {
			if strings.ContainsAny(cell[:min(len(cell), 1)], "=+-@\t\r") {
				t.Errorf("a cell is a formula: %q", cell)
			}
		}
		if who := line[column("username")]; who == "rivera" && (line[column("name")] != `'=HYPERLINK("http://evil","R,R")` || line[column("devices")] != "'@SUM(A1)") {
			t.Errorf("rivera's line: %q", line)
		}
	}
	if len(ids) != 1202 {
		t.Errorf("%d sessions in the CSV", len(ids))
	}
	status, body, _ = export("as", "json", "person", "rivera")
	h.recorded("the other export", "session.export done lindqvist rivera: json")
	var all struct {
		Sessions []struct {
			ID     string
			People []struct {
				Name    string
				Devices []string
				Typed   struct{ Characters, Words *int }
			}
		}
	}
	if err := json.Unmarshal([]byte(body), &all); err != nil || status != http.StatusOK || len(all.Sessions) != 1 || len(all.Sessions[0].People) != 1 ||
		!strings.HasPrefix(all.Sessions[0].People[0].Name, "=HYPER") || all.Sessions[0].People[0].Typed.Words == nil || !ids[all.Sessions[0].ID] {
		t.Errorf("JSON: %d, %v, %s", status, err, body)
	}
	for since, want := range map[string]int{time.Now().AddDate(0, 0, -1).Format(time.DateOnly): 1202, time.Now().AddDate(0, 0, 2).Format(time.DateOnly): 0} {
		if _, body, _ := export("as", "json", "since", since); strings.Count(body, `"began"`) != want {
			t.Errorf("since %s: %d sessions, want %d", since, strings.Count(body, `"began"`), want)
		}
	}
	if _, body, _ := export("as", "json", "person", "novak"); body != "{\"sessions\": []}\n" {
		t.Errorf("of nobody's sessions: %q", body)
	}
	if status, _, _ := export("person", "nobody"); status != http.StatusUnprocessableEntity {
		t.Errorf("of nobody: %d", status)
	}
	h.age()
	if status, _, header := export("as", "csv", "person", "chen"); status != http.StatusSeeOther ||
		header.Get("Location") != "/confirm?next="+url.QueryEscape("/admin/sessions?person=chen&sort=newest") {
		t.Errorf("without a fresh proof: %d to %q", status, header.Get("Location"))
	}
	h.sql(`UPDATE login SET proven_at = now(); ALTER TABLE audit_event RENAME TO gone`)
	if status, body, _ := export("as", "csv"); status != http.StatusInternalServerError || strings.Contains(body, "chen") {
		t.Errorf("an export that cannot be recorded: %d", status)
	}
}

// TestLiveSessionsAreShown: a page of live sessions is told when somebody comes, writes, and leaves.
func TestLiveSessionsAreShown(t *testing.T) {
	t.Parallel()
	h := open(t)
	events := h.events(h.signIn("novak"), "/admin/sessions/events?person=okafor")
	until := func(want string) string {
		t.Helper()
		deadline := time.After(30 * time.Second)
		for {
			select {
			case event, more := <-events:
				if !more {
					t.Fatalf("the stream ends before it says %q", want)
				}
				if strings.Contains(event, want) {
					return event
				}
			case <-deadline:
				t.Fatalf("the page is not told %q", want)
			}
		}
	}
	until("Nobody has a note open")
	_, state, _ := h.api("GET", "/api/v1/notes/"+h.note.String()+"/state", h.token("okafor"), "", nil)
	h.edit("okafor", state, func(tx *crdt.Txn, f *crdt.XMLFragment) {
		f.Insert(tx, 0, crdt.NewXMLElement("paragraph", nil, crdt.NewXMLText("Slept well.")))
	})
	until("1 edit not counted yet")
	if _, err := h.db.CountSessions(t.Context()); err != nil {
		t.Fatal(err)
	}
	told := until("typed 2 words, 11 characters")

	// It ends. The page has it among those that have, in one event, and nowhere twice.
	h.sql(`UPDATE participation SET left_at = now(); UPDATE session SET ended_at = now()`)
	if !strings.Contains(told, "Nobody has a note open") { // it may have, by itself
		told = until("Nobody has a note open")
	}
	_, past, _ := strings.Cut(told, `id="past-sessions"`)
	if strings.Count(told, `id="session-`) != 1 || !strings.Contains(past, `id="session-`) || !strings.Contains(past, "typed 2 words, 11 characters") {
		t.Errorf("a session that has ended: %s", told)
	}
}
