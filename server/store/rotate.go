package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/server/vault"
)

var (
	// ErrKeysBusy means that another command changes this database's keys.
	ErrKeysBusy = errors.New("another command is changing the keys of this database")
	// ErrKeyNeeded means that data keys are wrapped to a key that is to be retired.
	ErrKeyNeeded = errors.New("data keys are wrapped to it; tidechart keys rewrap wraps them to the newest")
)

// keysLock is the number under which Postgres knows the lock of [DB.AloneWithKeys].
const keysLock = 0x74696465_6b657973

// AloneWithKeys calls f while no other command changes the keys of this database. Otherwise the error is [ErrKeysBusy]. No
// transaction is open meanwhile.
func (db *DB) AloneWithKeys(ctx context.Context, f func() error) error {
	conn, err := db.commits.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	var mine bool
	if err := conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", int64(keysLock)).Scan(&mine); err != nil {
		return fmt.Errorf("lock keys: %w", err)
	}
	if !mine {
		return ErrKeysBusy
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readTimeout)
		defer cancel()
		if _, err := conn.Exec(ctx, "SELECT pg_advisory_unlock($1)", int64(keysLock)); err != nil {
			_ = conn.Conn().Close(ctx) // the lock goes with the connection
		}
	}()
	return f()
}

// KeysInUse names the key-encryption keys, the newest first.
func (db *DB) KeysInUse(ctx context.Context) ([]vault.KeyID, error) {
	return keysInUse(ctx, db.Queries)
}

// Rotate has what is new wrapped to another key-encryption key, by each server once it has it. Call it within
// [DB.AloneWithKeys], and when the key is in the key file. It is on record.
func (db *DB) Rotate(ctx context.Context, id vault.KeyID) error {
	e := audit.Event{Act: audit.RotateKey, Code: "key=" + id.String()}
	if err := db.Act(ctx, &e, func(q *queries.Queries) error { return q.AddKEK(ctx, id[:]) }); err != nil {
		return fmt.Errorf("add key: %w", err)
	}
	return nil
}

// RenewKeys has what notes and the log of acts say from now on sealed by new data keys, as soon as servers know of it: within seconds. It is
// on record.
func (db *DB) RenewKeys(ctx context.Context) error {
	err := db.Act(ctx, &audit.Event{Act: audit.RenewKeys}, func(q *queries.Queries) error { return q.RenewDataKeys(ctx) })
	if err != nil {
		return fmt.Errorf("give up data keys: %w", err)
	}
	return nil
}

// keyCode is how the log of acts names the keys of a vault.
func keyCode(v *vault.Vault) string {
	code := "key=" + v.ID().String()
	if id, has := v.RecoveryID(); has {
		code += " recovery=" + id.String()
	}
	return code
}

// holderSeen is for how long a server counts as running after it was last heard of. Servers say every few seconds which keys they have.
const holderSeen = 30 * time.Second

// Holders counts the servers that run, and those of them that do not have a key.
func (db *DB) Holders(ctx context.Context, id vault.KeyID) (all, without int, err error) {
	n, err := db.CountHolders(ctx, id[:], holderSeen.Seconds())
	if err != nil {
		return 0, 0, fmt.Errorf("count servers: %w", err)
	}
	return int(n.AllOfThem), int(n.Without), nil
}

// ToRewrap counts data keys, and those of them that [DB.Rewrap] would wrap anew.
func (db *DB) ToRewrap(ctx context.Context, v *vault.Vault) (all, old int, err error) {
	newest := v.ID()
	n, err := db.CountToRewrap(ctx, newest[:], recoveryOf(v))
	if err != nil {
		return 0, 0, fmt.Errorf("count data keys: %w", err)
	}
	return int(n.AllOfThem), int(n.Old), nil
}

// recoveryOf names a vault's recovery key; nil: there is none.
func recoveryOf(v *vault.Vault) []byte {
	if id, has := v.RecoveryID(); has {
		return id[:]
	}
	return nil
}

// How data keys are wrapped anew: see [pace].
const (
	rewrapAtOnce = 200 // read at once
	rewrapStep   = 4   // wrapped anew in one transaction: some 3 ms
)

// Rewrapper is how a data key is wrapped anew.
type Rewrapper func(vault.Name, vault.Wrapped) (vault.Wrapped, error)

// Rewrapping is how [DB.Rewrap] goes about it.
type Rewrapping struct {
	By       Rewrapper
	Progress func(n int) // called after each few
	Hurry    bool        // no rests, whoever is at work
}

