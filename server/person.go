package server

import (
	"cmp"
	"context"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/web"
	"github.com/clisonix/tidechart/web/words"
)

// This file is the page about one person, and what an administrator does to them there.

// done says what was, to whoever comes back to the page.
var done = map[string]words.Text{
	"added": "Added.", "changed": "Changed.", "covers": "The shift counts from now on.", "uncovered": "They do not cover that unit any more.",
	"suspended": "Suspended: what they had open has ended.", "reinstated": "They may sign in again, as before. Tokens have to be issued anew.",
	"ended": "That sign-in has ended.", "revoked": "That token works no more.",
}

// scopesText says what scopes are for, to people.
var scopesText = map[string]words.Text{
	"notes:read":    "notes:read – read the notes of a unit",
	"notes:write":   "notes:write – read them, begin notes, and write in its own",
	"accesses:read": "accesses:read – follow who opens records",
}

// toPerson leads to the page about somebody, which says what was done.
func toPerson(w http.ResponseWriter, r *http.Request, them login.Account, what string) error {
	http.Redirect(w, r, personPath(them)+"?done="+what, http.StatusSeeOther)
	return nil
}

func (s *Server) personPage(w http.ResponseWriter, r *http.Request, who login.Person, them login.Account) error {
	return s.showPerson(w, r, who, them, http.StatusOK, "")
}

// showPerson shows what is known about somebody, after a refusal with the reason.
func (s *Server) showPerson(w http.ResponseWriter, r *http.Request, who login.Person, them login.Account, status int, says string) error {
	view := web.PersonView{
		Shell: s.shellOf(r, who, words.Say(r.Context(), "Person"), web.SectionPeople), Account: accountView(them), Error: says,
		Self: them.ID == who.ID, Fresh: mayAdminister(who), Roles: rolesFor(them), Epoch: strconv.FormatInt(them.Epoch, 10),
	}
	if says == "" {
		view.Done = words.Say(r.Context(), done[r.URL.Query().Get("done")])
	}
	var err error
	if view.Units, err = s.unitChoices(r); err != nil {
		return err
	}
	covers, err := s.db.CoversOf(r.Context(), them.ID)
	if err != nil {
		return err
	}
	for _, c := range covers {
		view.Shifts = append(view.Shifts, web.Shift{Unit: c.UnitID, Until: c.Until.Local()})
	}
	if view.Program {
		for _, name := range access.ScopeNames() {
			view.Scopes = append(view.Scopes, web.Choice{Value: name, Text: cmp.Or(words.Say(r.Context(), scopesText[name]), name)})
		}
	} else if err := s.showSignIn(r, them, &view); err != nil {
		return err
	}
	tokens, err := login.Tokens(r.Context(), s.db, them.Username)
	if err != nil {
		return err
	}
	for _, t := range tokens {
		row := web.TokenRow{ID: t.ID.String(), Label: t.Label, Scopes: strings.Join(t.Scopes, ", "), Unit: t.Unit, Created: t.Created.Local(), Expires: t.Expires.Local(), By: t.By}
		if !t.Used.IsZero() {
			row.Used = t.Used.Local()
		}
		view.Tokens = append(view.Tokens, row)
	}
	s.render(w, r, status, web.PersonPage(view))
	return nil
}

// showSignIn adds how and where somebody signs in.
func (s *Server) showSignIn(r *http.Request, them login.Account, view *web.PersonView) error {
	ways, err := s.desk.Ways(r.Context(), them.Person())
	if err != nil {
		return err
	}
	view.HasPassword, view.Codes, view.Recovery = ways.Password, ways.Codes, ways.Recovery
	for _, k := range ways.Passkeys {
		view.Passkeys = append(view.Passkeys, web.PasskeyRow{
			ID: base64.RawURLEncoding.EncodeToString(k.ID), Name: k.Name, Created: k.Created.Local(), Used: k.Used.Local(), Synced: k.Synced,
		})
	}
	if s.provider != nil {
		linked, err := s.desk.Linked(r.Context(), s.provider, them.Person())
		if err != nil {
			return err
		}
		if linked {
			view.Provider = s.provider.Name()
		}
	}
	logins, err := s.desk.Logins(r.Context(), them.Person())
	if err != nil {
		return err
	}
	for _, l := range logins {
		view.Logins = append(view.Logins, web.LoginRow{ID: l.ID.String(), Browser: l.Browser, Began: l.Began.Local(), Seen: l.Seen.Local()})
	}
	return nil
}

// rolesFor are those that somebody may get: a program stays one, and nobody becomes one.
func rolesFor(them login.Account) (names []string) {
	for _, name := range roleNames() {
		if login.IsProgram(name) == login.IsProgram(them.Role) {
			names = append(names, name)
		}
	}
	return names
}

// alter changes somebody, and goes back to their page, which says so, or why not.
func (s *Server) alter(w http.ResponseWriter, r *http.Request, who login.Person, them login.Account, c login.Change, what string) error {
	_, err := login.Alter(r.Context(), s.db, who.ID, them.Username, c)
	return s.settle(w, r, who, them, err, what)
}

