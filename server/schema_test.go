package server_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/server/store"
)

// newer begins a note as a later version of Tidechart would have: with a node that this one's editor lacks.
func (h *hospital) newer() uuid.UUID {
	h.t.Helper()
	row, err := h.db.NoteByID(h.t.Context(), h.note)
	if err != nil {
		h.t.Fatal(err)
	}
	b := crdt.NewBuilder(7)
	callout := b.Element(crdt.Place{Root: "default"}, "callout")
	text := b.XMLText(crdt.Place{Parent: &callout})
	b.String(crdt.Place{Parent: &text}, "allergic to latex")
	first, err := b.Update()
	if err != nil {
		h.t.Fatal(err)
	}
	id := uuid.New()
	if err := h.db.CreateNote(h.t.Context(), store.NewNote{
		ID: id, Patient: row.Note.PatientID, Unit: row.Note.UnitID, Kind: row.Note.Kind, Title: row.Note.Title,
		Author: row.Note.CreatedBy, At: time.Now(), First: first,
	}); err != nil {
		h.t.Fatal(err)
	}
	return id
}

// TestNotesOfANewerEditorAreOnlyShown: an editor that lacks a node deletes it by opening the note. After the program was
// set back to an older version, such a note is a page to read, and no editor of ours gets it.
func TestNotesOfANewerEditorAreOnlyShown(t *testing.T) {
	h := open(t)
	id := h.newer()
	status, page, _ := h.get(h.signIn("chen"), "/notes/"+id.String())
	if status != http.StatusOK || !strings.Contains(page, "allergic to latex") || !strings.Contains(page, "only a newer version") {
		t.Errorf("the page: %d, %.2000s", status, page)
	}
	if strings.Contains(page, "data-note=") {
		t.Error("the page opens an editor")
	}
	if status, page, _ := h.get(h.signIn("chen"), "/notes/"+h.note.String()); status != http.StatusOK || !strings.Contains(page, "data-note=") {
		t.Errorf("another note's page: %d, and no editor", status)
	}

	token, ours := h.token("chen"), prose.CurrentSchema().Fingerprint()
	ws := h.dialNote(id.String()+"?schema="+ours, token)
	var (
		frame []byte
		err   error
	)
	for err == nil {
		if len(frame) > 1 && frame[0] == 0 && frame[1] == 1 {
			t.Error("our editor is sent the note")
		}
		_, frame, err = ws.Read(t.Context())
	}
	if got := websocket.CloseStatus(err); got != 4403 {
		t.Errorf("our editor: %v, want close code 4403", err)
	}

	path := "/api/v1/notes/" + id.String()
	edit, err := prose.Build(77, prose.Node{Type: "doc", Content: []prose.Node{{Type: "paragraph"}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, text, _ := h.api("GET", path+"/state", token, "text/plain", nil); string(text) != "allergic to latex" {
		t.Errorf("a program reads %q", text)
	}
	for _, query := range []string{"", "?schema=" + ours, "?schema=0123456789abcdef"} {
		if status, body, _ := h.api("POST", path+"/edits"+query, token, "", edit); status != http.StatusConflict || !strings.Contains(string(body), "/api/v1/schema") {
			t.Errorf("a program edits with %q: %d %s", query, status, body)
		}
	}
}

// TestProgramsBringWhatTheyDeclare: what no editor of ours has nobody brings into a note.
func TestProgramsBringWhatTheyDeclare(t *testing.T) {
	h := open(t)
	token := h.token("chen")
	status, body, header := h.api("GET", "/api/v1/schema", token, "", nil)
	var schema struct{ Nodes []struct{ Name string } }
	if err := json.Unmarshal(body, &schema); status != 200 || err != nil || len(schema.Nodes) == 0 || schema.Nodes[0].Name != "paragraph" {
		t.Fatalf("schema: %d %.100s, %v", status, body, err)
	}
	declared := "/api/v1/notes/" + h.note.String() + "/edits?schema=" + header.Get("Tidechart-Schema")
	for client, name := range []string{"blockquote", "callout"} {
		want := []int{http.StatusOK, http.StatusUnprocessableEntity}[client]
		b := crdt.NewBuilder(crdt.ClientID(77 + client))
		b.Element(crdt.Place{Root: "default"}, name)
		edit, err := b.Update()
		if err != nil {
			t.Fatal(err)
		}
		if status, body, _ := h.api("POST", declared, token, "", edit); status != want {
			t.Errorf("an edit with a %s: %d %s, want %d", name, status, body, want)
		}
	}
}
