package store_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/sessions"
	"github.com/clisonix/tidechart/sessions/storetest"
)

func (h hospital) connect(t *testing.T) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), h.url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// TestChangesOfPeopleWaitForCommits that have looked at their counters already; and commits do not wait for a change
// that somebody has begun, and may take all day to commit.
func TestChangesOfPeopleWaitForCommits(t *testing.T) {
	h := open(t)
	note := h.newNote(t)
	commit, operator, watcher := h.connect(t), h.connect(t), h.connect(t)
	begin := func(c *pgx.Conn, statement string, args ...any) pgx.Tx {
		t.Helper()
		tx, err := c.Begin(t.Context())
		if err == nil {
			_, err = tx.Exec(t.Context(), statement, args...)
		}
		if err != nil {
			t.Fatal(err)
		}
		return tx
	}
	looked := begin(commit, `SELECT pg_advisory_xact_lock_shared(hashtextextended('tidechart access', 0))`)
	change := begin(operator, `UPDATE person SET suspended = true WHERE id = $1`, h.other)
	batch := sessions.Batch{ID: uuid.New(), Entries: []sessions.Entry{{Note: note, Author: h.author, Update: storetest.Empty()}}}
	if placed, err := h.db.Append(t.Context(), batch); err != nil || len(placed) != 1 || placed[0].First != 2 {
		t.Fatalf("Append = %v, %v", placed, err)
	}
	changed := make(chan error, 1)
	go func() { changed <- change.Commit(context.Background()) }()
	for waiting := 0; waiting == 0; runtime.Gosched() {
		select {
		case err := <-changed:
			t.Fatalf("committed before what had looked: %v", err)
		default:
		}
		if err := watcher.QueryRow(t.Context(), `SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`).Scan(&waiting); err != nil {
			t.Fatal(err)
		}
	}
	if err := looked.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-changed; err != nil {
		t.Fatal(err)
	}
	late := sessions.Batch{ID: uuid.New(), Entries: []sessions.Entry{{Note: note, Author: h.other, Update: storetest.Empty()}}}
	if placed, err := h.db.Append(t.Context(), late); err != nil || len(placed) != 1 || placed[0].First != 0 {
		t.Errorf("Append of who is suspended = %v, %v", placed, err)
	}
	looked = begin(commit, `SELECT pg_advisory_xact_lock_shared(hashtextextended('tidechart access', 0))`)
	if err := h.exec(t, `UPDATE person SET name = 'Eve', password_hash = 'x'`); err != nil { // which is nobody's right
		t.Fatal(err)
	}
	_ = looked.Rollback(t.Context())
}

