package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestTablesAndTasks: two people fill in a table by keys, give one of them a task with a time, and tick it off; what the editor shows is
// what the note says, on every screen.
func TestTablesAndTasks(t *testing.T) {
	t.Parallel()
	s := shared.get(t)
	token := s.token(t, "chen")
	note := s.newNote(t, token)
	chen, rivera := signedIn(t, s, "chen"), signedIn(t, s, "rivera")
	chen.openNote(note)
	rivera.openNote(note)
	chen.caretAtEnd(0)

	// A table, from the menu, by keys.
	chen.do(chromedp.Evaluate[chromedp.Void](`document.querySelector('[data-command="table"]').focus()`))
	chen.types("\r")
	chen.waitFor("the menu", `document.activeElement.dataset.command === 'table' && document.activeElement.role === 'menuitem'`)
	chen.types("\r")
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
	chen.do(chromedp.Click(chromedp.CSS(noteEditor + " th:nth-child(2)")))
	chen.types("Brand")
	rivera.waitFor("the same", rows+` === 3 && document.querySelectorAll('`+noteEditor+` th').length === 4`)

	// A task, given to somebody.
	chen.do(chromedp.Evaluate[chromedp.Void](`getSelection().setPosition(document.querySelector('` + noteEditor + ` > p:last-child'), 0)`))
	chen.do(chromedp.Click(chromedp.CSS(`#toolbar [data-command="taskList"]`)))
	chen.waitFor("a task", exists(noteEditor+" .task"))
	chen.types("repeat potassium")
	chen.keyDown("Alt", "\r")
	chen.waitFor("the dialog", `document.querySelector('#task-dialog').open && document.querySelector('#task-owner').options.length > 2`)
	if what := eval[string](chen, `document.querySelector('#task-what').textContent`); what != "repeat potassium" {
		t.Errorf("the dialog is about %q", what)
	}
	chen.shot("task-dialog")
	eval[bool](chen, `(() => {
		const owner = document.querySelector('#task-owner')
		owner.value = [...owner.options].find(o => o.label === 'Rosa Rivera RN').value
		document.querySelector('#task-time').value = '14:00'
		document.querySelector('#task-dialog [value=save]').click()
		return true
	})()`)
	if !eval[bool](chen, `document.querySelector('#task-dialog').open`) {
		t.Error("a time of no day is taken")
	}
	eval[bool](chen, `(() => {
		const day = document.querySelector('#task-day')
		day.value = '2026-11-24'
		day.dispatchEvent(new Event('input'))
		return true
	})()`)
	if said := eval[string](chen, `document.querySelector('label[for="task-day"]').textContent`); said != "Due on 24-Nov-2026" {
		t.Errorf("the day is said to be %q", said)
	}
	chen.do(chromedp.Click(chromedp.CSS(`#task-dialog [value=save]`)))
	rivera.waitFor("whose it is", `document.querySelector('.task-about')?.textContent === 'Rosa Rivera RNDue 24-Nov-2026 14:00'`)
	rivera.do(chromedp.Click(chromedp.CSS(noteEditor + " .task input")))
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
	rivera.submit(`#tasks form button`)
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
	w.do(chromedp.Click(chromedp.CSS(`.toolbar [data-command="table"]`)))
	w.do(chromedp.Click(chromedp.CSS(fmt.Sprintf(`.block-menu:popover-open [data-command=%q]`, command))))
}
