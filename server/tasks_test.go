package server_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/clisonix/tidechart/crdt/prose"
)

// TestTasksOnPages: a task that somebody writes into a note is on the page of whom it is for, who may read the note, and of nobody else;
// ticked off there it is an edit of theirs. That they read in the note is on record.
func TestTasksOnPages(t *testing.T) {
	t.Parallel()
	h := open(t)
	task := func(username, text, due string) prose.Node {
		row, err := h.db.PersonByUsername(t.Context(), username)
		if err != nil {
			t.Fatal(err)
		}
		return prose.Node{
			Type: "taskItem", Attrs: map[string]any{"checked": false, "owner": row.ID.String(), "ownerName": row.Name, "due": due},
			Content: []prose.Node{{Type: "paragraph", Content: []prose.Node{{Type: "text", Text: text}}}},
		}
	}
	tasks := prose.Node{Type: "taskList", Content: []prose.Node{
		task("rivera", "weigh before breakfast", "2099-11-24T06:00"), task("rivera", "repeat potassium", "2020-01-31"), task("novak", "count the keys", ""),
	}}
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
