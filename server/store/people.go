package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/store/queries"
)

// ErrNoOffice means that whoever changes people is no administrator, or not any more.
var ErrNoOffice = errors.New("no administrator")

// ChangePerson has change alter somebody, and stores the outcome, in one transaction in which nobody else alters people. by
// is an administrator, or the zero UUID for the operator. [ErrNotFound]: there is nobody of that name.
func (db *DB) ChangePerson(ctx context.Context, by uuid.UUID, username string, change func(q *queries.Queries, p *queries.Person) error) error {
	e := audit.Event{Act: audit.ChangePerson, Who: by}
	return db.Act(ctx, &e, func(q *queries.Queries) error {
		administrators, err := q.LockAdministrators(ctx)
		if err != nil {
			return err
		}
		if by != uuid.Nil && !slices.Contains(administrators, by) {
			return ErrNoOffice
		}
		p, err := q.LockAnyone(ctx, username)
		before := p
		if err == nil {
			err = change(q, &p)
		}
		if err != nil {
			return err
		}
		e.About, e.Code = p.ID, changesOf(before, p)
		return q.UpdatePerson(ctx, queries.UpdatePersonParams{
			ID: p.ID, Name: p.Name, Role: p.Role, UnitID: p.UnitID, Suspended: p.Suspended, SupervisorID: p.SupervisorID, PatientID: p.PatientID,
		})
	})
}

// changesOf says what changed about somebody, for the log of acts. What they are called is not said: it is a name.
func changesOf(before, after queries.Person) string {
	var changes []string
	if before.Name != after.Name {
		changes = append(changes, "name")
	}
	if before.Role != after.Role {
		changes = append(changes, "role="+strings.ReplaceAll(after.Role, " ", "-"))
	}
	if unit := deref(after.UnitID); unit != deref(before.UnitID) {
		changes = append(changes, "unit="+cmp.Or(unit, "none"))
	}
	if before.Suspended != after.Suspended {
		changes = append(changes, fmt.Sprintf("suspended=%t", after.Suspended))
	}
	if before.SupervisorID != after.SupervisorID {
		changes = append(changes, "supervisor="+orNone(after.SupervisorID))
	}
	if before.PatientID != after.PatientID {
		changes = append(changes, "record="+orNone(after.PatientID))
	}
	return strings.Join(changes, " ")
}

func deref(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

func orNone(id uuid.NullUUID) string {
	if !id.Valid {
		return "none"
	}
	return id.UUID.String()
}

// AcceptInvitation uses up the invitation whose code has that hash: all by which its person signed in before ends, and they
// have that password, or with nil none. [ErrNotFound]: it does not count any more.
func (db *DB) AcceptInvitation(ctx context.Context, phc *string, code []byte) (person queries.Person, err error) {
	e := audit.Event{Act: audit.Enrol, Code: "password"}
	err = db.Act(ctx, &e, func(q *queries.Queries) error {
		person, err = accept(ctx, q, phc, code)
		e.Who, e.About = person.ID, person.ID
		return err
	})
	return person, err
}

func accept(ctx context.Context, q *queries.Queries, phc *string, code []byte) (queries.Person, error) {
	id, err := q.UseInvitation(ctx, code)
	if err == nil {
		err = q.ForgetWays(ctx, id)
	}
	if err != nil {
		return queries.Person{}, err
	}
	return q.SetPassword(ctx, phc, id)
}

// StartOver ends all by which somebody signs in, and stores an invitation for them.
func (db *DB) StartOver(ctx context.Context, person uuid.UUID, code []byte, until time.Time) error {
	return db.Act(ctx, &audit.Event{Act: audit.StartOver, About: person}, func(q *queries.Queries) error {
		return cmp.Or(q.ForgetWays(ctx, person), q.Invite(ctx, person, code, until))
	})
}

// Invite stores an invitation for somebody, who goes on signing in as before until they use it.
func (db *DB) Invite(ctx context.Context, person uuid.UUID, code []byte, until time.Time) error {
	return db.Act(ctx, &audit.Event{Act: audit.Invite, About: person}, func(q *queries.Queries) error {
		return q.Invite(ctx, person, code, until)
	})
}
