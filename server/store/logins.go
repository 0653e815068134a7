package store

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/clisonix/tidechart/server/store/queries"
)

// Logins keeps browser logins for scs. Tokens reach it hashed.
type Logins struct{ q *queries.Queries }

// Logins returns the store of browser logins.
func (db *DB) Logins() Logins { return Logins{db.Queries} }

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
