package server

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/login"
)

// mountTickets adds the part of the API by which pages open sockets.
func (s *Server) mountTickets(api huma.API) {
	op := operation("issue-ticket", http.MethodPost, "/notes/{id}/ticket", "Get a ticket for one socket")
	op.Description = "A browser shows it in place of a token, on `/ws` or `/ws/notes/{id}`, beside the cookie of the same login: once, within 30 seconds, for this note. Each reconnect needs another. Programs with a token need none."
	op.Security = []map[string][]string{{"cookie": {}}}
	huma.Register(api, op, s.apiTicket)
}

type ticketInput struct {
	ID     uuid.UUID `path:"id" format:"uuid"`
	Person string    `header:"Tidechart-Person" maxLength:"36" doc:"Id of the person whose page asks; without it, whoever is signed in"`
}

type ticketOutput struct {
	Body struct {
		Ticket  string    `json:"ticket"`
		Expires time.Time `json:"expires"`
	}
}

func (s *Server) apiTicket(ctx context.Context, in *ticketInput) (*ticketOutput, error) {
	who := apiKnown(ctx)
	if !who.Browser {
		return nil, apiError(ctx, badRequest("A token opens sockets by itself."))
	}
	if in.Person != "" && in.Person != who.ID.String() {
		return nil, apiError(ctx, errOtherPerson)
	}
	if _, err := s.mayDo(ctx, who, access.ReadNote, in.ID, byTicket); err != nil {
		return nil, apiError(ctx, err)
	}
	ticket, err := s.desk.Ticket(ctx, who, in.ID)
	if err != nil {
		return nil, apiError(ctx, err)
	}
	var out ticketOutput
	out.Body.Expires = time.Now().Add(login.TicketLifetime)
	out.Body.Ticket = ticket
	return &out, nil
}
