package server

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/sessions"
	"github.com/clisonix/tidechart/sessions/history"
	"github.com/clisonix/tidechart/web"
	"github.com/clisonix/tidechart/web/words"
)

const (
	idle       = 2 * time.Second // how long a longer break takes when a note is played
	maxWatched = time.Hour       // that one look may go on by
)

// historyPage shows a note as it was. The address says when: after which row of its log, or what way from there.
func (s *Server) historyPage(w http.ResponseWriter, r *http.Request, who login.Person) error {
	id, past, _, err := s.openPast(r, who)
	if err != nil {
		return err
	}
	view, err := s.historyView(r.Context(), past, r.URL.Query())
	if err != nil {
		return err
	}
	about, err := s.aboutNote(r.Context(), id)
	if err != nil {
		return err
	}
	view.ID, view.Title, view.Patient = id.String(), about.title, about.patient
	view.Shell = s.shellOf(r, who, words.Say(r.Context(), "History: {tab}", about.tab), web.SectionWorklist)
	s.render(w, r, http.StatusOK, web.History(view))
	return nil
}

// openPast returns what the note named in the path has been through, for somebody who may read it. That they look is on record, like
// any opening of the record, once in ten minutes.
func (s *Server) openPast(r *http.Request, who login.Person) (id uuid.UUID, past *history.Past, st standing, err error) {
	ctx := r.Context()
	if id, err = uuid.Parse(r.PathValue("id")); err != nil {
		return id, nil, st, sessions.ErrNoNote
	}
	how := notAgain
	if s.db.Pasts.Looks(id, who.Login) {
		how = byHistory
	}
	if st, err = s.mayDo(ctx, who, access.ReadNote, id, how); err != nil {
		return id, nil, st, err
	}
	past, err = s.pastOf(ctx, id)
	if err == nil && how == byHistory {
		s.db.Pasts.Recorded(id, who.Login)
	}
	return id, past, st, err
}

// about is whose note it is.
type about struct {
	row        store.NoteByIDRow
	title, tab string
	patient    web.Patient
}

func (s *Server) aboutNote(ctx context.Context, id uuid.UUID) (about, error) {
	row, err := s.db.NoteByID(ctx, id)
	if err != nil {
		return about{}, err
	}
	unit, err := s.db.UnitByID(ctx, row.Note.UnitID)
	if err != nil {
		return about{}, err
	}
	patient := patientView(row.Patient, row.BedLabel, unit.Name)
	return about{row, row.Note.Title, web.TabTitle(ctx, kindName(row.Note.Kind), patient), patient}, nil
}

// historyView is the note as it was where an address leads to.
func (s *Server) historyView(ctx context.Context, past *history.Past, asked url.Values) (web.HistoryView, error) {
	only, err := uuid.Parse(asked.Get("by"))
	if err != nil {
		only = uuid.Nil // anybody
	}
	seq := sought(past, asked, only)
	account, err := past.Account(seq)
	if err != nil {
		return web.HistoryView{}, err
	}
	view := web.HistoryView{Head: past.Head(), Seq: seq, Body: account.Body, Show: asked.Get("authors")}
	if only != uuid.Nil {
		view.By = only.String()
	}
	sum := account.Summary()
	people, err := s.peopleOf(ctx, past, sum.Carried...)
	if err != nil {
		return view, err
	}
	m := past.Moment(seq)
	view.At, view.Author = m.At.Local(), people[m.Author]
	view.People = contributors(past, sum, people)
	view.Carried = carriedViews(sum.Carried, people, m.At)
	view.Authorship = func(text prose.Node) web.Authorship { return authorshipView(account.Of(text), people) }
	return view, nil
}

// contributors are all who wrote any of a note until today, with what of it is theirs now.
func contributors(past *history.Past, sum history.Summary, people map[uuid.UUID]web.Person) (all []web.Contributor) {
	words := make(map[uuid.UUID]history.Share)
	for _, x := range sum.Shares {
		words[x.Person] = x
	}
	for _, id := range past.People() {
		all = append(all, web.Contributor{Person: people[id], Words: words[id].All(), Origins: originWords(words[id].Words)})
	}
	return all
}

// originWords says how words came, of those ways in which any did.
func originWords(words [history.Origins]int) (all []web.OriginWords) {
	for o, n := range words {
		if n > 0 {
			all = append(all, web.OriginWords{Origin: history.Origin(o).String(), Words: n})
		}
	}
	return all
}

// carriedViews say what was carried over, and how old it was at a time.
func carriedViews(sources []history.Source, people map[uuid.UUID]web.Person, at time.Time) (all []web.CarriedView) {
	for _, c := range sources {
		all = append(all, web.CarriedView{Author: people[c.Author], At: c.At.Local(), Words: c.Words, Age: c.Age(at)})
	}
	return all
}

// authorshipView says whose a piece of text is.
func authorshipView(from history.Provenance, people map[uuid.UUID]web.Person) web.Authorship {
	a := web.Authorship{Person: people[from.Author], At: from.At.Local(), Origin: from.Origin.String(), Template: from.Template, By: people[from.By].Name}
	if from.Source != nil {
		a.Source, a.SourceAt = people[from.Source.Author].Name, from.Source.At.Local()
	}
	return a
}

// sought returns the row that an address leads to: at says from where, and go which way.
func sought(past *history.Past, asked url.Values, only uuid.UUID) uint64 {
	head := past.Head()
	at, err := strconv.ParseUint(asked.Get("at"), 10, 64)
	if err != nil {
		at = head
	}
	at = min(max(at, 1), head)
	theirs := func(m history.Moment) bool { return only == uuid.Nil || m.Author == only }
	find := func(from uint64, by int) uint64 {
		if m, ok := past.Find(from, by, theirs); ok {
			return m.Seq
		}
		return at
	}
	switch asked.Get("go") {
	case "first":
		return find(1, 1)
	case "back":
		return find(at-1, -1)
	case "on":
		return find(at+1, 1)
	case "last":
		return find(head, -1)
	case "play":
		ms, _ := strconv.ParseInt(asked.Get("for"), 10, 64) // none: to the next row
		return past.Later(at, min(time.Duration(max(ms, 0))*time.Millisecond, maxWatched), idle, theirs)
	}
	return at
}

// peopleOf looks up who wrote any of a note, and of what was carried over.
func (s *Server) peopleOf(ctx context.Context, past *history.Past, from ...history.Source) (map[uuid.UUID]web.Person, error) {
	ids := past.People()
	for _, c := range from {
		ids = append(ids, c.Author)
	}
	return s.peopleNamed(ctx, ids)
}
