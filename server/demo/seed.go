package demo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/notekind"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/store/queries"
)

// ErrNotDemo and ErrDemo keep demo and production apart: the demo's passwords are public.
var (
	ErrNotDemo = errors.New("this database holds a hospital that is not the demo's")
	ErrDemo    = errors.New("this database is a demo's, whose passwords everybody knows")
)

// Owns reports whether the hospital in db, if there is one, is the demo's.
func Owns(ctx context.Context, db *store.DB) (owns, empty bool, err error) {
	facility, err := db.Facility(ctx)
	if errors.Is(err, store.ErrNotFound) {
		return false, true, nil
	}
	return facility.ID == facilityID, false, err
}

// Seed fills an empty database with the demo's hospital and reports true. One that the demo has filled before is
// left as it is; any other is [ErrNotDemo].
func Seed(ctx context.Context, db *store.DB, now time.Time) (bool, error) {
	if owns, empty, err := Owns(ctx, db); err != nil || !owns && !empty {
		return false, cmp.Or(err, ErrNotDemo)
	}
	var h Hospital
	seeded, err := db.SeedOnce(ctx, func() (seed store.Seed, err error) {
		if h, err = New(now); err != nil {
			return seed, err
		}
		return h.seed()
	})
	if err != nil || !seeded {
		return seeded, err
	}
	for _, n := range h.Notes { // what handoffs ask for is on the board when somebody looks, and not after all else was read
		if n.Kind == notekind.Handoff {
			err = errors.Join(err, db.AskForTasks(ctx, n.ID))
		}
	}
	return true, err
}

// seed turns the hospital into rows. Each note's content becomes one update, made here and never by a browser.
func (h Hospital) seed() (store.Seed, error) {
	s := store.Seed{Facility: queries.Facility{ID: h.ID, Name: h.Name}, Bedsides: make(map[uuid.UUID]store.Bedside)}
	for _, u := range h.Units {
		s.Units = append(s.Units, queries.Unit{ID: u.ID, FacilityID: h.ID, Name: u.Name})
	}
	for _, b := range h.Beds {
		s.Beds = append(s.Beds, queries.Bed{ID: b.ID, UnitID: b.Unit, Label: b.Label, Position: int32(b.Position)})
	}
	hash := login.HashPassword(Password)
	who := make(map[string]uuid.UUID)
	for _, p := range h.People {
		who[p.Username] = p.ID
		row := queries.Person{
			ID: p.ID, Username: p.Username, Name: p.Name, Role: p.Role, Color: int16(p.Color), PasswordHash: &hash,
		}
		if p.Unit != "" {
			row.UnitID = &p.Unit
		}
		if p.Supervisor != "" {
			row.SupervisorID = uuid.NullUUID{UUID: who[p.Supervisor], Valid: true}
		}
		s.People = append(s.People, row)
		for _, unit := range p.Covers {
			s.Covers = append(s.Covers, queries.Cover{PersonID: p.ID, UnitID: unit, Until: time.Now().AddDate(10, 0, 0)})
		}
	}
	for _, p := range h.Patients {
		s.Patients = append(s.Patients, store.Patient{
			ID: p.ID, Mrn: p.MRN, Family: p.Family, Given: p.Given, Title: p.Title,
			BirthDate: p.Born, Gender: p.Gender, Allergies: p.Allergies, Vip: p.Restricted,
		})
		if b := p.Bedside; b.Severity != "" || b.Code != "" || b.Isolation != "" || !b.Home.IsZero() {
			s.Bedsides[p.ID] = b
		}
		s.Stays = append(s.Stays, queries.Stay{PatientID: p.ID, BedID: p.Bed, AdmittedAt: p.Admitted})
		for _, username := range team {
			if p.Restricted {
				s.Teams = append(s.Teams, queries.CareTeam{PatientID: p.ID, PersonID: who[username]})
			}
		}
	}
	for _, n := range h.Notes {
		kind, ok := notekind.ByCode(n.Kind)
		if !ok {
			return store.Seed{}, fmt.Errorf("note %s: there is no kind %q", n.ID, n.Kind)
		}
		first, err := prose.Build(store.TemplateClient(n.ID), n.Body)
		if err != nil {
			return store.Seed{}, fmt.Errorf("note %s: %w", n.ID, err)
		}
		s.Notes = append(s.Notes, store.NewNote{
			ID: n.ID, Patient: n.Patient, Unit: n.Unit, Kind: kind.Code, Title: string(kind.Name), Author: n.Author, At: n.At, First: first,
		})
	}
	s.Phrases = h.seedPhrases()
	return s, nil
}

// People returns who can sign in, in the order of the sign-in page.
func People() []Person { return slices.Clone(people) }
