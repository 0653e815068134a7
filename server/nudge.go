package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/sessions"
	"github.com/clisonix/tidechart/web"
	"github.com/clisonix/tidechart/web/words"
)

// nudge asks who began a note to sign it. Who asks stays on the board: a script is answered with a sentence, and the board changes
// by itself.
func (s *Server) nudge(w http.ResponseWriter, r *http.Request, who login.Person) error {
	note, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return sessions.ErrNoNote
	}
	st, err := s.mayDo(r.Context(), who, access.ReadNote, note, notAgain)
	if err != nil {
		return err
	}
	if err := s.decide(r.Context(), who, access.Nudge, access.Note{Ties: st.note.Ties & access.Unit}, onto{patient: st.PatientID, note: note}); err != nil {
		return err
	}
	says, refused := words.Say(r.Context(), "Asked."), error(nil)
	var lately *store.AskedLately
	switch err := s.db.Nudge(r.Context(), note, st.PatientID, who.ID); {
	case errors.As(err, &lately):
		says, refused = words.Say(r.Context(), "You have asked for this lately. You can ask again at {again}.", lately.Again.Local().Format("15:04")), &tooMany{wait: time.Until(lately.Again)}
	case errors.Is(err, store.ErrSignedAlready):
		says, refused = words.Say(r.Context(), "The note is signed by now."), badRequest("The note is signed by now.")
	case errors.Is(err, store.ErrOwnNote):
		says, refused = words.Say(r.Context(), "You began this note yourself."), badRequest("You began this note yourself.")
	case err != nil:
		return err
	}
	s.boards.forget(st.Unit) // an answer may lead to the board
	if r.Header.Get("Accept") == "text/plain" {
		writeText(w, http.StatusOK, says)
		return nil
	}
	if refused != nil {
		return refused
	}
	http.Redirect(w, r, web.BoardPath(st.Unit, web.BoardFilter{}), http.StatusSeeOther)
	return nil
}

// seeNudges notes that somebody has seen what their pages tell them: all of a kind.
func (s *Server) seeNudges(w http.ResponseWriter, r *http.Request, who login.Person) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return err
	}
	what := r.PostFormValue("what")
	if err := s.db.SeeNudges(r.Context(), who.ID, uuid.NullUUID{}, what); err != nil {
		return err
	}
	if r.Header.Get("HX-Request") != "" {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	to := "/"
	if what == store.ToldToSign {
		to = "/unsigned"
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// sawNudge notes that somebody who was told of a note looks at it.
func (s *Server) sawNudge(r *http.Request, who login.Person, note uuid.UUID) error {
	if !looksAt(r, who) || !mayBeNudged(who) {
		return nil
	}
	return s.db.SeeNudges(r.Context(), who.ID, uuid.NullUUID{UUID: note, Valid: true}, "")
}

// nudgesFor returns what somebody is told of notes, if they may read them: by whom, which kind of note, and never whose record it is about.
func (s *Server) nudgesFor(ctx context.Context, who login.Person) (asked []web.Asked, err error) {
	if !mayBeNudged(who) {
		return nil, nil
	}
	rows, err := s.db.NudgesTo(ctx, who.ID, store.MaxNudges)
	if err != nil {
		return nil, fmt.Errorf("look for what somebody is told: %w", err)
	}
	for _, row := range rows {
		note := access.Note{Kind: row.Kind, VIP: row.Vip, Ties: access.TiesOf(row.Ties), Elsewhere: who.Elsewhere(row.Unit)}
		if row.CreatedBy == who.ID {
			note.Ties |= access.Author
		}
		if row.What != store.ToldToSign && !access.Decide(asker(who), access.ReadNote, note).Allow {
			continue
		}
		asked = append(asked, web.Asked{What: web.Told(row.What), NoteID: row.NoteID.String(), Kind: kindName(row.Kind), By: row.Name, Role: row.Role, At: row.At.Local(), Begun: row.CreatedAt.Local()})
	}
	return asked, nil
}

// mayBeNudged reports whether somebody begins notes: who does is asked to sign them, and named in those of others.
func mayBeNudged(who login.Person) bool { return access.May(who.Role, access.CreateNote) }
