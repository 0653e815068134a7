package web

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
func (v TasksView) says() string {
	overdue := 0
	for _, r := range v.Rows {
		if r.Overdue {
			overdue++
		}
	}
	text := count(len(v.Rows), "task", "tasks")
	if overdue > 0 {
		text += ", " + count(overdue, "overdue", "overdue")
	}
	if v.Truncated {
		text += "; there are more, which come when these are done"
	}
	return text
}
