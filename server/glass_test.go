package server_test

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/clisonix/tidechart/server/demo"
	"github.com/clisonix/tidechart/server/store"
)

// submit sends a form.
func (h *hospital) submit(c *http.Client, path string, form url.Values) (status int, body string, header http.Header) {
	h.t.Helper()
	r, err := c.PostForm(h.URL+path, form)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return r.StatusCode, string(b), r.Header
}

// count runs a query for one number.
func (h *hospital) count(query string, args ...any) (n int) {
	h.t.Helper()
	if err := h.connect().QueryRow(h.t.Context(), query, args...).Scan(&n); err != nil {
		h.t.Fatal(err)
	}
	return n
}

// why is a form that breaks the glass for the patient of the note.
func (h *hospital) why() url.Values {
	return url.Values{"note": {h.note.String()}, "reason": {"emergency"}, "words": {"Arrest on the stairs, no chart."}}
}

// age makes every browser's sign-in too old for what is grave.
func (h *hospital) age() {
	h.t.Helper()
	h.sql(`UPDATE login SET proven_at = now() - interval '5 minutes'`)
}

// connect returns a connection to the database, as an operator has one.
func (h *hospital) connect() *pgx.Conn {
	h.t.Helper()
	conn, err := pgx.Connect(h.t.Context(), h.url)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// TestGlass: a nurse of another unit opens one record in an emergency, for one patient, with a reason; others are told at
// once, and one of them closes the review, who is not the nurse.
func TestGlass(t *testing.T) {
	h := open(t).work()
	brandt, haddad, lindqvist := h.signIn("brandt"), h.signIn("haddad"), h.signIn("lindqvist")
	note := "/notes/" + h.note.String()
	if status, body, _ := h.get(brandt, note); status != 403 || !strings.Contains(body, "/glass?note="+h.note.String()) {
		t.Fatalf("before: %d, offers the glass: %v", status, strings.Contains(body, "/glass?note="))
	}
	events := h.watch(haddad)
	if first := <-events; strings.Contains(first, "See why") {
		t.Fatal("somebody is told of nothing")
	}
	for name, change := range map[string]url.Values{
		"no reason": {"reason": {""}}, "a reason of their own": {"reason": {"curiosity"}}, "too few words": {"words": {"because"}},
		"too many": {"words": {strings.Repeat("long ", 101)}}, "nobody": {"note": {""}}, "nobody known": {"note": {""}, "patient": {"T-000000"}},
		"no text": {"words": {"because of \x00 that"}},
	} {
		form := h.why()
		for k, v := range change {
			form[k] = v
		}
		if status, body, _ := h.submit(brandt, "/glass", form); status != 422 || !strings.Contains(body, "glass-error") {
			t.Errorf("%s: %d", name, status)
		}
	}
	if n := h.count("SELECT count(*) FROM glass"); n != 0 {
		t.Fatalf("the glass was broken %d times", n)
	}

	broke := time.Now()
	if status, _, header := h.submit(brandt, "/glass", h.why()); status != 303 || header.Get("Location") != note {
		t.Fatalf("%d to %s", status, header.Get("Location"))
	}
	for told := false; !told; {
		select {
		case event, more := <-events:
			if told = strings.Contains(event, "See why"); !more {
				t.Fatal("the stream ends")
			}
		case <-time.After(5 * time.Second):
			t.Fatal("the charge nurse is not told")
		}
	}
	if took := time.Since(broke); took > time.Second {
		t.Errorf("the charge nurse is told after %v", took)
	}
	for _, c := range []*http.Client{haddad, lindqvist} {
		if _, body, _ := h.get(c, "/reviews"); !containsAny(body, "Arrest on the stairs") || !containsAny(body, "Emergency access (1)") || !containsAny(body, "Open now") {
			t.Error("the list does not have it")
		}
	}
	if status, _, _ := h.get(brandt, note); status != 200 {
		t.Errorf("afterwards: %d", status)
	}
	ws := h.openWire(h.token("brandt"), nil)
	if saved, _ := ws.write(10, 0); !saved {
		t.Error("not saved")
	}
	another := h.count(`SELECT count(*) FROM tie JOIN person ON person.id = person_id WHERE username = 'brandt' AND kind = 'glass'`)
	if another != 1 {
		t.Errorf("%d records are open", another)
	}

	_, page, _ := h.get(lindqvist, "/reviews")
	review := regexp.MustCompile(`/reviews/[0-9a-f-]{36}`).FindString(page)
	finding := url.Values{"finding": {"inappropriate"}, "words": {"Was asked; it was for a friend."}}
	for name, c := range map[string]*http.Client{"a nurse": brandt, "a nurse of the unit": h.signIn("rivera"), "an administrator": h.signIn("novak")} {
		if status, _, _ := h.submit(c, review, finding); status != 403 {
			t.Errorf("%s closes it: %d", name, status)
		}
	}
	h.sql(`UPDATE person SET role = 'charge nurse', unit_id = '4-west' WHERE username = 'brandt'`)
	if status, _, _ := h.submit(brandt, review, finding); status != 403 {
		t.Errorf("who broke it closes it: %d", status)
	}
	if status, _, _ := h.submit(haddad, review, url.Values{"finding": {"inappropriate"}}); status != 422 {
		t.Errorf("closed without a word: %d", status)
	}
	for range 2 { // the second time changes nothing
		if status, _, _ := h.submit(haddad, review, finding); status != 303 {
			t.Errorf("somebody else closes it: %d", status)
		}
	}
	if _, body, _ := h.get(lindqvist, "/reviews"); !containsAny(body, "for a friend") || containsAny(body, "Emergency access (") {
		t.Error("it still waits")
	}
}

// TestGlassEnds: after its time the socket that it opened closes, without anybody's doing; a page does not open.
func TestGlassEnds(t *testing.T) {
	h := open(t).work()
	h.sql(`INSERT INTO glass (id, person_id, patient_id, reason, words, until)
		SELECT gen_random_uuid(), person.id, note.patient_id, 'other', decode(repeat('00', 34), 'hex'), now() + interval '4 seconds'
		  FROM person, note WHERE username = 'brandt' AND note.id = $1`, h.note)
	began := time.Now()
	ws, other := h.openWire(h.token("brandt"), nil), h.openWire(h.token("chen"), nil)
	if saved, _ := ws.write(10, 0); !saved {
		t.Fatal("not saved")
	}
	if _, code := ws.until(isScope); code != 4403 {
		t.Errorf("close code %d, want 4403", code)
	}
	if took := time.Since(began); took < 3*time.Second || took > 5*time.Second {
		t.Errorf("it ended after %v, want 4 s", took)
	}
	if status, _, _ := h.get(h.signIn("brandt"), "/notes/"+h.note.String()); status != 403 {
		t.Errorf("the page: %d", status)
	}
	if saved, _ := other.write(20, 0); !saved {
		t.Error("somebody else: not saved")
	}
}

// TestGlassNeedsAFreshSignIn, and is not for everybody.
func TestGlassNeedsAFreshSignIn(t *testing.T) {
	h := open(t).work()
	brandt := h.signIn("brandt")
	h.age()
	back := "/glass?note=" + h.note.String()
	confirm := "/confirm?next=" + url.QueryEscape(back)
	if status, _, header := h.get(brandt, back); status != 303 || header.Get("Location") != confirm {
		t.Errorf("the page: %d to %q", status, header.Get("Location"))
	}
	if status, _, header := h.submit(brandt, "/glass", h.why()); status != 303 || header.Get("Location") != confirm {
		t.Errorf("the form: %d to %q", status, header.Get("Location"))
	}
	if n := h.count("SELECT count(*) FROM glass"); n != 0 {
		t.Fatalf("broken %d times by an old sign-in", n)
	}
	if status, to := h.confirm(brandt, demo.Password, back); status != 303 || to != back {
		t.Errorf("the password: %d to %q", status, to)
	}
	if status, _, header := h.submit(brandt, "/glass", h.why()); status != 303 || header.Get("Location") != "/notes/"+h.note.String() {
		t.Errorf("the form after it: %d to %q", status, header.Get("Location"))
	}
	if n := h.count("SELECT count(*) FROM glass"); n != 1 {
		t.Errorf("broken %d times", n)
	}
	if status, _, _ := h.api("POST", "/glass", h.token("brandt"), "", nil); status == 303 {
		t.Error("a token breaks it")
	}
	for _, username := range []string{"moreau", "novak", "lindqvist"} {
		if status, _, _ := h.submit(h.signIn(username), "/glass", h.why()); status != 403 {
			t.Errorf("%s: %d", username, status)
		}
	}
	h.sql(`UPDATE person SET patient_id = (SELECT patient_id FROM note WHERE id = $1) WHERE username = 'okafor'`, h.note)
	if status, body, _ := h.submit(h.signIn("okafor"), "/glass", h.why()); status != 403 || !containsAny(body, "about yourself") {
		t.Errorf("one's own record: %d", status)
	}
	if n := h.count("SELECT count(*) FROM glass"); n != 1 {
		t.Errorf("broken %d times", n)
	}
}

// TestWhoHasOpenedARecord: the privacy officer sees it, and hands it out; nobody changes it.
func TestWhoHasOpenedARecord(t *testing.T) {
	h := open(t).work()
	row, err := h.db.NoteByID(t.Context(), h.note)
	if err != nil {
		t.Fatal(err)
	}
	path, note := "/patients/"+row.Patient.ID.String()+"/accesses", "/notes/"+h.note.String()
	chen := h.signIn("chen")
	for range 3 {
		h.get(chen, note)
	}
	h.openWire(h.token("rivera"), nil)
	h.api("GET", "/api/v1"+note+"/state", h.token("okafor"), "", nil)
	h.get(h.signIn("brandt"), note)
	if n := h.count("SELECT count(*) FROM opening WHERE how = 'page' AND ties = 'unit'"); n < 1 || n > 2 { // a minute may end meanwhile
		t.Errorf("three looks at a page are on record %d times", n)
	}

	lindqvist := h.signIn("lindqvist")
	_, page, _ := h.get(lindqvist, path)
	for _, want := range []string{"Dr Mei Chen", "read a note", "Rosa Rivera", "had a note open", "Dr Daniel Okafor", "over the API", "Jonas Brandt", "Refused"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, username := range []string{"chen", "haddad", "novak"} {
		if status, _, _ := h.get(h.signIn(username), path); status != 403 {
			t.Errorf("%s sees it: %d", username, status)
		}
	}
	if status, _, _ := h.get(lindqvist, "/patients/none/accesses"); status != 404 {
		t.Errorf("nobody's: %d", status)
	}
	h.age()
	if status, _, header := h.submit(lindqvist, path, nil); status != 303 || header.Get("Location") != "/confirm?next="+url.QueryEscape(path) {
		t.Errorf("export after an old sign-in: %d to %q", status, header.Get("Location"))
	}
	if status, _ := h.confirm(lindqvist, demo.Password, path); status != 303 {
		t.Errorf("the password: %d", status)
	}
	status, body, header := h.submit(lindqvist, path, nil)
	rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if status != 200 || err != nil || len(rows) < 6 || !strings.Contains(header.Get("Content-Disposition"), "attachment") {
		t.Fatalf("export: %d, %d rows, %v", status, len(rows), err)
	}
	if got := rows[1]; got[1] != "Erik Lindqvist" || got[4] != "exported this list" {
		t.Errorf("the newest is %q: that it was handed out is not on it", got)
	}
	for _, statement := range []string{"DELETE FROM opening", "UPDATE opening SET how = 'api'", "TRUNCATE opening", "DELETE FROM glass", "UPDATE glass_review SET words = ''"} {
		if _, err := h.connect().Exec(t.Context(), statement); err == nil {
			t.Errorf("%s is allowed", statement)
		}
	}
}

// rename gives patients another family name.
func (h *hospital) rename(which, family string, args ...any) {
	h.t.Helper()
	ctx, conn := h.t.Context(), h.connect()
	rows, err := conn.Query(ctx, which, args...)
	if err != nil {
		h.t.Fatal(err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		h.t.Fatal(err)
	}
	for _, id := range ids {
		p := h.patient(id)
		p.Family = family
		if same, err := h.db.PutPatient(ctx, p, ""); err != nil || same != id {
			h.t.Fatal(same, err)
		}
	}
}

// patient is who somebody is.
func (h *hospital) patient(id uuid.UUID) store.Patient {
	h.t.Helper()
	row, err := h.db.PatientByID(h.t.Context(), id)
	if err != nil {
		h.t.Fatal(err)
	}
	p, err := h.db.OpenPatient(h.t.Context(), row)
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

// TestSnoopersRankFirst: of all who open records, those whose reasons are the hardest to see come first; who cares for the
// patient is not listed.
func TestSnoopersRankFirst(t *testing.T) {
	h := open(t).work()
	note := "/notes/" + h.note.String()
	h.sql(`UPDATE patient SET vip = true WHERE id = `+patient, h.note)
	h.rename(`SELECT patient_id FROM note WHERE id = $1`, "Lindgren", h.note)
	h.sql(`INSERT INTO care_team (patient_id, person_id) SELECT note.patient_id, person.id FROM note, person WHERE note.id = $1 AND username = 'chen'`, h.note)
	h.sql(`UPDATE person SET name = 'Ola Lindgren RN' WHERE username = 'brandt'`)
	for _, username := range []string{"chen", "okafor", "brandt"} { // on the care team; on the unit; of the same name, elsewhere
		h.get(h.signIn(username), note)
	}
	_, page, _ := h.get(h.signIn("lindqvist"), "/reviews/activity")
	snooper, colleague := strings.Index(page, "Ola Lindgren"), strings.Index(page, "Daniel Okafor")
	if snooper < 0 || colleague < snooper || strings.Contains(page, "Mei Chen") || strings.Contains(page, "LINDGREN") {
		t.Errorf("the snooper is at %d, a colleague at %d, the care team is listed: %v", snooper, colleague, strings.Contains(page, "Mei Chen"))
	}
	for _, want := range []string{"same family name", "nothing linked them", "was refused", "restricted record"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if status, _, _ := h.get(h.signIn("haddad"), "/reviews/activity"); status != 403 {
		t.Errorf("a charge nurse: %d", status)
	}
}

// TestWhatIsUnusual: each of the things that a review asks for is found, by itself, and what is usual is not. Whoever reads
// everything does not push others off the page.
func TestWhatIsUnusual(t *testing.T) {
	h := open(t).work()
	// Beds of 4 West, where okafor works and brandt does not; moreau is chen's student.
	h.sql(`CREATE VIEW lies AS SELECT patient_id, bed.label FROM stay JOIN bed ON bed.id = stay.bed_id`)
	h.sql(`UPDATE patient SET vip = false`)
	h.rename(`SELECT patient_id FROM lies`, "Reed")
	opened := func(username, bed, how, ties, ago string) {
		t.Helper()
		h.sql(`INSERT INTO opening (person_id, patient_id, how, ties, at, minute) SELECT person.id, lies.patient_id, $3, $4, now() - $5::text::interval, floor(random() * 1e9)
			FROM person, lies WHERE username = $1 AND label = $2`, username, bed, how, ties, ago)
	}
	opened("okafor", "4W-01", "page", "unit", "1 hour") // his work
	opened("moreau", "4W-01", "page", "supervised", "1 hour")
	opened("rivera", "4W-01", "editor", "author", "1 hour") // finishes what she began
	opened("lindqvist", "4W-01", "page", "", "1 hour")      // whose office it is
	opened("chen", "4W-01", "page", "", "8 days")           // too long ago
	opened("lindqvist", "4W-02", "accesses", "", "1 hour")  // a list of accesses
	list := func() string {
		t.Helper()
		_, page, _ := h.get(h.signIn("lindqvist"), "/reviews/activity")
		rows := regexp.MustCompile(`(?s)<tbody>.*</tbody>`).FindString(page)
		return regexp.MustCompile(`\s*<[^>]*>\s*`).ReplaceAllString(rows, " ")
	}
	if rows := list(); rows != "" {
		t.Errorf("what is usual is listed: %s", rows)
	}

	h.sql(`UPDATE person SET patient_id = (SELECT patient_id FROM lies WHERE label = '4W-03') WHERE username = 'okafor'`)
	h.rename(`SELECT patient_id FROM lies WHERE label = '4W-04'`, "Brandt-Ostrowski")
	h.rename(`SELECT patient_id FROM lies WHERE label = '4W-05'`, "van Drift")
	h.sql(`UPDATE person SET name = 'Rosa van Rivera RN' WHERE username = 'rivera'`)
	h.sql(`UPDATE patient SET vip = true WHERE id = (SELECT patient_id FROM lies WHERE label = '4W-06')`)
	opened("rivera", "4W-05", "page", "unit", "1 hour") // of whose name she has a particle
	opened("okafor", "4W-03", "page", "unit", "1 hour") // nobody knew that it is his own
	opened("brandt", "4W-04", "page", "unit", "1 hour") // a relative, on shift here
	opened("sato", "4W-08", "page", "", "1 hour")       // nothing to do with them
	opened("haddad", "4W-06", "page", "unit", "1 hour") // on the unit, of a restricted record
	opened("chen", "4W-06", "page", "team", "1 hour")   // who cares for them
	h.sql(`CREATE TABLE before AS SELECT id FROM patient`)
	for n := range 61 {
		if _, err := h.db.PutPatient(t.Context(), store.Patient{Mrn: fmt.Sprintf("many-%d", n), Family: "Many", BirthDate: time.Now()}, ""); err != nil {
			t.Fatal(err)
		}
	}
	h.sql(`INSERT INTO opening (person_id, patient_id, how, ties, at) SELECT person.id, patient.id, 'api', 'unit', date_trunc('day', now()) - interval '1 day' - interval '3 hours' + row_number() OVER () * interval '5 minutes'
		FROM person, patient WHERE username = 'moreau' AND patient.id NOT IN (SELECT id FROM before)`) // through the night
	rows := list()
	order := []string{"Daniel Okafor", "own record", "Jonas Brandt", "same family name", "Yuki Sato", "nothing linked them", "Lina Haddad", "restricted record"}
	at := 0
	for _, want := range order {
		i := strings.Index(rows[at:], want)
		if i < 0 {
			t.Fatalf("%q does not follow in: %s", want, rows)
		}
		at += i
	}
	if got := strings.Count(rows, "61 records in a day"); got != 10 {
		t.Errorf("who reads everything has %d rows, want 10: %s", got, rows)
	}
	if containsAny(rows, "Rosa", "Mei Chen", "Erik") {
		t.Errorf("what is usual is listed: %s", rows)
	}
	h.sql(`INSERT INTO opening (person_id, patient_id, how, ties, at, minute) SELECT person.id, patient.id, 'api', 'unit', now() - n * interval '1 day', n
		FROM person, (SELECT id FROM patient WHERE id NOT IN (SELECT id FROM before) ORDER BY id LIMIT 22) patient, generate_series(1, 5) n WHERE username = 'chen'`)
	if strings.Contains(list(), "Mei Chen") {
		t.Error("a few records, day after day, are many")
	}
}

// TestNextLeadsToTheGlass: a link to a note that somebody may not read leads them, when they have signed in, to where they
// break the glass for it; who may not do that learns nothing, not even whether there is such a note.
func TestNextLeadsToTheGlass(t *testing.T) {
	h := open(t)
	if err := h.connect().QueryRow(t.Context(), `SELECT note.id FROM note JOIN stay USING (patient_id) JOIN patient ON patient.id = patient_id
		JOIN bed ON bed.id = bed_id WHERE bed.unit_id = 'icu' AND NOT vip ORDER BY note.id LIMIT 1`).Scan(&h.note); err != nil {
		t.Fatal(err)
	}
	h.work()
	glass, none := "/glass?note="+h.note.String(), uuid.NewString()
	h.sql(`UPDATE person SET patient_id = (SELECT patient_id FROM note WHERE id = $1) WHERE username = 'okafor'`, h.note)
	for _, tt := range []struct{ username, next, want string }{
		{"brandt", "/notes/" + h.note.String(), "/notes/" + h.note.String()}, // works there
		{"chen", "/notes/" + h.note.String(), glass},
		{"chen", "/notes/../notes/" + h.note.String(), glass},
		{"chen", "/notes/" + none, "/"},
		{"okafor", "/notes/" + h.note.String(), "/"}, // his own
		{"moreau", "/notes/" + h.note.String(), "/"}, // a student
		{"moreau", "/notes/" + none, "/"},
		{"novak", "/notes/" + h.note.String(), "/admin"},
		{"novak", "/notes/" + none, "/admin"},
	} {
		c := h.browser()
		_, _, header := h.submit(c, "/login", url.Values{"username": {tt.username}, "password": {demo.Password}, "next": {tt.next}})
		if to := header.Get("Location"); to != tt.want {
			t.Errorf("%s, to %s, is led to %q, want %q", tt.username, tt.next, to, tt.want)
		}
		if tt.want != glass {
			continue
		}
		if status, page, _ := h.get(c, glass); status != http.StatusOK || !strings.Contains(page, `value="`+h.note.String()+`"`) {
			t.Errorf("the page there: %d, or it is not about the note", status)
		}
	}
	if n := h.count("SELECT count(*) FROM opening WHERE how <> 'denied'"); n != 0 {
		t.Errorf("%d records were opened on the way", n)
	}
}
