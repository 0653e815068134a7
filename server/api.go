package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/sessions"
	"github.com/clisonix/tidechart/web"
)

// The API's paths.
const (
	apiPath  = "/api/v1"
	specPath = apiPath + "/openapi" // huma adds .json and .yaml
)

// apiTimeout bounds an operation. When it ends an edit's, the outcome is unknown to the caller, who may send the
// same update again.
const apiTimeout = 30 * time.Second

// mountAPI adds the HTTP API. Its operations do what pages and sockets do, through the same code.
func (s *Server) mountAPI(mux *http.ServeMux) {
	config := huma.DefaultConfig("Tidechart", s.version)
	config.Info.Description = "Patient notes that several people write at once. A note's content is a Yjs document; its XmlFragment is named `" + sessions.Fragment + "`."
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = specPath, "", apiPath+"/schemas"
	config.CreateHooks = nil // no $schema links in answers
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"bearer": {Type: "http", Scheme: "bearer", Description: "A token from `tidechart token --user NAME`, or from the page of a service account."},
		"cookie": {Type: "apiKey", In: "cookie", Name: "tidechart", Description: "The cookie of a browser login (`__Host-tidechart` over HTTPS)."},
	}
	config.Security = []map[string][]string{{"bearer": {}}, {"cookie": {}}}
	api := huma.NewGroup(humago.New(mux, config), apiPath)
	api.UseMiddleware(s.apiLogin(api))
	api.UseSimpleModifier(documentLimits)

	huma.Register(api, operation("list-notes", http.MethodGet, "/notes", "List notes"), s.apiListNotes)
	create := operation("create-note", http.MethodPost, "/notes", "Begin a note")
	create.DefaultStatus = http.StatusCreated
	huma.Register(api, create, s.apiCreateNote)
	huma.Register(api, operation("read-note", http.MethodGet, "/notes/{id}", "Read what a note is about"), s.apiReadNote)
	huma.Register(api, stateOperation(), s.apiReadState)
	edit := operation("edit-note", http.MethodPost, "/notes/{id}/edits", "Apply a Yjs update, version 1")
	edit.MaxBodyBytes = sessions.MaxFrame
	edit.BodyReadTimeout = apiTimeout
	huma.Register(api, edit, s.apiEdit)
	schema := operation("read-schema", http.MethodGet, "/schema", "Read what notes are made of")
	schema.Description = schemaDescription()
	huma.Register(api, schema, s.apiReadSchema)
	s.mountNoteTasks(api)
	s.mountLosses(api)
	s.mountComments(api)
	s.mountAuthors(api)
	s.mountPhrasesAPI(api)
	s.mountColleagues(api)
	s.mountTickets(api)
	s.mountFollow(api)
}

func operation(id, method, path, summary string) huma.Operation {
	return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, Tags: []string{"Notes"}}
}

func stateOperation() huma.Operation {
	op := operation("read-state", http.MethodGet, "/notes/{id}/state", "Read a note's content")
	op.Description = "As the Accept header asks: a Yjs update (the default), ProseMirror JSON, or plain text."
	op.Responses = map[string]*huma.Response{"200": {
		Description: "The committed content.",
		Content: map[string]*huma.MediaType{
			mediaUpdate: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}},
			mediaJSON:   {Schema: &huma.Schema{Type: huma.TypeObject, Description: "A ProseMirror document node."}},
			mediaText:   {Schema: &huma.Schema{Type: huma.TypeString}},
		},
	}}
	return op
}

// caller is who calls an operation, and where it leaves the reason why it refused.
type caller struct {
	login.Person
	reason *error
}

type callerKey struct{}

// apiLogin lets nobody in who is not known or asks too often, and logs whatever is refused.
func (s *Server) apiLogin(api huma.API) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(ctx)
		limit, cancel := context.WithTimeout(r.Context(), apiTimeout)
		defer cancel()
		reason := new(error)
		who, err := s.asks(r.WithContext(limit))
		if err != nil {
			status, detail := statusOf(ctx.Context(), err)
			retryAfter(w.Header(), err)
			_ = huma.WriteErr(api, ctx, status, detail) // the caller may be gone
		} else {
			next(huma.WithContext(ctx, context.WithValue(as(limit, who), callerKey{}, caller{who, reason})))
		}
		if status := ctx.Status(); status >= http.StatusBadRequest { // huma's own refusals too
			s.logRefusal(r, status, "", cmp.Or(err, *reason))
		}
	}
}

