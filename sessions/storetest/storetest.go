package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/sessions"
)

// Fixture is a store under test, and how to make what it needs.
type Fixture struct {
	Store   sessions.Store
	NewNote func() sessions.NoteID // with a log of one row, the bytes 0 0
	Sign    func(sessions.NoteID)
	Author  sessions.PersonID // known to the store
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
	t.Run("a base replaces the rows it merges", func(t *testing.T) { testBase(t, f) })
	t.Run("sessions and participations begin and end", func(t *testing.T) { testSittings(t, f) })
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
	placed, err := f.Store.Append(t.Context(), uuid.New(), []sessions.Entry{
		f.entry(a, "a2"), f.entry(b, "b2"), f.entry(a, "a3"), f.entry(a, "a4"), f.entry(b, "b3"),
	})
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
	note, batch := f.NewNote(), uuid.New()
	entries := []sessions.Entry{f.entry(note, "one"), f.entry(note, "two")}
	first, err := f.Store.Append(t.Context(), batch, entries)
	if err != nil {
		t.Fatal(err)
	}
	again, err := f.Store.Append(t.Context(), batch, entries)
	if err != nil || fmt.Sprint(again) != fmt.Sprint(first) {
		t.Errorf("second Append = %v, %v; want %v", again, err, first)
	}
	if n := len(f.log(t, note)); n != 3 {
		t.Errorf("log has %d rows, want 3", n)
	}
}

func testRefusal(t *testing.T, f Fixture) {
	open, signed, batch := f.NewNote(), f.NewNote(), uuid.New()
	f.Sign(signed)
	entries := []sessions.Entry{f.entry(signed, "late"), f.entry(open, "fine"), f.entry(signed, "later")}
	for range 2 { // refused the second time too
		placed, err := f.Store.Append(t.Context(), batch, entries)
		if err != nil || len(placed) != 1 || placed[0] != (sessions.Placed{Note: open, First: 2}) {
			t.Fatalf("Append = %v, %v", placed, err)
		}
	}
	if n := len(f.log(t, signed)); n != 1 {
		t.Errorf("signed note has %d rows", n)
	}
	placed, err := f.Store.Append(t.Context(), uuid.New(), []sessions.Entry{f.entry(uuid.New(), "nowhere")})
	if err != nil || len(placed) != 0 {
		t.Errorf("Append to a missing note = %v, %v", placed, err)
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
				if _, err := f.Store.Append(t.Context(), uuid.New(), entries); err != nil {
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
	if _, err := f.Store.Append(t.Context(), uuid.New(), []sessions.Entry{f.entry(note, "r2"), f.entry(note, "r3")}); err != nil {
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
		f.Store.StartParticipation(ctx, stay, session, f.Author),
		f.Store.EndParticipation(ctx, stay),
		f.Store.EndSession(ctx, session),
	} {
		if err != nil {
			t.Error(err)
		}
	}
}

// Empty is the update of a new note in a [Fixture].
func Empty() []byte { return empty }
