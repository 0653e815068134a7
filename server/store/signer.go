package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/server/vault"
)

// seedAt is where a signer's seed is sealed for: its public keys.
func seedAt(kind vault.Kind, id int32, keys string) vault.Place {
	sum := sha256.Sum256([]byte(keys))
	return vault.Place{Kind: kind, Seq: uint64(id), Schema: 1, With: sum[:]}
}

// openSeed opens what a signer is made of.
func openSeed(keys map[uint32]*vault.Key, kind vault.Kind, id int32, public string, sealed []byte) ([]byte, error) {
	epoch, err := vault.EpochOf(sealed)
	if err != nil {
		return nil, err
	}
	key := keys[epoch]
	if key == nil {
		return nil, fmt.Errorf("key of the signer is gone: %w", vault.ErrTampered)
	}
	seed, err := key.Open(seedAt(kind, id, public), sealed)
	if err != nil {
		return nil, fmt.Errorf("open signer: %w", err)
	}
	return seed, nil
}

// signing is who signs the log's checkpoints, and who did before.
type signing struct {
	id     int32
	signer *audit.Signer
	ring   audit.Ring
}

// signing returns who signs. The first server makes the keys, and names the log.
func (db *DB) signing(ctx context.Context) (signing, error) {
	for {
		keys, err := db.auditKeys(ctx)
		if err != nil {
			return signing{}, fmt.Errorf("open keys of the log: %w", err)
		}
		rows, err := db.AuditSigners(ctx)
		if err != nil {
			return signing{}, fmt.Errorf("look up signer: %w", err)
		}
		if len(rows) > 0 {
			return openSigning(keys, rows)
		}
		if err := db.newSigner(ctx); err != nil {
			return signing{}, fmt.Errorf("make signer: %w", err)
		}
	}
}

func openSigning(keys map[uint32]*vault.Key, rows []queries.AuditSigner) (s signing, err error) {
	if s.ring, err = ringOf(rows); err != nil {
		return s, err
	}
	newest := rows[len(rows)-1]
	s.id = newest.ID
	s.signer, err = openSigner(keys, newest)
	return s, err
}

// ringOf checks who handed over to whom. Whoever can write in the database cannot make themselves the next.
func ringOf(rows []queries.AuditSigner) (audit.Ring, error) {
	first, err := audit.ParseKeys(rows[0].Keys)
	if err != nil {
		return audit.Ring{}, err
	}
	var statements [][]byte
	for _, row := range rows[1:] {
		if row.Statement == nil {
			return audit.Ring{}, audit.ErrStatement
		}
		statements = append(statements, []byte(*row.Statement))
	}
	ring, err := audit.NewRing(first, statements...)
	if err == nil && ring.Newest().String() != rows[len(rows)-1].Keys {
		err = audit.ErrStatement
	}
	return ring, err
}

func openSigner(keys map[uint32]*vault.Key, row queries.AuditSigner) (*audit.Signer, error) {
	seed, err := openSeed(keys, vault.AuditSigner, row.ID, row.Keys, row.Seed)
	if err != nil {
		return nil, err
	}
	public, err := audit.ParseKeys(row.Keys)
	if err != nil {
		return nil, err
	}
	return audit.NewSigner(public.Name(), seed)
}

func (db *DB) newSigner(ctx context.Context) error {
	made, row, err := db.makeSigner("tidechart-"+uuid.NewString(), 1)
	if err != nil {
		return err
	}
	e := audit.Event{Act: audit.MakeSigner, Code: "keys=" + made.Keys().Fingerprint()}
	return db.Act(ctx, &e, func(q *queries.Queries) error {
		_, err := q.InsertAuditSigner(ctx, row)
		return err
	})
}

// makeSigner makes a signer, and the row that holds it.
func (db *DB) makeSigner(name string, id int32) (*audit.Signer, queries.InsertAuditSignerParams, error) {
	seed := audit.NewSeed()
	made, err := audit.NewSigner(name, seed)
	if err != nil {
		return nil, queries.InsertAuditSignerParams{}, err
	}
	keys := made.Keys().String()
	return made, queries.InsertAuditSignerParams{ID: id, Keys: keys, Seed: db.auditKey.Load().Seal(seedAt(vault.AuditSigner, id, keys), seed)}, nil
}

// RotateSigner has another pair of keys sign the log from now on. The pair before and the new one sign that, for the tree as it is; it is
// recorded as well. Servers take the new pair at their next step.
func (db *DB) RotateSigner(ctx context.Context) (before, now audit.Keys, size int64, err error) {
	current, err := db.signing(ctx)
	if err != nil {
		return before, now, 0, err
	}
	made, row, err := db.makeSigner(current.ring.Name(), current.id+1)
	if err != nil {
		return before, now, 0, err
	}
	before, now = current.ring.Newest(), made.Keys()
	e := audit.Event{Act: audit.MakeSigner}
	err = db.Act(ctx, &e, func(q *queries.Queries) error {
		if err := q.SequenceAlone(ctx); err != nil {
			return err
		}
		head, err := q.AuditHead(ctx)
		if err != nil {
			return err
		}
		s := Sequencer{db: db, signing: current}
		if err := s.reach(ctx, q, head); err != nil {
			return err
		}
		root, err := s.edge.Root()
		if err != nil {
			return err
		}
		size = head.Size
		statement, err := current.signer.HandOver(made, audit.Checkpoint{Size: size, Root: root, At: time.Now().Truncate(time.Microsecond)})
		if err != nil {
			return err
		}
		text := string(statement)
		row.Statement = &text
		e.Code = fmt.Sprintf("keys=%s by=%s entries=%d", now.Fingerprint(), before.Fingerprint(), size)
		n, err := q.InsertAuditSigner(ctx, row)
		if err == nil && n == 0 {
			err = errors.New("somebody else is rotating the keys of the log")
		}
		return err
	})
	if err != nil {
		return before, now, 0, fmt.Errorf("rotate keys of the log: %w", err)
	}
	return before, now, size, nil
}

// AuditRing returns what it takes to check the log; [ErrNotFound] if no server has signed anything yet.
func (db *DB) AuditRing(ctx context.Context) (audit.Ring, error) {
	rows, err := db.AuditSigners(ctx)
	if err == nil && len(rows) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return audit.Ring{}, err
	}
	return ringOf(rows)
}
