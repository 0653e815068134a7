package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// TestTablesAndTasks: two people fill in a table by keys, give one of them a task with a time, and tick it off; what the editor shows is
// what the note says, on every screen.
func TestTablesAndTasks(t *testing.T) {
	t.Parallel()
	s := shared.get(t)
	token := s.token(t, "chen")
	note := s.newNote(t, token)
	chen, rivera := byKeyboard(t, s, "chen"), byKeyboard(t, s, "rivera")
	chen.openNote(note)
	rivera.openNote(note)
	chen.tabTo(noteEditor)
	chen.stands("Subjective")
	chen.down(1)
	chen.stands("")

	// A table, from the menu.
	chen.menu("table")
	chen.waitFor("a table", exists(noteEditor+" table")+` && document.querySelectorAll('`+noteEditor+` th').length === 3`)
	chen.types("Drug\tDose\tGiven\tfurosemide\t40 mg\t\t\t\tlast")
	chen.waitStatus("saved")
	rows := `document.querySelectorAll('` + noteEditor + ` tr').length`
	rivera.waitFor("the cells", `[...document.querySelectorAll('`+noteEditor+` td')].map(c => c.innerText.trim()).join('|') === 'furosemide|40 mg||||last'`)
	chen.types("\tanother")
	chen.waitFor("a row more", rows+" === 4")
	chen.menu("columnAfter")
	chen.menu("deleteRow")
	chen.waitFor("a row less, and a column more", rows+` === 3 && document.querySelectorAll('`+noteEditor+` th').length === 4`)
	// The caret is back in the text at once: a frame later it would be taken from wherever the next key leads.
	for range 2 {
		if chen.tool("bold"); !eval[bool](chen, `document.activeElement.isContentEditable`) {
			t.Error("a tool does not bring the caret back at once")
		}
	}
	chen.selects("Drug")
	chen.types("\tBrand")
	rivera.waitFor("the same", rows+` === 3 && document.querySelectorAll('`+noteEditor+` th').length === 4`)

	// A task, given to somebody.
	chen.ctrl(kb.End)
	chen.stands("")
	chen.tool("taskList")
	chen.waitFor("a task", exists(noteEditor+" .task"))
	chen.types("repeat potassium")
	chen.keyDown("Alt", "\r")
	chen.waitFor("the dialog", `document.querySelector('#task-dialog').open && document.querySelector('#task-owner').options.length > 2`)
	if what := eval[string](chen, `document.querySelector('#task-what').textContent`); what != "repeat potassium" {
		t.Errorf("the dialog is about %q", what)
	}
	chen.shot("task-dialog")
	chen.tabTo("#task-owner")
	chen.types("Rosa")
	chen.tabTo("#task-time")
	chen.types("0200PM")
	chen.enter()
	if !eval[bool](chen, `document.querySelector('#task-dialog').open`) {
		t.Error("a time of no day is taken")
	}
	chen.tabTo("#task-day")
	chen.types("11242026")
	if said := eval[string](chen, `document.querySelector('label[for="task-day"]').textContent`); said != "Due on 24-Nov-2026" {
		t.Errorf("the day is said to be %q", said)
	}
	chen.enter()
	rivera.waitFor("whose it is", `document.querySelector('.task-about')?.textContent === 'Rosa Rivera RNDue 24-Nov-2026 14:00'`)
	rivera.selects("repeat")
	rivera.ctrl("\r")
	chen.waitFor("done", exists(noteEditor+` .task[data-checked="true"] input:checked`))
	chen.keyDown("Ctrl", "\r")
	rivera.waitFor("not done", exists(noteEditor+` .task[data-checked="false"] input:not(:checked)`))
	rivera.waitStatus("saved")
	chen.waitStatus("saved")

	want := []string{"Plan", "[ ] repeat potassium (Rosa Rivera RN, due 24-Nov-2026 14:00)"}
	table := "Drug | Brand | Dose | Given\nfurosemide |  | 40 mg | \n |  |  | last\n"
	if got := s.text(t, token, note); !strings.Contains(got, table) || !strings.HasSuffix(got, strings.Join(want, "\n")) {
		t.Errorf("the note says %q, want %q and %q", got, table, want)
	}
	chen.pictures("tables", noteEditor+" .task")

	// It is among what she has to do, within a second or two, and goes from there into the note.
	rivera.visit("/tasks")
	rivera.waitReloading("her task", `document.querySelector('#tasks')?.textContent.includes('repeat potassium')`)
	rivera.pictures("tasks", "#tasks tbody tr")
	rivera.enters(`#tasks form button`)
	chen.waitFor("ticked off", exists(noteEditor+` .task[data-checked="true"]`))
	rivera.waitFor("nothing to do", exists("#tasks.empty-state"))
	_, page := fetch(t, s.signIn(t, "rivera"), s.url+"/notes/"+note)
	for _, part := range []string{`<div class="table-wrap" role="group"`, `<li class="task" data-type="taskItem" data-checked="true" data-due="2026-11-24T14:00"`} {
		if !strings.Contains(string(page), part) {
			t.Errorf("the page has no %s", part)
		}
	}
}

// menu chooses from the menu of tables.
func (w *window) menu(command string) {
	w.t.Helper()
	w.tool("table")
	for range 20 {
		if eval[bool](w, `document.activeElement.matches('.block-menu:popover-open [data-command=`+command+`]')`) {
			w.enter()
			return
		}
		w.down(1)
	}
	w.t.Fatalf("%s's window: no arrow key leads to %s", w.name, command)
}
