package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/vault"
	"github.com/clisonix/tidechart/sessions"
)

// chained is a note whose states somebody keeps who can write in the database, triggers or not.
type chained struct {
	hospital
	note, session uuid.UUID
	blind         *store.DB // without the key
}

// rewritable is what makes up a note, in the order in which it can be put back.
var rewritable = []string{"note_update", "note_burst", "note_fold", "note_base"}

func (h hospital) chained(t *testing.T, n int) chained {
	t.Helper()
	c := chained{hospital: h}
	c.note, c.session = h.written(t, n)
	var err error
	if c.blind, err = store.Open(t.Context(), h.url, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.blind.Close)
	for _, table := range append([]string{"note", "audit_event"}, rewritable...) {
		h.must(t, `ALTER TABLE `+table+` DISABLE TRIGGER ALL`)
	}
	h.must(t, `GRANT ALL ON audit_event TO CURRENT_USER`)
	return c
}

// write adds rows by a server.
func (c chained) write(t *testing.T, db *store.DB, word string, n int) {
	t.Helper()
	b := sessions.Batch{ID: uuid.New()}
	for i := range n {
		b.Entries = append(b.Entries, sessions.Entry{Note: c.note, Author: c.author, Session: c.session, Update: fmt.Appendf(nil, "%s %d", word, i)})
	}
	if placed, err := db.Append(t.Context(), b); err != nil || len(placed) != 1 {
		t.Fatal(placed, err)
	}
}

// keep remembers the note as it is now, under a name.
func (c chained) keep(t *testing.T, name string) {
	t.Helper()
	c.must(t, `CREATE TABLE `+name+` AS SELECT id, head, chain FROM note WHERE id = $1`, c.note)
	for _, table := range rewritable {
		c.must(t, `CREATE TABLE `+name+`_`+table+` AS SELECT * FROM `+table+` WHERE note_id = $1`, c.note)
	}
}

// putBack makes the note what it was.
func (c chained) putBack(t *testing.T, name string) {
	t.Helper()
	c.must(t, `UPDATE note SET head = o.head, chain = o.chain FROM `+name+` o WHERE o.id = note.id`)
	for _, table := range rewritable {
		c.must(t, `DELETE FROM `+table+` WHERE note_id = $1`, c.note)
		c.must(t, `INSERT INTO `+table+` SELECT * FROM `+name+`_`+table)
	}
}

