package store_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/store"
)

// check verifies the log of a hospital's database, details included.
func (h hospital) check(t testing.TB, witnessed ...[]byte) (audit.Report, error) {
	t.Helper()
	l, err := h.db.AuditLog(t.Context(), true)
	if err != nil {
		return audit.Report{}, err
	}
	report, err := audit.Verify(l.Items(t.Context(), l.Size), audit.Check{Keys: l.Keys, Witnessed: witnessed, Unsigned: true})
	if err == nil {
		_, err = h.db.CheckPlaces(t.Context())
	}
	return report, err
}

// TestTamperedLog: whoever can write in the database, triggers and all, is found out, and where.
func TestTamperedLog(t *testing.T) {
	h := open(t)
	s := h.sequencer(t)
	ctx := audit.From(t.Context(), audit.Origin{Network: "10.0.0.1"})
	step(t, s)
	first, _ := h.entries(t)
	begin := int64(len(first)) // what it took to begin
	for _, name := range []string{"a", "b"} {
		for i := range 10 {
			if err := h.db.Record(ctx, audit.Event{Act: "test", Code: fmt.Sprint(name, i)}); err != nil {
				t.Fatal(err)
			}
		}
		h.due(t)
		step(t, s)
	}
	report, err := h.check(t)
	if err != nil || report.Entries != begin+20 || report.Details != 20 || report.Checkpoints < 3 {
		t.Fatalf("as it is: %+v, %v", report, err)
	}
	head, err := h.db.AuditHead(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	witnessed := []byte(*head.Newest)
	for _, table := range []string{"audit_event", "audit_order", "audit_checkpoint", "audit_tile", "audit_head"} {
		h.must(t, `ALTER TABLE `+table+` DISABLE TRIGGER ALL`)
		h.must(t, `GRANT ALL ON `+table+` TO CURRENT_USER`)
		h.must(t, `CREATE TABLE saved_`+table+` AS TABLE `+table)
	}
	const event = `(SELECT n FROM audit_event WHERE code = 'b3')`
	at := begin + 13
	for name, tt := range map[string]struct {
		sql         []string
		witness     bool
		kind        audit.FaultKind
		first, last int64
	}{
		"a code is changed":      {sql: []string{`UPDATE audit_event SET code = 'x' WHERE code = 'b3'`}, kind: audit.Changed, first: at, last: at},
		"a time is changed":      {sql: []string{`UPDATE audit_event SET at = at + interval '1 microsecond' WHERE code = 'b3'`}, kind: audit.Changed, first: at, last: at},
		"somebody else did it":   {sql: []string{`UPDATE audit_event SET who = gen_random_uuid() WHERE code = 'b3'`}, kind: audit.Changed, first: at, last: at},
		"an entry is deleted":    {sql: []string{`DELETE FROM audit_event WHERE code = 'b3'`}, kind: audit.Missing, first: at, last: at},
		"its place is deleted":   {sql: []string{`DELETE FROM audit_order WHERE n = ` + event}, kind: audit.Missing, first: at, last: at},
		"two change places":      {sql: []string{`UPDATE audit_order SET n = -n WHERE seq IN (` + fmt.Sprint(at, ",", at+1) + `)`, `UPDATE audit_order SET n = -n - CASE WHEN n = -` + event + ` THEN -1 ELSE 1 END WHERE n < 0`}, kind: audit.Changed, first: at, last: at},
		"the tail is gone":       {sql: []string{`DELETE FROM audit_event WHERE n > ` + event}, kind: audit.Missing, first: at + 1, last: begin + 19},
		"everything is gone":     {sql: []string{`TRUNCATE audit_event, audit_order`}, kind: audit.Missing, first: 0, last: 0},
		"an act gets no place":   {sql: []string{`INSERT INTO audit_event (xid, act, outcome, code) VALUES ('3', 'test', 'done', 'early')`}, kind: audit.Missing, first: -1, last: -1},
		"nor in times to come":   {sql: []string{`INSERT INTO audit_event (xid, act, outcome, code) VALUES ('1000000000', 'test', 'done', 'late')`}, kind: audit.Missing, first: -1, last: -1},
		"details are changed":    {sql: []string{`UPDATE audit_event SET details = set_byte(details, 40, get_byte(details, 40) # 1) WHERE code = 'b3'`}, kind: audit.Opened, first: at, last: at},
		"details change places":  {sql: []string{`UPDATE audit_event a SET details = b.details FROM audit_event b WHERE a.code = 'b3' AND b.code = 'b4'`}, kind: audit.Opened, first: at, last: at},
		"a hash is changed":      {sql: []string{`UPDATE audit_tile SET data = set_byte(data, ` + fmt.Sprint(at*32) + `, get_byte(data, ` + fmt.Sprint(at*32) + `) # 1) WHERE level = 0`}, kind: audit.Changed, first: at, last: at},
		"a signature is missing": {sql: []string{`UPDATE audit_checkpoint SET note = regexp_replace(note, '\n[^\n]*\n$', E'\n') WHERE size = ` + fmt.Sprint(begin+10)}, kind: audit.Unsigned, first: -1, last: -1},
		"an earlier state is back": {sql: []string{
			`DELETE FROM audit_checkpoint WHERE size > ` + fmt.Sprint(begin+10), `DELETE FROM audit_order WHERE seq >= ` + fmt.Sprint(begin+10), `DELETE FROM audit_event WHERE code LIKE 'b%'`,
			`UPDATE audit_head SET size = ` + fmt.Sprint(begin+10) + `, newest = (SELECT note FROM audit_checkpoint WHERE size = ` + fmt.Sprint(begin+10) + `)`,
		}, witness: true, kind: audit.RolledBack, first: begin + 10, last: begin + 19},
	} {
		t.Run(name, func(t *testing.T) {
			for _, sql := range tt.sql {
				h.must(t, sql)
			}
			var kept [][]byte
			if tt.witness {
				kept = append(kept, witnessed)
				if _, err := h.check(t); err != nil {
					t.Errorf("without a witness it cannot be known: %v", err)
				}
			}
			_, err := h.check(t, kept...)
			var fault *audit.Fault
			if !errors.As(err, &fault) || fault.Kind != tt.kind || fault.First != tt.first || name != "everything is gone" && fault.Last != tt.last {
				t.Errorf("found %v; want %s at %d to %d", err, tt.kind, tt.first, tt.last)
			} else {
				t.Log(err)
			}
			for _, table := range []string{"audit_event", "audit_order", "audit_checkpoint", "audit_tile", "audit_head"} {
				h.must(t, `DELETE FROM `+table)
				h.must(t, `INSERT INTO `+table+` OVERRIDING SYSTEM VALUE TABLE saved_`+table)
			}
			if _, err := h.check(t, witnessed); err != nil {
				t.Fatalf("restored: %v", err)
			}
		})
	}
	// What is not the tree that was signed is not signed again.
	h.must(t, `UPDATE audit_tile SET data = set_byte(data, 0, get_byte(data, 0) # 1) WHERE level = 0`)
	h.due(t)
	if _, err := h.sequencer(t).Step(t.Context()); !errors.Is(err, store.ErrLogChanged) {
		t.Errorf("a server signs what was changed: %v", err)
	}
	h.must(t, `DELETE FROM audit_head`)
	h.must(t, `INSERT INTO audit_head SELECT * FROM saved_audit_head`)
	h.must(t, `UPDATE audit_head SET size = 3, signed = 'epoch'`)
	if _, err := h.sequencer(t).Step(t.Context()); !errors.Is(err, store.ErrLogChanged) {
		t.Errorf("a server goes on behind less than it has signed: %v", err)
	}
}
