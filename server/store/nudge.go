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

// Limits of asking people to sign (I10).
const (
	NudgeAgain   = 30 * time.Minute // before the same person may ask for the same note again
	nudgesAnHour = 60               // of one person: a large unit's notes, once
	MaxNudges    = 50               // notes that one person's pages tell of
)

// Why nobody is asked.
var (
	// ErrSignedAlready means that there is nothing to ask for.
	ErrSignedAlready = errors.New("the note is signed")
	// ErrOwnNote means that somebody asks for a note that they began.
	ErrOwnNote = errors.New("nobody asks themselves")
)

// AskedLately means that somebody has asked too lately, or too often.
type AskedLately struct{ Again time.Time }

func (e *AskedLately) Error() string { return "asked for this note lately, or too often" }

// Nudge has somebody ask whoever began a note to sign it, and puts that on record. It is an [*AskedLately], an [ErrSignedAlready], an
// [ErrOwnNote], or [sessions.ErrNoNote].
func (db *DB) Nudge(ctx context.Context, note, patient, by uuid.UUID) error {
	e := audit.Event{Act: audit.Nudge, Note: note, Patient: patient}
	err := db.Act(ctx, &e, func(q *queries.Queries) error {
		row, err := q.LockNoteToNudge(ctx, note)
		switch {
		case errors.Is(err, ErrNotFound) || err == nil && row.State == "destroyed":
			return sessions.ErrNoNote
		case err != nil:
			return err
		case IsSigned(row.State):
			return ErrSignedAlready
		case row.CreatedBy == by:
			return ErrOwnNote
		}
		now := time.Now()
		last, err := q.LastNudge(ctx, note, by, now.Add(-time.Hour))
		if err != nil {
			return err
		}
		if again := last.At.Add(NudgeAgain); now.Before(again) {
			return &AskedLately{again}
		}
		if last.Sent >= nudgesAnHour {
			return &AskedLately{now.Add(NudgeAgain)}
		}
		e.About = row.CreatedBy
		return q.InsertNudge(ctx, note, row.CreatedBy, by)
	})
	if err != nil {
		return fmt.Errorf("ask for a signature: %w", err)
	}
	return nil
}

// What people are told of notes.
const (
	ToldToSign  = "sign"    // somebody asks them to
	ToldNamed   = "mention" // it names them
	ToldOfReady = "review"  // it is ready for review
)

// SeeNudges notes, on record, that somebody has seen what they were told: of one note, or with none of all; what is one kind of it, or "" for all.
func (db *DB) SeeNudges(ctx context.Context, person uuid.UUID, note uuid.NullUUID, what string) error {
	e := audit.Event{Act: audit.SeeNudge, Note: note.UUID}
	err := db.Act(ctx, &e, func(q *queries.Queries) error {
		var kind *string
		if what != "" {
			kind = &what
		}
		n, err := q.SeeNudges(ctx, person, note, kind)
		if err == nil && n == 0 {
			err = errSame
		}
		e.Code = fmt.Sprintf("%d seen", n)
		return err
	})
	if err != nil && !errors.Is(err, errSame) {
		return fmt.Errorf("see what was told: %w", err)
	}
	return nil
}
