package server

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/web"
	"github.com/clisonix/tidechart/web/words"
)

// This file is the first page of those who administer, and of those who review: what waits for them, and a search.

const (
	overviewPath = "/admin"
	failedInARow = 3  // proofs of who somebody is that fail before it is said to who reviews (21 CFR 11.300)
	maxSought    = 20 // people, and as many units and patients, that a search shows
)

// mountOverview adds the overview, and what is below it about the system.
func (s *Server) mountOverview(mux *http.ServeMux) {
	mux.Handle("GET "+overviewPath, s.allowed(access.SeeSystem, s.overviewPage))
	mux.Handle("POST "+overviewPath+"/search", s.allowed(access.SeeSystem, s.searchPlaces))
	mux.Handle("GET "+keysPath, s.allowed(access.SeeSystem, s.keysPage))
	mux.Handle("GET "+systemPath, s.allowed(access.SeeSystem, s.systemPage))
}

func (s *Server) overviewPage(w http.ResponseWriter, r *http.Request, who login.Person) error {
	view, err := s.overview(r, who)
	if err != nil {
		return err
	}
	if view.Tour, err = s.tourOf(r.Context(), who); err != nil {
		return err
	}
	s.render(w, r, http.StatusOK, web.Overview(view))
	return nil
}

// overview is what waits for somebody.
func (s *Server) overview(r *http.Request, who login.Person) (view web.OverviewView, err error) {
	ctx := r.Context()
	view = web.OverviewView{Shell: s.shellOf(r, who, words.Say(r.Context(), "Overview"), web.SectionOverview), FindsPatients: findsPatients(who)}
	n, err := s.db.Waiting(ctx, failedInARow, overdueAfter.Seconds())
	if err != nil {
		return view, fmt.Errorf("look for what waits: %w", err)
	}
	due, err := s.db.CountDue(ctx)
	if err != nil {
		return view, fmt.Errorf("count what is due: %w", err)
	}
	keys, err := s.keysView(ctx)
	if err != nil {
		return view, err
	}
	servers, err := s.db.Servers(ctx)
	if err != nil {
		return view, err
	}
	if view.CanSeeReviews {
		view.Wait(view.Notices.Reviews, words.Say(r.Context(), "emergency access to be reviewed"), words.Say(r.Context(), "emergency accesses to be reviewed"), "/reviews", true)
	}
	if access.May(who.Role, access.ApproveDestroy) {
		view.Wait(int(n.ToApprove), words.Say(r.Context(), "destruction to be decided"), words.Say(r.Context(), "destructions to be decided"), destructionPath, true)
	}
	view.Wait(int(n.ToCarryOut), words.Say(r.Context(), "approved destruction to be carried out"), words.Say(r.Context(), "approved destructions to be carried out"), destructionPath, true)
	view.Wait(keys.Missing(), words.Say(r.Context(), "server without a key that is in use"), words.Say(r.Context(), "servers without a key that is in use"), keysPath, true)
	view.Wait(keys.WithoutCopy(), words.Say(r.Context(), "data key that the recovery key does not open"), words.Say(r.Context(), "data keys that the recovery key does not open"), keysPath, true)
	silent := 0
	for _, one := range servers {
		if one.Running {
			view.Sockets, view.OpenNotes, view.Servers = view.Sockets+one.Sockets, view.OpenNotes+one.Notes, view.Servers+1
		} else {
			silent++
		}
	}
	view.Wait(silent, words.Say(r.Context(), "server that is not heard of any more"), words.Say(r.Context(), "servers that are not heard of any more"), systemPath, true)
	signIns, proofs := "", ""
	if access.May(who.Role, access.SeeAccesses) {
		signIns, proofs = inVain(audit.SignIn), inVain(audit.Confirm)
	}
	view.Wait(int(n.FailedProofs), words.Say(r.Context(), "person failed several times in a row to prove who they are"), words.Say(r.Context(), "people failed several times in a row to prove who they are"), proofs, true)
	view.Wait(int(n.FailedSignIns), words.Say(r.Context(), "sign-in failed since yesterday"), words.Say(r.Context(), "sign-ins failed since yesterday"), signIns, false)
	view.Wait(int(n.UnsignedNotes), words.Say(r.Context(), "note unsigned for more than a day"), words.Say(r.Context(), "notes unsigned for more than a day"), "", false)
	view.Wait(int(due.Notes-due.Held), words.Say(r.Context(), "note whose time to be kept is over"), words.Say(r.Context(), "notes whose time to be kept is over"), retentionPath, false)
	view.Live, view.People, view.Units = int(n.LiveSessions), int(n.People), int(n.Units)
	return view, nil
}

