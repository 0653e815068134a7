package server

import (
	"context"
	"net/http"
	"reflect"
	"slices"
	"time"

	"github.com/a-h/templ"
	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/bedside"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/web"
	"github.com/clisonix/tidechart/web/words"
)

// boardPoll is how often a board looks though nothing was told: for edits of notes, and for what becomes overdue.
const boardPoll = 5 * time.Second

func (s *Server) mountBoard(mux *http.ServeMux) {
	mux.Handle("GET /units/{id}", s.known(s.board))
	mux.Handle("GET /units/{id}/events", s.answer(s.recognised(s.boardEvents)))
	mux.Handle("GET /units/{id}/beds/{bed}", s.known(s.bedPage))
	mux.Handle("POST /units/{id}/beds/{bed}", s.known(s.changeBed))
	mux.Handle("GET /units/{id}/wall", s.known(s.wall))
	mux.Handle("GET /units/{id}/wall/events", s.answer(s.recognised(s.wallEvents)))
	mux.Handle("POST /notes/{id}/nudge", s.known(s.nudge))
	mux.Handle("POST /nudges/seen", s.known(s.seeNudges))
}

func (s *Server) board(w http.ResponseWriter, r *http.Request, who login.Person) error {
	unit, err := s.unitOf(r.Context(), who, r.PathValue("id"), access.SeeBoard)
	if err != nil {
		return err
	}
	beds, err := s.boardFor(r.Context(), who, unit.Unit)
	if err != nil {
		return err
	}
	units, err := s.db.UnitsFor(r.Context(), who.ID)
	if err != nil {
		return err
	}
	view := web.BoardView{
		Shell:       s.shellOf(r, who, unit.Unit.Name, web.SectionBoard),
		BoardUnitID: unit.Unit.ID, BoardUnitName: unit.Unit.Name, AsOf: time.Now(), Beds: beds, Filter: web.BoardFilterOf(r.URL.Query()),
		CanSeeWall: access.Decide(asker(who), access.SeeWall, onUnit(unit.Works)).Allow, Overdue: overdueAfter,
	}
	for _, u := range units {
		if access.Decide(asker(who), access.SeeBoard, onUnit(u.Works)).Allow {
			view.Units = append(view.Units, web.UnitLink{ID: u.Unit.ID, Name: u.Unit.Name})
		}
	}
	s.render(w, r, http.StatusOK, web.Board(view))
	return nil
}

// unitOf is a unit to which somebody may do an act.
func (s *Server) unitOf(ctx context.Context, who login.Person, id string, act access.Act) (queries.UnitForRow, error) {
	row, err := s.db.UnitFor(ctx, who.ID, id)
	if err == nil {
		err = s.decide(ctx, who, act, onUnit(row.Works), onto{})
	}
	return row, err
}

// boardFor is a unit's board as somebody may see it: its beds, what is said of who lies there, who writes about them, and what is
// not signed.
func (s *Server) boardFor(ctx context.Context, who login.Person, unit queries.Unit) ([]web.BoardBed, error) {
	v, err := s.viewer(ctx, who, unit)
	if err != nil {
		return nil, err
	}
	beds := make([]web.BoardBed, len(v.look.beds))
	for i, bed := range v.look.beds {
		beds[i] = v.bed(ctx, i, bed)
	}
	return beds, nil
}

// viewer is somebody who looks at a unit now, with what is known of it.
func (s *Server) viewer(ctx context.Context, who login.Person, unit queries.Unit) (*boardViewer, error) {
	look, err := s.lookAt(ctx, unit.ID)
	if err != nil {
		return nil, err
	}
	rows, err := s.db.BoardTies(ctx, who.ID, unit.ID)
	if err != nil {
		return nil, err
	}
	ties := make(map[uuid.UUID][]string, len(rows))
	for _, row := range rows {
		ties[row.PatientID] = row.Ties
	}
	return &boardViewer{look: look, who: who, asks: asker(who), unit: unit, ties: ties, now: time.Now()}, nil
}

// boardViewer is somebody who looks at a board.
type boardViewer struct {
	look *unitLook
	who  login.Person
	asks access.Who
	unit queries.Unit
	ties map[uuid.UUID][]string // by patient
	now  time.Time
}

