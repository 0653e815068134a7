package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/server/vault"
	"github.com/clisonix/tidechart/sessions"
)

// newDataKey makes a data key, and stores it unless there is one of that name; from is the first seq of a note that it seals.
func (db *DB) newDataKey(ctx context.Context, q *queries.Queries, name vault.Name, from uint64) (*vault.Key, error) {
	if db.vault == nil {
		return nil, ErrNoKeys
	}
	key, w, err := db.vault.NewKey(name)
	if err != nil {
		return nil, err
	}
	row := queries.InsertDataKeyParams{
		Scope: int16(name.Scope), Owner: name.Owner, Epoch: int32(name.Epoch), FromSeq: int64(from),
		Kek: w.KEK[:], Wrapped: w.Sealed, Commitment: w.Commitment, Tag: w.Tag,
	}
	if r := w.Recovery; r != nil {
		row.Recovery, row.RecoveryWrapped, row.RecoveryTag = r.KEK[:], r.Sealed, r.Tag
	}
	_, err = q.InsertDataKey(ctx, row)
	return key, err
}

// unwrap returns the data key of a row. The error is [sessions.ErrSealed] if it is wrapped to a key-encryption key that this server does not have.
func (db *DB) unwrap(row queries.DataKey) (*vault.Key, error) {
	if db.vault == nil {
		return nil, ErrNoKeys
	}
	key, err := db.vault.Unwrap(nameOf(row), wrappedOf(row))
	if errors.Is(err, vault.ErrOtherKey) {
		err = fmt.Errorf("%w: %w", sessions.ErrSealed, err)
	}
	return key, err
}

func nameOf(row queries.DataKey) vault.Name {
	return vault.Name{Scope: vault.Scope(row.Scope), Owner: row.Owner, Epoch: uint32(row.Epoch)}
}

func wrappedOf(row queries.DataKey) vault.Wrapped {
	w := vault.Wrapped{Sealed: row.Wrapped, Commitment: row.Commitment, Tag: row.Tag}
	copy(w.KEK[:], row.Kek)
	if row.Recovery != nil {
		w.Recovery = &vault.Recoverable{Sealed: row.RecoveryWrapped, Tag: row.RecoveryTag}
		copy(w.Recovery.KEK[:], row.Recovery)
	}
	return w
}

// newPersonKey makes somebody's next data key. Whoever calls holds the lock of the person.
func (db *DB) newPersonKey(ctx context.Context, q *queries.Queries, person uuid.UUID) (*vault.Key, uint32, error) {
	next, err := q.NextEpoch(ctx, int16(vault.OfPerson), person)
	if err != nil {
		return nil, 0, err
	}
	key, err := db.newDataKey(ctx, q, vault.Name{Scope: vault.OfPerson, Owner: person, Epoch: uint32(next)}, 1)
	return key, uint32(next), err
}

// personKeyOf returns the data key that sealed a record of somebody's.
func (db *DB) personKeyOf(ctx context.Context, q *queries.Queries, person uuid.UUID, record []byte) (*vault.Key, error) {
	epoch, err := vault.EpochOf(record)
	if err != nil {
		return nil, err
	}
	row, err := q.DataKey(ctx, int16(vault.OfPerson), person, int32(epoch))
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, fmt.Errorf("data key is gone: %w", vault.ErrTampered)
	}
	if err != nil {
		return nil, err
	}
	return db.unwrap(row)
}

// openPersonRecord opens a record of somebody's.
func (db *DB) openPersonRecord(ctx context.Context, q *queries.Queries, person uuid.UUID, at vault.Place, record []byte) ([]byte, error) {
	key, err := db.personKeyOf(ctx, q, person, record)
	if err != nil {
		return nil, err
	}
	return key.Open(at, record)
}

// keysAtOnce is how many data keys are read at once.
const keysAtOnce = 500

// Checked says of data keys how many there are, how many do not open, and how many the recovery key would not open.
type Checked struct{ All, Bad, Unrecoverable int }

// CheckKeys unwraps every data key, and counts them by what they are of. It tells progress after each.
func (db *DB) CheckKeys(ctx context.Context, v *vault.Vault, progress func(n int)) (map[vault.Scope]Checked, error) {
	checked := make(map[vault.Scope]Checked)
	err := db.eachDataKey(ctx, func(name vault.Name, w vault.Wrapped) {
		c := checked[name.Scope]
		c.All++
		if _, err := v.Unwrap(name, w); err != nil {
			c.Bad++
		}
		if !v.CanRecover(name, w) {
			c.Unrecoverable++
		}
		checked[name.Scope] = c
		progress(1)
	})
	return checked, err
}

// eachDataKey calls f with every data key that there is.
func (db *DB) eachDataKey(ctx context.Context, f func(vault.Name, vault.Wrapped)) error {
	for after, more := (queries.DataKey{}), true; more; {
		rows, err := db.DataKeysAfter(ctx, queries.DataKeysAfterParams{
			AfterScope: after.Scope, AfterOwner: after.Owner, AfterEpoch: after.Epoch, MaxRows: keysAtOnce,
		})
		if err != nil {
			return fmt.Errorf("read data keys: %w", err)
		}
		for _, after = range rows {
			f(nameOf(after), wrappedOf(after))
		}
		more = len(rows) == keysAtOnce
	}
	return nil
}
