package store

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/sessions"
)

// How often the log of acts is told how far notes have come that are written (I10).
const (
	anchorEvery = time.Minute // of one note; beginning to edit it, and its bases, tell it as well
	anchorLook  = 10 * time.Second
	anchorNotes = 500 // that one statement is about
)

// anchors remembers which notes have come further than the log of acts says: as many as are written within a minute.
type anchors struct {
	mu    sync.Mutex
	notes map[sessions.NoteID]anchoring
}

type anchoring struct {
	at   time.Time // when it was told last
	owes bool      // rows have come since
}

// moved says that a batch was committed, and that the log of acts has those notes of it that begin names.
func (a *anchors) moved(placed []sessions.Placed, begin begins, now time.Time) {
	told := make(map[sessions.NoteID]bool, len(begin.sittings))
	for _, one := range begin.sittings {
		told[one.note] = true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, p := range placed {
		switch {
		case p.First == 0:
		case told[p.Note]:
			a.notes[p.Note] = anchoring{at: now}
		default:
			a.notes[p.Note] = anchoring{at: a.notes[p.Note].at, owes: true}
		}
	}
}

// loaded says how far a note has come, and how far the log of acts has it.
func (a *anchors) loaded(note sessions.NoteID, stored, known end) {
	if stored.head > known.head {
		a.owe([]sessions.NoteID{note})
	}
}

func (a *anchors) owe(notes []sessions.NoteID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, note := range notes {
		a.notes[note] = anchoring{at: a.notes[note].at, owes: true}
	}
}

// due takes the notes of which the log of acts has to be told, or with all, of which it has not been, and forgets those it knows.
func (a *anchors) due(now time.Time, all bool) (notes []sessions.NoteID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for note, state := range a.notes {
		switch old := now.Sub(state.at) >= anchorEvery; {
		case state.owes && (old || all):
			notes = append(notes, note)
			a.notes[note] = anchoring{at: now}
		case old && !state.owes:
			delete(a.notes, note)
		}
	}
	return notes
}

// AnchorNotes tells the log of acts how far notes have come that were written, and of which it was not told for a minute; or with all,
// every one.
func (db *DB) AnchorNotes(ctx context.Context, all bool) error {
	notes := db.anchors.due(time.Now(), all)
	for len(notes) > 0 {
		some := notes[:min(len(notes), anchorNotes)]
		if _, err := db.Queries.AnchorNotes(ctx, some); err != nil {
			db.anchors.owe(notes)
			return fmt.Errorf("record how far notes have come: %w", err)
		}
		notes = notes[len(some):]
	}
	return nil
}

// findUnanchored looks through some notes, behind one, for those that the log of acts does not have as far as they have come: a server
// that was cut off did not tell it. It returns the last of these, or none behind all.
func (db *DB) findUnanchored(ctx context.Context, after uuid.UUID) (last uuid.UUID, err error) {
	notes, err := db.NotesNotAnchored(ctx, after, anchorNotes)
	if err != nil {
		return after, fmt.Errorf("look for notes that are not on record: %w", err)
	}
	db.anchors.owe(notes)
	if len(notes) < anchorNotes {
		return uuid.Nil, nil
	}
	return notes[len(notes)-1], nil
}
