package server_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
)

// TestAuthors: who moves text has not written it; who writes has, block by block.
func TestAuthors(t *testing.T) {
	h := open(t)
	path := "/api/v1/notes/" + h.note.String()
	state := func() []byte {
		_, state, _ := h.api("GET", path+"/state", h.token("chen"), "", nil)
		return state
	}
	h.edit("chen", state(), func(tx *crdt.Txn, f *crdt.XMLFragment) {
		f.Insert(tx, 0, crdt.NewXMLElement("paragraph", nil, crdt.NewXMLText("Stable overnight.")))
	})
	h.edit("rivera", state(), func(tx *crdt.Txn, f *crdt.XMLFragment) {
		f.Delete(tx, 0, 1)
		item := crdt.NewXMLElement("listItem", nil, crdt.NewXMLElement("paragraph", nil, crdt.NewXMLText("Stable overnight. Walked.")))
		f.Insert(tx, 0, crdt.NewXMLElement("bulletList", nil, item))
	})
	status, body, _ := h.api("GET", path+"/authors", h.token("lindqvist"), "", nil)
	var answer struct {
		People []struct{ ID, Name string }
		Blocks []struct {
			Type  string
			Spans []struct{ Text, Author string }
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil || status != 200 || len(answer.Blocks) < 2 {
		t.Fatalf("authors: %d %v %s", status, err, body)
	}
	names := map[string]string{}
	for _, p := range answer.People {
		names[p.ID] = p.Name
	}
	got := answer.Blocks[0].Type
	for _, s := range answer.Blocks[0].Spans {
		got += fmt.Sprintf(" %s: %q", names[s.Author], s.Text)
	}
	if want := `paragraph Dr Mei Chen: "Stable overnight." Rosa Rivera RN: " Walked."`; got != want {
		t.Errorf("the first block is %s, want %s", got, want)
	}
	for _, b := range answer.Blocks[1:] { // the template
		for _, s := range b.Spans {
			if names[s.Author] == "" {
				t.Errorf("nobody wrote %q", s.Text)
			}
		}
	}
	for path, want := range map[string]int{path + "/authors": 403, "/api/v1/notes/" + uuid.NewString() + "/authors": 404} {
		user := map[int]string{403: "novak", 404: "chen"}[want]
		if status, _, _ := h.api("GET", path, h.token(user), "", nil); status != want {
			t.Errorf("%s asks for authors: %d, want %d", user, status, want)
		}
	}
}
