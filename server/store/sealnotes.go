package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/server/vault"
	"github.com/clisonix/tidechart/sessions"
)

// sealNotes seals the notes that a version before left in the clear, and has their tables written anew, since Postgres leaves
// changed rows where they were; its log from before, and copies of it, hold them until they go. Each note is a transaction of
// its own: whoever begins again goes on, and several servers may. No transaction is open around all that: it would keep the
// rows of before where they are. When it has been done, rows of the log are never changed any more, and what lies there in the
// clear does not open.
func (db *DB) sealNotes(ctx context.Context) error {
	if sealed, err := db.NotesSealed(ctx); err != nil || sealed {
		return err
	}
	notes, err := db.NotesInTheClear(ctx)
	if err != nil {
		return err
	}
	told := db.telling("sealing notes of an earlier version", len(notes))
	for i, note := range notes {
		if err := db.transact(ctx, pgx.TxOptions{}, func(q *queries.Queries) error { return db.sealNote(ctx, q, note) }); err != nil {
			return fmt.Errorf("note %s: %w", note, err)
		}
		told(i + 1)
	}
	if some, err := db.HasNotes(ctx); err != nil {
		return err
	} else if some {
		if err := db.writeAnew(ctx, "note_update", "note_base", "note_burst"); err != nil {
			return err
		}
	}
	return db.SetNotesSealed(ctx)
}

// tellEvery is how often the log is told how far something is that takes long.
const tellEvery = 5 * time.Second

// telling tells the log that something begins, now and then how far it is, and when it is done. Of nothing it says nothing.
func (db *DB) telling(what string, of int) (told func(done int)) {
	if of > 0 {
		db.log.Info(what, "done", 0, "of", of)
	}
	last := time.Now()
	return func(done int) {
		if now := time.Now(); done == of || now.Sub(last) >= tellEvery {
			db.log.Info(what, "done", done, "of", of)
			last = now
		}
	}
}

// sealAtOnce is how many rows of a log are sealed by one round trip.
const sealAtOnce = 1000

func (db *DB) sealNote(ctx context.Context, q *queries.Queries, note sessions.NoteID) error {
	if _, err := q.LockNote(ctx, note); err != nil {
		return err
	}
	if keys, err := q.DataKeysOf(ctx, int16(vault.OfNote), note); err != nil || len(keys) > 0 {
		return err // by another server
	}
	key, err := db.newNoteKey(ctx, q, note, 1, 1)
	if err != nil {
		return err
	}
	var with [32]byte
	for after, more := int64(0), true; more; {
		rows, err := q.UpdatesInTheClear(ctx, note, after, sealAtOnce)
		if err != nil {
			return err
		}
		var sealed []queries.SealUpdateParams
		for _, r := range rows {
			at := updateAt(with[:], uint64(r.Seq), r.AuthorID, r.SessionID.UUID)
			sealed = append(sealed, queries.SealUpdateParams{NoteID: note, Seq: r.Seq, Data: key.Seal(at, r.Data)})
			after = r.Seq
		}
		if more = len(rows) == sealAtOnce; len(rows) == 0 {
			break
		}
		var failed error
		q.SealUpdate(ctx, sealed).Exec(func(_ int, err error) { failed = errors.Join(failed, err) })
		if failed != nil {
			return failed
		}
	}
	bursts, err := q.BurstsInTheClear(ctx, note)
	if err != nil {
		return err
	}
	for _, b := range bursts {
		at := burstAt(uint64(b.FirstSeq), uint64(b.LastSeq), b.AuthorID, b.SessionID.UUID)
		if err := q.SealBurst(ctx, note, b.FirstSeq, key.Seal(at, append(b.Sum, b.Data...))); err != nil {
			return err
		}
	}
	bases, err := q.BasesInTheClear(ctx, note)
	if err != nil {
		return err
	}
	for _, b := range bases {
		if err := q.SealBase(ctx, note, b.Seq, key.Seal(baseAt(uint64(b.Seq), baseSchema), b.Data)); err != nil {
			return err
		}
	}
	return nil
}