// TestWhatLinksPeople to a patient, and moves the counters of who and what it concerns.
func TestWhatLinksPeople(t *testing.T) {
	h := open(t)
	note := h.newNote(t)
	standing := func(who uuid.UUID) queries.StandingRow {
		t.Helper()
		row, err := h.db.Standing(t.Context(), who, note)
		if err != nil {
			t.Fatal(err)
		}
		return row
	}
	links := func(who uuid.UUID) (all string) {
		for _, tie := range standing(who).Ties {
			all += tie + " "
		}
		return all
	}
	for _, tt := range []struct {
		name, sql     string
		author, other string // what links them then
		person, note  bool   // whose counter moves: bob's, the note's
	}{
		{"at first", `SELECT`, "unit ", "", false, false},
		{"on the care team", `INSERT INTO care_team (patient_id, person_id) SELECT patient.id, person.id FROM patient, person WHERE username = 'bob'`, "unit ", "team ", false, true},
		{"off it", `DELETE FROM care_team`, "unit ", "", false, true},
		{"a shift", `INSERT INTO cover SELECT id, '4w', now() + interval '1 hour' FROM person WHERE username = 'bob'`, "unit ", "unit ", true, false},
		{"which is over", `UPDATE cover SET until = now() - interval '1 second'`, "unit ", "", true, false},
		{"an end that is cleared away", `DELETE FROM cover`, "unit ", "", true, false},
		{"a nurse as supervisor", `UPDATE person SET role = 'scribe', supervisor_id = (SELECT id FROM person WHERE username = 'ada') WHERE username = 'bob'`, "unit ", "", true, false},
		{"who becomes a resident", `UPDATE person SET role = 'resident' WHERE username = 'ada'`, "unit ", "supervised ", true, false},
		{"and works elsewhere", `UPDATE person SET unit_id = NULL WHERE username = 'ada'`, "", "", true, false},
		{"and is back", `UPDATE person SET unit_id = '4w' WHERE username = 'ada'`, "unit ", "supervised ", true, false},
		{"broken glass", `INSERT INTO glass (id, person_id, patient_id, reason, words, until) SELECT gen_random_uuid(), person.id, patient.id, 'other', decode(repeat('00', 34), 'hex'), now() + interval '1 minute' FROM person, patient WHERE username = 'bob'`, "unit ", "supervised glass ", true, false},
		{"a bed in the same unit", `UPDATE stay SET bed_id = '4w-2'`, "unit ", "supervised glass ", false, true},
		{"discharged", `DELETE FROM stay`, "unit ", "supervised glass ", false, true},
		{"a month ago", `UPDATE note SET created_at = now() - interval '31 days'`, "", "glass ", false, false},
		{"their own record", `UPDATE person SET patient_id = (SELECT id FROM patient) WHERE username = 'bob'`, "", "own glass ", true, false},
		{"restricted", `UPDATE patient SET vip = true`, "", "own glass ", false, true},
	} {
		before := standing(h.other)
		if err := h.exec(t, tt.sql); err != nil {
			t.Fatal(tt.name, err)
		}
		after := standing(h.other)
		if a, o := links(h.author), links(h.other); a != tt.author || o != tt.other {
			t.Errorf("%s: %q and %q, want %q and %q", tt.name, a, o, tt.author, tt.other)
		}
		if (after.PersonEpoch > before.PersonEpoch) != tt.person || (after.NoteEpoch > before.NoteEpoch) != tt.note {
			t.Errorf("%s: counters moved from %d, %d to %d, %d", tt.name, before.PersonEpoch, before.NoteEpoch, after.PersonEpoch, after.NoteEpoch)
		}
	}
	if until := time.Until(standing(h.other).Until); until <= 0 || until > time.Minute {
		t.Errorf("the glass ends in %v", until)
	}
	if !standing(h.author).Until.IsZero() {
		t.Error("nothing has an end")
	}
	if err := h.exec(t, `UPDATE person SET suspended = true`); err != nil {
		t.Fatal(err)
	}
	if _, err := h.db.Standing(t.Context(), h.author, note); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("who is suspended stands: %v", err)
	}
}

// TestOperatorsChangeTheHospital: units, beds, and what concerns a patient.
func TestOperatorsChangeTheHospital(t *testing.T) {
	h := open(t)
	ctx := t.Context()
	if err := h.db.AddUnit(ctx, store.NewUnit{ID: "icu", Beds: 2}); !errors.Is(err, store.ErrHospital) {
		t.Errorf("beds of no unit: %v", err)
	}
	for range 2 { // the second time it grows
		if err := h.db.AddUnit(ctx, store.NewUnit{ID: "icu", Name: "Intensive Care", Beds: 2, Prefix: "IC"}); err != nil {
			t.Fatal(err)
		}
	}
	beds, err := h.db.BedsFor(ctx, h.author, "icu")
	if err != nil || len(beds) != 4 || beds[3].BedID != "icu-04" || beds[3].BedLabel != "IC-04" {
		t.Errorf("beds %+v, %v", beds, err)
	}
	yes := true
	if err := h.db.ChangePatient(ctx, store.PatientChange{Patient: h.patient, Bed: "icu-04", Restricted: &yes, Join: []uuid.UUID{h.author, h.other}}); err != nil {
		t.Fatal(err)
	}
	if err := h.db.ChangePatient(ctx, store.PatientChange{Patient: h.patient, Leave: []uuid.UUID{h.author}}); err != nil {
		t.Fatal(err)
	}
	team, err := h.db.CareTeam(ctx, h.patient)
	row, errRow := h.db.StandingTo(ctx, h.other, h.patient)
	if err != nil || errRow != nil || len(team) != 1 || team[0].Username != "bob" || row.UnitID != "icu" || !row.Patient.Vip {
		t.Errorf("team %v, %v; %+v, %v", team, err, row, errRow)
	}
	if err := h.db.ChangePatient(ctx, store.PatientChange{Patient: h.patient, Bed: "nowhere", Leave: []uuid.UUID{h.other}}); !errors.Is(err, store.ErrHospital) {
		t.Errorf("into no bed: %v", err)
	}
	if team, err := h.db.CareTeam(ctx, h.patient); err != nil || len(team) != 1 {
		t.Errorf("half a change was made: %v, %v", team, err)
	}
	if err := h.exec(t, `DELETE FROM stay`); err != nil {
		t.Fatal(err)
	}
	if err := h.db.ChangePatient(ctx, store.PatientChange{Patient: h.patient, Join: []uuid.UUID{h.other}}); !errors.Is(err, store.ErrHospital) {
		t.Errorf("a team for who has left: %v", err)
	}
}
