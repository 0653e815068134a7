package server

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/sessions"
	"github.com/clisonix/tidechart/sessions/history"
)

// mountAuthors adds the part of the API that says who wrote what.
func (s *Server) mountAuthors(api huma.API) {
	op := operation("read-authors", http.MethodGet, "/notes/{id}/authors", "Read who wrote what")
	op.Description = "A note's text, cut where its author changes, or when or how it came. Text that somebody only moved, by splitting or joining paragraphs or making one a heading, or put back by undoing, stays its author's, of the time when it was written first."
	huma.Register(api, op, s.apiReadAuthors)
}

type authorsInput struct {
	ID     uuid.UUID `path:"id" format:"uuid"`
	Origin string    `query:"origin" enum:"carried" doc:"Only the text that came so. Of what was pasted by programs it may not be known until all of it is asked for"`
}

type authorsOutput struct {
	Body struct {
		Seq     uint64        `json:"seq" doc:"The update up to which this is"`
		People  []author      `json:"people" nullable:"false" doc:"Who wrote or brought any of it, or of what it was carried over from"`
		Blocks  []authorBlock `json:"blocks" nullable:"false" doc:"Paragraphs, headings and other blocks with text, in order"`
		Words   []authorWords `json:"words" nullable:"false" doc:"How many words are whose, who has most first. A word belongs to whoever wrote its first letter"`
		Carried []carriedFrom `json:"carried" nullable:"false" doc:"What was carried over from where, the most first"`

		Suggestions []suggestion `json:"suggestions" nullable:"false" doc:"What is suggested and not decided on, in the order of the text"`
	}
}

type author struct {
	apiPerson
	Color int `json:"color" minimum:"0" maximum:"7" doc:"Number of the author's colour"`
}

type suggestion struct {
	ID string      `json:"id" doc:"Of its marks"`
	By []uuid.UUID `json:"by" nullable:"false" format:"uuid" doc:"Of people: who suggested it; then who marked, or wrote, some of its text afterwards"`
	At *time.Time  `json:"at,omitempty" doc:"When it was suggested"`

	seq uint64 // the row in which it was
}

type authorBlock struct {
	Type  string       `json:"type" example:"paragraph"`
	Spans []authorSpan `json:"spans" nullable:"false"`
}

type authorSpan struct {
	Text     string       `json:"text"`
	Author   *uuid.UUID   `json:"author,omitempty" format:"uuid" doc:"One of people"`
	At       *time.Time   `json:"at,omitempty" doc:"When its first character came first"`
	Origin   string       `json:"origin" enum:"typed,pasted,imported,carried,recovered" doc:"How it came. Pasted: more at once than hands type, or as the author's editor says; imported: by a program or with the template; carried: pasted, and an earlier note of the patient says the same; recovered: brought back after a restore"`
	Template bool         `json:"template,omitempty" doc:"It came with the template"`
	By       *uuid.UUID   `json:"by,omitempty" format:"uuid" doc:"Who brought it back, of what is recovered"`
	Source   *carriedFrom `json:"source,omitempty" doc:"Where carried text was written first"`
	Elements [][3]uint64  `json:"elements" nullable:"false" doc:"Where it is in the document: Yjs client id, first clock, clock behind the last"`
}

type carriedFrom struct {
	Note   uuid.UUID  `json:"note" format:"uuid" doc:"The earlier note"`
	Author *uuid.UUID `json:"author,omitempty" format:"uuid" doc:"Who wrote it there, one of people"`
	At     time.Time  `json:"at" doc:"When that was"`
	Words  int        `json:"words,omitempty"`
}

type authorWords struct {
	Author    *uuid.UUID `json:"author,omitempty" format:"uuid" doc:"One of people; nobody: nobody knows"`
	Typed     int        `json:"typed"`
	Pasted    int        `json:"pasted"`
	Imported  int        `json:"imported"`
	Carried   int        `json:"carried"`
	Recovered int        `json:"recovered"`
}

func (s *Server) apiReadAuthors(ctx context.Context, in *authorsInput) (*authorsOutput, error) {
	who, how := apiKnown(ctx), notAgain
	if s.db.Pasts.Looks(in.ID, who.Login) { // an editor asks again whenever the note changes
		how = byAPI
	}
	if _, err := s.mayDo(ctx, who, access.ReadNote, in.ID, how); err != nil {
		return nil, apiError(ctx, err)
	}
	if in.Origin != "" {
		if may, err := s.db.MayHaveCarried(ctx, in.ID); err != nil || !may {
			if err != nil {
				return nil, apiError(ctx, err)
			}
			return noAuthors(), nil
		}
	}
	past, err := s.pastOf(ctx, in.ID)
	if err != nil {
		return nil, apiError(ctx, err)
	}
	if how == byAPI {
		s.db.Pasts.Recorded(in.ID, who.Login)
	}
	account, err := past.Account(past.Head())
	if err != nil {
		return nil, apiError(ctx, err)
	}
	out, err := s.authorsOf(ctx, past, account, in.Origin)
	if err != nil {
		return nil, apiError(ctx, err)
	}
	return out, nil
}

// noAuthors is the answer for a note in which nothing came so.
func noAuthors() *authorsOutput {
	out := new(authorsOutput)
	out.Body.People, out.Body.Blocks, out.Body.Words, out.Body.Carried = []author{}, []authorBlock{}, []authorWords{}, []carriedFrom{}
	return out
}

