package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/server/vault"
	"github.com/clisonix/tidechart/sessions"
)

// Limits of what people say about a note (I10).
const (
	MaxThreads    = 500  // about one note
	MaxThreadActs = 500  // comments of a thread, and what was done with them and with it
	MaxComment    = 2000 // characters
	MaxQuote      = 2000 // characters that a thread is about
	maxKnown      = 4096 // bytes of [TextPlace.Known]
)

var (
	// ErrManyComments means that a note, or a thread, has as many comments as it may have.
	ErrManyComments = errors.New("too many comments")
	// ErrNotTheirs means that a comment is somebody else's, or that they have removed it.
	ErrNotTheirs = errors.New("the comment is somebody else's, or was removed")
)

// TextPlace is where text stands in a document: from its first character to its last one. Edits leave these where they are; one that takes
// them away and brings the text again elsewhere is followed by whoever sees it.
type TextPlace struct {
	Start, End crdt.ID
	Words      string // which it was then
	Known      []byte // state vector of the document then: what it does not have has come since. Empty if it is too long to be kept
	Moved      uint64 // how often somebody has said that it stands elsewhere, as the log of acts has it
}

// PlaceOf is a place in a document as it is now.
func PlaceOf(start, end crdt.ID, words string, now crdt.StateVector) TextPlace {
	p := TextPlace{Start: start, End: end, Words: words, Known: now.Encode()}
	if len(p.Known) > maxKnown {
		p.Known = nil
	}
	return p
}

// ThreadDo is what somebody does in a thread, or with it.
type ThreadDo string

// What there is to do.
const (
	Say     ThreadDo = "said"
	Change  ThreadDo = "changed" // one's own comment; what it said before stays on record
	Remove  ThreadDo = "removed" // likewise
	Resolve ThreadDo = "resolved"
	Reopen  ThreadDo = "reopened"
)

// ThreadAct is one of the things that were done in a thread.
type ThreadAct struct {
	N     int
	Do    ThreadDo
	Of    int // the N of the comment that was changed or removed
	By    uuid.UUID
	At    time.Time
	Words string
}

// Thread is what people say about a stretch of a note, or about all of it.
type Thread struct {
	ID    uuid.UUID
	By    uuid.UUID
	At    time.Time
	Quote string     // the text that it is about, as it was
	Place *TextPlace // where that stands; nil: it is about the whole note
	Acts  []ThreadAct
}

// Resolved is what resolved the thread, if that was not undone since.
func (t Thread) Resolved() (by ThreadAct, resolved bool) {
	for _, a := range t.Acts {
		if a.Do == Resolve || a.Do == Reopen {
			by, resolved = a, a.Do == Resolve
		}
	}
	return by, resolved
}

// stands returns the newest act about a comment, if it is one.
func (t Thread) stands(n int) (a ThreadAct, ok bool) {
	for _, x := range t.Acts {
		if x.N == n && x.Do == Say || x.Of > 0 && x.Of == n {
			a, ok = x, true
		}
	}
	return a, ok
}

// Numbers by which what belongs to a thread is sealed: acts follow.
const (
	quoteSeq = iota
	placeSeq
	actSeq
)

// What is said belongs to its thread, and to whoever said it; where text stands is nobody's.
func threadAt(seq uint64, thread, by uuid.UUID) vault.Place {
	return vault.Place{Kind: vault.ThreadWords, Seq: seq, Schema: 1, With: append(append([]byte(nil), thread[:]...), by[:]...)}
}

// Threads lists what was said about a note, the oldest thread first.
func (db *DB) Threads(ctx context.Context, note uuid.UUID) (threads []Thread, err error) {
	has, err := db.HasThreads(ctx, note)
	if err == nil && has {
		err = db.withKeys(ctx, note, func(keys *keySet) error {
			return db.reading(ctx, func(q *queries.Queries) (err error) {
				threads, err = readThreads(ctx, q, keys, note)
				return err
			})
		})
	}
	if err != nil {
		return nil, fmt.Errorf("open threads of note %s: %w", note, err)
	}
	return threads, nil
}

