package server_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt/ysync"
	"github.com/clisonix/tidechart/server/store/queries"
)

// page is what a browser sends when a page of ours opens a socket.
func (h *hospital) page(c *http.Client) http.Header {
	at, _ := url.Parse(h.URL)
	return http.Header{"Origin": {h.URL}, "Cookie": {loginOf(c, at).String()}}
}

// askTicket asks for a ticket as a page of person's, or as nobody's in particular.
func (h *hospital) askTicket(c *http.Client, note uuid.UUID, person string) (status int, ticket string) {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, h.URL+"/api/v1/notes/"+note.String()+"/ticket", nil)
	if err != nil {
		h.t.Fatal(err)
	}
	if person != "" {
		req.Header.Set("Tidechart-Person", person)
	}
	r, err := c.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	var says struct{ Ticket string }
	if err := json.NewDecoder(r.Body).Decode(&says); err != nil {
		h.t.Fatal(err)
	}
	return r.StatusCode, says.Ticket
}

func (h *hospital) ticket(c *http.Client, note uuid.UUID) string {
	h.t.Helper()
	status, ticket := h.askTicket(c, note, "")
	if status != http.StatusOK || !strings.HasPrefix(ticket, "tick_") {
		h.t.Fatalf("ask for a ticket: %d, %q", status, ticket)
	}
	return ticket
}

// openWireOf is openWire of a browser.
func (h *hospital) openWireOf(c *http.Client) *wire {
	h.t.Helper()
	return h.openWire(h.ticket(c, h.note), h.page(c))
}

// bearer is how a program shows its token.
func bearer(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }

// dialNote opens a socket at a note as a program does that speaks y-websocket.
func (h *hospital) dialNote(note, token string) *websocket.Conn {
	h.t.Helper()
	ws, _, err := websocket.Dial(h.t.Context(), h.URL+"/ws/notes/"+note, &websocket.DialOptions{HTTPHeader: bearer(token)})
	if err != nil {
		h.t.Fatal(err)
	}
	return ws
}

// knock opens a socket at a note by each protocol's way of showing a token, and returns how that ends: 0, or a close code.
func (h *hospital) knock(protocol string, note uuid.UUID, token string, header http.Header) websocket.StatusCode {
	h.t.Helper()
	path, first := "/ws/notes/"+note.String(), []byte{0, 0, 1, 0} // Step1
	switch {
	case protocol == "hocuspocus":
		path = "/ws"
		first = ysync.AppendEnvelope(nil, ysync.Envelope{Key: note.String(), Message: ysync.Message{Kind: ysync.Auth, Auth: ysync.Token, Text: token}})
	case strings.HasPrefix(token, "tide_"):
		header = bearer(token)
	case token != "":
		path += "?token=" + token
	}
	ctx, cancel := context.WithTimeout(h.t.Context(), 20*time.Second)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, h.URL+path, &websocket.DialOptions{HTTPHeader: header})
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = ws.CloseNow() }()
	ws.SetReadLimit(-1)
	if err := ws.Write(ctx, websocket.MessageBinary, first); err != nil {
		h.t.Fatal(err)
	}
	_, frame, err := ws.Read(ctx)
	if err != nil {
		return websocket.CloseStatus(err)
	}
	if protocol == "hocuspocus" {
		e, err := ysync.DecodeEnvelope(frame)
		if err != nil {
			h.t.Fatal(err)
		}
		if e.Kind == ysync.Auth && e.Auth == ysync.Denied {
			return 4401
		}
		return 0
	}
	if frame[0] != 2 { // not Denied
		return 0
	}
	_, _, err = ws.Read(ctx)
	return websocket.CloseStatus(err)
}

