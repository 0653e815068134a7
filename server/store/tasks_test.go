package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/sessions"
)

// tasker writes tasks into a note as an editor would.
type tasker struct{ *scribbler }

// edit commits what change does to the note.
func (w tasker) edit(t testing.TB, change func(tx *crdt.Txn, f *crdt.XMLFragment)) {
	t.Helper()
	u, err := w.doc.Transact(w.client, func(tx *crdt.Txn) { change(tx, w.doc.XMLFragment(sessions.Fragment)) })
	if err != nil {
		t.Fatal(err)
	}
	if !w.commit(t, u) {
		t.Fatal("the note takes nothing")
	}
}

func taskItem(text string, attrs map[string]any) *crdt.XMLElement {
	return crdt.NewXMLElement("taskItem", attrs, crdt.NewXMLElement("paragraph", nil, crdt.NewXMLText(text)))
}

// rows are the tasks that are read of a note, each in a line.
func (h hospital) rows(t testing.TB, owner uuid.UUID) (lines []string) {
	t.Helper()
	tasks, err := h.db.OpenTasks(t.Context(), owner)
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		lines = append(lines, fmt.Sprintf("%s due %q by %s of %s", task.Text, task.NoteTask.Due, task.Author, task.Patient.Family))
	}
	return lines
}

func (h hospital) readTasks(t testing.TB, all bool, want int) {
	t.Helper()
	if n, err := h.db.ReadTasks(t.Context(), all); err != nil || n != want {
		t.Fatalf("tasks of %d notes were read, %v; want of %d", n, err, want)
	}
}

