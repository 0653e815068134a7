package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/notekind"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/sessions"
	"github.com/clisonix/tidechart/web"
)

// newNote begins a note of a kind about a patient, laid out by the kind's template.
func (s *Server) newNote(ctx context.Context, who login.Person, patient, kindCode string) (uuid.UUID, error) {
	kind, ok := notekind.ByCode(kindCode)
	if !ok {
		return uuid.Nil, badRequest("There is no such kind of note.")
	}
	patientID, err := uuid.Parse(patient)
	if err != nil {
		return uuid.Nil, badRequest("There is no such patient.")
	}
	row, err := s.db.StandingTo(ctx, who.ID, patientID)
	if errors.Is(err, store.ErrNotFound) {
		return uuid.Nil, badRequest("There is no such patient.")
	}
	if err != nil {
		return uuid.Nil, fmt.Errorf("look up patient: %w", err)
	}
	if row.Patient.DestroyedAt != nil {
		return uuid.Nil, sessions.ErrDestroyed
	}
	unit := row.UnitID
	if unit == "" { // discharged: the note belongs to where its author works
		unit = who.Unit
	}
	about := access.Note{Kind: kind.Code, VIP: row.Patient.Vip, Ties: access.TiesOf(row.Ties), Elsewhere: who.Elsewhere(unit)}
	if err := s.decide(ctx, who, access.CreateNote, about, onto{patient: patientID}); err != nil {
		return uuid.Nil, err
	}
	if unit == "" {
		return uuid.Nil, badRequest("The patient has left, and you work on no unit.")
	}
	id := uuid.New()
	first, err := prose.Build(store.TemplateClient(id), kind.Template())
	if err != nil {
		return uuid.Nil, fmt.Errorf("lay out note: %w", err)
	}
	return id, s.db.CreateNote(ctx, store.NewNote{
		ID: id, Patient: patientID, Unit: unit, Kind: kind.Code, Title: string(kind.Name), Author: who.ID, At: time.Now(), First: first,
	})
}

// kindViews are the kinds of note that somebody may write.
func kindViews(who login.Person) (kinds []web.NoteKind) {
	for _, k := range notekind.Kinds {
		if access.MayCreate(who.Role, k.Code) {
			kinds = append(kinds, web.NoteKind{ID: k.Code, Name: string(k.Name)})
		}
	}
	return kinds
}

func loincOf(code string) string {
	kind, _ := notekind.ByCode(code)
	return kind.LOINC
}
