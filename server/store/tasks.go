package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/server/vault"
	"github.com/clisonix/tidechart/sessions"
)

// Limits of tasks (I10).
const (
	MaxNoteTasks = 1000 // that are read of one note; of more the first
	MaxTasks     = 200  // that a list of somebody's has
	MaxUnitTasks = 500  // that a list of a unit's has, done ones among them
	maxTaskText  = 1000 // characters of a task that are kept beside its note

	taskRest    = 19 // times as long as it took to read a note's tasks: a twentieth of a processor's time goes into it, of which those who type have need
	allTaskRest = 99 // likewise in the look at all notes, of which most have none
)

// isRead reports whether a document with elements, attributes and marks by these names may have what is read of it: tasks and mentions.
func isRead(names []crdt.Name) bool {
	return slices.ContainsFunc(names, func(n crdt.Name) bool {
		return n.Of == crdt.NameOfElement && (n.Name == "taskItem" || n.Name == "mention")
	})
}

// taskText is what of a task is sealed.
type taskText struct {
	Text  string
	About string // whose it is and when it is due, in words
}

func taskAt(id crdt.ID) vault.Place {
	with := binary.BigEndian.AppendUint64(nil, uint64(id.Client))
	return vault.Place{Kind: vault.TaskText, Schema: 1, With: binary.BigEndian.AppendUint64(with, id.Clock)}
}

// Learned has the tasks and mentions of a note read from now on, if it has got one; see [sessions.Store].
func (db *DB) Learned(ctx context.Context, note sessions.NoteID, names []crdt.Name) error {
	if !isRead(names) {
		return nil
	}
	if err := db.NoteHasTasks(ctx, note); err != nil {
		return fmt.Errorf("have tasks read of note %s: %w", note, err)
	}
	return nil
}

// ReadTasks reads the tasks of notes whose logs have gone on, with a rest after each, until there is no more or ctx ends: of those with tasks
// that people write in now, or with all of every note. A note that cannot be read does not keep the others from it: the error says why.
func (db *DB) ReadTasks(ctx context.Context, all bool) (notes int, err error) {
	look, times := db.LiveNotesToTask, time.Duration(taskRest)
	if all {
		look, times = db.NotesToTask, allTaskRest
	}
	err = eachNote(ctx, look, func(note sessions.NoteID) error {
		began := time.Now()
		err := db.ReadTasksOf(ctx, note)
		notes++
		return errors.Join(err, rest(ctx, times*time.Since(began)))
	})
	if err != nil {
		return notes, fmt.Errorf("read tasks: %w", err)
	}
	return notes, nil
}

// ReadTasksOf brings note_task and note_mention up to date with a note's log, in one transaction: what a crash keeps from it is read again.
func (db *DB) ReadTasksOf(ctx context.Context, note sessions.NoteID) error {
	log, err := db.Load(ctx, note)
	if err != nil {
		return fmt.Errorf("read tasks of note %s: %w", note, err)
	}
	doc, err := log.Doc()
	if err != nil {
		return fmt.Errorf("read tasks of note %s: %w", note, err)
	}
	var tasks []prose.PlacedTask
	var mentions []prose.PlacedMention
	has := isRead(doc.Names())
	if has {
		read := prose.ReadTraced(doc.XMLFragment(sessions.Fragment))
		tasks, mentions = prose.Tasks(read, MaxNoteTasks), prose.Mentions(read, maxMentions)
	}
	whose := func(c clientID) uuid.UUID { return log.Writers[c] }
	err = db.transact(ctx, pgx.TxOptions{}, func(q *queries.Queries) error {
		at, err := q.BeginTasks(ctx, note)
		if errors.Is(err, pgx.ErrNoRows) || err == nil && uint64(at) >= log.Head {
			return nil // destroyed meanwhile, or read by somebody else
		}
		if err == nil {
			err = db.saveTasks(ctx, q, note, tasks, whose)
		}
		if err == nil {
			err = saveMentions(ctx, q, note, mentions, whose)
		}
		if err != nil {
			return err
		}
		return q.EndTasks(ctx, note, int64(log.Head), has)
	})
	if err != nil {
		return fmt.Errorf("save tasks of note %s: %w", note, err)
	}
	return nil
}

// saveTasks changes the rows that are not as the note has it.
func (db *DB) saveTasks(ctx context.Context, q *queries.Queries, note sessions.NoteID, tasks []prose.PlacedTask, whose func(clientID) uuid.UUID) error {
	rows, err := q.TasksOfNote(ctx, note)
	if err != nil || len(rows) == 0 && len(tasks) == 0 {
		return err
	}
	keys, err := db.keysToWrite(ctx, q, note)
	if err != nil {
		return err
	}
	was := make(map[crdt.ID]queries.NoteTask, len(rows))
	for _, row := range rows {
		was[crdt.ID{Client: crdt.ClientID(row.Client), Clock: uint64(row.Clock)}] = row
	}
	for i, task := range tasks {
		p := taskRow(note, int32(i+1), task, whose)
		said := taskText{clipRunes(task.Text, maxTaskText), task.About()}
		row, there := was[task.ID]
		delete(was, task.ID)
		if there && sameTask(row, p) && saysTask(keys, task.ID, row.Said) == said {
			continue
		}
		if p.Said, err = sealValue(keys.sealing(), taskAt(task.ID), said); err != nil {
			return err
		}
		if err := q.SaveTask(ctx, p); err != nil {
			return err
		}
	}
	for _, row := range was {
		if err := q.DeleteTask(ctx, note, row.Client, row.Clock); err != nil {
			return err
		}
	}
	return nil
}

