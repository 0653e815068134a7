package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/server/vault"
	"github.com/clisonix/tidechart/sessions"
)

// Why the database lets nobody destroy something.
var (
	// ErrHeld means that a legal hold keeps it.
	ErrHeld = errors.New("a legal hold keeps this")
	// ErrRetained means that its time is not over.
	ErrRetained = errors.New("this is to be kept for longer")
	// ErrTwoPeople means that two people of the right roles have not decided so, or longer ago than counts.
	ErrTwoPeople = errors.New("two people have to decide this, who may: a privacy officer who asks, and within a week an administrator who approves")
)

// refusedBy is err, or what it means if it comes of a rule of migrations 0031, 0032 and 0045.
func refusedBy(err error) error {
	var refusal *pgconn.PgError
	if !errors.As(err, &refusal) {
		return err
	}
	switch refusal.ConstraintName {
	case "held":
		return ErrHeld
	case "retained":
		return ErrRetained
	case "two_people":
		return ErrTwoPeople
	case "destroyed":
		return sessions.ErrDestroyed
	}
	return err
}

// Record is what is held or destroyed: a note, or without one all about a patient.
type Record struct {
	Patient uuid.UUID
	Note    uuid.NullUUID
}

// SetHold keeps a record from being destroyed until it is lifted, and says why, in words that are sealed for the patient. What was
// destroyed is a [sessions.ErrDestroyed].
func (db *DB) SetHold(ctx context.Context, r Record, by uuid.UUID, words string) (id uuid.UUID, err error) {
	id = uuid.New()
	sealed, err := db.sealWords(ctx, r.Patient, vault.HoldWords, id, words)
	if err == nil {
		err = db.Act(ctx, &audit.Event{Act: audit.SetHold, Patient: r.Patient, Note: r.Note.UUID, About: by, Code: "hold=" + id.String()}, func(q *queries.Queries) error {
			return q.SetHold(ctx, queries.SetHoldParams{ID: id, PatientID: r.Patient, NoteID: r.Note, Words: sealed, SetBy: by})
		})
	}
	if err != nil {
		return id, fmt.Errorf("set hold: %w", refusedBy(err))
	}
	return id, nil
}

// LiftHold lifts a hold, and says why. The error is [ErrNotFound] if there is none of that id that holds.
func (db *DB) LiftHold(ctx context.Context, id, by uuid.UUID, words string) error {
	hold, err := db.HoldByID(ctx, id)
	if err == nil {
		words, sealErr := db.sealWords(ctx, hold.PatientID, vault.LiftWords, id, words)
		err = sealErr
		if err == nil {
			e := audit.Event{Act: audit.LiftHold, Patient: hold.PatientID, Note: hold.NoteID.UUID, About: by, Code: "hold=" + id.String()}
			err = db.Act(ctx, &e, func(q *queries.Queries) error {
				if n, err := q.LiftHold(ctx, id, words, by); err != nil || n == 1 {
					return err
				}
				return ErrNotFound
			})
		}
	}
	if err != nil {
		return fmt.Errorf("lift hold: %w", err)
	}
	return nil
}

// HoldsRow is a hold, with whose record it is about and what was said.
type HoldsRow struct {
	queries.HoldsRow
	Patient Patient
	Words   string
	Lifted  string
}

// Holds lists what is held, and with lifted what was.
func (db *DB) Holds(ctx context.Context, lifted bool, maxRows int32) ([]HoldsRow, error) {
	rows, err := db.Queries.Holds(ctx, lifted, maxRows)
	opened, err := withPatients(ctx, db, rows, err, func(r queries.HoldsRow) queries.Patient { return r.Patient },
		func(r queries.HoldsRow, p Patient) HoldsRow { return HoldsRow{HoldsRow: r, Patient: p} })
	for i, r := range opened {
		h := r.LegalHold
		if opened[i].Words, err = db.wordsOf(ctx, r.HoldsRow.Patient, vault.HoldWords, h.ID, h.Words); err == nil {
			opened[i].Lifted, err = db.wordsOf(ctx, r.HoldsRow.Patient, vault.LiftWords, h.ID, h.LiftedWords)
		}
		if err != nil {
			return nil, err
		}
	}
	return opened, err
}
