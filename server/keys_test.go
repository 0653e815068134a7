package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/clisonix/tidechart/crdt/ysync"
	"github.com/clisonix/tidechart/server/store/queries"
)

// TestKeyIsAway: a server that cannot open a note's data key says so, on the page, over the API, and to sockets, which may come back; who has the
// note open goes on. When the key is there again, everything opens.
func TestKeyIsAway(t *testing.T) {
	h := open(t)
	notes, err := h.db.NotesFor(t.Context(), queries.NotesForParams{Everyone: true, Unit: "4-west", MaxRows: 2})
	if err != nil || len(notes) != 2 {
		t.Fatal(notes, err)
	}
	shut := notes[1].Note.ID
	chen, token := h.signIn("chen"), h.token("chen")
	ws := h.openWire(token, nil)
	if saved, _ := ws.write(10, 0); !saved {
		t.Fatal("not saved")
	}
	h.sql(`CREATE TABLE before AS SELECT * FROM data_key`)
	h.sql(`INSERT INTO kek (id, number) VALUES (decode(repeat('ab', 16), 'hex'), 99)`)
	h.sql(`UPDATE data_key SET kek = decode(repeat('ab', 16), 'hex') WHERE scope = 2`)

	if saved, _ := ws.write(10, 1); !saved {
		t.Error("who has a note open cannot go on")
	}
	if status, body, _ := h.get(chen, "/notes/"+shut.String()); status != http.StatusServiceUnavailable || !strings.Contains(body, "does not have the key") {
		t.Errorf("the page: %d, %s", status, body)
	}
	if status, body, _ := h.api("GET", "/api/v1/notes/"+shut.String()+"/state", token, "application/octet-stream", nil); status != http.StatusServiceUnavailable || !strings.Contains(string(body), "does not have the key") {
		t.Errorf("the API: %d, %s", status, body)
	}
	if code := h.knock("y-websocket", shut, token, nil); code != 1013 {
		t.Errorf("y-websocket: close code %d, want 1013", code)
	}
	socket, _, err := websocket.Dial(t.Context(), h.URL+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = socket.CloseNow() }()
	hocuspocus := &wire{t, socket, shut.String()}
	hocuspocus.send(ysync.Message{Kind: ysync.Auth, Auth: ysync.Token, Text: token})
	hocuspocus.send(ysync.Message{Kind: ysync.Sync, Step: ysync.Step1, Data: []byte{0}})
	if _, code := hocuspocus.until(func(m ysync.Message) bool { return m.Kind == ysync.Sync }); code != 1013 {
		t.Errorf("hocuspocus: close code %d, want 1013", code)
	}
	if status, body, _ := h.get(chen, "/"); status != http.StatusOK {
		t.Errorf("the worklist: %d, %s", status, body)
	}

	h.sql(`UPDATE data_key SET kek = before.kek FROM before WHERE before.scope = data_key.scope AND before.owner = data_key.owner`)
	if status, _, _ := h.get(chen, "/notes/"+shut.String()); status != http.StatusOK {
		t.Errorf("when it is there again: %d", status)
	}
	if strings.Contains(h.log.String(), "tampered") {
		t.Error("the log says that somebody tampered")
	}
}