// Rewrap wraps all data keys anew that are not wrapped to the newest key-encryption key, which v seals with, or not to its recovery
// key. It may be stopped at any time, and called again: it goes on with what is left. What does not open stays as it is, and is
// counted. What the keys seal is not touched. That it begins is on record, and how it ends. Call it within [DB.AloneWithKeys].
func (db *DB) Rewrap(ctx context.Context, v *vault.Vault, how Rewrapping) (done, bad int, err error) {
	_, old, err := db.ToRewrap(ctx, v)
	if err != nil {
		return 0, 0, err
	}
	code := keyCode(v)
	if err := db.Record(ctx, audit.Event{Act: audit.RewrapKeys, Code: fmt.Sprintf("%s begun=%d", code, old)}); err != nil {
		return 0, 0, err
	}
	done, bad, err = db.rewrapAll(ctx, v, how)
	e := audit.Event{Act: audit.RewrapKeys, Code: fmt.Sprintf("%s wrapped=%d bad=%d", code, done, bad)}
	if err != nil || bad > 0 {
		e.Outcome = audit.Failed
	}
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), readTimeout) // it may have been stopped
	defer cancel()
	return done, bad, errors.Join(err, db.Record(limit, e))
}

func (db *DB) rewrapAll(ctx context.Context, v *vault.Vault, how Rewrapping) (done, bad int, err error) {
	newest, pace := v.ID(), newPace(db, how.Hurry)
	for after, more := (queries.DataKey{}), true; more; {
		rows, err := db.DataKeysToRewrap(ctx, queries.DataKeysToRewrapParams{
			AfterScope: after.Scope, AfterOwner: after.Owner, AfterEpoch: after.Epoch, Newest: newest[:], Recovery: recoveryOf(v), MaxRows: rewrapAtOnce,
		})
		if err != nil {
			return done, bad, fmt.Errorf("read data keys: %w", err)
		}
		more = len(rows) == rewrapAtOnce
		for len(rows) > 0 {
			step := rows[:min(pace.step(rewrapStep), len(rows))]
			rows = rows[len(step):]
			began := time.Now()
			n, failed, err := db.rewrapSome(ctx, step, how.By)
			if done, bad = done+n, bad+failed; err != nil {
				return done, bad, err
			}
			how.Progress(len(step))
			if err := pace.rest(ctx, time.Since(began)); err != nil {
				return done, bad, err
			}
			after = step[len(step)-1]
		}
	}
	return done, bad, nil
}

// rewrapSome wraps some data keys anew, in one transaction.
func (db *DB) rewrapSome(ctx context.Context, rows []queries.DataKey, by Rewrapper) (done, bad int, err error) {
	var anew []queries.RewrapDataKeyParams
	for _, old := range rows {
		w, err := by(nameOf(old), wrappedOf(old))
		if err != nil {
			bad++
			continue
		}
		row := queries.RewrapDataKeyParams{
			Kek: w.KEK[:], Wrapped: w.Sealed, Tag: w.Tag, Scope: old.Scope, Owner: old.Owner, Epoch: old.Epoch, OldTag: old.Tag,
		}
		if r := w.Recovery; r != nil {
			row.Recovery, row.RecoveryWrapped, row.RecoveryTag = r.KEK[:], r.Sealed, r.Tag
		}
		anew = append(anew, row)
	}
	db.RewrapDataKey(ctx, anew).Exec(func(_ int, failed error) { err = errors.Join(err, failed) })
	if err != nil {
		return 0, bad, fmt.Errorf("write data keys: %w", err)
	}
	return len(anew), bad, nil
}

// TryRewrap counts the data keys, and those that by does not wrap anew. Nothing is changed. It tells progress after each.
func (db *DB) TryRewrap(ctx context.Context, by Rewrapper, progress func(n int)) (all, bad int, err error) {
	err = db.eachDataKey(ctx, func(name vault.Name, w vault.Wrapped) {
		all++
		if _, err := by(name, w); err != nil {
			bad++
		}
		progress(1)
	})
	return all, bad, err
}

// Retire has the database give up a key-encryption key. The error is [ErrKeyNeeded] if something is wrapped to it; whoever wraps to it
// at that moment, or later, is refused by the database. It is on record. Call it within [DB.AloneWithKeys].
func (db *DB) Retire(ctx context.Context, id vault.KeyID) error {
	err := db.Act(ctx, &audit.Event{Act: audit.RetireKey, Code: "key=" + id.String()}, func(q *queries.Queries) error {
		_, err := q.RetireKEK(ctx, id[:])
		return err
	})
	if isMissing(err) { // from the other side
		return ErrKeyNeeded
	}
	if err != nil {
		return fmt.Errorf("retire key: %w", err)
	}
	return nil
}
