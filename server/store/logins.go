package store

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/store/queries"
)

// Logins keeps browser logins for scs. Tokens reach it hashed.
type Logins struct{ q *queries.Queries }

// Logins returns the store of browser logins.
func (db *DB) Logins() Logins { return Logins{db.Queries} }

// ErrLastWay means that somebody could not sign in any more.
var ErrLastWay = errors.New("the last way to sign in")

// RemovePasskey takes a passkey from its owner, unless that is their last way to sign in ([ErrLastWay]) or not theirs
// ([ErrNotFound]).
func (db *DB) RemovePasskey(ctx context.Context, owner uuid.UUID, id []byte) error {
	e := audit.Event{Act: audit.ChangeSignIn, About: owner, Code: "passkey removed"}
	return db.Act(ctx, &e, func(q *queries.Queries) error {
		if _, err := q.LockPerson(ctx, owner); err != nil {
			return err
		}
		if n, err := q.DeletePasskey(ctx, id, owner); err != nil || n == 0 {
			return cmp.Or(err, ErrNotFound)
		}
		left, err := q.CountWaysIn(ctx, owner)
		if err == nil && left == 0 {
			return ErrLastWay
		}
		return err
	})
}

// AddPasskey gives somebody a passkey. If code is not nil it is the hash of an invitation's, which is used up, as by
// [DB.AcceptInvitation], and [ErrNotFound] if it does not count any more.
func (db *DB) AddPasskey(ctx context.Context, code []byte, key queries.InsertPasskeyParams) error {
	e := audit.Event{Act: audit.ChangeSignIn, Who: key.PersonID, About: key.PersonID, Code: "passkey added"}
	if code != nil {
		e.Act, e.Code = audit.Enrol, "passkey"
	}
	return db.Act(ctx, &e, func(q *queries.Queries) error {
		if code != nil {
			if _, err := accept(ctx, q, nil, code); err != nil {
				return err
			}
		}
		return q.InsertPasskey(ctx, key)
	})
}

// Link has an issuer's name for somebody stand for the person whom an invitation's code, of which that is the hash, invites,
// and uses the code up. The error is [ErrNotFound] if it does not count any more.
func (db *DB) Link(ctx context.Context, code []byte, issuer, subject string) (person queries.Person, err error) {
	e := audit.Event{Act: audit.Enrol, Code: "provider"}
	err = db.Act(ctx, &e, func(q *queries.Queries) error {
		if person, err = accept(ctx, q, nil, code); err != nil {
			return err
		}
		e.Who, e.About = person.ID, person.ID
		return q.InsertIdentity(ctx, issuer, subject, person.ID)
	})
	return person, err
}

// FindCtx returns a login's data, or false if there is none or it has expired.
func (l Logins) FindCtx(ctx context.Context, token string) (data []byte, found bool, err error) {
	data, err = l.q.FindLogin(ctx, token)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, false, nil
	}
	return data, err == nil, err
}

// CommitCtx stores a login.
func (l Logins) CommitCtx(ctx context.Context, token string, data []byte, expiry time.Time) error {
	return l.q.SaveLogin(ctx, token, data, expiry)
}

// DeleteCtx ends a login.
func (l Logins) DeleteCtx(ctx context.Context, token string) error {
	return l.q.DeleteLogin(ctx, token)
}

// Find is FindCtx for callers without a context.
func (l Logins) Find(token string) ([]byte, bool, error) {
	return l.FindCtx(context.Background(), token)
}

// Commit is CommitCtx for callers without a context.
func (l Logins) Commit(token string, data []byte, expiry time.Time) error {
	return l.CommitCtx(context.Background(), token, data, expiry)
}

// Delete is DeleteCtx for callers without a context.
func (l Logins) Delete(token string) error { return l.DeleteCtx(context.Background(), token) }