func (v *boardViewer) bed(ctx context.Context, place int, row store.BoardBed) web.BoardBed {
	bed := web.BoardBed{ID: row.BedID, UnitID: v.unit.ID, Label: row.BedLabel, Place: place}
	if !row.PatientID.Valid {
		return bed
	}
	about := access.Note{Ties: access.TiesOf(v.ties[row.PatientID.UUID]), Elsewhere: v.who.Elsewhere(v.unit.ID)}
	if !access.Decide(v.asks, access.SeePatient, about).Allow {
		return bed
	}
	patient := patientView(row.Patient, row.BedLabel, v.unit.Name)
	bed.Patient, bed.Bedside, bed.Alike = &patient, bedsideView(ctx, row.Bedside), v.look.alike[row.BedID]
	bed.CanChange = access.Decide(v.asks, access.ChangeBedside, about).Allow
	bed.Mine = about.Ties&access.Team != 0
	bed.AsOf = newest(clock(row.AdmittedAt), row.Bedside.At.Local())
	for _, n := range v.look.notes[row.PatientID.UUID] {
		about := noteStanding(n.Note, row.Vip, v.ties[row.PatientID.UUID], v.unit.ID, v.who)
		if !access.Decide(v.asks, access.ReadNote, about).Allow {
			continue
		}
		note := v.note(ctx, n, about)
		bed.Mine = bed.Mine || note.Waits != "" && n.Note.CreatedBy == v.who.ID
		bed.AsOf = newest(bed.AsOf, note.EditedAt, note.Asked, note.Seen, n.SignedAt.Local())
		for _, w := range note.Writers {
			bed.Writing = append(bed.Writing, web.Writer{Person: w, NoteID: note.ID, NoteKind: note.Kind})
		}
		bed.Notes = append(bed.Notes, note)
	}
	if len(bed.Notes) > 0 { // who may open none knows of no task, either
		tasks := v.look.tasks[row.PatientID.UUID]
		bed.Tasks, bed.TasksOverdue = int(tasks.Open), int(tasks.Overdue)
		bed.AsOf = newest(bed.AsOf, tasks.ChangedAt.Local())
	}
	return bed
}

// note is a note on a board, and whether who looks may ask for its signature.
func (v *boardViewer) note(ctx context.Context, row queries.BoardNotesRow, about access.Note) web.BoardNote {
	note := web.BoardNote{NoteLink: noteLink(row.Note, v.look.present), By: row.Creator}
	if note.NotReadBack = slices.Contains(v.look.unread, row.Note.ID); store.IsSigned(row.Note.State) {
		return note
	}
	note.Waits, note.Overdue = web.Waits(ctx, row.Note.CreatedAt, v.now), v.now.Sub(row.Note.CreatedAt) > overdueAfter
	note.CanAsk = row.Note.CreatedBy != v.who.ID && !row.CreatorLeft && access.Decide(v.asks, access.Nudge, onUnit(about.Ties&access.Unit != 0)).Allow
	for i, asked := range v.look.asked[row.Note.ID] {
		if i == 0 {
			note.Asked, note.Seen = asked.At.Local(), clock(asked.SeenAt)
		}
		if asked.ByID == v.who.ID && v.now.Sub(asked.At) < store.NudgeAgain {
			note.CanAsk = false
		}
	}
	return note
}

func newest(times ...time.Time) time.Time { return slices.MaxFunc(times, time.Time.Compare) }

func bedsideView(ctx context.Context, b store.Bedside) web.Bedside {
	said := func(all []bedside.Word, code string) web.Choice {
		name, _ := bedside.Name(all, code)
		return web.Choice{Value: code, Text: words.Say(ctx, name)}
	}
	return web.Bedside{
		Severity: said(bedside.Severities, b.Severity), Code: said(bedside.CodeStatuses, b.Code), Isolation: said(bedside.Isolations, b.Isolation),
		Isolated: b.Isolation != "" && b.Isolation != bedside.None, Home: b.Home,
	}
}

// boardEvents streams the beds that changed, and what any page tells.
func (s *Server) boardEvents(w http.ResponseWriter, r *http.Request, who login.Person) error {
	unit, err := s.unitOf(r.Context(), who, r.PathValue("id"), access.SeeBoard)
	if err != nil {
		return err
	}
	parts := []part{&boardPart{server: s, unit: unit.Unit.ID}}
	if hears, err := s.hears(r.Context(), who); err != nil {
		return err
	} else if hears {
		parts = append(parts, &noticePart{server: s})
	}
	return s.stream(w, r, who, boardPoll, s.boardNews, parts...)
}

// boardNews wakes boards.
func (s *Server) boardNews() (sessions, news <-chan struct{}) { return s.hub.Changed(), s.news.heard() }

// boardPart is the beds of a unit, as a page shows them.
type boardPart struct {
	server *Server
	unit   string
	shown  map[string]web.BoardBed // by bed
	day    int                     // of the year, on which that was
}

// show returns the beds that look different from what the page shows.
func (b *boardPart) show(ctx context.Context, who login.Person) (templ.Component, error) {
	unit, err := b.server.unitOf(ctx, who, b.unit, access.SeeBoard)
	if err != nil {
		return nil, err
	}
	beds, err := b.server.boardFor(ctx, who, unit.Unit)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	update := web.BoardUpdate{AsOf: now, Now: now, CanReadNotes: access.May(who.Role, access.ReadNote), Totals: web.TotalsOf(beds)}
	if b.shown, update.Beds = changed(b.shown, b.day == now.YearDay(), beds, func(bed web.BoardBed) string { return bed.ID }); update.Beds == nil {
		return nil, nil
	}
	b.day = now.YearDay()
	return web.BoardEvent(update), nil
}

// changed returns what of rows differs from what is shown, all of it unless it is the same day, and what is shown then.
func changed[Row any](shown map[string]Row, sameDay bool, rows []Row, id func(Row) string) (now map[string]Row, differ []Row) {
	if shown == nil {
		shown = make(map[string]Row, len(rows))
	}
	for _, row := range rows {
		if was, is := shown[id(row)]; !is || !sameDay || !reflect.DeepEqual(was, row) {
			shown[id(row)], differ = row, append(differ, row)
		}
	}
	return shown, differ
}
