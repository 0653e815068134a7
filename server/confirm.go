package server

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/web"
	"github.com/clisonix/tidechart/web/words"
)

// errStale means that whoever asks has not proven for a while that it is them.
var errStale = errors.New("not proven lately")

// stale is errStale, with the page from which to try again.
type stale struct{ back string }

func (e *stale) Error() string { return errStale.Error() }

func (e *stale) Unwrap() error { return errStale }

// justProven is what a handler asks before it does what whoever finds an open browser must not: sign, export, break the glass,
// administer. It returns an error, for the handler to return, unless who is [login.Person.Fresh]. At a browser that error
// leads to /confirm, and from there to the path back, where the person does again what was not done. A program is never fresh.
func justProven(who login.Person, back string) error {
	if who.Fresh() {
		return nil
	}
	return &stale{back}
}

// confirmPath is where somebody proves again who they are before they go to back.
func confirmPath(back string) string { return "/confirm?next=" + url.QueryEscape(back) }

func (s *Server) confirmPage(w http.ResponseWriter, r *http.Request, who login.Person) error {
	return s.showConfirm(w, r, who, http.StatusOK, web.ConfirmView{Next: localPath(r.FormValue("next"))})
}

func (s *Server) showConfirm(w http.ResponseWriter, r *http.Request, who login.Person, status int, view web.ConfirmView) error {
	ways, err := s.desk.Ways(r.Context(), who)
	if err != nil {
		return err
	}
	view.Shell = s.shellOf(r, who, words.Say(r.Context(), "Confirm that it is you"), web.SectionNone)
	_, named := s.site(r)
	view.HasPassword, view.Codes, view.Passkeys = ways.Password, ways.Codes, named && len(ways.Passkeys) > 0
	if view.Weak = who.Weak && (ways.Codes || len(ways.Passkeys) > 0); view.Weak {
		view.HasPassword = ways.Codes // alone they have shown it already
	}
	if s.provider != nil {
		linked, err := s.desk.Linked(r.Context(), s.provider, who)
		if err != nil {
			return err
		}
		if linked {
			view.Provider = s.provider.Name()
		}
	}
	s.render(w, r, status, web.Confirm(view))
	return nil
}

// confirm takes the proof, and leads back.
func (s *Server) confirm(w http.ResponseWriter, r *http.Request, who login.Person) error {
	next := localPath(r.PostFormValue("next"))
	if err := s.desk.Confirm(w, r, who, r.PostFormValue("password"), r.PostFormValue("code")); err != nil {
		status, says := refusedTry(r.Context(), w, err)
		if says == "" {
			return err
		}
		s.log.Warn("confirmation refused", "person", who.ID, "remote", s.network(r), "status", status)
		return s.showConfirm(w, r, who, status, web.ConfirmView{Next: next, Error: says})
	}
	s.tellConfirmed(r, who, "password")
	if who.Weak { // the page of the second factor sees what they have shown by now
		http.Redirect(w, r, factorPath(next), http.StatusSeeOther)
		return nil
	}
	http.Redirect(w, r, s.onwardTo(r, who, next), http.StatusSeeOther)
	return nil
}

// tellConfirmed logs that somebody has proven again who they are, and with what.
func (s *Server) tellConfirmed(r *http.Request, who login.Person, with string) {
	s.log.Info("confirmed", "person", who.ID, "with", with, "remote", s.network(r))
}
