package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/server/vault"
)

var (
	// ErrOtherKeys means that what a database holds is sealed by another key-encryption key than the server's.
	ErrOtherKeys = errors.New("this database is sealed with another key")
	// ErrInTheClear means that a database that is sealed holds something in the clear, which no server wrote.
	ErrInTheClear = errors.New("this database is sealed, and holds a secret in the clear that no server wrote: remove it from table totp")
	// ErrNoKeys means that something sealed was asked for without a vault.
	ErrNoKeys = errors.New("no keys were given")
)

// adopt makes sure that this database is sealed by its vault, and by no other. What a version before the vault left in the
// clear is sealed in the transaction that adopts the key, and never later: what is in the clear then was written by somebody
// else. Several servers may do so at once.
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
		}
		kek, err := q.KEK(ctx)
		if err != nil {
			return fmt.Errorf("look up key: %w", err)
		}
		if [len(id)]byte(kek.ID) != id {
			return fmt.Errorf("%w: it needs %x, and not %v", ErrOtherKeys, kek.ID, id)
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

// newPersonKey makes somebody's next data key. Whoever calls holds the lock of the person.
func (db *DB) newPersonKey(ctx context.Context, q *queries.Queries, person uuid.UUID) (*vault.Key, uint32, error) {
	if db.vault == nil {
		return nil, 0, ErrNoKeys
	}
	next, err := q.NextPersonEpoch(ctx, person)
	if err != nil {
		return nil, 0, err
	}
	name := personKey(person, uint32(next))
	key, w, err := db.vault.NewKey(name)
	if err != nil {
		return nil, 0, err
	}
	return key, name.Epoch, q.InsertPersonKey(ctx, queries.InsertPersonKeyParams{
		PersonID: person, Epoch: next, Kek: w.KEK[:], Wrapped: w.Sealed, Commitment: w.Commitment, Tag: w.Tag,
	})
}

// personKeyOf returns the data key that sealed a record of somebody's.
func (db *DB) personKeyOf(ctx context.Context, q *queries.Queries, person uuid.UUID, record []byte) (*vault.Key, error) {
	if db.vault == nil {
		return nil, ErrNoKeys
	}
	epoch, err := vault.EpochOf(record)
	if err != nil {
		return nil, err
	}
	row, err := q.PersonKey(ctx, person, int32(epoch))
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, fmt.Errorf("data key is gone: %w", vault.ErrTampered)
	}
	if err != nil {
		return nil, err
	}
	return db.vault.Unwrap(personKey(person, epoch), wrappedKey(row))
}

// openPersonRecord opens a record of somebody's.
func (db *DB) openPersonRecord(ctx context.Context, q *queries.Queries, person uuid.UUID, at vault.Place, record []byte) ([]byte, error) {
	key, err := db.personKeyOf(ctx, q, person, record)
	if err != nil {
		return nil, err
	}
	return key.Open(at, record)
}

func personKey(person uuid.UUID, epoch uint32) vault.Name {
	return vault.Name{Scope: vault.OfPerson, Owner: person, Epoch: epoch}
}

func wrappedKey(row queries.PersonKey) vault.Wrapped {
	w := vault.Wrapped{Sealed: row.Wrapped, Commitment: row.Commitment, Tag: row.Tag}
	copy(w.KEK[:], row.Kek)
	return w
}

// keysAtOnce is how many data keys CheckKeys reads at once.
const keysAtOnce = 500

// Checked says of data keys how many there are, and how many do not open.
type Checked struct{ All, Bad int }

func (c *Checked) count(_ *vault.Key, err error) {
	c.All++
	if err != nil {
		c.Bad++
	}
}

// CheckKeys unwraps every data key of people, and of notes.
func (db *DB) CheckKeys(ctx context.Context, v *vault.Vault) (people, notes Checked, err error) {
	for after, more := (queries.PersonKey{}), true; more; {
		rows, err := db.PersonKeys(ctx, after.PersonID, after.Epoch, keysAtOnce)
		if err != nil {
			return people, notes, fmt.Errorf("read data keys: %w", err)
		}
		for _, after = range rows {
			people.count(v.Unwrap(personKey(after.PersonID, uint32(after.Epoch)), wrappedKey(after)))
		}
		more = len(rows) == keysAtOnce
	}
	for after, more := (queries.NoteKey{}), true; more; {
		rows, err := db.AllNoteKeys(ctx, after.NoteID, after.Epoch, keysAtOnce)
		if err != nil {
			return people, notes, fmt.Errorf("read data keys: %w", err)
		}
		for _, after = range rows {
			notes.count(v.Unwrap(noteKeyName(after.NoteID, uint32(after.Epoch)), wrappedNoteKey(after)))
		}
		more = len(rows) == keysAtOnce
	}
	return people, notes, nil
}
