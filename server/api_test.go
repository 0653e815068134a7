package server_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/sessions"
)

func TestAPI(t *testing.T) {
	h := open(t)
	token, path := h.token("chen"), "/api/v1/notes/"+h.note.String()

	status, body, _ := h.api("GET", "/api/v1/notes?unit=4-west", token, "", nil)
	var list struct {
		Notes []struct {
			ID, Kind, LOINC, Title, Status, Unit string
			Patient                              struct{ ID, Name, MRN string }
		}
	}
	if err := json.Unmarshal(body, &list); status != 200 || err != nil || len(list.Notes) == 0 {
		t.Fatalf("list: %d, %v", status, err)
	}
	first := list.Notes[0]
	if first.ID == "" || first.Kind == "" || first.LOINC == "" || first.Status != "draft" || first.Unit != "4-west" || first.Patient.MRN == "" {
		t.Errorf("list: %+v", first)
	}

	create, _ := json.Marshal(map[string]string{"patient": first.Patient.ID, "kind": "progress"})
	req, _ := http.NewRequestWithContext(t.Context(), "POST", h.URL+"/api/v1/notes", bytes.NewReader(create))
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	r, err := http.DefaultClient.Do(req)
	if err != nil || r.StatusCode != http.StatusCreated {
		t.Fatalf("create: %v, %v", r.Status, err)
	}
	_ = r.Body.Close()

	_, text, _ := h.api("GET", path+"/state", token, "text/plain", nil)
	_, asJSON, header := h.api("GET", path+"/state", token, "application/json", nil)
	_, state, _ := h.api("GET", path+"/state", token, "", nil)
	doc := crdt.New("")
	if err := doc.ApplyUpdate(state); err != nil {
		t.Fatal(err)
	}
	if got := prose.Text(prose.Read(doc.XMLFragment("default"))); got != string(text) || got == "" {
		t.Errorf("the update reads %q, the text %q", got, text)
	}
	if !bytes.HasPrefix(asJSON, []byte(`{"type":"doc"`)) || header.Get("Content-Type") != "application/json" {
		t.Errorf("as JSON: %.40s", asJSON)
	}

	edit, err := prose.Build(77, prose.Node{Type: "doc", Content: []prose.Node{
		{Type: "paragraph", Content: []prose.Node{{Type: "text", Text: "added by a program"}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time it is known
		if status, body, _ := h.api("POST", path+"/edits", token, "", edit); status != 200 || strings.TrimSpace(string(body)) != `{"seq":2}` {
			t.Errorf("edit: %d %s", status, body)
		}
	}
	if _, text, _ := h.api("GET", path+"/state", token, "text/plain", nil); !strings.Contains(string(text), "added by a program") {
		t.Errorf("after the edit: %q", text)
	}
	log, err := h.db.Load(t.Context(), h.note)
	if err != nil || log.Head != 2 {
		t.Errorf("log: head %d, %v", log.Head, err)
	}
}

// TestAPIErrors are RFC 9457 problems, and hold no content.
func TestAPIErrors(t *testing.T) {
	h := open(t)
	chen, note := h.token("chen"), "/api/v1/notes/"+h.note.String()
	const canary = "CANARY-PENICILLIN"
	for _, tt := range []struct {
		name, method, path, token string
		body                      []byte
		status                    int
	}{
		{"no token", "GET", "/api/v1/notes", "", nil, 401},
		{"an unknown note", "GET", "/api/v1/notes/" + uuid.NewString() + "/state", chen, nil, 404},
		{"no note id", "GET", "/api/v1/notes/none/state", chen, nil, 422},
		{"an administrator reading", "GET", note + "/state", h.token("novak"), nil, 403},
		{"a reader writing", "POST", note + "/edits", h.token("lindqvist"), []byte{0, 0}, 403},
		{"not an update", "POST", note + "/edits", chen, []byte(canary), 422},
		{"an update after a gap", "POST", note + "/edits", chen, []byte{1, 1, 5, 9, 0x84, 5, 8, 1, 'x', 0}, 409},
		{"other text at the template's clocks", "POST", note + "/edits", chen, templateFork(h), 409},
		{"an undo that replicas do not agree on", "POST", note + "/edits", chen, inverted(t), 409},
		{"a huge update", "POST", note + "/edits", chen, make([]byte, sessions.MaxFrame+1), 413},
	} {
		status, body, header := h.api(tt.method, tt.path, tt.token, "", tt.body)
		if status != tt.status || header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s %s, want %d", tt.name, status, header.Get("Content-Type"), body, tt.status)
		}
		if bytes.Contains(body, []byte(canary)) {
			t.Errorf("%s: the answer quotes content", tt.name)
		}
		if said := strings.Contains(string(body), "replicas would not agree"); said != strings.Contains(tt.name, "replicas") {
			t.Errorf("%s: %s", tt.name, body)
		}
	}
	if strings.Contains(h.log.String(), canary) {
		t.Error("the log quotes content")
	}
	for _, status := range []string{"401", "403", "404", "409", "413", "422"} {
		if !strings.Contains(h.log.String(), "status="+status) {
			t.Errorf("the log does not tell of a %s", status)
		}
	}
}

// inverted is a text with an element whose right origin is the letter before its origin.
func inverted(t *testing.T) []byte {
	t.Helper()
	b := crdt.NewBuilder(78)
	paragraph := b.Element(crdt.Place{Root: sessions.Fragment}, "paragraph")
	text := b.XMLText(crdt.Place{Parent: &paragraph})
	origin := b.String(crdt.Place{Parent: &text}, "abc")
	right := crdt.ID{Client: origin.Client, Clock: origin.Clock - 1}
	b.String(crdt.Place{After: &origin, Before: &right}, "x")
	edit, err := b.Update()
	if err != nil {
		t.Fatal(err)
	}
	return edit
}

// templateFork writes other text under the client id that laid the note's template.
func templateFork(h *hospital) []byte {
	h.t.Helper()
	fork, err := prose.Build(store.TemplateClient(h.note), prose.Node{Type: "doc", Content: []prose.Node{
		{Type: "paragraph", Content: []prose.Node{{Type: "text", Text: "forged"}}},
	}})
	if err != nil {
		h.t.Fatal(err)
	}
	return fork
}
