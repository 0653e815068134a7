package server_test

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/clisonix/tidechart/crdt/ysync"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/sessions"
)

// work makes the note nobody's who takes part in these tests, so that only their work links them to it.
func (h *hospital) work() *hospital {
	h.t.Helper()
	h.sql(`UPDATE note SET created_by = (SELECT id FROM person WHERE username = 'novak') WHERE id = $1`, h.note)
	return h
}

// hire adds somebody.
func (h *hospital) hire(username, role, unit, supervisor string) {
	h.t.Helper()
	name := "Nina New"
	_, err := login.Add(h.t.Context(), h.db, username, login.Change{Name: &name, Role: &role, Unit: &unit, Supervisor: &supervisor})
	if err != nil {
		h.t.Fatal(err)
	}
}

// patient is of the note.
const patient = `(SELECT patient_id FROM note WHERE id = $1)`

// TestRightsFollowWork: what links somebody to a patient may end while they type. Within a second they write nothing, and
// if nothing else links them, they read nothing; nobody else notices (I9).
func TestRightsFollowWork(t *testing.T) {
	const away = `UPDATE stay SET bed_id = (SELECT id FROM bed WHERE unit_id = 'icu' AND id NOT IN (SELECT bed_id FROM stay) LIMIT 1) WHERE patient_id = ` + patient
	const join = `INSERT INTO care_team (patient_id, person_id) SELECT note.patient_id, person.id FROM note, person WHERE note.id = $1 AND username = `
	for _, tt := range []struct {
		name          string
		before, after string
		username      string
		code          int // 0: reads on
	}{
		{"moved to another unit", "", `UPDATE person SET unit_id = 'icu' WHERE username = 'okafor' AND $1 <> id`, "okafor", 4403},
		{"the patient is moved", "", away, "okafor", 4403},
		{"their bed is counted to another unit", "", `UPDATE bed SET unit_id = 'icu', position = 99 WHERE id = (SELECT bed_id FROM stay WHERE patient_id = ` + patient + `)`, "okafor", 4403},
		{"the record is restricted", "", `UPDATE patient SET vip = true WHERE id = ` + patient, "okafor", 4403},
		{"it turns out to be their own", "", `UPDATE person SET patient_id = ` + patient + ` WHERE username = 'okafor'`, "okafor", 4403},
		{"off the care team", join + `'brandt'`, `DELETE FROM care_team WHERE patient_id = ` + patient, "brandt", 4403},
		{"the stay ends, and with it the team", join + `'brandt'`, `DELETE FROM stay WHERE patient_id = ` + patient, "brandt", 4403},
		{
			"a shift is taken back", `INSERT INTO cover SELECT id, '4-west', now() + interval '1 hour' FROM person WHERE username = 'brandt' AND id <> $1`,
			`DELETE FROM cover WHERE person_id <> $1`, "brandt", 4403,
		},
		{"a shift ends", `INSERT INTO cover SELECT id, '4-west', now() + interval '3 seconds' FROM person WHERE username = 'brandt' AND id <> $1`, "", "brandt", 4403},
		{"no longer anybody's scribe", "", `UPDATE person SET supervisor_id = NULL WHERE username = 'scribe' AND $1 <> id`, "scribe", 4403},
		{"the scribe's supervisor is suspended", "", `UPDATE person SET suspended = true WHERE username = 'chen' AND $1 <> id`, "scribe", 4403},
		{"the scribe's supervisor works elsewhere", "", `UPDATE person SET unit_id = 'icu' WHERE username = 'chen' AND $1 <> id`, "scribe", 4403},
		{"becomes a pharmacist", "", `UPDATE person SET role = 'pharmacist' WHERE username = 'okafor' AND $1 <> id`, "okafor", 0},
		{"the note becomes another's kind", "", `UPDATE note SET kind = 'medications' WHERE id = $1`, "okafor", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := open(t).work()
			h.hire("scribe", "scribe", "", "chen")
			h.sql(`UPDATE note SET kind = 'progress' WHERE id = $1`, h.note)
			if tt.before != "" {
				h.sql(tt.before, h.note)
			}
			// Whoever is on the team of a patient, wherever they lie, is not concerned; nor is a privacy officer.
			other := h.openWire(h.token("lindqvist"), nil)
			ws := h.openWire(h.token(tt.username), nil)
			if saved, _ := ws.write(10, 0); !saved {
				t.Fatal("not saved before")
			}
			began := time.Now()
			if tt.after != "" {
				h.sql(tt.after, h.note)
			}
			m, code := ws.until(isScope)
			limit := time.Second
			if tt.after == "" {
				limit += 3 * time.Second
			}
			if took := time.Since(began); took > limit {
				t.Errorf("took %v, want %v at most", took, limit)
			}
			if int(code) != tt.code || tt.code == 0 && m.Text != ysync.ReadOnly {
				t.Errorf("told %q, close code %d, want %d", m.Text, code, tt.code)
			}
			if tt.code == 0 {
				if saved, _ := ws.write(10, 1); saved {
					t.Error("a write afterwards was saved")
				}
			}
			other.send(ysync.Message{Kind: ysync.Sync, Step: ysync.Step1, Data: []byte{0}})
			if _, code := other.until(func(m ysync.Message) bool { return m.Kind == ysync.Sync && m.Step == ysync.Step2 }); code != 0 {
				t.Errorf("a privacy officer: close code %d", code)
			}
		})
	}
}

