package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

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

// mountTasks adds the page of one's tasks.
func (s *Server) mountTasks(mux *http.ServeMux) {
	mux.Handle("GET "+tasksPath, s.known(s.tasksPage))
	mux.Handle("POST "+tasksPath+"/{note}/{task}", s.known(s.tickTask))
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
	recorded := make(map[uuid.UUID]bool)
	for _, task := range tasks {
		note := taskNote(task.OpenTasksOfRow.OpenTasksOfRow, who)
		if !access.Decide(asker(who), access.ReadNote, note).Allow {
			continue
		}
		if !recorded[task.Note.ID] {
			recorded[task.Note.ID] = true
			e := audit.Event{Act: audit.OpenNote, Patient: task.Note.PatientID, Note: task.Note.ID, Code: byPage + byRight(note.Ties)}
			if err := s.opened(ctx, who, byPage, note.Ties, e); err != nil {
				return err
			}
		}
		view.Rows = append(view.Rows, web.TaskRow{
			Patient: patientView(task.Patient, task.BedLabel, units[task.Unit]), NoteID: task.Note.ID.String(), Title: task.Note.Title,
			ID: taskName(task.ID()), Text: task.Text, By: task.Author, Due: prose.Task{Due: task.NoteTask.Due}.DueText(),
			Overdue: task.NoteTask.DueBy != nil && !task.NoteTask.DueBy.After(view.Now),
			CanTick: (note.Signed || store.Writable(task.Note)) && mayTick(asker(who), note),
		})
	}
	s.render(w, r, http.StatusOK, web.Tasks(view))
	return nil
}

// taskNote is the note of a task as it stands to somebody.
func taskNote(row queries.OpenTasksOfRow, who login.Person) access.Note {
	note := access.Note{
		Kind: row.Note.Kind, VIP: row.Patient.Vip, Ties: access.TiesOf(row.Ties), Elsewhere: who.Elsewhere(row.Unit),
		Signed: store.IsSigned(store.StateOf(row.Note)),
	}
	if row.Note.CreatedBy == who.ID {
		note.Ties |= access.Author
	}
	return note
}

// tellTasks adds how much somebody has to do.
func (s *Server) tellTasks(ctx context.Context, who login.Person, shell *web.Shell) {
	if !shell.CanReadNotes {
		return
	}
	rows, err := s.db.Queries.OpenTasksOf(ctx, who.ID, store.MaxTasks) // of which nobody opens a text or a patient's name
	if err != nil {
		s.log.Error("tasks not looked for", "err", err)
		return
	}
	for _, row := range rows {
		if access.Decide(asker(who), access.ReadNote, taskNote(row, who)).Allow {
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
	http.Redirect(w, r, tasksPath, http.StatusSeeOther)
	return nil
}

// tickSigned notes that a task of a signed note was done, or, as the note's page asks, that it is not done after all.
func (s *Server) tickSigned(w http.ResponseWriter, r *http.Request, who login.Person, st standing, note uuid.UUID, task crdt.ID) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return err
	}
	st.note.Signed = false
	if err := s.decide(r.Context(), who, access.WriteNote, st.note, onto{patient: st.PatientID, note: note}); err != nil {
		return err
	}
	if err := s.db.DoTask(as(r.Context(), who), note, task, who.ID, r.PostFormValue("not") == ""); err != nil {
		return err
	}
	if st.Unit != "" {
		s.boards.forget(st.Unit)
	}
	to := tasksPath
	if r.PostFormValue("from") == "note" {
		to = "/notes/" + note.String() + "#tasks"
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// signedTasks is what a signed note says is to be done, for somebody who reads it.
func (s *Server) signedTasks(ctx context.Context, st standing, note uuid.UUID) ([]web.SignedTask, error) {
	tasks, err := s.db.TasksOfSigned(ctx, note, s.now())
	if err != nil {
		return nil, err
	}
	views := make([]web.SignedTask, len(tasks))
	for i, t := range tasks {
		views[i] = web.SignedTask{
			ID: taskName(t.ID), Text: t.Text, Owner: t.Owner, Due: prose.Task{Due: t.Due}.DueText(), Overdue: t.Overdue, Doer: t.Doer,
			CanTick: mayTick(st.who, st.note),
		}
		if !t.DoneAt.IsZero() {
			views[i].DoneAt = t.DoneAt.Local()
		}
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
