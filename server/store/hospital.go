package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/store/queries"
)

// ErrHospital marks what cannot be said of units and patients; the text is for whoever said it.
var ErrHospital = errors.New("cannot change the hospital so")

// NewUnit is a unit about to exist, or to grow.
type NewUnit struct {
	ID       string // a short word for addresses
	Name     string // empty: it exists
	Beds     int    // behind those it has
	Prefix   string // of the beds' labels; empty: the id
	Facility string // its name, if this is the first unit; empty: Hospital
}

// unitIDs are what addresses and the board's elements can be called.
var unitIDs = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// Limits of units.
const (
	maxBeds     = 200 // that are added at once
	maxUnitName = 100 // characters, of a unit's name and of a prefix
)

// check says what is wrong with a unit, and fills in what was left to the default.
func (u *NewUnit) check() error {
	u.Name, u.Prefix = strings.Join(strings.Fields(u.Name), " "), cmp.Or(strings.TrimSpace(u.Prefix), u.ID)
	u.Facility = cmp.Or(u.Facility, "Hospital")
	switch {
	case !unitIDs.MatchString(u.ID):
		return fmt.Errorf("%w: a unit's id is 1 to 32 lower-case letters, digits and dashes", ErrHospital)
	case u.Beds < 0 || u.Beds > maxBeds:
		return fmt.Errorf("%w: 0 to %d beds are added at once", ErrHospital, maxBeds)
	case u.Name == "" && u.Beds == 0:
		return fmt.Errorf("%w: a new unit has a name, and one that there is gets beds", ErrHospital)
	case !utf8.ValidString(u.Name+u.Prefix) || utf8.RuneCountInString(u.Name) > maxUnitName || utf8.RuneCountInString(u.Prefix) > maxUnitName:
		return fmt.Errorf("%w: names have up to %d characters", ErrHospital, maxUnitName)
	}
	return nil
}

// AddUnit adds a unit, or beds to one, in one transaction. What cannot be is an [ErrHospital].
func (db *DB) AddUnit(ctx context.Context, u NewUnit) error {
	if err := u.check(); err != nil {
		return err
	}
	e := audit.Event{Act: audit.ChangeUnit, Code: fmt.Sprintf("unit=%s beds=+%d", u.ID, u.Beds)}
	err := db.Act(ctx, &e, func(q *queries.Queries) error {
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

// code says what changes, for the log of acts.
func (c PatientChange) code() string {
	var b strings.Builder
	if c.Bed != "" {
		fmt.Fprintf(&b, "bed=%s ", c.Bed)
	}
	if c.Restricted != nil {
		fmt.Fprintf(&b, "restricted=%t ", *c.Restricted)
	}
	for _, person := range c.Join {
		fmt.Fprintf(&b, "join=%s ", person)
	}
	for _, person := range c.Leave {
		fmt.Fprintf(&b, "leave=%s ", person)
	}
	return strings.TrimSpace(b.String())
}

// ChangePatient does it, in one transaction, of which every server hears. Who is in no bed has no care team.
func (db *DB) ChangePatient(ctx context.Context, c PatientChange) error {
	e := audit.Event{Act: audit.ChangePatient, Patient: c.Patient, Code: c.code()}
	err := db.Act(ctx, &e, func(q *queries.Queries) error {
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
