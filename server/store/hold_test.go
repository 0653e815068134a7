package store_test

import (
	"errors"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/sessions"
)

// TestTwoPeopleDecide what is destroyed, in time, who may: by code, and by whatever statement somebody types.
func TestTwoPeopleDecide(t *testing.T) {
	t.Parallel()
	d := openDecided(t)
	ctx := t.Context()
	note := d.newNote(t)
	d.must(t, `UPDATE person SET patient_id = $2 WHERE id = $1`, d.other, d.patient)
	for what, by := range map[string]uuid.UUID{"a nurse": d.author, "an administrator": d.admin, "nobody": uuid.New()} {
		if _, err := d.db.AskShredding(ctx, d.note(note), by, "order", "words"); !errors.Is(err, store.ErrTwoPeople) {
			t.Errorf("%s asks: %v", what, err)
		}
	}
	id := d.ask(t, d.note(note))
	if _, err := d.db.AskShredding(ctx, d.note(note), d.officer, "order", "again"); !store.IsTaken(err) {
		t.Errorf("asked for twice: %v", err)
	}
	refused := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, store.ErrTwoPeople) {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err := d.db.Shred(ctx, id)
	refused("without approval", err)
	refused("approved by who asked", d.db.ApproveShredding(ctx, id, d.officer))
	refused("approved by a nurse", d.db.ApproveShredding(ctx, id, d.author))
	d.must(t, `UPDATE person SET suspended = true WHERE id = $1`, d.admin)
	refused("approved by who is suspended", d.db.ApproveShredding(ctx, id, d.admin))
	d.must(t, `UPDATE person SET suspended = false, patient_id = NULL WHERE id IN ($1, $2)`, d.admin, d.other)
	d.must(t, `UPDATE person SET patient_id = $2 WHERE id = $1`, d.admin, d.patient)
	refused("approved by whose record it is", d.db.ApproveShredding(ctx, id, d.admin))
	d.must(t, `UPDATE person SET patient_id = NULL WHERE id = $1`, d.admin)
	d.must(t, `UPDATE person SET role = 'administrator' WHERE id = $1`, d.officer)
	refused("approved by who asked, in another role", d.db.ApproveShredding(ctx, id, d.officer))
	d.must(t, `UPDATE person SET role = 'privacy officer' WHERE id = $1`, d.officer)
	_, err = d.db.Shred(ctx, id)
	refused("still without approval", err)

	statements := map[string]string{
		"the key of the note":       `DELETE FROM data_key WHERE owner = $1`,
		"the key, by another name":  `UPDATE data_key SET owner = gen_random_uuid() WHERE owner = $1`,
		"all keys":                  `TRUNCATE data_key; SELECT $1::uuid`,
		"the note":                  `UPDATE note SET state = 'destroyed' WHERE id = $1`,
		"who approved":              `UPDATE shredding SET approved_by = asked_by, approved_at = now() WHERE note_id = $1`,
		"another who asked":         `UPDATE shredding SET asked_by = (SELECT id FROM person WHERE role = 'nurse' LIMIT 1) WHERE note_id = $1`,
		"more time":                 `UPDATE shredding SET until = until + interval '1 second' WHERE note_id = $1`,
		"another note":              `UPDATE shredding SET note_id = NULL WHERE note_id = $1`,
		"that it is done":           `UPDATE shredding SET done_at = now() WHERE note_id = $1`,
		"the decision":              `DELETE FROM shredding WHERE note_id = $1`,
		"approved from the outset":  `INSERT INTO shredding (id, patient_id, reason, words, asked_by, until, approved_by, approved_at) SELECT gen_random_uuid(), patient_id, reason, words, asked_by, until, (SELECT id FROM person WHERE role = 'administrator'), now() FROM shredding WHERE note_id = $1`,
		"a month to decide":         `INSERT INTO shredding (id, patient_id, reason, words, asked_by, until) SELECT gen_random_uuid(), patient_id, reason, words, asked_by, now() + interval '1 month' FROM shredding WHERE note_id = $1`,
		"a note of somebody else's": `INSERT INTO shredding (id, patient_id, note_id, reason, words, asked_by, until) SELECT gen_random_uuid(), patient_id, gen_random_uuid(), reason, words, asked_by, until FROM shredding WHERE note_id = $1`,
	}
	for what, sql := range statements {
		if err := d.exec(t, sql, note); err == nil {
			t.Errorf("by hand: %s goes", what)
		}
	}

	if err := d.db.EndShredding(ctx, id, d.officer, "withdrawn"); err != nil {
		t.Fatal(err)
	}
	refused("approved though it was withdrawn", d.db.ApproveShredding(ctx, id, d.admin))
	id = d.agree(t, d.note(note))
	if err := d.db.EndShredding(ctx, id, d.admin, "refused"); err != nil {
		t.Fatal(err)
	}
	_, err = d.db.Shred(ctx, id)
	refused("refused after it was approved", err)
	refused("approved twice", d.db.ApproveShredding(ctx, id, d.admin))

	for _, when := range []string{"approved", "carried out"} {
		id = d.ask(t, d.note(note))
		if when == "carried out" {
			if err := d.db.ApproveShredding(ctx, id, d.admin); err != nil {
				t.Fatal(err)
			}
		}
		d.must(t, `ALTER TABLE shredding DISABLE TRIGGER USER; UPDATE shredding SET asked_at = asked_at - interval '8 days', until = until - interval '8 days', approved_at = approved_at - interval '8 days'; ALTER TABLE shredding ENABLE TRIGGER USER`)
		if when == "approved" {
			refused("approved after a week", d.db.ApproveShredding(ctx, id, d.admin))
		}
		_, err = d.db.Shred(ctx, id)
		refused(when+" after a week", err)
	}
	if todo, err := d.db.ToShred(ctx); err != nil || len(todo) != 0 {
		t.Errorf("to be carried out: %d, %v", len(todo), err)
	}
	if _, err := d.db.Load(ctx, note); err != nil {
		t.Errorf("after all that the note does not open: %v", err)
	}
	id = d.agree(t, d.note(note)) // asked for again, since its time is over
	if todo, err := d.db.ToShred(ctx); err != nil || len(todo) != 1 || todo[0].Shredding.ID != id || todo[0].Notes != 1 || todo[0].Keys != 1 || todo[0].Held {
		t.Errorf("to be carried out: %+v, %v", todo, err)
	}
	if err := d.exec(t, `DELETE FROM data_key WHERE owner = $1`, d.patient); err == nil {
		t.Error("the key of the patient goes by a decision about a note")
	}
	if _, err := d.db.Shred(ctx, id); err != nil {
		t.Error(err)
	}
	for what, sql := range map[string]string{
		"opened again": `UPDATE note SET state = 'draft' WHERE id = $1`,
		"undone":       `UPDATE shredding SET done_at = NULL WHERE note_id = $1 AND done_at IS NOT NULL`,
	} {
		if err := d.exec(t, sql, note); err == nil {
			t.Errorf("by hand: %s", what)
		}
	}
}

