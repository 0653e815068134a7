package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/clisonix/tidechart/server/store/queries"
)

// ErrHospital marks what cannot be said of units and patients; the text is for whoever said it.
var ErrHospital = errors.New("cannot change the hospital so")

// NewUnit is a unit about to exist, or to grow.
type NewUnit struct {
	ID, Name string // no name: it exists
	Beds     int
	Prefix   string // of the beds' labels
	Facility string // its name, if this is the first unit
}

// AddUnit adds a unit, or beds to one, in one transaction.
func (db *DB) AddUnit(ctx context.Context, u NewUnit) error {
	err := db.transact(ctx, pgx.TxOptions{}, func(q *queries.Queries) error {
		_, err := q.UnitByID(ctx, u.ID)
		if errors.Is(err, pgx.ErrNoRows) {
			if u.Name == "" {
				return fmt.Errorf("%w: there is no such unit", ErrHospital)
			}
			var facility queries.Facility
			facility, err = q.Facility(ctx)
			if errors.Is(err, pgx.ErrNoRows) {
				facility.ID = "hospital"
				err = q.InsertFacility(ctx, facility.ID, u.Facility)
			}
			if err == nil {
				err = q.InsertUnit(ctx, u.ID, facility.ID, u.Name)
			}
		}
		if err != nil {
			return err
		}
		return q.AddBeds(ctx, u.ID, u.Prefix, int32(u.Beds))
	})
	if err != nil {
		return fmt.Errorf("add unit: %w", err)
	}
	return nil
}

// PatientChange is what is to become of a patient who lies in a bed.
type PatientChange struct {
	Patient     uuid.UUID
	Bed         string // empty: stays
	Restricted  *bool  // nil: stays
	Join, Leave []uuid.UUID
}

// ChangePatient does it, in one transaction, of which every server hears. Who is in no bed has no care team.
func (db *DB) ChangePatient(ctx context.Context, c PatientChange) error {
	err := db.transact(ctx, pgx.TxOptions{}, func(q *queries.Queries) error {
		if c.Bed != "" {
			if n, err := q.MovePatient(ctx, c.Patient, c.Bed); err != nil || n == 0 {
				return errors.Join(err, fmt.Errorf("%w: the patient is in no bed", ErrHospital))
			}
		}
		if c.Restricted != nil {
			if err := q.RestrictPatient(ctx, c.Patient, *c.Restricted); err != nil {
				return err
			}
		}
		for _, person := range c.Join {
			if err := q.JoinTeam(ctx, c.Patient, person); err != nil {
				return err
			}
		}
		for _, person := range c.Leave {
			if _, err := q.LeaveTeam(ctx, c.Patient, person); err != nil {
				return err
			}
		}
		return nil
	})
	var refusal *pgconn.PgError
	if errors.As(err, &refusal) && refusal.Code[:2] == "23" {
		return fmt.Errorf("%w: there is no such bed, somebody lies in it, or the patient is in none", ErrHospital)
	}
	if err != nil {
		return fmt.Errorf("change patient: %w", err)
	}
	return nil
}
