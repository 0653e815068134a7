package server_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

// TestHandoffsOnTheBoard: who is in charge sees within a second which handoff nobody has read back, and that somebody has; what is added to
// one meanwhile neither hides it nor is to be read back itself. What is to be done about a patient is there as soon.
func TestHandoffsOnTheBoard(t *testing.T) {
	t.Parallel()
	h := open(t)
	rivera, haddad := h.signIn("rivera"), h.signIn("haddad")
	handoff := h.note
	h.sql(`UPDATE note SET kind = 'handoff' WHERE id = $1`, handoff)
	h.types("rivera", "Watcher. Furosemide at 22:00.")
	board := tidings{h, "haddad", h.watch(haddad)}
	<-board.events
	of := func(e string) string { // what the board says of the handoff
		_, line, _ := strings.Cut(e, `href="/notes/`+handoff.String()+`"`)
		line, _, _ = strings.Cut(line, "</li>")
		return line
	}
	began := time.Now()
	h.signs(rivera, "author")
	board.awaits(began, "that it waits", func(e string) bool { return strings.Contains(of(e), ">Not read back<") })
	_, page, _ := h.get(haddad, "/units/4-west?notes=handoff")
	says(t, "the board", page, "1 of 20 beds shown", ", 1 handoff not read back, ", ` data-handoff`)

	to := h.post303(rivera, "/notes/"+handoff.String()+"/amend", url.Values{"relation": {"addendum"}, "reason": {"Weighed at 18:00."}})
	added, err := uuid.Parse(strings.TrimPrefix(to, "/notes/"))
	if err != nil {
		t.Fatal(to, err)
	}
	h.note = added
	h.signs(rivera, "author")
	for _, path := range []string{"/", "/units/4-west"} {
		if _, page, _ := h.get(haddad, path); strings.Count(page, ">Not read back<") != 1 || !strings.Contains(of(page), ">Not read back<") {
			t.Errorf("%s says of %d handoffs that nobody has read them back", path, strings.Count(page, ">Not read back<"))
		}
	}
	if _, page, _ := h.get(haddad, "/notes/"+added.String()); strings.Contains(page, "as=receiver") {
		t.Error("what is added to a handoff is to be read back")
	}

	h.note, began = handoff, time.Now()
	h.signs(haddad, "receiver")
	board.awaits(began, "that it was read back", func(e string) bool { return of(e) != "" && !strings.Contains(of(e), "Not read back") })
	if _, page, _ := h.get(haddad, "/units/4-west?notes=handoff"); !strings.Contains(page, "0 of 20 beds shown") || strings.Contains(page, "handoff not read back,") {
		t.Error("the board counts it still")
	}
}

