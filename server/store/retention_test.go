package store_test

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/postgres"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/sessions"
	"github.com/clisonix/tidechart/sessions/storetest"
)

// admit adds somebody, who is the patient of new notes from then on.
func (d *decided) admit(t *testing.T, born time.Time, bed string) uuid.UUID {
	t.Helper()
	id, err := d.db.PutPatient(t.Context(), store.Patient{Mrn: uuid.NewString(), Family: "Purgedfamily", BirthDate: born}, bed)
	if err != nil {
		t.Fatal(err)
	}
	d.patient = id
	return id
}

// ago has all about a patient be that many years older.
func (d *decided) ago(t *testing.T, patient uuid.UUID, years int) {
	t.Helper()
	d.must(t, `UPDATE note SET edited_at = now() - make_interval(years => $2), created_at = now() - make_interval(years => $2) WHERE patient_id = $1`, patient, years)
	d.must(t, `UPDATE patient SET seen_at = now() - make_interval(years => $2) WHERE id = $1`, patient, years)
}

// purge is what tidechart retention purge does.
func (d *decided) purge(t *testing.T) (all store.Purged, run uuid.UUID) {
	t.Helper()
	run, err := d.db.BeginPurge(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	patients, err := d.db.PatientsDue(t.Context(), uuid.Nil, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range patients {
		done, err := d.db.PurgePatient(t.Context(), run, p)
		if err != nil {
			t.Fatal(err)
		}
		all.Add(done)
	}
	if _, _, err := d.db.EndPurge(t.Context(), run, all.Held); err != nil {
		t.Fatal(err)
	}
	return all, run
}

var grown = time.Date(1960, 1, 1, 0, 0, 0, 0, time.UTC)

// rowsOf counts what of a note's log is there, in whatever table names notes.
func (d *decided) rowsOf(t *testing.T, note sessions.NoteID) (n int) {
	t.Helper()
	for _, table := range []string{"note_update", "note_base", "note_burst", "note_loss", "note_loss_settled", "recovered", "writer", "note_signed", "late_edit", "late_edit_settled", "thread", "thread_act"} {
		n += one[int](t, d.hospital, `SELECT count(*) FROM `+table+` WHERE note_id = $1`, note)
	}
	return n + one[int](t, d.hospital, `SELECT count(*) FROM data_key WHERE owner = $1`, note)
}

// TestPurge: what is due goes, with its keys and the rows of its log, and who the patient was with the last of it; what is not due stays, and
// so does what is held, whatever the class says. Each is on record, the log of acts and what it says of notes is good afterwards, and of what
// went there is nothing in a dump.
func TestPurge(t *testing.T) {
	t.Parallel()
	d := openDecided(t)
	ctx := t.Context()
	type kept struct {
		note sessions.NoteID
		why  string
	}
	var stay []kept

	gone := d.admit(t, grown, "4w-2")
	first, _ := d.written(t, 20)
	if done, err := d.db.Fold(ctx, first, later()); err != nil || done.Rows == 0 {
		t.Fatal(done, err)
	}
	second, _ := d.written(t, 5)
	planted := one[[]byte](t, d.hospital, `SELECT data FROM note_update WHERE note_id = $1 ORDER BY seq DESC LIMIT 1`, second)
	wrapped := one[[]byte](t, d.hospital, `SELECT wrapped FROM data_key WHERE owner = $1`, second)
	d.must(t, `DELETE FROM stay WHERE patient_id = $1`, gone)
	if n := one[int](t, d.hospital, `SELECT count(*) FROM patient WHERE id = $1 AND seen_at > now() - interval '1 minute'`, gone); n != 1 {
		t.Error("who leaves a bed was last seen at another time")
	}
	d.ago(t, gone, 7)

	held := d.admit(t, grown, "")
	heldNote, free := d.newNote(t), d.newNote(t)
	if _, err := d.db.BeginThread(ctx, free, d.author, nil, "planted comment"); err != nil {
		t.Fatal(err)
	}
	d.sign(t, free, d.author)
	d.ago(t, held, 30)
	if _, err := d.db.SetHold(ctx, d.note(heldNote), d.officer, "litigation 12/34"); err != nil {
		t.Fatal(err)
	}
	stay = append(stay, kept{heldNote, "is held"})

	allHeld := d.admit(t, grown, "")
	stay = append(stay, kept{d.newNote(t), "is of a patient of whom all is held"})
	d.ago(t, allHeld, 30)
	if _, err := d.db.SetHold(ctx, store.Record{Patient: allHeld}, d.officer, "litigation 12/34"); err != nil {
		t.Fatal(err)
	}

	recent := d.admit(t, grown, "")
	stay = append(stay, kept{d.newNote(t), "is five years old"})
	d.ago(t, recent, 5)

	edited := d.admit(t, grown, "")
	stay = append(stay, kept{d.newNote(t), "is old, but another was edited"})
	d.ago(t, edited, 30)
	stay = append(stay, kept{d.newNote(t), "was edited"})

	child := d.admit(t, time.Now().AddDate(-10, 0, 0), "")
	stay = append(stay, kept{d.newNote(t), "is about a minor"})
	d.ago(t, child, 20)

	here := d.admit(t, grown, "4w-2")
	stay = append(stay, kept{d.newNote(t), "is of who lies in a bed"})
	d.ago(t, here, 30)

	unknown := d.admit(t, grown, "")
	stay = append(stay, kept{d.newNote(t), "is of a patient of no class"})
	d.ago(t, unknown, 30)
	d.must(t, `UPDATE patient SET retention = NULL WHERE id = $1`, unknown)

	kind := d.admit(t, grown, "")
	letter := uuid.New()
	if err := d.db.CreateNote(ctx, store.NewNote{ID: letter, Patient: kind, Unit: "4w", Kind: "discharge", Author: d.author, At: time.Now(), First: storetest.Empty()}); err != nil {
		t.Fatal(err)
	}
	stay = append(stay, kept{letter, "is of a kind that is kept for longer"})
	if err := d.db.SetRetention(ctx, "discharge", true, 10); err != nil {
		t.Fatal(err)
	}
	d.ago(t, kind, 8)

	due, err := d.db.Due(ctx, 100)
	if err != nil || len(due) != 5 {
		t.Fatalf("%d notes are due, %v", len(due), err)
	}
	all, run := d.purge(t)
	if all.Notes != 3 || all.Patients != 1 || all.Held != 2 || all.Rows == 0 {
		t.Errorf("purged: %+v", all)
	}
	fresh := d.fresh(t) // has nothing in memory
	for _, note := range []sessions.NoteID{first, second, free} {
		if n := d.rowsOf(t, note); n != 0 {
			t.Errorf("of one that was due there are %d rows", n)
		}
		d.closed(t, d.db, note)
		d.closed(t, fresh, note)
	}
	for _, k := range stay {
		if log, err := fresh.Load(ctx, k.note); err != nil || log.Head == 0 {
			t.Errorf("one that %s: %d, %v", k.why, log.Head, err)
		}
	}
	if row, err := d.db.PatientByID(ctx, gone); err != nil || row.DestroyedAt == nil {
		t.Errorf("who had nothing left is known still: %v", err)
	}
	if row, err := d.db.PatientByID(ctx, held); err != nil || row.DestroyedAt != nil {
		t.Errorf("who has a note left is known no more: %v", err)
	}
	bin, err := postgres.Find()
	if err != nil {
		t.Fatal(err)
	}
	dump, err := exec.CommandContext(ctx, filepath.Join(bin, "pg_dump"), "--format=plain", "--dbname", d.url).Output()
	if err != nil {
		t.Fatal(err)
	}
	for what, secret := range map[string][]byte{"a row": planted, "a key": wrapped} {
		if hex := []byte(strings.ToLower(hexOf(secret))); bytes.Contains(dump, hex) || bytes.Contains(dump, secret) {
			t.Errorf("%s of what was purged is in a dump", what)
		}
	}

	s := d.sequencer(t)
	d.due(t)
	step(t, s)
	if _, err := d.check(t); err != nil {
		t.Errorf("the log of acts: %v", err)
	}
	if err := fresh.CheckNotes(ctx, func(wrong error) {
		if wrong != nil {
			t.Errorf("a note is not what the log says: %v", wrong)
		}
	}); err != nil {
		t.Error(err)
	}
	entries, _ := d.entries(t)
	var acts []string
	for _, e := range entries {
		if strings.HasPrefix(string(e.Act), "retention.") && e.Act != audit.SetRetention {
			acts = append(acts, string(e.Act))
			if !strings.HasPrefix(e.Code, "run="+run.String()) {
				t.Errorf("%s: %s", e.Act, e.Code)
			}
		}
	}
	if want := []string{"retention.begin", "retention.destroy", "retention.destroy", "retention.destroy", "retention.destroy", "retention.end"}; !slices.Equal(acts, want) {
		t.Errorf("on record: %v", acts)
	}
	if !slices.ContainsFunc(entries, func(e audit.Entry) bool {
		return e.Act == audit.EndPurge && strings.HasSuffix(e.Code, " notes=3 patients=1 held=2")
	}) {
		t.Error("the summary is not on record")
	}
	if again, _ := d.purge(t); again != (store.Purged{Held: 2}) {
		t.Errorf("a second time: %+v", again)
	}
	if n, err := d.db.Classify(ctx, func() {}); err != nil || n != 0 {
		t.Errorf("classified, %d not: %v", n, err)
	}
	if all, _ := d.purge(t); all.Notes != 1 || all.Patients != 1 {
		t.Errorf("when it is known that somebody was no minor: %+v", all)
	}
}

func hexOf(b []byte) string {
	const digits = "0123456789abcdef"
	out := make([]byte, 0, 2*len(b))
	for _, c := range b {
		out = append(out, digits[c>>4], digits[c&15])
	}
	return string(out)
}

// TestPurgeByHand: no statement takes away what is not due, or held, or not on record; and of what is, only in the transaction that says so.
func TestPurgeByHand(t *testing.T) {
	t.Parallel()
	d := openDecided(t)
	ctx := t.Context()
	old := d.admit(t, grown, "")
	over, _ := d.written(t, 20)
	if done, err := d.db.Fold(ctx, over, later()); err != nil || done.Bursts == 0 {
		t.Fatal(done, err)
	}
	second, _ := d.written(t, 5)
	d.ago(t, old, 7)
	d.admit(t, grown, "")
	young, _ := d.written(t, 5)
	run, err := d.db.BeginPurge(ctx)
	if err != nil {
		t.Fatal(err)
	}
	const act = `INSERT INTO audit_event (act, outcome, patient_id, note_id, code) SELECT 'retention.destroy', 'done', patient_id, id, '' FROM note WHERE id = $1`
	const purged = `INSERT INTO purged (run_id, patient_id, note_id, ended_at) SELECT (SELECT id FROM retention_run), patient_id, id, now() - interval '1 year' FROM note WHERE id = $1`
	together := func(note sessions.NoteID, statements ...string) error {
		conn, err := pgx.Connect(ctx, d.url)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close(context.Background()) }()
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			for _, s := range statements {
				if _, err := tx.Exec(ctx, s, note); err != nil {
					return err
				}
			}
			return errTried
		})
	}
	for s, note := range map[string]sessions.NoteID{
		`DELETE FROM note_update WHERE note_id = $1`: second, `DELETE FROM note_burst WHERE note_id = $1`: over, `DELETE FROM data_key WHERE owner = $1`: over,
		`UPDATE note SET state = 'destroyed' WHERE id = $1`: over, `DELETE FROM note WHERE id = $1`: over, purged: over,
	} {
		if err := together(note, s); err == nil || errors.Is(err, errTried) {
			t.Errorf("by hand: %s goes", s)
		}
	}
	for what, statements := range map[string][]string{
		"what is not due":         {act, purged},
		"what is not due, by row": {act, `DELETE FROM note_update WHERE note_id = $1`},
	} {
		if err := together(young, statements...); err == nil || errors.Is(err, errTried) {
			t.Errorf("by hand: %s goes", what)
		}
	}
	if err := together(over, act, purged, `DELETE FROM note_burst WHERE note_id = $1`, `DELETE FROM note_update WHERE note_id = $1`, `DELETE FROM data_key WHERE owner = $1`); !errors.Is(err, errTried) {
		t.Errorf("what a purge does: %v", err)
	}
	if _, err := d.db.SetHold(ctx, store.Record{Patient: old}, d.officer, "litigation 12/34"); err != nil {
		t.Fatal(err)
	}
	if err := together(over, act, purged); err == nil || errors.Is(err, errTried) {
		t.Error("by hand: what is held goes")
	}
	if done, err := d.db.PurgePatient(ctx, run, old); err != nil || done != (store.Purged{Held: 2}) {
		t.Errorf("a purge of what is held: %+v, %v", done, err)
	}

	d.must(t, `UPDATE legal_hold SET lifted_at = now(), lifted_by = set_by, lifted_words = words`)
	if done, err := d.db.PurgePatient(ctx, run, old); err != nil || done.Notes != 2 {
		t.Fatal(done, err)
	}
	for what, s := range map[string]string{
		"a longer time for all": `UPDATE retention_class SET years = 1`,
		"a class":               `DELETE FROM retention_class WHERE code = 'minor'`,
		"all classes":           `TRUNCATE retention_class CASCADE`,
		"what was purged":       `DELETE FROM purged`,
		"that anything was":     `TRUNCATE purged`,
		"since when it was due": `UPDATE purged SET ended_at = now()`,
	} {
		if err := d.exec(t, s); err == nil {
			t.Errorf("by hand: %s goes", what)
		}
	}
	for what, err := range map[string]error{
		"no years":          d.db.SetRetention(ctx, "standard", false, 0),
		"too many":          d.db.SetRetention(ctx, "standard", false, 151),
		"a class of both":   d.db.SetRetention(ctx, "standard", true, 7),
		"a name":            d.db.SetRetention(ctx, "For Research", false, 7),
		"an unknown class":  d.db.ClassifyPatient(ctx, d.patient, "unheard-of"),
		"a class of a kind": d.db.ClassifyPatient(ctx, d.patient, "discharge"),
	} {
		if !errors.Is(err, store.ErrRetention) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// errTried ends a transaction that nothing was refused in.
var errTried = errors.New("tried")

// TestPurgeGoesOn where it was stopped, as the same run; and whoever edits a note at this moment keeps it.
func TestPurgeGoesOn(t *testing.T) {
	t.Parallel()
	d := openDecided(t)
	ctx := t.Context()
	var patients []uuid.UUID
	for range 3 {
		patients = append(patients, d.admit(t, grown, ""))
		d.newNote(t)
		d.ago(t, d.patient, 7)
	}
	run, err := d.db.BeginPurge(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if done, err := d.db.PurgePatient(ctx, run, patients[0]); err != nil || done.Notes != 1 || done.Patients != 1 {
		t.Fatal(done, err)
	}
	d.must(t, `UPDATE note SET edited_at = now() WHERE patient_id = $1`, patients[1])
	if done, err := d.db.PurgePatient(ctx, run, patients[1]); err != nil || done != (store.Purged{}) {
		t.Errorf("one that was edited when it was looked for: %+v, %v", done, err)
	}
	all, again := d.purge(t) // somebody calls it anew
	if again != run || all.Notes != 1 || all.Patients != 1 {
		t.Errorf("it goes on as another run (%t), with %+v", again != run, all)
	}
	runs, err := d.db.Runs(ctx, 10)
	if err != nil || len(runs) != 1 || runs[0].Notes != 2 || runs[0].Patients != 2 || runs[0].EndedAt == nil {
		t.Errorf("the runs are %+v, %v", runs, err)
	}
}
