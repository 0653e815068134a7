package store_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/store"
)

// TestSignersAreRotated: other keys sign from now on, by the word of those of before; servers that run take them, what was signed before
// stays good, and whoever writes in the database cannot have their own keys taken.
func TestSignersAreRotated(t *testing.T) {
	h := open(t)
	s := h.sequencer(t)
	h.record(t, audit.Event{Act: "test", Code: "before"})
	step(t, s)
	head, err := h.db.AuditHead(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	witnessed := []byte(*head.Newest)
	for range 2 {
		before, now, size, err := h.db.RotateSigner(t.Context())
		if err != nil || before.String() == now.String() || before.Name() != now.Name() || size < 1 {
			t.Fatalf("%s to %s behind %d, %v", before.Fingerprint(), now.Fingerprint(), size, err)
		}
		h.record(t, audit.Event{Act: "test", Code: "after"})
		h.due(t)
		step(t, s) // a server that has not been started anew
		if head, err = h.db.AuditHead(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := now.Open([]byte(*head.Newest)); err != nil {
			t.Errorf("the newest checkpoint: %v", err)
		}
	}
	report, err := h.check(t, witnessed, []byte(*head.Newest))
	if err != nil || !report.Fresh || report.Unsigned != 0 {
		t.Errorf("%+v, %v", report, err)
	}
	all, _ := h.entries(t)
	rotated := 0
	for _, e := range all {
		if e.Act == audit.MakeSigner && strings.Contains(e.Code, " by=") {
			rotated++
		}
	}
	if rotated != 2 {
		t.Errorf("%d rotations are on record", rotated)
	}
	db := h.fresh(t)
	h.must(t, `ALTER TABLE audit_signer DISABLE TRIGGER ALL; GRANT ALL ON audit_signer TO CURRENT_USER; CREATE TABLE good AS TABLE audit_signer`)
	for what, sql := range map[string]string{
		"without its statement":         `UPDATE audit_signer SET statement = '' WHERE id = 3`,
		"with another's statement":      `UPDATE audit_signer SET statement = (SELECT statement FROM good WHERE id = 2) WHERE id = 3`,
		"without the one between":       `DELETE FROM audit_signer WHERE id = 2`,
		"with the keys of before":       `UPDATE audit_signer SET keys = (SELECT keys FROM good WHERE id = 1) WHERE id = 3`,
		"without one of its signatures": `UPDATE audit_signer SET statement = regexp_replace(statement, '\n[^\n]*\n$', E'\n') WHERE id = 3`,
	} {
		h.must(t, sql)
		if _, err := db.NewSequencer(t.Context()); err == nil {
			t.Errorf("%s: a server signs", what)
		} else {
			t.Logf("%s: %v", what, err)
		}
		if _, err := h.db.AuditRing(t.Context()); err == nil {
			t.Errorf("%s: an auditor is told of it", what)
		}
		h.must(t, `DELETE FROM audit_signer; INSERT INTO audit_signer SELECT * FROM good`)
	}
}

// remembered is a memory of one server.
type remembered struct{ checkpoint []byte }

func (m *remembered) Recall() ([]byte, error)  { return m.checkpoint, nil }
func (m *remembered) Keep(signed []byte) error { m.checkpoint = signed; return nil }

// TestWholeDatabaseRolledBack: put back as a whole, notes and log of acts fit each other. The server that was at work signs nothing more, and
// opens no note that it has seen longer; one that keeps a checkpoint elsewhere does not begin; and whoever meant it says so.
func TestWholeDatabaseRolledBack(t *testing.T) {
	c := open(t).chained(t, 20)
	s := c.sequencer(t)
	var memory remembered
	if err := s.Remember(t.Context(), &memory); err != nil {
		t.Fatal(err)
	}
	step(t, s)
	whole := []string{"note", "note_update", "note_base", "audit_event", "audit_order", "audit_checkpoint", "audit_tile", "audit_head"}
	for _, table := range whole {
		c.must(t, `ALTER TABLE `+table+` DISABLE TRIGGER ALL; GRANT ALL ON `+table+` TO CURRENT_USER; CREATE TABLE early_`+table+` AS TABLE `+table)
	}
	c.write(t, c.db, "lost", 10)
	if err := c.db.AnchorNotes(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	c.due(t)
	step(t, s)
	for i := len(whole) - 1; i >= 0; i-- {
		if whole[i] != "note" {
			c.must(t, `DELETE FROM `+whole[i])
			c.must(t, `INSERT INTO `+whole[i]+` OVERRIDING SYSTEM VALUE TABLE early_`+whole[i])
		}
	}
	c.must(t, `UPDATE note SET head = o.head, chain = o.chain FROM early_note o WHERE o.id = note.id`)

	if opened, checked, blind := c.found(t); opened != "" || checked != "" || blind != "" {
		t.Errorf("whoever has seen nothing else finds %q, %q, %q", opened, checked, blind)
	}
	if _, err := c.check(t); err != nil {
		t.Errorf("without a witness it cannot be known: %v", err)
	}
	var fault *audit.Fault
	if _, err := c.check(t, memory.checkpoint); !errors.As(err, &fault) || fault.Kind != audit.RolledBack {
		t.Errorf("with what was seen, an auditor finds %v", err)
	}
	var note *store.NoteFault
	if _, err := c.db.Load(t.Context(), c.note); !errors.As(err, &note) || note.Kind != audit.RolledBack {
		t.Errorf("the server that was at work opens the note: %v", err)
	}
	c.due(t)
	if _, err := s.Step(t.Context()); !errors.Is(err, store.ErrLogChanged) {
		t.Errorf("the server that was at work signs: %v", err)
	}
	if err := c.sequencer(t).Remember(t.Context(), &memory); !errors.Is(err, store.ErrLogChanged) {
		t.Errorf("a server that kept a checkpoint begins: %v", err)
	}
	had, has, err := c.sequencer(t).AcceptOlder(t.Context(), &memory)
	if err != nil || had <= has || has < 1 {
		t.Errorf("accepted: %d of %d, %v", has, had, err)
	}
	if n := one[int](t, c.hospital, `SELECT count(*) FROM audit_event WHERE act = 'log.restore'`); n != 1 {
		t.Errorf("it is on record %d times", n)
	}
	memory.checkpoint = nil
	again := c.sequencer(t)
	if err := again.Remember(t.Context(), &memory); err != nil {
		t.Fatal(err)
	}
	step(t, again)
	if had, _, err := c.sequencer(t).AcceptOlder(t.Context(), &memory); err != nil || had != 0 || memory.checkpoint == nil {
		t.Errorf("there is nothing to accept: %d, %v", had, err)
	}
}

// TestCheckpointsAreThinned: of old checkpoints the newest of each hour and day stay, nobody deletes others, and whoever kept one that went
// sees all the same that the log goes on from it.
func TestCheckpointsAreThinned(t *testing.T) {
	h := open(t)
	s := h.sequencer(t)
	var kept []byte
	for i := range 12 {
		h.record(t, audit.Event{Act: "test"})
		h.due(t)
		step(t, s)
		if head, err := h.db.AuditHead(t.Context()); err == nil && i == 0 {
			kept = []byte(*head.Newest)
		}
	}
	// Two on one old day, in different hours; three in one hour of four days ago; the rest within the last days.
	h.must(t, `ALTER TABLE audit_checkpoint DISABLE TRIGGER ALL; GRANT UPDATE ON audit_checkpoint TO CURRENT_USER`)
	h.must(t, `UPDATE audit_checkpoint c SET at = CASE o.nth
		WHEN 1 THEN date_trunc('day', now() - interval '100 days', 'UTC') + interval '1 hour' WHEN 2 THEN date_trunc('day', now() - interval '100 days', 'UTC') + interval '3 hours'
		WHEN 3 THEN date_trunc('hour', now() - interval '4 days', 'UTC') + interval '1 minute' WHEN 4 THEN date_trunc('hour', now() - interval '4 days', 'UTC') + interval '2 minutes'
		WHEN 5 THEN date_trunc('hour', now() - interval '4 days', 'UTC') + interval '59 minutes' WHEN 6 THEN date_trunc('hour', now() - interval '4 days', 'UTC') + interval '60 minutes'
		ELSE now() - interval '1 day' + o.nth * interval '1 second' END
		FROM (SELECT size, row_number() OVER (ORDER BY size) AS nth FROM audit_checkpoint) o WHERE o.size = c.size`)
	h.must(t, `ALTER TABLE audit_checkpoint ENABLE TRIGGER ALL; REVOKE UPDATE ON audit_checkpoint FROM CURRENT_USER`)
	all := one[int](t, h, `SELECT count(*) FROM audit_checkpoint`)
	for _, sql := range []string{
		`DELETE FROM audit_checkpoint`, `DELETE FROM audit_checkpoint WHERE at > now() - interval '2 days'`, `TRUNCATE audit_checkpoint`,
		`DELETE FROM audit_checkpoint WHERE size = (SELECT size FROM audit_checkpoint ORDER BY size OFFSET 1 LIMIT 1)`,            // the newest of its day
		`DELETE FROM audit_checkpoint WHERE at < now() - interval '3 days'`,                                                       // and all before them
		`DELETE FROM audit_checkpoint WHERE date_trunc('hour', at, 'UTC') = date_trunc('hour', now() - interval '4 days', 'UTC')`, // all of an hour
	} {
		var refusal *pgconn.PgError
		if err := h.exec(t, sql); !errors.As(err, &refusal) || refusal.Code != "23001" && refusal.Code != "42501" {
			t.Errorf("%s: %v", sql, err)
		}
	}
	if n, err := h.db.ThinCheckpoints(t.Context()); err != nil || n != 3 {
		t.Errorf("%d went, %v", n, err)
	}
	if n, err := h.db.ThinCheckpoints(t.Context()); err != nil || n != 0 {
		t.Errorf("%d more went, %v", n, err)
	}
	if left := one[int](t, h, `SELECT count(*) FROM audit_checkpoint`); left != all-3 {
		t.Errorf("%d of %d are left", left, all)
	}
	if report, err := h.check(t, kept); err != nil || !report.Fresh || report.Checkpoints < all-3 {
		t.Errorf("%+v, %v", report, err)
	}
}
