package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// TestAPI: a program lists notes, begins one, reads it in three forms and
// writes into it; who has the note open sees that.
func TestAPI(t *testing.T) {
	t.Parallel()
	s := shared.get(t)
	token := s.token(t, "chen")
	listed := s.notes(t, token)
	for _, n := range listed {
		if n.ID == "" || n.Kind == "" || n.LOINC == "" || n.Title == "" || n.Status == "" || n.Unit == "" || n.Patient.ID == "" || n.Patient.Name == "" || n.Patient.MRN == "" {
			t.Fatalf("a listed note lacks something: %+v", n)
		}
	}
	begun := s.newNoteFor(t, token, listed[0].Patient.ID, "progress")
	if begun.Status != "draft" || begun.Patient.ID != listed[0].Patient.ID || begun.Kind != "progress" {
		t.Errorf("the begun note is %+v", begun)
	}
	if !hasNote(s.notes(t, token), begun.ID) {
		t.Error("the begun note is not listed")
	}
	resp, body := s.api(t, apiRequest{method: "GET", path: "/notes/" + begun.ID, token: token})
	var read apiNote
	if err := json.Unmarshal(body, &read); resp.StatusCode != http.StatusOK || err != nil || read.ID != begun.ID {
		t.Errorf("GET /notes/%s: %s %.200s", begun.ID, resp.Status, body)
	}

	chen := signedIn(t, s, "chen")
	chen.openNote(begun.ID)
	n := startNode(t)
	var update []byte
	n.must("", "makeUpdate", map[string]any{"text": "Written by a program 🩺.", "base": s.state(t, token, begun.ID, octets)}, &update)
	edit := apiRequest{method: "POST", path: "/notes/" + begun.ID + "/edits", token: token, contentType: octets, body: update}
	seq := s.edit(t, edit)
	chen.waitContains("Written by a program 🩺.")
	if again := s.edit(t, edit); again < seq {
		t.Errorf("the same edit again is at seq %d, before %d", again, seq)
	}
	s.checkForms(t, n, token, begun.ID)

	// And the other way: what somebody types is what a program reads.
	chen.caretAtEnd(eval[int](chen, `document.querySelectorAll('`+noteEditor+` p').length - 1`))
	if err := chen.typeKeys(" Typed."); err != nil {
		t.Fatal(err)
	}
	chen.waitContains("Written by a program 🩺. Typed.")
	chen.waitStatus("saved")
	if text := s.text(t, token, begun.ID); strings.Count(text, "Written by a program 🩺. Typed.") != 1 {
		t.Errorf("the note's text is %q", text)
	}
}

func hasNote(notes []apiNote, id string) bool {
	for _, n := range notes {
		if n.ID == id {
			return true
		}
	}
	return false
}

// edit posts an update and returns the seq that it is committed under.
func (s *server) edit(t *testing.T, r apiRequest) int64 {
	t.Helper()
	resp, body := s.api(t, r)
	var done struct {
		Seq int64 `json:"seq"`
	}
	if err := json.Unmarshal(body, &done); resp.StatusCode != http.StatusOK || err != nil || done.Seq < 1 {
		t.Fatalf("POST %s: %s %.200s, want a seq", r.path, resp.Status, body)
	}
	return done.Seq
}

// checkForms fails unless the three forms of a note's state agree.
func (s *server) checkForms(t *testing.T, n *node, token, note string) {
	t.Helper()
	const written = "Written by a program 🩺."
	text := s.text(t, token, note)
	if strings.Count(text, written) != 1 || !strings.HasSuffix(text, written) {
		t.Errorf("as text the note ends in %q, want what was written, once", text[max(0, len(text)-100):])
	}
	var doc struct {
		Type    string            `json:"type"`
		Content []json.RawMessage `json:"content"`
	}
	if err := json.Unmarshal(s.state(t, token, note, "application/json"), &doc); err != nil || doc.Type != "doc" || len(doc.Content) == 0 {
		t.Fatalf("as JSON the note is of type %q with %d blocks, %v", doc.Type, len(doc.Content), err)
	}
	const last = `{"type":"paragraph","content":[{"type":"text","text":"Written by a program 🩺."}]}`
	if !sameJSON(doc.Content[len(doc.Content)-1], []byte(last)) {
		t.Errorf("the last block is %s, want %s", doc.Content[len(doc.Content)-1], last)
	}
	var yjs struct {
		XML     string `json:"xml"`
		Pending bool   `json:"pending"`
	}
	n.must("", "readUpdate", map[string]any{"update": s.state(t, token, note, octets)}, &yjs)
	if !strings.HasSuffix(yjs.XML, "<paragraph>"+written+"</paragraph>") || yjs.Pending {
		t.Errorf("as an update the note ends in %q, pending %v", yjs.XML[max(0, len(yjs.XML)-100):], yjs.Pending)
	}
	// Without a wish it is the update.
	resp, _ := s.api(t, apiRequest{method: "GET", path: "/notes/" + note + "/state", token: token})
	if got := resp.Header.Get("Content-Type"); got != octets {
		t.Errorf("without Accept the state is %q, want %s", got, octets)
	}
}

func sameJSON(a, b []byte) bool {
	var x, y any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return false
	}
	p, _ := json.Marshal(x) // maps are written in order of their keys
	q, _ := json.Marshal(y)
	return string(p) == string(q)
}

// TestAPIIsDescribed: the description is OpenAPI 3.1 and the viewer loads from
// this server alone.
func TestAPIIsDescribed(t *testing.T) {
	t.Parallel()
	s := shared.get(t)
	resp, body := fetch(t, s.signIn(t, "chen"), s.url+"/api/v1/openapi.json")
	var spec struct {
		OpenAPI string         `json:"openapi"`
		Paths   map[string]any `json:"paths"`
	}
	if err := json.Unmarshal(body, &spec); resp.StatusCode != http.StatusOK || err != nil || !strings.HasPrefix(spec.OpenAPI, "3.1") {
		t.Fatalf("openapi.json: %s, %v, version %q", resp.Status, err, spec.OpenAPI)
	}
	for _, path := range []string{"/notes", "/notes/{id}", "/notes/{id}/state", "/notes/{id}/edits", "/notes/{id}/losses", "/notes/{id}/losses/settle", "/notes/{id}/authors"} {
		if spec.Paths[path] == nil && spec.Paths["/api/v1"+path] == nil {
			t.Errorf("openapi.json does not describe %s", path)
		}
	}
	chen := signedIn(t, s, "chen")
	chen.visit("/api/docs")
	chen.waitFor("the viewer", exists(".swagger-ui .opblock"))
	foreign := eval[[]string](chen, `performance.getEntriesByType('resource').map(r => r.name).filter(u => !u.startsWith(location.origin))`)
	if len(foreign) > 0 {
		t.Errorf("the viewer loads %q", foreign)
	}
}
