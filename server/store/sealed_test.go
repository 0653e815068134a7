package store_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/pressly/goose/v3"

	"github.com/clisonix/tidechart/migrations"
	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/postgres/postgrestest"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/vault"
	"github.com/clisonix/tidechart/sessions"
)

// fresh opens the database anew, as a server that has just been started.
func (h hospital) fresh(t *testing.T) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), h.url, h.vault)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db
}

// TestTamperedNotes: whoever writes in the database changes no row of a note unnoticed, puts none in another's place, and substitutes no key.
// TestNotesPutBack is about rows that are not there, and about such as were.
func TestTamperedNotes(t *testing.T) {
	h := open(t)
	note, _ := h.written(t, 20)
	other, _ := h.written(t, 20)
	h.must(t, `DELETE FROM note_base`)
	for _, table := range []string{"note_update", "data_key"} {
		h.must(t, `CREATE TABLE good_`+table+` AS SELECT * FROM `+table)
	}
	h.must(t, `ALTER TABLE note_update DISABLE TRIGGER USER; ALTER TABLE data_key DISABLE TRIGGER USER`)
	foreign := newVault(t)
	_, w, err := foreign.NewKey(vault.Name{Scope: vault.OfNote, Owner: note, Epoch: 1})
	if err != nil {
		t.Fatal(err)
	}
	h.must(t, `CREATE TABLE forged AS SELECT $1::bytea AS wrapped, $2::bytea AS commitment, $3::bytea AS tag`, w.Sealed, w.Commitment, w.Tag)
	const gone, row5, row6, keyOf = "log ends at seq ", "seq 5", "seq 6", "data key"
	for what, tt := range map[string]struct {
		attack string
		suite  bool   // it is no record at all, rather than one of another place
		says   string // where
	}{
		"a bit of a row":            {`UPDATE note_update SET data = set_byte(data, 40, get_byte(data, 40) # 1) WHERE note_id = $1 AND seq = 5`, false, row5},
		"two rows swapped":          {`UPDATE note_update SET data = o.data FROM good_note_update o WHERE note_update.note_id = $1 AND o.note_id = $1 AND o.seq = 11 - note_update.seq AND note_update.seq IN (5, 6)`, false, row5},
		"a row said again":          {`UPDATE note_update SET data = o.data FROM good_note_update o WHERE note_update.note_id = $1 AND o.note_id = $1 AND o.seq = 5 AND note_update.seq = 6`, false, row6},
		"a row of another note":     {`UPDATE note_update SET data = o.data FROM good_note_update o WHERE note_update.note_id = $1 AND o.note_id <> $1 AND o.seq = note_update.seq AND note_update.seq = 6`, false, row6},
		"another note, with keys":   {`UPDATE note_update SET data = o.data FROM good_note_update o WHERE note_update.note_id = $1 AND o.note_id <> $1 AND o.seq = note_update.seq; UPDATE data_key SET wrapped = o.wrapped, commitment = o.commitment, tag = o.tag FROM good_data_key o WHERE o.owner <> data_key.owner AND o.scope = 2 AND data_key.scope = 2`, false, keyOf},
		"another author":            {`UPDATE note_update SET author_id = (SELECT id FROM person WHERE username = 'bob') WHERE note_id = $1 AND seq = 5`, false, row5},
		"another session":           {`UPDATE note_update SET session_id = (SELECT id FROM session WHERE note_id <> $1) WHERE note_id = $1 AND seq = 5`, false, row5},
		"a row in the clear":        {`UPDATE note_update SET data = '\x' || repeat('00', 64)::bytea WHERE note_id = $1 AND seq = 5`, true, row5},
		"a row taken away":          {`DELETE FROM note_update WHERE note_id = $1 AND seq = 5`, false, "where 5 belongs"},
		"the last row taken away":   {`DELETE FROM note_update WHERE note_id = $1 AND seq = 21`, false, gone + "20"},
		"rows moved up":             {`DELETE FROM note_update WHERE note_id = $1 AND seq = 20; UPDATE note_update SET seq = 20 WHERE note_id = $1 AND seq = 21; UPDATE note SET head = 20 WHERE id = $1`, false, "rolled back"},
		"a data key of theirs":      {`UPDATE data_key SET wrapped = f.wrapped, commitment = f.commitment, tag = f.tag FROM forged f WHERE owner = $1`, false, keyOf},
		"no data key":               {`DELETE FROM data_key WHERE owner = $1`, false, keyOf},
		"a data key of other epoch": {`UPDATE data_key SET epoch = 2 WHERE owner = $1`, false, keyOf},
	} {
		t.Run(what, func(t *testing.T) {
			h.must(t, `DELETE FROM note_update; DELETE FROM data_key; UPDATE note SET head = 21; INSERT INTO note_update SELECT * FROM good_note_update; INSERT INTO data_key SELECT * FROM good_data_key`)
			for part := range strings.SplitSeq(tt.attack, "; ") {
				if strings.Contains(part, "$1") {
					h.must(t, part, note)
				} else {
					h.must(t, part)
				}
			}
			db := h.fresh(t)
			defer db.Close()
			kind := vault.ErrTampered
			if tt.suite {
				kind = vault.ErrSuite
			}
			if log, err := db.Load(t.Context(), note); !errors.Is(err, kind) || !strings.Contains(fmt.Sprint(err), tt.says) {
				t.Errorf("it loads with %d rows, %v; want %v, and %q", len(log.Tail), err, kind, tt.says)
			} else {
				t.Log(err)
			}
			if what != "another note, with keys" {
				if _, err := db.Load(t.Context(), other); err != nil {
					t.Errorf("another note: %v", err)
				}
			}
		})
	}
}

