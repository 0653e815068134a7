package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/server/vault"
)

var (
	// ErrOtherKeys means that what a database holds is sealed by a key-encryption key that the server does not have.
	ErrOtherKeys = errors.New("this database is sealed with another key")
	// ErrInTheClear means that a database that is sealed holds something in the clear, which no server wrote.
	ErrInTheClear = errors.New("this database is sealed, and holds a secret in the clear that no server wrote: remove it from table totp")
	// ErrNoKeys means that something sealed was asked for without a vault.
	ErrNoKeys = errors.New("no keys were given")
)

// adopt makes sure that all key-encryption keys of this database are its vault's, or gives it one. What a version before the
// vault left in the clear is sealed in the transaction that adopts the key, and never later: what is in the clear then was written
// by somebody else. Several servers may do so at once.
func (db *DB) adopt(ctx context.Context) error {
	id := db.vault.ID()
	return db.transact(ctx, pgx.TxOptions{}, func(q *queries.Queries) error {
		n, err := q.AdoptKEK(ctx, id[:])
		if err != nil {
			return fmt.Errorf("adopt key: %w", err)
		}
		if n == 1 {
			if err := db.sealApps(ctx, q); err != nil {
				return fmt.Errorf("seal secrets of apps: %w", err)
			}
			if err := db.record(ctx, q, audit.Event{Act: audit.AdoptKey, Code: keyCode(db.vault)}); err != nil {
				return err
			}
		}
		inUse, err := keysInUse(ctx, q)
		if err != nil {
			return err
		}
		if err := db.followWear(ctx, q); err != nil {
			return err
		}
		if missing := db.vault.Follow(inUse); missing != nil {
			return fmt.Errorf("%w: it needs %v, and not %v", ErrOtherKeys, missing, id)
		}
		left, err := q.CountUnsealedTOTPs(ctx)
		if err != nil {
			return fmt.Errorf("look for secrets in the clear: %w", err)
		}
		if left > 0 {
			return ErrInTheClear
		}
		return nil
	})
}

// keysInUse names a database's key-encryption keys, the newest first.
func keysInUse(ctx context.Context, q *queries.Queries) ([]vault.KeyID, error) {
	rows, err := q.KEKs(ctx)
	if err != nil {
		return nil, fmt.Errorf("look up keys: %w", err)
	}
	var ids []vault.KeyID
	for _, row := range rows {
		ids = append(ids, vault.KeyID(row.ID))
	}
	return ids, nil
}

// followWear takes over which data keys operators have given up.
func (db *DB) followWear(ctx context.Context, q *queries.Queries) error {
	since, err := q.FreshSince(ctx)
	if err != nil {
		return fmt.Errorf("look up which data keys are worn: %w", err)
	}
	db.freshSince.Store(since)
	return nil
}

// FollowKeys has the vault take over what the key file says now, unless it is nil, and what is new wrapped to the database's newest key, and tells
// whoever rotates keys which ones this server has. The error is [ErrOtherKeys] if some are missing: what was wrapped to these
// meanwhile does not open.
func (db *DB) FollowKeys(ctx context.Context, secret *vault.Secret) error {
	if secret != nil {
		if err := db.vault.Take(*secret); err != nil {
			return err
		}
	}
	inUse, err := keysInUse(ctx, db.Queries)
	if err != nil {
		return err
	}
	if err := db.followWear(ctx, db.Queries); err != nil {
		return err
	}
	missing := db.vault.Follow(inUse)
	var held [][]byte
	for _, id := range db.vault.IDs() {
		held = append(held, id[:])
	}
	if err := db.HoldKeys(ctx, db.server, held, db.forgot.Load()); err != nil {
		return fmt.Errorf("tell which keys this server has: %w", err)
	}
	if missing != nil {
		return fmt.Errorf("%w: it needs %v, too", ErrOtherKeys, missing)
	}
	return nil
}
