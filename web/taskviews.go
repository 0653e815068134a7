package web

import (
	"context"

	"github.com/clisonix/tidechart/web/words"
)

// TasksView is what somebody has to do, the most overdue first.
type TasksView struct {
	Shell
	Rows      []TaskRow
	Truncated bool // there are more
}

// TaskRow is a task in a list.
type TaskRow struct {
	Patient
	NoteID, Title string
	ID            string // of the task, in its note
	Text          string
	By            string // who wrote it
	Due           string // "23-Nov-2026 14:00"; "": any time
	Overdue       bool
	CanTick       bool
}

// says is how many there are, and how many are overdue.
func (v TasksView) says(ctx context.Context) string {
	overdue := 0
	for _, r := range v.Rows {
		if r.Overdue {
			overdue++
		}
	}
	text := words.Count(ctx, len(v.Rows), "{n} task", "{n} tasks")
	if overdue > 0 {
		text += ", " + words.Count(ctx, overdue, "{n} overdue", "{n} overdue")
	}
	if v.Truncated {
		text += words.Say(ctx, "; there are more, which come when these are done")
	}
	return text
}
