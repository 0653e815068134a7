package store_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/store/queries"
)

// sequencer returns one for a hospital's database.
func (h hospital) sequencer(t testing.TB) *store.Sequencer {
	t.Helper()
	s, err := h.db.NewSequencer(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// step has s sequence what there is, and returns how many entries that were.
func step(t testing.TB, s *store.Sequencer) int {
	t.Helper()
	n, err := s.Step(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// due has the next step sign a checkpoint.
func (h hospital) due(t testing.TB) { h.must(t, `UPDATE audit_head SET signed = 'epoch'`) }

// entries are what the log has, in its order.
func (h hospital) entries(t testing.TB) (all []audit.Entry, report audit.Report) {
	t.Helper()
	l, err := h.db.AuditLog(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	report, err = audit.Verify(l.Items(t.Context(), l.Size), audit.Check{Keys: l.Keys, Unsigned: true, Entry: func(s audit.Sequenced) {
		e, err := audit.ParseEntry(s.Leaf)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}})
	if err != nil {
		t.Fatal(err)
	}
	return all, report
}

// TestActsAreSequenced: however transactions interleave, commit late or not at all, each act that was committed has one place,
// places have no gap, and a transaction's acts keep their order.
func TestActsAreSequenced(t *testing.T) {
	h := open(t)
	s, other := h.sequencer(t), h.sequencer(t)
	const writers, each = 12, 25
	var wg sync.WaitGroup
	var mu sync.Mutex
	committed := make(map[string]int) // code, to the writer
	stop := make(chan struct{})
	for w := range writers {
		wg.Go(func() {
			conn, err := pgx.Connect(context.Background(), h.url)
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = conn.Close(context.Background()) }()
			random := rand.New(rand.NewPCG(uint64(w), 1))
			for i := range each {
				tx, err := conn.Begin(context.Background())
				if err != nil {
					t.Error(err)
					return
				}
				var codes []string
				for k := range 1 + random.IntN(3) {
					code := fmt.Sprintf("%d.%d.%d", w, i, k)
					codes = append(codes, code)
					if _, err := tx.Exec(context.Background(), `INSERT INTO audit_event (act, outcome, code) VALUES ('test', 'done', $1)`, code); err != nil {
						t.Error(err)
						return
					}
					if random.IntN(2) == 0 { // others overtake it
						_, _ = tx.Exec(context.Background(), `SELECT pg_sleep(random() * 0.01)`)
					}
				}
				if random.IntN(10) == 0 {
					_ = tx.Rollback(context.Background())
					continue
				}
				if err := tx.Commit(context.Background()); err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				for _, code := range codes {
					committed[code] = w
				}
				mu.Unlock()
			}
		})
	}
	sequenced := make(chan int)
	for _, one := range []*store.Sequencer{s, other} { // two servers
		go func() {
			n := 0
			for {
				placed, err := one.Step(context.Background())
				if err != nil {
					t.Error(err)
				}
				n += placed
				select {
				case <-stop:
					sequenced <- n
					return
				default:
				}
			}
		}()
	}
	wg.Wait()
	close(stop)
	n := <-sequenced + <-sequenced
	h.due(t)
	n += step(t, s)
	all, report := h.entries(t)
	if report.Unsigned != 0 || report.Entries != int64(len(all)) || n != len(all) {
		t.Errorf("%d entries, %d of them placed here, %+v", len(all), n, report)
	}
	last := make(map[string]int)
	for _, e := range all {
		if e.Act != "test" {
			continue
		}
		if _, was := committed[e.Code]; !was {
			t.Errorf("%s is in the log, and was not committed, or is there twice", e.Code)
		}
		delete(committed, e.Code)
		var w, i, k int
		if _, err := fmt.Sscanf(e.Code, "%d.%d.%d", &w, &i, &k); err != nil {
			t.Fatal(err)
		}
		if at := i*10 + k; at < last[fmt.Sprint(w)] {
			t.Errorf("writer %d: %s comes too late", w, e.Code)
		} else {
			last[fmt.Sprint(w)] = at
		}
	}
	if len(committed) > 0 {
		t.Errorf("%d acts were committed, and are not in the log: %v", len(committed), committed)
	}
}

// TestLateCommitsAreNotSkipped: an act that was inserted before another, and commits after that was sequenced, gets its place.
func TestLateCommitsAreNotSkipped(t *testing.T) {
	h := open(t)
	s := h.sequencer(t)
	step(t, s)
	conn, err := pgx.Connect(t.Context(), h.url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	late, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := late.Exec(t.Context(), `INSERT INTO audit_event (act, outcome, code) VALUES ('test', 'done', 'late')`); err != nil {
		t.Fatal(err)
	}
	h.record(t, audit.Event{Act: "test", Code: "early"})
	if n := step(t, s); n != 0 {
		t.Errorf("%d acts have a place while one before them is open", n)
	}
	if err := late.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.record(t, audit.Event{Act: "test", Code: "then"})
	if n := step(t, s); n != 3 {
		t.Errorf("%d acts have got a place", n)
	}
	all, _ := h.entries(t)
	for i, want := range []string{"late", "early", "then"} {
		if got := all[len(all)-3+i].Code; got != want {
			t.Errorf("entry %d is %s, want %s", i, got, want)
		}
	}
}

func (h hospital) record(t testing.TB, e audit.Event) {
	t.Helper()
	if err := h.db.Record(t.Context(), e); err != nil {
		t.Fatal(err)
	}
}

// TestActsOfAnotherCluster: after a restore elsewhere, where numbers of transactions begin anew, what was not sequenced is,
// and so is what comes.
func TestActsOfAnotherCluster(t *testing.T) {
	h := open(t)
	s := h.sequencer(t)
	h.record(t, audit.Event{Act: "test", Code: "before"})
	step(t, s)
	h.record(t, audit.Event{Act: "test", Code: "left"})
	// A dump is restored where fewer transactions have been.
	for _, sql := range []string{
		`ALTER TABLE audit_event DISABLE TRIGGER ALL`, `GRANT UPDATE ON audit_event TO CURRENT_USER`,
		`UPDATE audit_event SET xid = ((xid::text::bigint + 1000000000)::text)::xid8`,
		`UPDATE audit_head SET cluster = 1`,
		`REVOKE UPDATE ON audit_event FROM CURRENT_USER`, `ALTER TABLE audit_event ENABLE TRIGGER ALL`,
	} {
		h.must(t, sql)
	}
	h.record(t, audit.Event{Act: "test", Code: "new"})
	s = h.sequencer(t)
	step(t, s)
	h.record(t, audit.Event{Act: "test", Code: "newer"})
	step(t, s)
	h.due(t)
	step(t, s)
	all, report := h.entries(t)
	if report.Unsigned != 0 {
		t.Errorf("%+v", report)
	}
	seen := make(map[string]int)
	for _, e := range all {
		if e.Act == "test" {
			seen[e.Code]++
		}
	}
	for _, code := range []string{"before", "left", "new", "newer"} {
		if seen[code] != 1 {
			t.Errorf("%s is in the log %d times", code, seen[code])
		}
	}
}

// TestAuditLogIsAppendOnly: the role that the server is cannot change or remove what happened.
func TestAuditLogIsAppendOnly(t *testing.T) {
	h := open(t)
	s := h.sequencer(t)
	step(t, s)
	h.must(t, `CREATE ROLE `+insertOnly+` LOGIN`)
	defer func() { h.must(t, `DROP OWNED BY `+insertOnly); h.must(t, `DROP ROLE `+insertOnly) }()
	h.must(t, `GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO `+insertOnly)
	for _, table := range []string{"audit_event", "audit_order", "audit_signer", "audit_checkpoint"} {
		for _, sql := range []string{`UPDATE ` + table + ` SET ` + aColumn[table], `DELETE FROM ` + table, `TRUNCATE ` + table} {
			for who, sql := range map[string]string{"the owner": sql, "whoever may insert": `SET ROLE ` + insertOnly + `; ` + sql} {
				var refusal *pgconn.PgError
				if err := h.exec(t, sql); !errors.As(err, &refusal) || refusal.Code != "23001" && refusal.Code != "42501" { // by trigger, by right
					t.Errorf("%s: %s: %v", who, sql, err)
				}
			}
		}
	}
	if err := h.exec(t, `SET ROLE `+insertOnly+`; INSERT INTO audit_event (act, outcome, code) VALUES ('test', 'done', '')`); err != nil {
		t.Errorf("whoever may insert does not: %v", err)
	}
	if err := h.exec(t, `DELETE FROM audit_tile`); err == nil {
		t.Error("the tree goes")
	}
}

const insertOnly = "test_insert_only"

var aColumn = map[string]string{"audit_event": "code = ''", "audit_order": "n = n", "audit_signer": "keys = ''", "audit_checkpoint": "note = ''"}

// TestUnrecordedActsDoNotHappen: what f does goes with the record of it, either way.
func TestUnrecordedActsDoNotHappen(t *testing.T) {
	h := open(t)
	s := h.sequencer(t)
	unit := func(q *queries.Queries) error { return q.InsertUnit(t.Context(), "5e", "f", "5 East") }
	h.must(t, `ALTER TABLE audit_event ADD CONSTRAINT no_more CHECK (act <> 'test') NOT VALID`)
	if err := h.db.Act(t.Context(), &audit.Event{Act: "test"}, unit); !errors.Is(err, store.ErrNotRecorded) {
		t.Errorf("it happened: %v", err)
	}
	if _, err := h.db.UnitByID(t.Context(), "5e"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the unit is there: %v", err)
	}
	h.must(t, `ALTER TABLE audit_event DROP CONSTRAINT no_more`)
	failed := errors.New("no")
	if err := h.db.Act(t.Context(), &audit.Event{Act: "test"}, func(*queries.Queries) error { return failed }); !errors.Is(err, failed) {
		t.Error(err)
	}
	if err := h.db.Act(t.Context(), &audit.Event{Act: "test", Code: "unit=5e"}, unit); err != nil {
		t.Error(err)
	}
	h.due(t)
	step(t, s)
	all, _ := h.entries(t)
	if last := all[len(all)-1]; last.Code != "unit=5e" || last.Outcome != audit.Done || last.Who.Valid {
		t.Errorf("%+v", last)
	}
}

// TestDetailsAreSealed: from where, and what was looked for, is in the log for whoever has the key, and for nobody else.
func TestDetailsAreSealed(t *testing.T) {
	h := open(t)
	const planted = "planted: kelpwell"
	who := uuid.New()
	ctx := audit.From(t.Context(), audit.Origin{Who: who, Role: "nurse", Login: "17", Network: "planted: 10.1.2.3"})
	if err := h.db.Record(ctx, audit.Event{Act: audit.SearchPatients, Words: planted}); err != nil {
		t.Fatal(err)
	}
	s := h.sequencer(t)
	h.due(t)
	step(t, s)
	if places := found(t, h.url, planted, "planted: 10.1.2.3"); places != nil {
		t.Errorf("it is found in %v", places)
	}
	l, err := h.db.AuditLog(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	opened := 0
	_, err = audit.Verify(l.Items(t.Context(), l.Size), audit.Check{Keys: l.Keys, Unsigned: true, Entry: func(s audit.Sequenced) {
		e, _ := audit.ParseEntry(s.Leaf)
		if e.Act != audit.SearchPatients {
			return
		}
		d, err := audit.OpenDetails(s.Details, e.Commitment)
		want := audit.Details{From: "planted: 10.1.2.3", Login: "17", Role: "nurse", Words: planted}
		if err != nil || d != want || e.Who.UUID != who {
			t.Errorf("%+v, %v", d, err)
		}
		opened++
	}})
	if err != nil || opened != 1 {
		t.Errorf("%d, %v", opened, err)
	}
}

// TestSignerSurvives: another server on the database signs as the first did; one with another key cannot.
func TestSignerSurvives(t *testing.T) {
	h := open(t)
	s := h.sequencer(t)
	step(t, s)
	keys, err := h.db.AuditRing(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	again, err := store.Open(t.Context(), h.url, h.vault)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	second, err := again.NewSequencer(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h.due(t)
	step(t, second)
	head, err := h.db.AuditHead(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keys.Open([]byte(*head.Newest)); err != nil {
		t.Errorf("the second server's checkpoint: %v", err)
	}
	// Whoever can write in the database has a signer of their own taken for it.
	forged, err := audit.NewSigner(keys.Name(), audit.NewSeed())
	if err != nil {
		t.Fatal(err)
	}
	h.must(t, `INSERT INTO audit_signer (id, keys, seed, statement) SELECT 2, '`+forged.Keys().String()+`', seed, (SELECT newest FROM audit_head) FROM audit_signer`)
	if _, err := again.NewSequencer(t.Context()); err == nil {
		t.Error("a server signs by keys that somebody has put there")
	}
}
