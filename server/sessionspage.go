package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/sessions/tally"
	"github.com/clisonix/tidechart/web"
	"github.com/clisonix/tidechart/web/words"
)

// Limits of the review of sessions (I10).
const (
	sessionsPoll    = 2 * time.Second // how often a page looks for what was written since
	maxSessions     = 50              // that have ended, on one page
	maxLiveSessions = 200
)

const sessionsPath = "/admin/sessions"

func (s *Server) mountSessions(mux *http.ServeMux) {
	mux.Handle("GET "+sessionsPath, s.allowed(access.ReviewSessions, s.sessionsPage))
	mux.Handle("GET "+sessionsPath+"/events", s.answer(s.recognised(s.sessionsEvents)))
	mux.Handle("POST "+sessionsPath+"/patient", s.allowed(access.ReviewSessions, s.sessionsOfPatient))
	mux.Handle("POST "+sessionsPath+"/export", s.answer(s.recognised(s.exportSessions)))
	mux.Handle("GET "+sessionsPath+"/{id}", s.allowed(access.ReviewSessions, s.sessionPage))
}

// sessionsPage lists sessions. What is asked for stands in the address. That somebody asked for something is on record.
func (s *Server) sessionsPage(w http.ResponseWriter, r *http.Request, who login.Person) error {
	ctx := r.Context()
	view := web.SessionsView{
		Shell: s.shellOf(r, who, words.Say(r.Context(), "Editing sessions"), web.SectionSessions), Filter: sessionFilter(r.URL.Query()), Sorts: web.Choices(r.Context(), sessionSorts),
		CanFindPatients: findsPatients(who), CanExport: access.May(who.Role, access.Export),
	}
	units, err := s.db.Units(ctx)
	if err != nil {
		return err
	}
	for _, u := range units {
		view.Units = append(view.Units, web.Choice{Value: u.ID, Text: u.Name})
	}
	search, says, err := s.sessionQuery(r, view.Filter)
	if err != nil {
		return err
	}
	if view.Error = words.Say(ctx, says); says != "" {
		s.render(w, r, http.StatusUnprocessableEntity, web.Sessions(view))
		return nil
	}
	if err := s.recordSearch(ctx, view.Filter, search); err != nil {
		return err
	}
	if view.Whose, err = s.whose(ctx, who, search.Patient); err != nil {
		return err
	}
	if view.Live, view.Past, err = s.sessionLists(ctx, view.Filter, search); err != nil {
		return err
	}
	s.render(w, r, http.StatusOK, web.Sessions(view))
	return nil
}

// findsPatients reports whether somebody knows patients by their numbers: the list itself has none.
func findsPatients(who login.Person) bool { return access.MayAlways(who.Role, access.SeePatient) }

// recordSearch puts on record that somebody looks for sessions of somebody, or about somebody. Further pages belong to the first.
func (s *Server) recordSearch(ctx context.Context, f web.SessionFilter, q queries.FindSessionsParams) error {
	if f.After != "" || !q.Person.Valid && !q.Patient.Valid {
		return nil
	}
	return s.db.Record(ctx, audit.Event{Act: audit.SearchSessions, Patient: q.Patient.UUID, About: q.Person.UUID, Words: filterWords(f)})
}

// whose says by bed and initials whose sessions alone are listed; "": everybody's.
func (s *Server) whose(ctx context.Context, who login.Person, patient uuid.NullUUID) (string, error) {
	if !patient.Valid {
		return "", nil
	}
	row, err := s.db.StandingTo(ctx, who.ID, patient.UUID)
	if err != nil {
		return "", err
	}
	p, err := s.db.OpenPatient(ctx, row.Patient)
	return strings.TrimSpace(row.BedLabel + " " + initialsOf(p)), err
}

// sessionsOfPatient finds a patient by number, which is posted, and leads to their sessions, by an id that opens nothing.
func (s *Server) sessionsOfPatient(w http.ResponseWriter, r *http.Request, who login.Person) error {
	asked, err := filterOf(w, r)
	if err != nil {
		return err
	}
	if !findsPatients(who) {
		return s.decide(r.Context(), who, access.SeePatient, access.Note{}, onto{})
	}
	had, _ := url.ParseQuery(asked.Get("filter")) // what does not parse is not asked for
	f := sessionFilter(had)
	row, err := s.db.PatientByMRN(r.Context(), clip(strings.TrimSpace(asked.Get("mrn")), maxQuery))
	if errors.Is(err, store.ErrNotFound) || store.IsBadValue(err) {
		return badRequest("No patient has this number.")
	}
	if err != nil {
		return err
	}
	f.Patient, f.After = row.Patient.ID.String(), ""
	http.Redirect(w, r, f.Path(), http.StatusSeeOther)
	return nil
}