// pastOf returns what a note has been through up to now, with what was carried over in it.
func (s *Server) pastOf(ctx context.Context, note uuid.UUID) (*history.Past, error) {
	past, err := s.db.Pasts.Of(ctx, s.db, note)
	if err == nil {
		err = past.Learn(ctx)
	}
	if err != nil {
		return nil, err
	}
	if err := s.carry(ctx, note, past); err != nil {
		s.log.Warn("not found what was carried over", "note", note, "err", err)
	}
	return past, nil
}

// authorsOf says whose all text is, or only that of one origin.
func (s *Server) authorsOf(ctx context.Context, past *history.Past, account *history.Account, origin string) (*authorsOutput, error) {
	var out authorsOutput
	w := authorsWriter{
		past: past, account: account, origin: origin, blocks: []authorBlock{}, suggestions: []suggestion{}, seen: make(map[uuid.UUID]bool), people: []uuid.UUID{},
	}
	w.add(account.Body)
	out.Body.Seq, out.Body.Blocks, out.Body.Suggestions = account.Seq, w.blocks, w.suggestions
	sum := account.Summary()
	out.Body.Words, out.Body.Carried = make([]authorWords, len(sum.Shares)), make([]carriedFrom, len(sum.Carried))
	for i, x := range sum.Shares {
		out.Body.Words[i] = authorWords{
			w.person(x.Person), x.Words[history.Typed], x.Words[history.Pasted], x.Words[history.Imported], x.Words[history.Carried], x.Words[history.Recovered],
		}
	}
	for i, c := range sum.Carried {
		out.Body.Carried[i] = w.source(c.Source, c.Words)
	}
	rows, err := s.db.PeopleByID(ctx, w.people)
	if err != nil {
		return nil, fmt.Errorf("look up people: %w", err)
	}
	out.Body.People = make([]author, len(rows))
	for i, p := range rows {
		out.Body.People[i] = author{apiPerson{p.ID, p.Name}, int(p.Color)}
	}
	return &out, nil
}

// authorsWriter writes a note as blocks, and who occurs in it.
type authorsWriter struct {
	past        *history.Past
	account     *history.Account
	origin      string // "": any
	blocks      []authorBlock
	suggestions []suggestion
	seen        map[uuid.UUID]bool
	people      []uuid.UUID
}

// add adds the block that n is, if it has text of its own, and those in it. Package prose bounds how deep they lie.
func (w *authorsWriter) add(n prose.Node) {
	own := -1
	for _, c := range n.Content {
		if c.Type != "text" {
			w.add(c)
			continue
		}
		if w.origin != "" && w.account.Of(c).Origin.String() != w.origin {
			continue
		}
		if own < 0 {
			own = len(w.blocks)
			w.blocks = append(w.blocks, authorBlock{Type: n.Type})
		}
		w.blocks[own].Spans = append(w.blocks[own].Spans, w.span(c))
		w.suggested(c)
	}
}

// suggested adds whose the suggestions are that a text is of. No attribute says so: it is who marked it, and who has written in what is to be
// added since. Of equal letters side by side, such as two spaces, an editor may mark the one that was there before as added.
func (w *authorsWriter) suggested(text prose.Node) {
	for _, m := range text.Marks {
		id, _ := m.Attrs["id"].(string)
		if id == "" || !prose.Suggests(m) {
			continue
		}
		k := slices.IndexFunc(w.suggestions, func(s suggestion) bool { return s.ID == id })
		if k < 0 {
			k = len(w.suggestions)
			w.suggestions = append(w.suggestions, suggestion{ID: id, By: []uuid.UUID{}})
			for i, by := range w.past.Suggesters(id) {
				if i == 0 {
					w.suggestions[k].At, w.suggestions[k].seq = &by.At, by.Seq
				}
				w.suggestions[k].by(w.person(by.Person))
			}
		}
		if from := w.account.Of(text); m.Type == "insertion" && from.Seq >= w.suggestions[k].seq {
			w.suggestions[k].by(w.person(from.Author))
		}
	}
}

func (s *suggestion) by(person *uuid.UUID) {
	if person != nil && !slices.Contains(s.By, *person) {
		s.By = append(s.By, *person)
	}
}

func (w *authorsWriter) span(text prose.Node) authorSpan {
	from := w.account.Of(text)
	span := authorSpan{
		Text: text.Text, Author: w.person(from.Author), Origin: from.Origin.String(), Template: from.Template, By: w.person(from.By),
		Elements: make([][3]uint64, len(text.Pieces)),
	}
	if !from.At.IsZero() {
		span.At = &from.At
	}
	if from.Source != nil {
		source := w.source(*from.Source, 0)
		span.Source = &source
	}
	for i, p := range text.Pieces {
		span.Elements[i] = [3]uint64{uint64(p.ID.Client), p.ID.Clock, p.ID.Clock + p.Len}
	}
	return span
}

func (w *authorsWriter) source(s sessions.Source, words int) carriedFrom {
	return carriedFrom{s.Note, w.person(s.Author), s.At, words}
}

func (w *authorsWriter) person(id uuid.UUID) *uuid.UUID {
	if id == uuid.Nil {
		return nil
	}
	if !w.seen[id] {
		w.seen[id] = true
		w.people = append(w.people, id)
	}
	return &id
}

// names looks up what people are called.
func (s *Server) names(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]string, error) {
	people, err := s.db.PeopleByID(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("look up people: %w", err)
	}
	names := make(map[uuid.UUID]string, len(people))
	for _, p := range people {
		names[p.ID] = p.Name
	}
	return names, nil
}
