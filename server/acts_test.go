package server_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/demo"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/sessions"
)

// acts are those in the log since the last call, each as "act outcome who: code", in the order of the rows. Whom it names is
// said by username.
func (h *hospital) acts() (all []string) {
	h.t.Helper()
	conn := h.connect()
	rows, err := conn.Query(h.t.Context(), `
		SELECT n, act, outcome, coalesce(who.username, '-'), coalesce(them.username, '-'), audit_event.patient_id IS NOT NULL, note_id IS NOT NULL, code
		  FROM audit_event LEFT JOIN person who ON who.id = who LEFT JOIN person them ON them.id = about WHERE n > $1 ORDER BY n`, h.seen)
	if err != nil {
		h.t.Fatal(err)
	}
	for rows.Next() {
		var act, outcome, who, about, code string
		var patient, note bool
		if err := rows.Scan(&h.seen, &act, &outcome, &who, &about, &patient, &note, &code); err != nil {
			h.t.Fatal(err)
		}
		line := act + " " + outcome + " " + who
		switch {
		case patient && note:
			line += " note"
		case patient:
			line += " patient"
		}
		if about != "-" {
			line += " " + about
		}
		all = append(all, strings.TrimSuffix(line+": "+code, ": "))
	}
	if rows.Err() != nil {
		h.t.Fatal(rows.Err())
	}
	return all
}

