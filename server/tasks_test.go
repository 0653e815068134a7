package server_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/server/notekind"
)

// task is one that somebody is given, or nobody.
func (h *hospital) task(username, text, due string) prose.Node {
	h.t.Helper()
	t := prose.Task{Due: due}
	if username != "" {
		row, err := h.db.PersonByUsername(h.t.Context(), username)
		if err != nil {
			h.t.Fatal(err)
		}
		t.Owner, t.OwnerName = row.ID.String(), row.Name
	}
	return notekind.Task(text, t)
}

// asks has somebody write tasks into the note, and has them read.
func (h *hospital) asks(username string, tasks ...prose.Node) {
	h.t.Helper()
	edit, err := prose.Build(77, prose.Node{Type: "doc", Content: []prose.Node{notekind.TaskList(tasks...)}})
	if err != nil {
		h.t.Fatal(err)
	}
	if status, body, _ := h.api("POST", "/api/v1/notes/"+h.note.String()+"/edits?schema="+prose.CurrentSchema().Fingerprint(), h.token(username), "", edit); status != http.StatusOK {
		h.t.Fatalf("the tasks are not taken: %d %s", status, body)
	}
	if err := h.db.ReadTasksOf(h.t.Context(), h.note); err != nil {
		h.t.Fatal(err)
	}
}

// TestTasksOnPages: a task that somebody writes into a note is on the page of whom it is for, who may read the note, and of nobody else;
// ticked off there it is an edit of theirs. That they read in the note is on record.
func TestTasksOnPages(t *testing.T) {
	t.Parallel()
	h := open(t)
	tasks := notekind.TaskList(
		h.task("rivera", "weigh before breakfast", "2099-11-24T06:00"), h.task("rivera", "repeat potassium", "2020-01-31"), h.task("novak", "count the keys", ""),
	)
	edit, err := prose.Build(77, prose.Node{Type: "doc", Content: []prose.Node{tasks}})
	if err != nil {
		t.Fatal(err)
	}
	token, path := h.token("chen"), "/api/v1/notes/"+h.note.String()
	if status, body, _ := h.api("POST", path+"/edits", token, "", edit); status != http.StatusUnprocessableEntity {
		t.Errorf("an editor that says nothing brings tasks: %d %s", status, body)
	}
	if status, body, _ := h.api("POST", path+"/edits?schema="+prose.CurrentSchema().Fingerprint(), token, "", edit); status != http.StatusOK {
		t.Fatalf("the tasks are not taken: %d %s", status, body)
	}
	if err := h.db.ReadTasksOf(t.Context(), h.note); err != nil {
		t.Fatal(err)
	}

	rivera := h.signIn("rivera")
	h.acts()
	status, page, _ := h.get(rivera, "/tasks")
	h.recorded("a list of tasks", "note.open done rivera note: page by unit")
	for _, want := range []string{"31-Jan-2020", "Overdue", "repeat potassium", "24-Nov-2099 06:00", "from Dr Mei Chen", "2 tasks, 1 overdue", "Tasks (2)", "/notes/" + h.note.String()} {
		if status != http.StatusOK || !strings.Contains(page, want) {
			t.Errorf("%d, the page does not say %q", status, want)
		}
	}
	if strings.Contains(page, "count the keys") || strings.Index(page, "repeat potassium") > strings.Index(page, "weigh before") {
		t.Error("it lists somebody else's, or not what is overdue first")
	}
	for _, other := range []string{"haddad", "novak"} { // whose there are none, and who may not read them
		if _, page, _ := h.get(h.signIn(other), "/tasks"); strings.Contains(page, "repeat potassium") || strings.Contains(page, "count the keys") || strings.Contains(page, "Tasks (") {
			t.Errorf("%s is shown tasks", other)
		}
	}

	tick := regexp.MustCompile(`action="(/tasks/[^"]+)"`).FindStringSubmatch(page)
	if tick == nil {
		t.Fatal("nothing to tick off with")
	}
	if status, _ := h.post(h.signIn("lindqvist"), tick[1], nil); status != http.StatusForbidden {
		t.Errorf("who may only read ticks off: %d", status)
	}
	for range 2 { // the second time there is nothing to do
		if status, body := h.post(rivera, tick[1], nil); status != http.StatusSeeOther {
			t.Fatalf("not ticked off: %d %.200s", status, body)
		}
	}
	if status, _ := h.post(rivera, "/tasks/"+h.note.String()+"/77-x", nil); status != http.StatusNotFound {
		t.Errorf("a task that is none: %d", status)
	}
	if _, text, _ := h.api("GET", path+"/state", token, "text/plain", nil); !strings.Contains(string(text), "[x] repeat potassium (Rosa Rivera RN, due 31-Jan-2020)") || !strings.Contains(string(text), "[ ] weigh") {
		t.Errorf("the note says %q", text)
	}
	if _, page, _ := h.get(rivera, "/tasks"); strings.Contains(page, "repeat potassium") || !strings.Contains(page, "1 task<") {
		t.Error("it is still to be done")
	}

	// Whom a task can be given to.
	_, body, _ := h.api("GET", path+"/colleagues", token, "", nil)
	var list struct{ People []struct{ Name, Role string } }
	if err := json.Unmarshal(body, &list); err != nil || !strings.Contains(string(body), "Rosa Rivera RN") || strings.Contains(string(body), "Petra Novak") {
		t.Errorf("colleagues: %s, %v", body, err)
	}
	if status, _, _ := h.api("GET", path+"/colleagues", h.token("lindqvist"), "", nil); status != http.StatusForbidden {
		t.Errorf("who may not write is told of colleagues: %d", status)
	}
}

