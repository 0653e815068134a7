package server

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/sessions"
)

// This file has comments on a draft, as programs and the editor's script send them: whoever may write a note may comment on it, and whoever
// may read it reads that. Pages show them by commentviews.go.

// errTextGone means that what somebody selected is not in the note, or not in that order.
var errTextGone = errors.New("the text is not in the note")

// mountComments adds the part of the API about comments.
func (s *Server) mountComments(api huma.API) {
	huma.Register(api, operation("list-comments", http.MethodGet, "/notes/{id}/comments", "List what was said about a note"), s.apiListComments)
	begin := operation("begin-thread", http.MethodPost, "/notes/{id}/comments", "Begin a thread about a stretch of a note, or all of it")
	begin.Description = "Comments are about drafts: they are no part of the note, and nobody adds any once it is signed."
	huma.Register(api, begin, s.apiBeginThread)
	huma.Register(api, operation("answer-thread", http.MethodPost, "/notes/{id}/comments/{thread}", "Answer in a thread"), s.apiAnswerThread)
	resolve := operation("resolve-thread", http.MethodPost, "/notes/{id}/comments/{thread}/resolved", "Resolve a thread, or open it again")
	huma.Register(api, resolve, s.apiResolveThread)
	place := operation("place-thread", http.MethodPost, "/notes/{id}/comments/{thread}/place", "Say where the text of a thread stands now")
	place.Description = "For editors which move text by deleting it and inserting it anew, as Tiptap does to split a paragraph. Text that is not there any more is left where it was."
	huma.Register(api, place, s.apiPlaceThread)
	change := operation("change-comment", http.MethodPost, "/notes/{id}/comments/{thread}/{n}", "Change your comment")
	change.Description = "What it said before stays on record."
	huma.Register(api, change, s.apiChangeComment)
	remove := operation("remove-comment", http.MethodDelete, "/notes/{id}/comments/{thread}/{n}", "Remove your comment")
	remove.Description = change.Description
	huma.Register(api, remove, s.apiRemoveComment)
}

// apiStretch is text of a note, by the Yjs ids of its first and of its last character.
type apiStretch struct {
	Start apiPlace `json:"start"`
	End   apiPlace `json:"end"`
}

type apiThread struct {
	ID       uuid.UUID    `json:"id" format:"uuid"`
	Quote    string       `json:"quote,omitempty" doc:"The text that it is about, as it was; without one it is about the whole note"`
	Place    *apiStretch  `json:"place,omitempty" doc:"Where that text stands, as an editor said last"`
	Resolved bool         `json:"resolved"`
	Comments []apiComment `json:"comments" nullable:"false"`
}

type apiComment struct {
	N       int       `json:"n" doc:"Its number in the thread"`
	By      apiPerson `json:"by"`
	At      time.Time `json:"at"`
	Text    string    `json:"text,omitempty" doc:"What it says now; nothing if it was removed"`
	Changed bool      `json:"changed,omitempty"`
	Removed bool      `json:"removed,omitempty"`
}

type listCommentsOutput struct {
	Body struct {
		Threads []apiThread `json:"threads" nullable:"false" doc:"The oldest first"`
	}
}

func (s *Server) apiListComments(ctx context.Context, in *noteInput) (*listCommentsOutput, error) {
	if _, err := s.apiMay(ctx, access.ReadNote, in.ID); err != nil {
		return nil, err
	}
	threads, err := s.db.Threads(ctx, in.ID)
	if err != nil {
		return nil, apiError(ctx, err)
	}
	people, err := s.peopleNamed(ctx, speakers(threads))
	if err != nil {
		return nil, apiError(ctx, err)
	}
	var out listCommentsOutput
	out.Body.Threads = make([]apiThread, len(threads))
	for i, t := range threads {
		_, resolved := t.Resolved()
		view := apiThread{ID: t.ID, Quote: t.Quote, Resolved: resolved, Comments: []apiComment{}}
		if p := t.Place; p != nil {
			view.Place = &apiStretch{apiPlace{uint64(p.Start.Client), p.Start.Clock}, apiPlace{uint64(p.End.Client), p.End.Clock}}
		}
		for _, c := range commentsOf(t) {
			now := c.now()
			view.Comments = append(view.Comments, apiComment{
				N: c.first.N, By: apiPerson{c.first.By, people[c.first.By].Name}, At: c.first.At, Text: now.Words, Changed: now.Do == store.Change, Removed: now.Do == store.Remove,
			})
		}
		out.Body.Threads[i] = view
	}
	return &out, nil
}

type beginThreadInput struct {
	ID   uuid.UUID `path:"id" format:"uuid"`
	Body struct {
		Text  string      `json:"text" maxLength:"8000" doc:"What you say: 2,000 characters at most"`
		About *apiStretch `json:"about,omitempty" doc:"The text that it is about; without it, the whole note"`
	}
}

type threadOutput struct {
	Body struct {
		Thread uuid.UUID `json:"thread" format:"uuid"`
	}
}

func (s *Server) apiBeginThread(ctx context.Context, in *beginThreadInput) (*threadOutput, error) {
	who, err := s.mayComment(ctx, in.ID)
	if err != nil {
		return nil, apiError(ctx, err)
	}
	words, err := commentWords(in.Body.Text)
	if err != nil {
		return nil, apiError(ctx, err)
	}
	var place *store.TextPlace
	if in.Body.About != nil {
		if place, err = s.placeOf(ctx, in.ID, *in.Body.About); err != nil {
			return nil, apiError(ctx, err)
		}
	}
	var out threadOutput
	if out.Body.Thread, err = s.db.BeginThread(ctx, in.ID, who.ID, place, words); err != nil {
		return nil, apiError(ctx, err)
	}
	s.hub.Commented(ctx, in.ID)
	return &out, nil
}

