package server

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/sessions"
	"github.com/clisonix/tidechart/sessions/history"
	"github.com/clisonix/tidechart/web"
	"github.com/clisonix/tidechart/web/words"
)

// comparePage shows two versions of a note in one. The address says which, each by the row of the log that it ends with or by the id
// of a version that somebody named; without, it is the note now, and the version before the other one.
func (s *Server) comparePage(w http.ResponseWriter, r *http.Request, who login.Person) error {
	id, past, _, err := s.openPast(r, who)
	if err != nil {
		return err
	}
	named, err := s.db.Versions(r.Context(), id)
	if err != nil {
		return err
	}
	asked := r.URL.Query()
	to, err := askedVersion(past, named, asked.Get("to"), past.Head())
	if err != nil {
		return err
	}
	from, err := askedVersion(past, named, asked.Get("from"), versionBefore(past, to))
	if err != nil {
		return err
	}
	view, err := s.compared(r, who, id, past, from, to)
	if err != nil {
		return err
	}
	view.Heading, view.Whole = words.Say(r.Context(), "Versions compared"), asked.Get("show") == "all"
	view.From.Name, view.To.Name = nameOf(named, from), nameOf(named, to)
	s.render(w, r, http.StatusOK, web.Compare(view))
	return nil
}

// askedVersion returns the row that an address names. What names none is otherwise; a version that is not there is an error.
func askedVersion(past *history.Past, named []store.Version, asked string, otherwise uint64) (uint64, error) {
	seq, err := strconv.ParseUint(asked, 10, 64)
	switch id, idErr := uuid.Parse(asked); {
	case idErr == nil:
		for _, v := range named {
			if v.ID == id {
				return v.Seq, nil
			}
		}
		return 0, store.ErrNotFound
	case errors.Is(err, strconv.ErrRange):
		return past.Head(), nil
	case err != nil:
		return otherwise, nil
	}
	return min(max(seq, 1), past.Head()), nil
}

// versionBefore returns the version that comes before a row.
func versionBefore(past *history.Past, seq uint64) uint64 {
	before := uint64(1)
	for _, v := range past.Versions() {
		if v.Last < seq {
			before = v.Last
		}
	}
	return before
}

func nameOf(named []store.Version, seq uint64) string {
	for _, v := range named {
		if v.Seq == seq {
			return v.Name
		}
	}
	return ""
}

// compared is the view of two versions, of which neither has to be the older one.
func (s *Server) compared(r *http.Request, who login.Person, id uuid.UUID, past *history.Past, from, to uint64) (web.CompareView, error) {
	ctx := r.Context()
	about, err := s.aboutNote(ctx, id)
	if err != nil {
		return web.CompareView{}, err
	}
	view := web.CompareView{
		Shell: s.shellOf(r, who, words.Say(r.Context(), "Versions: {tab}", about.tab), web.SectionWorklist),
		ID:    id.String(), Title: about.title, Patient: about.patient, Head: past.Head(), From: sideOf(past, from), To: sideOf(past, to),
	}
	older, err := noteAt(past, from)
	if err != nil {
		return view, err
	}
	newer, err := noteAt(past, to)
	if err != nil {
		return view, err
	}
	view.Body = prose.Compare(older, newer).Parts
	return view, s.tellEdits(ctx, past, &view)
}

func sideOf(past *history.Past, seq uint64) web.Side {
	return web.Side{Seq: seq, At: past.Moment(seq).At.Local()}
}

// noteAt is the note as it was after a row of its log, with what it consists of.
func noteAt(past *history.Past, seq uint64) (prose.Node, error) {
	doc, err := past.Doc(seq)
	if err != nil {
		return prose.Node{}, err
	}
	return prose.ReadTraced(doc.XMLFragment(sessions.Fragment)), nil
}

// tellEdits says of each part of a view how it came to differ.
func (s *Server) tellEdits(ctx context.Context, past *history.Past, view *web.CompareView) error {
	people, err := s.peopleOf(ctx, past)
	if err != nil {
		return err
	}
	t := teller{past: past, people: people, view: view, back: view.To.Seq < view.From.Seq, tallies: make(map[uuid.UUID]*web.Tally)}
	return t.tell(ctx)
}