// readThreads reads them at one moment, and compares them with what is on record then.
func readThreads(ctx context.Context, q *queries.Queries, keys *keySet, note uuid.UUID) ([]Thread, error) {
	rows, err := q.Threads(ctx, note)
	if err != nil {
		return nil, err
	}
	acts, err := q.ThreadActs(ctx, note, uuid.NullUUID{})
	if err != nil {
		return nil, err
	}
	if gone, err := q.MissingThread(ctx, note); err != nil {
		return nil, err
	} else if len(gone) > 0 {
		return nil, fmt.Errorf("%s: thread %s is on record, and not there: %w", audit.RolledBack, gone[0], vault.ErrTampered)
	}
	ids := make([]uuid.UUID, len(rows))
	for i, row := range rows {
		ids[i] = row.ID
	}
	on, err := marksOf(ctx, q, audit.CommentNote, ids...)
	if err != nil {
		return nil, err
	}
	moved, err := marksOf(ctx, q, audit.PlaceThread, ids...)
	if err != nil {
		return nil, err
	}
	threads, err := keys.openThreads(rows, acts)
	for i := 0; err == nil && i < len(threads); i++ {
		if err = threads[i].check(keys, on); err == nil && threads[i].Place != nil {
			err = threads[i].Place.check(threads[i].ID, keys, moved)
		}
	}
	return threads, err
}

// says is what was done in a thread, for the log of acts. When, the database decides.
func (t Thread) says() ([]byte, error) {
	acts := slices.Clone(t.Acts)
	for i := range acts {
		acts[i].At = time.Time{}
	}
	return json.Marshal(acts)
}

// check compares what was done in a thread with what is on record. What a version before did, nothing says.
func (t Thread) check(keys *keySet, on marks) error {
	says, err := t.says()
	if err != nil {
		return err
	}
	if last, is := on[t.ID]; is && len(t.Acts) > int(last.Rev) {
		return fmt.Errorf("%s: %d acts of thread %s, of which %d are on record: %w", audit.Forked, len(t.Acts), t.ID, last.Rev, vault.ErrTampered)
	}
	return on.check(t.ID, keys, audit.CommentNote, uint64(len(t.Acts)), says)
}

// check compares a place with the last that is on record. Where text stood when its thread was begun, no entry says: no earlier place is there.
func (p *TextPlace) check(thread uuid.UUID, keys *keySet, on marks) error {
	says, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return on.check(thread, keys, audit.PlaceThread, p.Moved, says)
}

func (k *keySet) openThreads(rows []queries.Thread, acts []queries.ThreadAct) ([]Thread, error) {
	of := make(map[uuid.UUID][]queries.ThreadAct, len(rows))
	for _, a := range acts {
		of[a.ThreadID] = append(of[a.ThreadID], a)
	}
	threads := make([]Thread, len(rows))
	for i, row := range rows {
		t := Thread{ID: row.ID, By: row.ByID, At: row.At}
		if row.Quote != nil {
			t.Place = new(TextPlace)
			err := errors.Join(openValue(k, threadAt(quoteSeq, row.ID, row.ByID), row.Quote, &t.Quote), openValue(k, threadAt(placeSeq, row.ID, uuid.Nil), row.Place, t.Place))
			if err != nil {
				return nil, fmt.Errorf("thread %s: %w", row.ID, err)
			}
		}
		var err error
		if t.Acts, err = k.openThreadActs(of[row.ID]); err != nil {
			return nil, err
		}
		threads[i] = t
	}
	return threads, nil
}

// actOf is an act without what it says.
func actOf(row queries.ThreadAct) ThreadAct {
	a := ThreadAct{N: int(row.N), Do: ThreadDo(row.Act), By: row.ByID, At: row.At}
	if row.OfN != nil {
		a.Of = int(*row.OfN)
	}
	return a
}

