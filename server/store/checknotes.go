package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/server/vault"
	"github.com/clisonix/tidechart/sessions"
)

// CheckNotes compares every note with what the log of acts says of it, and calls checked for each, with what is wrong with it, if anything
// is: a [NoteFault], or a row that does not open. With a vault all rows are opened and compared with the chain; without, notes of
// which an older state was put back on purpose are passed over. Of what was destroyed, where it ends is compared. The error is that nothing more could be looked at.
func (db *DB) CheckNotes(ctx context.Context, checked func(wrong error)) error {
	for after, more := uuid.Nil, true; more; {
		notes, err := db.NotesAfter(ctx, after, anchorNotes)
		if err != nil {
			return fmt.Errorf("read notes: %w", err)
		}
		for _, note := range notes {
			after = note
			err := db.checkNote(ctx, note)
			if err != nil && !errors.Is(err, vault.ErrTampered) && !errors.Is(err, sessions.ErrDamaged) && !errors.Is(err, vault.ErrSuite) {
				return fmt.Errorf("check note %s: %w", note, err)
			}
			checked(err)
		}
		more = len(notes) == anchorNotes
	}
	gone, err := db.NotesGone(ctx)
	if err != nil {
		return fmt.Errorf("look for notes that are gone: %w", err)
	}
	for _, note := range gone {
		known, err := furthest(ctx, db.Queries, note.UUID, 0, maxPlace, end{})
		if err != nil {
			return fmt.Errorf("look up note that is gone: %w", err)
		}
		checked(&NoteFault{Note: note.UUID, Kind: audit.Missing, Had: known.head})
	}
	return nil
}

func (db *DB) checkNote(ctx context.Context, note sessions.NoteID) error {
	if db.vault == nil {
		return db.reading(ctx, func(q *queries.Queries) error { return checkEnd(ctx, q, note) })
	}
	err := db.withKeys(ctx, note, func(keys *keySet) error {
		return db.reading(ctx, func(q *queries.Queries) error { return checkRows(ctx, q, keys, note) })
	})
	if errors.Is(err, sessions.ErrDestroyed) { // its rows open never again: where they end is all that is left to compare
		return db.reading(ctx, func(q *queries.Queries) error { return checkEnd(ctx, q, note) })
	}
	return err
}

// checkEnd compares what a note says of itself, and whose it is, with what is on record: who changes it there has no key for the link.
func checkEnd(ctx context.Context, q *queries.Queries, note sessions.NoteID) error {
	row, err := q.NoteToLoad(ctx, note)
	if err != nil || row.Restored {
		return err
	}
	known, err := furthest(ctx, q, note, 0, maxPlace, end{})
	stored := endOf(row.Head, row.Chain)
	switch {
	case err != nil:
		return err
	case row.Whose != row.PatientID:
		return misplaced(note, row)
	case stored.head < known.head:
		return &NoteFault{Note: note, Kind: audit.RolledBack, Head: stored.head, Had: known.head}
	case stored.head == known.head && stored != known:
		return &NoteFault{Note: note, Kind: audit.Forked, Head: stored.head, Had: known.head}
	}
	return nil
}

// checkRows reads all of a note's log, and follows its chain.
func checkRows(ctx context.Context, q *queries.Queries, keys *keySet, note sessions.NoteID) error {
	row, err := q.NoteToLoad(ctx, note)
	if err != nil {
		return err
	}
	known, _, err := anchorOf(ctx, q, keys, note, row)
	if err != nil {
		return err
	}
	stored := endOf(row.Head, row.Chain)
	if stored.head < known.head {
		return &NoteFault{Note: note, Kind: audit.RolledBack, Head: stored.head, Had: known.head}
	}
	clock, err := q.AnchorTimes(ctx, note)
	if err != nil {
		return err
	}
	if row.Restored { // rows that came instead of others came later than these
		clock = nil
	}
	f := follow(keys, end{}, known)
	var late error // rows that are not the note's are said first
	for f.head < stored.head {
		rows, err := logAfter(ctx, q, keys, note, f.head, chainAtOnce)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			break
		}
		for _, r := range rows {
			f.row(r.Author, r.Session, r.Update)
			for len(clock) > 1 && uint64(clock[1].Head) < r.Seq {
				clock = clock[1:]
			}
			if late == nil && !timely(r, clock) {
				late = &NoteFault{Note: note, Kind: Retimed, Head: r.Seq, Had: known.head}
			}
		}
	}
	if err := f.fault(note, stored); err != nil {
		return err
	}
	return late
}

// clocksDiffer is by how much a row's time may be beside what the log of acts says: servers have clocks of their own, and it is told of several
// notes at once.
const clocksDiffer = time.Minute

// timely reports whether a row came between the two times at which the log of acts says that the note ended before it, and not before it.
// clock begins with the last of the former, if there is one.
func timely(r sessions.Row, clock []queries.AnchorTimesRow) bool {
	for _, c := range clock {
		if uint64(c.Head) >= r.Seq {
			return !r.At.After(c.At.Add(clocksDiffer))
		}
		if r.At.Before(c.At.Add(-clocksDiffer)) {
			return false
		}
	}
	return true
}