// TestTasksOfAUnit: whoever sees a unit's board sees what is to be done there, of the notes that they may read, and that is on record once, however
// often the page asks; the board leads there by bed. It is filtered by the address, changes by itself, and what is ticked off there stays for a
// while as done, with who has done it. Nobody else sees it, a display above all.
func TestTasksOfAUnit(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.asks("chen", h.task("haddad", "weigh before breakfast", "2099-11-24T06:00"), h.task("rivera", "repeat potassium", "2020-01-31"), h.task("", "count the sheets", ""))
	bed := h.text(`SELECT bed_id FROM stay JOIN note USING (patient_id) WHERE note.id = $1`, h.note)
	const path = "/units/4-west/tasks"
	haddad := h.signIn("haddad")
	_, board, _ := h.get(haddad, "/units/4-west")
	says(t, "the board", board, `href="`+path+`?bed=`+bed+`"`, ">3 open tasks</a>", `<a href="`+path+`">3 open tasks, 1 overdue</a>`)

	h.acts()
	status, page, _ := h.get(haddad, path)
	says(t, "the list", page, "repeat potassium", "31-Jan-2020", "Rosa Rivera RN", "from Dr Mei Chen", "Nobody yet", "3 tasks, 1 overdue", "Tick off", `href="/notes/`+h.note.String()+`#task-77-`, `value="`+bed+`"`)
	if status != http.StatusOK || strings.Index(page, "repeat potassium") > strings.Index(page, "weigh before") || strings.Index(page, "weigh before") > strings.Index(page, "count the sheets") {
		t.Errorf("%d, or what is overdue is not first, and what is due at no time not last", status)
	}
	h.get(haddad, path)
	h.recorded("a unit's tasks, twice", "note.open done haddad note: page by unit")
	hidden := regexp.MustCompile(`<tr id="task-[^"]+"[^>]* hidden>`)
	for query, want := range map[string]int{"?who=mine": 2, "?who=nobody": 2, "?overdue=1": 2, "?bed=" + bed: 0, "?bed=nowhere": 0, "": 0} {
		if _, page, _ := h.get(haddad, path+query); len(hidden.FindAllString(page, -1)) != want || strings.Contains(page, " of 3 tasks shown") != (want > 0 || query == "?bed="+bed) {
			t.Errorf("%s hides %d, want %d", query, len(hidden.FindAllString(page, -1)), want)
		}
	}

	list := tidings{h, "haddad", h.events(haddad, path+"/events")}
	<-list.events
	tick := regexp.MustCompile(`action="(/tasks/[^"]+)"`).FindAllStringSubmatch(page, -1)
	if len(tick) != 3 {
		t.Fatalf("%d to tick off", len(tick))
	}
	began := time.Now()
	if to := h.post303(h.signIn("rivera"), tick[0][1], url.Values{"from": {"unit"}, "who": {"mine"}, "bed": {bed}}); to != path+"?bed="+bed+"&who=mine" {
		t.Errorf("ticking off leads to %q", to)
	}
	list.awaits(began, "that it is done", func(e string) bool {
		_, done, is := strings.Cut(e, `id="tasks-done"`)
		return is && strings.Contains(done, "repeat potassium") && strings.Contains(e, "2 tasks<")
	})
	h.signs(h.signIn("okafor"), "author")
	began = time.Now()
	if status, says := h.post(haddad, tick[1][1], url.Values{"from": {"unit"}}); status != http.StatusSeeOther {
		t.Errorf("of a signed note: %d %s", status, says)
	}
	list.awaits(began, "who has done it", func(e string) bool {
		_, done, is := strings.Cut(e, `id="tasks-done"`)
		return is && strings.Contains(done, "weigh before") && strings.Contains(done, "Lina Haddad RN</small>") && strings.Contains(e, "1 task<")
	})

	// Of a restricted record its team alone is told, and of none whoever may not read it.
	h.sql(`UPDATE patient SET vip = true FROM note WHERE note.patient_id = patient.id AND note.id = $1`, h.note)
	if _, page, _ := h.get(h.signIn("okafor"), path); strings.Contains(page, "count the sheets") {
		t.Error("a restricted record's tasks are shown")
	}
	if _, page, _ := h.get(h.signIn("lindqvist"), path); !strings.Contains(page, "count the sheets") || strings.Contains(page, "Tick off") {
		t.Error("who reviews is not shown it, or ticks it off")
	}
	for _, name := range []string{"brandt", "wall", "novak"} {
		if status, page, _ := h.get(h.signIn(name), path); status != http.StatusForbidden || strings.Contains(page, "count the sheets") {
			t.Errorf("%s: %d", name, status)
		}
	}
	if _, wall, _ := h.get(h.signIn("wall"), "/units/4-west/wall"); containsAny(wall, "/tasks", "open task", "count the sheets") {
		t.Error("the wall says what is to be done")
	}
	if _, page, _ := h.get(h.signIn("brandt"), "/units/icu/tasks"); !strings.Contains(page, "Nothing to do") {
		t.Error("where nothing is to be done the page does not say so")
	}
}
