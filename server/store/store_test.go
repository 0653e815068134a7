package store_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/server/postgres/postgrestest"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/server/vault"
	"github.com/clisonix/tidechart/sessions"
	"github.com/clisonix/tidechart/sessions/storetest"
)

func TestMain(m *testing.M) { postgrestest.Hasty(m) }

// migrated is what every test would else do first: the schema, in which nothing is sealed yet.
var migrated = postgrestest.Prepared{Fill: func(url string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	db, err := store.Open(ctx, url, nil)
	if err != nil {
		return err
	}
	db.Close()
	return nil
}}

// hospital is the least a note needs around it.
type hospital struct {
	url     string
	db      *store.DB
	author  uuid.UUID
	other   uuid.UUID
	patient uuid.UUID
	secret  vault.Secret
	vault   *vault.Vault // of secret
}

func open(t testing.TB) hospital {
	t.Helper()
	h := hospital{url: migrated.URL(t), author: uuid.New(), other: uuid.New(), patient: uuid.New(), secret: vault.NewSecret()}
	h.vault = vaultOf(t, h.secret)
	db, err := store.Open(t.Context(), h.url, h.vault)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	h.db = db
	unit := "4w"
	seed := store.Seed{
		Facility: queries.Facility{ID: "f", Name: "Test hospital"},
		Units:    []queries.Unit{{ID: unit, FacilityID: "f", Name: "4 West"}},
		Beds:     []queries.Bed{{ID: "4w-1", UnitID: unit, Label: "1", Position: 1}, {ID: "4w-2", UnitID: unit, Label: "2", Position: 2}},
		People:   []queries.Person{{ID: h.author, Username: "ada", Name: "Ada", Role: "nurse", UnitID: &unit}, {ID: h.other, Username: "bob", Name: "Bob", Role: "nurse"}},
		Patients: []store.Patient{{ID: h.patient, Mrn: "1", Family: "Test", BirthDate: time.Unix(0, 0), Gender: "Female"}},
		Stays:    []queries.Stay{{PatientID: h.patient, BedID: "4w-1", AdmittedAt: time.Now()}},
	}
	for want := range []bool{true, false} { // the second time it is left alone
		seeded, err := db.SeedOnce(t.Context(), func() (store.Seed, error) { return seed, nil })
		if err != nil || seeded != (want == 0) {
			t.Fatalf("SeedOnce = %v, %v", seeded, err)
		}
	}
	return h
}