// searchPlaces finds people and units and, for who sees them all, patients. It is on record what was looked for, which no address says.
func (s *Server) searchPlaces(w http.ResponseWriter, r *http.Request, who login.Person) error {
	asked, err := filterOf(w, r)
	if err != nil {
		return err
	}
	view, err := s.overview(r, who)
	if err != nil {
		return err
	}
	if view.Query = clip(strings.TrimSpace(asked.Get("q")), maxQuery); view.Query == "" {
		s.render(w, r, http.StatusOK, web.Overview(view))
		return nil
	}
	found, more, err := login.Accounts(r.Context(), s.db, login.Search{Words: view.Query, Most: maxSought})
	if err != nil {
		return err
	}
	view.More = more
	for _, a := range found {
		view.Found = append(view.Found, accountView(a))
	}
	units, err := s.db.Units(r.Context())
	if err != nil {
		return err
	}
	for _, u := range units {
		if holdsWords(u.Name+" "+u.ID, view.Query) {
			view.FoundUnits = append(view.FoundUnits, web.Choice{Value: u.ID, Text: u.Name})
		}
	}
	if view.FindsPatients {
		if view.Patients, err = s.patientsSought(r.Context(), who, view.Query); err != nil {
			return err
		}
	}
	e := audit.Event{
		Act: audit.SearchPlaces, Words: view.Query, Code: fmt.Sprintf("%d people %d units %d patients", len(view.Found), len(view.FoundUnits), len(view.Patients)),
	}
	if err := s.db.Record(r.Context(), e); err != nil {
		return err
	}
	s.render(w, r, http.StatusOK, web.Overview(view))
	return nil
}

// patientsSought are those in a bed whose name, number or bed has these words, and whoever has this number.
func (s *Server) patientsSought(ctx context.Context, who login.Person, words string) (found []web.Patient, err error) {
	units, err := s.unitNames(ctx)
	if err != nil {
		return nil, err
	}
	beds, err := s.bedsFor(ctx, who, "")
	if err != nil {
		return nil, err
	}
	for _, bed := range beds {
		if bed.PatientID.Valid && len(found) < maxSought {
			p := patientView(bed.Patient, bed.BedLabel, units[bed.UnitID])
			if matches(ctx, web.PatientRow{Patient: p}, words) {
				found = append(found, p)
			}
		}
	}
	id, err := s.db.PatientSought(ctx, words)
	switch {
	case err == nil && !slices.ContainsFunc(found, func(p web.Patient) bool { return p.ID == id.String() }):
		row, err := s.db.StandingTo(ctx, who.ID, id)
		if err != nil {
			return nil, err
		}
		p, err := s.db.OpenPatient(ctx, row.Patient)
		return append(found, patientView(p, row.BedLabel, units[row.UnitID])), err
	case err == nil, isNoSuch(err):
		return found, nil
	}
	return nil, err
}

// isNoSuch reports whether a search found nothing, or was for what nothing can be called.
func isNoSuch(err error) bool { return err == store.ErrNotFound || store.IsBadValue(err) } //nolint:errorlint // it is returned as it is

// tourOf is the first steps for somebody who has not said that they need them no more; none: they have.
func (s *Server) tourOf(ctx context.Context, who login.Person) (web.Tour, error) {
	ended, err := s.db.TourEnded(ctx, who.ID)
	if err != nil || ended {
		return web.Tour{}, err
	}
	return web.TourFor(string(who.Role), who.Unit), nil
}

// endTour keeps that somebody needs the first steps no more; with again, that they do.
func (s *Server) endTour(w http.ResponseWriter, r *http.Request, who login.Person) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return err
	}
	keep := s.db.EndTour
	if r.PostFormValue("again") != "" {
		keep = s.db.BeginTour
	}
	if err := keep(r.Context(), who.ID); err != nil {
		return fmt.Errorf("keep whether somebody needs the first steps: %w", err)
	}
	http.Redirect(w, r, home(who), http.StatusSeeOther)
	return nil
}
