package server

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/web"
	"github.com/clisonix/tidechart/web/words"
)

// callbackPath is where a provider sends browsers back to; the operator registers it there.
const callbackPath = "/login/provider/callback"

// mountProvider adds what there is if somebody else's server says who people are.
func (s *Server) mountProvider(mux *http.ServeMux) {
	if s.provider == nil {
		return
	}
	mux.Handle("POST /login/provider", s.page(s.toProvider))
	mux.Handle("GET "+callbackPath, s.page(s.fromProvider))
	mux.Handle("POST /login/provider/logout", s.page(s.endFromProvider))
}

// providerName is what pages call the provider; empty if there is none.
func (s *Server) providerName() string {
	if s.provider == nil {
		return ""
	}
	return s.provider.Name()
}

func (s *Server) callback(r *http.Request) string {
	site, _ := s.site(r)
	return site.Origin + callbackPath
}

// purposes are those of forms that lead to the provider.
var purposes = map[string]login.Purpose{"sign-in": login.ToSignIn, "confirm": login.ToConfirm, "enrol": login.ToEnrol}

// toProvider leads to the provider. It answers with a page, since the policy of pages lets no form lead elsewhere.
func (s *Server) toProvider(w http.ResponseWriter, r *http.Request) error {
	if err := s.limits.stranger(s.network(r)); err != nil {
		return err
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return err
	}
	why, known := purposes[r.PostFormValue("for")]
	if !known {
		return errNoPage
	}
	who, err := s.desk.ByCookie(r)
	if err != nil && (why == login.ToConfirm || !errors.Is(err, login.ErrNotSignedIn)) {
		return err
	}
	to, err := s.desk.AskProvider(w, r, s.provider, s.callback(r), why, who, r.PostFormValue("code"), localPath(r.PostFormValue("next")))
	var many *login.TooManyTries
	if errors.Is(err, login.ErrNoInvitation) || errors.As(err, &many) {
		status, says := statusOf(r.Context(), err)
		retryAfter(w.Header(), err)
		s.log.Warn("enrolment refused", "remote", s.network(r), "status", status)
		s.showEnrol(w, r, status, web.EnrolView{Code: clip(r.PostFormValue("code"), maxQuery), Error: says})
		return nil
	}
	if err != nil {
		return err
	}
	return s.onward(w, r, to)
}

// fromProvider takes the answer. It leads on by a page: to what follows directly from another site, browsers do not show
// the cookie of a login.
func (s *Server) fromProvider(w http.ResponseWriter, r *http.Request) error {
	if err := s.limits.stranger(s.network(r)); err != nil {
		return err
	}
	answer, err := s.desk.AnswerOfProvider(w, r, s.provider, s.callback(r))
	if err != nil {
		return err
	}
	next := localPath(answer.Next)
	if answer.Purpose == login.ToConfirm {
		s.tellConfirmed(r, answer.Person, "provider")
	}
	if answer.Purpose == login.ToConfirm && answer.Person.Weak { // until just now
		return s.onward(w, r, factorPath(next))
	}
	if answer.Purpose == login.ToConfirm {
		return s.onward(w, r, s.onwardTo(r, answer.Person, next))
	}
	if next, err = s.landing(r, answer.Person, "provider", next); err != nil {
		return err
	}
	return s.onward(w, r, next)
}

// onward is a page that leads to an address of ours, or of the provider.
func (s *Server) onward(w http.ResponseWriter, r *http.Request, to string) error {
	if _, err := url.Parse(to); err != nil {
		return errNoPage
	}
	s.render(w, r, http.StatusOK, web.Onward(web.OnwardView{Shell: web.Shell{Title: words.Say(r.Context(), "One moment"), Connection: s.connection(r)}, To: to}))
	return nil
}

// endFromProvider ends the logins of somebody who has signed out at the provider, which calls this by itself.
func (s *Server) endFromProvider(w http.ResponseWriter, r *http.Request) error {
	if err := s.limits.stranger(s.network(r)); err != nil {
		return err
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return err
	}
	ended, err := s.desk.EndFromProvider(r.Context(), s.provider, r.PostFormValue("logout_token"))
	if errors.Is(err, login.ErrProvider) {
		s.log.Warn("logout refused", "remote", s.network(r), "err", err)
		writeText(w, http.StatusBadRequest, "invalid_request\n")
		return nil
	}
	if err != nil {
		return err
	}
	s.log.Info("signed out at the provider", "logins", ended)
	w.WriteHeader(http.StatusOK)
	return nil
}