// apiKnown returns who asks.
func apiKnown(ctx context.Context) login.Person { return ctx.Value(callerKey{}).(caller).Person }

// apiMay returns who asks, if they may do act to a note.
func (s *Server) apiMay(ctx context.Context, act access.Act, note uuid.UUID) (login.Person, error) {
	who := apiKnown(ctx)
	if _, err := s.mayDo(ctx, who, act, note, byAPI); err != nil {
		return login.Person{}, apiError(ctx, err)
	}
	return who, nil
}

// apiError answers as RFC 9457 says, and leaves the reason for the log.
func apiError(ctx context.Context, err error) error {
	status, detail := statusOf(ctx, err)
	*ctx.Value(callerKey{}).(caller).reason = err
	header := make(http.Header)
	retryAfter(header, err)
	return huma.ErrorWithHeaders(huma.NewError(status, detail), header)
}

// apiNote is a note as the API lists it.
type apiNote struct {
	ID       uuid.UUID  `json:"id" format:"uuid"`
	Kind     string     `json:"kind" doc:"Code of the kind of note" example:"progress"`
	LOINC    string     `json:"loinc" doc:"LOINC code of the kind" example:"11506-3"`
	Title    string     `json:"title"`
	Status   string     `json:"status" enum:"draft,review,signing,signed,cosigned,added,amended,retracted"`
	Unit     string     `json:"unit" doc:"Id of the unit"`
	Patient  apiPatient `json:"patient"`
	Seq      int64      `json:"seq" doc:"Number of the newest committed update"`
	EditedAt time.Time  `json:"editedAt"`
}

type apiPatient struct {
	ID   uuid.UUID `json:"id" format:"uuid"`
	Name string    `json:"name"`
	MRN  string    `json:"mrn" doc:"Medical record number"`
	Bed  string    `json:"bed,omitempty"`
}

func noteOf(n queries.Note, p store.Patient, bed string) apiNote {
	return apiNote{
		ID: n.ID, Kind: n.Kind, LOINC: loincOf(n.Kind), Title: n.Title, Status: store.StateOf(n), Unit: n.UnitID,
		Patient: apiPatient{ID: p.ID, Name: p.Family + ", " + p.Given, MRN: p.Mrn, Bed: bed}, Seq: n.Head, EditedAt: n.EditedAt,
	}
}

type listNotesInput struct {
	Unit string `query:"unit" doc:"Only notes of this unit" maxLength:"64"`
}

type listNotesOutput struct {
	Body struct {
		Notes []apiNote `json:"notes" nullable:"false"`
	}
}

func (s *Server) apiListNotes(ctx context.Context, in *listNotesInput) (*listNotesOutput, error) {
	rows, _, err := s.notesFor(ctx, apiKnown(ctx), in.Unit)
	if err == nil {
		err = s.db.Record(ctx, audit.Event{Act: audit.ListNotes, Code: strings.TrimSpace(fmt.Sprintf("%d found %s", len(rows), unitCode(in.Unit)))})
	}
	if err != nil {
		return nil, apiError(ctx, err)
	}
	var out listNotesOutput
	out.Body.Notes = make([]apiNote, len(rows))
	for i, row := range rows {
		out.Body.Notes[i] = noteOf(row.Note, row.Patient, row.BedLabel)
	}
	return &out, nil
}