func (k *keySet) openThreadActs(rows []queries.ThreadAct) ([]ThreadAct, error) {
	acts := make([]ThreadAct, len(rows))
	for i, row := range rows {
		a := actOf(row)
		if a.N != i+1 {
			return nil, fmt.Errorf("act %d of thread %s: one is missing before it: %w", a.N, row.ThreadID, vault.ErrTampered)
		}
		if row.Words != nil {
			if err := openValue(k, threadAt(actSeq+uint64(a.N), row.ThreadID, row.ByID), row.Words, &a.Words); err != nil {
				return nil, fmt.Errorf("act %d of thread %s: %w", a.N, row.ThreadID, err)
			}
		}
		acts[i] = a
	}
	return acts, nil
}

// BeginThread has somebody say something about a stretch of a note, or with a nil place about all of it. It is an [ErrSigned] of a note
// that is, and an [ErrManyComments]. The caller has decided that they may.
func (db *DB) BeginThread(ctx context.Context, note, by uuid.UUID, place *TextPlace, words string) (id uuid.UUID, err error) {
	id = uuid.New()
	err = db.comment(ctx, note, id, "began", func(q *queries.Queries, keys *keySet) ([]ThreadAct, error) {
		if err := q.LockThreads(ctx, note); err != nil {
			return nil, err
		}
		if n, err := q.CountThreads(ctx, note); err != nil {
			return nil, err
		} else if n >= MaxThreads {
			return nil, ErrManyComments
		}
		row := queries.InsertThreadParams{ID: id, NoteID: note, ByID: by}
		if place != nil {
			var err error
			if row.Quote, err = sealValue(keys.sealing(), threadAt(quoteSeq, id, by), place.Words); err != nil {
				return nil, err
			}
			if row.Place, err = sealValue(keys.sealing(), threadAt(placeSeq, id, uuid.Nil), place); err != nil {
				return nil, err
			}
		}
		if err := q.InsertThread(ctx, row); err != nil {
			return nil, err
		}
		first := ThreadAct{N: 1, Do: Say, By: by, Words: words}
		return []ThreadAct{first}, insertThreadAct(ctx, q, keys, note, id, first)
	})
	return id, err
}

// errSo ends a transaction that has nothing to do: it is as somebody wanted it.
var errSo = errors.New("it is so already")

// InThread has somebody do something in a thread about a note, or with it: N and At of the act are given here. It is an [ErrNotFound] if
// there is no such thread, an [ErrNotTheirs] of somebody else's comment, an [ErrManyComments], or an [ErrSigned].
func (db *DB) InThread(ctx context.Context, note, thread uuid.UUID, act ThreadAct) error {
	code := string(act.Do)
	if act.Of > 0 {
		code = fmt.Sprintf("%s n=%d", act.Do, act.Of)
	}
	err := db.comment(ctx, note, thread, code, func(q *queries.Queries, keys *keySet) ([]ThreadAct, error) {
		if _, err := q.LockThread(ctx, thread, note); err != nil {
			return nil, err
		}
		rows, err := q.ThreadActs(ctx, note, uuid.NullUUID{UUID: thread, Valid: true})
		if err != nil {
			return nil, err
		}
		if len(rows) >= MaxThreadActs {
			return nil, ErrManyComments
		}
		t := Thread{ID: thread}
		if t.Acts, err = keys.openThreadActs(rows); err != nil {
			return nil, err
		}
		on, err := marksOf(ctx, q, audit.CommentNote, thread)
		if err == nil {
			err = t.check(keys, on)
		}
		if err != nil {
			return nil, err
		}
		if err := t.takes(act); err != nil {
			return nil, err
		}
		act.N = len(rows) + 1
		return append(t.Acts, act), insertThreadAct(ctx, q, keys, note, thread, act)
	})
	if errors.Is(err, errSo) {
		return nil
	}
	return err
}

