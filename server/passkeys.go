package server

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/url"

	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/web/words"
)

// site is where the browser that sent r reaches this server, as far as passkeys are concerned: as the operator says, else
// as the browser does. An address without a name, as 127.0.0.1, can have none.
func (s *Server) site(r *http.Request) (login.Site, bool) {
	at := s.publicURL
	if at == nil {
		at = &url.URL{Scheme: "http", Host: r.Host}
		if s.secure {
			at.Scheme = "https"
		}
	}
	name := at.Hostname()
	return login.Site{Name: name, Origin: at.Scheme + "://" + at.Host}, name != "" && net.ParseIP(name) == nil
}

// said is what a script is told.
type said struct {
	Options any    `json:"options,omitempty"` // for navigator.credentials
	Next    string `json:"next,omitempty"`    // where to go
	Error   string `json:"error,omitempty"`   // a sentence for the person
}

func (s *Server) say(w http.ResponseWriter, status int, what said) {
	body, err := json.Marshal(what)
	if err != nil {
		s.log.Error("answer to a script not written", "err", err)
		status, body = http.StatusInternalServerError, []byte("{}")
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the reader may be gone
}

// script renders a handler's error for the page's script.
func (s *Server) script(h handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		err := h(w, r)
		if err == nil {
			return nil
		}
		status, says := statusOf(r.Context(), err)
		var old *stale
		answer := said{Error: says}
		switch {
		case errors.As(err, &old):
			answer.Next = confirmPath(old.back)
		case errors.Is(err, login.ErrWeak):
			answer.Next = factorPage
		case errors.Is(err, login.ErrLoggedOff):
			answer.Next = endedPage
		case errors.Is(err, login.ErrNotSignedIn):
			answer.Next = "/login"
		case errors.Is(err, login.ErrPasskey):
			status, answer.Error = http.StatusUnauthorized, words.Say(r.Context(), "This passkey cannot be used here. Try another, or sign in in another way.")
		case errors.Is(err, login.ErrPasskeyName):
			status, answer.Error = http.StatusUnprocessableEntity, words.Say(r.Context(), badPasskeyName)
		case errors.Is(err, login.ErrTooManyPasskeys):
			status, answer.Error = http.StatusUnprocessableEntity, words.Say(r.Context(), "You have as many passkeys as you may. Remove one first.")
		}
		retryAfter(w.Header(), err)
		s.logRefusal(r, status, "", err)
		s.say(w, status, answer)
		return nil
	}
}

// asked is for scripts of pages that anybody sees.
func (s *Server) asked(h func(w http.ResponseWriter, r *http.Request, site login.Site) error) http.Handler {
	return s.page(s.script(func(w http.ResponseWriter, r *http.Request) error {
		if err := s.limits.stranger(s.network(r)); err != nil {
			return err
		}
		return s.withSite(w, r, h)
	}))
}

// askedOf is for scripts of pages of somebody who is signed in, though a password may be all they have shown.
func (s *Server) askedOf(h func(w http.ResponseWriter, r *http.Request, site login.Site, who login.Person) error) http.Handler {
	return s.page(s.script(func(w http.ResponseWriter, r *http.Request) error {
		who, err := s.asksHalfway(r)
		if err != nil {
			return err
		}
		r = r.WithContext(as(r.Context(), who))
		return s.withSite(w, r, func(w http.ResponseWriter, r *http.Request, site login.Site) error { return h(w, r, site, who) })
	}))
}

func (s *Server) withSite(w http.ResponseWriter, r *http.Request, h func(http.ResponseWriter, *http.Request, login.Site) error) error {
	site, named := s.site(r)
	if !named {
		return errNoPage
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return err
	}
	return h(w, r, site)
}

func (s *Server) mountPasskeys(mux *http.ServeMux) {
	mux.Handle("POST /passkeys/sign-in/ask", s.asked(s.askForPasskey))
	mux.Handle("POST /passkeys/sign-in", s.asked(s.signInByPasskey))
	mux.Handle("POST /passkeys/enrol/ask", s.asked(s.askForFirstPasskey))
	mux.Handle("POST /passkeys/enrol", s.asked(s.enrolByPasskey))
	mux.Handle("POST /passkeys/confirm/ask", s.askedOf(s.askToConfirm))
	mux.Handle("POST /passkeys/confirm", s.askedOf(s.confirmByPasskey))
	mux.Handle("POST /passkeys/add/ask", s.askedOf(s.askForNewPasskey))
	mux.Handle("POST /passkeys/add", s.askedOf(s.addPasskey))
	mux.Handle("POST /security/passkeys/name", s.own(s.namePasskey))
	mux.Handle("POST /security/passkeys/remove", s.changing(s.removePasskey))
}

func (s *Server) askForPasskey(w http.ResponseWriter, r *http.Request, site login.Site) error {
	options, err := s.desk.AskForPasskey(w, r, site)
	return s.ask(w, options, err)
}

