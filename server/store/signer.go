package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/server/vault"
)

// signerAt is where a signer's seed is sealed for: its public keys.
func signerAt(id int32, keys string) vault.Place {
	sum := sha256.Sum256([]byte(keys))
	return vault.Place{Kind: vault.AuditSigner, Seq: uint64(id), Schema: 1, With: sum[:]}
}

// signer returns who signs the log's checkpoints. The first server makes it, and names the log.
func (db *DB) signer(ctx context.Context) (*audit.Signer, error) {
	for {
		keys, err := db.auditKeys(ctx)
		if err != nil {
			return nil, fmt.Errorf("open keys of the log: %w", err)
		}
		row, err := db.AuditSigner(ctx)
		if err == nil {
			return openSigner(keys, row)
		}
		if !errors.Is(err, ErrNotFound) {
			return nil, fmt.Errorf("look up signer: %w", err)
		}
		if err := db.newSigner(ctx); err != nil {
			return nil, fmt.Errorf("make signer: %w", err)
		}
	}
}

func openSigner(keys map[uint32]*vault.Key, row queries.AuditSigner) (*audit.Signer, error) {
	epoch, err := vault.EpochOf(row.Seed)
	if err != nil {
		return nil, err
	}
	key := keys[epoch]
	if key == nil {
		return nil, fmt.Errorf("key of the signer is gone: %w", vault.ErrTampered)
	}
	seed, err := key.Open(signerAt(row.ID, row.Keys), row.Seed)
	if err != nil {
		return nil, fmt.Errorf("open signer: %w", err)
	}
	public, err := audit.ParseKeys(row.Keys)
	if err != nil {
		return nil, err
	}
	return audit.NewSigner(public.Name(), seed)
}

func (db *DB) newSigner(ctx context.Context) error {
	const id = 1
	seed := audit.NewSeed()
	made, err := audit.NewSigner("tidechart-"+uuid.NewString(), seed)
	if err != nil {
		return err
	}
	keys := made.Keys().String()
	e := audit.Event{Act: audit.MakeSigner, Code: "keys=" + made.Keys().Fingerprint()}
	return db.Act(ctx, &e, func(q *queries.Queries) error {
		_, err := q.InsertAuditSigner(ctx, id, keys, db.auditKey.Load().Seal(signerAt(id, keys), seed))
		return err
	})
}

// AuditPublicKeys returns what it takes to check the log; [ErrNotFound] if no server has signed anything yet.
func (db *DB) AuditPublicKeys(ctx context.Context) (audit.Keys, error) {
	row, err := db.AuditSigner(ctx)
	if err != nil {
		return audit.Keys{}, err
	}
	return audit.ParseKeys(row.Keys)
}
