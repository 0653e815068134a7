package web

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/clisonix/tidechart/web/words"
)

// DoneLately is how far back a unit's list says what was done.
const DoneLately = 12 * time.Hour

// TasksView is what somebody has to do, the most overdue first.
type TasksView struct {
	Shell
	Rows      []TaskRow
	Truncated bool // there are more
}

// UnitTasks is what is to be done about who lies on a unit.
type UnitTasks struct {
	UnitID, UnitName string
	AsOf             time.Time
	Open             []TaskRow // the most overdue first
	Done             []TaskRow // since [DoneLately], the newest first
	Truncated        bool      // there are more
}

// UnitTasksView is the page of that.
type UnitTasksView struct {
	Shell
	UnitTasks UnitTasks
	Beds      []Choice // to choose from
	Filter    TaskFilter
}

// TaskRow is a task in a list.
type TaskRow struct {
	Patient
	BedID         string
	NoteID, Title string
	ID            string // of the task, in its note
	Text          string
	By            string // who wrote it
	Owner         string // whose it is; "": nobody's
	Mine          bool   // it is of who looks
	Due           string // "23-Nov-2026 14:00"; "": any time
	Overdue       bool
	DoneAt        time.Time // zero: it is not done
	Doer          string    // who has done it; "": that is not known
	CanTick       bool
}

// TaskFilter is which of a unit's tasks somebody wants to see. It is in the address, and names nobody.
type TaskFilter struct {
	Who     string // "mine", "nobody"; "": everybody's
	Bed     string // its id; "": all
	Overdue bool
}

// maxBedID is how long an id of a bed in an address may be.
const maxBedID = 64

// TaskFilterOf reads a filter from an address. What it does not know does not filter.
func TaskFilterOf(q url.Values) TaskFilter {
	f := TaskFilter{Who: q.Get("who"), Bed: q.Get("bed"), Overdue: q.Get("overdue") == "1"}
	if !slices.Contains([]string{"mine", "nobody"}, f.Who) {
		f.Who = ""
	}
	if len(f.Bed) > maxBedID {
		f.Bed = ""
	}
	return f
}

// Of returns the filter without a bed that is not one of these.
func (f TaskFilter) Of(beds []Choice) TaskFilter {
	if !slices.ContainsFunc(beds, func(b Choice) bool { return b.Value == f.Bed }) {
		f.Bed = ""
	}
	return f
}

// fields are what a form sends of it.
func (f TaskFilter) fields() (asked []Choice) {
	for _, one := range []Choice{{"who", f.Who}, {"bed", f.Bed}} {
		if one.Text != "" {
			asked = append(asked, one)
		}
	}
	if f.Overdue {
		asked = append(asked, Choice{"overdue", "1"})
	}
	return asked
}

// shows reports whether the filter leaves a task; unittasks.ts does the same.
func (f TaskFilter) shows(r TaskRow) bool {
	who := f.Who == "" || f.Who == "mine" && r.Mine || f.Who == "nobody" && r.Owner == ""
	return who && (f.Bed == "" || f.Bed == r.BedID) && (r.Overdue || !f.Overdue)
}

// UnitTasksPath is a unit's list, filtered.
func UnitTasksPath(unit string, f TaskFilter) string {
	path, q := "/units/"+url.PathEscape(unit)+"/tasks", url.Values{}
	for _, one := range f.fields() {
		q.Set(one.Value, one.Text)
	}
	if len(q) > 0 {
		path += "?" + q.Encode()
	}
	return path
}

// left says how many tasks the filter leaves.
func (v UnitTasksView) left(ctx context.Context) string {
	if v.Filter == (TaskFilter{}) {
		return ""
	}
	all, n := append(slices.Clone(v.UnitTasks.Open), v.UnitTasks.Done...), 0
	for _, r := range all {
		if v.Filter.shows(r) {
			n++
		}
	}
	return words.Say(ctx, "{n2} of {len} shown", strconv.Itoa(n), words.Count(ctx, len(all), "{n} task", "{n} tasks"))
}

// countTasks is how many there are, and how many are overdue.
func countTasks(ctx context.Context, rows []TaskRow, truncated bool) string {
	overdue := 0
	for _, r := range rows {
		if r.Overdue {
			overdue++
		}
	}
	text := words.Count(ctx, len(rows), "{n} task", "{n} tasks")
	if overdue > 0 {
		text += ", " + words.Count(ctx, overdue, "{n} overdue", "{n} overdue")
	}
	if truncated {
		text += words.Say(ctx, "; there are more, which come when these are done")
	}
	return text
}
