package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/store/queries"
)

// Seed is a whole hospital to start with.
type Seed struct {
	Facility queries.Facility
	Units    []queries.Unit
	Beds     []queries.Bed
	People   []queries.Person // supervisors before those whom they supervise
	Covers   []queries.Cover
	Patients []Patient
	Stays    []queries.Stay
	Bedsides map[uuid.UUID]Bedside // by patient
	Teams    []queries.CareTeam
	Notes    []NewNote
	Phrases  []Phrase
}

// SeedOnce fills an empty database with what plan returns and reports true; a database that has a facility
// already is left as it is. All of it commits together or nothing does.
func (db *DB) SeedOnce(ctx context.Context, plan func() (Seed, error)) (seeded bool, err error) {
	err = db.transact(ctx, pgx.TxOptions{}, func(q *queries.Queries) error {
		if _, err := q.Facility(ctx); !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		seed, err := plan()
		if err != nil {
			return err
		}
		seeded = true
		return db.plant(ctx, q, seed)
	})
	if err != nil {
		return false, fmt.Errorf("seed: %w", err)
	}
	return seeded, nil
}

// plant inserts a seed.
func (db *DB) plant(ctx context.Context, q *queries.Queries, s Seed) error {
	var first error
	try := func(err error) {
		if first == nil {
			first = err
		}
	}
	try(q.InsertFacility(ctx, s.Facility.ID, s.Facility.Name))
	for _, u := range s.Units {
		try(q.InsertUnit(ctx, u.ID, u.FacilityID, u.Name))
	}
	for _, b := range s.Beds {
		try(q.InsertBed(ctx, queries.InsertBedParams(b)))
	}
	for _, p := range s.People {
		try(q.InsertPerson(ctx, queries.InsertPersonParams{
			ID: p.ID, Username: p.Username, Name: p.Name, Role: p.Role, UnitID: p.UnitID, Color: p.Color, PasswordHash: p.PasswordHash,
			SupervisorID: p.SupervisorID, PatientID: p.PatientID,
		}))
	}
	for _, p := range s.Patients {
		mark, err := db.insertPatient(ctx, q, p)
		if try(err); first == nil {
			try(db.record(ctx, q, audit.Event{Act: audit.ChangePatient, Patient: p.ID, Code: "added " + mark}))
		}
	}
	for _, st := range s.Stays {
		try(q.InsertStay(ctx, st.PatientID, st.BedID, st.AdmittedAt))
	}
	for _, st := range s.Stays {
		if b, said := s.Bedsides[st.PatientID]; said && first == nil {
			try(db.plantBedside(ctx, q, st.PatientID, b))
		}
	}
	for _, c := range s.Covers {
		try(q.Cover(ctx, c.PersonID, c.UnitID, c.Until))
	}
	for _, t := range s.Teams {
		try(q.JoinTeam(ctx, t.PatientID, t.PersonID))
	}
	for _, n := range s.Notes {
		if first == nil {
			_, err := db.createNote(ctx, q, n)
			try(err)
		}
	}
	for _, p := range s.Phrases {
		if first == nil {
			try(db.putPhrase(ctx, q, p))
		}
	}
	return first
}
