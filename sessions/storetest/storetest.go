package storetest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/sessions"
)

// Fixture is a store under test, and how to make what it needs.
type Fixture struct {
	Store   sessions.Store
	NewNote func() sessions.NoteID // with a log of one row, the bytes 0 0
	Sign    func(sessions.NoteID)
	Recover func(note sessions.NoteID, open bool)
	Damage  func(sessions.NoteID) // changes a byte of each burst of a note
	Author  sessions.PersonID     // known to the store
	Other   sessions.PersonID     // likewise
}

// empty is the update that holds nothing; a store does not look inside.
var empty = []byte{0, 0}

// TestStore runs what every store must do.
func TestStore(t *testing.T, f Fixture) {
	t.Run("an unknown note is ErrNoNote", func(t *testing.T) {
		if _, err := f.Store.Load(t.Context(), uuid.New()); !errors.Is(err, sessions.ErrNoNote) {
			t.Errorf("Load = %v", err)
		}
	})
	t.Run("seqs are consecutive and in order", func(t *testing.T) { testOrder(t, f) })
	t.Run("a batch is applied once, and says the same twice", func(t *testing.T) { testBatchOnce(t, f) })
	t.Run("a signed or missing note takes nothing, the others take theirs", func(t *testing.T) { testRefusal(t, f) })
	t.Run("writers at the same notes leave no hole and no deadlock", func(t *testing.T) { testConcurrent(t, f) })
	t.Run("a client id stays its first writer's, clock after clock", func(t *testing.T) { testClaims(t, f) })
	t.Run("of two who claim the same clocks one is refused", func(t *testing.T) { testRace(t, f) })
	t.Run("others' text is taken while a note is open for recovery", func(t *testing.T) { testRecovery(t, f) })
	t.Run("a note takes nothing on rights that are out of date", func(t *testing.T) { testStamps(t, f) })
	t.Run("a base replaces the rows it merges", func(t *testing.T) { testBase(t, f) })
	t.Run("a log is read in pieces", func(t *testing.T) { testRows(t, f) })
	t.Run("a log is folded and reads as before", func(t *testing.T) { testFold(t, f) })
	t.Run("many short bursts are read in pieces", func(t *testing.T) { testShortBursts(t, f) })
	t.Run("folding does not mind who else is there", func(t *testing.T) { testFoldRace(t, f) })
	t.Run("findings outlive the rows they are about", func(t *testing.T) { testFoldedFindings(t, f) })
	t.Run("a damaged burst is said, and not needed", func(t *testing.T) { testDamagedBurst(t, f) })
	t.Run("a missing note is not folded", func(t *testing.T) { testFoldNothing(t, f) })
	t.Run("losses are stored once, and settled once by whose they are", func(t *testing.T) { testLosses(t, f) })
	t.Run("what editors say they moved is stored once", func(t *testing.T) { testMoved(t, f) })
	t.Run("sessions and participations begin and end", func(t *testing.T) { testSittings(t, f) })
	t.Run("client ids that were shown are kept", func(t *testing.T) { testShown(t, f) })
}

// batch is entries under a fresh id.
func batch(entries ...sessions.Entry) sessions.Batch {
	return sessions.Batch{ID: uuid.New(), Entries: entries}
}

func (f Fixture) entry(note sessions.NoteID, update string) sessions.Entry {
	return sessions.Entry{Note: note, Author: f.Author, Update: []byte(update)}
}

func (f Fixture) log(t *testing.T, note sessions.NoteID) []string {
	t.Helper()
	log, err := f.Store.Load(t.Context(), note)
	if err != nil {
		t.Fatal(err)
	}
	if log.Head != log.BaseSeq+uint64(len(log.Tail)) {
		t.Fatalf("head %d, base up to %d, %d rows after it", log.Head, log.BaseSeq, len(log.Tail))
	}
	var rows []string
	for _, row := range log.Tail {
		rows = append(rows, string(row))
	}
	return rows
}