// found says what a server that has just been started finds wrong with the note, and what an operator does, with the key and without.
func (c chained) found(t *testing.T) (opened, checked, checkedBlind audit.FaultKind) {
	t.Helper()
	kind := func(err error) audit.FaultKind {
		var fault *store.NoteFault
		switch {
		case err == nil:
			return ""
		case errors.As(err, &fault) && fault.Note == c.note && errors.Is(err, vault.ErrTampered):
			return fault.Kind
		default:
			return audit.FaultKind(err.Error())
		}
	}
	check := func(db *store.DB) (found audit.FaultKind) {
		err := db.CheckNotes(t.Context(), func(err error) {
			if err != nil {
				found = kind(err)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	db := c.fresh(t)
	defer db.Close()
	_, err := db.Load(t.Context(), c.note)
	return kind(err), check(db), check(c.blind)
}

// TestNotesPutBack: an earlier or another state of a note, each row of which opens where it is, is not the note; and it is said what was
// done to it, when the note is opened, and by a check of the database.
func TestNotesPutBack(t *testing.T) {
	c := open(t).chained(t, 20)
	c.write(t, c.db, "old", 5)
	c.keep(t, "early") // head 26
	c.write(t, c.db, "first", 5)
	c.keep(t, "first") // head 31, of which the log of acts knows nothing
	c.putBack(t, "early")
	server := c.fresh(t)
	c.write(t, server, "second", 4)
	c.write(t, server, "then", 1)
	if err := server.AnchorNotes(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	c.keep(t, "good") // head 31, too
	if opened, checked, blind := c.found(t); opened != "" || checked != "" || blind != "" {
		t.Fatalf("as it is: %q, %q, %q", opened, checked, blind)
	}
	for name, tt := range map[string]struct {
		sql                    []string
		back                   string
		opened, checked, blind audit.FaultKind
	}{
		"the tail is dropped":              {sql: []string{`DELETE FROM note_update WHERE seq > 28`, `UPDATE note SET head = 28`}, opened: audit.RolledBack, checked: audit.RolledBack, blind: audit.RolledBack},
		"one row is dropped":               {sql: []string{`DELETE FROM note_update WHERE seq > 30`, `UPDATE note SET head = 30`}, opened: audit.RolledBack, checked: audit.RolledBack, blind: audit.RolledBack},
		"an earlier state is back":         {back: "early", opened: audit.RolledBack, checked: audit.RolledBack, blind: audit.RolledBack},
		"a state that never was on record": {back: "first", opened: audit.Forked, checked: audit.Forked, blind: audit.Forked},
		"a row of that state is back":      {sql: []string{`UPDATE note_update u SET data = o.data FROM first_note_update o WHERE o.note_id = u.note_id AND o.seq = u.seq AND u.seq = 29`}, opened: audit.Changed, checked: audit.Changed},
		"the link is another's":            {sql: []string{`UPDATE note SET chain = (SELECT chain FROM first)`}, opened: audit.Changed, checked: audit.Changed, blind: audit.Forked},
		"there is no link":                 {sql: []string{`UPDATE note SET chain = NULL`}, opened: audit.Changed, checked: audit.Changed, blind: audit.Forked},
		"it never was":                     {sql: []string{`DELETE FROM note_update`, `UPDATE note SET head = 0, chain = NULL`, `DELETE FROM note_base`}, opened: audit.RolledBack, checked: audit.RolledBack, blind: audit.RolledBack},
		"a row is said to be older":        {sql: []string{`UPDATE note_update SET at = at - interval '3 days' WHERE seq = 28`}, checked: store.Retimed},
		"a row is said to be newer":        {sql: []string{`UPDATE note_update SET at = at + interval '3 days' WHERE seq = 28`}, checked: store.Retimed},
		"an old entry is said again": {
			sql:  []string{`INSERT INTO audit_event (act, outcome, note_id, code) SELECT act, outcome, note_id, code FROM audit_event WHERE act = 'note.anchor' AND code LIKE 'head=21 %'`},
			back: "early", opened: audit.RolledBack, checked: audit.RolledBack, blind: audit.RolledBack,
		},
		"an entry that no server wrote": {
			sql:  []string{`INSERT INTO audit_event (act, outcome, note_id, code) SELECT 'note.anchor', 'done', id, 'head=99 chain=none' FROM early`},
			back: "early", opened: audit.RolledBack, checked: audit.RolledBack, blind: audit.RolledBack,
		},
		"it is said to be meant": {
			sql:  []string{`INSERT INTO audit_event (act, outcome, note_id, code) SELECT 'note.restore', 'done', id, 'head=26 chain=' || encode(chain, 'base64') || ' over=31 proof=' || encode(chain, 'base64') FROM early`},
			back: "early", opened: audit.RolledBack, checked: audit.RolledBack,
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, sql := range tt.sql {
				c.must(t, sql)
			}
			if tt.back != "" {
				c.putBack(t, tt.back)
			}
			if opened, checked, blind := c.found(t); opened != tt.opened || checked != tt.checked || blind != tt.blind {
				t.Errorf("opened: %q, checked: %q, without the key: %q; want %q, %q, %q", opened, checked, blind, tt.opened, tt.checked, tt.blind)
			}
			c.putBack(t, "good")
			c.must(t, `DELETE FROM audit_event WHERE act = 'note.restore' OR code = 'head=99 chain=none'`)
		})
	}
	if opened, checked, blind := c.found(t); opened != "" || checked != "" || blind != "" {
		t.Fatalf("as it was: %q, %q, %q", opened, checked, blind)
	}
	if n := one[int](t, c.hospital, `SELECT count(DISTINCT code) FROM audit_event WHERE act = 'note.fault' AND outcome = 'failed' AND note_id = $1 AND patient_id IS NOT NULL AND code LIKE 'rolled-back has=% had=31'`, c.note); n < 3 {
		t.Errorf("%d of the faults are on record", n)
	}
	// The base of a state that never was is passed over: the log is the truth.
	c.must(t, `UPDATE note_base b SET data = set_byte(b.data, 60, get_byte(b.data, 60) # 1), sum = sha256(set_byte(b.data, 60, get_byte(b.data, 60) # 1))`)
	if log, err := c.fresh(t).Load(t.Context(), c.note); err != nil || log.BaseSeq != 0 || len(log.Tail) != 31 {
		t.Errorf("with another base: base to %d, %d rows, %v", log.BaseSeq, len(log.Tail), err)
	}
	// A note that is not there at all is missed.
	c.must(t, `DELETE FROM note_update; DELETE FROM note_base; DELETE FROM note`)
	if _, checked, blind := c.found(t); checked != audit.Missing || blind != audit.Missing {
		t.Errorf("it is gone: %q, %q", checked, blind)
	}
}

// TestOlderStateIsAccepted: an operator who put an older state of a note back on purpose says so, with the key; then it opens, is written
// on, and rolled back again is missed again, whatever of the log is said once more.
func TestOlderStateIsAccepted(t *testing.T) {
	c := open(t).chained(t, 20)
	c.keep(t, "early")
	server := c.fresh(t)
	c.write(t, server, "lost", 10)
	c.putBack(t, "early")
	if opened, _, _ := c.found(t); opened != audit.RolledBack {
		t.Fatalf("found %q", opened)
	}
	if _, err := server.Load(t.Context(), c.note); !errors.Is(err, vault.ErrTampered) {
		t.Errorf("the server that wrote it finds nothing: %v", err)
	}
	had, has, accepted, err := c.fresh(t).AcceptOlder(t.Context(), c.note)
	if err != nil || had != 31 || has != 21 || !accepted {
		t.Fatalf("accepted: %d of %d, %v", has, had, err)
	}
	if opened, checked, blind := c.found(t); opened != "" || checked != "" || blind != "" {
		t.Errorf("accepted: %q, %q, %q", opened, checked, blind)
	}
	if _, _, accepted, err := c.fresh(t).AcceptOlder(t.Context(), c.note); err != nil || accepted {
		t.Errorf("accepted again: %t, %v", accepted, err)
	}
	if log, err := server.Load(t.Context(), c.note); err != nil || log.Head != 21 {
		t.Errorf("the server that wrote it: %d rows, %v", log.Head, err)
	}
	c.write(t, server, "new", 5)
	if err := server.AnchorNotes(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if opened, checked, _ := c.found(t); opened != "" || checked != "" {
		t.Errorf("written on: %q, %q", opened, checked)
	}
	c.putBack(t, "early")
	again := `INSERT INTO audit_event (act, outcome, note_id, code) SELECT act, outcome, note_id, code FROM audit_event WHERE act = 'note.restore'`
	for _, sql := range []string{`SELECT 1`, again, again} {
		c.must(t, sql)
		if opened, checked, _ := c.found(t); opened != audit.RolledBack || checked != audit.RolledBack {
			t.Errorf("rolled back behind what was accepted: %q, %q", opened, checked)
		}
	}
	// Rows that do not fit their chain are accepted from nobody.
	c.must(t, `UPDATE note SET chain = sha256(chain)`)
	if _, _, _, err := c.fresh(t).AcceptOlder(t.Context(), c.note); !errors.Is(err, vault.ErrTampered) {
		t.Errorf("accepted: %v", err)
	}
}

// TestOpenNotesAreNotRolledBack: a server that has a note open stores nothing behind an earlier state of it.
func TestOpenNotesAreNotRolledBack(t *testing.T) {
	c := open(t).chained(t, 20)
	c.keep(t, "early")
	c.write(t, c.db, "lost", 10)
	c.putBack(t, "early")
	b := sessions.Batch{ID: uuid.New(), Entries: []sessions.Entry{{Note: c.note, Author: c.author, Session: c.session, Update: []byte("more")}}}
	if placed, err := c.db.Append(t.Context(), b); !errors.Is(err, sessions.ErrRejected) || !errors.Is(err, vault.ErrTampered) {
		t.Errorf("placed %v, %v", placed, err)
	}
	if head := one[int64](t, c.hospital, `SELECT head FROM note WHERE id = $1`, c.note); head != 21 {
		t.Errorf("the note has %d rows", head)
	}
}

// TestChainsOutliveFolding: folded, with another data key, by another server, a note's rows are the same, and so is its chain.
func TestChainsOutliveFolding(t *testing.T) {
	c := open(t).chained(t, 40)
	before := one[[]byte](t, c.hospital, `SELECT chain FROM note WHERE id = $1`, c.note)
	if done, err := c.db.Fold(t.Context(), c.note, later()); err != nil || done.Rows == 0 {
		t.Fatal(done, err)
	}
	c.must(t, `UPDATE data_key SET made_at = made_at - interval '91 days' WHERE owner = $1`, c.note)
	server := c.fresh(t)
	c.write(t, server, "with another key", 3)
	if err := server.SaveBase(t.Context(), c.note, 43, []byte{0, 0}); err != nil { // of a row that is not the newest
		t.Fatal(err)
	}
	if n := one[int](t, c.hospital, `SELECT count(*) FROM data_key WHERE owner = $1`, c.note); n != 2 {
		t.Errorf("%d keys", n)
	}
	if opened, checked, blind := c.found(t); opened != "" || checked != "" || blind != "" {
		t.Errorf("%q, %q, %q", opened, checked, blind)
	}
	log, err := c.fresh(t).Load(t.Context(), c.note)
	if err != nil || log.BaseSeq != 43 || len(log.Tail) != 1 {
		t.Errorf("base to %d, %d rows, %v", log.BaseSeq, len(log.Tail), err)
	}
	if after := one[[]byte](t, c.hospital, `SELECT chain FROM note WHERE id = $1`, c.note); bytes.Equal(before, after) {
		t.Error("rows came, and the link stayed")
	}
	// A burst without its newest rows is damaged, and one of an earlier time does not fit.
	c.damage(t, c.note)
	if _, checked, _ := c.found(t); checked == "" {
		t.Error("a damaged burst goes unnoticed")
	}
}

// TestUnrecordedEndsAreFound: what a server that was cut off did not tell the log of acts, the next one does, before anybody opens the note.
func TestUnrecordedEndsAreFound(t *testing.T) {
	c := open(t).chained(t, 20)
	c.write(t, c.db, "cut off", 10)
	known := `SELECT max(substring(code FROM 'head=([0-9]+) chain=')::int) FROM audit_event WHERE note_id = $1`
	if head := one[int](t, c.hospital, known, c.note); head != 21 {
		t.Fatalf("the log of acts has it up to %d", head)
	}
	ctx, stop := context.WithCancel(t.Context())
	ran := make(chan struct{})
	s := c.hospital
	s.db = c.fresh(t)
	go func() { s.sequencer(t).Run(ctx, slog.New(slog.DiscardHandler)); close(ran) }()
	conn := c.connection(t)
	patient, enough := context.WithTimeout(t.Context(), 30*time.Second)
	defer enough()
	for head := 0; head != 31; {
		if err := conn.QueryRow(patient, known, c.note).Scan(&head); err != nil {
			t.Fatalf("the log of acts has it up to %d: %v", head, err)
		}
	}
	c.write(t, s.db, "begins anew", 1)
	c.write(t, s.db, "at the end", 1)
	stop()
	<-ran
	if head := one[int](t, c.hospital, known, c.note); head != 33 {
		t.Errorf("after a clean stop the log of acts has it up to %d", head)
	}
}

// TestNotesStayTheirPatients: a note that was put into another patient's record is not shown as theirs, whatever is added to the log of acts;
// put back, it opens when somebody says so who has the key.
func TestNotesStayTheirPatients(t *testing.T) {
	c := open(t).chained(t, 20)
	server := c.fresh(t)
	if _, err := server.Load(t.Context(), c.note); err != nil {
		t.Fatal(err)
	}
	own := one[uuid.UUID](t, c.hospital, `SELECT patient_id FROM note WHERE id = $1`, c.note)
	other, err := c.db.PutPatient(t.Context(), planted, "")
	if err != nil {
		t.Fatal(err)
	}
	const move = `UPDATE note SET patient_id = $2 WHERE id = $1`
	is := func(what string, want, blind audit.FaultKind) {
		t.Helper()
		if opened, checked, checkedBlind := c.found(t); opened != want || checked != want || checkedBlind != blind {
			t.Errorf("%s: opened: %q, checked: %q, without the key: %q", what, opened, checked, checkedBlind)
		}
		var fault *store.NoteFault
		if _, err := server.NoteByID(t.Context(), c.note); (want == "") != (err == nil) || want != "" && (!errors.As(err, &fault) || fault.Kind != want) {
			t.Errorf("%s: its page: %v", what, err)
		}
	}
	is("as it is", "", "")
	c.must(t, move, c.note, other)
	is("in another's record", audit.Misplaced, audit.Misplaced)
	if n := one[int](t, c.hospital, `SELECT count(*) FROM audit_event WHERE act = 'note.fault' AND note_id = $1 AND patient_id = $2 AND code LIKE 'misplaced %'`, c.note, own); n == 0 {
		t.Error("that is not on the record of whose it is")
	}
	c.must(t, `INSERT INTO audit_event (act, outcome, patient_id, note_id, code) SELECT act, outcome, $2, note_id, code FROM audit_event WHERE note_id = $1 AND code LIKE '%chain=%'`, c.note, other)
	is("with entries of theirs", audit.Misplaced, audit.Misplaced)
	if _, _, _, err := c.db.AcceptOlder(t.Context(), c.note); !errors.Is(err, vault.ErrTampered) {
		t.Errorf("as another's it is accepted: %v", err)
	}
	c.must(t, move, c.note, own)
	is("back, with their entries in the log", audit.Misplaced, audit.Misplaced)
	if _, _, accepted, err := c.fresh(t).AcceptOlder(t.Context(), c.note); err != nil || !accepted {
		t.Fatalf("accepted: %t, %v", accepted, err)
	}
	is("accepted", "", "")
	c.must(t, move, c.note, other)
	is("in another's record again", audit.Misplaced, "")
	c.must(t, `INSERT INTO audit_event (act, outcome, patient_id, note_id, code) SELECT act, outcome, $1, note_id, code FROM audit_event WHERE act = 'note.restore'`, other)
	is("and accepted by who has no key", audit.Misplaced, "")
}
