package login

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/store/queries"
)

const (
	maxName = 100 // characters of a printed name
	palette = 8   // colours of authors
)

// usernames are what people type to sign in. They are names: neither logs nor addresses show them.
var usernames = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{1,63}$`)

// ErrPerson marks what cannot be said of a person; the text is for whoever said it.
var ErrPerson = errors.New("cannot change people so")

// ErrOffice refuses who was an administrator until a moment ago.
var ErrOffice = errors.New("no administrator any more")

// Change is what is to become of a person; nil leaves things as they are.
type Change struct {
	Name, Role *string
	Unit       *string // empty: none
	Supervisor *string // a username; empty: none
	Record     *string // the number of their own record as a patient; empty: none is known
	Suspended  *bool

	Epoch *int64 // of the [Account] that whoever changes it has seen: what somebody else changed since stays

	patient *uuid.NullUUID // whom Record names, once that was looked up
}

// Add makes somebody known who may not sign in yet, and returns their id; see [Invite].
func Add(ctx context.Context, db *store.DB, username string, c Change) (uuid.UUID, error) {
	if !usernames.MatchString(username) {
		return uuid.Nil, fmt.Errorf("%w: a username is 2 to 64 lower-case letters, digits, dots, dashes and underscores", ErrPerson)
	}
	if _, err := db.AnyoneByUsername(ctx, username); !errors.Is(err, store.ErrNotFound) {
		if err != nil {
			return uuid.Nil, fmt.Errorf("look up person: %w", err)
		}
		return uuid.Nil, fmt.Errorf("%w: somebody has this username", ErrPerson)
	}
	p := queries.Person{ID: uuid.New(), Username: username, Color: int16(rand.IntN(palette))}
	err := c.find(ctx, db)
	if err == nil {
		err = c.apply(ctx, db.Queries, &p)
	}
	if err != nil {
		return uuid.Nil, err
	}
	e := audit.Event{Act: audit.AddPerson, About: p.ID, Code: "role=" + strings.ReplaceAll(p.Role, " ", "-")}
	err = db.Act(ctx, &e, func(q *queries.Queries) error {
		return q.InsertPerson(ctx, queries.InsertPersonParams{
			ID: p.ID, Username: p.Username, Name: p.Name, Role: p.Role, UnitID: p.UnitID, Color: p.Color, SupervisorID: p.SupervisorID, PatientID: p.PatientID,
		})
	})
	if err != nil {
		return uuid.Nil, fmt.Errorf("add person: %w", err)
	}
	return p.ID, nil
}

// Alter changes somebody, and returns their name. Every server hears of it at once: open notes become read-only, or close.
// by is the administrator who does so, or the zero UUID for the operator. What cannot be is an [ErrPerson]; [ErrOffice]: by
// does not administer any more.
func Alter(ctx context.Context, db *store.DB, by uuid.UUID, username string, c Change) (name string, err error) {
	if err := c.find(ctx, db); err != nil {
		return "", err
	}
	err = db.ChangePerson(ctx, by, username, func(q *queries.Queries, p *queries.Person) error {
		if c.Epoch != nil && *c.Epoch != p.AccessEpoch {
			return fmt.Errorf("%w: something else about %s has changed meanwhile; look at it, and do it again", ErrPerson, username)
		}
		err := c.apply(ctx, q, p)
		name = p.Name
		return err
	})
	switch {
	case err == nil, errors.Is(err, ErrPerson):
		return name, err
	case errors.Is(err, store.ErrNotFound):
		return "", nobody(username)
	case errors.Is(err, store.ErrNoOffice):
		return "", ErrOffice
	}
	return "", fmt.Errorf("change person: %w", err)
}

func nobody(username string) error {
	return fmt.Errorf("%w: no person has the username %q", ErrPerson, username)
}

// anyone returns somebody, suspended or not.
func anyone(ctx context.Context, db *queries.Queries, username string) (queries.Person, error) {
	p, err := db.AnyoneByUsername(ctx, username)
	if errors.Is(err, store.ErrNotFound) {
		return p, nobody(username)
	}
	if err != nil {
		return p, fmt.Errorf("look up person: %w", err)
	}
	return p, nil
}

// apply checks a change and makes it in p.
func (c Change) apply(ctx context.Context, db *queries.Queries, p *queries.Person) error {
	if c.Name != nil {
		p.Name = strings.Join(strings.Fields(*c.Name), " ")
	}
	if c.Role != nil {
		if p.Role != "" && IsProgram(p.Role) != IsProgram(*c.Role) {
			return fmt.Errorf("%w: nobody turns into a program, or a program into somebody; suspend one, and add the other", ErrPerson)
		}
		p.Role = *c.Role
	}
	if c.Suspended != nil {
		p.Suspended = *c.Suspended
	}
	switch {
	case c.Unit == nil:
	case *c.Unit == "":
		p.UnitID = nil
	default:
		if err := checkUnit(ctx, db, *c.Unit); err != nil {
			return err
		}
		p.UnitID = c.Unit
	}
	if err := c.relate(ctx, db, p); err != nil {
		return err
	}
	switch {
	case p.Name == "" || !utf8.ValidString(p.Name) || utf8.RuneCountInString(p.Name) > maxName:
		return fmt.Errorf("%w: a name is 1 to %d characters", ErrPerson, maxName)
	case !slices.Contains(access.Roles(), access.Role(p.Role)):
		return fmt.Errorf("%w: roles are %s", ErrPerson, roles())
	}
	return nil
}

// checkUnit returns an [ErrPerson] unless there is such a unit.
func checkUnit(ctx context.Context, db *queries.Queries, unit string) error {
	units, err := db.Units(ctx)
	if err != nil {
		return fmt.Errorf("look up units: %w", err)
	}
	var all []string
	for _, u := range units {
		all = append(all, u.ID)
	}
	if !slices.Contains(all, unit) {
		return fmt.Errorf("%w: units are %s", ErrPerson, strings.Join(all, ", "))
	}
	return nil
}

// relate sets under whom somebody works, and which record is their own.
func (c Change) relate(ctx context.Context, db *queries.Queries, p *queries.Person) error {
	if c.Supervisor != nil {
		p.SupervisorID = uuid.NullUUID{}
		if *c.Supervisor != "" {
			supervisor, err := anyone(ctx, db, *c.Supervisor)
			if err != nil {
				return err
			}
			p.SupervisorID = uuid.NullUUID{UUID: supervisor.ID, Valid: true}
		}
	}
	if p.SupervisorID.UUID == p.ID && p.SupervisorID.Valid {
		return fmt.Errorf("%w: nobody supervises themselves", ErrPerson)
	}
	if c.patient != nil {
		p.PatientID = *c.patient
	}
	return nil
}

// find looks up whose record a change names. Numbers are sealed, so that it needs a database with keys.
func (c *Change) find(ctx context.Context, db *store.DB) error {
	if c.Record == nil {
		return nil
	}
	c.patient = &uuid.NullUUID{}
	if *c.Record == "" {
		return nil
	}
	row, err := db.PatientByMRN(ctx, *c.Record)
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("%w: no patient has this number", ErrPerson)
	}
	if err != nil {
		return fmt.Errorf("look up patient: %w", err)
	}
	c.patient = &uuid.NullUUID{UUID: row.Patient.ID, Valid: true}
	return nil
}

// maxCover is for how long somebody may work on another unit at most.
const maxCover = 366 * 24 * time.Hour

// CoverUnit lets somebody work on a unit besides their own, until then, a year at most; with a zero time no longer.
func CoverUnit(ctx context.Context, db *store.DB, username, unit string, until time.Time) error {
	p, err := anyone(ctx, db.Queries, username)
	if err != nil {
		return err
	}
	if err := checkUnit(ctx, db.Queries, unit); err != nil {
		return err
	}
	if time.Until(until) > maxCover {
		return fmt.Errorf("%w: they cover a unit for a year at most; make it their own", ErrPerson)
	}
	e := audit.Event{Act: audit.CoverUnit, About: p.ID, Code: "unit=" + unit + " ends"}
	if !until.IsZero() {
		e.Code = "unit=" + unit + " until=" + until.UTC().Format(time.RFC3339)
	}
	err = db.Act(ctx, &e, func(q *queries.Queries) error {
		if until.IsZero() {
			_, err := q.EndCover(ctx, p.ID, unit)
			return err
		}
		return q.Cover(ctx, p.ID, unit, until)
	})
	if err != nil {
		return fmt.Errorf("change who covers a unit: %w", err)
	}
	return nil
}

// IsProgram reports whether those of a role have tokens, and no password.
func IsProgram(role string) bool { return access.Role(role) == access.ServiceAccount }

func roles() string {
	var all []string
	for _, r := range access.Roles() {
		all = append(all, string(r))
	}
	return strings.Join(all, ", ")
}
