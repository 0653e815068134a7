package storetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/sessions"
)

// soon is a time that all rows are before.
func soon() time.Time { return time.Now().Add(time.Minute) }

// typed appends n rows of one person, in one session that began with it, and returns their updates.
func (f Fixture) typed(t *testing.T, note sessions.NoteID, who sessions.PersonID, n int) []string {
	t.Helper()
	session, b := uuid.New(), batch()
	if err := f.Store.StartSession(t.Context(), session, note); err != nil {
		t.Fatal(err)
	}
	var updates []string
	for i := range n {
		updates = append(updates, fmt.Sprintf("%s %d of %d", who, i, n))
		b.Entries = append(b.Entries, sessions.Entry{Note: note, Author: who, Session: session, Update: []byte(updates[i])})
	}
	if placed, err := f.Store.Append(t.Context(), b); err != nil || len(placed) != 1 {
		t.Fatal(placed, err)
	}
	return updates
}

// base stores a base of a note's first rows.
func (f Fixture) base(t *testing.T, note sessions.NoteID, seq uint64) {
	t.Helper()
	if err := f.Store.SaveBase(t.Context(), note, seq, []byte{1, 0}); err != nil {
		t.Fatal(err)
	}
}

// fold folds all of a note that can be.
func (f Fixture) fold(t *testing.T, note sessions.NoteID, before time.Time) sessions.Folded {
	t.Helper()
	var all sessions.Folded
	for all.More = true; all.More; {
		step, err := f.Store.Fold(t.Context(), note, before)
		if err != nil {
			t.Fatal(err)
		}
		all.Bursts, all.Rows, all.More = all.Bursts+step.Bursts, all.Rows+step.Rows, step.More
		all.From, all.To = all.From+step.From, all.To+step.To
	}
	return all
}

// history reads a note's whole log, so many rows at once.
func (f Fixture) history(t *testing.T, note sessions.NoteID, limit int) []sessions.Row {
	t.Helper()
	var log []sessions.Row
	for {
		rows, err := f.Store.ReadLog(t.Context(), note, uint64(len(log)), limit)
		if err != nil || len(rows) > limit {
			t.Fatal(len(rows), err)
		}
		if len(rows) == 0 {
			return log
		}
		log = append(log, rows...)
	}
}

func sameRows(a, b []sessions.Row) bool {
	return slices.EqualFunc(a, b, func(a, b sessions.Row) bool {
		return a.Seq == b.Seq && a.Author == b.Author && a.Session == b.Session && a.At.Equal(b.At) && string(a.Update) == string(b.Update)
	})
}

// testFold folds a log of two people piece by piece; whoever reads it does not notice.
func testFold(t *testing.T, f Fixture) {
	note := f.NewNote() // its first row is nobody's session, and too short a run
	f.typed(t, note, f.Author, 20)
	f.typed(t, note, f.Other, 3) // too short, too
	f.typed(t, note, f.Other, 2500)
	before := f.history(t, note, 500)
	if len(before) != 2524 || time.Since(before[9].At).Abs() > time.Hour || before[9].Session == uuid.Nil {
		t.Fatalf("the log has %d rows, one of them %+v", len(before), before[9])
	}
	unchanged := func(when string) {
		t.Helper()
		for _, limit := range []int{2524, 500, 7} {
			if after := f.history(t, note, limit); !sameRows(after, before) {
				t.Fatalf("%s: of %d rows read by %d at once some are others", when, len(after), limit)
			}
		}
		log, err := f.Store.Load(t.Context(), note)
		if err != nil || log.Head != 2524 || len(log.Tail) != 2524-int(log.BaseSeq) {
			t.Fatalf("%s: Load = head %d, %d rows behind %d, %v", when, log.Head, len(log.Tail), log.BaseSeq, err)
		}
		for i, update := range log.Tail {
			if string(update) != string(before[int(log.BaseSeq)+i].Update) {
				t.Fatalf("%s: row %d behind the base is another", when, i)
			}
		}
	}
	want := func(when string, got sessions.Folded, bursts, rows int) {
		t.Helper()
		if got.Bursts != bursts || got.Rows != rows || rows > 0 && (got.To == 0 || got.To >= got.From) {
			t.Errorf("%s: %+v, want %d rows in %d bursts, smaller", when, got, rows, bursts)
		}
		unchanged(when)
	}
	want("without a base", f.fold(t, note, soon()), 0, 0)
	f.base(t, note, 12)
	want("what is too young", f.fold(t, note, before[0].At), 0, 0)
	want("up to a base", f.fold(t, note, soon()), 1, 11)
	want("again", f.fold(t, note, soon()), 0, 0)
	f.base(t, note, 2520)
	want("up to the next base", f.fold(t, note, soon()), 4, 9+2496)
	want("once more", f.fold(t, note, soon()), 0, 0)

	f.typed(t, note, f.Author, 1)
	log, err := f.Store.Load(t.Context(), note)
	if err != nil || log.Head != 2525 || len(log.Tail) != 5 {
		t.Errorf("after one more row: head %d, %d rows, %v", log.Head, len(log.Tail), err)
	}
}

