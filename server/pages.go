package server

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/sessions"
	"github.com/clisonix/tidechart/web"
	"github.com/clisonix/tidechart/web/words"
)

// Limits of what pages list, and of forms.
const (
	maxForm  = 16 << 10 // bytes
	maxQuery = 100      // characters of a filter
)

func (s *Server) loginPage(w http.ResponseWriter, r *http.Request) error {
	if who, err := s.desk.ByCookie(r); err == nil {
		http.Redirect(w, r, home(who), http.StatusSeeOther)
		return nil
	}
	s.showLogin(w, r, http.StatusOK, web.LoginView{Next: localPath(r.URL.Query().Get("next")), Ended: endedView(r)})
	return nil
}

func (s *Server) signIn(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return err
	}
	username, next := r.PostFormValue("username"), localPath(r.PostFormValue("next"))
	who, err := s.desk.SignIn(w, r, username, r.PostFormValue("password"), r.PostFormValue("code"))
	if err != nil {
		status, says := refusedTry(r.Context(), w, err)
		if says == "" {
			return err
		}
		s.log.Warn("sign-in refused", "remote", s.network(r), "status", status)
		s.showLogin(w, r, status, web.LoginView{Username: username, Next: next, Error: says})
		return nil
	}
	return s.arrive(w, r, who, "password", next)
}

func (s *Server) showLogin(w http.ResponseWriter, r *http.Request, status int, view web.LoginView) {
	view.Shell, view.Demo, view.Provider = s.shell(r, words.Say(r.Context(), "Sign in")), s.demo, s.providerName()
	_, view.Passkeys = s.site(r)
	s.render(w, r, status, web.Login(view))
}

// arrive leads somebody on who has just signed in.
func (s *Server) arrive(w http.ResponseWriter, r *http.Request, who login.Person, with, next string) error {
	next, err := s.landing(r, who, with, next)
	if err != nil {
		return err
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
	return nil
}

// refusedTry is what whoever tried to prove who they are is told about a refusal; says is empty if err is none.
func refusedTry(ctx context.Context, w http.ResponseWriter, err error) (status int, says string) {
	var many *login.TooManyTries
	switch {
	case errors.As(err, &many):
		retryAfter(w.Header(), err)
		return http.StatusTooManyRequests, tooManyTries(ctx, many)
	case errors.Is(err, login.ErrWrongPassword):
		return http.StatusUnauthorized, words.Say(ctx, "The username, the password or the code is wrong. Check them and try again.")
	}
	return 0, ""
}

// localPath returns next if it is a path on this server, or "".
func localPath(next string) string {
	at, err := url.Parse(next) // refuses control characters, which browsers drop
	if err != nil || at.Scheme != "" || at.Host != "" || at.User != nil || !strings.HasPrefix(at.Path, "/") ||
		strings.HasPrefix(at.Path, "//") || strings.Contains(next, "\\") {
		return ""
	}
	return next
}

// home is the first page of a person's work.
func home(who login.Person) string {
	switch {
	case access.May(who.Role, access.SeePatient):
		return "/"
	case who.Role == access.Display && who.Unit != "":
		return wallPath(who.Unit)
	case who.Role == access.Display:
		return "/security"
	}
	return overviewPath
}

func (s *Server) notePage(w http.ResponseWriter, r *http.Request, who login.Person) error {
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return sessions.ErrNoNote
	}
	st, err := s.mayDo(r.Context(), who, access.ReadNote, id, byPage)
	if err != nil {
		return err
	}
	row, err := s.db.NoteByID(r.Context(), id)
	if err != nil {
		return err
	}
	if err := s.sawNudge(r, who, id); err != nil {
		return err
	}
	unit, err := s.db.UnitByID(r.Context(), row.Note.UnitID)
	if err != nil {
		return err
	}
	news, err := s.looked(r.Context(), who, id)
	if err != nil {
		return err
	}
	patient := patientView(row.Patient, row.BedLabel, unit.Name)
	if store.IsSigned(row.Note.State) {
		return s.signedPage(w, r, who, st, row, patient)
	}
	doc, err := s.hub.Doc(r.Context(), id)
	if err != nil {
		return err
	}
	newer := !prose.CurrentSchema().Has(doc.Names()...) // an editor of ours would delete some of it
	kind := kindName(row.Note.Kind)
	letGo := st.note // who could write but for somebody who holds it still, may in a moment
	letGo.Frozen = false
	view := web.NoteView{
		Shell: s.shellOf(r, who, web.TabTitle(r.Context(), kind, patient), web.SectionWorklist), Patient: patient,
		ID: id.String(), Kind: kind, Title: row.Note.Title, LOINC: loincOf(row.Note.Kind), Status: web.NoteStatus(store.StateOf(row.Note)),
		Body: prose.Read(doc.XMLFragment(sessions.Fragment)),
		Live: !newer, Newer: newer, Editable: access.Decide(st.who, access.WriteNote, letGo).Allow,
		News: news, CreatedBy: row.Creator, CreatedAt: row.Note.CreatedAt.Local(), UpdatedAt: row.Note.EditedAt.Local(),
		CanSign: st.mayOnceFresh(access.SignNote),
	}
	view.Sections, view.TaskSections = sectionsOf(row.Note.Kind)
	if view.About, err = s.aboutWhat(r.Context(), id); err != nil {
		return err
	}
	view.Frozen = s.freezeView(r.Context(), who, row.Note)
	if view.Comments, err = s.commentsView(r.Context(), who, st, id); err != nil {
		return err
	}
	s.render(w, r, http.StatusOK, web.Note(view))
	return nil
}

func (s *Server) createNote(w http.ResponseWriter, r *http.Request, who login.Person) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return err
	}
	id, err := s.newNote(r.Context(), who, r.PostFormValue("patient"), r.PostFormValue("kind"))
	if err != nil {
		return err
	}
	http.Redirect(w, r, notePath(id), http.StatusSeeOther)
	return nil
}
