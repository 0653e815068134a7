package server

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/web"
)

// clearSiteData has browsers drop what they may have kept of the pages of a login that has ended. Cookies stay: the one
// by which the browser is known lets nobody in.
const clearSiteData = `"cache", "storage"`

// maxUnsaved is the largest number of lost changes that the sign-in page repeats.
const maxUnsaved = 9999

// loginLeft says for how long the login goes on if nobody touches anything: zero if it has ended.
func (s *Server) loginLeft(w http.ResponseWriter, r *http.Request) error {
	who, err := s.desk.ByCookie(r)
	return s.sayLeft(w, r, http.StatusOK, who, err)
}

// noteInput takes a page's word that somebody has just pressed a key or moved the pointer.
func (s *Server) noteInput(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return err
	}
	note, _ := uuid.Parse(r.PostFormValue("note")) // a page without one leaves it out
	who, err := s.desk.Input(r, note)
	return s.sayLeft(w, r, http.StatusUnauthorized, who, err)
}

// sayLeft answers a page, which clears itself if nobody is signed in, or somebody else. ended is the status then.
func (s *Server) sayLeft(w http.ResponseWriter, r *http.Request, ended int, who login.Person, err error) error {
	status, says := http.StatusOK, struct {
		Person uuid.UUID `json:"person,omitzero"`
		Left   int64     `json:"left"` // milliseconds
	}{who.ID, s.left(who).Milliseconds()}
	switch {
	case errors.Is(err, login.ErrNotSignedIn):
		status, err = ended, s.limits.stranger(s.network(r))
		w.Header().Set("Clear-Site-Data", clearSiteData)
	case err == nil:
		err = s.limits.known(who)
	}
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	return json.NewEncoder(w).Encode(says)
}

// left is for how long a login goes on if nobody touches anything.
func (s *Server) left(who login.Person) time.Duration { return max(0, who.Until.Sub(s.now())) }

// signOut ends a login because its person says so, or because the page knows that nobody is there any more.
func (s *Server) signOut(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return err
	}
	who, err := s.desk.ByCookie(r)
	if errors.Is(err, login.ErrNotSignedIn) {
		if many := s.limits.stranger(s.network(r)); many != nil {
			return many
		}
	} else if err != nil {
		return err
	}
	unused := r.PostFormValue("unused") != ""
	end, next := s.desk.SignOut, "/login"
	if unused {
		end, next = s.desk.LogOff, endedPage
		if err == nil && r.PostFormValue("person") != who.ID.String() {
			return errOtherPerson // who has signed in since
		}
	}
	name, err := end(w, r)
	if err != nil {
		return err
	}
	s.log.Info("signed out", "person", who.ID, "unused", unused, "remote", s.network(r))
	s.hub.EndLogin(name)
	w.Header().Set("Clear-Site-Data", clearSiteData)
	http.Redirect(w, r, next, http.StatusSeeOther)
	return nil
}

// errOtherPerson refuses a page that was shown to somebody else than who is signed in now.
var errOtherPerson = errors.New("the page is somebody else's")

// endedPage is the sign-in page that says why it is there.
const endedPage = "/login?ended=unused"

// endedView words why somebody is asked to sign in again; "" if they have not been here.
func endedView(r *http.Request) web.EndedView {
	asked := r.URL.Query()
	unsaved, err := strconv.Atoi(asked.Get("unsaved"))
	if err != nil || unsaved < 0 {
		unsaved = 0
	}
	return web.EndedView{Unused: asked.Get("ended") == "unused", Unsaved: min(unsaved, maxUnsaved)}
}

// landing notes that somebody has just signed in, with what, and is where they go: to their destination, or if they have
// shown too little for that, to show more.
func (s *Server) landing(r *http.Request, who login.Person, with, next string) (string, error) {
	s.log.Info("signed in", "person", who.ID, "with", with, "remote", s.network(r), "weak", who.Weak)
	if who.Weak {
		return factorPath(next), nil
	}
	return s.destination(r, who, next)
}

// destination is where somebody goes who is let in: to next, if they may; else to the note that they were in when their last
// login ended by itself; else to the start of their work. Nobody is sent where somebody else was.
func (s *Server) destination(r *http.Request, who login.Person, next string) (string, error) {
	resume, err := s.desk.Resume(r.Context(), who.ID)
	if err != nil {
		return "", err
	}
	if (next == "" || next == "/") && resume != uuid.Nil {
		next = notePath(resume)
	}
	return s.onwardTo(r, who, next), nil
}

// onwardTo is next, if somebody may go there; the page on which they break the glass, if that leads to a note that opens with it; else
// the start of their work. Only who may break the glass learns that there is such a note. Other pages than notes say for
// themselves who may see them, and tell of nobody.
func (s *Server) onwardTo(r *http.Request, who login.Person, next string) string {
	at, err := url.Parse(next)
	if err != nil || next == "" || next == "/" {
		return home(who)
	}
	id, is := strings.CutPrefix(path.Clean(at.Path), "/notes/") // as browsers read it
	if !is {
		return next
	}
	id, _, _ = strings.Cut(id, "/") // its sheet, its history
	note, err := uuid.Parse(id)
	if err != nil {
		return home(who)
	}
	_, err = s.grant(r.Context(), who, note, notAgain)
	var refused denial
	switch {
	case err == nil:
		return next
	case errors.As(err, &refused) && refused.opensWithGlass() && access.May(who.Role, access.BreakGlass):
		return glassPath(note.String())
	default:
		return home(who)
	}
}

func notePath(note uuid.UUID) string { return "/notes/" + note.String() }
