package server

import (
	"encoding/base64"
	"net/http"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/web"
	"github.com/clisonix/tidechart/web/words"
)

// securityPage shows somebody how they sign in, and where they are signed in.
func (s *Server) securityPage(w http.ResponseWriter, r *http.Request, who login.Person) error {
	return s.showSecurity(w, r, who, http.StatusOK, "")
}

func (s *Server) showSecurity(w http.ResponseWriter, r *http.Request, who login.Person, status int, says string) error {
	ways, err := s.desk.Ways(r.Context(), who)
	if err != nil {
		return err
	}
	logins, err := s.desk.Logins(r.Context(), who)
	if err != nil {
		return err
	}
	_, named := s.site(r)
	linked := false
	if s.provider != nil {
		if linked, err = s.desk.Linked(r.Context(), s.provider, who); err != nil {
			return err
		}
	}
	view := web.SecurityView{
		Shell: s.shellOf(r, who, words.Say(r.Context(), "Your sign-in"), web.SectionNone), Error: says,
		HasPassword: ways.Password, Codes: ways.Codes, Recovery: ways.Recovery, CanAddPasskey: named,
		PasswordChanged: r.Method == http.MethodGet && r.URL.Query().Has("changed"),
	}
	if linked {
		view.Provider = s.provider.Name()
	}
	all := len(ways.Passkeys)
	if linked {
		all++
	}
	if ways.Password && (ways.Codes || !s.desk.Demands(who.Role)) {
		all++
	}
	view.OneWay = all < 2
	for _, k := range ways.Passkeys {
		view.Passkeys = append(view.Passkeys, web.PasskeyRow{
			ID: base64.RawURLEncoding.EncodeToString(k.ID), Name: k.Name, Created: k.Created.Local(), Used: k.Used.Local(), Synced: k.Synced,
		})
	}
	for _, l := range logins {
		view.Logins = append(view.Logins, web.LoginRow{
			ID: l.ID.String(), Browser: l.Browser, Began: l.Began.Local(), Seen: l.Seen.Local(), This: l.This,
		})
	}
	s.render(w, r, status, web.Security(view))
	return nil
}

// endLogin ends one of somebody's own logins. What is open under it closes within a second.
func (s *Server) endLogin(w http.ResponseWriter, r *http.Request, who login.Person) error {
	id, err := uuid.Parse(r.PostFormValue("id"))
	if err != nil {
		return store.ErrNotFound
	}
	if id.String() == who.Login {
		return s.signOut(w, r)
	}
	if err := s.desk.End(r.Context(), who, id); err != nil {
		return err
	}
	s.log.Info("ended a login of theirs", "person", who.ID, "login", id, "remote", s.network(r))
	return toSecurity(w, r)
}

func (s *Server) endOtherLogins(w http.ResponseWriter, r *http.Request, who login.Person) error {
	if err := s.desk.EndOthers(r.Context(), who); err != nil {
		return err
	}
	s.log.Info("ended their other logins", "person", who.ID, "remote", s.network(r))
	return toSecurity(w, r)
}

// endInvitation lets nobody be them by the code that was made for somebody.
func (s *Server) endInvitation(w http.ResponseWriter, r *http.Request, who login.Person) error {
	if err := s.desk.EndInvitation(r.Context(), who); err != nil {
		return err
	}
	s.log.Warn("ended an invitation of theirs", "person", who.ID, "remote", s.network(r))
	return toSecurity(w, r)
}

func toSecurity(w http.ResponseWriter, r *http.Request) error {
	http.Redirect(w, r, securityPath, http.StatusSeeOther)
	return nil
}

// passwordPath is where somebody chooses another password.
const passwordPath = "/security/password"

func (s *Server) passwordPage(w http.ResponseWriter, r *http.Request, who login.Person) error {
	return s.showPassword(w, r, who, http.StatusOK, "")
}

func (s *Server) showPassword(w http.ResponseWriter, r *http.Request, who login.Person, status int, says string) error {
	s.render(w, r, status, web.Password(web.PasswordView{
		Shell: s.shellOf(r, who, words.Say(r.Context(), "Another password"), web.SectionNone), MinPassword: login.MinPassword, Error: says,
	}))
	return nil
}

// changePassword takes it, which ends all other logins: what is open there closes within a second.
func (s *Server) changePassword(w http.ResponseWriter, r *http.Request, who login.Person) error {
	password := r.PostFormValue("password")
	if password != r.PostFormValue("repeat") {
		return s.showPassword(w, r, who, http.StatusUnprocessableEntity, words.Say(r.Context(), notTheSame))
	}
	if err := s.desk.ChangePassword(w, r, who, password); err != nil {
		says := refusedPassword(r.Context(), err)
		if says == "" {
			return err
		}
		return s.showPassword(w, r, who, http.StatusUnprocessableEntity, says)
	}
	http.Redirect(w, r, securityPath+"?changed=password", http.StatusSeeOther)
	return nil
}
