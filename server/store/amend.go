package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/signature"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/server/vault"
	"github.com/clisonix/tidechart/sessions"
)

// Limits of what is said about a signed note (I10).
const (
	MaxReason = 500 // bytes, of why
	MaxAbout  = 200 // notes about one note that are listed
)

// ErrReason means that a reason is missing, or too long.
var ErrReason = fmt.Errorf("say why, in %d bytes at most", MaxReason)

// Amendment is a note about a signed one that is to be begun.
type Amendment struct {
	Parent   uuid.UUID
	Relation signature.Relation
	Reason   string // sealed
	By       uuid.UUID
	Title    string
	Body     prose.Node // to begin with; zero: an empty paragraph
}

// titles of notes about others begin with these.
var titles = map[signature.Relation]string{
	signature.Addendum: "Addendum", signature.Correction: "Correction", signature.LateEntry: "Late entry", signature.Retraction: "Entered in error",
}

// Amend begins a note about a signed one, of its kind and unit, which is written and signed like any other: the first changes when the
// second is signed, in its state alone. It is an [ErrUnsigned] if the note is not signed, or was retracted, and an [ErrReason]. The
// caller has decided that they may.
func (db *DB) Amend(ctx context.Context, a Amendment) (id uuid.UUID, err error) {
	err = db.amend(ctx, a, uuid.New(), nil, &id)
	if err != nil {
		return uuid.Nil, fmt.Errorf("amend note %s: %w", a.Parent, signedAs(err))
	}
	return id, nil
}

// amend does so, and with more something else in the same transaction.
func (db *DB) amend(ctx context.Context, a Amendment, child uuid.UUID, more func(q *queries.Queries) error, id *uuid.UUID) error {
	if a.Reason == "" || len(a.Reason) > MaxReason {
		return ErrReason
	}
	if !a.Relation.Known() {
		return errors.New("no relation of a note to another")
	}
	parent, err := db.NoteByID(ctx, a.Parent)
	if errors.Is(err, ErrNotFound) {
		return sessions.ErrNoNote
	}
	if err != nil {
		return err
	}
	if !IsSigned(parent.Note.State) || parent.Note.State == Retracted {
		return ErrUnsigned
	}
	reason, err := db.sealWords(ctx, parent.Note.PatientID, vault.AboutWords, child, a.Reason)
	if err != nil {
		return err
	}
	if a.Body.Type == "" {
		a.Body = prose.Node{Type: "doc", Content: []prose.Node{{Type: "paragraph"}}}
	}
	first, err := prose.Build(TemplateClient(child), a.Body)
	if err != nil {
		return err
	}
	n := NewNote{
		ID: child, Patient: parent.Note.PatientID, Unit: parent.Note.UnitID, Kind: parent.Note.Kind, Author: a.By, At: time.Now(), First: first,
		Title: a.Title,
	}
	if n.Title == "" {
		n.Title = titles[a.Relation] + ": " + parent.Note.Title
	}
	e := audit.Event{Act: audit.AmendNote, Who: a.By, Patient: n.Patient, Note: n.ID, About: a.Parent}
	err = db.Act(ctx, &e, func(q *queries.Queries) error {
		at, err := db.createNote(ctx, q, n)
		if err == nil {
			e.Code = anchorCode(at) + " relation=" + string(a.Relation) + " kind=" + n.Kind + " unit=" + n.Unit
			err = q.InsertAbout(ctx, queries.InsertAboutParams{NoteID: child, ParentID: a.Parent, Relation: string(a.Relation), Reason: reason})
		}
		if err == nil && more != nil {
			err = more(q)
		}
		return err
	})
	*id = child
	return err
}

// About is what a note is about.
type About struct {
	Note     uuid.UUID
	Parent   uuid.UUID
	Relation signature.Relation
	Reason   string

	State     string // of Note
	Title     string
	Creator   string
	CreatedBy uuid.UUID
	At        time.Time
}

// AboutWhat says which note another is about; [ErrNotFound]: it stands alone.
func (db *DB) AboutWhat(ctx context.Context, note uuid.UUID) (a About, err error) {
	row, err := db.AboutNote(ctx, note)
	if err != nil {
		return a, err
	}
	patient, err := db.PatientByID(ctx, row.PatientID)
	if err != nil {
		return a, err
	}
	own, err := db.NoteByID(ctx, note)
	if err != nil {
		return a, err
	}
	a = About{
		Note: note, Parent: row.ParentID, Relation: signature.Relation(row.Relation), State: own.Note.State, Title: own.Note.Title, Creator: own.Creator,
		CreatedBy: own.Note.CreatedBy, At: own.Note.CreatedAt,
	}
	a.Reason, err = db.wordsOf(ctx, patient, vault.AboutWords, note, row.Reason)
	return a, err
}

// AllAbout lists the notes about one, and those about these, drafts as well: [MaxAbout] at most, the nearest and oldest first.
func (db *DB) AllAbout(ctx context.Context, note uuid.UUID) ([]About, error) {
	rows, err := db.NotesAbout(ctx, MaxAbout, note)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	patient, err := db.PatientByID(ctx, rows[0].Note.PatientID)
	if err != nil {
		return nil, err
	}
	all := make([]About, len(rows))
	for i, row := range rows {
		all[i] = About{
			Note: row.NoteID, Parent: row.ParentID, Relation: signature.Relation(row.Relation), State: row.Note.State, Title: row.Note.Title,
			Creator: row.Creator, CreatedBy: row.Note.CreatedBy, At: row.Note.CreatedAt,
		}
		if all[i].Reason, err = db.wordsOf(ctx, patient, vault.AboutWords, row.NoteID, row.Reason); err != nil {
			return nil, err
		}
	}
	return all, nil
}
