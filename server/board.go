package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"net/http"
	"time"

	"github.com/a-h/templ"

	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/web"
)

// boardPoll is how often a board looks for what changes without a session: beds, new notes.
const boardPoll = 5 * time.Second

func (s *Server) board(w http.ResponseWriter, r *http.Request, who login.Person) error {
	unit, beds, err := s.lookAtBoard(r.Context(), who, r.PathValue("id"))
	if err != nil {
		return err
	}
	units, err := s.db.UnitsFor(r.Context(), who.ID)
	if err != nil {
		return err
	}
	view := web.BoardView{
		Shell:       s.shellOf(r, who, unit.Name, web.SectionBoard),
		BoardUnitID: unit.ID, BoardUnitName: unit.Name, AsOf: time.Now(), Beds: beds,
	}
	for _, u := range units {
		if access.Decide(asker(who), access.SeeBoard, onUnit(u.Works)).Allow {
			view.Units = append(view.Units, web.UnitLink{ID: u.Unit.ID, Name: u.Unit.Name})
		}
	}
	s.render(w, r, http.StatusOK, web.Board(view))
	return nil
}

// lookAtBoard reads a unit's beds and who is writing now, for somebody who may see it.
func (s *Server) lookAtBoard(ctx context.Context, who login.Person, id string) (queries.Unit, []web.BoardBed, error) {
	row, err := s.db.UnitFor(ctx, who.ID, id)
	if err == nil {
		err = s.decide(ctx, who, access.SeeBoard, onUnit(row.Works), onto{})
	}
	if err != nil {
		return queries.Unit{}, nil, err
	}
	beds, err := s.bedsFor(ctx, who, id)
	if err != nil {
		return queries.Unit{}, nil, err
	}
	found, _, err := s.notesFor(ctx, who, id)
	if err != nil {
		return queries.Unit{}, nil, err
	}
	notes := make([]queries.Note, len(found))
	for i, n := range found {
		notes[i] = n.Note
	}
	return row.Unit, boardBeds(beds, notes, row.Unit.Name, s.hub.Present()), nil
}

// boardEvents streams the beds that changed, and what any page tells.
func (s *Server) boardEvents(w http.ResponseWriter, r *http.Request, who login.Person) error {
	row, err := s.db.UnitFor(r.Context(), who.ID, r.PathValue("id"))
	if err == nil {
		err = s.decide(r.Context(), who, access.SeeBoard, onUnit(row.Works), onto{})
	}
	if err != nil {
		return err
	}
	parts := []part{&boardPart{server: s, unit: row.Unit.ID, shown: make(map[string][sha256.Size]byte)}}
	told, err := s.toldOf(r.Context(), who)
	if err != nil {
		return err
	}
	if told {
		parts = append(parts, &noticePart{server: s})
	}
	return s.stream(w, r, who, boardPoll, func() (sessions, news <-chan struct{}) { return s.hub.Changed(), s.news.heard() }, parts...)
}

// boardPart is the beds of a unit, as a page shows them.
type boardPart struct {
	server *Server
	unit   string
	shown  map[string][sha256.Size]byte // by bed
}

// show returns the beds that look different from what the page shows.
func (b *boardPart) show(ctx context.Context, who login.Person) (templ.Component, error) {
	_, beds, err := b.server.lookAtBoard(ctx, who, b.unit)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	canRead := access.May(who.Role, access.ReadNote)
	update := web.BoardUpdate{AsOf: now, Now: now, CanReadNotes: canRead, Totals: web.TotalsOf(beds)}
	for _, bed := range beds {
		var html bytes.Buffer
		if err := web.BoardRow(bed, now, canRead).Render(ctx, &html); err != nil {
			return nil, err
		}
		if sum := sha256.Sum256(html.Bytes()); sum != b.shown[bed.ID] {
			b.shown[bed.ID] = sum
			update.Beds = append(update.Beds, bed)
		}
	}
	if len(update.Beds) == 0 {
		return nil, nil
	}
	return web.BoardEvent(update), nil
}
