package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/server/vault"
	"github.com/clisonix/tidechart/sessions"
)

// MaxVersions is how many versions of a note may have names at once (I10).
const MaxVersions = 100

var (
	// ErrNameTaken means that another version of the note has the name.
	ErrNameTaken = errors.New("another version of the note has this name")
	// ErrManyVersions means that [MaxVersions] have names.
	ErrManyVersions = errors.New("too many versions of the note have names")
)

// Version is a version of a note that somebody named.
type Version struct {
	ID     uuid.UUID
	Seq    uint64 // the row of the log after which it is
	Name   string
	By     uuid.UUID
	ByName string
	At     time.Time
}

// A name belongs to its version. It is sealed for the note: what is destroyed with that takes the name along.
func versionAt(id uuid.UUID) vault.Place {
	return vault.Place{Kind: vault.VersionName, Schema: 1, With: id[:]}
}

// Versions lists the versions of a note that have names, the newest named first.
func (db *DB) Versions(ctx context.Context, note uuid.UUID) ([]Version, error) {
	versions, err := db.versions(ctx, db.Queries, note)
	if err != nil {
		return nil, fmt.Errorf("list versions of note %s: %w", note, err)
	}
	return versions, nil
}

func (db *DB) versions(ctx context.Context, q *queries.Queries, note uuid.UUID) ([]Version, error) {
	rows, err := q.Versions(ctx, note)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	keys, err := db.keysOf(ctx, q, note)
	if err != nil {
		return nil, err
	}
	versions := make([]Version, len(rows))
	for i, row := range rows {
		v := Version{ID: row.ID, Seq: uint64(row.Seq), By: row.ByID, ByName: row.ByName, At: row.At}
		if err := openValue(keys, versionAt(row.ID), row.Name, &v.Name); err != nil {
			db.log.Error("name of a version does not open", "note", note, "version", row.ID, "err", err)
			v.Name = Unreadable
		}
		versions[i] = v
	}
	return versions, nil
}

// NameVersion gives the note as it was after a row of its log a name. It is an [ErrNameTaken], an [ErrManyVersions], or
// [sessions.ErrNoNote] if there is no such row.
func (db *DB) NameVersion(ctx context.Context, note uuid.UUID, seq uint64, by uuid.UUID, name string) (id uuid.UUID, err error) {
	id = uuid.New()
	return id, db.changeVersion(ctx, note, id, fmt.Sprintf("named seq=%d", seq), name, func(q *queries.Queries, sealed []byte) (int64, error) {
		return q.InsertVersion(ctx, queries.InsertVersionParams{ID: id, NoteID: note, Seq: int64(seq), Name: sealed, ByID: by})
	})
}

// RenameVersion gives a version another name. It is an [ErrNotFound] if it is not one that somebody named.
func (db *DB) RenameVersion(ctx context.Context, note, id, by uuid.UUID, name string) error {
	return db.changeVersion(ctx, note, id, "renamed", name, func(q *queries.Queries, sealed []byte) (int64, error) {
		return q.RenameVersion(ctx, queries.RenameVersionParams{ID: id, NoteID: note, Name: sealed, ByID: by})
	})
}

// RemoveVersion takes its name from a version. It is an [ErrNotFound] if it is not one that somebody named.
func (db *DB) RemoveVersion(ctx context.Context, note, id, by uuid.UUID) error {
	return db.changeVersion(ctx, note, id, "removed", "", func(q *queries.Queries, _ []byte) (int64, error) {
		return q.DeleteVersion(ctx, id, note, by)
	})
}

// changeVersion does something to a version that is to have a name, or with none has one no longer.
func (db *DB) changeVersion(ctx context.Context, note, id uuid.UUID, code, name string, change func(q *queries.Queries, sealed []byte) (int64, error)) error {
	e := audit.Event{Act: audit.NameVersion, Note: note, About: id, Code: code}
	err := db.Act(ctx, &e, func(q *queries.Queries) (err error) {
		if e.Patient, err = q.PatientOfNote(ctx, note); errors.Is(err, ErrNotFound) {
			return sessions.ErrNoNote
		} else if err != nil {
			return err
		}
		var sealed []byte
		if name != "" {
			if sealed, err = db.sealVersion(ctx, q, note, id, name); err != nil {
				return err
			}
		}
		if n, err := change(q, sealed); err != nil || n == 1 {
			return err
		}
		return ErrNotFound
	})
	if err != nil {
		return fmt.Errorf("change version of note %s: %w", note, err)
	}
	return nil
}

// sealVersion seals a name that no other version of the note has.
func (db *DB) sealVersion(ctx context.Context, q *queries.Queries, note, id uuid.UUID, name string) ([]byte, error) {
	if err := q.LockVersions(ctx, note); err != nil {
		return nil, err
	}
	others, err := db.versions(ctx, q, note)
	if err != nil {
		return nil, err
	}
	known := false
	for _, v := range others {
		if v.ID != id && sameName(v.Name, name) {
			return nil, ErrNameTaken
		}
		known = known || v.ID == id
	}
	if !known && len(others) >= MaxVersions {
		return nil, ErrManyVersions
	}
	keys, err := db.keysToWrite(ctx, q, note)
	if err != nil {
		return nil, err
	}
	return sealValue(keys.sealing(), versionAt(id), name)
}

// sameName reports whether two names differ by capitals and gaps only.
func sameName(a, b string) bool {
	plain := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	return strings.EqualFold(plain(a), plain(b))
}
