package server

import (
	"context"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/sessions"
)

// mountAuthors adds the part of the API that says who wrote what.
func (s *Server) mountAuthors(api huma.API) {
	op := operation("read-authors", http.MethodGet, "/notes/{id}/authors", "Read who wrote what")
	op.Description = "A note's text, cut where its author changes. Text that somebody only moved, by splitting or joining paragraphs or making one a heading, stays its author's."
	huma.Register(api, op, s.apiReadAuthors)
}

type authorsInput struct {
	ID uuid.UUID `path:"id" format:"uuid"`
}

type authorsOutput struct {
	Body struct {
		People []apiPerson   `json:"people" nullable:"false" doc:"Who wrote any of it"`
		Blocks []authorBlock `json:"blocks" nullable:"false" doc:"Paragraphs, headings and other blocks with text, in order"`
	}
}

type authorBlock struct {
	Type  string       `json:"type" example:"paragraph"`
	Spans []authorSpan `json:"spans" nullable:"false"`
}

type authorSpan struct {
	Text   string     `json:"text"`
	Author *uuid.UUID `json:"author,omitempty" format:"uuid" doc:"One of people"`
}

func (s *Server) apiReadAuthors(ctx context.Context, in *authorsInput) (*authorsOutput, error) {
	if _, err := s.apiMay(ctx, access.ReadNote, in.ID); err != nil {
		return nil, err
	}
	doc, writers, err := s.hub.Authored(ctx, in.ID)
	if err != nil {
		return nil, apiError(ctx, err)
	}
	var out authorsOutput
	out.Body.Blocks = appendAuthored([]authorBlock{}, prose.Read(doc.XMLFragment(sessions.Fragment)), writers)
	ids := []uuid.UUID{}
	seen := make(map[uuid.UUID]bool)
	for _, b := range out.Body.Blocks {
		for _, span := range b.Spans {
			if span.Author != nil && !seen[*span.Author] {
				seen[*span.Author] = true
				ids = append(ids, *span.Author)
			}
		}
	}
	names, err := s.names(ctx, ids)
	if err != nil {
		return nil, apiError(ctx, err)
	}
	out.Body.People = make([]apiPerson, len(ids))
	for i, id := range ids {
		out.Body.People[i] = apiPerson{id, names[id]}
	}
	return &out, nil
}

// appendAuthored adds the block that n is, if it has text of its own, and those in it. Package prose bounds how deep
// they lie.
func appendAuthored(blocks []authorBlock, n prose.Node, writers map[crdt.ClientID]uuid.UUID) []authorBlock {
	own := -1
	for _, c := range n.Content {
		if c.Type != "text" {
			blocks = appendAuthored(blocks, c, writers)
			continue
		}
		if own < 0 {
			own = len(blocks)
			blocks = append(blocks, authorBlock{Type: n.Type})
		}
		spans := &blocks[own].Spans
		var author *uuid.UUID
		if who := writers[c.Author]; who != uuid.Nil {
			author = &who
		}
		if k := len(*spans) - 1; k >= 0 && sameAuthor((*spans)[k].Author, author) {
			(*spans)[k].Text += c.Text
			continue
		}
		*spans = append(*spans, authorSpan{c.Text, author})
	}
	return blocks
}

func sameAuthor(a, b *uuid.UUID) bool { return a == b || a != nil && b != nil && *a == *b }

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
