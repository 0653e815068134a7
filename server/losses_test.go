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

// loss is what the API says of one.
type loss struct {
	ID, Text   string
	Author, By struct{ ID, Name string }
	Replaced   bool
	Seq, BySeq uint64
	Place      []struct{ Client, Clock uint64 }
	Settled    *struct{ How string }
}

func (h *hospital) losses(user, query string) []loss {
	h.t.Helper()
	status, body, _ := h.api("GET", "/api/v1/notes/"+h.note.String()+"/losses"+query, h.token(user), "", nil)
	var list struct{ Losses []loss }
	if err := json.Unmarshal(body, &list); err != nil || status != 200 || list.Losses == nil {
		h.t.Fatalf("losses: %d %v %s", status, err, body)
	}
	return list.Losses
}

func (h *hospital) settle(user, how string, ids ...string) (status int, answer string) {
	h.t.Helper()
	body, _ := json.Marshal(map[string]any{"losses": ids, "how": how})
	req, _ := http.NewRequestWithContext(h.t.Context(), "POST", h.URL+"/api/v1/notes/"+h.note.String()+"/losses/settle", bytes.NewReader(body))
	req.Header.Set("Authorization", "Bearer "+h.token(user))
	req.Header.Set("Content-Type", "application/json")
	r, err := http.DefaultClient.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	var b bytes.Buffer
	_, _ = b.ReadFrom(r.Body)
	return r.StatusCode, strings.TrimSpace(b.String())
}

// lose has chen type into a paragraph that rivera deletes meanwhile.
func (h *hospital) lose(words string) {
	h.t.Helper()
	path := "/api/v1/notes/" + h.note.String()
	_, state, _ := h.api("GET", path+"/state", h.token("chen"), "", nil)
	base := h.edit("rivera", state, func(tx *crdt.Txn, f *crdt.XMLFragment) {
		f.Insert(tx, 0, crdt.NewXMLElement("paragraph", nil, crdt.NewXMLText("Stable.")))
	})
	state, err := crdt.MergeUpdates([][]byte{state, base})
	if err != nil {
		h.t.Fatal(err)
	}
	h.edit("chen", state, func(tx *crdt.Txn, f *crdt.XMLFragment) {
		f.Children()[0].Value.(*crdt.XMLElement).Children()[0].Value.(*crdt.XMLText).Insert(tx, 7, words)
	})
	h.edit("rivera", state, func(tx *crdt.Txn, f *crdt.XMLFragment) { f.Delete(tx, 0, 1) })
}

// edit makes an edit of a state in the name of a user, and sends it.
func (h *hospital) edit(user string, state []byte, f func(*crdt.Txn, *crdt.XMLFragment)) []byte {
	h.t.Helper()
	doc := crdt.New("")
	if err := doc.ApplyUpdate(state); err != nil {
		h.t.Fatal(err)
	}
	client := crdt.ClientID(uuid.New().ID())
	update, err := doc.Transact(client, func(tx *crdt.Txn) { f(tx, doc.XMLFragment(sessions.Fragment)) })
	if err != nil {
		h.t.Fatal(err)
	}
	if status, body, _ := h.api("POST", "/api/v1/notes/"+h.note.String()+"/edits?schema="+prose.CurrentSchema().Fingerprint(), h.token(user), "", update); status != 200 {
		h.t.Fatalf("%s's edit: %d %s", user, status, body)
	}
	return update
}

// TestLosses: whoever may read a note reads what was removed unseen; only its author settles it.
func TestLosses(t *testing.T) {
	h := open(t)
	if got := h.losses("chen", ""); len(got) != 0 {
		t.Fatalf("a new note lost %+v", got)
	}
	const words = " CANARY-ANAPHYLAXIS"
	h.lose(words)
	h.lose(" more")
	all := h.losses("lindqvist", "")
	if len(all) != 2 || all[1].Text != words || all[0].Text != " more" {
		t.Fatalf("lost %+v", all)
	}
	l := all[1]
	if l.Author.Name != "Dr Mei Chen" || l.By.Name != "Rosa Rivera RN" || l.Replaced || l.Settled != nil || len(l.Place) != 2 || l.Seq != 4 || l.BySeq != 4 {
		t.Errorf("lost %+v", l)
	}
	if got := h.losses("chen", "?before="+all[0].ID); len(got) != 1 || got[0].ID != l.ID {
		t.Errorf("before %s: %+v", all[0].ID, got)
	}
	if got := h.losses("rivera", "?waiting=true"); len(got) != 0 {
		t.Errorf("for rivera wait %+v", got)
	}
	for _, tt := range []struct {
		user, how, id string
		status, n     int
	}{
		{"rivera", "restored", l.ID, 200, 0},
		{"chen", "restored", l.ID, 200, 1},
		{"chen", "dismissed", l.ID, 200, 0},
		{"chen", "forgotten", l.ID, 422, 0},
		{"chen", "restored", "none", 422, 0},
		{"chen", "restored", "9999999999999999999999.1", 422, 0},
		{"novak", "restored", l.ID, 403, 0},
	} {
		status, body := h.settle(tt.user, tt.how, tt.id)
		if want := fmt.Sprintf(`{"settled":%d}`, tt.n); status != tt.status || status == 200 && body != want {
			t.Errorf("%s: %s %s: %d %s, want %d %s", tt.user, tt.how, tt.id, status, body, tt.status, want)
		}
	}
	if got := h.count(`SELECT count(*) FROM audit_event WHERE act = 'note.losses' AND code = 'restored=1' AND patient_id IS NOT NULL AND who = (SELECT id FROM person WHERE username = 'chen')`); got != 1 {
		t.Errorf("it is on record %d times", got)
	}
	if got := h.count(`SELECT count(*) FROM audit_event WHERE act = 'note.losses'`); got != 1 {
		t.Errorf("what changed nothing is on record: %d", got)
	}
	if got := h.losses("chen", "?waiting=true"); len(got) != 1 || got[0].ID != all[0].ID {
		t.Errorf("for chen wait %+v", got)
	}
	if got := h.losses("lindqvist", ""); len(got) != 2 || got[1].Settled == nil || got[1].Settled.How != "restored" {
		t.Errorf("history has %+v", got)
	}
	for path, want := range map[string]int{
		"/api/v1/notes/" + uuid.NewString() + "/losses":            404,
		"/api/v1/notes/" + h.note.String() + "/losses?before=abc":  422,
		"/api/v1/notes/" + h.note.String() + "/losses?before=1.-1": 422,
	} {
		if status, _, _ := h.api("GET", path, h.token("chen"), "", nil); status != want {
			t.Errorf("%s: %d, want %d", path, status, want)
		}
	}
	if status, _, _ := h.api("GET", "/api/v1/notes/"+h.note.String()+"/losses", h.token("novak"), "", nil); status != 403 {
		t.Errorf("an administrator reads losses: %d", status)
	}
	if strings.Contains(h.log.String(), "CANARY") {
		t.Error("the log quotes lost text")
	}
}
