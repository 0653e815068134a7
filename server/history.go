package server

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
	"unicode"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/sessions"
	"github.com/clisonix/tidechart/sessions/history"
	"github.com/clisonix/tidechart/web"
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
	view.Shell = s.shellOf(r, who, "History: "+about.tab, web.SectionWorklist)
	s.render(w, r, http.StatusOK, web.History(view))
	return nil
}

// openPast returns what the note named in the path has been through, for somebody who may read it. That they look is on record, like
// any opening of the record, once in [lookAgain].
func (s *Server) openPast(r *http.Request, who login.Person) (id uuid.UUID, past *history.Past, st standing, err error) {
	ctx := r.Context()
	if id, err = uuid.Parse(r.PathValue("id")); err != nil {
		return id, nil, st, sessions.ErrNoNote
	}
	how := notAgain
	if s.pasts.looks(id, who.Login) {
		how = byHistory
	}
	if st, err = s.mayDo(ctx, who, access.ReadNote, id, how); err != nil {
		return id, nil, st, err
	}
	past, err = s.pasts.of(ctx, id, func(ctx context.Context, note uuid.UUID) (*history.Past, error) {
		return history.Open(ctx, s.hub, s.db, note)
	})
	if err == nil && how == byHistory {
		s.pasts.recorded(id, who.Login)
	}
	return id, past, st, err
}

// about is whose note it is.
type about struct {
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
	return about{row.Note.Title, web.TabTitle(kindName(row.Note.Kind), patient), patient}, nil
}

// historyView is the note as it was where an address leads to.
func (s *Server) historyView(ctx context.Context, past *history.Past, asked url.Values) (web.HistoryView, error) {
	only, err := uuid.Parse(asked.Get("by"))
	if err != nil {
		only = uuid.Nil // anybody
	}
	seq := sought(past, asked, only)
	doc, err := past.Doc(seq)
	if err != nil {
		return web.HistoryView{}, err
	}
	view := web.HistoryView{Head: past.Head(), Seq: seq, Body: prose.Read(doc.XMLFragment(sessions.Fragment)), Plain: asked.Get("authors") == "no"}
	if only != uuid.Nil {
		view.By = only.String()
	}
	people, err := s.peopleOf(ctx, past)
	if err != nil {
		return view, err
	}
	m := past.Moment(seq)
	view.At, view.Author = m.At.Local(), people[m.Author]
	words := make(wordCount)
	words.add(view.Body, past.Writer)
	for _, id := range past.People() {
		view.People = append(view.People, web.Contributor{Person: people[id], Words: words[id]})
	}
	view.Writer = func(text prose.Node) (web.Person, bool) {
		p, ok := people[past.Writer(text.Author)]
		return p, ok
	}
	return view, nil
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
		return past.Later(at, min(time.Duration(max(ms, 0))*time.Millisecond, maxWatched), idle)
	}
	return at
}

// peopleOf looks up who wrote any of a note.
func (s *Server) peopleOf(ctx context.Context, past *history.Past) (map[uuid.UUID]web.Person, error) {
	rows, err := s.db.PeopleByID(ctx, past.People())
	if err != nil {
		return nil, fmt.Errorf("look up people: %w", err)
	}
	people := make(map[uuid.UUID]web.Person, len(rows))
	for _, row := range rows {
		people[row.ID] = personRowView(row)
	}
	return people, nil
}

// wordCount is how many words are whose: a word is of whoever wrote its first letter.
type wordCount map[uuid.UUID]int

func (c wordCount) add(n prose.Node, writer func(crdt.ClientID) uuid.UUID) {
	within := false
	for _, child := range n.Content {
		if child.Type != "text" {
			within = false
			c.add(child, writer)
			continue
		}
		for _, letter := range child.Text {
			if begins := !unicode.IsSpace(letter); begins != within {
				if within = begins; begins {
					c[writer(child.Author)]++
				}
			}
		}
	}
}
