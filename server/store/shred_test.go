package store_test

import (
	"context"
	"encoding/binary"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/server/vault"
	"github.com/clisonix/tidechart/sessions"
	"github.com/clisonix/tidechart/sessions/storetest"
)

// decided is a hospital with people who decide what is destroyed.
type decided struct {
	hospital
	officer, admin uuid.UUID
}

func openDecided(t *testing.T) decided {
	t.Helper()
	d := decided{open(t), uuid.New(), uuid.New()}
	for id, role := range map[uuid.UUID]string{d.officer: "privacy officer", d.admin: "administrator"} {
		d.must(t, `INSERT INTO person (id, username, name, role, color) VALUES ($1, $2, $2, $3, 0)`, id, strings.ReplaceAll(role, " ", "."), role)
	}
	return d
}

func (d decided) note(note sessions.NoteID) store.Record {
	return store.Record{Patient: d.patient, Note: uuid.NullUUID{UUID: note, Valid: true}}
}

func (d decided) ask(t *testing.T, r store.Record) uuid.UUID {
	t.Helper()
	id, err := d.db.AskShredding(t.Context(), r, d.officer, "order", "planted reason to destroy")
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// agree asks for something and approves it.
func (d decided) agree(t *testing.T, r store.Record) uuid.UUID {
	t.Helper()
	id := d.ask(t, r)
	if err := d.db.ApproveShredding(t.Context(), id, d.admin); err != nil {
		t.Fatal(err)
	}
	return id
}

// openers are all data keys that somebody has who has the database as it is, the key file, and the shares of the recovery key.
func (h hospital) openers(t *testing.T, r *vault.Recovery) (keys []*vault.Key) {
	t.Helper()
	rows, err := h.db.DataKeysAfter(t.Context(), queries.DataKeysAfterParams{MaxRows: 10_000})
	if err != nil {
		t.Fatal(err)
	}
	found := vaultOf(t, r.NewSecret())
	for _, row := range rows {
		name := vault.Name{Scope: vault.Scope(row.Scope), Owner: row.Owner, Epoch: uint32(row.Epoch)}
		w := vault.Wrapped{KEK: vault.KeyID(row.Kek), Sealed: row.Wrapped, Commitment: row.Commitment, Tag: row.Tag}
		if row.Recovery != nil {
			w.Recovery = &vault.Recoverable{KEK: vault.KeyID(row.Recovery), Sealed: row.RecoveryWrapped, Tag: row.RecoveryTag}
		}
		if k, err := h.vault.Unwrap(name, w); err == nil {
			keys = append(keys, k)
		}
		if again, err := r.Rewrap(found, name, w); err == nil {
			if k, err := found.Unwrap(name, again); err == nil {
				keys = append(keys, k)
			}
		}
	}
	return keys
}

// opening tries all keys on all that is sealed about a note, or a patient, and returns how many records there are, and how many open.
func (h hospital) opening(t *testing.T, r *vault.Recovery, about uuid.UUID) (records, opened int) {
	t.Helper()
	type record struct {
		at   vault.Place
		data []byte
	}
	var sealed []record
	conn, err := pgx.Connect(t.Context(), h.url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	rows, err := conn.Query(t.Context(), `
		SELECT $2::int, seq, author_id, session_id, 0::bigint, data FROM note_update WHERE note_id = $1
		UNION ALL SELECT $3, seq, NULL, NULL, 0, data FROM note_base WHERE note_id = $1
		UNION ALL SELECT $4, first_seq, author_id, session_id, last_seq, data FROM note_burst WHERE note_id = $1
		UNION ALL SELECT $5, 0, NULL, NULL, 0, sealed FROM patient WHERE id = $1
		UNION ALL SELECT $6, 0, id, NULL, 0, words FROM glass WHERE patient_id = $1
		UNION ALL SELECT $7, 0, glass_id, NULL, 0, review.words FROM glass_review review JOIN glass ON glass.id = glass_id WHERE patient_id = $1
		UNION ALL SELECT $8, 0, id, NULL, 0, words FROM legal_hold WHERE patient_id = $1
		UNION ALL SELECT $9, 0, id, NULL, 0, lifted_words FROM legal_hold WHERE patient_id = $1 AND lifted_words IS NOT NULL
		UNION ALL SELECT $10, 0, id, NULL, 0, words FROM shredding WHERE patient_id = $1
		UNION ALL SELECT $11, 0, id, NULL, 0, name FROM version WHERE note_id = $1
		UNION ALL SELECT $12, 0, id, by_id, 0, quote FROM thread WHERE note_id = $1
		UNION ALL SELECT $12, 1, id, '00000000-0000-0000-0000-000000000000', 0, place FROM thread WHERE note_id = $1
		UNION ALL SELECT $12, n + 2, thread_id, by_id, 0, words FROM thread_act WHERE note_id = $1 AND words IS NOT NULL`,
		about, int(vault.Update), int(vault.Base), int(vault.Burst), int(vault.PatientRecord), int(vault.GlassWords), int(vault.ReviewWords),
		int(vault.HoldWords), int(vault.LiftWords), int(vault.ShredWords), int(vault.VersionName), int(vault.ThreadWords))
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var kind int
		var seq, last int64
		var author, session uuid.NullUUID
		var data []byte
		if err := rows.Scan(&kind, &seq, &author, &session, &last, &data); err != nil {
			t.Fatal(err)
		}
		at := vault.Place{Kind: vault.Kind(kind), Seq: uint64(seq), Schema: 1}
		if author.Valid {
			at.With = author.UUID[:]
		}
		if at.Kind == vault.Update || at.Kind == vault.Burst || at.Kind == vault.ThreadWords {
			at.With = slices.Concat(author.UUID[:], session.UUID[:])
		}
		if at.Kind == vault.Base {
			at.Schema = 2
		}
		if at.Kind == vault.Burst {
			at.With = binary.BigEndian.AppendUint64(at.With, uint64(last))
		}
		sealed = append(sealed, record{at, data})
	}
	if rows.Err() != nil {
		t.Fatal(rows.Err())
	}
	keys := h.openers(t, r)
	for _, one := range sealed {
		if slices.ContainsFunc(keys, func(k *vault.Key) bool { _, err := k.Open(one.at, one.data); return err == nil }) {
			opened++
		}
	}
	return len(sealed), opened
}

// closed fails unless a note is destroyed for a server: it opens nothing of it, and adds nothing.
func (d decided) closed(t *testing.T, db *store.DB, note sessions.NoteID) {
	t.Helper()
	ctx := t.Context()
	count := func() int {
		n := 0
		for _, table := range []string{"note_update", "note_base", "note_burst"} {
			n += one[int](t, d.hospital, `SELECT count(*) FROM `+table+` WHERE note_id = $1`, note)
		}
		return n + one[int](t, d.hospital, `SELECT count(*) FROM data_key WHERE owner = $1`, note)
	}
	rows := count()
	if log, err := db.Load(ctx, note); !errors.Is(err, sessions.ErrDestroyed) {
		t.Errorf("it loads, with %d rows: %v", len(log.Tail), err)
	}
	if rows, err := db.ReadLog(ctx, note, 0, 10); !errors.Is(err, sessions.ErrDestroyed) {
		t.Errorf("%d rows are read: %v", len(rows), err)
	}
	b := sessions.Batch{ID: uuid.New(), Entries: []sessions.Entry{{Note: note, Author: d.author, Update: []byte("too late")}}}
	if placed, err := db.Append(ctx, b); err != nil || len(placed) != 0 {
		t.Errorf("it takes an edit: %v, %v", placed, err)
	}
	_ = db.SaveBase(ctx, note, 1000, []byte("too late"))
	if _, err := db.FoldLogs(ctx, later()); err != nil {
		t.Errorf("folding: %v", err)
	}
	if n := count(); n != rows {
		t.Errorf("%d rows became %d", rows, n)
	}
}

// TestDestroyedRecordsNeverOpen: of a note that two people had destroyed nothing opens any more, nor of a patient, with the database as it is,
// the key file and the shares of the recovery key; no server opens or adds anything, also not with keys in memory; and in no file of the
// database, nor in a dump, is what was said, or a key. The log of acts stays good. Other records stay as they were.
func TestDestroyedRecordsNeverOpen(t *testing.T) {
	t.Parallel()
	d := openDecided(t)
	ctx := t.Context()
	secret, shares, err := d.secret.WithRecovery()
	if err != nil {
		t.Fatal(err)
	}
	d.secret = secret
	if err := d.db.FollowKeys(ctx, &d.secret); err != nil {
		t.Fatal(err)
	}
	r, err := vault.Recover(shares[0], shares[2])
	if err != nil {
		t.Fatal(err)
	}
	whose := store.Patient{
		Mrn: "SHREDDED-4712", Family: "Shreddedfamily", Given: "Shreddedgiven", Title: "Shreddedtitle", BirthDate: time.Date(1949, 2, 13, 0, 0, 0, 0, time.UTC),
		Gender: "Shreddedgender", Allergies: "Known allergies: shreddedlatex",
	}
	d.patient, err = d.db.PutPatient(ctx, whose, "4w-2")
	if err != nil {
		t.Fatal(err)
	}
	first, _ := d.written(t, 20)
	if done, err := d.db.Fold(ctx, first, later()); err != nil || done.Rows == 0 {
		t.Fatal(done, err)
	}
	second, _ := d.written(t, 5)
	d.speak(t, d.patient)
	hold, err := d.db.SetHold(ctx, d.note(first), d.officer, "planted reason to hold")
	if err != nil {
		t.Fatal(err)
	}
	if err := d.db.LiftHold(ctx, hold, d.officer, "planted reason to lift"); err != nil {
		t.Fatal(err)
	}
	for name, note := range map[string]sessions.NoteID{"planted name of a version": first, "planted name of another": second} {
		if _, err := d.db.NameVersion(ctx, note, 2, d.officer, name); err != nil {
			t.Fatal(err)
		}
	}
	for _, note := range []sessions.NoteID{first, second} {
		place := store.PlaceOf(crdt.ID{Client: 1}, crdt.ID{Client: 1, Clock: 5}, "planted quote", crdt.StateVector{1: 6})
		thread, err := d.db.BeginThread(ctx, note, d.officer, &place, "planted comment")
		if err != nil {
			t.Fatal(err)
		}
		if err := d.db.InThread(ctx, note, thread, store.ThreadAct{Do: store.Change, Of: 1, By: d.officer, Words: "planted change"}); err != nil {
			t.Fatal(err)
		}
	}
	words := []string{
		"planted quote", "planted comment", "planted change",
		"planted name of a version", "planted name of another", whose.Mrn, whose.Family, whose.Given, whose.Title, whose.Gender, "1949-02-13", "shreddedlatex", "planted reason to destroy", "planted reason to hold", "planted reason to lift",
		"row 1 of 5", "row 1 of 20",
	}
	remembers := d.fresh(t)
	for _, note := range []sessions.NoteID{first, second} {
		if _, err := remembers.Load(ctx, note); err != nil {
			t.Fatal(err)
		}
	}
	wraps := func(owner uuid.UUID) (all []string) {
		for _, column := range []string{"wrapped", "recovery_wrapped"} {
			all = append(all, string(one[[]byte](t, d.hospital, `SELECT `+column+` FROM data_key WHERE owner = $1`, owner)))
		}
		return all
	}
	keysOf := map[uuid.UUID][]string{first: wraps(first), second: wraps(second), d.patient: wraps(d.patient)}
	index := string(one[[]byte](t, d.hospital, `SELECT mrn_index FROM patient WHERE id = $1`, d.patient))
	check := func(what string, gone map[uuid.UUID]bool) {
		t.Helper()
		owners := slices.Collect(maps.Keys(keysOf))
		lists := [][]string{words, {index}}
		for _, about := range owners {
			lists = append(lists, keysOf[about])
		}
		places := foundEach(t, d.url, lists...)
		kept := func(places []string) bool { return slices.Contains(places, "base") || slices.Contains(places, "dump") } // the log keeps them until its segments go
		for i, about := range owners {
			records, opened := d.opening(t, r, about)
			if records == 0 || gone[about] && opened != 0 || !gone[about] && opened != records {
				t.Errorf("%s: %d of %d records of one that is destroyed (%t) open", what, opened, records, gone[about])
			}
			if kept(places[2+i]) == gone[about] {
				t.Errorf("%s: keys of one that is destroyed (%t) are found in %v", what, gone[about], places[2+i])
			}
		}
		if places[0] != nil {
			t.Errorf("%s: what is sealed is found in %v", what, places[0])
		}
		if kept(places[1]) == gone[d.patient] {
			t.Errorf("%s: the hash of the number is found in %v", what, places[1])
		}
	}
	check("before", nil)
	d.rotated(t)
	d.rewrap(t)
	if err := d.db.FollowKeys(ctx, &d.secret); err != nil {
		t.Fatal(err)
	}
	for owner := range keysOf {
		keysOf[owner] = append(keysOf[owner], wraps(owner)...)
	}
	check("after a change of keys", nil)
	d.must(t, `ANALYZE`) // Postgres keeps some values of each column

	request := d.agree(t, d.note(first))
	if done, err := d.db.Shred(ctx, request); err != nil || done != (store.Shredded{Notes: 1, Keys: 1}) {
		t.Fatal(done, err)
	}
	if n, err := d.db.Erase(ctx); n != 1 || err != nil {
		t.Errorf("%d erased, %v", n, err)
	}
	for _, db := range []*store.DB{d.db, remembers, d.fresh(t)} {
		d.closed(t, db, first)
		if log, err := db.Load(ctx, second); err != nil || log.Head != 6 {
			t.Errorf("another note: %d, %v", log.Head, err)
		}
	}
	check("after a note", map[uuid.UUID]bool{first: true})

	request = d.agree(t, store.Record{Patient: d.patient})
	if done, err := d.db.Shred(ctx, request); err != nil || done != (store.Shredded{Notes: 1, Keys: 2}) {
		t.Fatal(done, err)
	}
	if done, err := d.db.Shred(ctx, request); err != nil || done != (store.Shredded{Before: true}) {
		t.Errorf("a second time: %+v, %v", done, err)
	}
	if _, err := d.db.Erase(ctx); err != nil {
		t.Fatal(err)
	}
	check("after the patient", map[uuid.UUID]bool{first: true, second: true, d.patient: true})
	db := d.fresh(t)
	d.closed(t, db, second)
	if _, err := db.PatientByMRN(ctx, whose.Mrn); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("found by number: %v", err)
	}
	if glass, err := db.GlassFor(ctx, d.other, true, 10); err != nil || len(glass) != 1 || glass[0].Words != store.Destroyed || glass[0].Patient.Family != store.Destroyed {
		t.Errorf("%+v, %v", glass, err)
	}
	for what, err := range map[string]error{
		"a note":       db.CreateNote(ctx, store.NewNote{ID: uuid.New(), Patient: d.patient, Unit: "4w", Kind: "progress", Author: d.author, At: time.Now(), First: storetest.Empty()}),
		"broken glass": db.BreakGlass(ctx, queries.BreakGlassParams{ID: uuid.New(), Person: d.author, Patient: d.patient, Reason: "other", Seconds: 60}, "too late", "none"),
	} {
		if !errors.Is(err, sessions.ErrDestroyed) {
			t.Errorf("%s about who was destroyed: %v", what, err)
		}
	}
	if _, err := db.SetHold(ctx, store.Record{Patient: d.patient}, d.officer, "too late"); !errors.Is(err, sessions.ErrDestroyed) {
		t.Errorf("a hold: %v", err)
	}
	if row, err := db.Destruction(ctx, d.patient, uuid.NullUUID{}); err != nil || row.Asker != "privacy.officer" || row.Approver != "administrator" || row.DoneAt == nil {
		t.Errorf("%+v, %v", row, err)
	}

	s := d.sequencer(t)
	d.due(t)
	step(t, s)
	if _, err := d.check(t); err != nil {
		t.Errorf("the log of acts: %v", err)
	}
	if err := db.CheckNotes(ctx, func(wrong error) {
		if wrong != nil {
			t.Errorf("a note that was destroyed is not as it was: %v", wrong)
		}
	}); err != nil {
		t.Errorf("the notes: %v", err)
	}
	entries, _ := d.entries(t)
	var acts []string
	for _, e := range entries {
		if e.Patient.UUID == d.patient && (strings.HasPrefix(string(e.Act), "destroy.") || strings.HasPrefix(string(e.Act), "hold.")) {
			acts = append(acts, string(e.Act))
		}
	}
	if want := []string{"hold.set", "hold.lift", "destroy.ask", "destroy.approve", "destroy.do", "destroy.ask", "destroy.approve", "destroy.do"}; !slices.Equal(acts, want) {
		t.Errorf("on record: %v", acts)
	}
}
