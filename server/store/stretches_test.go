package store_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/sessions"
	"github.com/clisonix/tidechart/sessions/tally"
)

// sitting is people who type in one note.
type sitting struct {
	hospital
	note    sessions.NoteID
	session sessions.SessionID
	doc     *crdt.Doc
}

// sit begins a session with people, who came with a device each.
func (h hospital) sit(t *testing.T, note sessions.NoteID, people ...uuid.UUID) *sitting {
	t.Helper()
	s := &sitting{hospital: h, note: note, session: uuid.New(), doc: crdt.New("")}
	err := h.db.StartSession(t.Context(), s.session, note)
	for _, p := range people {
		err = errors.Join(err, h.db.StartParticipation(t.Context(), uuid.New(), s.session, p, "Firefox on Windows"))
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// types has somebody type a text at the end of the note, letter by letter.
func (s *sitting) types(t *testing.T, who uuid.UUID, text string) {
	t.Helper()
	for letter := range strings.SplitSeq(text, "") {
		s.edits(t, who, func(tx *crdt.Txn, note *crdt.Text) { note.Insert(tx, note.Len(), letter) })
	}
}

func (s *sitting) edits(t *testing.T, who uuid.UUID, f func(*crdt.Txn, *crdt.Text)) {
	t.Helper()
	client := crdt.ClientID(who[0]) + 1
	from := s.doc.StateVector()[client]
	update, err := s.doc.Transact(client, func(tx *crdt.Txn) { f(tx, s.doc.Text("t")) })
	if err != nil {
		t.Fatal(err)
	}
	b := sessions.Batch{ID: uuid.New(), Entries: []sessions.Entry{{Note: s.note, Author: who, Session: s.session, Update: update}}}
	if to := s.doc.StateVector()[client]; to > from {
		b.Claims = []sessions.Claim{{Note: s.note, Client: client, From: from, To: to, Person: who}}
	}
	if placed, err := s.db.Append(t.Context(), b); err != nil || len(placed) != 1 || placed[0].First == 0 {
		t.Fatal(placed, err)
	}
}

// base stores a merge of the note as it is.
func (s *sitting) base(t *testing.T) {
	t.Helper()
	head := one[int64](t, s.hospital, "SELECT head FROM note WHERE id = $1", s.note)
	state, err := s.doc.EncodeStateAsUpdate(nil)
	if err == nil {
		err = s.db.SaveBase(t.Context(), s.note, uint64(head), state)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// wrote is what is known of who wrote how much in the session.
func (s *sitting) wrote(t *testing.T, who uuid.UUID) store.Sitter {
	t.Helper()
	found, err := s.db.Sittings(t.Context(), queries.FindSessionsParams{One: uuid.NullUUID{UUID: s.session, Valid: true}, Sort: "newest", MaxRows: 1})
	if err != nil || len(found) != 1 {
		t.Fatal(len(found), err)
	}
	i := slices.IndexFunc(found[0].People, func(p store.Sitter) bool { return p.Person.ID == who })
	return found[0].People[i]
}

// faulty is a store whose answer to a save may get lost.
type faulty struct {
	*store.DB
	saves int // until one is lost
}

var errLost = errors.New("the answer is lost")

func (f *faulty) SaveCounted(ctx context.Context, note sessions.NoteID, from, to uint64, made []tally.Stretch) (bool, error) {
	taken, err := f.DB.SaveCounted(ctx, note, from, to, made)
	if f.saves--; f.saves < 0 && err == nil {
		err = errLost
	}
	return taken, err
}

// TestAmountsAreExact: what two people typed and deleted is known to the letter, whenever it is counted, from a base or from the
// beginning, of what is folded, by several at once, and after a count that did not hear whether it was stored.
func TestAmountsAreExact(t *testing.T) {
	h := open(t)
	ctx := t.Context()
	s := h.sit(t, h.newNote(t), h.author, h.other)
	count := func() {
		t.Helper()
		if _, err := h.db.CountSessions(ctx); err != nil {
			t.Fatal(err)
		}
	}
	s.types(t, h.author, "one two three")
	s.types(t, h.other, " four")
	if got := s.wrote(t, h.author); got.Edits != 13 || got.Typed.Units != 0 {
		t.Errorf("before anything is counted: %d edits, %+v", got.Edits, got.Text)
	}
	count()
	s.base(t)
	s.types(t, h.author, " five")
	s.edits(t, h.other, func(tx *crdt.Txn, note *crdt.Text) { note.Delete(tx, 4, 10) }) // "two three "
	if err := tally.Count(ctx, &faulty{DB: h.db}, s.note); !errors.Is(err, errLost) {
		t.Fatalf("a count whose answer is lost: %v", err)
	}
	s.types(t, h.author, "!")
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			if err := tally.Count(ctx, h.db, s.note); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	check := func(when string) {
		t.Helper()
		if got := s.wrote(t, h.author); got.Edits != 19 || got.Text != (tally.Text{Typed: crdt.Amount{Units: 19, Words: 4}}) || !slices.Equal(got.Devices, []string{"Firefox on Windows"}) {
			t.Errorf("%s: who typed: %d edits, %+v, with %q", when, got.Edits, got.Text, got.Devices)
		}
		want := tally.Text{Typed: crdt.Amount{Units: 5, Words: 1}, Deleted: crdt.Amount{Units: 10, Words: 2}}
		if got := s.wrote(t, h.other); got.Edits != 6 || got.Text != want {
			t.Errorf("%s: who deleted: %d edits, %+v, want %+v", when, got.Edits, got.Text, want)
		}
		if n := one[int64](t, h, "SELECT words FROM session WHERE id = $1", s.session); n != 5 {
			t.Errorf("%s: the session has %d words, want 5", when, n)
		}
	}
	check("counted in turns")

	s.base(t)
	if done, err := h.db.Fold(ctx, s.note, later()); err != nil || done.Rows == 0 {
		t.Fatal(done, err)
	}
	check("folded")
	h.must(t, "TRUNCATE stretch, note_counted")
	count()
	check("counted anew, from bursts")
	h.must(t, "TRUNCATE stretch, note_counted")
	h.must(t, "UPDATE note_base SET data = '\\x00'") // one that does not open
	count()
	check("counted anew, without a base")

	if n := one[int64](t, h, "SELECT count(*) FROM session WHERE counted"); n != 0 {
		t.Error("a live session needs no count any more")
	}
	h.must(t, "UPDATE session SET ended_at = now() - interval '2 minutes'")
	count()
	if n := one[int64](t, h, "SELECT count(*) FROM session WHERE NOT counted"); n != 0 {
		t.Error("a session that has ended is looked at for ever")
	}
	if left, err := h.db.NotesToCount(ctx, 10); err != nil || len(left) != 0 {
		t.Errorf("%d notes are left to count, %v", len(left), err)
	}
}

// TestPutBackTextIsNotTyped: what somebody cuts and pastes is no text of theirs, whether or not it is counted between the two.
func TestPutBackTextIsNotTyped(t *testing.T) {
	h := open(t)
	ctx := t.Context()
	s := h.sit(t, h.newNote(t), h.author, h.other)
	count := func() {
		t.Helper()
		if _, err := h.db.CountSessions(ctx); err != nil {
			t.Fatal(err)
		}
	}
	s.types(t, h.author, "one two three ")
	count()
	s.edits(t, h.other, func(tx *crdt.Txn, note *crdt.Text) { note.Delete(tx, 4, 4) })
	count()
	s.base(t)
	from, to := crdt.ID{Client: crdt.ClientID(h.author[0]) + 1, Clock: 4}, crdt.ID{Client: crdt.ClientID(h.other[0]) + 1}
	if err := h.db.TellMoved(ctx, s.note, h.other, []crdt.Copy{{To: to, From: from, Len: 4}}); err != nil {
		t.Fatal(err)
	}
	s.edits(t, h.other, func(tx *crdt.Txn, note *crdt.Text) { note.Insert(tx, note.Len(), "two ") })
	for _, when := range []string{"in turns", "anew"} {
		count()
		if got, want := s.wrote(t, h.other).Text, (tally.Text{Deleted: crdt.Amount{Units: 4, Words: 1}}); got != want {
			t.Errorf("counted %s: %+v, want %+v", when, got, want)
		}
		h.must(t, "TRUNCATE stretch, note_counted")
	}
}

// TestDamagedNotesAreNotCounted: a note that cannot be counted keeps no other from it.
func TestDamagedNotesAreNotCounted(t *testing.T) {
	h := open(t)
	damaged := h.sit(t, h.newNote(t), h.author)
	b := sessions.Batch{ID: uuid.New(), Entries: []sessions.Entry{{Note: damaged.note, Author: h.author, Session: damaged.session, Update: []byte("no update")}}}
	if _, err := h.db.Append(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	s := h.sit(t, h.newNote(t), h.author)
	s.types(t, h.author, "word")
	if _, err := h.db.CountSessions(t.Context()); err == nil {
		t.Error("what is no update was counted")
	}
	if got := s.wrote(t, h.author).Typed; got != (crdt.Amount{Units: 4, Words: 1}) {
		t.Errorf("%+v", got)
	}
}
