package server

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/web"
	"github.com/clisonix/tidechart/web/words"
)

// This file leads whoever has shown a password alone, where more is demanded, to what else they have, or can get. Until
// then nothing else opens: [Server.counted] refuses their pages and calls, [Server.grantFor] their sockets.

// factorPage is where they are led.
const factorPage = "/second-factor"

// factorPath is that page, for somebody who wanted to go somewhere.
func factorPath(next string) string {
	if next == "" || next == "/" {
		return factorPage
	}
	return factorPage + "?next=" + url.QueryEscape(next)
}

// halfway is a page about whoever is signed in at this browser, though a password is all they have shown.
func (s *Server) halfway(h personal) http.Handler {
	return s.page(func(w http.ResponseWriter, r *http.Request) error {
		who, err := s.asksHalfway(r)
		if err != nil {
			return err
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if err := r.ParseForm(); err != nil {
			return err
		}
		return h(w, r.WithContext(as(r.Context(), who)), who)
	})
}

// asksHalfway is [Server.asksHere], of such a person, too.
func (s *Server) asksHalfway(r *http.Request) (login.Person, error) {
	who, err := s.asksHere(r)
	if errors.Is(err, login.ErrWeak) {
		err = nil
	}
	return who, err
}

// enrolling is a page by which somebody gets what they show beside a password, because they want to or have to.
func (s *Server) enrolling(h personal) http.Handler {
	return s.halfway(func(w http.ResponseWriter, r *http.Request, who login.Person) error {
		if err := s.mayEnrol(r, who); err != nil {
			return err
		}
		return h(w, r, who)
	})
}

// mayEnrol returns why somebody may not get more than a password now: that they have more already, and have not shown it,
// or that they have not proven lately who they are.
func (s *Server) mayEnrol(r *http.Request, who login.Person) error {
	if !who.Weak {
		return justProven(who, securityPath)
	}
	more, err := s.desk.HasMore(r.Context(), who)
	if err == nil && more {
		err = login.ErrWeak
	}
	if err != nil {
		return err
	}
	return justProven(who, factorPath(localPath(r.FormValue("next"))))
}

// secondFactor asks somebody for more than a password: for what they have, else to choose what to have.
func (s *Server) secondFactor(w http.ResponseWriter, r *http.Request, who login.Person) error {
	next := localPath(r.FormValue("next"))
	if !who.Weak {
		return s.goOn(w, r, who, next)
	}
	more, err := s.desk.HasMore(r.Context(), who)
	if err != nil {
		return err
	}
	if more {
		http.Redirect(w, r, confirmPath(next), http.StatusSeeOther)
		return nil
	}
	_, named := s.site(r)
	s.render(w, r, http.StatusOK, web.SecondFactor(web.SecondFactorView{
		Shell: s.shellOf(r, who, words.Say(r.Context(), "One more step"), web.SectionNone), Next: next, Passkeys: named,
	}))
	return nil
}

// goOn leads somebody to where they wanted to go when they signed in.
func (s *Server) goOn(w http.ResponseWriter, r *http.Request, who login.Person, next string) error {
	next, err := s.destination(r, who, next)
	if err != nil {
		return err
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
	return nil
}

// lastFactor refuses to take what somebody needs beside their password.
const lastFactor words.Text = "Your password alone is not enough here, and this is all that you have beside it. Add another passkey, or an app, before you remove it."
