package server

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/sessions"
)

// mountLosses adds the part of the API about text that was removed unseen.
func (s *Server) mountLosses(api huma.API) {
	list := operation("list-losses", http.MethodGet, "/notes/{id}/losses", "List text that was removed unseen")
	list.Description = "Text that its author typed where somebody else replaced or deleted what held it, at the same time, so that it went without anybody having chosen to delete it."
	huma.Register(api, list, s.apiListLosses)
	settle := operation("settle-losses", http.MethodPost, "/notes/{id}/losses/settle", "Say that your removed text was put back, or is not wanted")
	settle.Description = "Putting text back is an edit like any other; this only says that it was made. Losses of somebody else, and settled ones, are left as they are."
	huma.Register(api, settle, s.apiSettleLosses)
}

// lossLimit is how many losses one answer has at most.
const lossLimit = 100

type listLossesInput struct {
	ID      uuid.UUID `path:"id" format:"uuid"`
	Waiting bool      `query:"waiting" doc:"Only your own that are not settled"`
	Before  string    `query:"before" doc:"The next older ones: the last id of the answer before" maxLength:"32"`
}

type listLossesOutput struct {
	Body struct {
		Losses []apiLoss `json:"losses" nullable:"false" doc:"The newest first, 100 at most"`
	}
}

// apiLoss is a loss as the API lists it.
type apiLoss struct {
	ID       string      `json:"id"`
	Text     string      `json:"text" doc:"What was removed, one paragraph a line"`
	Author   apiPerson   `json:"author" doc:"Whose text it was"`
	By       apiPerson   `json:"by" doc:"Who replaced or deleted what held it"`
	Replaced bool        `json:"replaced" doc:"Whether something else took its place, as when a paragraph becomes a heading"`
	At       time.Time   `json:"at" doc:"When it was lost"`
	Seq      uint64      `json:"seq" doc:"Number of the update with which it was lost"`
	BySeq    uint64      `json:"bySeq" doc:"Number of the update that removed what held it"`
	Place    []apiPlace  `json:"place" nullable:"false" doc:"Ids of the Yjs items that held it, inside first"`
	Settled  *apiSettled `json:"settled,omitempty" doc:"What its author did about it"`
}

type apiPerson struct {
	ID   uuid.UUID `json:"id" format:"uuid"`
	Name string    `json:"name"`
}

type apiPlace struct {
	Client uint64 `json:"client"`
	Clock  uint64 `json:"clock"`
}

type apiSettled struct {
	How string    `json:"how" enum:"restored,dismissed"`
	At  time.Time `json:"at"`
}

func (s *Server) apiListLosses(ctx context.Context, in *listLossesInput) (*listLossesOutput, error) {
	who, err := s.apiMay(ctx, access.ReadNote, in.ID)
	if err != nil {
		return nil, err
	}
	q := sessions.LossQuery{Waiting: in.Waiting, Limit: lossLimit}
	if in.Waiting {
		q.Author = who.ID
	}
	if in.Before != "" {
		if q.Before, err = lossID(in.Before); err != nil {
			return nil, apiError(ctx, err)
		}
	}
	losses, err := s.hub.Losses(ctx, in.ID, q)
	if err != nil {
		return nil, apiError(ctx, err)
	}
	var people []uuid.UUID
	for _, l := range losses {
		people = append(people, l.Author, l.By)
	}
	names, err := s.names(ctx, people)
	if err != nil {
		return nil, apiError(ctx, err)
	}
	var out listLossesOutput
	out.Body.Losses = make([]apiLoss, len(losses))
	for i, l := range losses {
		out.Body.Losses[i] = lossView(l, names)
	}
	return &out, nil
}

func lossView(l sessions.LostText, names map[uuid.UUID]string) apiLoss {
	view := apiLoss{
		ID: fmt.Sprintf("%d.%d", l.Seq, l.Part), Text: l.Words, Replaced: l.Replaced, At: l.At, Seq: l.Seq, BySeq: l.BySeq,
		Author: apiPerson{l.Author, names[l.Author]}, By: apiPerson{l.By, names[l.By]},
		Place: make([]apiPlace, len(l.Place)),
	}
	for i, id := range l.Place {
		view.Place[i] = apiPlace{uint64(id.Client), id.Clock}
	}
	if l.Settled != nil {
		view.Settled = &apiSettled{string(l.Settled.How), l.Settled.At}
	}
	return view
}

// lossID reads what lossView writes.
func lossID(s string) (sessions.LossID, error) {
	seq, part, _ := strings.Cut(s, ".")
	n, errN := strconv.ParseUint(seq, 10, 53)
	k, errK := strconv.ParseUint(part, 10, 15) // a smallint
	if errN != nil || errK != nil {
		return sessions.LossID{}, badRequest("There is no such loss.")
	}
	return sessions.LossID{Seq: n, Part: int(k)}, nil
}

type settleInput struct {
	ID   uuid.UUID `path:"id" format:"uuid"`
	Body struct {
		Losses []string `json:"losses" minItems:"1" maxItems:"100" doc:"Their ids"`
		How    string   `json:"how" enum:"restored,dismissed"`
	}
}

type settleOutput struct {
	Body struct {
		Settled int `json:"settled" doc:"How many were yours and not settled before"`
	}
}

// apiSettleLosses is for authors of lost text, who may have lost the right to write the note meanwhile.
func (s *Server) apiSettleLosses(ctx context.Context, in *settleInput) (*settleOutput, error) {
	who, err := s.apiMay(ctx, access.ReadNote, in.ID)
	if err != nil {
		return nil, err
	}
	ids := make([]sessions.LossID, len(in.Body.Losses))
	for i, id := range in.Body.Losses {
		if ids[i], err = lossID(id); err != nil {
			return nil, apiError(ctx, err)
		}
	}
	var out settleOutput
	out.Body.Settled, err = s.hub.SettleLosses(ctx, in.ID, who.ID, ids, sessions.Remedy(in.Body.How))
	if err != nil {
		return nil, apiError(ctx, err)
	}
	return &out, nil
}