// recorded fails unless just those acts have come, each beginning so. Who comes and goes counts only if it is asked for: an edit
// by the API is a visit, too, which ends by itself.
func (h *hospital) recorded(what string, want ...string) {
	h.t.Helper()
	visits := func(line string) bool {
		return strings.HasPrefix(line, "note.join") || strings.HasPrefix(line, "note.leave")
	}
	got := h.acts()
	if !slices.ContainsFunc(want, visits) {
		got = slices.DeleteFunc(got, visits)
	}
	same := len(got) == len(want)
	for i := 0; same && i < len(got); i++ {
		same = strings.HasPrefix(got[i], want[i])
	}
	if !same {
		h.t.Errorf("%s: on record is\n\t%s\nwant\n\t%s", what, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// removal is an update that removes the first block of a state.
func (h *hospital) removal(state []byte) []byte {
	h.t.Helper()
	doc := crdt.New("")
	if err := doc.ApplyUpdate(state); err != nil {
		h.t.Fatal(err)
	}
	update, err := doc.Transact(crdt.ClientID(uuid.New().ID()), func(txn *crdt.Txn) { doc.XMLFragment(sessions.Fragment).Delete(txn, 0, 1) })
	if err != nil {
		h.t.Fatal(err)
	}
	return update
}

// forgery is an update of a state that writes on under the client id of whoever began the note.
func (h *hospital) forgery(state []byte) []byte {
	h.t.Helper()
	doc := crdt.New("")
	if err := doc.ApplyUpdate(state); err != nil {
		h.t.Fatal(err)
	}
	update, err := doc.Transact(store.TemplateClient(h.note), func(txn *crdt.Txn) {
		doc.XMLFragment(sessions.Fragment).Insert(txn, 0, crdt.NewXMLElement("paragraph", nil, crdt.NewXMLText("forged")))
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return update
}

// TestActsAreOnRecord: whoever does one of these is in the log of acts, with what they did it to, and how it ended.
func TestActsAreOnRecord(t *testing.T) {
	h := open(t)
	note := "/notes/" + h.note.String()
	h.acts()

	chen := h.signIn("chen")
	h.recorded("signs in", "login.begin done chen chen: password")
	h.post(h.browser(), "/login", url.Values{"username": {"chen"}, "password": {"wrong"}})
	h.post(h.browser(), "/login", url.Values{"username": {"nobody"}, "password": {"wrong"}})
	h.recorded("wrong passwords", "login.begin failed - chen: password", "login.begin failed -: password")
	h.get(chen, note)
	h.get(chen, note)
	h.recorded("reads a note twice", "note.open done chen note: page by unit", "note.open done chen note: page by unit")
	h.get(chen, "/")
	h.recorded("looks at the worklist")
	h.post(chen, "/", url.Values{"q": {"kelp"}})
	h.recorded("searches", "search.patients done chen: 1 found")
	if n := h.count(`SELECT count(*) FROM audit_event WHERE act = 'search.patients' AND details IS NOT NULL AND position('kelp'::bytea IN details) = 0`); n != 1 {
		t.Error("what was looked for is not sealed")
	}

	if status, _ := h.post(chen, note+"/printed", nil); status != http.StatusNoContent {
		t.Errorf("printed: %d", status)
	}
	h.recorded("prints", "note.print done chen note: page by unit")

	novak := h.signIn("novak")
	h.acts()
	if status, _ := h.post(novak, note+"/printed", nil); status != http.StatusForbidden {
		t.Errorf("printed: %d", status)
	}
	h.recorded("prints what is not theirs", "note.print refused novak note: ")
	h.get(novak, note)
	h.get(novak, "/units/4-west")
	h.recorded("is refused", "access refused novak note: read note: not this role", "access refused novak: see board: not this role")

	token := h.token("okafor")
	h.recorded("a token is issued", "token.issue done - okafor: token=")
	api := func(method, path string, body []byte) (int, []byte) {
		status, answer, _ := h.api(method, "/api/v1"+path, token, "", body)
		return status, answer
	}
	_, state := api(http.MethodGet, note+"/state", nil)
	h.recorded("reads by the API", "note.open done okafor note: api by unit")
	api(http.MethodGet, "/notes?unit=4-west", nil)
	h.recorded("lists", "search.notes done okafor: ")
	update := h.removal(state)
	if status, answer := api(http.MethodPost, note+"/edits", update); status != http.StatusOK {
		t.Fatalf("edit: %d %s", status, answer)
	}
	h.recorded("edits", "note.open done okafor note: api by unit", "note.edit done okafor note: seq=2")
	_, state = api(http.MethodGet, note+"/state", nil)
	update = h.removal(state)
	api(http.MethodPost, note+"/edits", update)
	h.recorded("edits again", "note.open done okafor note: api", "note.open done okafor note: api") // the same burst

	if status, answer := api(http.MethodPost, note+"/edits", h.forgery(state)); status < 400 {
		t.Errorf("forged: %d %s", status, answer)
	}
	h.recorded("forges", "note.open done okafor note: api", "note.forge refused okafor note: forged updates=1")

	h.post(chen, "/logout", nil)
	h.recorded("signs out", "login.end done chen chen: themselves")
}

// TestAdministrationIsOnRecord: what an administrator does is the administrator's, whom it is about is named, and what is done by
// command is the operator's.
func TestAdministrationIsOnRecord(t *testing.T) {
	h := open(t)
	novak := h.signIn("novak")
	h.acts()
	status, _ := h.post(novak, "/admin/people", form("username", "new", "name", "New", "role", "nurse", "unit", "4-west"))
	if status != http.StatusOK {
		t.Fatal(status)
	}
	h.recorded("adds", "person.add done novak new: role=nurse", "person.invite done novak new")
	about := h.about("new")
	h.post(novak, about+"/shifts", form("unit", "icu", "hours", "2"))
	h.recorded("a shift", "person.cover done novak new: unit=icu until=")
	h.post(novak, about+"/suspend", nil)
	h.recorded("suspends", "person.change done novak new: suspended=true")
	h.post(novak, about+"/reinstate", nil)
	h.recorded("reinstates", "person.change done novak new: suspended=false")
	h.post(novak, about+"/start-over", nil)
	h.recorded("starts over", "person.start-over done novak new")
	h.post(novak, "/admin/units", form("id", "5-east", "name", "5 East", "beds", "2"))
	h.recorded("a unit", "unit.change done novak: unit=5-east beds=+2")
	h.post(novak, "/admin/people/search", form("q", "chen"))
	h.recorded("searches", "search.people done novak: 1 found")
	h.post(novak, h.about("novak")+"/suspend", nil)
	h.recorded("themselves", "access refused novak novak: administer: own record")

	role := string(access.Resident)
	if _, err := login.Alter(t.Context(), h.db, h.id("novak"), "new", login.Change{Role: &role}); err != nil {
		t.Fatal(err)
	}
	h.recorded("a role", "person.change done novak new: role=resident")
	if _, err := login.Add(t.Context(), h.db, "other", login.Change{Name: &role, Role: &role}); err != nil {
		t.Fatal(err)
	}
	h.recorded("the operator adds", "person.add done - other: role=resident")
}

// TestOversightIsOnRecord: broken glass, its review, and who looks at or hands out who has opened a record.
func TestOversightIsOnRecord(t *testing.T) {
	h := open(t).work()
	sato, lindqvist := h.signIn("sato"), h.signIn("lindqvist")
	h.acts()
	form := h.why()
	form.Set("note", h.note.String())
	if status, _ := h.post(sato, "/glass", form); status != http.StatusSeeOther {
		t.Fatal(status)
	}
	h.recorded("breaks the glass", "glass.break done sato patient: reason=emergency")
	glass := h.text(`SELECT id::text FROM glass`)
	h.post(lindqvist, "/reviews/"+glass, url.Values{"finding": {"appropriate"}})
	h.recorded("reviews", "glass.review done lindqvist patient: finding=appropriate")
	patient := h.text(`SELECT patient_id::text FROM glass`)
	h.get(lindqvist, "/patients/"+patient+"/accesses")
	h.recorded("looks at the list", "record.accesses done lindqvist patient")
	h.post(lindqvist, "/patients/"+patient+"/accesses", nil)
	h.recorded("hands it out", "record.export done lindqvist patient")
}

// TestPresenceIsOnRecord: who has a note open is in the log from when they come to when they go.
func TestPresenceIsOnRecord(t *testing.T) {
	h := open(t)
	token := h.token("okafor")
	h.acts()
	w := h.openWire(token, nil)
	h.recorded("comes", "note.open done okafor note: editor by unit", "note.join done okafor note")
	_ = w.ws.CloseNow()
	if err := h.hub.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.recorded("goes", "note.leave done okafor note")
}

// TestUnrecordedActs: what cannot be recorded does not happen, and nothing is shown.
func TestUnrecordedActs(t *testing.T) {
	h := open(t)
	chen, novak, token := h.signIn("chen"), h.signIn("novak"), h.token("okafor")
	h.newcomer("there")
	there := h.about("there")
	_, state, _ := h.api(http.MethodGet, "/api/v1/notes/"+h.note.String()+"/state", token, "", nil)
	h.sql(`ALTER TABLE audit_event ADD CONSTRAINT no_more CHECK (false) NOT VALID`)
	left := `SELECT concat((SELECT count(*) FROM login WHERE person_id IS NOT NULL), ' ', (SELECT count(*) FROM unit), ' ', (SELECT count(*) FROM person WHERE suspended), ' ',
		(SELECT count(*) FROM note_update), ' ', (SELECT count(*) FROM opening))`
	before := h.text(left)
	for what, status := range map[string]func() int{
		"a note": func() int { s, _, _ := h.get(chen, "/notes/"+h.note.String()); return s },
		"its content": func() int {
			s, _, _ := h.api(http.MethodGet, "/api/v1/notes/"+h.note.String()+"/state", token, "", nil)
			return s
		},
		"a search":     func() int { s, _ := h.post(chen, "/", url.Values{"q": {"kelp"}}); return s },
		"a suspension": func() int { s, _ := h.post(novak, there+"/suspend", nil); return s },
		"a unit": func() int {
			s, _ := h.post(novak, "/admin/units", form("id", "5-east", "name", "5 East", "beds", "2"))
			return s
		},
		"a sign-in": func() int {
			s, _ := h.post(h.browser(), "/login", url.Values{"username": {"rivera"}, "password": {demo.Password}})
			return s
		},
		"a refusal": func() int { s, _, _ := h.get(novak, "/units/4-west"); return s },
		"an edit": func() int {
			s, _, _ := h.api(http.MethodPost, "/api/v1/notes/"+h.note.String()+"/edits", token, "", h.removal(state))
			return s
		},
	} {
		if got := status(); got < http.StatusInternalServerError {
			t.Errorf("%s: %d", what, got)
		}
	}
	if after := h.text(left); after != before {
		t.Errorf("something happened: %s, and was %s", after, before)
	}
	h.sql(`ALTER TABLE audit_event DROP CONSTRAINT no_more`)
	if status, _, _ := h.get(chen, "/notes/"+h.note.String()); status != http.StatusOK {
		t.Errorf("afterwards: %d", status)
	}
}

// TestActsOfStatements: acts that only statements name are those of package audit.
func TestActsOfStatements(t *testing.T) {
	for act, want := range map[audit.Act]string{audit.JoinNote: "note.join", audit.LeaveNote: "note.leave", audit.EditNote: "note.edit"} {
		if string(act) != want {
			t.Errorf("%s is %s in a statement", act, want)
		}
	}
}
