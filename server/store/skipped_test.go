package store_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/store"
)

// TestActsAreNotPassedOver: whoever writes in the database does not keep acts from their places by what is beside them: neither a server at
// work believes that, nor one that begins; and what had none has one with the next checkpoint.
func TestActsAreNotPassedOver(t *testing.T) {
	h := open(t)
	s := h.sequencer(t)
	h.record(t, audit.Event{Act: "test", Code: "first"})
	step(t, s)
	h.must(t, `ALTER TABLE audit_event DISABLE TRIGGER ALL; ALTER TABLE audit_order DISABLE TRIGGER ALL; GRANT ALL ON audit_event, audit_order TO CURRENT_USER`)
	h.must(t, `CREATE TABLE scratch ()`)
	const last = `(SELECT placed.n FROM audit_order placed ORDER BY placed.seq DESC LIMIT 1)`
	for _, tt := range []struct {
		what, sql string
		skipped   bool // until the next checkpoint
	}{
		{"the head says that all is settled", `UPDATE audit_head SET settled = 9223372036854775807`, false},
		{"the head says that nothing is", `UPDATE audit_head SET settled = 0`, false},
		{"the head is another cluster's", `UPDATE audit_head SET cluster = 1`, false},
		{"the last entry is of a later transaction", `UPDATE audit_event SET xid = ((pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1)::text)::xid8 WHERE n = ` + last, true},
		{"the last entry is of no transaction", `UPDATE audit_event SET xid = '1000000000000' WHERE n = ` + last, false},
		{"the act is of an earlier transaction", `UPDATE audit_event SET xid = '3' WHERE code = 'passed over'`, true},
		{"the act is of a transaction to come", `UPDATE audit_event SET xid = '1000000000000' WHERE code = 'passed over'`, true},
	} {
		for who, s := range map[string]*store.Sequencer{"at work": s, "that begins": h.sequencer(t)} {
			h.must(t, `UPDATE audit_event SET code = 'done' WHERE code = 'passed over'`)
			h.record(t, audit.Event{Act: "test", Code: "passed over"})
			h.must(t, `INSERT INTO scratch DEFAULT VALUES`) // another transaction
			h.must(t, tt.sql)
			h.record(t, audit.Event{Act: "test", Code: "behind it"})
			step(t, s)
			if _, err := h.db.CheckPlaces(t.Context()); isFault(err, audit.Missing) != tt.skipped {
				t.Errorf("%s, to a server %s: %v", tt.what, who, err)
			}
			h.due(t)
			step(t, s)
			if waiting, err := h.db.CheckPlaces(t.Context()); err != nil {
				t.Errorf("%s, after a checkpoint of a server %s: %d, %v", tt.what, who, waiting, err)
			}
			if n := one[int64](t, h, `SELECT count(*) FROM audit_event JOIN audit_order USING (n) WHERE code = 'passed over'`); n != 1 {
				t.Errorf("%s: a server %s gave it %d places", tt.what, who, n)
			}
			step(t, s) // and the record of that, behind which the log goes on
		}
	}
	if n := one[int64](t, h, `SELECT count(*) FROM audit_event JOIN audit_order USING (n) WHERE act = 'log.skipped' AND code = 'acts=1'`); n < 4 {
		t.Errorf("that acts had been passed over is on record %d times", n)
	}
	// A place that somebody has given an act themselves is none.
	h.must(t, `INSERT INTO audit_order (seq, n) SELECT 1000000, max(n) + 1 FROM audit_event`)
	h.record(t, audit.Event{Act: "test"})
	var twice *pgconn.PgError
	if _, err := s.Step(t.Context()); !errors.As(err, &twice) || twice.Code != "23505" {
		t.Errorf("an act that somebody gave a place to: %v", err)
	}
}

func isFault(err error, kind audit.FaultKind) bool {
	var fault *audit.Fault
	return errors.As(err, &fault) && fault.Kind == kind
}

// TestWhatHasAPlaceStays: a server at work notices when the end of what it has placed is taken away before that was signed.
func TestWhatHasAPlaceStays(t *testing.T) {
	h := open(t)
	s := h.sequencer(t)
	step(t, s)
	for i := range 3 {
		h.record(t, audit.Event{Act: "test", Code: fmt.Sprint(i)})
	}
	step(t, s)
	h.must(t, `ALTER TABLE audit_event DISABLE TRIGGER ALL; ALTER TABLE audit_order DISABLE TRIGGER ALL; GRANT ALL ON audit_event, audit_order TO CURRENT_USER`)
	h.must(t, `UPDATE audit_head SET size = size - 1; DELETE FROM audit_order WHERE seq = (SELECT size FROM audit_head); DELETE FROM audit_event WHERE code = '2'`)
	h.record(t, audit.Event{Act: "test", Code: "then"})
	for range 2 {
		if _, err := s.Step(t.Context()); !errors.Is(err, store.ErrLogChanged) {
			t.Errorf("the server goes on without it: %v", err)
		}
	}
}