// TestTickets: a browser opens a socket with a ticket of its own login, for that note, once, and soon.
func TestTickets(t *testing.T) {
	h := open(t)
	notes, err := h.db.NotesFor(t.Context(), queries.NotesForParams{Everyone: true, Unit: "4-west", MaxRows: 2})
	if err != nil {
		t.Fatal(err)
	}
	other := notes[1].Note.ID
	chen, again, rivera := h.signIn("chen"), h.signIn("chen"), h.signIn("rivera")
	for _, protocol := range []string{"y-websocket", "hocuspocus"} {
		used := h.ticket(chen, h.note)
		if code := h.knock(protocol, h.note, used, h.page(chen)); code != 0 {
			t.Fatalf("%s: a ticket is refused: %d", protocol, code)
		}
		old := h.ticket(chen, h.note)
		if left := h.count(`SELECT ceil(extract(epoch FROM max(expires_at - now())))::int FROM ticket`); left < 25 || left > 30 {
			t.Errorf("%s: a ticket lasts for %d s, want 30", protocol, left)
		}
		h.sql(`UPDATE ticket SET expires_at = now() - interval '1 millisecond'`)
		if code := h.knock(protocol, h.note, old, h.page(chen)); code != 4401 { // before the next one sweeps it away
			t.Errorf("%s, ticket expired: %d, want 4401", protocol, code)
		}
		stolen := h.ticket(chen, h.note)
		for _, tt := range []struct {
			name   string
			note   uuid.UUID
			ticket string
			header http.Header
		}{
			{"replayed", h.note, used, h.page(chen)},
			{"for another note", other, h.ticket(chen, h.note), h.page(chen)},
			{"stolen by a colleague", h.note, h.ticket(chen, h.note), h.page(rivera)},
			{"of another login of hers", h.note, h.ticket(chen, h.note), h.page(again)},
			{"without the login", h.note, h.ticket(chen, h.note), http.Header{"Origin": {h.URL}}},
			{"beside a token", h.note, h.ticket(chen, h.note), http.Header{"Authorization": {"Bearer " + h.token("chen")}}},
			{"invented", h.note, "tick_" + strings.Repeat("A", 43), h.page(chen)},
			{"missing", h.note, "", h.page(chen)},
			{"missing, and a name and password in the address", h.note, "", http.Header{
				"Origin": {h.URL}, "Cookie": h.page(chen)["Cookie"], "Authorization": {"Basic YTpi"},
			}},
			{"shown before to a colleague", h.note, func() string {
				h.knock(protocol, h.note, stolen, h.page(rivera))
				return stolen
			}(), h.page(chen)},
		} {
			if code := h.knock(protocol, tt.note, tt.ticket, tt.header); code != 4401 {
				t.Errorf("%s, ticket %s: %d, want 4401", protocol, tt.name, code)
			}
		}
		if code := h.knock(protocol, h.note, h.token("chen"), nil); code != 0 {
			t.Errorf("%s: a program's token is refused: %d", protocol, code)
		}
		if code := h.knock(protocol, h.note, "", http.Header{"Authorization": {"Bearer " + h.token("chen")}}); code != 0 {
			t.Errorf("%s: a program's token in the header is refused: %d", protocol, code)
		}
	}
}

// TestTicketOfOneWhoLeft: with the login its tickets go.
func TestTicketOfOneWhoLeft(t *testing.T) {
	h := open(t)
	c := h.signIn("chen")
	ticket, page := h.ticket(c, h.note), h.page(c)
	h.post(c, "/logout", nil)
	if code := h.knock("y-websocket", h.note, ticket, page); code != 4401 {
		t.Errorf("a ticket of a login that has ended: %d, want 4401", code)
	}
	h.sql(`DO $$ BEGIN IF EXISTS (SELECT FROM ticket) THEN RAISE 'tickets are left'; END IF; END $$`)
}

// TestCrossSiteSockets: a page of another site has the browser's cookie, and may even have a ticket, and opens nothing.
func TestCrossSiteSockets(t *testing.T) {
	h := open(t)
	c := h.signIn("chen")
	cookie := h.page(c)["Cookie"]
	for _, origin := range []string{"https://evil.example", "null", "file://", strings.Replace(h.URL, "http:", "https:", 1), h.URL + ".evil.example", h.URL + "/"} {
		for _, path := range []string{"/ws", "/ws/notes/" + h.note.String() + "?token=" + h.ticket(c, h.note)} {
			ws, r, err := websocket.Dial(t.Context(), h.URL+path, &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {origin}, "Cookie": cookie}})
			if ws != nil {
				_ = ws.CloseNow()
			}
			if r == nil || r.StatusCode != http.StatusForbidden {
				t.Errorf("from %q to %.5s: %v, %v", origin, path, r, err)
			}
		}
	}
}

// TestWhoGetsTickets: who may read the note, from a browser, on a page of their own.
func TestWhoGetsTickets(t *testing.T) {
	h := open(t)
	chen := h.signIn("chen")
	row, err := h.db.PersonByUsername(t.Context(), "chen")
	if err != nil {
		t.Fatal(err)
	}
	me := row.ID.String()
	for _, tt := range []struct {
		name   string
		c      *http.Client
		note   uuid.UUID
		person string
		status int
	}{
		{"her page", chen, h.note, me, http.StatusOK},
		{"the page of who was here before", chen, h.note, uuid.NewString(), http.StatusConflict},
		{"no such note", chen, uuid.New(), me, http.StatusNotFound},
		{"an administrator", h.signIn("novak"), h.note, "", http.StatusForbidden},
		{"nobody", h.browser(), h.note, "", http.StatusUnauthorized},
	} {
		if status, _ := h.askTicket(tt.c, tt.note, tt.person); status != tt.status {
			t.Errorf("%s: %d, want %d", tt.name, status, tt.status)
		}
	}
	if refused, all := h.count(`SELECT count(*) FROM opening WHERE how = 'denied'`), h.count(`SELECT count(*) FROM opening`); refused != 1 || all != 1 {
		t.Errorf("%d refusals are on record, and %d more: want one, and nothing that was not opened yet", refused, all-refused)
	}
	if status, body, _ := h.api(http.MethodPost, "/api/v1/notes/"+h.note.String()+"/ticket", h.token("chen"), "", nil); status != http.StatusUnprocessableEntity {
		t.Errorf("a program: %d %s", status, body)
	}
}
