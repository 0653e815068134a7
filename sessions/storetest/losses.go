package storetest

import (
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/sessions"
)

// testRows reads a log in pieces.
func testRows(t *testing.T, f Fixture) {
	note := f.NewNote()
	if _, err := f.Store.Append(t.Context(), batch(f.entry(note, "r2"), f.entry(note, "r3"), f.entry(note, "r4"))); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		after uint64
		limit int
		want  string
	}{{0, 2, "\x00\x00r2"}, {2, 1, "r3"}, {2, 9, "r3r4"}, {4, 9, ""}, {9, 9, ""}} {
		rows, err := f.Store.ReadLog(t.Context(), note, tt.after, tt.limit)
		got := ""
		for i, row := range rows {
			if row.Seq != tt.after+uint64(i)+1 || row.Author != f.Author {
				t.Errorf("row %d after %d is %d by %v", i, tt.after, row.Seq, row.Author)
			}
			got += string(row.Update)
		}
		if err != nil || got != tt.want {
			t.Errorf("%d rows after %d are %q, %v; want %q", tt.limit, tt.after, got, err, tt.want)
		}
	}
}

// testLosses stores losses, twice, and settles some.
func testLosses(t *testing.T, f Fixture) {
	ctx := t.Context()
	note := f.NewNote()
	if _, err := f.Store.Append(ctx, batch(f.entry(note, "r2"), f.entry(note, "r3"))); err != nil {
		t.Fatal(err)
	}
	loss := func(seq uint64, part int, author sessions.PersonID) sessions.Loss {
		return sessions.Loss{
			LossID: sessions.LossID{Seq: seq, Part: part}, Author: author, By: f.Other, BySeq: 2, Replaced: part == 1, FirstSeq: 1,
			Text: []sessions.LostRange{
				{ClockRange: crdt.ClockRange{Client: 1<<53 - 1, From: 4, To: 9}},
				{ClockRange: crdt.ClockRange{Client: 3, From: 1<<32 - 2, To: 1<<32 - 1}, Paragraph: 1},
			},
			Place: []crdt.ID{{Client: 7, Clock: 1}, {Client: 7, Clock: 0}},
		}
	}
	all := []sessions.Loss{loss(3, 1, f.Other), loss(3, 0, f.Author), loss(2, 0, f.Author)}
	all[0].Place = nil
	for _, found := range [][]sessions.Loss{all[1:], all, nil} {
		found = slices.Clone(found)
		for i := range found {
			found[i].At = time.Now()
		}
		if err := f.Store.SaveFindings(ctx, note, uint64(len(found)), found); err != nil {
			t.Fatal(err)
		}
	}
	if log, err := f.Store.Load(ctx, note); err != nil || log.Searched != 3 {
		t.Errorf("loaded as searched up to %d, %v; want 3", log.Searched, err)
	}
	if head, seq, err := f.Store.Searched(ctx, note); err != nil || head != 3 || seq != 3 {
		t.Errorf("searched up to %d of %d, %v; want 3 of 3", seq, head, err)
	}
	if _, _, err := f.Store.Searched(ctx, uuid.New()); !errors.Is(err, sessions.ErrNoNote) {
		t.Errorf("of an unknown note: %v", err)
	}
	list := func(q sessions.LossQuery) []sessions.Loss {
		t.Helper()
		losses, err := f.Store.Losses(ctx, note, q)
		if err != nil {
			t.Fatal(err)
		}
		for i := range losses {
			if time.Since(losses[i].At) > time.Hour {
				t.Errorf("lost at %v", losses[i].At)
			}
			losses[i].At = time.Time{}
		}
		return losses
	}
	if got := list(sessions.LossQuery{Limit: 9}); !reflect.DeepEqual(got, all) {
		t.Errorf("Losses = %+v\nwant %+v", got, all)
	}
	if got := list(sessions.LossQuery{Limit: 1, Before: sessions.LossID{Seq: 3, Part: 1}}); !reflect.DeepEqual(got, all[1:2]) {
		t.Errorf("the one before = %+v", got)
	}
	settle := func(author sessions.PersonID, how sessions.Remedy, want int) {
		t.Helper()
		ids := []sessions.LossID{{Seq: 3, Part: 0}, {Seq: 3, Part: 1}, {Seq: 9, Part: 0}}
		if n, err := f.Store.SettleLosses(ctx, note, author, ids, how); err != nil || n != want {
			t.Errorf("settled %d, %v; want %d", n, err, want)
		}
	}
	settle(uuid.New(), sessions.Dismissed, 0)
	settle(f.Author, sessions.Restored, 1)
	settle(f.Author, sessions.Dismissed, 0)
	mine := list(sessions.LossQuery{Author: f.Author, Limit: 9})
	if len(mine) != 2 || mine[0].Settled == nil || mine[0].Settled.How != sessions.Restored || mine[1].Settled != nil {
		t.Errorf("after settling one = %+v", mine)
	}
	if got := list(sessions.LossQuery{Author: f.Author, Waiting: true, Limit: 9}); !reflect.DeepEqual(got, all[2:]) {
		t.Errorf("those that wait = %+v", got)
	}
}

// testMoved: what editors said they moved comes back with the row after which they said it, once, and only what is still to come.
func testMoved(t *testing.T, f Fixture) {
	ctx := t.Context()
	note := f.NewNote()
	client := crdt.ClientID(1<<53 - 1)
	copied := func(from, n uint64) []crdt.Copy {
		return []crdt.Copy{
			{To: crdt.ID{Client: client, Clock: from}, From: crdt.ID{Client: 1, Clock: 1<<32 - 2}, Len: n},
			{To: crdt.ID{Client: client, Clock: from + n}, From: crdt.ID{Client: 5, Clock: 0}, Len: 1},
		}
	}
	tell := func(copies []crdt.Copy) {
		t.Helper()
		if err := f.Store.TellMoved(ctx, note, f.Other, copies); err != nil {
			t.Fatal(err)
		}
	}
	tell(copied(0, 7))
	b := batch(f.entry(note, "r2"), f.entry(note, "r3"))
	b.Claims = []sessions.Claim{{Note: note, Client: client, From: 0, To: 9, Person: f.Other}}
	if _, err := f.Store.Append(ctx, b); err != nil {
		t.Fatal(err)
	}
	tell(copied(8, 4))
	tell(copied(0, 7)) // somebody comes back, and says again what was said before
	first, second := sessions.Moved{Person: f.Other, After: 1, Copies: copied(0, 7)}, sessions.Moved{Person: f.Other, After: 3, Copies: copied(8, 4)}
	for since, want := range map[uint64][]sessions.Moved{0: {first, second}, 7: {first, second}, 8: {second}, 13: nil} {
		got, err := f.Store.Told(ctx, note, crdt.StateVector{client: since, 1: 9})
		if err != nil || !reflect.DeepEqual(got.Moved, want) || got.Head != 3 || got.Writers[client] != f.Other {
			t.Errorf("told of what is behind %d: %+v, %v\nwant %+v", since, got, err, want)
		}
	}
	if _, err := f.Store.Told(ctx, uuid.New(), nil); !errors.Is(err, sessions.ErrNoNote) {
		t.Errorf("of no note: %v", err)
	}
}
