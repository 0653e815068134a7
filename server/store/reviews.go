package store

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/sessions/tally"
)

// maxStretches bounds what is read of some sessions at once (I10): one page of them has a few hundred.
const maxStretches = 50_000

// Sitting is a session as who reviews it sees it.
type Sitting struct {
	queries.FindSessionsRow
	Patient   Patient
	People    []Sitter // in the order in which they came
	Stretches []tally.Stretch
	Refusals  int // updates that no editor makes, and acts on the note meanwhile
	Losses    int // pieces of text that were removed unseen
	Uncounted int // edits that Stretches has not got yet
}

// Sitter is somebody in a session.
type Sitter struct {
	queries.ParticipantsRow
	Edits int
	tally.Text
}

// Sittings finds sessions, in the order asked for, with what people did in them.
func (db *DB) Sittings(ctx context.Context, p queries.FindSessionsParams) ([]Sitting, error) {
	var found []Sitting
	err := pgx.BeginTxFunc(ctx, db.read, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		// What is not asked for makes most of the statement go: a plan for all that may be asked would read every session.
		if _, err := tx.Exec(ctx, "SET LOCAL plan_cache_mode = force_custom_plan"); err != nil {
			return err
		}
		q := queries.New(tx)
		rows, err := q.FindSessions(ctx, p)
		if err != nil {
			return err
		}
		found = make([]Sitting, len(rows))
		at := make(map[uuid.UUID]*Sitting, len(rows))
		ids := make([]uuid.UUID, len(rows))
		for i, row := range rows {
			found[i].FindSessionsRow, ids[i], at[row.ID] = row, row.ID, &found[i]
		}
		return sit(ctx, q, ids, at)
	})
	if err != nil {
		return nil, fmt.Errorf("find sessions: %w", err)
	}
	sealed := make([]queries.Patient, len(found))
	for i := range found {
		sealed[i] = found[i].FindSessionsRow.Patient
	}
	patients, err := db.openPatients(ctx, sealed)
	if err != nil {
		return nil, err
	}
	for i := range found {
		found[i].Patient = patients[i]
	}
	return found, nil
}

// sit adds who sat in sessions, and what they did.
func sit(ctx context.Context, q *queries.Queries, ids []uuid.UUID, at map[uuid.UUID]*Sitting) error {
	people, err := q.Participants(ctx, ids)
	if err != nil {
		return err
	}
	for _, p := range people {
		s := at[p.SessionID]
		s.People = append(s.People, Sitter{ParticipantsRow: p})
	}
	stretches, err := q.StretchesOf(ctx, ids, maxStretches)
	if err != nil {
		return err
	}
	for _, row := range stretches {
		s, one := at[row.SessionID], stretchOf(row)
		s.Stretches = append(s.Stretches, one)
		if who := s.sitter(one.Person); who != nil {
			who.Edits += one.Edits
			who.Text = who.Plus(one.Text)
		}
	}
	uncounted, err := q.UncountedOf(ctx, ids)
	if err != nil {
		return err
	}
	for _, row := range uncounted {
		s := at[row.SessionID]
		s.Uncounted += int(row.Edits)
		if who := s.sitter(row.AuthorID); who != nil {
			who.Edits += int(row.Edits)
		}
	}
	refusals, err := q.CountRefusals(ctx, ids)
	if err != nil {
		return err
	}
	for _, row := range refusals {
		at[row.SessionID].Refusals = int(row.Refusals)
	}
	losses, err := q.CountLosses(ctx, ids)
	for _, row := range losses {
		at[row.SessionID].Losses = int(row.Losses)
	}
	return err
}

// sitter returns somebody in the session; nil: they have not been there.
func (s *Sitting) sitter(person uuid.UUID) *Sitter {
	for i := range s.People {
		if s.People[i].Person.ID == person {
			return &s.People[i]
		}
	}
	return nil
}
