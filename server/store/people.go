package store

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/clisonix/tidechart/server/store/queries"
)

// ErrNoOffice means that whoever changes people is no administrator, or not any more.
var ErrNoOffice = errors.New("no administrator")

// ChangePerson has change alter somebody, and stores the outcome, in one transaction in which nobody else alters people. by
// is an administrator, or the zero UUID for the operator. [ErrNotFound]: there is nobody of that name.
func (db *DB) ChangePerson(ctx context.Context, by uuid.UUID, username string, change func(q *queries.Queries, p *queries.Person) error) error {
	return db.transact(ctx, pgx.TxOptions{}, func(q *queries.Queries) error {
		administrators, err := q.LockAdministrators(ctx)
		if err != nil {
			return err
		}
		if by != uuid.Nil && !slices.Contains(administrators, by) {
			return ErrNoOffice
		}
		p, err := q.LockAnyone(ctx, username)
		if err == nil {
			err = change(q, &p)
		}
		if err != nil {
			return err
		}
		return q.UpdatePerson(ctx, queries.UpdatePersonParams{
			ID: p.ID, Name: p.Name, Role: p.Role, UnitID: p.UnitID, Suspended: p.Suspended, SupervisorID: p.SupervisorID, PatientID: p.PatientID,
		})
	})
}

// AcceptInvitation uses up the invitation whose code has that hash: all by which its person signed in before ends, and they
// have that password, or with nil none. [ErrNotFound]: it does not count any more.
func (db *DB) AcceptInvitation(ctx context.Context, phc *string, code []byte) (person queries.Person, err error) {
	err = db.transact(ctx, pgx.TxOptions{}, func(q *queries.Queries) error {
		person, err = accept(ctx, q, phc, code)
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
	return db.transact(ctx, pgx.TxOptions{}, func(q *queries.Queries) error {
		return cmp.Or(q.ForgetWays(ctx, person), q.Invite(ctx, person, code, until))
	})
}
