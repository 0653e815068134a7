package store

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/store/queries"
)

// NewNote is a note about to exist. First is its row 1, the update that makes its template: templates are laid
// once, here, since a browser that lays its own doubles them.
type NewNote struct {
	ID      uuid.UUID
	Patient uuid.UUID
	Unit    string
	Kind    string // a code of package notekind
	Title   string
	Author  uuid.UUID
	At      time.Time
	First   []byte // Yjs update, v1
}

// TemplateClient is the Yjs client id that lays a note's template. Browsers draw theirs from 32 bits, so that this
// one, with bit 52 set, is nobody's.
func TemplateClient(note uuid.UUID) crdt.ClientID {
	return 1<<52 | crdt.ClientID(binary.BigEndian.Uint32(note[:4]))
}

// CreateNote adds a note with its first row, in one transaction. About a patient whose record was destroyed it is a [sessions.ErrDestroyed].
func (db *DB) CreateNote(ctx context.Context, n NewNote) error {
	e := audit.Event{Act: audit.CreateNote, Who: n.Author, Patient: n.Patient, Note: n.ID, Code: "kind=" + n.Kind + " unit=" + n.Unit}
	err := db.Act(ctx, &e, func(q *queries.Queries) error {
		at, err := db.createNote(ctx, q, n)
		e.Code = anchorCode(at) + " " + e.Code
		return err
	})
	if err != nil {
		return fmt.Errorf("create note: %w", refusedBy(err))
	}
	return nil
}

// createNote returns where the note's log ends.
func (db *DB) createNote(ctx context.Context, q *queries.Queries, n NewNote) (e end, err error) {
	// The key is stored before the note is: nothing refers to one from the other.
	key, err := db.newNoteKey(ctx, q, n.ID, 1, 1)
	if err != nil {
		return e, err
	}
	linker{key: key}.row(&e, n.Author, uuid.Nil, n.First)
	err = q.InsertNote(ctx, queries.InsertNoteParams{
		ID: n.ID, PatientID: n.Patient, UnitID: n.Unit, Kind: n.Kind, Title: n.Title, CreatedBy: n.Author, At: n.At, Chain: e.link[:],
	})
	if err != nil {
		return e, err
	}
	first, err := crdt.DecodeUpdate(n.First)
	if err != nil {
		return e, err
	}
	for _, r := range first.Ranges() {
		err := q.InsertWriter(ctx, queries.InsertWriterParams{
			NoteID: n.ID, ClientID: int64(r.Client), PersonID: uuid.NullUUID{UUID: n.Author, Valid: true}, NextClock: int64(r.To),
		})
		if err != nil {
			return e, err
		}
	}
	sealed := key.Seal(updateAt(nil, 1, n.Author, uuid.Nil), n.First)
	return e, q.InsertFirstUpdate(ctx, queries.InsertFirstUpdateParams{NoteID: n.ID, AuthorID: n.Author, Data: sealed, At: n.At})
}

// OpenRecovery has one note, or with none all that can be written, take back until then what a restore took away; with nil no
// longer. It returns how many notes that changes.
func (db *DB) OpenRecovery(ctx context.Context, until *time.Time, note uuid.NullUUID) (n int64, err error) {
	e := audit.Event{Act: audit.RecoverNote, Note: note.UUID, Code: "ends"}
	if until != nil {
		e.Code = "until=" + until.UTC().Format(time.RFC3339)
	}
	if !note.Valid {
		e.Code += " all notes"
	}
	err = db.Act(ctx, &e, func(q *queries.Queries) (err error) {
		n, err = q.OpenRecovery(ctx, until, note)
		return err
	})
	return n, err
}

// MendCutOffSessions ends sessions and participations that an unclean stop left open. It is for the start of a
// server that is the only one on this database.
func (db *DB) MendCutOffSessions(ctx context.Context) (sessions int64, err error) {
	err = db.transact(ctx, pgx.TxOptions{}, func(q *queries.Queries) error {
		if sessions, err = q.EndCutOffSessions(ctx); err != nil {
			return err
		}
		return q.EndCutOffParticipations(ctx)
	})
	if err != nil {
		return 0, fmt.Errorf("end sessions that a stop cut off: %w", err)
	}
	return sessions, nil
}

// Sweep deletes what has expired: logins, tokens, receipts of batches, shifts on other units.
func (db *DB) Sweep(ctx context.Context) error {
	for _, f := range []func(context.Context) error{
		db.DeleteExpiredLogins, db.DeleteExpiredTokens, db.DeleteExpiredTickets, db.DeleteUnseenDevices, db.DeleteOldResumes,
		db.DeleteOldBatches, db.DeleteEndedCovers,
	} {
		if err := f(ctx); err != nil {
			return fmt.Errorf("sweep: %w", err)
		}
	}
	return nil
}

// StartParticipation records that somebody comes to a session; see package sessions.
func (db *DB) StartParticipation(ctx context.Context, id, session, person uuid.UUID, device string) error {
	return db.Queries.StartParticipation(ctx, queries.StartParticipationParams{Column1: id, Column2: session, Column3: person, Column4: device})
}
