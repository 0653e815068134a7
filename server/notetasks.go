package server

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/web/paper"
)

// mountNoteTasks adds the part of the API that says what a note asks for.
func (s *Server) mountNoteTasks(api huma.API) {
	op := operation("list-tasks", http.MethodGet, "/notes/{id}/tasks", "List a note’s tasks")
	op.Description = "What the note says is to be done, in its order, with whose it is and whether it is done. A signed note never changes: what was done since it was signed says who has done it, and when."
	huma.Register(api, op, s.apiListTasks)
}

type listTasksOutput struct {
	Body struct {
		Tasks []apiTask `json:"tasks" nullable:"false" doc:"The first 1,000"`
	}
}

type apiTask struct {
	ID      string     `json:"id" example:"2748961-14" doc:"Of its element in the document: Yjs client id and clock"`
	Text    string     `json:"text" doc:"What is to be done, its first 1,000 characters; tasks within it are tasks of their own"`
	Owner   *apiPerson `json:"owner,omitempty" doc:"Whose it is"`
	Due     string     `json:"due,omitempty" example:"2026-11-23T14:00" doc:"A day, or a minute of one, where the hospital is"`
	Overdue bool       `json:"overdue" doc:"It is not done, and that time is over"`
	Done    bool       `json:"done" doc:"The note says so, or it was done since"`
	DoneBy  *apiPerson `json:"doneBy,omitempty" doc:"Who has done it since the note was signed"`
	DoneAt  *time.Time `json:"doneAt,omitempty" doc:"When that was"`
}

func (s *Server) apiListTasks(ctx context.Context, in *noteInput) (*listTasksOutput, error) {
	if _, err := s.apiMay(ctx, access.ReadNote, in.ID); err != nil {
		return nil, err
	}
	tasks, err := s.tasksNow(ctx, in.ID)
	if err != nil {
		return nil, apiError(ctx, err)
	}
	var out listTasksOutput
	out.Body.Tasks = make([]apiTask, len(tasks))
	for i, t := range tasks {
		one := apiTask{ID: taskName(t.ID), Text: t.Text, Owner: apiPersonOf(t.OwnerID, t.Owner), Due: t.Due, Overdue: t.Overdue, Done: t.Done || !t.DoneAt.IsZero(), DoneBy: apiPersonOf(t.DoerID, t.Doer)}
		if !t.DoneAt.IsZero() {
			one.DoneAt = &t.DoneAt
		}
		out.Body.Tasks[i] = one
	}
	return &out, nil
}

func apiPersonOf(id uuid.NullUUID, name string) *apiPerson {
	if !id.Valid {
		return nil
	}
	return &apiPerson{ID: id.UUID, Name: name}
}

// tasksNow are the tasks of a note as it is, and not as it was when they were last read.
func (s *Server) tasksNow(ctx context.Context, note uuid.UUID) ([]store.NoteTask, error) {
	read, err := s.db.TasksAreRead(ctx, note)
	if err == nil && !read {
		err = s.db.ReadTasksOf(ctx, note)
	}
	if err != nil {
		return nil, err
	}
	return s.db.TasksIn(ctx, note, s.now())
}

// doneSince are the tasks of a signed note that were done since, as a copy of it says beside what was signed.
func (s *Server) doneSince(ctx context.Context, note uuid.UUID) (done []paper.Done, err error) {
	tasks, err := s.tasksNow(ctx, note)
	for _, t := range tasks {
		if !t.DoneAt.IsZero() {
			done = append(done, paper.Done{Text: t.Text, Event: paper.Event{By: t.Doer, At: t.DoneAt.Local()}})
		}
	}
	return done, err
}