// takes says why a thread does not take an act.
func (t Thread) takes(act ThreadAct) error {
	switch act.Do {
	case Change, Remove:
		now, ok := t.stands(act.Of)
		if !ok || now.Do == Remove || now.By != act.By {
			return ErrNotTheirs
		}
	case Resolve, Reopen:
		if _, resolved := t.Resolved(); resolved == (act.Do == Resolve) {
			return errSo
		}
	}
	return nil
}

func insertThreadAct(ctx context.Context, q *queries.Queries, keys *keySet, note, thread uuid.UUID, a ThreadAct) (err error) {
	row := queries.InsertThreadActParams{ThreadID: thread, N: int32(a.N), NoteID: note, ByID: a.By, Act: string(a.Do)}
	if a.Of > 0 {
		of := int32(a.Of)
		row.OfN = &of
	}
	if a.Do == Say || a.Do == Change {
		if row.Words, err = sealValue(keys.sealing(), threadAt(actSeq+uint64(a.N), thread, a.By), a.Words); err != nil {
			return err
		}
	}
	return q.InsertThreadAct(ctx, row)
}

// comment does something with a thread, on record, while nobody signs the note. f returns all that was done in the thread then.
func (db *DB) comment(ctx context.Context, note, thread uuid.UUID, code string, f func(*queries.Queries, *keySet) ([]ThreadAct, error)) error {
	e := audit.Event{Act: audit.CommentNote, Note: note, About: thread, Code: code}
	err := db.Act(ctx, &e, func(q *queries.Queries) (err error) {
		keys, err := db.openToComments(ctx, q, note, &e.Patient)
		if err != nil {
			return err
		}
		acts, err := f(q, keys)
		if err != nil {
			return err
		}
		says, err := Thread{Acts: acts}.says()
		e.Code += " " + markCode(keys.chaining(), audit.CommentNote, uint64(len(acts)), says)
		return err
	})
	if err != nil {
		return fmt.Errorf("comment on note %s: %w", note, err)
	}
	return nil
}

// openToComments returns the keys of a note that nobody signs until the transaction ends, and whose it is.
func (db *DB) openToComments(ctx context.Context, q *queries.Queries, note uuid.UUID, patient *uuid.UUID) (*keySet, error) {
	row, err := q.NoteToComment(ctx, note)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, sessions.ErrNoNote
	case err != nil:
		return nil, err
	case row.State == Gone:
		return nil, sessions.ErrDestroyed
	case IsSigned(row.State):
		return nil, ErrSigned
	}
	*patient = row.PatientID
	return db.keysToWrite(ctx, q, note)
}

// PlaceThread says, on record, where the text stands that a thread is about; what the text was when the thread was begun stays. It is an
// [ErrNotFound] if the thread is about no text.
func (db *DB) PlaceThread(ctx context.Context, note, thread uuid.UUID, place TextPlace) error {
	e := audit.Event{Act: audit.PlaceThread, Note: note, About: thread}
	err := db.Act(ctx, &e, func(q *queries.Queries) error {
		keys, err := db.openToComments(ctx, q, note, &e.Patient)
		if err != nil {
			return err
		}
		row, err := q.LockThread(ctx, thread, note)
		if err != nil {
			return err
		}
		if row.Quote == nil {
			return ErrNotFound
		}
		on, err := marksOf(ctx, q, audit.PlaceThread, thread)
		if err != nil {
			return err
		}
		var was TextPlace
		if err := openValue(keys, threadAt(placeSeq, thread, uuid.Nil), row.Place, &was); err != nil {
			return err
		}
		if err := was.check(thread, keys, on); err != nil {
			return err
		}
		place.Moved = was.Moved + 1
		says, err := json.Marshal(place)
		if err != nil {
			return err
		}
		e.Code = markCode(keys.chaining(), e.Act, place.Moved, says)
		sealed, err := sealValue(keys.sealing(), threadAt(placeSeq, thread, uuid.Nil), place)
		if err != nil {
			return err
		}
		return q.PlaceThread(ctx, sealed, thread)
	})
	if err != nil {
		return fmt.Errorf("place thread of note %s: %w", note, err)
	}
	return nil
}
