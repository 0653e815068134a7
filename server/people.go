package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/web"
	"github.com/clisonix/tidechart/web/words"
)

// This file is the list of people, and how somebody comes onto it.

const (
	peoplePath   = "/admin/people"
	addPath      = "/admin/add"
	peopleAtOnce = 50
)

// mountPeople adds the pages on which people, programs and units are administered.
func (s *Server) mountPeople(mux *http.ServeMux) {
	mux.Handle("GET "+peoplePath, s.seeingPeople(s.peoplePage))
	mux.Handle("POST "+peoplePath+"/search", s.seeingPeople(s.peoplePage))
	mux.Handle("POST "+peoplePath, s.administers(s.addPerson))
	mux.Handle("GET "+addPath, s.seeingPeople(s.newPersonPage))
	mux.Handle("GET /admin/units", s.seeingPeople(s.unitsPage))
	mux.Handle("POST /admin/units", s.administers(s.addUnit))
	const person = peoplePath + "/{id}"
	mux.Handle("GET "+person, s.seeingPeople(s.personPage))
	for what, h := range map[string]administering{
		"work": s.changeWork, "suspend": s.suspend, "reinstate": s.reinstate, "shifts": s.addShift, "shifts/end": s.endShift,
		"invite": s.invitePerson, "start-over": s.startOver, "logins/end": s.endLoginOf, "tokens": s.issueToken, "tokens/revoke": s.revokeToken,
	} {
		mux.Handle("POST "+person+"/"+what, s.administers(h))
	}
}

// administering is what an administrator does to somebody, if the path names one, or to nobody in particular.
type administering func(w http.ResponseWriter, r *http.Request, who login.Person, them login.Account) error

// seeingPeople is a page about people, for administrators.
func (s *Server) seeingPeople(h administering) http.Handler {
	return s.administered(access.SeePeople, h)
}

// administers is a change that an administrator makes, who has just proven that it is them, and not about themselves.
func (s *Server) administers(h administering) http.Handler {
	return s.administered(access.Administer, func(w http.ResponseWriter, r *http.Request, who login.Person, them login.Account) error {
		if err := justProven(who, formOf(r, them)); err != nil {
			return err
		}
		about := access.Note{}
		if them.ID == who.ID {
			about.Ties = access.Own
		}
		if err := s.decide(r.Context(), who, access.Administer, about, onto{about: them.ID}); err != nil {
			return err
		}
		return h(w, r, who, them)
	})
}

// formOf is the page that a change is made from.
func formOf(r *http.Request, them login.Account) string {
	switch {
	case them.ID != uuid.Nil:
		return personPath(them)
	case r.URL.Path == peoplePath:
		return addPath
	default:
		return r.URL.Path
	}
}

// administered finds out whom it is about, for whoever's role may do act. Programs administer nothing: a browser asks.
func (s *Server) administered(act access.Act, h administering) http.Handler {
	return s.own(func(w http.ResponseWriter, r *http.Request, who login.Person) error {
		if !access.May(who.Role, act) {
			return s.decide(r.Context(), who, act, access.Note{}, onto{})
		}
		var them login.Account
		if named := r.PathValue("id"); named != "" {
			id, err := uuid.Parse(named)
			if err != nil {
				return store.ErrNotFound
			}
			if them, err = login.AccountOf(r.Context(), s.db, id); err != nil {
				return err
			}
		}
		return h(w, r, who, them)
	})
}

// personPath is the page about somebody, whom the address does not name (I14).
func personPath(them login.Account) string { return peoplePath + "/" + them.ID.String() }

// mayAdminister reports whether somebody may change others now, without proving again who they are.
func mayAdminister(who login.Person) bool {
	return access.Decide(asker(who), access.Administer, access.Note{}).Allow
}