func taskRow(note sessions.NoteID, place int32, task prose.PlacedTask, whose func(clientID) uuid.UUID) queries.SaveTaskParams {
	p := queries.SaveTaskParams{
		NoteID: note, Client: int64(task.ID.Client), Clock: int64(task.ID.Clock), Place: place, Done: task.Done, Author: orNoID(whose(task.Author)),
	}
	if owner, err := uuid.Parse(task.Owner); err == nil {
		p.Owner = orNoID(owner)
	}
	if by, ok := dueBy(task.Due); ok {
		p.Due, p.DueBy = task.Due, &by
	}
	return p
}

// dueBy returns when a task is overdue: at the end of its day, or of its minute, where this server is. It is false of what is no such time.
func dueBy(due string) (time.Time, bool) {
	if day, err := time.ParseInLocation(time.DateOnly, due, time.Local); err == nil {
		return day.AddDate(0, 0, 1), true
	}
	if minute, err := time.ParseInLocation("2006-01-02T15:04", due, time.Local); err == nil {
		return minute.Add(time.Minute), true
	}
	return time.Time{}, false
}

func sameTask(row queries.NoteTask, p queries.SaveTaskParams) bool {
	due := row.DueBy == nil && p.DueBy == nil || row.DueBy != nil && p.DueBy != nil && row.DueBy.Equal(*p.DueBy)
	return due && row.Place == p.Place && row.Done == p.Done && row.Due == p.Due && row.OwnerID == p.Owner && row.AuthorID == p.Author
}

// saysTask opens the text of a row; of one that does not open it is empty.
func saysTask(keys *keySet, id crdt.ID, sealed []byte) (said taskText) {
	if err := openValue(keys, taskAt(id), sealed, &said); err != nil {
		return taskText{}
	}
	return said
}

func clipRunes(s string, most int) string {
	n := 0
	for i := range s {
		if n++; n > most {
			return s[:i]
		}
	}
	return s
}

// Task is a task of a list, with whom it is about and what it says.
type Task struct {
	queries.ListTasksRow
	Patient Patient
	Text    string
}

// ID is the element of the note that the task is.
func (t Task) ID() crdt.ID {
	return crdt.ID{Client: crdt.ClientID(t.NoteTask.Client), Clock: uint64(t.NoteTask.Clock)}
}

// Done reports whether it is done, in its note or since that was signed.
func (t Task) Done() bool { return t.NoteTask.Done || t.SignedDoneAt != nil }

// DoneAt is when it was; zero: it is not.
func (t Task) DoneAt() (at time.Time) {
	switch {
	case t.SignedDoneAt != nil:
		return *t.SignedDoneAt
	case t.NoteTask.DoneAt != nil:
		return *t.NoteTask.DoneAt
	}
	return at
}

// OpenTasks lists what somebody has to do, the most overdue first, [MaxTasks] at most. Whether they may know it is for the caller to decide
// by each row's ties. The text of a task that does not open is [Unreadable].
func (db *DB) OpenTasks(ctx context.Context, owner uuid.UUID) ([]Task, error) {
	return db.listTasks(ctx, openTasksOf(owner))
}

// openTasksOf asks for what somebody has to do, and for nothing that is done.
func openTasksOf(owner uuid.UUID) queries.ListTasksParams {
	return queries.ListTasksParams{Owner: uuid.NullUUID{UUID: owner, Valid: true}, MaxRows: MaxTasks}
}

// OpenTaskRows are the same, without texts and names of patients: to count them.
func (db *DB) OpenTaskRows(ctx context.Context, owner uuid.UUID) ([]queries.ListTasksRow, error) {
	return db.Queries.ListTasks(ctx, openTasksOf(owner))
}

// TasksOn lists what is to be done about who lies on a unit, the most overdue first, and then what was done since a time, the newest first:
// [MaxUnitTasks] at most. Whether somebody may know it is for the caller to decide: rows have no ties.
func (db *DB) TasksOn(ctx context.Context, unit string, doneSince time.Time) ([]Task, error) {
	return db.listTasks(ctx, queries.ListTasksParams{Unit: &unit, DoneSince: &doneSince, MaxRows: MaxUnitTasks})
}

func (db *DB) listTasks(ctx context.Context, asked queries.ListTasksParams) ([]Task, error) {
	rows, err := db.Queries.ListTasks(ctx, asked)
	tasks, err := withPatients(ctx, db, rows, err, func(r queries.ListTasksRow) queries.Patient { return r.Patient },
		func(r queries.ListTasksRow, p Patient) Task { return Task{r, p, Unreadable} })
	if err != nil {
		return nil, fmt.Errorf("list tasks: %w", err)
	}
	for i, task := range tasks {
		keys, err := db.keysOf(ctx, db.Queries, task.Note.ID)
		if err == nil {
			var said taskText
			if err = openValue(keys, taskAt(task.ID()), task.NoteTask.Said, &said); err == nil {
				tasks[i].Text = said.Text
			}
		}
		if err != nil {
			db.log.Error("text of a task does not open", "note", task.Note.ID, "err", err)
		}
	}
	return tasks, nil
}
