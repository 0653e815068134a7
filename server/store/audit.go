package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/server/vault"
	"github.com/clisonix/tidechart/sessions"
)

// ErrNotRecorded means that an act did not happen, because it could not be recorded.
var ErrNotRecorded = errors.New("the act cannot be recorded")

// Record stores an act that changes nothing else: something is shown, or refused. Whoever calls shows nothing after an error.
func (db *DB) Record(ctx context.Context, e audit.Event) error {
	return db.record(ctx, db.Queries, e)
}

// Act has f do something, and records it, in one transaction: neither is there without the other. f may still say of e what
// it found out.
func (db *DB) Act(ctx context.Context, e *audit.Event, f func(q *queries.Queries) error) error {
	return db.transact(ctx, pgx.TxOptions{}, func(q *queries.Queries) error {
		if err := f(q); err != nil {
			return err
		}
		return db.record(ctx, q, *e)
	})
}

// record stores an act within its transaction.
func (db *DB) record(ctx context.Context, q *queries.Queries, e audit.Event) error {
	row := db.eventRow(ctx, e)
	if err := q.RecordEvent(ctx, row); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrNotRecorded, row.Act, err)
	}
	return nil
}

// recordAbout stores an act about a note, and whose that is.
func (db *DB) recordAbout(ctx context.Context, q *queries.Queries, note uuid.UUID, e audit.Event) error {
	patient, err := q.PatientOfNote(ctx, note)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("%w: %s: %w", ErrNotRecorded, e.Act, err)
	}
	e.Note, e.Patient = note, patient
	return db.record(ctx, q, e)
}

// RecordForgery stores that somebody sent updates to a note that no editor makes; see [sessions.Store].
func (db *DB) RecordForgery(ctx context.Context, f sessions.Forgery) error {
	return db.recordAbout(ctx, db.Queries, f.Note, audit.Event{
		Act: audit.ForgeUpdate, Outcome: audit.Refused, Who: f.Author, About: f.Participation, Code: fmt.Sprintf("%s updates=%d", f.Why, f.Updates),
	})
}

// eventRow is an act as it is stored. A command that has no key has nothing to seal: it is the operator who acts, here.
func (db *DB) eventRow(ctx context.Context, e audit.Event) queries.RecordEventParams {
	o := audit.OriginOf(ctx)
	if e.Who == uuid.Nil {
		e.Who = o.Who
	}
	if e.Outcome == "" {
		e.Outcome = audit.Done
	}
	row := queries.RecordEventParams{
		Act: string(e.Act), Outcome: string(e.Outcome), Who: orNoID(e.Who), PatientID: orNoID(e.Patient), NoteID: orNoID(e.Note), About: orNoID(e.About),
		Code: clipText(e.Code, audit.MaxCode),
	}
	d := audit.Details{From: o.Network, Login: o.Login, Role: o.Role, TLS: o.TLS, Words: clipText(e.Words, audit.MaxWords)}
	if key := db.auditKey.Load(); key != nil && d != (audit.Details{}) {
		salted, commitment := d.Commit()
		row.Commitment, row.Details = commitment, key.Seal(detailsAt(commitment), salted)
	}
	return row
}

// clipText is as much of a text as there is room for, without half a character or what no column takes.
func clipText(text string, n int) string {
	if len(text) > n {
		text = text[:n]
	}
	return strings.ReplaceAll(strings.ToValidUTF8(text, ""), "\x00", "")
}

func orNoID(id uuid.UUID) uuid.NullUUID { return uuid.NullUUID{UUID: id, Valid: id != uuid.Nil} }

// detailsAt is where details are sealed for: the entry that has this commitment, which is another for each.
func detailsAt(commitment []byte) vault.Place {
	return vault.Place{Kind: vault.AuditDetails, Schema: 1, With: commitment}
}

func auditKeyName(epoch int32) vault.Name {
	return vault.Name{Scope: vault.OfAudit, Epoch: uint32(epoch)}
}

// auditKeys unwraps the keys of the log, by epoch. The newest is made if there is none, or it is worn, and seals from then on.
func (db *DB) auditKeys(ctx context.Context) (map[uint32]*vault.Key, error) {
	if db.vault == nil {
		return nil, ErrNoKeys
	}
	for {
		rows, err := db.AuditKeys(ctx)
		if err != nil {
			return nil, err
		}
		head, err := db.AuditHead(ctx)
		if err != nil {
			return nil, err
		}
		keys, next := make(map[uint32]*vault.Key, len(rows)), int32(1)
		for i, row := range rows {
			key, err := db.unwrap(row)
			if err != nil {
				return nil, err
			}
			keys[uint32(row.Epoch)], next = key, row.Epoch+1
			if i == len(rows)-1 && !db.wearOf(logKeyRows).worn(row, uint64(head.Size), time.Now()) {
				db.auditKey.Store(key)
				return keys, nil
			}
		}
		if _, err := db.newDataKey(ctx, db.Queries, auditKeyName(next), uint64(head.Size)+1); err != nil {
			return nil, err
		}
	}
}

// openDetails opens what of an entry is sealed, salted as it was; nil if there is nothing.
func openDetails(keys map[uint32]*vault.Key, commitment, sealed []byte) ([]byte, error) {
	if sealed == nil {
		return nil, nil
	}
	epoch, err := vault.EpochOf(sealed)
	if err != nil {
		return nil, err
	}
	key := keys[epoch]
	if key == nil {
		return nil, fmt.Errorf("key %d of the log is gone: %w", epoch, vault.ErrTampered)
	}
	return key.Open(detailsAt(commitment), sealed)
}

// Opening is somebody opening a record, or one note of it; or trying to.
type Opening struct {
	Person, Patient uuid.UUID
	Note            uuid.NullUUID // none: the record as such
	How             string        // as the table opening has it
	Ties            string        // what linked them, as package access names it
}

// RecordOpening stores that a record is opened, for the list of who has opened it, and in the log of acts as e.
func (db *DB) RecordOpening(ctx context.Context, o Opening, e audit.Event) error {
	return db.recordOpening(ctx, db.Queries, o, e)
}

func (db *DB) recordOpening(ctx context.Context, q *queries.Queries, o Opening, e audit.Event) error {
	row := db.eventRow(ctx, e)
	err := q.RecordOpening(ctx, queries.RecordOpeningParams{
		Person: o.Person, Patient: o.Patient, Note: o.Note, How: o.How, Ties: o.Ties,
		Act: row.Act, Outcome: row.Outcome, About: row.About, Code: row.Code, Commitment: row.Commitment, Details: row.Details,
	})
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrNotRecorded, row.Act, err)
	}
	return nil
}