// complaint is what whoever administers is told about an error of theirs; empty: it is none.
func complaint(ctx context.Context, err error) string {
	if errors.Is(err, login.ErrOffice) {
		return words.Say(ctx, "You do not administer any more: another administrator has changed that.")
	}
	for _, kind := range []error{login.ErrPerson, store.ErrHospital} {
		if _, text, found := strings.Cut(err.Error(), kind.Error()+": "); found && errors.Is(err, kind) {
			return capital(text) + "."
		}
	}
	if store.IsBadValue(err) {
		return words.Say(ctx, "This holds a character that cannot be kept.")
	}
	return ""
}

func capital(text string) string {
	for i, r := range text {
		return string(unicode.ToUpper(r)) + text[i+len(string(r)):]
	}
	return text
}

func (s *Server) peoplePage(w http.ResponseWriter, r *http.Request, who login.Person, _ login.Account) error {
	asked, err := filterOf(w, r)
	if err != nil {
		return err
	}
	search := login.Search{
		Words: clip(strings.TrimSpace(asked.Get("q")), maxQuery), Role: asked.Get("role"), Most: peopleAtOnce,
	}
	if after := asked.Get("after"); after != "" {
		if search.After, err = uuid.Parse(after); err != nil {
			return store.ErrNotFound
		}
	}
	found, more, err := login.Accounts(r.Context(), s.db, search)
	if err == nil && search.Words != "" {
		err = s.db.Record(r.Context(), audit.Event{Act: audit.SearchPeople, Words: search.Words, Code: fmt.Sprintf("%d found", len(found))})
	}
	if err != nil {
		return err
	}
	view := web.PeopleView{
		Shell: s.shellOf(r, who, words.Say(r.Context(), "People"), web.SectionPeople), Query: search.Words, Role: search.Role, Roles: roleNames(), Later: search.After != uuid.Nil,
	}
	for _, a := range found {
		view.Rows = append(view.Rows, accountView(a))
	}
	if more {
		view.Next = found[len(found)-1].ID.String()
	}
	s.render(w, r, http.StatusOK, web.People(view))
	return nil
}

func roleNames() (names []string) {
	for _, role := range access.Roles() {
		names = append(names, string(role))
	}
	return names
}

func accountView(a login.Account) web.Account {
	view := web.Account{
		Person: web.Person{ID: a.ID.String(), Username: a.Username, Name: a.Name, Role: a.Role, Initials: initials(a.Name), ColorIndex: a.Color},
		Unit:   a.Unit, Covers: a.Covers, Supervisor: a.Supervisor, Suspended: a.Suspended, HasWay: a.HasWay, Program: login.IsProgram(a.Role),
	}
	if a.InvitedUntil != nil {
		view.InvitedUntil = a.InvitedUntil.Local()
	}
	return view
}

// newPersonPage is the form; who has just proven that it is them does not lose what they fill in.
func (s *Server) newPersonPage(w http.ResponseWriter, r *http.Request, who login.Person, _ login.Account) error {
	if err := justProven(who, addPath); err != nil {
		return err
	}
	return s.showNewPerson(w, r, who, http.StatusOK, web.NewPersonView{})
}

func (s *Server) showNewPerson(w http.ResponseWriter, r *http.Request, who login.Person, status int, view web.NewPersonView) error {
	units, err := s.unitChoices(r)
	if err != nil {
		return err
	}
	view.Shell, view.Roles, view.Units = s.shellOf(r, who, words.Say(r.Context(), "Add a person"), web.SectionPeople), roleNames(), units
	s.render(w, r, status, web.NewPerson(view))
	return nil
}

func (s *Server) unitChoices(r *http.Request) (all []web.Choice, err error) {
	units, err := s.db.Units(r.Context())
	for _, u := range units {
		all = append(all, web.Choice{Value: u.ID, Text: u.Name})
	}
	return all, err
}

