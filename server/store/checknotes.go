package store

import (
	"context"
	"errors"
	"fmt"

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

// checkEnd compares what a note says of itself with what is on record: who changes it there has no key for the link.
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
	known, _, err := anchorOf(ctx, q, keys, note, row.Restored)
	if err != nil {
		return err
	}
	stored := endOf(row.Head, row.Chain)
	if stored.head < known.head {
		return &NoteFault{Note: note, Kind: audit.RolledBack, Head: stored.head, Had: known.head}
	}
	f := follow(keys, end{}, known)
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
		}
	}
	return f.fault(note, stored)
}
