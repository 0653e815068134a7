package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/sessions"
	"github.com/clisonix/tidechart/web"
	"github.com/clisonix/tidechart/web/words"
)

const tasksPath = "/tasks"

// mountTasks adds the pages of one's own tasks, and of a unit's.
func (s *Server) mountTasks(mux *http.ServeMux) {
	mux.Handle("GET "+tasksPath, s.known(s.tasksPage))
	mux.Handle("POST "+tasksPath+"/{note}/{task}", s.known(s.tickTask))
	mux.Handle("GET /units/{id}/tasks", s.known(s.unitTasksPage))
	mux.Handle("GET /units/{id}/tasks/events", s.answer(s.recognised(s.unitTasksEvents)))
}

// tasksPage lists what somebody has to do, of the notes that they may read. It says what stands in these notes, so that it is on record that
// they read in them.
func (s *Server) tasksPage(w http.ResponseWriter, r *http.Request, who login.Person) error {
	ctx := r.Context()
	tasks, err := s.db.OpenTasks(ctx, who.ID)
	if err != nil {
		return err
	}
	units, err := s.unitNames(ctx)
	if err != nil {
		return err
	}
	view := web.TasksView{Shell: s.shellOf(r, who, words.Say(r.Context(), "My tasks"), web.SectionTasks), Truncated: len(tasks) >= store.MaxTasks}
	for _, task := range tasks {
		note := noteStanding(task.Note, task.Patient.Vip, task.Ties, task.Unit, who)
		if !access.Decide(asker(who), access.ReadNote, note).Allow {
			continue
		}
		view.Rows = append(view.Rows, taskRow(task, units[task.Unit], who, note, view.Now))
		if err := s.readsIn(ctx, who, task.Note, note.Ties); err != nil {
			return err
		}
	}
	s.render(w, r, http.StatusOK, web.Tasks(view))
	return nil
}

// readsIn has it on record that somebody is shown what stands in a note, beside others: once in [sightLasts], however often their page asks.
func (s *Server) readsIn(ctx context.Context, who login.Person, note queries.Note, ties access.Ties) error {
	return s.sights.first(sight{who.Login, note.ID}, func() error {
		e := audit.Event{Act: audit.OpenNote, Patient: note.PatientID, Note: note.ID, Code: byPage + byRight(ties)}
		return s.opened(ctx, who, byPage, ties, e)
	})
}

// taskRow is a task of a note, which stands so to who looks.
func taskRow(task store.Task, unit string, who login.Person, note access.Note, now time.Time) web.TaskRow {
	row := web.TaskRow{
		Patient: patientView(task.Patient, task.BedLabel, unit), BedID: task.BedID, NoteID: task.Note.ID.String(), Title: task.Note.Title,
		ID: taskName(task.ID()), Text: task.Text, By: task.Author, Due: prose.Task{Due: task.NoteTask.Due}.DueText(),
		Owner: task.Owner, Mine: task.NoteTask.OwnerID.Valid && task.NoteTask.OwnerID.UUID == who.ID,
	}
	if task.Done() {
		row.DoneAt, row.Doer = task.DoneAt().Local(), task.Doer
		return row
	}
	row.Overdue = task.NoteTask.DueBy != nil && !task.NoteTask.DueBy.After(now)
	row.CanTick = (note.Signed || store.Writable(task.Note)) && mayTick(asker(who), note)
	return row
}

// tellTasks adds how much somebody has to do.
func (s *Server) tellTasks(ctx context.Context, who login.Person, shell *web.Shell) {
	if !shell.CanReadNotes {
		return
	}
	rows, err := s.db.OpenTaskRows(ctx, who.ID)
	if err != nil {
		s.log.Error("tasks not looked for", "err", err)
		return
	}
	for _, row := range rows {
		if access.Decide(asker(who), access.ReadNote, noteStanding(row.Note, row.Patient.Vip, row.Ties, row.Unit, who)).Allow {
			shell.ToDo++
		}
	}
}

// taskName is what a task is called in an address; parseTask reads it.
func taskName(id crdt.ID) string { return fmt.Sprintf("%d-%d", id.Client, id.Clock) }

func parseTask(name string) (id crdt.ID, ok bool) {
	client, clock, _ := strings.Cut(name, "-")
	c, err := strconv.ParseUint(client, 10, 53)
	k, failed := strconv.ParseUint(clock, 10, 53)
	return crdt.ID{Client: crdt.ClientID(c), Clock: k}, err == nil && failed == nil
}

