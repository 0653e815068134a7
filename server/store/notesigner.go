package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/signature"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/server/vault"
)

// noteSigner is by whose keys notes are signed here.
type noteSigner struct {
	id     int32
	signer *audit.Signer
}

// noteSigner returns whose keys sign notes: the newest. The first server that signs makes them, which is on record with their fingerprint.
func (db *DB) noteSigner(ctx context.Context) (*noteSigner, error) {
	if s := db.signsNotes.Load(); s != nil {
		return s, nil
	}
	keys, err := db.auditKeys(ctx)
	if err != nil {
		return nil, fmt.Errorf("open keys: %w", err)
	}
	for {
		rows, err := db.NoteSigners(ctx)
		if err != nil {
			return nil, fmt.Errorf("look up who signs notes: %w", err)
		}
		if len(rows) == 0 {
			if err := db.newNoteSigner(ctx); err != nil && !errors.Is(err, errFaster) {
				return nil, fmt.Errorf("make keys that sign notes: %w", err)
			}
			continue
		}
		newest := rows[len(rows)-1]
		public, err := signature.ParseKeys(newest.Keys)
		if err != nil {
			return nil, err
		}
		seed, err := openSeed(keys, vault.NoteSigner, newest.ID, newest.Keys, newest.Seed)
		if err != nil {
			return nil, err
		}
		s := &noteSigner{id: newest.ID}
		if s.signer, err = signature.NewSigner(public.Name(), seed); err != nil {
			return nil, err
		}
		if s.signer.Keys().String() != newest.Keys {
			return nil, fmt.Errorf("keys that sign notes: %w", vault.ErrTampered)
		}
		db.signsNotes.Store(s)
		return s, nil
	}
}

// errFaster means that another server has made what this one was to make.
var errFaster = errors.New("another server was faster")

func (db *DB) newNoteSigner(ctx context.Context) error {
	seed := audit.NewSeed()
	made, err := signature.NewSigner("tidechart-notes-"+uuid.NewString(), seed)
	if err != nil {
		return err
	}
	keys := made.Keys().String()
	e := audit.Event{Act: audit.MakeNoteKey, Code: "keys=" + made.Keys().Fingerprint()}
	return db.Act(ctx, &e, func(q *queries.Queries) error {
		n, err := q.InsertNoteSigner(ctx, 1, keys, db.auditKey.Load().Seal(seedAt(vault.NoteSigner, 1, keys), seed))
		if err == nil && n == 0 {
			err = errFaster
		}
		return err
	})
}