// TestBedsSayWhenTheyChanged: a bed is as of the last of what its row says, a signature and a task that was done among it.
func TestBedsSayWhenTheyChanged(t *testing.T) {
	t.Parallel()
	h := open(t)
	bed := h.text(`SELECT bed_id FROM stay JOIN note USING (patient_id) WHERE note.id = $1`, h.note)
	haddad := h.signIn("haddad")
	asOf := regexp.MustCompile(`as of <time datetime="([^"]+)"`)
	board := func() time.Time {
		_, page, _ := h.get(haddad, "/units/4-west")
		m := asOf.FindStringSubmatch(row(page, bed))
		if m == nil {
			t.Fatal("the bed does not say when it is of")
		}
		at, err := time.Parse(time.RFC3339, m[1])
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	h.asks("chen", h.task("haddad", "weigh", ""))
	h.sql(`UPDATE note SET edited_at = now() - interval '1 day' WHERE id = $1`, h.note)
	h.sql(`UPDATE stay SET bedside_at = now() - interval '1 day'`)
	h.sql(`UPDATE note_tasked SET changed_at = NULL`)
	if was := board(); time.Since(was) < time.Hour {
		t.Fatalf("nothing has happened lately, and the bed is as of %v", was)
	}
	began := time.Now().Truncate(time.Second)
	h.signs(h.signIn("okafor"), "author")
	for deadline := time.Now().Add(5 * time.Second); board().Before(began); { // the server is told in a moment
		if time.Now().After(deadline) {
			t.Fatalf("a note was signed at %v, and the bed is as of %v", began, board())
		}
	}
	_, list, _ := h.get(haddad, "/tasks")
	tick := regexp.MustCompile(`action="(/tasks/[^"]+)"`).FindStringSubmatch(list)
	if tick == nil {
		t.Fatal("nothing to tick off")
	}
	h.post303(haddad, tick[1], nil)
	if h.count(`SELECT count(*) FROM note_tasked WHERE note_id = $1 AND changed_at >= (SELECT at FROM task_done)`, h.note) != 1 {
		t.Error("a task was done, and its note's tasks have not changed")
	}
	h.sql(`UPDATE note_tasked SET changed_at = now() + interval '1 hour' WHERE note_id = $1`, h.note) // as if it were then
	if at := board(); time.Until(at) < 50*time.Minute {
		t.Errorf("tasks changed in an hour, and the bed is as of %v", at)
	}
}

// TestTasksOfSignedNotes: what a handoff asks for is done after it was signed: whoever has it to do ticks it off on their list, or on the
// note's page, which says who has done it and when, and the board counts it no more, within a second; not the note, which stays as it was
// signed. That is on record, and who may not write the note does not.
func TestTasksOfSignedNotes(t *testing.T) {
	t.Parallel()
	h := open(t)
	rivera, haddad := h.signIn("rivera"), h.signIn("haddad")
	h.sql(`UPDATE note SET kind = 'handoff' WHERE id = $1`, h.note)
	bed := h.text(`SELECT bed_id FROM stay JOIN note USING (patient_id) WHERE note.id = $1`, h.note)
	board := tidings{h, "haddad", h.watch(haddad)}
	<-board.events
	path := "/notes/" + h.note.String()
	film := h.task("haddad", "chest film", "2020-01-31")
	film.Attrs["checked"] = true
	began := time.Now()
	h.asks("rivera", h.task("haddad", "weigh", "2020-01-31"), h.task("haddad", "repeat potassium", "2020-01-31"), film)
	board.awaits(began, "the tasks", func(e string) bool {
		return strings.Contains(row(e, bed), "2 open tasks") && strings.Contains(row(e, bed), "2 overdue")
	})
	page := h.signs(rivera, "author")
	says(t, "the signed handoff", page, "weigh", "repeat potassium", "Due 31-Jan-2020", "Tick off")
	signed := h.text(`SELECT encode(content, 'hex') FROM note_signed WHERE note_id = $1`, h.note)

	_, list, _ := h.get(haddad, "/tasks")
	tick := regexp.MustCompile(`action="(/tasks/[^"]+)"`).FindAllStringSubmatch(list, -1)
	if len(tick) != 2 || !strings.Contains(list, "2 tasks, 2 overdue") {
		t.Fatalf("the list of who takes over has %d to tick off", len(tick))
	}
	h.acts()
	for _, name := range []string{"lindqvist", "moreau"} { // who may read it
		if status, _ := h.post(h.signIn(name), tick[0][1], nil); status != http.StatusForbidden {
			t.Errorf("%s ticks off: %d", name, status)
		}
	}
	h.acts()
	began = time.Now()
	if to := h.post303(haddad, tick[0][1], nil); to != "/tasks" {
		t.Errorf("ticking off leads to %q", to)
	}
	board.awaits(began, "that one is done", func(e string) bool { return strings.Contains(row(e, bed), "1 open task") })
	h.post303(haddad, tick[0][1], nil) // it is done
	h.recorded("a task of a signed note", "note.task done haddad note: done")
	if _, list, _ := h.get(haddad, "/tasks"); !strings.Contains(list, "1 task, 1 overdue") || !strings.Contains(list, "Tasks (1)") {
		t.Error("it is on the list still")
	}
	// Copies say so beside what was signed, and programs are told.
	_, print, _ := h.get(rivera, path+"/print")
	says(t, "the copy", print, "Done since it was signed", "weigh – done ", " by Lina Haddad RN</li>")
	if strings.Contains(print, "potassium – done") {
		t.Error("a copy says that something was done that was not")
	}
	_, tasks, _ := h.api("GET", "/api/v1"+path+"/tasks", h.token("rivera"), "", nil)
	var told struct {
		Tasks []struct {
			ID, Text, Due string
			Done, Overdue bool
			Owner, DoneBy *struct{ Name string }
			DoneAt        time.Time
		}
	}
	if err := json.Unmarshal(tasks, &told); err != nil || len(told.Tasks) != 3 || !told.Tasks[0].Done || told.Tasks[0].DoneBy.Name != "Lina Haddad RN" || told.Tasks[0].DoneAt.Before(began.Add(-time.Second)) ||
		told.Tasks[1].Done || !told.Tasks[1].Overdue || told.Tasks[1].Owner.Name != "Lina Haddad RN" || told.Tasks[1].Due != "2020-01-31" || !told.Tasks[2].Done || told.Tasks[2].DoneBy != nil {
		t.Errorf("programs are told %s, %v", tasks, err)
	}
	if status, _, _ := h.api("GET", "/api/v1"+path+"/tasks", h.token("brandt"), "", nil); status != http.StatusForbidden {
		t.Errorf("who may not read it is told its tasks: %d", status)
	}
	_, page, _ = h.get(rivera, path)
	says(t, "the note's page", page, "✓</span> weigh", "done by Lina Haddad RN, ", "Not done: weigh", "Tick off: repeat potassium")
	if to := h.post303(rivera, tick[0][1], url.Values{"from": {"note"}, "not": {"done"}}); to != path+"#tasks" {
		t.Errorf("saying that it is not done leads to %q", to)
	}
	if _, page, _ = h.get(rivera, path); strings.Contains(page, "done by") || strings.Contains(page, "does not read as it was signed") {
		t.Error("it is done still, or the note is another")
	}
	if status, _ := h.post(haddad, "/tasks/"+h.note.String()+"/77-999", nil); status != http.StatusSeeOther || h.count(`SELECT count(*) FROM task_done`) != 0 {
		t.Errorf("a task that there is not: %d", status)
	}
	if now := h.text(`SELECT encode(content, 'hex') FROM note_signed WHERE note_id = $1`, h.note); now != signed {
		t.Error("what was signed has changed")
	}
}