// sessionLists are the lists of a page; nil: the filter does not ask for it.
func (s *Server) sessionLists(ctx context.Context, f web.SessionFilter, search queries.FindSessionsParams) (live *web.LiveSessions, past *web.PastSessions, err error) {
	now := time.Now()
	lives := make(map[uuid.UUID]bool)
	if f.State != "ended" && f.After == "" {
		search.State, search.MaxRows = "live", maxLiveSessions+1
		found, err := s.db.Sittings(ctx, search)
		if err != nil {
			return nil, nil, err
		}
		live = &web.LiveSessions{AsOf: now}
		if len(found) > maxLiveSessions {
			found, live.More = found[:maxLiveSessions], true
		}
		for _, one := range found {
			lives[one.ID] = true
		}
		live.Rows = sessionRows(found)
	}
	if f.State == "live" {
		return live, nil, nil
	}
	search.State, search.MaxRows = "ended", maxSessions+1
	found, err := s.db.Sittings(ctx, search)
	if err != nil {
		return nil, nil, err
	}
	past = &web.PastSessions{AsOf: now, Filter: f}
	if len(found) > maxSessions {
		found = found[:maxSessions]
		past.Next = goOnBehind(found[maxSessions-1], search.Sort)
	}
	found = slices.DeleteFunc(found, func(one store.Sitting) bool { return lives[one.ID] }) // it ended between the two looks
	past.Rows = sessionRows(found)
	return live, past, nil
}

// sessionsEvents streams live sessions as they change, and those that have ended, of which there are more when one ends; and what any page tells.
func (s *Server) sessionsEvents(w http.ResponseWriter, r *http.Request, who login.Person) error {
	if err := s.decide(r.Context(), who, access.ReviewSessions, access.Note{}, onto{}); err != nil {
		return err
	}
	f := sessionFilter(r.URL.Query())
	f.After = ""
	search, says, err := s.sessionQuery(r, f)
	if err != nil {
		return err
	}
	if says != "" {
		return badRequest(says)
	}
	parts := []part{&sessionsPart{server: s, filter: f, search: search}}
	hears, err := s.hears(r.Context(), who)
	if err != nil {
		return err
	}
	if hears {
		parts = append(parts, &noticePart{server: s})
	}
	return s.stream(w, r, who, sessionsPoll, func() (sessions, news <-chan struct{}) { return s.hub.Changed(), s.pageNews.heard() }, parts...)
}

// sessionsPart is the sessions that a filter leaves, as the first page of them shows them.
type sessionsPart struct {
	server *Server
	filter web.SessionFilter
	search queries.FindSessionsParams

	live, past [sha256.Size]byte // what is shown, but for when that was
}

func (p *sessionsPart) show(ctx context.Context, who login.Person) (templ.Component, error) {
	if err := p.server.refuses(who, access.ReviewSessions, access.Note{}, onto{}); err != nil {
		return nil, err
	}
	live, past, err := p.server.sessionLists(ctx, p.filter, p.search)
	if err != nil {
		return nil, err
	}
	var changed []templ.Component
	add := func(shown *[sha256.Size]byte, event func(asOf time.Time) templ.Component, now time.Time) error {
		var html bytes.Buffer
		if err := event(time.Time{}).Render(ctx, &html); err != nil { // the time alone is no news
			return err
		}
		if sum := sha256.Sum256(html.Bytes()); sum != *shown {
			*shown = sum
			changed = append(changed, event(now))
		}
		return nil
	}
	if live != nil {
		err = add(&p.live, func(asOf time.Time) templ.Component { l := *live; l.AsOf = asOf; return web.LiveEvent(l) }, live.AsOf)
	}
	if err == nil && past != nil {
		err = add(&p.past, func(asOf time.Time) templ.Component { l := *past; l.AsOf = asOf; return web.PastEvent(l) }, past.AsOf)
	}
	if err != nil || len(changed) == 0 {
		return nil, err
	}
	return templ.Join(changed...), nil
}

// sessionRows are sessions as pages show them.
func sessionRows(found []store.Sitting) []web.SessionRow {
	rows := make([]web.SessionRow, len(found))
	for i, one := range found {
		rows[i] = sessionRow(one)
	}
	return rows
}

func sessionRow(one store.Sitting) web.SessionRow {
	row := web.SessionRow{
		ID: one.ID.String(), NoteID: one.NoteID.String(), NoteKind: kindName(one.Kind), UnitName: one.UnitName, Bed: one.BedLabel,
		PatientID: one.PatientID.String(), PatientInitials: initialsOf(one.Patient), Started: one.StartedAt.Local(), Ended: clock(one.EndedAt),
		Breaks: len(tally.Breaks(one.Stretches)), Refusals: one.Refusals, Losses: one.Losses, Uncounted: one.Uncounted,
	}
	for _, p := range one.People {
		sat := web.SessionPerson{
			Person: personRowView(p.Person), Devices: p.Devices, Joined: p.JoinedAt.Local(), Edits: p.Edits,
			Typed:   web.Amount{Characters: p.Typed.Units, Words: p.Typed.Words},
			Pasted:  web.Amount{Characters: p.Pasted.Units, Words: p.Pasted.Words},
			Deleted: web.Amount{Characters: p.Deleted.Units, Words: p.Deleted.Words},
		}
		if !p.Present {
			sat.Left = p.LeftAt.Local()
		}
		row.People = append(row.People, sat)
	}
	return row
}
