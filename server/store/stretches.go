package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/sessions"
	"github.com/clisonix/tidechart/sessions/tally"
)

// DB is what sessions are counted in.
var _ tally.Store = (*DB)(nil)

const countRest = 49 // times as long as it took to count a note: a fiftieth of a processor's time goes into it

// CountSessions counts what people have written since it was counted last, note by note and with a rest after each, until
// there is no more or ctx ends. A note that cannot be counted does not keep the others from it: the error says why.
func (db *DB) CountSessions(ctx context.Context) (notes int, err error) {
	err = eachNote(ctx, db.NotesToCount, func(note sessions.NoteID) error {
		began := time.Now()
		err := tally.Count(ctx, db, note)
		notes++
		return errors.Join(err, rest(ctx, countRest*time.Since(began)))
	})
	if err != nil {
		return notes, fmt.Errorf("count sessions: %w", err)
	}
	return notes, nil
}

// Counted says how far a note is counted; see [tally.Store].
func (db *DB) Counted(ctx context.Context, note sessions.NoteID) (begun tally.Begun, err error) {
	err = db.transact(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(q *queries.Queries) error {
		to, err := q.CountedTo(ctx, note)
		if err != nil {
			return err
		}
		open, err := q.OpenStretches(ctx, note)
		if err != nil {
			return err
		}
		from, err := q.OpenFrom(ctx, note)
		if err != nil {
			return err
		}
		begun.Seq, begun.AsOf, begun.From = uint64(to.Seq), to.AsOf, uint64(from)
		for _, row := range open {
			begun.Open = append(begun.Open, stretchOf(row))
		}
		return nil
	})
	if err != nil {
		return begun, fmt.Errorf("look up how far a note is counted: %w", err)
	}
	return begun, nil
}

func stretchOf(row queries.Stretch) tally.Stretch {
	amount := func(units, words int64) crdt.Amount { return crdt.Amount{Units: int(units), Words: int(words)} }
	return tally.Stretch{
		Session: row.SessionID, Person: row.PersonID, First: uint64(row.FirstSeq), Last: uint64(row.LastSeq), From: row.FirstAt, Until: row.LastAt,
		Edits: int(row.Edits), Text: tally.Text{
			Typed: amount(row.Typed, row.TypedWords), Pasted: amount(row.Pasted, row.PastedWords), Deleted: amount(row.Deleted, row.DeletedWords),
		},
	}
}

// BaseUpTo returns the newest base that goes no further than a seq; one that does not open is passed over.
func (db *DB) BaseUpTo(ctx context.Context, note sessions.NoteID, seq uint64) (update []byte, to uint64, err error) {
	err = db.withKeys(ctx, note, func(keys *keySet) error {
		update, to = nil, 0
		base, err := db.Queries.BaseUpTo(ctx, note, int64(seq))
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		if opened, _, whole := keys.openBase(queries.NewestBaseRow(base)); whole {
			update, to = opened, uint64(base.Seq)
		}
		return nil
	})
	if err != nil {
		return nil, 0, fmt.Errorf("read base up to seq %d: %w", seq, err)
	}
	return update, to, nil
}

// SaveCounted stores what was counted, unless somebody else has counted the note since; see [tally.Store].
func (db *DB) SaveCounted(ctx context.Context, note sessions.NoteID, from, to uint64, made []tally.Stretch) (taken bool, err error) {
	err = db.transact(ctx, pgx.TxOptions{}, func(q *queries.Queries) error {
		at, err := q.BeginCount(ctx, note)
		if err != nil || uint64(at) != from {
			return err
		}
		rows := stretchRows(made)
		if err := q.SaveStretches(ctx, rows); err != nil {
			return err
		}
		if err := q.SumWords(ctx, rows.Sessions); err != nil {
			return err
		}
		taken = true
		return q.EndCount(ctx, note, int64(to))
	})
	if err != nil {
		return false, fmt.Errorf("save what was counted up to seq %d: %w", to, err)
	}
	return taken, nil
}

func stretchRows(made []tally.Stretch) (p queries.SaveStretchesParams) {
	p.Sessions, p.People = []uuid.UUID{}, []uuid.UUID{}
	for _, s := range made {
		p.Sessions, p.People = append(p.Sessions, s.Session), append(p.People, s.Person)
		p.FirstSeqs, p.LastSeqs = append(p.FirstSeqs, int64(s.First)), append(p.LastSeqs, int64(s.Last))
		p.FirstAts, p.LastAts = append(p.FirstAts, s.From), append(p.LastAts, s.Until)
		p.Edits = append(p.Edits, int64(s.Edits))
		p.Typed, p.TypedWords = append(p.Typed, int64(s.Typed.Units)), append(p.TypedWords, int64(s.Typed.Words))
		p.Pasted, p.PastedWords = append(p.Pasted, int64(s.Pasted.Units)), append(p.PastedWords, int64(s.Pasted.Words))
		p.Deleted, p.DeletedWords = append(p.Deleted, int64(s.Deleted.Units)), append(p.DeletedWords, int64(s.Deleted.Words))
	}
	return p
}

// CloseCounted says that all was counted that a note's log had at a time; see [tally.Store].
func (db *DB) CloseCounted(ctx context.Context, note sessions.NoteID, asOf time.Time) error {
	if err := db.Queries.CloseCounted(ctx, note, asOf); err != nil {
		return fmt.Errorf("close what was counted: %w", err)
	}
	return nil
}
