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
)

// ShredWithin is how long a decision to destroy a record counts, from when it is asked for: it is approved and carried out by then.
const ShredWithin = 7 * 24 * time.Hour

// AskShredding has somebody ask that a record be destroyed. It is an [ErrTwoPeople] of whoever may not, a [sessions.ErrDestroyed] of what is gone
// already, and [IsTaken] if somebody has asked for it.
func (db *DB) AskShredding(ctx context.Context, r Record, by uuid.UUID, reason, words string) (id uuid.UUID, err error) {
	id = uuid.New()
	sealed, err := db.sealWords(ctx, r.Patient, vault.ShredWords, id, words)
	if err == nil {
		e := audit.Event{Act: audit.AskDestroy, Patient: r.Patient, Note: r.Note.UUID, Code: "request=" + id.String() + " reason=" + reason}
		err = db.Act(ctx, &e, func(q *queries.Queries) error {
			if err := q.EndOverdueShreddings(ctx, r.Patient); err != nil {
				return err
			}
			return q.AskShredding(ctx, queries.AskShreddingParams{
				ID: id, PatientID: r.Patient, NoteID: r.Note, Reason: reason, Words: sealed, AskedBy: by, Seconds: ShredWithin.Seconds(),
			})
		})
	}
	if err != nil {
		return id, fmt.Errorf("ask that a record be destroyed: %w", refusedBy(err))
	}
	return id, nil
}

// ApproveShredding has somebody else approve it, in time, or it is an [ErrTwoPeople].
func (db *DB) ApproveShredding(ctx context.Context, id, by uuid.UUID) error {
	return db.decideShredding(ctx, id, audit.ApproveDestroy, "", func(q *queries.Queries) (int64, error) { return q.ApproveShredding(ctx, id, by) })
}

// EndShredding has somebody withdraw or refuse it, as how says. Then nothing is destroyed; it is an [ErrNotFound] if something was.
func (db *DB) EndShredding(ctx context.Context, id, by uuid.UUID, how string) error {
	err := db.decideShredding(ctx, id, audit.EndDestroy, " "+how, func(q *queries.Queries) (int64, error) { return q.EndShredding(ctx, id, by) })
	if errors.Is(err, ErrTwoPeople) {
		return fmt.Errorf("it is over: %w", ErrNotFound)
	}
	return err
}