type answerInput struct {
	ID     uuid.UUID `path:"id" format:"uuid"`
	Thread uuid.UUID `path:"thread" format:"uuid"`
	Body   struct {
		Text string `json:"text" maxLength:"8000" doc:"What you say: 2,000 characters at most"`
	}
}

func (s *Server) apiAnswerThread(ctx context.Context, in *answerInput) (*struct{}, error) {
	return s.inThread(ctx, in.ID, in.Thread, store.ThreadAct{Do: store.Say, Words: in.Body.Text})
}

type resolveInput struct {
	ID     uuid.UUID `path:"id" format:"uuid"`
	Thread uuid.UUID `path:"thread" format:"uuid"`
	Body   struct {
		Resolved bool `json:"resolved"`
	}
}

func (s *Server) apiResolveThread(ctx context.Context, in *resolveInput) (*struct{}, error) {
	do := store.Reopen
	if in.Body.Resolved {
		do = store.Resolve
	}
	return s.inThread(ctx, in.ID, in.Thread, store.ThreadAct{Do: do})
}

type commentInput struct {
	ID     uuid.UUID `path:"id" format:"uuid"`
	Thread uuid.UUID `path:"thread" format:"uuid"`
	N      int       `path:"n" minimum:"1" maximum:"10000"`
}

type changeInput struct {
	ID     uuid.UUID `path:"id" format:"uuid"`
	Thread uuid.UUID `path:"thread" format:"uuid"`
	N      int       `path:"n" minimum:"1" maximum:"10000"`
	Body   struct {
		Text string `json:"text" maxLength:"8000" doc:"What it is to say: 2,000 characters at most"`
	}
}

func (s *Server) apiChangeComment(ctx context.Context, in *changeInput) (*struct{}, error) {
	return s.inThread(ctx, in.ID, in.Thread, store.ThreadAct{Do: store.Change, Of: in.N, Words: in.Body.Text})
}

func (s *Server) apiRemoveComment(ctx context.Context, in *commentInput) (*struct{}, error) {
	return s.inThread(ctx, in.ID, in.Thread, store.ThreadAct{Do: store.Remove, Of: in.N})
}

// inThread does it, and has everybody look who has the note open.
func (s *Server) inThread(ctx context.Context, note, thread uuid.UUID, act store.ThreadAct) (*struct{}, error) {
	who, err := s.mayComment(ctx, note)
	if err == nil && (act.Do == store.Say || act.Do == store.Change) {
		act.Words, err = commentWords(act.Words)
	}
	if err == nil {
		act.By = who.ID
		err = s.db.InThread(ctx, note, thread, act)
	}
	if err != nil {
		return nil, apiError(ctx, err)
	}
	s.hub.Commented(ctx, note)
	return nil, nil
}

type placeInput struct {
	ID     uuid.UUID `path:"id" format:"uuid"`
	Thread uuid.UUID `path:"thread" format:"uuid"`
	Body   apiStretch
}

func (s *Server) apiPlaceThread(ctx context.Context, in *placeInput) (*struct{}, error) {
	_, err := s.mayComment(ctx, in.ID)
	var place *store.TextPlace
	if err == nil {
		place, err = s.placeOf(ctx, in.ID, in.Body)
	}
	if errors.Is(err, errTextGone) { // it was moved again meanwhile, and whoever did that says so
		return nil, nil
	}
	if err == nil {
		err = s.db.PlaceThread(ctx, in.ID, in.Thread, *place)
	}
	if err != nil {
		return nil, apiError(ctx, err)
	}
	s.hub.Commented(ctx, in.ID)
	return nil, nil
}

// mayComment returns who asks, if they may write the note. That they have it open is on record already, or is with what they say.
func (s *Server) mayComment(ctx context.Context, note uuid.UUID) (login.Person, error) {
	who := apiKnown(ctx)
	_, err := s.mayDo(ctx, who, access.WriteNote, note, notAgain)
	return who, err
}

// commentWords is a comment as it is kept: lines, without blanks at their ends.
func commentWords(typed string) (string, error) {
	words := strings.TrimSpace(strings.ReplaceAll(typed, "\r\n", "\n"))
	switch {
	case words == "":
		return "", badRequest("Write something first.")
	case utf8.RuneCountInString(words) > store.MaxComment:
		return "", badRequest("A comment has up to 2,000 characters.")
	case strings.ContainsFunc(words, func(r rune) bool { return r != '\n' && r != '\t' && unicode.IsControl(r) }):
		return "", badRequest("The comment has characters that cannot be shown.")
	}
	return words, nil
}

// placeOf finds in the note as it is what somebody means.
func (s *Server) placeOf(ctx context.Context, note uuid.UUID, about apiStretch) (*store.TextPlace, error) {
	doc, err := s.hub.Doc(ctx, note)
	if err != nil {
		return nil, err
	}
	start, end := crdt.ID{Client: crdt.ClientID(about.Start.Client), Clock: about.Start.Clock}, crdt.ID{Client: crdt.ClientID(about.End.Client), Clock: about.End.Clock}
	words, err := textBetween(prose.ReadTraced(doc.XMLFragment(sessions.Fragment)), start, end)
	if err != nil {
		return nil, err
	}
	place := store.PlaceOf(start, end, words, doc.StateVector())
	return &place, nil
}