// mayTick reports whether somebody may tick off tasks of a note: who may write it, or could if it were not signed, since what a handoff
// asks for is done after that.
func mayTick(who access.Who, note access.Note) bool {
	note.Signed = false
	return access.Decide(who, access.WriteNote, note).Allow
}

// tickTask ticks a task off, in its note, as an edit of whoever does it; of a note that is signed, beside it. One that is not there any
// more, or is done, stays as it is.
func (s *Server) tickTask(w http.ResponseWriter, r *http.Request, who login.Person) error {
	ctx := r.Context()
	note, err := uuid.Parse(r.PathValue("note"))
	task, ok := parseTask(r.PathValue("task"))
	if err != nil || !ok {
		return sessions.ErrNoNote
	}
	if _, err := filterOf(w, r); err != nil {
		return err
	}
	st, err := s.standingOf(ctx, who, note)
	if err != nil {
		return err
	}
	if st.note.Signed {
		return s.tickSigned(w, r, who, st, note, task)
	}
	if _, err := s.mayDo(ctx, who, access.WriteNote, note, byPage); err != nil {
		return err
	}
	grant, err := s.grant(ctx, who, note, notAgain)
	if err != nil {
		return err
	}
	grant.Schema = prose.CurrentSchema()
	update, err := s.ticked(ctx, note, task)
	if err != nil {
		return err
	}
	if update != nil {
		if err := s.limits.edit(who, len(update)); err != nil {
			return err
		}
		if _, err := s.hub.Apply(ctx, note, grant, update); err != nil {
			return err
		}
	}
	// The list is to be as they left it, and not of a second ago.
	if err := s.db.ReadTasksOf(ctx, note); err != nil && !errors.Is(err, sessions.ErrNoNote) {
		s.log.Error("tasks not read at once", "note", note, "err", err)
	}
	return s.ticksOff(w, r, st, note)
}

// ticksOff answers who has ticked something off: a script with a sentence, a form with the page that it stands on.
func (s *Server) ticksOff(w http.ResponseWriter, r *http.Request, st standing, note uuid.UUID) error {
	if st.Unit != "" {
		s.boards.forget(st.Unit)
	}
	if r.Header.Get("Accept") == mediaText {
		writeText(w, http.StatusOK, words.Say(r.Context(), "Ticked off."))
		return nil
	}
	to := tasksPath
	switch r.PostFormValue("from") {
	case "note":
		to = notePath(note) + "#tasks"
	case "unit":
		to = web.UnitTasksPath(st.Unit, web.TaskFilterOf(r.PostForm))
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// tickSigned notes that a task of a signed note was done, or, as the note's page asks, that it is not done after all.
func (s *Server) tickSigned(w http.ResponseWriter, r *http.Request, who login.Person, st standing, note uuid.UUID, task crdt.ID) error {
	st.note.Signed = false
	if err := s.decide(r.Context(), who, access.WriteNote, st.note, onto{patient: st.PatientID, note: note}); err != nil {
		return err
	}
	if err := s.db.DoTask(as(r.Context(), who), note, task, who.ID, r.PostFormValue("not") == ""); err != nil {
		return err
	}
	return s.ticksOff(w, r, st, note)
}

// signedTasks is what a signed note says is to be done, for somebody who reads it.
func (s *Server) signedTasks(ctx context.Context, st standing, note uuid.UUID) ([]web.SignedTask, error) {
	tasks, err := s.db.TasksIn(ctx, note, s.now())
	if err != nil {
		return nil, err
	}
	var views []web.SignedTask
	for _, t := range tasks {
		if t.Done {
			continue
		}
		view := web.SignedTask{
			ID: taskName(t.ID), Text: t.Text, Owner: t.Owner, Due: prose.Task{Due: t.Due}.DueText(), Overdue: t.Overdue, Doer: t.Doer,
			CanTick: mayTick(st.who, st.note),
		}
		if !t.DoneAt.IsZero() {
			view.DoneAt = t.DoneAt.Local()
		}
		views = append(views, view)
	}
	return views, nil
}

// ticked returns the update that ticks a task off; nil if there is nothing to tick.
func (s *Server) ticked(ctx context.Context, note uuid.UUID, task crdt.ID) ([]byte, error) {
	doc, err := s.hub.Doc(ctx, note)
	if err != nil {
		return nil, err
	}
	found := false
	update, err := doc.Transact(newClient(doc.StateVector()), func(tx *crdt.Txn) {
		found = prose.Tick(tx, doc.XMLFragment(sessions.Fragment), task, true)
	})
	if err != nil || !found {
		return nil, err
	}
	return update, nil
}
