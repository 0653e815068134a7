package server_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/clisonix/tidechart/server"
	"github.com/clisonix/tidechart/sessions"
)

// TestStrangersLeaveRoom: of ten sockets those who have not said who they are take five, for a while; whoever shows it when they
// knock, a browser by its login or a program by its token, gets in beside them, and whoever is in stays.
func TestStrangersLeaveRoom(t *testing.T) {
	h := open(t, func(c *server.Config) {
		allow := sessions.DefaultAllowance()
		allow.ConnsPerNode = 10
		hub := sessions.NewHub(c.DB, c.Log, sessions.WithAllowance(allow))
		t.Cleanup(func() { _ = hub.Close(context.Background()) })
		c.Hub = hub
	})
	chen, program := h.openWireOf(h.signIn("chen")), h.openWire(h.token("rivera"), nil) // who count no more
	knock := func(header http.Header) (*websocket.Conn, *http.Response) {
		ws, r, err := websocket.Dial(t.Context(), h.URL+"/ws", &websocket.DialOptions{HTTPHeader: header})
		if err != nil && r == nil {
			t.Fatal(err)
		}
		if ws != nil {
			t.Cleanup(func() { _ = ws.CloseNow() })
		}
		return ws, r
	}
	began := time.Now()
	var waiting []*websocket.Conn
	for i := range 5 {
		ws, r := knock(nil)
		if ws == nil {
			t.Fatalf("stranger %d: %s", i, r.Status)
		}
		waiting = append(waiting, ws)
	}
	haddad := h.signIn("haddad")
	old := h.page(haddad)
	h.post(haddad, "/logout", nil)
	for name, header := range map[string]http.Header{"nobody": nil, "an invented token": bearer("tide_" + strings.Repeat("A", 49)), "whose login has ended": old} {
		if ws, r := knock(header); ws != nil || r.StatusCode != http.StatusTooManyRequests || r.Header.Get("Retry-After") != "5" {
			t.Errorf("%s gets in, or is told %s, Retry-After %q", name, r.Status, r.Header.Get("Retry-After"))
		}
	}
	okafor := h.signIn("okafor")
	if code := h.knock("y-websocket", h.note, h.ticket(okafor, h.note), h.page(okafor)); code != 0 {
		t.Errorf("a browser with a login: %d", code)
	}
	if code := h.knock("y-websocket", h.note, h.token("okafor"), nil); code != 0 {
		t.Errorf("a program with a token: %d", code)
	}
	for client, ws := range map[byte]*wire{1: chen, 2: program} {
		if saved, code := ws.write(client, 0); !saved {
			t.Errorf("who was in: not saved, close code %d", code)
		}
	}
	if n := strings.Count(h.log.String(), "status=429"); n == 0 || n > 1+int(time.Since(began)/time.Second) {
		t.Errorf("the log tells of it %d times", n)
	}
	for _, ws := range waiting { // until they are shown the door
		if _, _, err := ws.Read(t.Context()); websocket.CloseStatus(err) != 4401 {
			t.Errorf("a stranger's socket ends with %v", err)
		}
	}
	for deadline := time.After(10 * time.Second); ; {
		if ws, _ := knock(nil); ws != nil {
			break
		}
		select {
		case <-deadline:
			t.Fatal("there is no room though all have left")
		default: // the server has not noticed yet
		}
	}
}