func (db *DB) decideShredding(ctx context.Context, id uuid.UUID, act audit.Act, code string, decide func(*queries.Queries) (int64, error)) error {
	e := audit.Event{Act: act}
	err := db.Act(ctx, &e, func(q *queries.Queries) error {
		row, err := q.LockShredding(ctx, id)
		if err != nil {
			return err
		}
		e.Patient, e.Note, e.Code = row.PatientID, row.NoteID.UUID, "request="+id.String()+code
		n, err := decide(q)
		if err == nil && n == 0 {
			err = ErrTwoPeople
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("decide that a record be destroyed: %w", refusedBy(err))
	}
	return nil
}

// ShreddingsRow is a decision to destroy a record, with whose it is and what was said.
type ShreddingsRow struct {
	queries.ShreddingsRow
	Patient Patient
	Words   string
}

// Shreddings lists decisions, those that are not over first. It needs the vault.
func (db *DB) Shreddings(ctx context.Context, maxRows int32) ([]ShreddingsRow, error) {
	rows, err := db.Queries.Shreddings(ctx, false, maxRows)
	opened, err := withPatients(ctx, db, rows, err, func(r queries.ShreddingsRow) queries.Patient { return r.Patient },
		func(r queries.ShreddingsRow, p Patient) ShreddingsRow {
			return ShreddingsRow{ShreddingsRow: r, Patient: p}
		})
	for i, r := range opened {
		if opened[i].Words, err = db.wordsOf(ctx, r.ShreddingsRow.Patient, vault.ShredWords, r.Shredding.ID, r.Shredding.Words); err != nil {
			return nil, err
		}
	}
	return opened, err
}

// maxToShred is how many decisions are carried out by one call of a command.
const maxToShred = 10_000

// ToShred is a decision that is to be carried out. Whose record it is about is sealed.
type ToShred = queries.ShreddingsRow

// ToShred lists the decisions that are to be carried out, the oldest first. It needs no vault.
func (db *DB) ToShred(ctx context.Context) ([]ToShred, error) {
	return db.Queries.Shreddings(ctx, true, maxToShred)
}

// Shredded says what was destroyed.
type Shredded struct {
	Notes, Keys int
	Before      bool // by an earlier call
}

// errNotAllSealed means that what an earlier version left in the clear was not sealed yet: keys that go would destroy nothing.
var errNotAllSealed = errors.New("this database holds notes or patients in the clear; start a server with its key first, which seals them")

// Shred carries a decision out, in one transaction: the data keys go that a note, or all about a patient, is sealed with, what finds the patient by
// number, and where they lie; the act is recorded, and every server is told. Afterwards nothing of it opens, and nothing is added to it.
// Rows stay. Called again it says that it was done. It is an [ErrHeld], or an [ErrTwoPeople], if it must not be.
func (db *DB) Shred(ctx context.Context, id uuid.UUID) (done Shredded, err error) {
	e := audit.Event{Act: audit.Destroy}
	err = db.Act(ctx, &e, func(q *queries.Queries) error {
		row, err := q.LockShredding(ctx, id)
		if err != nil {
			return err
		}
		if row.DoneAt != nil {
			done.Before = true
			return errDoneBefore
		}
		if done, err = shred(ctx, q, row); err != nil {
			return err
		}
		e.Patient, e.Note = row.PatientID, row.NoteID.UUID
		e.Code = fmt.Sprintf("request=%s notes=%d keys=%d asked=%s approved=%s", id, done.Notes, done.Keys, row.AskedBy, row.ApprovedBy.UUID)
		return nil
	})
	if err != nil && !done.Before {
		return Shredded{}, fmt.Errorf("destroy record: %w", refusedBy(err))
	}
	return done, nil
}

// errDoneBefore ends a transaction that has nothing to do.
var errDoneBefore = errors.New("done before")

// shred does it. Whoever sets a hold, begins a note, appends to one or makes a key at this moment takes one of the rows that are locked
// here: they have done so, or find it destroyed. The order is that of others: a patient before their notes, and these by id.
func shred(ctx context.Context, q *queries.Queries, row queries.Shredding) (done Shredded, err error) {
	notesSealed, err := q.NotesSealed(ctx)
	if err != nil {
		return done, err
	}
	patientsSealed, err := q.PatientsSealed(ctx)
	if err != nil {
		return done, err
	}
	if !notesSealed || !patientsSealed {
		return done, errNotAllSealed
	}
	if _, err := q.LockPatient(ctx, row.PatientID); err != nil {
		return done, err
	}
	notes, err := q.NotesToShred(ctx, row.PatientID, row.NoteID)
	if err != nil {
		return done, err
	}
	keys, err := q.ShredKeys(ctx, int16(vault.OfNote), notes)
	if err != nil {
		return done, err
	}
	if err := q.DestroyNotes(ctx, notes); err != nil {
		return done, err
	}
	done.Notes, done.Keys = len(notes), int(keys)
	if !row.NoteID.Valid {
		keys, err := q.ShredKeys(ctx, int16(vault.OfPatient), []uuid.UUID{row.PatientID})
		if err != nil {
			return done, err
		}
		done.Keys += int(keys)
		if err := errors.Join(q.EndStay(ctx, row.PatientID), q.DestroyPatient(ctx, row.PatientID)); err != nil {
			return done, err
		}
	}
	return done, q.FinishShredding(ctx, row.ID)
}

// Erase has the tables written anew that keys and hashes were taken from: rows that go stay in a table's file until others take their place.
// It returns of how many decisions it was the end, apart from purges. Who is stopped calls it again.
func (db *DB) Erase(ctx context.Context) (n int, err error) {
	ids, err := db.ShreddingsToErase(ctx)
	if err != nil {
		return 0, fmt.Errorf("look up decisions: %w", err)
	}
	runs, err := db.RunsToErase(ctx)
	if err == nil && len(ids)+len(runs) > 0 {
		if err = db.writeAnew(ctx, "data_key", "patient"); err == nil {
			err = errors.Join(db.SetErased(ctx, ids), db.SetRunsErased(ctx, runs))
		}
	}
	if err != nil {
		return 0, fmt.Errorf("write tables anew: %w", err)
	}
	return len(ids), nil
}

// Remembering counts the servers that run, and those of them that have not said yet that they let go of what was destroyed up to a
// version, which is [queries.Queries.AccessVersion] of afterwards.
func (db *DB) Remembering(ctx context.Context, version int64) (all, remembering int, err error) {
	n, err := db.CountRemembering(ctx, version, holderSeen.Seconds())
	if err != nil {
		return 0, 0, fmt.Errorf("count servers: %w", err)
	}
	return int(n.AllOfThem), int(n.Remembering), nil
}

// Forgot says that this server has let go of all that was destroyed up to a version, for [DB.FollowKeys] to tell.
func (db *DB) Forgot(version int64) { db.forgot.Store(version) }

// forget drops the data keys of what was destroyed.
func (db *DB) forget(owner uuid.UUID) {
	db.keys.forget(owner)
	db.whose.forget(owner)
}

// destroyedInMemory finds out which of the notes and patients whose keys are in memory were destroyed.
func (db *DB) destroyedInMemory(ctx context.Context, q *queries.Queries) ([]uuid.UUID, error) {
	return q.DestroyedAmong(ctx, append(db.keys.owners(), db.whose.owners()...))
}
