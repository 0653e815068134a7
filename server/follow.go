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
	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/store/queries"
)

const (
	maxFollowed = 1000 // accesses in one answer

	// followBehind is how old an access is when it is listed: what is on record by then, no statement can still bring.
	followBehind = 15 * time.Second
)

// mountFollow adds the part of the API by which a program, such as one that looks for snoopers, reads who opens records.
func (s *Server) mountFollow(api huma.API) {
	op := operation("list-accesses", http.MethodGet, "/accesses", "List who has opened which record")
	op.Tags = []string{"Accesses"}
	op.Security = []map[string][]string{{"bearer": {}}}
	op.Description = fmt.Sprintf("For a service account whose token has the scope `accesses:read`. The oldest come first, up to %d at a time, and %.0f seconds after they happened; give `next` of one answer as `after` of the next question.", maxFollowed, followBehind.Seconds())
	huma.Register(api, op, s.apiFollow)
}

type followInput struct {
	After string `query:"after" maxLength:"64" doc:"What the answer before named as next; without it, the list begins with the oldest"`
}

type followOutput struct {
	Body struct {
		Accesses []apiAccess `json:"accesses" nullable:"false"`
		Next     string      `json:"next" doc:"Where to go on"`
	}
}

// apiAccess is one time that somebody has opened a record, or tried to. Patients have no names here.
type apiAccess struct {
	At       time.Time  `json:"at"`
	How      string     `json:"how" enum:"page,editor,api,denied,glass,accesses,export,history,print,file" doc:"denied: they tried to, and were refused; glass: they broke it; accesses, export: they looked at this list; print, file: they took a copy of the note"`
	Ties     string     `json:"ties" doc:"What linked them to the patient then; empty: nothing"`
	Person   uuid.UUID  `json:"person" format:"uuid"`
	Username string     `json:"username"`
	Role     string     `json:"role" doc:"That they have now"`
	Patient  uuid.UUID  `json:"patient" format:"uuid"`
	MRN      string     `json:"mrn" doc:"Medical record number"`
	Note     *uuid.UUID `json:"note,omitempty" format:"uuid" doc:"Without it: the record as such"`
}

func (s *Server) apiFollow(ctx context.Context, in *followInput) (*followOutput, error) {
	if err := s.decide(ctx, apiKnown(ctx), access.FollowAccesses, access.Note{}, onto{}); err != nil {
		return nil, apiError(ctx, err)
	}
	at, id, err := parsePlace(in.After)
	if err != nil {
		return nil, apiError(ctx, err)
	}
	rows, err := s.db.Follow(ctx, queries.FollowParams{At: at, ID: id, Until: time.Now().Add(-followBehind), MaxRows: maxFollowed})
	if err == nil && len(rows) > 0 { // who asks again and again, and learns nothing, is not on record for that
		err = s.db.Record(ctx, audit.Event{Act: audit.FollowAccesses, Code: fmt.Sprintf("%d found", len(rows))})
	}
	if err != nil {
		return nil, apiError(ctx, fmt.Errorf("list accesses: %w", err))
	}
	var out followOutput
	out.Body.Accesses, out.Body.Next = make([]apiAccess, len(rows)), in.After
	for i, row := range rows {
		out.Body.Accesses[i] = apiAccess{
			At: row.At, How: row.How, Ties: row.Ties, Person: row.PersonID, Username: row.Username, Role: row.Role, Patient: row.Patient.ID, MRN: row.Patient.Mrn,
		}
		if row.NoteID.Valid {
			out.Body.Accesses[i].Note = &row.NoteID.UUID
		}
		out.Body.Next = fmt.Sprintf("%d.%d", row.At.UnixMicro(), row.ID)
	}
	return &out, nil
}

// parsePlace reads where in the list somebody was; "" is its beginning.
func parsePlace(text string) (at time.Time, id int64, err error) {
	if text == "" {
		return time.Time{}, 0, nil
	}
	before, after, _ := strings.Cut(text, ".")
	micros, notTime := strconv.ParseInt(before, 10, 64)
	id, notID := strconv.ParseInt(after, 10, 64)
	if notTime != nil || notID != nil {
		return at, id, badRequest("There is no such place in the list: give what an answer named as next.")
	}
	return time.UnixMicro(micros), id, nil
}
