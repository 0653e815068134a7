package store

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/server/signature"
	"github.com/clisonix/tidechart/sessions"
)

// PaceLook is how long work that can wait takes to see that it is alone.
const PaceLook = paceLook

// SetClock has a sequencer believe another clock.
func (s *Sequencer) SetClock(now func() time.Time) { s.now = now }

// SignBy signs a note as a program did whose newest schema was an earlier one.
func (db *DB) SignBy(ctx context.Context, schema *prose.Schema, note, by uuid.UUID) (Signature, error) {
	c, err := db.Pasts.Committed(ctx, db, note)
	if err != nil {
		return Signature{}, err
	}
	r := Rendering{Seq: c.Head, Whose: c.Whose}
	if r.Rendering, err = signature.Render(schema, prose.Read(c.Doc.XMLFragment(sessions.Fragment)), c.Whose); err != nil {
		return Signature{}, err
	}
	row, err := db.NoteByID(ctx, note)
	if err != nil {
		return Signature{}, err
	}
	r.Patient, r.Who = row.Patient.ID, identityOf(row.Patient)
	return db.signAt(ctx, note, by, Seen{}, r)
}

// HistoryOf is what a bundle has of a note's log, of so many rows and entries at most.
func (db *DB) HistoryOf(ctx context.Context, of Signature, rows, entries int) (signature.History, []int64, error) {
	return db.historyOf(ctx, of, rows, entries, maxPlace)
}