// unitCode is a unit for the log of acts, if it could be one: it is what somebody sent.
func unitCode(unit string) string {
	if strings.ContainsFunc(unit, func(r rune) bool { return r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') }) || unit == "" {
		return ""
	}
	return "unit=" + unit
}

type createNoteInput struct {
	Body struct {
		Patient string `json:"patient" format:"uuid" doc:"Id of the patient"`
		Kind    string `json:"kind" doc:"Code of the kind of note" example:"progress"`
	}
}

type noteOutput struct {
	Body apiNote
}

func (s *Server) apiCreateNote(ctx context.Context, in *createNoteInput) (*noteOutput, error) {
	id, err := s.newNote(ctx, apiKnown(ctx), in.Body.Patient, in.Body.Kind)
	if err != nil {
		return nil, apiError(ctx, err)
	}
	return s.readNote(ctx, id)
}

type noteInput struct {
	ID uuid.UUID `path:"id" format:"uuid"`
}

func (s *Server) apiReadNote(ctx context.Context, in *noteInput) (*noteOutput, error) {
	if _, err := s.apiMay(ctx, access.ReadNote, in.ID); err != nil {
		return nil, err
	}
	return s.readNote(ctx, in.ID)
}

func (s *Server) readNote(ctx context.Context, id uuid.UUID) (*noteOutput, error) {
	row, err := s.db.NoteByID(ctx, id)
	if err != nil {
		return nil, apiError(ctx, err)
	}
	return &noteOutput{Body: noteOf(row.Note, row.Patient, row.BedLabel)}, nil
}

// Media types of a note's content.
const (
	mediaUpdate = "application/octet-stream"
	mediaJSON   = "application/json"
	mediaText   = "text/plain"
)

type stateInput struct {
	ID     uuid.UUID `path:"id" format:"uuid"`
	Accept string    `header:"Accept" doc:"application/octet-stream, application/json or text/plain"`
}

type stateOutput struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

func (s *Server) apiReadState(ctx context.Context, in *stateInput) (*stateOutput, error) {
	if _, err := s.apiMay(ctx, access.ReadNote, in.ID); err != nil {
		return nil, err
	}
	media := preferred(in.Accept)
	if media == mediaUpdate {
		state, err := s.hub.State(ctx, in.ID)
		if err != nil {
			return nil, apiError(ctx, err)
		}
		return &stateOutput{ContentType: media, Body: state}, nil
	}
	doc, err := s.hub.Doc(ctx, in.ID)
	if err != nil {
		return nil, apiError(ctx, err)
	}
	note := prose.Read(doc.XMLFragment(sessions.Fragment))
	if media == mediaText {
		return &stateOutput{ContentType: media + "; charset=utf-8", Body: []byte(prose.Text(note))}, nil
	}
	body, err := prose.JSON(note)
	if err != nil {
		return nil, apiError(ctx, err)
	}
	return &stateOutput{ContentType: media, Body: body}, nil
}

// preferred returns the first of an Accept header's media types that a note has, and the update without one.
func preferred(accept string) string {
	for part := range strings.SplitSeq(accept, ",") {
		media, _, _ := strings.Cut(part, ";")
		switch media = strings.ToLower(strings.TrimSpace(media)); media {
		case mediaJSON, mediaText, mediaUpdate:
			return media
		}
	}
	return mediaUpdate
}

type editInput struct {
	ID      uuid.UUID `path:"id" format:"uuid"`
	Schema  string    `query:"schema" maxLength:"64" doc:"Fingerprint of the schema that the editor has; without it, it is taken to have Tiptap's StarterKit"`
	RawBody []byte    `contentType:"application/octet-stream"`
}

type editOutput struct {
	Body struct {
		Seq uint64 `json:"seq" doc:"Number the update was committed under, or the newest one if it held nothing new"`
	}
}

// apiEdit answers after the commit, as a peer would be answered.
func (s *Server) apiEdit(ctx context.Context, in *editInput) (*editOutput, error) {
	who := apiKnown(ctx)
	if err := s.limits.edit(who, len(in.RawBody)); err != nil {
		return nil, apiError(ctx, err)
	}
	grant, err := s.grant(ctx, who, in.ID, byAPI)
	if err != nil {
		return nil, apiError(ctx, err)
	}
	if grant.Schema, err = declaredSchema(in.Schema); err != nil {
		return nil, apiError(ctx, err)
	}
	seq, err := s.hub.Apply(ctx, in.ID, grant, in.RawBody)
	if err != nil {
		return nil, apiError(ctx, err)
	}
	var out editOutput
	out.Body.Seq = seq
	return &out, nil
}

// apiDocs shows the API's description.
func (s *Server) apiDocs(w http.ResponseWriter, r *http.Request) error {
	who, err := s.asks(r)
	if err != nil && !errors.Is(err, login.ErrNotSignedIn) {
		return err
	}
	shell := web.Shell{Title: "API", Now: time.Now(), Connection: s.connection(r)}
	if err == nil {
		shell = s.shellOf(r, who, "API", web.SectionAPI)
	}
	w.Header().Set("Content-Security-Policy", web.DocsPolicy(templ.GetNonce(r.Context())))
	s.render(w, r, http.StatusOK, web.APIDocs(web.APIDocsView{Shell: shell, SpecURL: specPath + ".json"}))
	return nil
}
