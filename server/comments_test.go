package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/sessions"
)

// place is where an element is, as the API says it.
type place struct {
	Client uint64 `json:"client"`
	Clock  uint64 `json:"clock"`
}

// comments has somebody send JSON to the comments of the note, and returns what they are answered.
func (h *hospital) comments(user, method, path string, body any) (status int, answer string) {
	h.t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		h.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(h.t.Context(), method, h.URL+"/api/v1/notes/"+h.note.String()+"/comments"+path, bytes.NewReader(b))
	if err != nil {
		h.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+h.token(user))
	req.Header.Set("Content-Type", "application/json")
	r, err := http.DefaultClient.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	var all bytes.Buffer
	_, _ = all.ReadFrom(r.Body)
	return r.StatusCode, all.String()
}

// begins has somebody begin a thread, and returns its id.
func (h *hospital) begins(user, text string, about any) string {
	h.t.Helper()
	said := map[string]any{"text": text}
	if about != nil {
		said["about"] = about
	}
	status, answer := h.comments(user, "POST", "", said)
	var out struct{ Thread string }
	if err := json.Unmarshal([]byte(answer), &out); err != nil || status != 200 {
		h.t.Fatalf("%s begins a thread: %d %s", user, status, answer)
	}
	return out.Thread
}

// where finds words in the note's first block that has them, by the ids of their first and last character.
func (h *hospital) where(words string) map[string]place {
	h.t.Helper()
	_, state, _ := h.api("GET", "/api/v1/notes/"+h.note.String()+"/state", h.token("chen"), "", nil)
	doc := crdt.New("")
	if err := doc.ApplyUpdate(state); err != nil {
		h.t.Fatal(err)
	}
	var found map[string]place
	var walk func(n prose.Node)
	walk = func(n prose.Node) {
		at := strings.Index(n.Text, words)
		if at >= 0 && found == nil {
			id := func(i int) place {
				for _, p := range n.Pieces {
					if i < int(p.Len) {
						return place{uint64(p.ID.Client), p.ID.Clock + uint64(i)}
					}
					i -= int(p.Len)
				}
				h.t.Fatalf("no id of %q", words)
				return place{}
			}
			found = map[string]place{"start": id(at), "end": id(at + len(words) - 1)}
		}
		for _, c := range n.Content {
			walk(c)
		}
	}
	walk(prose.ReadTraced(doc.XMLFragment(sessions.Fragment)))
	if found == nil {
		h.t.Fatalf("the note does not say %q", words)
	}
	return found
}

