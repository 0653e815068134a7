package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/server/vault"
	"github.com/clisonix/tidechart/sessions"
)

// readBursts is how many bursts ReadLog asks for at once; it may use one of them only.
const readBursts = 16

// ReadLog reads some of a note's log.
func (db *DB) ReadLog(ctx context.Context, note sessions.NoteID, after uint64, limit int) ([]sessions.Row, error) {
	var rows []sessions.Row
	err := db.withKeys(ctx, note, func(keys *keySet) (err error) {
		if now, err := db.NoteHead(ctx, note); err != nil || now.Destroyed { // the keys may be in memory still
			return cmp.Or(err, sessions.ErrDestroyed)
		}
		rows, err = logAfter(ctx, db.Queries, keys, note, after, int32(limit))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read log of note %s: %w", note, err)
	}
	return rows, nil
}

// logAfter is where the log is read: rows and bursts alike, in order and without a gap, up to limit of them. Only without
// a limit is it all there is.
func logAfter(ctx context.Context, q *queries.Queries, keys *keySet, note sessions.NoteID, after uint64, limit int32) ([]sessions.Row, error) {
	most := limit
	if limit < math.MaxInt32 {
		most = readBursts
	}
	parts, err := q.LogAfter(ctx, queries.LogAfterParams{Note: note, After: int64(after), MaxBursts: most, MaxRows: limit})
	if err != nil {
		return nil, err
	}
	var log []sessions.Row
	bursts := int32(0)
	for _, part := range parts {
		rows, err := keys.rowsOf(part)
		if err != nil {
			return nil, err
		}
		next := after + uint64(len(log)) + 1
		if part.Sum != nil {
			bursts++
			rows = rows[min(len(rows), int(max(next, rows[0].Seq)-rows[0].Seq)):] // it may begin before what was asked for
		}
		if len(rows) == 0 || rows[0].Seq != next {
			if bursts == most && part.Sum == nil {
				break // the rest of the bursts belongs before this row
			}
			return nil, fmt.Errorf("log has seq %d where %d belongs: %w", part.Seq, next, vault.ErrTampered)
		}
		log = append(log, rows...)
		if len(log) >= int(limit) {
			return log[:limit], nil
		}
	}
	return log, nil
}

// rowsOf returns the rows that a part of the log holds.
func (k *keySet) rowsOf(part queries.LogAfterRow) ([]sessions.Row, error) {
	if part.Sum == nil {
		update, err := k.openUpdate(part.Seq, part.AuthorID, part.SessionID, part.Data)
		if err != nil {
			return nil, err
		}
		return []sessions.Row{{
			Seq: uint64(part.Seq), Author: part.AuthorID, Session: part.SessionID.UUID, At: part.At, Update: update,
		}}, nil
	}
	b, err := k.openBurst(part.Seq, part.LastSeq, part.AuthorID, part.SessionID, part.Data)
	var rows []sessions.Row
	if err == nil {
		rows, err = b.Rows()
	}
	if err != nil {
		return nil, fmt.Errorf("seq %d to %d: %w", b.First, b.Last, err)
	}
	return rows, nil
}

// Fold folds a step of a note's log; see [sessions.Store] for the contract.
func (db *DB) Fold(ctx context.Context, note sessions.NoteID, before time.Time) (folded sessions.Folded, err error) {
	err = db.withKeys(ctx, note, func(keys *keySet) error {
		return db.transact(ctx, pgx.TxOptions{}, func(q *queries.Queries) (err error) {
			folded, err = foldStep(ctx, q, keys, note, before)
			return err
		})
	})
	if err != nil {
		return sessions.Folded{}, fmt.Errorf("fold log of note %s: %w", note, err)
	}
	return folded, nil
}

func foldStep(ctx context.Context, q *queries.Queries, keys *keySet, note sessions.NoteID, before time.Time) (folded sessions.Folded, err error) {
	after, err := q.BeginFold(ctx, note)
	if errors.Is(err, pgx.ErrNoRows) {
		return folded, sessions.ErrNoNote
	}
	if err != nil {
		return folded, err
	}
	base, err := q.NewestBase(ctx, note)
	if errors.Is(err, pgx.ErrNoRows) {
		return folded, nil
	}
	if err != nil {
		return folded, err
	}
	if _, _, whole := keys.openBase(base); !whole {
		return folded, errors.New("the base is damaged")
	}
	stored, err := q.RowsToFold(ctx, queries.RowsToFoldParams{NoteID: note, After: after, Base: base.Seq, MaxRows: sessions.FoldRows})
	if err != nil {
		return folded, err
	}
	var rows, sealed []sessions.Row // the same, opened and as they are stored
	for _, r := range stored {
		if !r.At.Before(before) {
			break
		}
		row := sessions.Row{Seq: uint64(r.Seq), Author: r.AuthorID, Session: r.SessionID.UUID, At: r.At, Update: r.Data}
		sealed = append(sealed, row)
		if row.Update, err = keys.openUpdate(r.Seq, r.AuthorID, r.SessionID, r.Data); err != nil {
			return folded, err
		}
		rows = append(rows, row)
	}
	folded.More = len(rows) == sessions.FoldRows
	runs, to := sessions.Runs(rows, folded.More)
	for _, run := range runs {
		at := run[0].Seq - rows[0].Seq
		if err := foldRun(ctx, q, keys, note, run, sealed[at:at+uint64(len(run))], &folded); err != nil {
			return folded, err
		}
	}
	if to == 0 {
		return folded, nil
	}
	return folded, q.EndFold(ctx, note, int64(to))
}

// foldRun stores a run as a burst, compares what is stored with its rows, and deletes these. sealed are the rows as they are
// stored: the database lets only these go, by their checksum.
func foldRun(ctx context.Context, q *queries.Queries, keys *keySet, note sessions.NoteID, run, sealed []sessions.Row, folded *sessions.Folded) error {
	b, err := sessions.Fold(run)
	if err != nil {
		return err
	}
	sum := sessions.SumOf(sealed)
	stored, err := q.InsertBurst(ctx, queries.InsertBurstParams{
		NoteID: note, FirstSeq: int64(b.First), LastSeq: int64(b.Last), AuthorID: b.Author,
		SessionID: uuid.NullUUID{UUID: b.Session, Valid: b.Session != uuid.Nil}, LastAt: newest(run), Data: keys.sealBurst(b), Sum: sum[:],
	})
	if err != nil {
		return err
	}
	back, err := keys.openBurst(stored.FirstSeq, stored.LastSeq, stored.AuthorID, stored.SessionID, stored.Data)
	if err != nil {
		return err
	}
	if err := back.Holds(run); err != nil {
		return err
	}
	n, err := q.DeleteFolded(ctx, note, int64(b.First), int64(b.Last))
	if err != nil {
		return err
	}
	if n != int64(len(run)) {
		return fmt.Errorf("%d rows went for a burst of %d", n, len(run))
	}
	folded.Bursts++
	folded.Rows += len(run)
	folded.To += len(stored.Data)
	for _, r := range run {
		folded.From += len(r.Update) + vault.Overhead
	}
	return nil
}

func newest(run []sessions.Row) time.Time {
	at := run[0].At
	for _, r := range run {
		if r.At.After(at) {
			at = r.At
		}
	}
	return at
}

// FoldLogs folds what of all notes' logs came before a time, one step after the other and with a rest as long as each
// took, until there is no more or ctx ends. A note that cannot be folded does not keep the others from it: the error says
// why, with what was done nevertheless.
func (db *DB) FoldLogs(ctx context.Context, before time.Time) (done sessions.Folded, err error) {
	look := func(ctx context.Context, most int32) ([]sessions.NoteID, error) {
		return db.NotesToFold(ctx, before, most)
	}
	err = eachNote(ctx, look, func(note sessions.NoteID) error { return db.foldNote(ctx, note, before, &done) })
	if err != nil {
		return done, fmt.Errorf("fold logs: %w", err)
	}
	return done, nil
}

// foldNote folds what can be folded of one note.
func (db *DB) foldNote(ctx context.Context, note sessions.NoteID, before time.Time, done *sessions.Folded) error {
	for more := true; more; {
		began := time.Now()
		step, err := db.Fold(ctx, note, before)
		if err != nil {
			return err
		}
		done.Bursts, done.Rows = done.Bursts+step.Bursts, done.Rows+step.Rows
		done.From, done.To = done.From+step.From, done.To+step.To
		more = step.More
		if err := rest(ctx, time.Since(began)); err != nil {
			return err
		}
	}
	return nil
}

// rest leaves the machine to those who wait for an answer.
func rest(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
