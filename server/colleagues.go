package server

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/web"
)

// maxColleagues is how many people are listed of a note's unit and its patient's team (I10).
const maxColleagues = 500

// mountColleagues adds the part of the API that says who can be given a task of a note, or be named in it.
func (s *Server) mountColleagues(api huma.API) {
	op := operation("read-colleagues", http.MethodGet, "/notes/{id}/colleagues", "Read who works with a note’s patient")
	op.Description = "Who works on the patient’s unit now, and the patient’s team, by name. They can be given tasks of the note, and be named in it. For who may write the note."
	huma.Register(api, op, s.apiReadColleagues)
}

type colleaguesInput struct {
	ID uuid.UUID `path:"id" format:"uuid"`
}

type colleaguesOutput struct {
	Body struct {
		People []colleague `json:"people" nullable:"false"`
	}
}

type colleague struct {
	apiPerson
	Role     string `json:"role" example:"nurse"`
	RoleName string `json:"roleName" example:"nurse" doc:"The same in the language of whoever asks"`
}

func (s *Server) apiReadColleagues(ctx context.Context, in *colleaguesInput) (*colleaguesOutput, error) {
	st, err := s.mayDo(ctx, apiKnown(ctx), access.WriteNote, in.ID, notAgain)
	if err != nil {
		return nil, apiError(ctx, err)
	}
	rows, err := s.db.Colleagues(ctx, &st.Unit, st.PatientID, maxColleagues)
	if err != nil {
		return nil, apiError(ctx, err)
	}
	out := new(colleaguesOutput)
	out.Body.People = make([]colleague, len(rows))
	for i, row := range rows {
		out.Body.People[i] = colleague{apiPerson{row.ID, row.Name}, row.Role, web.Named(ctx, row.Role)}
	}
	return out, nil
}