func testOrder(t *testing.T, f Fixture) {
	a, b := f.NewNote(), f.NewNote()
	placed, err := f.Store.Append(t.Context(), batch(
		f.entry(a, "a2"), f.entry(b, "b2"), f.entry(a, "a3"), f.entry(a, "a4"), f.entry(b, "b3"),
	))
	if err != nil || len(placed) != 2 || placed[0].First != 2 || placed[1].First != 2 {
		t.Fatalf("Append = %v, %v", placed, err)
	}
	if got, want := fmt.Sprint(f.log(t, a)[1:]), "[a2 a3 a4]"; got != want {
		t.Errorf("log = %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(f.log(t, b)[1:]), "[b2 b3]"; got != want {
		t.Errorf("log = %s, want %s", got, want)
	}
}

func testBatchOnce(t *testing.T, f Fixture) {
	note := f.NewNote()
	b := batch(f.entry(note, "one"), f.entry(note, "two"))
	b.Claims = []sessions.Claim{{Note: note, Client: 1, From: 0, To: 2, Person: f.Author}}
	first, err := f.Store.Append(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	again, err := f.Store.Append(t.Context(), b)
	if err != nil || fmt.Sprint(again) != fmt.Sprint(first) {
		t.Errorf("second Append = %v, %v; want %v", again, err, first)
	}
	if n := len(f.log(t, note)); n != 3 {
		t.Errorf("log has %d rows, want 3", n)
	}
}

func testRefusal(t *testing.T, f Fixture) {
	open, signed := f.NewNote(), f.NewNote()
	f.Sign(signed)
	b := batch(f.entry(signed, "late"), f.entry(open, "fine"), f.entry(signed, "later"))
	for range 2 { // refused the second time too
		placed, err := f.Store.Append(t.Context(), b)
		placed = slices.DeleteFunc(slices.Clone(placed), func(p sessions.Placed) bool { return p == sessions.Placed{Note: signed} }) // it is said that it is not written any more
		if err != nil || len(placed) != 1 || placed[0] != (sessions.Placed{Note: open, First: 2}) {
			t.Fatalf("Append = %v, %v", placed, err)
		}
	}
	if n := len(f.log(t, signed)); n != 1 {
		t.Errorf("signed note has %d rows", n)
	}
	placed, err := f.Store.Append(t.Context(), batch(f.entry(uuid.New(), "nowhere")))
	if err != nil || len(placed) != 0 {
		t.Errorf("Append to a missing note = %v, %v", placed, err)
	}
}

func testStamps(t *testing.T, f Fixture) {
	for name, stamp := range map[string]sessions.Stamp{"the person's": {Person: 1}, "the note's": {Note: 1}} {
		t.Run(name, func(t *testing.T) {
			fresh, stale := f.NewNote(), f.NewNote()
			late := f.entry(stale, "late")
			late.Stamp = stamp
			b := batch(f.entry(stale, "with it"), f.entry(fresh, "fine"), late)
			b.Claims = []sessions.Claim{{Note: stale, Client: 1, From: 0, To: 2, Person: f.Author}}
			placed, err := f.Store.Append(t.Context(), b)
			slices.SortFunc(placed, func(a, b sessions.Placed) int { return int(b.First) - int(a.First) })
			if want := []sessions.Placed{{Note: fresh, First: 2}, {Note: stale}}; err != nil || !slices.Equal(placed, want) {
				t.Fatalf("Append = %v, %v; want %v", placed, err, want)
			}
			if again, err := f.Store.Append(t.Context(), b); err != nil || !slices.Contains(again, placed[0]) {
				t.Errorf("the same batch again: %v, %v", again, err)
			}
			if rows := f.log(t, stale); len(rows) != 1 {
				t.Errorf("the log is %q", rows)
			}
			b.ID, b.Entries[2].Stamp = uuid.New(), sessions.Stamp{}
			b.Entries = slices.Delete(b.Entries, 1, 2)
			if placed, err := f.Store.Append(t.Context(), b); err != nil || !slices.Equal(placed, []sessions.Placed{{Note: stale, First: 2}}) {
				t.Errorf("after it was decided anew: %v, %v", placed, err)
			}
		})
	}
}

func testClaims(t *testing.T, f Fixture) {
	note, bystander := f.NewNote(), f.NewNote()
	for _, tt := range []struct {
		name     string
		client   crdt.ClientID
		from, to uint64
		person   sessions.PersonID
		ok       bool
	}{
		{"a new id that does not begin at 0", 1, 3, 5, f.Author, false},
		{"a new id", 1, 0, 5, f.Author, true},
		{"its next clocks", 1, 5, 9, f.Author, true},
		{"the same clocks again", 1, 5, 9, f.Author, false},
		{"clocks after a gap", 1, 10, 11, f.Author, false},
		{"its next clocks by somebody else", 1, 9, 10, f.Other, false},
		{"an id of somebody else's own", 2, 0, 1, f.Other, true},
		{"an id of 53 bits", 1<<53 - 1, 0, 1, f.Author, true},
	} {
		b := batch(f.entry(note, "xx"), f.entry(bystander, "yy"))
		b.Claims = []sessions.Claim{{Note: note, Client: tt.client, From: tt.from, To: tt.to, Person: tt.person}}
		placed, err := f.Store.Append(t.Context(), b)
		if err != nil || (len(placed) == 2) != tt.ok || !slices.ContainsFunc(placed, func(p sessions.Placed) bool { return p.Note == bystander }) {
			t.Errorf("%s: placed %v, %v", tt.name, placed, err)
		}
	}
	if n := len(f.log(t, note)); n != 5 {
		t.Errorf("log has %d rows, want 5", n)
	}
	log, err := f.Store.Load(t.Context(), note)
	if err != nil || log.Writers[1] != f.Author || log.Writers[2] != f.Other || log.Writers[1<<53-1] != f.Author {
		t.Errorf("writers %v, %v", log.Writers, err)
	}
}

func testRecovery(t *testing.T, f Fixture) {
	note, nobody := f.NewNote(), sessions.PersonID{}
	for _, tt := range []struct {
		name     string
		open     bool
		client   crdt.ClientID
		from, to uint64
		person   sessions.PersonID
		by       sessions.PersonID
		ok       bool
		second   sessions.PersonID // whose client 2 is then
	}{
		{"one's own text", false, 1, 0, 5, f.Author, nobody, true, nobody},
		{"others' text, though it is not open", false, 1, 5, 9, f.Author, f.Other, false, nobody},
		{"nobody's text, likewise", false, 2, 0, 9, nobody, f.Other, false, nobody},
		{"others' text", true, 1, 5, 9, f.Author, f.Other, true, nobody},
		{"after a gap", true, 1, 10, 11, f.Author, f.Other, false, nobody},
		{"others' text as somebody else's", true, 1, 9, 10, f.Other, f.Other, false, nobody},
		{"nobody's text", true, 2, 0, 9, nobody, f.Other, true, nobody},
		{"more of it", true, 2, 9, 12, nobody, f.Author, true, nobody},
		{"one's own text, when it is open no more", false, 1, 9, 10, f.Author, nobody, true, nobody},
		{"whoever writes on under what was nobody's", false, 2, 12, 13, f.Author, nobody, true, f.Author},
		{"somebody else does, too", false, 2, 13, 14, f.Other, nobody, false, f.Author},
	} {
		f.Recover(note, tt.open)
		b := batch(f.entry(note, "xx"))
		b.Claims = []sessions.Claim{{Note: note, Client: tt.client, From: tt.from, To: tt.to, Person: tt.person, RecoveredBy: tt.by}}
		placed, err := f.Store.Append(t.Context(), b)
		if err != nil || (len(placed) == 1) != tt.ok {
			t.Errorf("%s: placed %v, %v", tt.name, placed, err)
		}
		log, err := f.Store.Load(t.Context(), note)
		if err != nil || log.Writers[2] != tt.second || log.Writers[1] != f.Author {
			t.Errorf("%s: writers %v, %v", tt.name, log.Writers, err)
		}
	}
}

// testRace has two, who know nothing of each other, write the same clocks at the same time, again and again.
func testRace(t *testing.T, f Fixture) {
	note := f.NewNote()
	for clock := range uint64(50) {
		var wg sync.WaitGroup
		var taken atomic.Int32
		for range 2 {
			wg.Go(func() {
				b := batch(f.entry(note, "xx"))
				b.Claims = []sessions.Claim{{Note: note, Client: 1, From: clock, To: clock + 1, Person: f.Author}}
				placed, err := f.Store.Append(t.Context(), b)
				if err != nil {
					t.Error(err)
				}
				taken.Add(int32(len(placed)))
			})
		}
		wg.Wait()
		if n := taken.Load(); n != 1 {
			t.Fatalf("%d of two took clock %d", n, clock)
		}
	}
}

func testConcurrent(t *testing.T, f Fixture) {
	const writers, batches = 4, 25
	notes := []sessions.NoteID{f.NewNote(), f.NewNote(), f.NewNote()}
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range batches {
				var entries []sessions.Entry
				for n := range notes { // each writer in another order
					entries = append(entries, f.entry(notes[(n+w+i)%len(notes)], "xx"))
				}
				if _, err := f.Store.Append(t.Context(), batch(entries...)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for _, note := range notes {
		if n := len(f.log(t, note)); n != 1+writers*batches {
			t.Errorf("log has %d rows, want %d", n, 1+writers*batches)
		}
	}
}

func testBase(t *testing.T, f Fixture) {
	note := f.NewNote()
	if _, err := f.Store.Append(t.Context(), batch(f.entry(note, "r2"), f.entry(note, "r3"))); err != nil {
		t.Fatal(err)
	}
	for _, seq := range []uint64{1, 2} {
		if err := f.Store.SaveBase(t.Context(), note, seq, []byte{byte(seq), 0}); err != nil {
			t.Fatal(err)
		}
	}
	log, err := f.Store.Load(t.Context(), note)
	if err != nil || log.BaseSeq != 2 || log.Base[0] != 2 || len(log.Tail) != 1 || string(log.Tail[0]) != "r3" {
		t.Errorf("Load = %+v, %v", log, err)
	}
}

func testSittings(t *testing.T, f Fixture) {
	note, session, stay := f.NewNote(), uuid.New(), uuid.New()
	ctx := t.Context()
	for _, err := range []error{
		f.Store.StartSession(ctx, session, note),
		f.Store.StartParticipation(ctx, stay, session, f.Author, "a token"),
		f.Store.EndParticipation(ctx, stay),
		f.Store.EndSession(ctx, session),
	} {
		if err != nil {
			t.Error(err)
		}
	}
}

func testShown(t *testing.T, f Fixture) {
	ctx := t.Context()
	note, other := f.NewNote(), f.NewNote()
	show := func(note sessions.NoteID, person sessions.PersonID, end bool, clients ...crdt.ClientID) {
		t.Helper()
		for _, client := range clients {
			session, stay := uuid.New(), uuid.New()
			errs := []error{
				f.Store.StartSession(ctx, session, note), f.Store.StartParticipation(ctx, stay, session, person, ""),
				f.Store.ShowClient(ctx, stay, client),
			}
			if end {
				errs = append(errs, f.Store.EndParticipation(ctx, stay), f.Store.EndSession(ctx, session))
			}
			if err := errors.Join(errs...); err != nil {
				t.Fatal(err)
			}
		}
	}
	show(note, f.Author, true, 1, 2, 1<<53-1)
	show(note, f.Other, false, 3)
	show(other, f.Other, true, 4)
	b := batch(f.entry(note, "xx"))
	b.Claims = []sessions.Claim{{Note: note, Client: 2, From: 0, To: 1, Person: f.Author}}
	if _, err := f.Store.Append(ctx, b); err != nil {
		t.Fatal(err)
	}
	log, err := f.Store.Load(ctx, note)
	want := map[crdt.ClientID]sessions.PersonID{1: f.Author, 1<<53 - 1: f.Author, 3: f.Other}
	if err != nil || !maps.Equal(log.Shown, want) {
		t.Errorf("shown are %v, %v; want %v", log.Shown, err, want)
	}
}

// Empty is the update of a new note in a [Fixture].
func Empty() []byte { return empty }
