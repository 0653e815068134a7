package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/sessions"
)

// chainNotes computes the chains of notes of a version before. Each note is a transaction of its own, as it is when notes are sealed:
// whoever begins again goes on, and several servers may. When it has been done, a note without a chain does not open.
func (db *DB) chainNotes(ctx context.Context) error {
	if made, err := db.ChainsMade(ctx); err != nil || made {
		return err
	}
	notes, err := db.NotesWithoutChain(ctx)
	if err != nil {
		return err
	}
	told := db.telling("linking notes of an earlier version", len(notes))
	for i, note := range notes {
		err := db.withKeys(ctx, note, func(keys *keySet) error { return db.chainNote(ctx, keys, note) })
		if err != nil {
			return fmt.Errorf("link note %s: %w", note, err)
		}
		db.keys.forget(note)
		told(i + 1)
	}
	return db.SetChainsMade(ctx)
}

// chainNote computes the chain of a note, writes its links into its bases, and tells the log of acts. Where rows before a base are
// damaged, which is no reason for the note not to open, the chain begins at the base.
func (db *DB) chainNote(ctx context.Context, keys *keySet, note sessions.NoteID) error {
	return db.transact(ctx, pgx.TxOptions{}, func(q *queries.Queries) error {
		head, err := q.LockUnchained(ctx, note)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		bases, err := q.BasesOf(ctx, note)
		if err != nil {
			return err
		}
		var at end
		for _, b := range bases {
			update, err := keys.open(baseAt(uint64(b.Seq), baseSchema), b.Data)
			if err != nil || b.Seq > head {
				if err := q.DeleteBase(ctx, note, b.Seq); err != nil {
					return err
				}
				continue
			}
			next, err := chainFrom(ctx, q, keys, note, at, uint64(b.Seq))
			if err != nil {
				db.log.Warn("rows of a note are damaged; its chain begins at its base", "note", note, "seq", b.Seq, "err", err)
				next = end{head: uint64(b.Seq)}
			}
			at = next
			if err := q.ResealBase(ctx, note, b.Seq, keys.sealBase(at, update)); err != nil {
				return err
			}
		}
		if at, err = chainFrom(ctx, q, keys, note, at, uint64(head)); err != nil || at.head != uint64(head) {
			db.log.Error("rows of a note are damaged; it has no chain, and does not open", "note", note, "seq", at.head, "err", err)
			return nil
		}
		if err := q.SetChain(ctx, note, at.link[:]); err != nil {
			return err
		}
		_, err = q.AnchorNotes(ctx, []sessions.NoteID{note})
		return err
	})
}