// testShortBursts: turns of a few rows each, as when two people write at once, are read across more bursts than one
// call looks at.
func testShortBursts(t *testing.T, f Fixture) {
	note := f.NewNote()
	for i := range 40 {
		f.typed(t, note, []sessions.PersonID{f.Author, f.Other}[i%2], 8)
	}
	f.base(t, note, 310)
	before := f.history(t, note, 500)
	if done := f.fold(t, note, soon()); done.Bursts != 38 {
		t.Fatalf("%+v", done)
	}
	if after := f.history(t, note, 500); len(after) != 321 || !sameRows(after, before) {
		t.Errorf("%d rows come back of 321, or others", len(after))
	}
}

// testFoldRace folds one note from several sides while people write and read it.
func testFoldRace(t *testing.T, f Fixture) {
	note := f.NewNote()
	f.typed(t, note, f.Author, 3000)
	f.base(t, note, 3001)
	before := f.history(t, note, 500)
	var wg sync.WaitGroup
	var rows atomic.Int64
	for range 3 {
		wg.Go(func() {
			for more := true; more; {
				step, err := f.Store.Fold(t.Context(), note, soon())
				if err != nil {
					t.Error(err)
				}
				rows.Add(int64(step.Rows))
				more = step.More
			}
		})
	}
	wg.Go(func() {
		f.Recover(note, true)
		for clock := range uint64(30) {
			b := batch(f.entry(note, "more"))
			b.Claims = []sessions.Claim{{Note: note, Client: 1, From: clock, To: clock + 1, Person: f.Other, RecoveredBy: f.Author}}
			if placed, err := f.Store.Append(t.Context(), b); err != nil || len(placed) != 1 {
				t.Error(placed, err)
			}
		}
	})
	wg.Go(func() {
		for range 10 {
			if now := f.history(t, note, 500); len(now) < len(before) || !sameRows(now[:len(before)], before) {
				t.Errorf("while it is folded, %d rows are read, and others than there were", len(now))
			}
			if _, err := f.Store.Load(t.Context(), note); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Wait()
	if n := rows.Load(); n != 3000 {
		t.Errorf("%d rows were folded, want 3000, each once", n)
	}
	if now := f.history(t, note, 500); len(now) != len(before)+30 || !sameRows(now[:len(before)], before) {
		t.Errorf("%d rows are left, or others than there were", len(now))
	}
}

// testFoldedFindings: what was found in rows stays where it was found, and can be found in folded ones.
func testFoldedFindings(t *testing.T, f Fixture) {
	ctx := t.Context()
	note := f.NewNote()
	f.typed(t, note, f.Author, 20)
	f.base(t, note, 21)
	at := f.history(t, note, 500)[9].At
	found := func(seq uint64) []sessions.Loss {
		text := []sessions.LostRange{{ClockRange: crdt.ClockRange{Client: 1, From: seq, To: seq + 1}}}
		return []sessions.Loss{{LossID: sessions.LossID{Seq: seq}, Author: f.Author, By: f.Other, BySeq: 2, FirstSeq: 1, Text: text, At: at}}
	}
	if err := f.Store.SaveFindings(ctx, note, 5, found(5)); err != nil {
		t.Fatal(err)
	}
	if done := f.fold(t, note, soon()); done.Rows != 20 {
		t.Fatalf("%+v", done)
	}
	if err := f.Store.SaveFindings(ctx, note, 21, found(10)); err != nil {
		t.Fatal(err)
	}
	losses, err := f.Store.Losses(ctx, note, sessions.LossQuery{Limit: 9})
	if err != nil || len(losses) != 2 || losses[0].Seq != 10 || !losses[0].At.Equal(at) || losses[1].Seq != 5 || !losses[1].At.Equal(at) {
		t.Errorf("losses %+v, %v", losses, err)
	}
}

// testDamagedBurst: what cannot be read any more is said, and the note opens from its base.
func testDamagedBurst(t *testing.T, f Fixture) {
	note := f.NewNote()
	f.typed(t, note, f.Author, 20)
	f.base(t, note, 15)
	f.fold(t, note, soon())
	f.Damage(note)
	if log, err := f.Store.Load(t.Context(), note); err != nil || log.BaseSeq != 15 || len(log.Tail) != 6 {
		t.Errorf("Load = %d rows behind %d, %v", len(log.Tail), log.BaseSeq, err)
	}
	for _, after := range []uint64{0, 1, 14} {
		rows, err := f.Store.ReadLog(t.Context(), note, after, 500)
		if !errors.Is(err, sessions.ErrDamaged) || len(rows) > 0 {
			t.Errorf("after %d: %d rows, %v; want ErrDamaged", after, len(rows), err)
		}
	}
	if rows, err := f.Store.ReadLog(t.Context(), note, 15, 500); err != nil || len(rows) != 6 {
		t.Errorf("behind the burst: %d rows, %v", len(rows), err)
	}
}

// testFoldNothing: there is nothing to fold of what is not there.
func testFoldNothing(t *testing.T, f Fixture) {
	if folded, err := f.Store.Fold(t.Context(), uuid.New(), soon()); !errors.Is(err, sessions.ErrNoNote) || folded.Rows > 0 {
		t.Errorf("Fold = %+v, %v", folded, err)
	}
}