func (h hospital) newNote(t testing.TB) sessions.NoteID {
	t.Helper()
	id := uuid.New()
	err := h.db.CreateNote(t.Context(), store.NewNote{
		ID: id, Patient: h.patient, Unit: "4w", Kind: "progress", Title: "Progress note", Author: h.author, At: time.Now(), First: storetest.Empty(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// exec runs a statement as an operator with psql could.
func (h hospital) exec(t testing.TB, sql string, args ...any) error {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), h.url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	_, err = conn.Exec(t.Context(), sql, args...)
	return err
}

// copyIn adds many rows.
func (h hospital) copyIn(t *testing.T, table string, columns []string, rows [][]any) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), h.url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if _, err := conn.CopyFrom(t.Context(), pgx.Identifier{table}, columns, pgx.CopyFromRows(rows)); err != nil {
		t.Fatal(err)
	}
}

// damage changes a byte of each burst of a note, as a disk could.
func (h hospital) damage(t *testing.T, note sessions.NoteID) {
	t.Helper()
	err := h.exec(t, `ALTER TABLE note_burst DISABLE TRIGGER ALL`)
	if err == nil {
		err = h.exec(t, `UPDATE note_burst SET data = set_byte(data, octet_length(data) / 2, get_byte(data, octet_length(data) / 2) # 1) WHERE note_id = $1`, note)
	}
	if err == nil {
		err = h.exec(t, `ALTER TABLE note_burst ENABLE TRIGGER ALL`)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestStore(t *testing.T) {
	h := open(t)
	storetest.TestStore(t, storetest.Fixture{
		Store: h.db, Author: h.author, Other: h.other,
		NewNote: func() sessions.NoteID { return h.newNote(t) },
		Sign:    func(note sessions.NoteID) { h.sign(t, note, h.author) },
		Recover: func(note sessions.NoteID, open bool) {
			until := "NULL"
			if open {
				until = "now() + interval '1 minute'"
			}
			if err := h.exec(t, "UPDATE note SET recovery_until = "+until+" WHERE id = $1", note); err != nil {
				t.Fatal(err)
			}
		},
		Damage: func(note sessions.NoteID) { h.damage(t, note) },
	})
}

// TestLogIsAppendOnly: the database itself keeps anybody from rewriting history.
func TestLogIsAppendOnly(t *testing.T) {
	h := open(t)
	h.newNote(t)
	for _, sql := range []string{"UPDATE note_update SET data = 'xx'", "DELETE FROM note_update", "TRUNCATE note_update", "TRUNCATE recovered"} {
		if err := h.exec(t, sql); err == nil {
			t.Errorf("%s succeeded", sql)
		}
	}
}

// TestDamagedBaseIsPassedOver: the log is the truth, a base only a copy (I4).
func TestDamagedBaseIsPassedOver(t *testing.T) {
	h := open(t)
	note := h.newNote(t)
	if err := h.db.SaveBase(t.Context(), note, 1, []byte("a base")); err != nil {
		t.Fatal(err)
	}
	if log, err := h.db.Load(t.Context(), note); err != nil || log.BaseSeq != 1 {
		t.Fatalf("Load = %+v, %v", log, err)
	}
	if err := h.exec(t, "UPDATE note_base SET data = 'a bust'"); err != nil {
		t.Fatal(err)
	}
	log, err := h.db.Load(t.Context(), note)
	if err != nil || log.BaseSeq != 0 || len(log.Tail) != 1 || !bytes.Equal(log.Tail[0], storetest.Empty()) {
		t.Errorf("Load = %+v, %v", log, err)
	}
}

// TestShownClientsExpire twelve hours after their window is gone; until then they are whose they were shown as first.
func TestShownClientsExpire(t *testing.T) {
	h := open(t)
	note, ctx := h.newNote(t), t.Context()
	for client, left := range map[crdt.ClientID]string{1: "11 hours", 2: "13 hours"} {
		for _, joined := range []string{"20 hours", "19 hours"} {
			session, stay, person := uuid.New(), uuid.New(), h.author
			if joined == "19 hours" {
				person = h.other
			}
			err := errors.Join(h.db.StartSession(ctx, session, note), h.db.StartParticipation(ctx, stay, session, person, ""), h.db.ShowClient(ctx, stay, client),
				h.exec(t, "UPDATE session SET ended_at = now() - $2::interval WHERE id = $1", session, left),
				h.exec(t, "UPDATE participation SET joined_at = now() - $2::interval, left_at = now() - $3::interval WHERE id = $1", stay, joined, left))
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	log, err := h.db.Load(ctx, note)
	if err != nil || len(log.Shown) != 1 || log.Shown[1] != h.author {
		t.Errorf("shown are %v, %v; want 1 of %v", log.Shown, err, h.author)
	}
}

// TestUnstorableBatchIsRejected: what the database can never take must not be tried for ever.
func TestUnstorableBatchIsRejected(t *testing.T) {
	h := open(t)
	note := h.newNote(t)
	tooLarge := make([]byte, 1<<23+1)
	_, err := h.db.Append(t.Context(), sessions.Batch{
		ID: uuid.New(), Entries: []sessions.Entry{{Note: note, Author: h.author, Update: tooLarge}},
	})
	if !errors.Is(err, sessions.ErrRejected) {
		t.Errorf("Append = %v, want ErrRejected", err)
	}
	if log, err := h.db.Load(t.Context(), note); err != nil || log.Head != 1 {
		t.Errorf("Load = %+v, %v", log, err)
	}
}

// TestCutOffSessionsAreMended: what an unclean stop left open is closed at the next start.
func TestCutOffSessionsAreMended(t *testing.T) {
	h := open(t)
	note, session := h.newNote(t), uuid.New()
	ctx := t.Context()
	if err := errors.Join(h.db.StartSession(ctx, session, note), h.db.StartParticipation(ctx, uuid.New(), session, h.author, "")); err != nil {
		t.Fatal(err)
	}
	if n, err := h.db.MendCutOffSessions(ctx); n != 1 || err != nil {
		t.Errorf("MendCutOffSessions = %d, %v", n, err)
	}
	if code := one[string](t, h, `SELECT code FROM audit_event WHERE act = 'note.leave' AND note_id = $1 AND who = $2 AND patient_id IS NOT NULL`, note, h.author); code != "cut off" {
		t.Errorf("that they left is on record as %q", code)
	}
	people, err := h.db.Participants(ctx, []uuid.UUID{session})
	if err != nil || len(people) != 1 || people[0].Present {
		t.Errorf("Participants = %+v, %v", people, err)
	}
}

// TestLoginsExpire: an expired login signs nobody in, whether or not it has been swept.
func TestLoginsExpire(t *testing.T) {
	h := open(t)
	ctx, logins := t.Context(), h.db.Logins()
	for token, left := range map[string]time.Duration{"fresh": time.Hour, "stale": -time.Second} {
		if err := logins.CommitCtx(ctx, token, []byte("data"), time.Now().Add(left)); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if _, found, err := logins.FindCtx(ctx, "fresh"); !found || err != nil {
			t.Errorf("fresh login: %v, %v", found, err)
		}
		if _, found, err := logins.FindCtx(ctx, "stale"); found || err != nil {
			t.Errorf("stale login: %v, %v", found, err)
		}
		if err := h.db.Sweep(ctx); err != nil {
			t.Fatal(err)
		}
	}
}
