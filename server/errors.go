package server

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/signature"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/sessions"
	"github.com/clisonix/tidechart/sessions/history"
	"github.com/clisonix/tidechart/web"
	"github.com/clisonix/tidechart/web/words"
)

// mistake is an error that the sender can mend; it is shown to them.
type mistake struct {
	text   words.Text
	values []string // of its placeholders
}

func badRequest(text words.Text, values ...string) error { return mistake{text, values} }

func (e mistake) Error() string { return e.says(context.Background()) }

// says is it in the language of whoever sent it.
func (e mistake) says(ctx context.Context) string { return words.Say(ctx, e.text, e.values...) }

// statuses maps errors to HTTP; the first match counts, and what matches none is a fault of ours.
var statuses = []struct {
	err    error
	status int
	detail words.Text // for the sender
}{
	{login.ErrNotSignedIn, http.StatusUnauthorized, "Sign in, or send a valid token."},
	{login.ErrWrongPassword, http.StatusUnauthorized, "Wrong username, password or code."},
	{errStale, http.StatusForbidden, "Only somebody who has just proven who they are may do this: at a browser, on the page /confirm."},
	{login.ErrWeak, http.StatusForbidden, "A password alone is not enough here. Open the page /second-factor in this browser first."},
	{login.ErrNoCeremony, http.StatusUnprocessableEntity, "That took too long, or was asked in another window. Begin again."},
	{login.ErrProviderAway, http.StatusServiceUnavailable, "Your account's server does not answer. Try again, or sign in in another way."},
	{login.ErrProvider, http.StatusUnauthorized, "What came back does not prove who you are. Begin again, or sign in in another way."},
	{login.ErrNotLinked, http.StatusForbidden, "This account is not linked to you here. Ask whoever runs Tidechart for an invitation, and use it on the page /enrol."},
	{login.ErrNoInvitation, http.StatusUnprocessableEntity, noInvitation},
	{errOtherPerson, http.StatusConflict, "Somebody else has signed in here since this page was loaded."},
	{sessions.ErrForbidden, http.StatusForbidden, "You may not open this note."},
	{sessions.ErrReadOnly, http.StatusForbidden, "You may read this note, but not write it."},
	{errProgram, http.StatusForbidden, "Pages are for people. A program with a token of its own uses the API."},
	{errNoPage, http.StatusNotFound, "There is no such page."},
	{store.ErrNotFound, http.StatusNotFound, "There is nothing under this address."},
	{sessions.ErrDestroyed, http.StatusGone, "This record was destroyed. Nothing can open it any more."},
	{sessions.ErrNoNote, http.StatusNotFound, "There is no such note."},
	{crdt.ErrMalformed, http.StatusUnprocessableEntity, "This is not a Yjs update, version 1."},
	{sessions.ErrRefused, http.StatusConflict, "The update builds on edits that the note does not have."},
	{sessions.ErrLimit, http.StatusRequestEntityTooLarge, "The update, or the note with it, would be larger than it may be."},
	{sessions.ErrForged, http.StatusConflict, "The update writes as somebody else, or other text where text is already."},
	{sessions.ErrAmbiguous, http.StatusConflict, "The update has an element whose right origin stands before its origin in one struct, as Yjs's undo makes them: replicas would not agree on its place."},
	{sessions.ErrStaleEditor, http.StatusConflict, "The note holds more than the schema of your editor. " + asSchema},
	{sessions.ErrUndeclared, http.StatusUnprocessableEntity, "The update brings more than the schema of your editor has. " + asSchema},
	{store.ErrChanged, http.StatusConflict, "The note is not what you saw any more. Nothing was signed: look at it again."},
	{store.ErrFrozen, http.StatusConflict, "Somebody else is about to sign this note. Try again in two minutes."},
	{store.ErrFreezeOver, http.StatusConflict, "The time to sign is over, or somebody let go of the note. Nothing was signed: look at it again."},
	{store.ErrFreezes, http.StatusConflict, "You have held this note still five times within half an hour, and others wait to write. Sign it as it is, or hold it again later."},
	{store.ErrSigned, http.StatusConflict, "The note is signed. What is to be added is an addendum."},
	{store.ErrUnsigned, http.StatusConflict, "The note is not signed, or was entered in error."},
	{errNotAsSigned, http.StatusConflict, notAsSigned},
	{store.ErrSignedBefore, http.StatusConflict, "You have signed this note already."},
	{store.ErrNoCosign, http.StatusConflict, "The note does not wait for another signature."},
	{store.ErrRights, http.StatusConflict, "What you may do with this note has changed at this moment. Nothing was signed: look at it again."},
	{store.ErrRemark, http.StatusUnprocessableEntity, "What you say with your signature is too long, or has characters that cannot be shown. It has 2,000 characters at most."},
	{errWordsKept, http.StatusForbidden, "You have not proven lately who you are. Your words are still below: prove it in another window, and then sign here."},
	{store.ErrBlanks, http.StatusConflict, "There are *** left in the note. Fill them in, or take them out, before you sign."},
	{store.ErrSuggestions, http.StatusConflict, "There are suggestions in the note. Accept or reject each of them before you sign."},
	{store.ErrLate, http.StatusConflict, "Nothing of yours waits beside this note: it was decided already, or is somebody else's."},
	{store.ErrManyComments, http.StatusConflict, "This note, or this thread, has as many comments as it may have."},
	{store.ErrNotTheirs, http.StatusConflict, "This comment is somebody else's, or was removed."},
	{errTextGone, http.StatusConflict, "The text has changed meanwhile. Select it again."},
	{store.ErrReason, http.StatusUnprocessableEntity, "Say why, in 500 characters at most."},
	{signature.ErrTooLarge, http.StatusRequestEntityTooLarge, "The note is larger than one that can be signed."},
	{history.ErrTooLong, http.StatusRequestEntityTooLarge, "The note's history is too long to be shown."},
	{sessions.ErrRejected, http.StatusConflict, "The note takes no edits any more."},
	{sessions.ErrSealed, http.StatusServiceUnavailable, "The server does not have the key that this is sealed with now. Nothing is lost; whoever runs Tidechart has to bring it back. Notes that are open go on."},
	{login.ErrBusy, http.StatusServiceUnavailable, "Too many people are signing in at this moment. Try again."},
	{context.DeadlineExceeded, http.StatusServiceUnavailable, outcomeUnknown},
	{sessions.ErrAccessUnknown, http.StatusServiceUnavailable, "Whether you may write cannot be checked now. Try again."},
	{sessions.ErrEnded, http.StatusServiceUnavailable, outcomeUnknown},
}