// TestWhatIsHeldStays, until each of its holds is lifted: whether the note is held or all about the patient, and whichever is to be
// destroyed; also a hold that is set after two people have decided, and one that is being set at that moment.
func TestWhatIsHeldStays(t *testing.T) {
	t.Parallel()
	d := openDecided(t)
	ctx := t.Context()
	note, other := d.newNote(t), d.newNote(t)
	whole := store.Record{Patient: d.patient}
	ofNote, ofAll := d.agree(t, d.note(note)), d.agree(t, whole)
	refused := func(what string, ids ...uuid.UUID) {
		t.Helper()
		for _, id := range ids {
			if _, err := d.db.Shred(ctx, id); !errors.Is(err, store.ErrHeld) {
				t.Errorf("%s: %v", what, err)
			}
		}
	}
	hold := func(r store.Record) uuid.UUID {
		t.Helper()
		id, err := d.db.SetHold(ctx, r, d.officer, "litigation 12/34")
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	held := hold(whole)
	refused("the patient is held", ofNote, ofAll)
	for _, sql := range []string{
		`DELETE FROM data_key WHERE owner = $1`, `UPDATE legal_hold SET patient_id = gen_random_uuid() WHERE note_id IS DISTINCT FROM $1`,
		`DELETE FROM legal_hold WHERE note_id IS DISTINCT FROM $1`, `TRUNCATE legal_hold; SELECT $1::uuid`,
	} {
		if err := d.exec(t, sql, note); err == nil {
			t.Errorf("by hand, though it is held: %s", sql)
		}
	}
	tooOld, err := d.connect(t).BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.db.LiftHold(ctx, held, d.admin, "settled"); err != nil {
		t.Fatal(err)
	}
	if _, err := tooOld.Exec(ctx, `DELETE FROM data_key WHERE owner = $1`, note); err == nil {
		t.Error("by a transaction that may look at what was before")
	}
	_ = tooOld.Rollback(ctx)
	if err := d.db.LiftHold(ctx, held, d.admin, "again"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("lifted twice: %v", err)
	}
	one, two := hold(d.note(other)), hold(d.note(note))
	if holds, err := d.db.Holds(ctx, true, 10); err != nil || len(holds) != 3 || holds[0].Words != "litigation 12/34" || holds[2].Lifted != "settled" || holds[2].Lifter != "administrator" {
		t.Errorf("%+v, %v", holds, err)
	}
	refused("a note is held", ofAll, ofNote)
	if err := d.db.LiftHold(ctx, two, d.officer, "settled"); err != nil {
		t.Fatal(err)
	}
	refused("another note is held", ofAll)
	if err := d.db.LiftHold(ctx, one, d.officer, "settled"); err != nil {
		t.Fatal(err)
	}

	// At the same moment: who comes second waits, and sees what the first has done.
	tx, err := d.connect(t).Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(ctx, `INSERT INTO legal_hold (id, patient_id, words, set_by) SELECT gen_random_uuid(), patient_id, words, set_by FROM legal_hold LIMIT 1`); err != nil {
		t.Fatal(err)
	}
	shredded := make(chan error, 1)
	go func() { _, err := d.db.Shred(ctx, ofNote); shredded <- err }()
	d.waiting(t)
	if err := tx.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	if err := <-shredded; !errors.Is(err, store.ErrHeld) {
		t.Errorf("destroyed while a hold is set: %v", err)
	}
	d.must(t, `UPDATE legal_hold SET lifted_words = words, lifted_by = set_by, lifted_at = now() WHERE lifted_at IS NULL`)

	tx, err = d.connect(t).Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{`DELETE FROM data_key WHERE owner = $1`, `UPDATE note SET state = 'destroyed' WHERE id = $1`} {
		if _, err := tx.Exec(ctx, sql, note); err != nil {
			t.Fatal(err)
		}
	}
	go func() { _, err := d.db.SetHold(ctx, d.note(note), d.officer, "too late"); shredded <- err }()
	d.waiting(t)
	if err := tx.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	if err := <-shredded; !errors.Is(err, sessions.ErrDestroyed) {
		t.Errorf("held while it is destroyed: %v", err)
	}
	if _, err := d.db.Shred(ctx, ofAll); err != nil {
		t.Error(err)
	}
}

// waiting returns when somebody waits for a lock.
func (h hospital) waiting(t *testing.T) {
	t.Helper()
	conn := h.connect(t)
	for n := 0; n == 0; {
		if err := conn.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`).Scan(&n); err != nil {
			t.Fatal(err)
		}
	}
}