// TestTamperedCopies: a base that is another's is passed over, and a burst that is somebody else's does not open.
func TestTamperedCopies(t *testing.T) {
	h := open(t)
	note, _ := h.written(t, 20)
	h.written(t, 20)
	before := h.log(t, note)
	h.must(t, `UPDATE note_base SET data = o.data, sum = o.sum FROM note_base o WHERE o.note_id <> note_base.note_id`)
	log, err := h.fresh(t).Load(t.Context(), note)
	if err != nil || log.BaseSeq != 0 || len(log.Tail) != 21 {
		t.Errorf("with the base of another note: base to %d, %d rows, %v", log.BaseSeq, len(log.Tail), err)
	}
	h.must(t, `DELETE FROM note_base`)
	for _, seq := range []uint64{5, 20} {
		if err := h.db.SaveBase(t.Context(), note, seq, []byte{0, 0}); err != nil {
			t.Fatal(err)
		}
	}
	h.must(t, `CREATE TABLE good_base AS SELECT * FROM note_base`)
	h.must(t, `UPDATE note_base SET data = o.data, sum = o.sum FROM good_base o WHERE o.seq = 5 AND note_base.seq = 20`)
	if log, err := h.fresh(t).Load(t.Context(), note); err != nil || log.BaseSeq != 0 {
		t.Errorf("with an older base in the place of the newest: base to %d, %v", log.BaseSeq, err)
	}
	h.must(t, `UPDATE note_base SET data = o.data, sum = o.sum FROM good_base o WHERE o.seq = note_base.seq`)
	if done, err := h.db.Fold(t.Context(), note, later()); err != nil || done.Rows == 0 {
		t.Fatal(done, err)
	}
	if after := h.log(t, note); !slices.EqualFunc(before, after, sameRow) {
		t.Error("folded, the log is another")
	}
	h.must(t, `ALTER TABLE note_burst DISABLE TRIGGER USER`)
	h.must(t, `UPDATE note_burst SET author_id = (SELECT id FROM person WHERE username = 'bob') WHERE note_id = $1`, note)
	if _, err := h.fresh(t).ReadLog(t.Context(), note, 1, 10); err == nil {
		t.Error("a burst of somebody else opens")
	}
}

// TestServersShareANote: what two servers append to one note at the same time is sealed for where it stands.
func TestServersShareANote(t *testing.T) {
	h := open(t)
	note := h.newNote(t)
	const each, times = 2, 20
	var servers sync.WaitGroup
	for s := range each {
		db := h.fresh(t)
		servers.Go(func() {
			for i := range times {
				b := sessions.Batch{ID: uuid.New(), Entries: []sessions.Entry{{Note: note, Author: h.author, Update: fmt.Appendf(nil, "server %d, %d", s, i)}}}
				if placed, err := db.Append(t.Context(), b); err != nil || len(placed) != 1 || placed[0].First == 0 {
					t.Error(placed, err)
				}
			}
		})
	}
	servers.Wait()
	if log := h.log(t, note); len(log) != 1+each*times {
		t.Errorf("%d rows", len(log))
	}
}