func (s *Server) askForFirstPasskey(w http.ResponseWriter, r *http.Request, site login.Site) error {
	options, err := s.desk.AskForFirstPasskey(w, r, site, r.PostFormValue("code"))
	return s.ask(w, options, err)
}

func (s *Server) askToConfirm(w http.ResponseWriter, r *http.Request, site login.Site, who login.Person) error {
	options, err := s.desk.AskToConfirm(w, r, site, who)
	return s.ask(w, options, err)
}

func (s *Server) askForNewPasskey(w http.ResponseWriter, r *http.Request, site login.Site, who login.Person) error {
	if err := s.mayEnrol(r, who); err != nil {
		return err
	}
	options, err := s.desk.AskForNewPasskey(w, r, site, who)
	return s.ask(w, options, err)
}

func (s *Server) ask(w http.ResponseWriter, options any, err error) error {
	if err == nil {
		s.say(w, http.StatusOK, said{Options: options})
	}
	return err
}

// answerOf is what the device made of the options.
func answerOf(r *http.Request) []byte { return []byte(r.PostFormValue("credential")) }

func (s *Server) signInByPasskey(w http.ResponseWriter, r *http.Request, site login.Site) error {
	who, err := s.desk.SignInByPasskey(w, r, site, answerOf(r))
	return s.leadIn(w, r, who, "passkey", err)
}

func (s *Server) enrolByPasskey(w http.ResponseWriter, r *http.Request, site login.Site) error {
	who, err := s.desk.EnrolByPasskey(w, r, site, answerOf(r))
	return s.leadIn(w, r, who, "invitation", err)
}

func (s *Server) confirmByPasskey(w http.ResponseWriter, r *http.Request, site login.Site, who login.Person) error {
	err := s.desk.ConfirmByPasskey(w, r, site, who, answerOf(r))
	if err == nil {
		s.tellConfirmed(r, who, "passkey")
	}
	return s.lead(w, r, who, err)
}

func (s *Server) addPasskey(w http.ResponseWriter, r *http.Request, site login.Site, who login.Person) error {
	err := s.mayEnrol(r, who)
	if err == nil {
		err = s.desk.AddPasskey(w, r, site, who, r.PostFormValue("name"), answerOf(r))
	}
	return s.lead(w, r, who, err)
}

// lead sends the page on to where it was to go. Who had shown a password alone has shown more now.
func (s *Server) lead(w http.ResponseWriter, r *http.Request, who login.Person, err error) error {
	if err != nil {
		return err
	}
	next := localPath(r.PostFormValue("next"))
	if who.Weak {
		who.Weak = false
		next, err = s.destination(r, who, next)
	} else {
		next = s.onwardTo(r, who, next)
	}
	if err == nil {
		s.say(w, http.StatusOK, said{Next: next})
	}
	return err
}

// leadIn is lead of somebody who has signed in with that.
func (s *Server) leadIn(w http.ResponseWriter, r *http.Request, who login.Person, with string, err error) error {
	if err != nil {
		return err
	}
	next, err := s.landing(r, who, with, localPath(r.PostFormValue("next")))
	if err == nil {
		s.say(w, http.StatusOK, said{Next: next})
	}
	return err
}

func (s *Server) namePasskey(w http.ResponseWriter, r *http.Request, who login.Person) error {
	id, err := base64.RawURLEncoding.DecodeString(r.PostFormValue("id"))
	if err != nil {
		return store.ErrNotFound
	}
	err = s.desk.NamePasskey(r.Context(), who, id, r.PostFormValue("name"))
	if errors.Is(err, login.ErrPasskeyName) {
		return s.showSecurity(w, r, who, http.StatusUnprocessableEntity, words.Say(r.Context(), badPasskeyName))
	}
	if err != nil {
		return err
	}
	return toSecurity(w, r)
}

const badPasskeyName words.Text = "A passkey's name has 40 characters at most, on one line."

func (s *Server) removePasskey(w http.ResponseWriter, r *http.Request, who login.Person) error {
	id, err := base64.RawURLEncoding.DecodeString(r.PostFormValue("id"))
	if err != nil {
		return store.ErrNotFound
	}
	if last, err := s.desk.LeavesOne(r.Context(), who); err != nil || last {
		return cmp.Or(err, s.showSecurity(w, r, who, http.StatusConflict, words.Say(r.Context(), lastFactor)))
	}
	err = s.desk.RemovePasskey(r.Context(), who, id)
	if errors.Is(err, store.ErrLastWay) {
		return s.showSecurity(w, r, who, http.StatusConflict, words.Say(r.Context(), lastWay))
	}
	if err != nil {
		return err
	}
	return toSecurity(w, r)
}

const lastWay = "This is your last way to sign in. Add another one before you remove it."
