package server

import (
	"context"
	"net/http"
	"reflect"

	"github.com/a-h/templ"

	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/web"
	"github.com/clisonix/tidechart/web/words"
)

// unitTasksPage lists what is to be done about who lies on a unit, for whoever sees its board: of the notes that they may read. That they read
// in these is on record.
func (s *Server) unitTasksPage(w http.ResponseWriter, r *http.Request, who login.Person) error {
	unit, err := s.unitOf(r.Context(), who, r.PathValue("id"), access.SeeBoard)
	if err != nil {
		return err
	}
	tasks, beds, err := s.unitTasks(r.Context(), who, unit.Unit)
	if err != nil {
		return err
	}
	title := words.Say(r.Context(), "Tasks: {unit}", unit.Unit.Name)
	view := web.UnitTasksView{Shell: s.shellOf(r, who, title, web.SectionBoard), UnitTasks: tasks, Beds: beds, Filter: web.TaskFilterOf(r.URL.Query()).Of(beds)}
	s.render(w, r, http.StatusOK, web.UnitTasksPage(view))
	return nil
}

// unitTasks is what is to be done on a unit as somebody may see it, and the beds that they may choose from.
func (s *Server) unitTasks(ctx context.Context, who login.Person, unit queries.Unit) (web.UnitTasks, []web.Choice, error) {
	v, err := s.viewer(ctx, who, unit)
	if err != nil {
		return web.UnitTasks{}, nil, err
	}
	all, err := v.look.list()
	if err != nil {
		return web.UnitTasks{}, nil, err
	}
	list := web.UnitTasks{UnitID: unit.ID, UnitName: unit.Name, AsOf: v.now, Truncated: len(all) >= store.MaxUnitTasks}
	for _, task := range all {
		note := noteStanding(task.Note, task.Patient.Vip, v.ties[task.Note.PatientID], unit.ID, who)
		if !access.Decide(v.asks, access.ReadNote, note).Allow {
			continue
		}
		if err := s.readsIn(ctx, who, task.Note, note.Ties); err != nil {
			return list, nil, err
		}
		if row := taskRow(task, unit.Name, who, note, v.now); row.DoneAt.IsZero() {
			list.Open = append(list.Open, row)
		} else {
			list.Done = append(list.Done, row)
		}
	}
	var beds []web.Choice
	for i, bed := range v.look.beds {
		if v.bed(ctx, i, bed).Patient != nil {
			beds = append(beds, web.Choice{Value: bed.BedID, Text: bed.BedLabel})
		}
	}
	return list, beds, nil
}

// unitTasksEvents streams the list whenever it has changed, and what any page tells.
func (s *Server) unitTasksEvents(w http.ResponseWriter, r *http.Request, who login.Person) error {
	unit, err := s.unitOf(r.Context(), who, r.PathValue("id"), access.SeeBoard)
	if err != nil {
		return err
	}
	parts := []part{&unitTasksPart{server: s, unit: unit.Unit.ID}}
	if hears, err := s.hears(r.Context(), who); err != nil {
		return err
	} else if hears {
		parts = append(parts, &noticePart{server: s})
	}
	return s.stream(w, r, who, boardPoll, s.boardNews, parts...)
}

// unitTasksPart is what is to be done on a unit, as a page shows it.
type unitTasksPart struct {
	server *Server
	unit   string
	shown  *web.UnitTasks
}

func (p *unitTasksPart) show(ctx context.Context, who login.Person) (templ.Component, error) {
	unit, err := p.server.unitOf(ctx, who, p.unit, access.SeeBoard)
	if err != nil {
		return nil, err
	}
	now, _, err := p.server.unitTasks(ctx, who, unit.Unit)
	if err != nil {
		return nil, err
	}
	if was := p.shown; was != nil && reflect.DeepEqual(was.Open, now.Open) && reflect.DeepEqual(was.Done, now.Done) {
		return nil, nil
	}
	p.shown = &now
	return web.UnitTasksEvent(now), nil
}