// settle goes back to the page about somebody, which says what was done, or why err kept it from being.
func (s *Server) settle(w http.ResponseWriter, r *http.Request, who login.Person, them login.Account, err error, what string) error {
	if err == nil {
		return toPerson(w, r, them, what)
	}
	if says := complaint(r.Context(), err); says != "" {
		return s.showPerson(w, r, who, them, http.StatusUnprocessableEntity, says)
	}
	return err
}

// changeWork changes somebody's name, role, unit and supervisor, unless that has changed since the form was made.
func (s *Server) changeWork(w http.ResponseWriter, r *http.Request, who login.Person, them login.Account) error {
	epoch, err := strconv.ParseInt(r.PostFormValue("epoch"), 10, 64)
	if err != nil {
		return badRequest("The form is not whole. Load the page again.")
	}
	name, role, unit, supervisor := r.PostFormValue("name"), r.PostFormValue("role"), r.PostFormValue("unit"), strings.TrimSpace(r.PostFormValue("supervisor"))
	return s.alter(w, r, who, them, login.Change{Name: &name, Role: &role, Unit: &unit, Supervisor: &supervisor, Epoch: &epoch}, "changed")
}

func (s *Server) suspend(w http.ResponseWriter, r *http.Request, who login.Person, them login.Account) error {
	yes := true
	return s.alter(w, r, who, them, login.Change{Suspended: &yes}, "suspended")
}

func (s *Server) reinstate(w http.ResponseWriter, r *http.Request, who login.Person, them login.Account) error {
	no := false
	return s.alter(w, r, who, them, login.Change{Suspended: &no}, "reinstated")
}

// addShift lets somebody work on another unit for some hours.
func (s *Server) addShift(w http.ResponseWriter, r *http.Request, who login.Person, them login.Account) error {
	until, is := hoursFrom(time.Now(), r.PostFormValue("hours"))
	if !is {
		return s.showPerson(w, r, who, them, http.StatusUnprocessableEntity, words.Say(r.Context(), "Say for how many hours, from 1 to {maxHours}.", strconv.Itoa(maxHours)))
	}
	err := login.CoverUnit(r.Context(), s.db, them.Username, r.PostFormValue("unit"), until)
	return s.settle(w, r, who, them, err, "covers")
}

func (s *Server) endShift(w http.ResponseWriter, r *http.Request, who login.Person, them login.Account) error {
	err := login.CoverUnit(r.Context(), s.db, them.Username, r.PostFormValue("unit"), time.Time{})
	return s.settle(w, r, who, them, err, "uncovered")
}

// inviter is [login.Invite] or [login.StartOver].
type inviter func(ctx context.Context, db *store.DB, username string) (login.Invitation, error)

// invitePerson shows a new code; what somebody signed in with works until they use it.
func (s *Server) invitePerson(w http.ResponseWriter, r *http.Request, who login.Person, them login.Account) error {
	return s.showInvitation(w, r, who, them, login.Invite)
}

// startOver shows a new code, after ending all that somebody signed in with.
func (s *Server) startOver(w http.ResponseWriter, r *http.Request, who login.Person, them login.Account) error {
	return s.showInvitation(w, r, who, them, login.StartOver)
}

// endLoginOf ends a login of somebody's. What is open under it closes within a second.
func (s *Server) endLoginOf(w http.ResponseWriter, r *http.Request, who login.Person, them login.Account) error {
	id, err := uuid.Parse(r.PostFormValue("id"))
	if err != nil {
		return store.ErrNotFound
	}
	return s.settle(w, r, who, them, s.desk.End(r.Context(), them.Person(), id), "ended")
}

// issueToken makes a token for a program, and shows it, once.
func (s *Server) issueToken(w http.ResponseWriter, r *http.Request, who login.Person, them login.Account) error {
	if !login.IsProgram(them.Role) { // who administers would speak for a person
		return s.showPerson(w, r, who, them, http.StatusUnprocessableEntity, words.Say(r.Context(), "Tokens are for service accounts here, not for people."))
	}
	days, err := strconv.Atoi(strings.TrimSpace(r.PostFormValue("days")))
	if err != nil || days <= 0 || days > maxHours/24 {
		return s.showPerson(w, r, who, them, http.StatusUnprocessableEntity, words.Say(r.Context(), "Say for how many days the token is, up to 365."))
	}
	token, err := login.IssueToken(r.Context(), s.db, login.NewToken{
		Username: them.Username, Label: r.PostFormValue("label"), Scopes: r.PostForm["scope"], Unit: r.PostFormValue("unit"),
		Lasts: time.Duration(days) * 24 * time.Hour, By: who.ID,
	})
	if err != nil {
		return s.settle(w, r, who, them, err, "")
	}
	s.render(w, r, http.StatusOK, web.IssuedToken(web.IssuedTokenView{
		Shell: s.shellOf(r, who, words.Say(r.Context(), "New token"), web.SectionPeople), Account: accountView(them), Token: token, Days: days,
	}))
	return nil
}

func (s *Server) revokeToken(w http.ResponseWriter, r *http.Request, who login.Person, them login.Account) error {
	id, err := uuid.Parse(r.PostFormValue("id"))
	if err != nil {
		return store.ErrNotFound
	}
	return s.settle(w, r, who, them, login.RevokeToken(r.Context(), s.db, them.Username, id), "revoked")
}