// TestTasksFollowTheNote: what a note says of its tasks is in the lists, sealed; what is edited stays the same task; what is deleted goes. What
// a crash, or somebody who deletes the tables, takes away comes back.
func TestTasksFollowTheNote(t *testing.T) {
	t.Parallel()
	h := open(t)
	note := h.newNote(t)
	h.newNote(t) // in which there is nothing to do
	w := tasker{h.scribbler(note, h.author, 7)}
	bob := map[string]any{"checked": false, "owner": h.other.String(), "ownerName": "Bob"}
	bobs := func(due string) map[string]any {
		m := map[string]any{"due": due}
		for k, v := range bob {
			m[k] = v
		}
		return m
	}
	w.edit(t, func(tx *crdt.Txn, f *crdt.XMLFragment) {
		f.Push(tx, crdt.NewXMLElement("taskList", nil, taskItem("repeat potassium", bobs("2026-11-24T14:00")), taskItem("chest film", bob),
			taskItem("weigh", bobs("2026-11-23")), taskItem("nobody’s", nil), taskItem("a stranger’s", map[string]any{"owner": uuid.NewString()}), taskItem("not an id", map[string]any{"owner": "Bob"})))
	})
	h.readTasks(t, true, 2)
	h.readTasks(t, true, 0)
	want := []string{`weigh due "2026-11-23" by Ada of Test`, `repeat potassium due "2026-11-24T14:00" by Ada of Test`, `chest film due "" by Ada of Test`}
	check := func(what string) {
		t.Helper()
		if got := h.rows(t, h.other); strings.Join(got, "; ") != strings.Join(want, "; ") {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	check("as it was written")
	before, err := h.db.OpenTasks(t.Context(), h.other)
	if err != nil {
		t.Fatal(err)
	}

	// Others edit it: text and time change, one is done, one goes, one comes.
	list := func(f *crdt.XMLFragment) *crdt.XMLElement {
		child, _ := f.Get(f.Len() - 1)
		return child.Value.(*crdt.XMLElement)
	}
	w.edit(t, func(tx *crdt.Txn, f *crdt.XMLFragment) {
		items := list(f).Children()
		potassium, film := items[0].Value.(*crdt.XMLElement), items[1].Value.(*crdt.XMLElement)
		line, _ := potassium.Children()[0].Value.(*crdt.XMLElement).Get(0)
		line.Value.(*crdt.XMLText).Insert(tx, 0, "please ")
		potassium.SetAttribute(tx, "due", "2026-11-22")
		film.SetAttribute(tx, "checked", true)
		list(f).Delete(tx, 2, 1)
		list(f).Insert(tx, 0, taskItem("first of all", bob))
	})
	h.readTasks(t, true, 1)
	want = []string{`please repeat potassium due "2026-11-22" by Ada of Test`, `first of all due "" by Ada of Test`}
	check("as it was edited")
	after, err := h.db.OpenTasks(t.Context(), h.other)
	if err != nil || after[0].ID() != before[1].ID() {
		t.Errorf("the task is another after it was edited: %v, %v", after[0].ID(), err)
	}

	// By unit: five are open, for whomever, and one of them is overdue.
	units, err := h.db.UnitTasks(t.Context(), "4w")
	overdue := int64(0)
	if by := time.Date(2026, 11, 23, 0, 0, 0, 0, time.Local); !time.Now().Before(by) {
		overdue = 1
	}
	if err != nil || len(units) != 1 || units[0].PatientID != h.patient || units[0].Open != 5 || units[0].Overdue != overdue {
		t.Errorf("on the unit: %+v, %v; want 5 open of its patient, %d overdue", units, err, overdue)
	}

	// It is derived, and comes back.
	if err := h.exec(t, `DELETE FROM note_task`); err != nil {
		t.Fatal(err)
	}
	if err := h.exec(t, `DELETE FROM note_tasked`); err != nil {
		t.Fatal(err)
	}
	h.readTasks(t, true, 2)
	check("read again")

	// Two servers at once are one.
	w.edit(t, func(tx *crdt.Txn, f *crdt.XMLFragment) { list(f).Insert(tx, 0, taskItem("once", bob)) })
	done := make(chan error, 4)
	for range 4 {
		go func() { done <- h.db.ReadTasksOf(context.WithoutCancel(t.Context()), note) }()
	}
	for range 4 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	want = append(want[:1:1], `once due "" by Ada of Test`, want[1])
	check("read by four at once")
}

// TestOnlyNotesWithTasksAreFollowed: where nobody has written a task, none is looked for while people type; from the first one on, each row is followed.
func TestOnlyNotesWithTasksAreFollowed(t *testing.T) {
	t.Parallel()
	h := open(t)
	note := h.newNote(t)
	session := uuid.New()
	if err := errors.Join(h.db.StartSession(t.Context(), session, note), h.db.StartParticipation(t.Context(), uuid.New(), session, h.author, "")); err != nil {
		t.Fatal(err)
	}
	w := tasker{h.scribbler(note, h.author, 7)}
	task := func(text string) {
		w.edit(t, func(tx *crdt.Txn, f *crdt.XMLFragment) {
			f.Push(tx, crdt.NewXMLElement("taskList", nil, taskItem(text, map[string]any{"owner": h.other.String()})))
		})
	}
	w.edit(t, func(tx *crdt.Txn, f *crdt.XMLFragment) {
		f.Push(tx, crdt.NewXMLElement("paragraph", nil, crdt.NewXMLText("seen")))
	})
	h.readTasks(t, false, 0)
	task("repeat potassium")
	h.readTasks(t, false, 0)
	if err := h.db.Learned(t.Context(), note, []crdt.Name{{Of: crdt.NameOfElement, Name: "heading"}}); err != nil {
		t.Fatal(err)
	}
	h.readTasks(t, false, 0)
	if err := h.db.Learned(t.Context(), note, []crdt.Name{{Of: crdt.NameOfElement, Name: "taskItem"}}); err != nil {
		t.Fatal(err)
	}
	h.readTasks(t, false, 1)
	task("weigh")
	h.readTasks(t, false, 1)
	h.readTasks(t, false, 0)
	if got := len(h.rows(t, h.other)); got != 2 {
		t.Errorf("%d tasks, want 2", got)
	}

	// A crash kept it from being told: who looks through all logs finds it.
	if err := h.exec(t, `UPDATE note_tasked SET tasks = false`); err != nil {
		t.Fatal(err)
	}
	task("chest film")
	h.readTasks(t, false, 0)
	h.readTasks(t, true, 1)
	task("call the family")
	h.readTasks(t, false, 1)
}

// TestTasksOfWhatIsSignedAreRead: what a note asks for is read at once when it is signed, though nobody writes any more; what was ticked off in a note
// is in the list of its unit for a while, with when, and dates what is known of the patient.
func TestTasksOfWhatIsSignedAreRead(t *testing.T) {
	t.Parallel()
	h := open(t)
	note := h.newNote(t)
	w := tasker{h.scribbler(note, h.author, 7)}
	w.edit(t, func(tx *crdt.Txn, f *crdt.XMLFragment) {
		f.Push(tx, crdt.NewXMLElement("taskList", nil, taskItem("weigh", map[string]any{"owner": h.other.String()}), taskItem("chest film", nil)))
	})
	h.readTasks(t, false, 0)
	began := time.Now()
	h.sign(t, note, h.author)
	h.readTasks(t, false, 1)
	h.readTasks(t, false, 0)
	if got := h.rows(t, h.other); len(got) != 1 || !strings.HasPrefix(got[0], "weigh ") {
		t.Errorf("who has something to do has %q", got)
	}
	if units, err := h.db.UnitTasks(t.Context(), "4w"); err != nil || len(units) != 1 || units[0].ChangedAt.Before(began) {
		t.Errorf("on the unit: %+v, %v; its tasks came after %v", units, err, began)
	}

	draft := h.newNote(t)
	d := tasker{h.scribbler(draft, h.author, 8)}
	d.edit(t, func(tx *crdt.Txn, f *crdt.XMLFragment) {
		f.Push(tx, crdt.NewXMLElement("taskList", nil, taskItem("call the family", nil)))
	})
	h.readTasks(t, true, 1)
	began = time.Now()
	d.edit(t, func(tx *crdt.Txn, f *crdt.XMLFragment) {
		prose.Tick(tx, f, prose.Tasks(prose.ReadTraced(f), 10)[0].ID, true)
	})
	h.readTasks(t, true, 1)
	tasks, err := h.db.TasksOn(t.Context(), "4w", began)
	if err != nil || len(tasks) != 3 || !tasks[2].Done() || tasks[2].Text != "call the family" || tasks[2].DoneAt().Before(began) {
		t.Errorf("of the unit: %d tasks, %v, the last %+v", len(tasks), err, tasks[len(tasks)-1])
	}
	if tasks, err := h.db.TasksOn(t.Context(), "4w", time.Now()); err != nil || len(tasks) != 2 {
		t.Errorf("%d tasks, %v; what was done before is in the list", len(tasks), err)
	}
}

// TestTasksGoWithTheirNote: a record that is destroyed has no tasks, and what a task says is not on disk in the clear.
func TestTasksGoWithTheirNote(t *testing.T) {
	t.Parallel()
	h := open(t)
	note := h.newNote(t)
	w := tasker{h.scribbler(note, h.author, 7)}
	w.edit(t, func(tx *crdt.Txn, f *crdt.XMLFragment) {
		f.Push(tx, crdt.NewXMLElement("taskList", nil, taskItem("repeat potassium", map[string]any{"owner": h.other.String(), "ownerName": "Bob"})))
	})
	h.readTasks(t, true, 1)
	if err := h.exec(t, `DO $$ BEGIN IF EXISTS (SELECT FROM note_task WHERE position('potassium'::bytea IN said) > 0) THEN RAISE 'in the clear'; END IF; END $$`); err != nil {
		t.Error(err)
	}
	if err := h.exec(t, `UPDATE note_task SET said = (SELECT said FROM note_task LIMIT 1), clock = clock + 1`); err != nil {
		t.Fatal(err)
	}
	if got := h.rows(t, h.other); len(got) != 1 || !strings.HasPrefix(got[0], store.Unreadable) {
		t.Errorf("text that belongs to another task is shown: %q", got)
	}
	if err := h.exec(t, `ALTER TABLE note DISABLE TRIGGER USER; ALTER TABLE note ENABLE TRIGGER destroyed_has_no_tasks; UPDATE note SET state = 'destroyed' WHERE id = '`+note.String()+`'`); err != nil {
		t.Fatal(err)
	}
	if got := h.rows(t, h.other); len(got) != 0 {
		t.Errorf("a note that was destroyed leaves %q", got)
	}
	if err := h.exec(t, `DO $$ BEGIN IF EXISTS (SELECT FROM note_task) THEN RAISE 'rows are left'; END IF; END $$`); err != nil {
		t.Error(err)
	}
}

// TestTick: whoever ticks a task off changes this task, and nothing else, once.
func TestTick(t *testing.T) {
	t.Parallel()
	d := crdt.New("")
	if _, err := d.Transact(1, func(tx *crdt.Txn) {
		d.XMLFragment(sessions.Fragment).Push(tx, crdt.NewXMLElement("taskList", nil, taskItem("one", nil), crdt.NewXMLElement("taskItem", nil, crdt.NewXMLElement("taskList", nil, taskItem("two", nil)))))
	}); err != nil {
		t.Fatal(err)
	}
	tasks := func() (texts []string) {
		for _, task := range prose.Tasks(prose.ReadTraced(d.XMLFragment(sessions.Fragment)), 10) {
			texts = append(texts, fmt.Sprint(task.Text, " ", task.Done))
		}
		return texts
	}
	two := prose.Tasks(prose.ReadTraced(d.XMLFragment(sessions.Fragment)), 10)[2].ID
	for i, want := range []bool{true, false} {
		var ticked bool
		if _, err := d.Transact(2, func(tx *crdt.Txn) { ticked = prose.Tick(tx, d.XMLFragment(sessions.Fragment), two, true) }); err != nil || ticked != want {
			t.Errorf("time %d: ticked %v, %v", i+1, ticked, err)
		}
	}
	if got := strings.Join(tasks(), ", "); got != "one false,  false, two true" {
		t.Errorf("the tasks are %q", got)
	}
}