// TestKeysWearOut: a note has a new data key for what is written after 90 days; what was written before opens as before, and a
// server that does not know of the new key looks for it.
func TestKeysWearOut(t *testing.T) {
	h := open(t)
	note, _ := h.written(t, 5)
	old := h.fresh(t)
	if _, err := old.Load(t.Context(), note); err != nil {
		t.Fatal(err)
	}
	h.must(t, `UPDATE data_key SET made_at = now() - interval '91 days'`)
	db := h.fresh(t)
	for i := range 3 {
		b := sessions.Batch{ID: uuid.New(), Entries: []sessions.Entry{{Note: note, Author: h.author, Update: fmt.Appendf(nil, "later %d", i)}}}
		if _, err := db.Append(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	if n := one[int](t, h, `SELECT count(*) FROM data_key WHERE owner = $1`, note); n != 2 {
		t.Errorf("%d data keys", n)
	}
	for _, server := range []*store.DB{old, db, h.fresh(t)} {
		rows, err := server.ReadLog(t.Context(), note, 5, 10)
		if err != nil || len(rows) != 4 || string(rows[3].Update) != "later 2" {
			t.Errorf("%d rows, %v", len(rows), err)
		}
	}
	if _, notes := h.checkKeys(t, h.vault); notes != (store.Checked{All: 2}) {
		t.Errorf("%+v", notes)
	}
}

// TestKeysAreGivenUp: after an operator has said so, a server that runs has another data key for what is written to each note, and to the log
// of acts, than any that was there; and what these seal opens as before.
func TestKeysAreGivenUp(t *testing.T) {
	t.Parallel()
	h := open(t)
	note, _ := h.written(t, 5)
	s := h.sequencer(t)
	step(t, s)
	if err := h.db.RenewKeys(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := h.db.FollowKeys(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		b := sessions.Batch{ID: uuid.New(), Entries: []sessions.Entry{{Note: note, Author: h.author, Update: fmt.Appendf(nil, "later %d", i)}}}
		if _, err := h.db.Append(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	if n := one[int](t, h, `SELECT count(*) FROM data_key WHERE owner = $1`, note); n != 2 {
		t.Errorf("%d data keys of the note", n)
	}
	again := h.fresh(t) // as a server that starts
	if rows, err := again.ReadLog(t.Context(), note, 5, 10); err != nil || len(rows) != 3 || string(rows[2].Update) != "later 1" {
		t.Errorf("%d rows, %v", len(rows), err)
	}
	if n := one[int](t, h, `SELECT count(*) FROM data_key WHERE scope = 10`); n != 2 {
		t.Errorf("%d data keys of the log", n)
	}
	if n := one[int](t, h, `SELECT count(*) FROM audit_event WHERE act = $1`, string(audit.RenewKeys)); n != 1 {
		t.Errorf("it is on record %d times", n)
	}
}

// clearNotes is a database as versions before the vault left it, with notes whose rows, bases and bursts hold those words.
func clearNotes(t *testing.T, words ...string) (h hospital, notes []sessions.NoteID) {
	t.Helper()
	h = hospital{url: postgrestest.URL(t), author: uuid.New(), vault: newVault(t)}
	db, err := sql.Open("pgx", h.url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	provider, err := goose.NewProvider(goose.DialectPostgres, db, migrations.FS)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), 21); err != nil {
		t.Fatal(err)
	}
	patient := uuid.New()
	h.must(t, `INSERT INTO facility VALUES ('f', 'F'); INSERT INTO unit VALUES ('u', 'f', 'U')`)
	h.must(t, `INSERT INTO person (id, username, name, role, color) VALUES ($1, 'ada', 'A', 'nurse', 0)`, h.author)
	h.must(t, `INSERT INTO patient (id, mrn, family, given, birth_date, gender, allergies) VALUES ($1, '1', 'P', 'P', now(), '', '')`, patient)
	at := time.Now().Add(-2 * time.Hour).Truncate(time.Microsecond)
	for _, word := range words {
		note := uuid.New()
		notes = append(notes, note)
		h.must(t, `INSERT INTO note (id, patient_id, unit_id, kind, title, head, created_by) VALUES ($1, $2, 'u', 'progress', '', 25, $3)`, note, patient, h.author)
		var run []sessions.Row
		for seq := range 25 {
			r := sessions.Row{Seq: uint64(seq + 1), Author: h.author, At: at, Update: fmt.Appendf(nil, "%s, %d", word, seq)}
			if seq < 10 {
				run = append(run, r)
				continue
			}
			h.must(t, `INSERT INTO note_update (note_id, seq, author_id, data, at) VALUES ($1, $2, $3, $4, $5)`, note, r.Seq, h.author, r.Update, at)
		}
		b, err := sessions.Fold(run)
		if err != nil {
			t.Fatal(err)
		}
		h.must(t, `INSERT INTO note_burst (note_id, first_seq, last_seq, author_id, last_at, data, sum) VALUES ($1, 1, 10, $2, $3, $4, $5)`, note, h.author, at, b.Data, b.Sum[:])
		base := []byte("base: " + word)
		sum := sha256.Sum256(base)
		h.must(t, `INSERT INTO note_base (note_id, seq, data, sum) VALUES ($1, 20, $2, $3)`, note, base, sum[:])
	}
	return h, notes
}

// TestNotesOfBeforeAreSealed by whoever starts first; who is stopped in between is gone on from; and nothing of them is left in
// the clear but in the log of before.
func TestNotesOfBeforeAreSealed(t *testing.T) {
	const one, two = "planted-aneurysm", "planted-thrombosis"
	h, notes := clearNotes(t, one, two)
	places := strings.Join(found(t, h.url, one), " ")
	for _, where := range []string{"base", "pg_wal", "dump"} {
		if !strings.Contains(places, where) {
			t.Errorf("in the clear it is not found in %s, but in: %s", where, places)
		}
	}
	h.must(t, `ANALYZE`) // Postgres keeps some values of each column
	migrated, err := store.Open(t.Context(), h.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	migrated.Close()
	h.must(t, `CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF (SELECT count(*) FROM data_key) > 1 THEN RAISE EXCEPTION ''stopped''; END IF; RETURN NEW; END'`)
	h.must(t, `CREATE TRIGGER stop BEFORE UPDATE ON note_base FOR EACH ROW EXECUTE FUNCTION stop()`)
	if db, err := store.Open(t.Context(), h.url, h.vault); err == nil || !strings.Contains(err.Error(), "stopped") {
		t.Fatalf("stopped in between: %v, %v", db, err)
	}
	h.must(t, `DROP TRIGGER stop ON note_base`)
	opened := make(chan error)
	var said bytes.Buffer
	log := slog.New(slog.NewTextHandler(&said, nil)) // one at a time
	for range 3 {
		go func() {
			db, err := store.Open(context.WithoutCancel(t.Context()), h.url, h.vault, store.WithLog(log))
			if err == nil {
				db.Close()
			}
			opened <- err
		}()
	}
	for range 3 {
		if err := <-opened; err != nil {
			t.Error(err)
		}
	}
	for _, want := range []string{"sealing notes of an earlier version", "done=1 of=1", "table=note_update", "table=note_burst", "took="} {
		if !strings.Contains(said.String(), want) || strings.Contains(said.String(), one) {
			t.Errorf("the log does not say %q: %s", want, said.String())
		}
	}
	h.db = h.fresh(t)
	for i, word := range []string{one, two} {
		log, err := h.db.Load(t.Context(), notes[i])
		if err != nil || log.BaseSeq != 20 || string(log.Base) != "base: "+word || len(log.Tail) != 5 {
			t.Errorf("base to %d, %q, %d rows, %v", log.BaseSeq, log.Base, len(log.Tail), err)
		}
		for j, r := range h.log(t, notes[i]) {
			if want := fmt.Sprintf("%s, %d", word, j); r.Seq != uint64(j)+1 || string(r.Update) != want {
				t.Fatalf("row %d is %q", r.Seq, r.Update)
			}
		}
	}
	for _, where := range found(t, h.url, one, two) {
		if where != "pg_wal" { // it was written there, and goes with its segment
			t.Errorf("after it was sealed it is found in %s", where)
		}
	}
	if err := h.exec(t, `UPDATE note_update SET data = data`); err == nil {
		t.Error("rows can be changed once they are sealed")
	}
}

// TestNoNoteLiesInTheClear: of what is written, merged and folded no file of Postgres has a trace.
func TestNoNoteLiesInTheClear(t *testing.T) {
	h := open(t)
	const word = "planted-pheochromocytoma"
	note, session := h.newNote(t), uuid.New()
	if err := h.db.StartSession(t.Context(), session, note); err != nil {
		t.Fatal(err)
	}
	for round := range 2 {
		b := sessions.Batch{ID: uuid.New()}
		for i := range 20 {
			b.Entries = append(b.Entries, sessions.Entry{Note: note, Author: h.author, Session: session, Update: fmt.Appendf(nil, "%s, %d", word, i)})
		}
		if _, err := h.db.Append(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		if err := h.db.SaveBase(t.Context(), note, uint64(20*round+21), bytes.Repeat([]byte(word), 500)); err != nil {
			t.Fatal(err)
		}
		if round == 0 {
			if done, err := h.db.Fold(t.Context(), note, later()); err != nil || done.Rows == 0 {
				t.Fatal(done, err)
			}
		}
	}
	if places := found(t, h.url, word); places != nil {
		t.Errorf("it is found in %v", places)
	}
	if log := h.log(t, note); len(log) != 41 || !strings.HasPrefix(string(log[40].Update), word) {
		t.Errorf("%d rows", len(log))
	}
}