// addPerson adds somebody, and shows the code by which they begin, once.
func (s *Server) addPerson(w http.ResponseWriter, r *http.Request, who login.Person, _ login.Account) error {
	view := web.NewPersonView{
		Username: r.PostFormValue("username"), Name: r.PostFormValue("name"), Role: r.PostFormValue("role"), Unit: r.PostFormValue("unit"),
		Supervisor: r.PostFormValue("supervisor"),
	}
	id, err := login.Add(r.Context(), s.db, view.Username, login.Change{Name: &view.Name, Role: &view.Role, Unit: &view.Unit, Supervisor: &view.Supervisor})
	if err != nil {
		if view.Error = complaint(r.Context(), err); view.Error == "" {
			return err
		}
		return s.showNewPerson(w, r, who, http.StatusUnprocessableEntity, view)
	}
	them, err := login.AccountOf(r.Context(), s.db, id)
	if err != nil {
		return err
	}
	if login.IsProgram(them.Role) {
		return toPerson(w, r, them, "added")
	}
	return s.showInvitation(w, r, who, them, login.Invite)
}

// showInvitation makes a code, and shows it, once.
func (s *Server) showInvitation(w http.ResponseWriter, r *http.Request, who login.Person, them login.Account, invite inviter) error {
	made, err := invite(r.Context(), s.db, them.Username)
	if err != nil {
		if says := complaint(r.Context(), err); says != "" {
			return s.showPerson(w, r, who, them, http.StatusUnprocessableEntity, says)
		}
		return err
	}
	site, _ := s.site(r)
	s.render(w, r, http.StatusOK, web.Invitation(web.InvitationView{
		Shell: s.shellOf(r, who, words.Say(r.Context(), "Invitation"), web.SectionPeople), Account: accountView(them),
		Code: made.Code, Until: made.Until.Local(), Address: site.Origin + "/enrol",
	}))
	return nil
}

// unitsPage lists units and beds.
func (s *Server) unitsPage(w http.ResponseWriter, r *http.Request, who login.Person, _ login.Account) error {
	return s.showUnits(w, r, who, http.StatusOK, web.UnitsView{})
}

func (s *Server) showUnits(w http.ResponseWriter, r *http.Request, who login.Person, status int, view web.UnitsView) error {
	units, err := s.db.CountBeds(r.Context())
	if err != nil {
		return err
	}
	view.Shell, view.Fresh = s.shellOf(r, who, words.Say(r.Context(), "Units"), web.SectionPeople), mayAdminister(who)
	for _, u := range units {
		view.Rows = append(view.Rows, web.UnitRow{ID: u.ID, Name: u.Name, Beds: int(u.Beds), Patients: int(u.Patients)})
	}
	s.render(w, r, status, web.Units(view))
	return nil
}

// addUnit adds a unit, or beds to one.
func (s *Server) addUnit(w http.ResponseWriter, r *http.Request, who login.Person, _ login.Account) error {
	view := web.UnitsView{ID: r.PostFormValue("id"), Name: r.PostFormValue("name"), Beds: r.PostFormValue("beds"), Prefix: r.PostFormValue("prefix")}
	beds, err := strconv.Atoi(cmp.Or(strings.TrimSpace(view.Beds), "0"))
	if err != nil {
		beds = -1 // which is refused, too
	}
	if err = s.db.AddUnit(r.Context(), store.NewUnit{ID: view.ID, Name: view.Name, Beds: beds, Prefix: view.Prefix}); err != nil {
		if view.Error = complaint(r.Context(), err); view.Error == "" {
			return err
		}
		return s.showUnits(w, r, who, http.StatusUnprocessableEntity, view)
	}
	http.Redirect(w, r, "/admin/units", http.StatusSeeOther)
	return nil
}

// hoursFrom returns the time a number of hours from now, as a form names it; false: it is no such number.
func hoursFrom(now time.Time, text string) (time.Time, bool) {
	hours, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || hours <= 0 || hours > maxHours {
		return time.Time{}, false
	}
	return now.Add(time.Duration(hours) * time.Hour).Truncate(time.Second), true
}

const maxHours = 366 * 24
