package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/web"
)

// Rhythm of the board's event stream.
const (
	boardCoalesce = 250 * time.Millisecond // at most four changes a second for each viewer
	boardPoll     = 5 * time.Second        // for what changes without a session: beds, new notes
	boardTimeout  = 10 * time.Second       // of one write, and of one look at the database
)

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
		BoardUnitID: unit.ID, BoardUnitName: unit.Name, AsOf: time.Now(), Beds: beds, OpenReviews: s.openReviews(r.Context(), who, unit.ID),
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
	ctx, cancel := context.WithTimeout(ctx, boardTimeout)
	defer cancel()
	row, err := s.db.UnitFor(ctx, who.ID, id)
	if err == nil {
		err = s.decide(who, access.SeeBoard, onUnit(row.Works), id)
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

// boardEvents streams the beds that changed. A page that connects, again or for the first time, gets every bed:
// there is nothing to replay, and nothing to miss.
func (s *Server) boardEvents(w http.ResponseWriter, r *http.Request, who login.Person) error {
	row, err := s.db.UnitFor(r.Context(), who.ID, r.PathValue("id"))
	if err == nil {
		err = s.decide(who, access.SeeBoard, onUnit(row.Works), row.Unit.ID)
	}
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no")
	stream := &boardStream{server: s, w: w, control: http.NewResponseController(w), unit: r.PathValue("id"), who: who}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(s.drained, cancel)()
	if err := stream.run(ctx); err != nil && !errors.Is(err, context.Canceled) {
		s.log.Info("board stream ends", "err", err)
	}
	return nil
}

// boardStream is one page that watches a unit.
type boardStream struct {
	server  *Server
	w       http.ResponseWriter
	control *http.ResponseController
	unit    string
	shown   map[string][sha256.Size]byte // by bed: what the page shows
	reviews int                          // that wait, as the page shows it
	events  int

	who login.Person // that watches
}

func (b *boardStream) run(ctx context.Context) error {
	poll := time.NewTicker(boardPoll)
	defer poll.Stop()
	ping := time.NewTicker(web.PingInterval)
	defer ping.Stop()
	b.shown = make(map[string][sha256.Size]byte)
	for {
		changed, news := b.server.hub.Changed(), b.server.news.heard() // taken before looking, so that no change falls between
		if err := b.send(ctx); err != nil {
			return err
		}
		coalesce := time.NewTimer(boardCoalesce)
		select {
		case <-coalesce.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		select {
		case <-changed:
		case <-news:
		case <-poll.C:
		case <-ping.C:
			if err := b.write(func() error { return web.WritePing(b.w, time.Now()) }); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// send writes the beds that look different from what the page shows. Who watches, and whether they may, is asked anew
// each time (I9).
func (b *boardStream) send(ctx context.Context) error {
	who, err := b.server.desk.Again(ctx, b.who)
	if err == nil && who.Weak {
		err = login.ErrWeak
	}
	if err != nil {
		return err
	}
	_, beds, err := b.server.lookAtBoard(ctx, who, b.unit)
	if err != nil {
		return err
	}
	now := time.Now()
	canRead := access.May(who.Role, access.ReadNote)
	update := web.BoardUpdate{AsOf: now, Now: now, CanReadNotes: canRead, Totals: web.TotalsOf(beds)}
	for _, bed := range beds {
		var html bytes.Buffer
		if err := web.BoardRow(bed, now, canRead).Render(ctx, &html); err != nil {
			return err
		}
		if sum := sha256.Sum256(html.Bytes()); sum != b.shown[bed.ID] {
			b.shown[bed.ID] = sum
			update.Beds = append(update.Beds, bed)
		}
	}
	update.OpenReviews = b.server.openReviews(ctx, who, b.unit)
	if len(update.Beds) == 0 && update.OpenReviews == b.reviews {
		return nil
	}
	b.reviews = update.OpenReviews
	b.events++
	return b.write(func() error { return web.WriteEvent(ctx, b.w, strconv.Itoa(b.events), web.BoardEvent(update)) })
}

func (b *boardStream) write(f func() error) error {
	if err := b.control.SetWriteDeadline(time.Now().Add(boardTimeout)); err != nil {
		return err
	}
	if err := f(); err != nil {
		return err
	}
	return b.control.Flush()
}
