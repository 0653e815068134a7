package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/server/vault"
	"github.com/clisonix/tidechart/sessions"
	"github.com/clisonix/tidechart/sessions/storetest"
)

// TestDestroyedWhileInUse: servers append to the notes of a patient, wear out their keys, store bases and begin notes, while all of it is destroyed. What
// was there then is closed, no key has survived, and all that was acknowledged before is in its place.
func TestDestroyedWhileInUse(t *testing.T) {
	t.Parallel()
	d := openDecided(t)
	ctx := t.Context()
	_, shares, err := d.secret.WithRecovery()
	if err != nil {
		t.Fatal(err)
	}
	r, err := vault.Recover(shares[0], shares[1])
	if err != nil {
		t.Fatal(err)
	}
	servers := []*store.DB{d.fresh(t), d.fresh(t), d.fresh(t)}
	for range 2 {
		d.patient, err = d.db.PutPatient(ctx, store.Patient{Mrn: uuid.NewString(), Family: "F", BirthDate: time.Unix(0, 0)}, "")
		if err != nil {
			t.Fatal(err)
		}
		notes := []sessions.NoteID{d.newNote(t), d.newNote(t), d.newNote(t)}
		request := d.agree(t, store.Record{Patient: d.patient})
		var running sync.WaitGroup
		var failed atomic.Bool
		busy, written := make(chan struct{}, 2*len(servers)), make([]int, len(notes))
		for s, db := range servers {
			running.Go(func() {
				defer func() { busy <- struct{}{} }()
				for i := 0; !failed.Load(); i++ {
					if i == 5 {
						busy <- struct{}{}
					}
					b := sessions.Batch{ID: uuid.New(), Entries: []sessions.Entry{{Note: notes[s], Author: d.author, Update: fmt.Appendf(nil, "row %d", i)}}}
					placed, err := db.Append(ctx, b)
					if err != nil {
						t.Errorf("append: %v", err)
						return
					}
					if len(placed) == 0 {
						return
					}
					written[s]++
					_ = db.SaveBase(ctx, notes[s], uint64(written[s]), []byte("base"))
					begun := uuid.New()
					err = db.CreateNote(ctx, store.NewNote{ID: begun, Patient: d.patient, Unit: "4w", Kind: "progress", Author: d.author, At: time.Now(), First: storetest.Empty()})
					if err != nil && !errors.Is(err, sessions.ErrDestroyed) {
						t.Errorf("begin: %v", err)
					}
					d.must(t, `UPDATE data_key SET made_at = now() - interval '91 days' WHERE owner = $1`, begun)
					b = sessions.Batch{ID: uuid.New(), Entries: []sessions.Entry{{Note: begun, Author: d.author, Update: []byte("with another key")}}}
					if _, err := db.Append(ctx, b); err != nil {
						t.Errorf("append by another key: %v", err)
					}
				}
			})
		}
		for range servers {
			<-busy
		}
		done, err := d.db.Shred(ctx, request)
		if err != nil || done.Notes < 2*len(notes) || done.Keys <= done.Notes+1 { // some have two
			t.Errorf("%+v, %v", done, err)
			failed.Store(err != nil)
		}
		running.Wait()
		if n := one[int](t, d.hospital, `SELECT count(*) FROM note WHERE patient_id = $1 AND state <> 'destroyed'`, d.patient); n != 0 {
			t.Errorf("%d notes survive", n)
		}
		if n := one[int](t, d.hospital, `SELECT count(*) FROM data_key WHERE owner = $1 OR owner IN (SELECT id FROM note WHERE patient_id = $1)`, d.patient); n != 0 {
			t.Errorf("%d keys survive", n)
		}
		for s, note := range notes {
			if n := one[int](t, d.hospital, `SELECT count(*) FROM note_update WHERE note_id = $1`, note); n != 1+written[s] {
				t.Errorf("%d rows, and %d were acknowledged", n-1, written[s])
			}
			if records, opened := d.opening(t, r, note); records == 0 || opened > 0 {
				t.Errorf("%d of %d records open", opened, records)
			}
			d.closed(t, servers[s], note)
		}
	}
}

