package server

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/web"
	"github.com/clisonix/tidechart/web/words"
)

const notTheSame = "The two passwords are not the same. Type both again."

const noInvitation = "This code does not work: it was typed wrong, was used before, or has expired. Ask for a new one."

func (s *Server) enrolPage(w http.ResponseWriter, r *http.Request) error {
	s.showEnrol(w, r, http.StatusOK, web.EnrolView{})
	return nil
}

func (s *Server) showEnrol(w http.ResponseWriter, r *http.Request, status int, view web.EnrolView) {
	view.Shell, view.MinPassword = s.shell(r, words.Say(r.Context(), "First sign-in")), login.MinPassword
	_, view.Passkeys = s.site(r)
	view.Provider = s.providerName()
	s.render(w, r, status, web.Enrol(view))
}

// enrol sets the password of whoever has an invitation, and signs them in.
func (s *Server) enrol(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return err
	}
	view := web.EnrolView{Code: clip(r.PostFormValue("code"), maxQuery)}
	password := r.PostFormValue("password")
	var err error
	if password != r.PostFormValue("repeat") {
		view.Error = words.Say(r.Context(), notTheSame)
	} else if who, failed := s.desk.Enrol(w, r, view.Code, password); failed != nil {
		err = failed
	} else {
		return s.arrive(w, r, who, "invitation", "")
	}
	status := http.StatusUnprocessableEntity
	var many *login.TooManyTries
	switch {
	case errors.As(err, &many):
		retryAfter(w.Header(), err)
		status, view.Error = http.StatusTooManyRequests, tooManyTries(r.Context(), many)
		s.log.Warn("enrolment refused", "remote", s.network(r), "status", status)
	case errors.Is(err, login.ErrNoInvitation):
		s.log.Warn("enrolment refused", "remote", s.network(r))
		view.Error = words.Say(r.Context(), noInvitation)
	case err != nil:
		says := refusedPassword(r.Context(), err)
		if says == "" {
			return err
		}
		view.Error = says
	}
	s.showEnrol(w, r, status, view)
	return nil
}

// refusedPassword tells somebody why the password that they chose is not taken, and what to do; empty if err is about something else.
func refusedPassword(ctx context.Context, err error) string {
	switch {
	case errors.Is(err, login.ErrWeakPassword):
		return words.Say(ctx, "This password would be easy to guess. It needs {minPassword} characters that are not just your name, or one key again and again.", strconv.Itoa(login.MinPassword))
	case errors.Is(err, login.ErrStolen):
		return words.Say(ctx, "This password, or one that differs only by digits and signs at its ends, was stolen from somebody elsewhere, and is tried first by whoever guesses. Choose another: a sentence that only you would say.")
	}
	return ""
}
