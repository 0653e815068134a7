package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/store/queries"
)

// DoTask notes, on record, that somebody has done a task of a signed note, or that it is not done after all. The note says what it said
// when it was signed. What is so already, or is no task of a signed note, changes nothing. The caller has decided that they may.
func (db *DB) DoTask(ctx context.Context, note uuid.UUID, task crdt.ID, by uuid.UUID, done bool) error {
	e := audit.Event{Act: audit.DoTask, Note: note, Code: "done"}
	if !done {
		e.Code = "not done"
	}
	err := db.Act(ctx, &e, func(q *queries.Queries) (err error) {
		var n int64
		if done {
			n, err = q.DoTask(ctx, queries.DoTaskParams{ByID: by, NoteID: note, Client: int64(task.Client), Clock: int64(task.Clock)})
		} else {
			n, err = q.UndoTask(ctx, note, int64(task.Client), int64(task.Clock))
		}
		if err == nil && n == 0 {
			err = errSame
		}
		if err != nil {
			return err
		}
		patient, err := q.PatientOfNote(ctx, note)
		e.Patient = patient
		return err
	})
	if err != nil && !errors.Is(err, errSame) {
		return fmt.Errorf("tick off a task of note %s: %w", note, err)
	}
	return nil
}

// NoteTask is what a note says is to be done, or was.
type NoteTask struct {
	ID      crdt.ID
	Text    string
	OwnerID uuid.NullUUID
	Owner   string // a name; empty: nobody's
	Due     string // as [prose.Task] has it
	Overdue bool
	Done    bool // the note says so
	DoerID  uuid.NullUUID
	Doer    string    // who has done it since the note was signed
	DoneAt  time.Time // zero: they have not
}

// TasksIn lists the tasks of a note, in its order, as they were when they were last read: see [DB.ReadTasks]. The text of one that does not open
// is [Unreadable].
func (db *DB) TasksIn(ctx context.Context, note uuid.UUID, now time.Time) ([]NoteTask, error) {
	rows, err := db.Queries.TasksIn(ctx, note)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	keys, err := db.keysOf(ctx, db.Queries, note)
	if err != nil {
		return nil, fmt.Errorf("list tasks of a note: %w", err)
	}
	tasks := make([]NoteTask, len(rows))
	for i, row := range rows {
		id := crdt.ID{Client: crdt.ClientID(row.NoteTask.Client), Clock: uint64(row.NoteTask.Clock)}
		open := !row.NoteTask.Done && row.DoneAt == nil
		tasks[i] = NoteTask{
			ID: id, Text: Unreadable, OwnerID: row.NoteTask.OwnerID, Owner: row.Owner, Due: row.NoteTask.Due,
			Overdue: open && row.NoteTask.DueBy != nil && !row.NoteTask.DueBy.After(now), Done: row.NoteTask.Done, DoerID: row.DoerID, Doer: row.Doer,
		}
		var said taskText
		if err := openValue(keys, taskAt(id), row.NoteTask.Said, &said); err == nil {
			tasks[i].Text = said.Text
		} else {
			db.log.Error("text of a task does not open", "note", note, "err", err)
		}
		if row.DoneAt != nil {
			tasks[i].DoneAt = *row.DoneAt
		}
	}
	return tasks, nil
}
