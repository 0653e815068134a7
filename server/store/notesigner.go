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

// noteSigner returns whose keys sign notes: the newest, whoever made them. The first server that signs makes them, which is on record with
// their fingerprint.
func (db *DB) noteSigner(ctx context.Context) (*noteSigner, error) {
	for {
		rows, err := db.NoteSigners(ctx)
		if err != nil {
			return nil, fmt.Errorf("look up who signs notes: %w", err)
		}
		if len(rows) > 0 {
			return db.openNoteSigner(ctx, rows[len(rows)-1])
		}
		if _, err := db.newNoteSigner(ctx, 1); err != nil && !errors.Is(err, errFaster) {
			return nil, fmt.Errorf("make keys that sign notes: %w", err)
		}
	}
}

// openNoteSigner opens the keys of a row, unless they were the last that were opened.
func (db *DB) openNoteSigner(ctx context.Context, row queries.NoteSigner) (*noteSigner, error) {
	if s := db.signsNotes.Load(); s != nil && s.id == row.ID && s.signer.Keys().String() == row.Keys {
		return s, nil
	}
	keys, err := db.auditKeys(ctx)
	if err != nil {
		return nil, fmt.Errorf("open keys: %w", err)
	}
	public, err := signature.ParseKeys(row.Keys)
	if err != nil {
		return nil, err
	}
	seed, err := openSeed(keys, vault.NoteSigner, row.ID, row.Keys, row.Seed)
	if err != nil {
		return nil, err
	}
	s := &noteSigner{id: row.ID}
	if s.signer, err = signature.NewSigner(public.Name(), seed); err != nil {
		return nil, err
	}
	if s.signer.Keys().String() != row.Keys {
		return nil, fmt.Errorf("keys that sign notes: %w", vault.ErrTampered)
	}
	db.signsNotes.Store(s)
	return s, nil
}

// NoteKeys returns the public keys by which notes were signed here, the newest last: they sign what is signed now. There are none before the
// first signature.
func (db *DB) NoteKeys(ctx context.Context) ([]audit.Keys, error) {
	rows, err := db.NoteSigners(ctx)
	if err != nil {
		return nil, fmt.Errorf("look up who signs notes: %w", err)
	}
	all := make([]audit.Keys, len(rows))
	for i, row := range rows {
		if all[i], err = signature.ParseKeys(row.Keys); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// RotateNoteSigner has another pair of keys sign notes from now on, on every server, and puts that on record with their fingerprint. What was
// signed stays as it is: each signature names the keys that made it.
func (db *DB) RotateNoteSigner(ctx context.Context) (audit.Keys, error) {
	if _, err := db.auditKeys(ctx); err != nil {
		return audit.Keys{}, fmt.Errorf("open keys: %w", err)
	}
	rows, err := db.NoteSigners(ctx)
	if err != nil {
		return audit.Keys{}, fmt.Errorf("look up who signs notes: %w", err)
	}
	next := int32(1)
	if n := len(rows); n > 0 {
		next = rows[n-1].ID + 1
	}
	made, err := db.newNoteSigner(ctx, next)
	if errors.Is(err, errFaster) {
		return audit.Keys{}, errors.New("somebody else is rotating the keys that sign notes")
	}
	if err != nil {
		return audit.Keys{}, fmt.Errorf("rotate keys that sign notes: %w", err)
	}
	return made, nil
}

// errFaster means that another server has made what this one was to make.
var errFaster = errors.New("another server was faster")

// newNoteSigner makes the keys that sign notes behind those of before. They have a name of their own, by which each signature tells whose it is.
func (db *DB) newNoteSigner(ctx context.Context, id int32) (audit.Keys, error) {
	seed := audit.NewSeed()
	made, err := signature.NewSigner("tidechart-notes-"+uuid.NewString(), seed)
	if err != nil {
		return audit.Keys{}, err
	}
	keys := made.Keys()
	e := audit.Event{Act: audit.MakeNoteKey, Code: "keys=" + keys.Fingerprint()}
	return keys, db.Act(ctx, &e, func(q *queries.Queries) error {
		n, err := q.InsertNoteSigner(ctx, id, keys.String(), db.auditKey.Load().Seal(seedAt(vault.NoteSigner, id, keys.String()), seed))
		if err == nil && n == 0 {
			err = errFaster
		}
		return err
	})
}
