package server

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/a-h/templ"

	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/web"
	"github.com/clisonix/tidechart/web/words"
)

// permissions turns off what no page here needs. Passkeys are for our own pages alone.
const permissions = "accelerometer=(), autoplay=(), bluetooth=(), camera=(), display-capture=(), encrypted-media=(), geolocation=(), " +
	"gyroscope=(), hid=(), idle-detection=(), local-fonts=(), magnetometer=(), microphone=(), midi=(), payment=(), " +
	"picture-in-picture=(), publickey-credentials-create=(self), publickey-credentials-get=(self), screen-wake-lock=(), " +
	"serial=(), usb=(), xr-spatial-tracking=()"

// secured sets the headers that every answer carries. Each answer has a nonce of its own, which templates find in their
// context, and beside it the language that they are read in.
func (s *Server) secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		nonce := rand.Text()
		h := w.Header()
		h.Set("Content-Security-Policy", web.Policy(nonce))
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", permissions)
		h.Set("Cache-Control", "no-store")
		if s.secure {
			h.Set("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
		}
		ctx := words.In(templ.WithNonce(r.Context(), nonce), words.For(r.Header.Get("Accept-Language")))
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// recovered turns a panic into a logged failure of one request.
func (s *Server) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := recover()
			if p == http.ErrAbortHandler { // the connection breaks, so that half an answer is none
				panic(p)
			}
			if p != nil {
				// The value of p may quote content; the stack does not.
				s.log.Error("panic", "method", r.Method, "path", r.URL.Path, "stack", string(debug.Stack()))
				w.WriteHeader(http.StatusInternalServerError)
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// maxReport is the largest report of a violated policy that is read.
const maxReport = 16 << 10

// cspReport logs which directive a page violated. Anyone can send one, so it says nothing else.
func (s *Server) cspReport(w http.ResponseWriter, r *http.Request) error {
	var report struct {
		Report struct {
			Directive string `json:"effective-directive"`
		} `json:"csp-report"`
	}
	if err := json.NewDecoder(io.LimitReader(r.Body, maxReport)).Decode(&report); err == nil {
		s.log.Warn("content security policy violated", "directive", clip(report.Report.Directive, 64))
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func clip(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}

// render writes a page whole or not at all.
func (s *Server) render(w http.ResponseWriter, r *http.Request, status int, c templ.Component) {
	var page bytes.Buffer
	if err := c.Render(context.WithoutCancel(r.Context()), &page); err != nil { // an error page comes after a deadline
		s.log.Error("page not rendered", "path", r.URL.Path, "err", err)
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(page.Bytes()) // the reader may be gone
}

// shell fills in what every page shows around its content, for whoever sent r.
func (s *Server) shell(r *http.Request, title string) web.Shell {
	who, err := s.desk.ByRequest(r)
	if err != nil {
		return web.Shell{Title: title, Now: time.Now(), Connection: s.connection(r)}
	}
	return s.shellOf(r, who, title, web.SectionNone)
}

func (s *Server) shellOf(r *http.Request, who login.Person, title string, active web.Section) web.Shell {
	user := personView(who)
	shell := web.Shell{
		Title: title, User: &user, Active: active, Path: r.URL.Path, Now: time.Now(), Connection: s.connection(r), Left: s.left(who), Warn: s.desk.WarnBefore(who.Role),
	}
	if who.Weak { // nothing that there are links to opens
		return shell
	}
	return s.withLinks(r, who, shell)
}

// withLinks adds what of the shell leads to where somebody may go.
func (s *Server) withLinks(r *http.Request, who login.Person, shell web.Shell) web.Shell {
	shell.CanReadNotes = access.May(who.Role, access.ReadNote)
	shell.CanSeeSessions = access.May(who.Role, access.ReviewSessions)
	shell.CanSeePeople = access.May(who.Role, access.SeePeople)
	shell.CanBreakGlass = access.May(who.Role, access.BreakGlass)
	shell.CanSeeAccesses = access.May(who.Role, access.SeeAccesses)
	shell.CanUsePhrases = access.May(who.Role, access.UsePhrases)
	shell.CanDestroy = access.May(who.Role, access.AskDestroy) || access.May(who.Role, access.ApproveDestroy)
	s.tellNotices(r.Context(), who, &shell)
	s.tellInvited(r.Context(), who, &shell)
	s.tellSigning(r.Context(), who, &shell)
	s.tellTasks(r.Context(), who, &shell)
	if who.Unit != "" && access.May(who.Role, access.SeeBoard) {
		if unit, err := s.db.UnitByID(r.Context(), who.Unit); err == nil {
			shell.UnitID, shell.UnitName = unit.ID, unit.Name
		}
	}
	return shell
}

// tellNotices adds what a page tells of broken glass, and of what somebody is asked to sign. A page is worth more than what it tells
// beside.
func (s *Server) tellNotices(ctx context.Context, who login.Person, shell *web.Shell) {
	var err error
	if shell.Notices, err = s.noticesFor(ctx, who); err != nil {
		s.log.Error("notices not looked for", "err", err)
	}
	shell.CanSeeReviews, shell.Hears = shell.Notices.Reviewer, shell.Notices.Reviewer || mayBeNudged(who)
}

// tellInvited adds that a code was made for somebody who signs in without: who was not asked whether they want one has to know.
func (s *Server) tellInvited(ctx context.Context, who login.Person, shell *web.Shell) {
	at, err := s.desk.InvitedAt(ctx, who)
	if err != nil {
		s.log.Error("invitation not looked for", "err", err)
		return
	}
	if !at.IsZero() {
		shell.Invited = at.Local()
	}
}