// TestRightsGrowInPlace: who may do more need not open the note again.
func TestRightsGrowInPlace(t *testing.T) {
	h := open(t).work()
	h.sql(`UPDATE note SET kind = 'progress' WHERE id = $1`, h.note)
	ws := h.openWire(h.token("sato"), nil) // a pharmacist reads it
	if saved, _ := ws.write(10, 0); saved {
		t.Fatal("saved before")
	}
	h.sql(`UPDATE person SET role = 'resident' WHERE username = 'sato'`)
	if m, code := ws.until(isScope); m.Text != ysync.ReadWrite {
		t.Fatalf("told %q, close code %d", m.Text, code)
	}
	if saved, _ := ws.write(10, 0); !saved {
		t.Error("not saved afterwards")
	}
}

// TestSuspendedWhileACommitIsInFlight: the update is on its way to the database, which is busy with the note, when its
// author is suspended. It is refused, though it was sent and admitted before.
func TestSuspendedWhileACommitIsInFlight(t *testing.T) {
	for name, change := range map[string]string{
		"suspended":    `UPDATE person SET suspended = true WHERE username = 'okafor'`,
		"another role": `UPDATE person SET role = 'administrator' WHERE username = 'okafor'`,
		"transferred":  `UPDATE person SET unit_id = 'icu' WHERE username = 'okafor'`,
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t).work()
			ws, other := h.openWire(h.token("okafor"), nil), h.openWire(h.token("chen"), nil)
			if saved, _ := ws.write(10, 0); !saved {
				t.Fatal("not saved before")
			}
			keeper, err := pgx.Connect(t.Context(), h.url)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = keeper.Close(context.Background()) }()
			tx, err := keeper.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tx.Exec(t.Context(), `SELECT FROM note WHERE id = $1 FOR UPDATE`, h.note); err != nil {
				t.Fatal(err)
			}
			update := []byte{1, 1, 10, 1, 0x84, 10, 0, 1, 'y', 0}
			ws.send(ysync.Message{Kind: ysync.Sync, Step: ysync.StepUpdate, Data: update})
			for waiting := 0; waiting == 0; runtime.Gosched() {
				err := tx.QueryRow(t.Context(), `SELECT count(*) FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()`).Scan(&waiting)
				if err != nil {
					t.Fatal(err)
				}
			}
			h.sql(change)
			if _, code := ws.until(func(m ysync.Message) bool { return m.Kind == ysync.SyncStatus && m.Saved }); code == 0 {
				t.Error("it was saved")
			}
			if err := tx.Commit(t.Context()); err != nil {
				t.Fatal(err)
			}
			if saved, code := other.write(20, 0); !saved { // in its turn, after what was refused
				t.Errorf("somebody else: not saved, close code %d", code)
			}
			log, err := h.db.ReadLog(t.Context(), h.note, 0, 1000)
			if err != nil || len(log) < 3 || slices.ContainsFunc(log, func(r sessions.Row) bool { return bytes.Equal(r.Update, update) }) {
				t.Errorf("the log of %d rows holds it, %v", len(log), err)
			}
		})
	}
}

