package store

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/server/vault"
)

// Where secrets of apps for codes are sealed for. Each has a data key of its own, which goes with it: rows of before, put
// back, open nothing.
var (
	appInUse   = vault.Place{Kind: vault.AppSecret, Schema: 1}
	appPending = vault.Place{Kind: vault.PendingAppSecret, Schema: 1}
)

// PendingApp is an app for codes of which no code was right yet.
type PendingApp struct {
	Secret []byte
	Begun  time.Time

	sealed []byte
}

// BeginApp stores the secret of a new app of somebody's; one that they have goes on counting.
func (db *DB) BeginApp(ctx context.Context, person uuid.UUID, secret []byte) error {
	return db.transact(ctx, pgx.TxOptions{}, func(q *queries.Queries) error {
		if _, err := q.LockPerson(ctx, person); err != nil {
			return err
		}
		key, epoch, err := db.newPersonKey(ctx, q, person)
		if err != nil {
			return err
		}
		if err := q.BeginTOTP(ctx, person, key.Seal(appPending, secret)); err != nil {
			return err
		}
		keep := []int32{int32(epoch)}
		row, err := q.TOTP(ctx, person)
		if err != nil {
			return err
		}
		if row.Secret != nil {
			used, err := vault.EpochOf(row.Secret)
			if err != nil {
				return err
			}
			keep = append(keep, int32(used))
		}
		return q.KeepDataKeys(ctx, int16(vault.OfPerson), person, keep)
	})
}

// PendingApp returns the app that somebody has begun with, or [ErrNotFound].
func (db *DB) PendingApp(ctx context.Context, person uuid.UUID) (app PendingApp, err error) {
	err = db.reading(ctx, func(q *queries.Queries) error {
		row, err := q.TOTP(ctx, person)
		if err == nil && row.PendingAt == nil {
			err = ErrNotFound
		}
		if err != nil {
			return err
		}
		app.Begun, app.sealed = *row.PendingAt, row.Pending
		app.Secret, err = db.openPersonRecord(ctx, q, person, appPending, row.Pending)
		return err
	})
	return app, err
}

// AcceptApp takes an app into use, beginning after a step, with recovery codes of which those are the hashes. It reports
// false if somebody has begun anew meanwhile.
func (db *DB) AcceptApp(ctx context.Context, person uuid.UUID, app PendingApp, step int64, hashes [][]byte) (accepted bool, err error) {
	err = db.transact(ctx, pgx.TxOptions{}, func(q *queries.Queries) error {
		if _, err := q.LockPerson(ctx, person); err != nil {
			return err
		}
		row, err := q.TOTP(ctx, person)
		if errors.Is(err, ErrNotFound) || err == nil && !bytes.Equal(row.Pending, app.sealed) {
			return nil
		}
		if err != nil {
			return err
		}
		key, err := db.personKeyOf(ctx, q, person, app.sealed)
		if err != nil {
			return err
		}
		n, err := q.AcceptTOTP(ctx, queries.AcceptTOTPParams{
			Secret: key.Seal(appInUse, app.Secret), Step: step, Person: person, Pending: app.sealed, Hashes: hashes,
		})
		if err != nil || n == 0 {
			return err
		}
		accepted = true
		epoch, err := vault.EpochOf(app.sealed)
		e := audit.Event{Act: audit.ChangeSignIn, About: person, Code: "app added"}
		return cmp.Or(err, q.KeepDataKeys(ctx, int16(vault.OfPerson), person, []int32{int32(epoch)}), db.record(ctx, q, e))
	})
	return accepted && err == nil, err
}

// AppSecret returns the secret of the app that somebody uses, or [ErrNotFound].
func (db *DB) AppSecret(ctx context.Context, person uuid.UUID) (secret []byte, err error) {
	err = db.reading(ctx, func(q *queries.Queries) error {
		row, err := q.TOTP(ctx, person)
		if err == nil && row.Secret == nil {
			err = ErrNotFound
		}
		if err != nil {
			return err
		}
		secret, err = db.openPersonRecord(ctx, q, person, appInUse, row.Secret)
		return err
	})
	return secret, err
}

// reading runs f on the database as it is at one moment.
func (db *DB) reading(ctx context.Context, f func(q *queries.Queries) error) error {
	return db.transact(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, f)
}

// sealApps seals the secrets that a version before the vault left in the clear, and writes their table anew, since Postgres
// leaves changed rows where they were. Its log from before, and copies of it, hold them until they go.
func (db *DB) sealApps(ctx context.Context, q *queries.Queries) error {
	if n, err := q.CountUnsealedTOTPs(ctx); err != nil || n == 0 {
		return err
	}
	if err := q.LockTOTPs(ctx); err != nil {
		return err
	}
	rows, err := q.AllTOTPs(ctx)
	if err != nil {
		return err
	}
	if err := q.EmptyTOTPs(ctx); err != nil {
		return err
	}
	for _, row := range rows {
		if row.Secret, err = db.sealRecord(ctx, q, row.PersonID, appInUse, row.Secret); err != nil {
			return err
		}
		if row.Pending, err = db.sealRecord(ctx, q, row.PersonID, appPending, row.Pending); err != nil {
			return err
		}
		if err := q.InsertTOTP(ctx, queries.InsertTOTPParams(row)); err != nil {
			return err
		}
	}
	return nil
}

// sealRecord seals what somebody has by a data key of its own; nil stays nil.
func (db *DB) sealRecord(ctx context.Context, q *queries.Queries, person uuid.UUID, at vault.Place, plain []byte) ([]byte, error) {
	if plain == nil {
		return nil, nil
	}
	key, _, err := db.newPersonKey(ctx, q, person)
	if err != nil {
		return nil, err
	}
	return key.Seal(at, plain), nil
}