// tooManyTries says when what was wrong too often may be tried again.
func tooManyTries(ctx context.Context, e *login.TooManyTries) string {
	return words.Say(ctx, "Too many wrong tries. Try again in {seconds} seconds, or ask for a new invitation.", (&tooMany{wait: e.Wait}).seconds())
}

const asSchema = "Declare one as GET /api/v1/schema says; without one it is Tiptap's StarterKit."

const outcomeUnknown = "The database does not answer. What you sent may or may not be saved; sending it again does no harm."

// statusOf returns the HTTP status of an error and a sentence for its sender.
func statusOf(ctx context.Context, err error) (status int, detail string) {
	var bad mistake
	if errors.As(err, &bad) {
		return http.StatusUnprocessableEntity, bad.says(ctx)
	}
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return http.StatusRequestEntityTooLarge, words.Say(ctx, "What you sent is too large.")
	}
	var many *tooMany
	if errors.As(err, &many) {
		return http.StatusTooManyRequests, words.Say(ctx, "Too many requests at once. Ask again in {seconds} s; nothing was done.", many.seconds())
	}
	var wrong *login.TooManyTries
	if errors.As(err, &wrong) {
		return http.StatusTooManyRequests, tooManyTries(ctx, wrong)
	}
	var denied denial
	if errors.As(err, &denied) {
		return http.StatusForbidden, denied.detail(ctx)
	}
	var gone gone
	if errors.As(err, &gone) {
		return http.StatusGone, gone.detail(ctx)
	}
	if store.IsBadValue(err) {
		err = store.ErrNotFound // nothing is called that
	}
	for _, s := range statuses {
		if errors.Is(err, s.err) {
			return s.status, words.Say(ctx, s.detail)
		}
	}
	return http.StatusInternalServerError, words.Say(ctx, "Something went wrong here. It has been written to the server's log.")
}

// renderError answers with a page that says what to do. Whoever is not signed in goes to sign in first.
func (s *Server) renderError(w http.ResponseWriter, r *http.Request, err error) {
	status, detail := statusOf(r.Context(), err)
	request := uuid.NewString()
	retryAfter(w.Header(), err)
	s.logRefusal(r, status, request, err)
	if errors.Is(err, login.ErrNotSignedIn) && (r.Method == http.MethodGet || r.Method == http.MethodHead) &&
		r.Header.Get("Authorization") == "" && r.Header.Get("HX-Request") == "" {
		to := "/login?next=" + url.QueryEscape(r.URL.RequestURI())
		if errors.Is(err, login.ErrLoggedOff) { // who was here finds back without it, and nobody else should
			to = endedPage
			w.Header().Set("Clear-Site-Data", clearSiteData)
		}
		http.Redirect(w, r, to, http.StatusSeeOther)
		return
	}
	if errors.Is(err, login.ErrWeak) && r.Header.Get("Authorization") == "" && r.Header.Get("HX-Request") == "" {
		next := ""
		if r.Method == http.MethodGet {
			next = r.URL.RequestURI()
		}
		http.Redirect(w, r, factorPath(next), http.StatusSeeOther)
		return
	}
	var old *stale
	if errors.As(err, &old) && r.Header.Get("Authorization") == "" {
		http.Redirect(w, r, confirmPath(old.back), http.StatusSeeOther)
		return
	}
	view := web.ErrorView{Shell: web.Shell{Title: words.Say(r.Context(), "Error"), Now: time.Now(), Connection: s.connection(r)}, Status: status, Request: request}
	if r.Method == http.MethodGet && (status >= http.StatusInternalServerError || status == http.StatusTooManyRequests) {
		view.Retry = r.URL.Path // what was asked for may be a secret of an address
	}
	var refused denial
	if errors.As(err, &refused) && refused.opensWithGlass() {
		view.NoteID = r.PathValue("id")
	}
	if status < http.StatusInternalServerError { // else the database may not even say who this is
		view.Shell = s.shell(r, words.Say(r.Context(), "Error"))
	}
	if status != http.StatusNotFound && status < http.StatusInternalServerError || errors.Is(err, sessions.ErrSealed) {
		view.Detail = detail
	}
	s.render(w, r, status, web.Error(view))
}

// logRefusal writes one line about a request that failed. It names no content and no query.
func (s *Server) logRefusal(r *http.Request, status int, request string, err error) {
	if wasTold(err) {
		return
	}
	level := s.log.Info
	if status >= http.StatusInternalServerError {
		level = s.log.Error
	}
	level("request refused", "method", r.Method, "path", r.URL.Path, "status", status, "request", request, "err", err)
}