// TestDestroyingGoesOn where it was stopped: before it was committed nothing has happened; after it, tables are written anew by the next call.
func TestDestroyingGoesOn(t *testing.T) {
	t.Parallel()
	d := openDecided(t)
	ctx := t.Context()
	note := d.newNote(t)
	request := d.agree(t, store.Record{Patient: d.patient})
	for _, table := range []string{"note", "audit_event"} { // in the middle, and at the end
		d.must(t, `CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END'`)
		d.must(t, `CREATE TRIGGER stop AFTER INSERT OR UPDATE ON `+table+` FOR EACH ROW EXECUTE FUNCTION stop()`)
		if done, err := d.db.Shred(ctx, request); err == nil {
			t.Errorf("stopped at %s: %+v", table, done)
		}
		d.must(t, `DROP FUNCTION stop CASCADE`)
		if _, err := d.fresh(t).Load(ctx, note); err != nil {
			t.Errorf("stopped at %s: %v", table, err)
		}
	}
	if done, err := d.db.Shred(ctx, request); err != nil || done.Notes != 1 || done.Keys != 2 {
		t.Errorf("%+v, %v", done, err)
	}
	d.closed(t, d.fresh(t), note)
	holder := d.connect(t) // as a dump that began before
	if _, err := holder.Exec(ctx, `BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM data_key`); err != nil {
		t.Fatal(err)
	}
	stopped, stop := context.WithTimeout(ctx, time.Second/2)
	defer stop()
	if n, err := d.db.Erase(stopped); err == nil {
		t.Errorf("%d erased while somebody looks at what was before", n)
	}
	_ = holder.Close(ctx)
	for _, want := range []int{1, 0} {
		if n, err := d.db.Erase(ctx); n != want || err != nil {
			t.Errorf("%d erased, %v", n, err)
		}
	}
}

// TestServersForgetWhatIsDestroyed when they hear of it, also if they were away at that time, and whoever looks keys up just then.
func TestServersForgetWhatIsDestroyed(t *testing.T) {
	t.Parallel()
	d := openDecided(t)
	ctx := t.Context()
	note := d.newNote(t)
	heard, away := d.fresh(t), d.fresh(t)
	before, err := d.db.AccessVersion(ctx)
	if err != nil {
		t.Fatal(err)
	}
	glass := func(db *store.DB) error {
		return db.BreakGlass(ctx, queries.BreakGlassParams{ID: uuid.New(), Person: d.author, Patient: d.patient, Reason: "other", Seconds: 60}, "words that are sealed", "none")
	}
	for _, db := range []*store.DB{heard, away} {
		if _, err := db.Load(ctx, note); err != nil {
			t.Fatal(err)
		}
		if err := glass(db); err != nil {
			t.Fatal(err)
		}
	}
	listens, err := heard.WatchAccess(ctx, before)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(listens.Close)
	if _, _, _, err := listens.Next(ctx, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := d.db.Shred(ctx, d.agree(t, store.Record{Patient: d.patient})); err != nil {
		t.Fatal(err)
	}
	late, err := away.WatchAccess(ctx, before)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(late.Close)
	for name, server := range map[string]struct {
		db *store.DB
		w  *store.Watch
	}{"hears": {heard, listens}, "was away": {away, late}} {
		changes, _, _, err := server.w.Next(ctx, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range []uuid.UUID{note, d.patient} {
			if !slices.Contains(changes, store.AccessChange{Destroyed: id}) {
				t.Errorf("who %s is not told of %v: %+v", name, id, changes)
			}
		}
		if err := glass(server.db); !errors.Is(err, sessions.ErrDestroyed) {
			t.Errorf("who %s seals by a key that is destroyed: %v", name, err)
		}
	}
}
