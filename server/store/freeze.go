package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/sessions"
)

// How long, and how often, somebody may keep all others from writing a note, to read what they sign (I10).
const (
	MaxFreeze   = 2 * time.Minute
	MaxFreezes  = 5 // by one person, within freezesTime: ten minutes of every thirty at most
	freezesTime = 30 * time.Minute
)

// Freeze is a note that nobody writes until somebody has signed it, lets go of it, or time has passed.
type Freeze struct {
	Epoch int64     // names it, for [Seen] and [DB.LetGo]
	Seq   uint64    // of the newest row of the note's log: that is what is signed
	Until time.Time // by the database's clock
}

// Freeze keeps everybody from writing a note for a while, [MaxFreeze] at most, so that somebody signs exactly what they read. Editors
// become read-only; what they send is held, and goes in when somebody lets go. Somebody may freeze a note anew that they have frozen,
// [MaxFreezes] times in a while: then it is an [ErrFreezes]. It is an [ErrFrozen] if somebody else has, and an [ErrSigned] of a signed note. The caller has decided that they may sign.
func (db *DB) Freeze(ctx context.Context, note, by uuid.UUID, lasts time.Duration) (f Freeze, err error) {
	e := audit.Event{Act: audit.FreezeNote, Who: by, Note: note}
	err = db.Act(ctx, &e, func(q *queries.Queries) error {
		row, err := q.Freeze(ctx, uuid.NullUUID{UUID: by, Valid: true}, min(lasts, MaxFreeze).Seconds(), note)
		if errors.Is(err, ErrNotFound) {
			return whyNotFrozen(ctx, q, note)
		}
		if err != nil {
			return err
		}
		if n, err := q.CountFreezes(ctx, note, by, freezesTime.Seconds()); err != nil {
			return err
		} else if n >= MaxFreezes {
			return ErrFreezes
		}
		f = Freeze{row.SignEpoch, uint64(row.Head), *row.FrozenUntil}
		e.Code = fmt.Sprintf("epoch=%d seq=%d", f.Epoch, f.Seq)
		e.Patient, err = q.PatientOfNote(ctx, note)
		return err
	})
	return f, db.signFailed(ctx, note, by, audit.FreezeNote, err)
}

// whyNotFrozen says why a note cannot be written, so that it cannot be frozen either.
func whyNotFrozen(ctx context.Context, q *queries.Queries, note uuid.UUID) error {
	rows, err := q.LockToSign(ctx, note)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if row.Note.ID != note {
			continue
		}
		switch {
		case row.Note.State == Gone:
			return sessions.ErrDestroyed
		case IsSigned(row.Note.State):
			return ErrSigned
		default:
			return ErrFrozen
		}
	}
	return sessions.ErrNoNote
}

// LetGo ends a freeze without a signature: the note is what it was before, and what was held meanwhile goes in. Of a freeze that is over
// it does nothing.
func (db *DB) LetGo(ctx context.Context, note, by uuid.UUID, epoch int64) error {
	e := audit.Event{Act: audit.LetGoNote, Who: by, Note: note, Code: fmt.Sprintf("epoch=%d", epoch)}
	err := db.Act(ctx, &e, func(q *queries.Queries) error {
		n, err := q.LetGo(ctx, note, epoch)
		if err == nil && n == 0 {
			err = errFreezeEnded
		}
		if err == nil {
			e.Patient, err = q.PatientOfNote(ctx, note)
		}
		return err
	})
	if err != nil && !errors.Is(err, errFreezeEnded) {
		return fmt.Errorf("let go of note %s: %w", note, err)
	}
	return nil
}

// errFreezeEnded ends a transaction that has nothing to do.
var errFreezeEnded = errors.New("the freeze has ended")

// StartReview says that a draft is done and waits to be signed, and tells those who have to do with it; it can be written as before. [ErrChanged]: it was no draft any more.
func (db *DB) StartReview(ctx context.Context, note, by uuid.UUID) error {
	return db.setReview(ctx, note, by, Draft, Review)
}

// BackToDraft says that it is not. [ErrChanged]: it was not in review any more.
func (db *DB) BackToDraft(ctx context.Context, note, by uuid.UUID) error {
	return db.setReview(ctx, note, by, Review, Draft)
}

func (db *DB) setReview(ctx context.Context, note, by uuid.UUID, from, to string) error {
	e := audit.Event{Act: audit.ReviewNote, Who: by, Note: note, Code: "state=" + to}
	err := db.Act(ctx, &e, func(q *queries.Queries) error {
		if err := q.EndFreeze(ctx, note); err != nil {
			return err
		}
		n, err := q.SetReview(ctx, to, note, from)
		if err == nil && n == 0 {
			err = ErrChanged
		}
		if err == nil {
			e.Patient, err = q.PatientOfNote(ctx, note)
		}
		if err == nil && to == Review {
			err = q.TellOfReview(ctx, by, note)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("review note %s: %w", note, signedAs(err))
	}
	return nil
}