// TestStrangersOpenNothing: who has nothing to do with a patient gets nothing about them, whichever way they ask.
func TestStrangersOpenNothing(t *testing.T) {
	h := open(t).work()
	note := "/notes/" + h.note.String()
	row, err := h.db.NoteByID(t.Context(), h.note)
	if err != nil {
		t.Fatal(err)
	}
	family := strings.ToUpper(row.Patient.Family)     // as pages show it
	c, token := h.signIn("brandt"), h.token("brandt") // of another unit
	for path, want := range map[string]int{note: 403, "/units/4-west": 403, "/units/4-west/events": 403, "/units/icu": 200, "/": 200, "/?unit=": 200} {
		status, body, _ := h.get(c, path)
		if status != want {
			t.Errorf("%s: %d, want %d", path, status, want)
		}
		if containsAny(body, family, row.Patient.Mrn, h.note.String()) && path != note {
			t.Errorf("%s names the patient", path)
		}
	}
	for _, path := range []string{"", "/state", "/losses", "/authors"} {
		if status, body, _ := h.api("GET", "/api/v1"+note+path, token, "", nil); status != 403 || containsAny(string(body), row.Patient.Family) {
			t.Errorf("API %s: %d %s", path, status, body)
		}
	}
	if status, body, _ := h.api("GET", "/api/v1/notes", token, "", nil); status != 200 || containsAny(string(body), h.note.String(), row.Patient.Mrn) {
		t.Errorf("API list: %d, names the note", status)
	}
	if status, _, _ := h.api("POST", "/api/v1"+note+"/edits", token, "", []byte{1, 1, 1, 0, 4, 1, 1, 't', 1, 'x', 0}); status != 403 {
		t.Errorf("API edit: %d", status)
	}
	r, err := c.PostForm(h.URL+"/notes", url.Values{"patient": {row.Patient.ID.String()}, "kind": {"handoff"}})
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Body.Close()
	if r.StatusCode != http.StatusForbidden {
		t.Errorf("a new note: %s", r.Status)
	}

	h.sql(`INSERT INTO care_team (patient_id, person_id) SELECT $1, id FROM person WHERE username = 'brandt'`, row.Patient.ID)
	if status, _, _ := h.get(c, note); status != 200 {
		t.Errorf("on the care team: %d", status)
	}
	if _, body, _ := h.get(c, "/?unit="); !containsAny(body, row.Patient.Mrn) {
		t.Error("on the care team: not on the worklist")
	}
	h.sql(`UPDATE patient SET vip = true WHERE id = $1`, row.Patient.ID)
	if status, _, _ := h.get(c, note); status != 200 {
		t.Errorf("on the care team of a restricted record: %d", status)
	}
	if status, body, _ := h.get(h.signIn("okafor"), note); status != 403 || !containsAny(body, "restricted") {
		t.Errorf("a restricted record, on the unit: %d", status)
	}
	if _, body, _ := h.get(h.signIn("okafor"), "/units/4-west"); !containsAny(body, family) || containsAny(body, h.note.String()) {
		t.Error("the unit's board does not show the patient of a restricted record, or links to it")
	}
}

// TestKindsAreTheirRoles: a pharmacist begins medication reviews, and nobody else does; nobody begins what does not exist.
func TestKindsAreTheirRoles(t *testing.T) {
	h := open(t)
	row, err := h.db.NoteByID(t.Context(), h.note)
	if err != nil {
		t.Fatal(err)
	}
	for username, kinds := range map[string]map[string]int{
		"sato":      {"medications": 303, "progress": 403},
		"chen":      {"medications": 403, "progress": 303, "handoff": 303, "opera": 422},
		"moreau":    {"medications": 403, "progress": 303},
		"lindqvist": {"progress": 403},
		"novak":     {"progress": 403},
	} {
		c := h.signIn(username)
		for kind, want := range kinds {
			r, err := c.PostForm(h.URL+"/notes", url.Values{"patient": {row.Patient.ID.String()}, "kind": {kind}})
			if err != nil {
				t.Fatal(err)
			}
			_ = r.Body.Close()
			if r.StatusCode != want {
				t.Errorf("%s begins %s: %s, want %d", username, kind, r.Status, want)
			}
		}
	}
	if status, _, _ := h.get(h.signIn("moreau"), "/notes/"+uuid.NewString()); status != 404 {
		t.Errorf("no note: %d", status)
	}
}
