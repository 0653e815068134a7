package login

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/store/queries"
)

// An Account is what whoever runs the server, or administers it, may know of a person.
type Account struct {
	ID                   uuid.UUID
	Username, Name, Role string
	Unit                 string // empty: none
	Covers               string // other units
	Supervisor           string // a username; empty: none
	Color                int
	Suspended            bool
	HasWay               bool       // to sign in
	InvitedUntil         *time.Time // nil: no invitation is open
	Epoch                int64      // moves with what they may do
}

// A Search is for people, by username.
type Search struct {
	Words string    // all of which are in username, name, role or unit; empty: everybody
	Role  string    // empty: any
	After uuid.UUID // the last person who was found before; zero: nobody
	Most  int       // that are found at once
}

// Accounts returns whom a search finds, and whether there are more.
func Accounts(ctx context.Context, db *store.DB, s Search) (found []Account, more bool, err error) {
	found, err = accounts(ctx, db, queries.PeopleParams{
		Words: strings.Fields(s.Words), Role: s.Role, After: someone(s.After), MaxRows: int32(s.Most) + 1,
	})
	if more = len(found) > s.Most; more {
		found = found[:s.Most]
	}
	return found, more, err
}

// AccountOf returns the account of one person, or [store.ErrNotFound].
func AccountOf(ctx context.Context, db *store.DB, id uuid.UUID) (Account, error) {
	found, err := accounts(ctx, db, queries.PeopleParams{ID: uuid.NullUUID{UUID: id, Valid: true}, MaxRows: 1})
	if err == nil && len(found) == 0 {
		err = store.ErrNotFound
	}
	if err != nil {
		return Account{}, err
	}
	return found[0], nil
}

func accounts(ctx context.Context, db *store.DB, asked queries.PeopleParams) ([]Account, error) {
	rows, err := db.People(ctx, asked)
	if err != nil {
		return nil, fmt.Errorf("list people: %w", err)
	}
	all := make([]Account, len(rows))
	for i, r := range rows {
		p := r.Person
		all[i] = Account{
			ID: p.ID, Username: p.Username, Name: p.Name, Role: p.Role, Color: int(p.Color), Suspended: p.Suspended, Epoch: p.AccessEpoch,
			HasWay: r.HasWay, InvitedUntil: r.InvitedUntil, Covers: r.Covers, Supervisor: r.Supervisor,
		}
		if p.UnitID != nil {
			all[i].Unit = *p.UnitID
		}
	}
	return all, nil
}

// someone is id, or nobody if that is zero.
func someone(id uuid.UUID) uuid.NullUUID { return uuid.NullUUID{UUID: id, Valid: id != uuid.Nil} }

// Person is somebody as what else is asked of a [Desk] about them needs it.
func (a Account) Person() Person { return Person{ID: a.ID, Role: access.Role(a.Role)} }