// TestComments: who may write a note says something about a stretch of it, which is quoted by the server; a colleague answers and resolves;
// who reads it reads that, and adds nothing. What somebody takes back is off the page, and on record. Signed, all of it is read-only.
func TestComments(t *testing.T) {
	h := open(t).physicians()
	note := "/notes/" + h.note.String()
	h.line("rivera", "Potassium 3.1, replaced.")
	h.line("chen", "Afebrile overnight.")
	h.acts()
	about := h.where("3.1")
	thread := h.begins("chen", "  Is this from\nthis morning? ", about)
	if status, _ := h.comments("rivera", "POST", "/"+thread, map[string]any{"text": "Yes, 06:10 CANARY"}); status != 204 {
		t.Fatalf("answered: %d", status)
	}
	whole := h.begins("rivera", "Who signs?", nil)

	for what, try := range map[string]struct {
		user, method, path string
		body               any
		status             int
	}{
		"nothing":                      {"chen", "POST", "", map[string]any{"text": " \n "}, 422},
		"too much":                     {"chen", "POST", "", map[string]any{"text": strings.Repeat("é", 2001)}, 422},
		"what hides":                   {"chen", "POST", "", map[string]any{"text": "a\x07b"}, 422},
		"text that is not there":       {"chen", "POST", "", map[string]any{"text": "x", "about": map[string]place{"start": {1, 1}, "end": {1, 2}}}, 409},
		"text from its end":            {"chen", "POST", "", map[string]any{"text": "x", "about": map[string]place{"start": about["end"], "end": about["start"]}}, 409},
		"as who only reads":            {"lindqvist", "POST", "", map[string]any{"text": "x"}, 403},
		"as who reads nothing":         {"novak", "POST", "", map[string]any{"text": "x"}, 403},
		"an answer to nobody":          {"chen", "POST", "/" + uuid.NewString(), map[string]any{"text": "x"}, 404},
		"somebody else's":              {"chen", "POST", "/" + thread + "/2", map[string]any{"text": "x"}, 409},
		"somebody else's, away":        {"chen", "DELETE", "/" + thread + "/2", nil, 409},
		"what is none":                 {"chen", "DELETE", "/" + thread + "/9", nil, 409},
		"where the whole note is":      {"rivera", "POST", "/" + whole + "/place", about, 404},
		"who reads nothing, the words": {"novak", "GET", "", nil, 403},
	} {
		if status, answer := h.comments(try.user, try.method, try.path, try.body); status != try.status {
			t.Errorf("%s: %d %s, want %d", what, status, answer, try.status)
		}
	}

	if status, _ := h.comments("chen", "POST", "/"+thread+"/1", map[string]any{"text": "From today?"}); status != 204 {
		t.Errorf("changed: %d", status)
	}
	if status, _ := h.comments("rivera", "DELETE", "/"+thread+"/2", nil); status != 204 {
		t.Errorf("removed: %d", status)
	}
	if status, _ := h.comments("rivera", "POST", "/"+thread+"/2", map[string]any{"text": "back"}); status != 409 {
		t.Errorf("changed after it was removed: %d", status)
	}
	var acts []string
	for _, line := range h.acts() {
		if strings.HasPrefix(line, "note.comment") {
			act, _, marked := strings.Cut(strings.TrimPrefix(line, "note.comment done "), " rev=")
			if !marked {
				t.Errorf("on record is not how much there is in the thread: %s", line)
			}
			acts = append(acts, act)
		}
	}
	if got, want := strings.Join(acts, "; "), "chen note: began; rivera note: said; rivera note: began; chen note: changed n=1; rivera note: removed n=2"; got != want {
		t.Errorf("on record is %s, want %s", got, want)
	}
	if n := h.count(`SELECT count(*) FROM thread_act WHERE thread_id = $1`, thread); n != 4 {
		t.Errorf("%d acts are on record, want all 4", n)
	}
	rivera := h.signIn("rivera")
	for who, c := range map[string]*http.Client{"rivera": rivera, "lindqvist": h.signIn("lindqvist")} {
		_, page, _ := h.get(c, note)
		says(t, who+"'s page", page, `<q class="thread-quote">3.1</q>`, "From today?", "Is this from\nthis morning?", "About the whole note", "2 open threads")
		if strings.Contains(page, "CANARY") != (who == "lindqvist") {
			t.Errorf("what was removed is for who reviews: %s", who)
		}
		if strings.Contains(page, `data-do="answer"`) != (who == "rivera") {
			t.Errorf("%s may answer, or not", who)
		}
	}
	for range 2 { // the second time it is so already
		if status, _ := h.comments("rivera", "POST", "/"+thread+"/resolved", map[string]any{"resolved": true}); status != 204 {
			t.Errorf("resolved: %d", status)
		}
	}
	h.acts()
	_, part, _ := h.get(rivera, note+"/comments")
	h.recorded("reads the comments alone", "note.open done rivera note: page")
	if !strings.Contains(part, "Resolved by Rosa Rivera RN") || !strings.Contains(part, "1 open thread") {
		t.Errorf("the list says %.400s", plainText(part))
	}
	h.line("rivera", "Slept.")
	if status, _ := h.comments("rivera", "POST", "/"+thread+"/place", h.where("Slept")); status != 204 {
		t.Errorf("placed: %d", status)
	}
	_, list := h.comments("lindqvist", "GET", "", nil)
	var read struct {
		Threads []struct {
			Quote    string
			Place    struct{ Start place }
			Resolved bool
			Comments []struct {
				Text             string
				Changed, Removed bool
			}
		}
	}
	if err := json.Unmarshal([]byte(list), &read); err != nil || len(read.Threads) != 2 {
		t.Fatal(err, list)
	}
	if got := read.Threads[0]; got.Quote != "3.1" || got.Place.Start != h.where("Slept")["start"] || !got.Resolved || fmt.Sprint(got.Comments) != "[{From today? true false} { false true}]" {
		t.Errorf("the API says %+v", got)
	}
	okafor := h.signIn("okafor")
	h.acts()
	if _, sheet := h.sheet(okafor, h.sheetPath("author")); !strings.Contains(plainText(sheet), "1 thread is open. They are no part of what you sign") {
		t.Error("the sheet does not say that a thread is open")
	}
	page := h.signs(okafor, "author")
	says(t, "the signed note", page, "Comments on the draft", "From today?", "are no part of it")
	if strings.Contains(page, `data-do="answer"`) {
		t.Error("the page of the signed note offers to answer")
	}
	if status, answer := h.comments("chen", "POST", "/"+thread, map[string]any{"text": "late"}); status != 403 || !strings.Contains(answer, "signed") {
		t.Errorf("said after the signature: %d %s", status, answer)
	}
	if n := h.count(`SELECT count(*) FROM thread, thread_act WHERE encode(words || coalesce(quote, '') || coalesce(place, ''), 'escape') ~ '3\.1|today|CANARY'`); n != 0 || strings.Contains(h.log.String(), "CANARY") {
		t.Error("words lie in the clear")
	}
	for _, statement := range []string{`UPDATE thread_act SET act = 'said'`, `UPDATE thread SET quote = place`, `DELETE FROM thread_act`, `DELETE FROM thread`} {
		if _, err := h.connect().Exec(t.Context(), statement); err == nil {
			t.Errorf("it takes %s", statement)
		}
	}
}
