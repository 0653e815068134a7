package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/google/uuid"

	"github.com/clisonix/tidechart/sessions"
)

// TestSigningOutEndsSockets: whoever takes over the workstation does not write on as somebody else.
func TestSigningOutEndsSockets(t *testing.T) {
	h := open(t)
	leaves, stays := h.signIn("chen"), h.signIn("chen")
	dial := func(c *http.Client) *websocket.Conn {
		at := h.URL + "/ws/notes/" + h.note.String() + "?token=" + h.ticket(c, h.note)
		ws, _, err := websocket.Dial(t.Context(), at, &websocket.DialOptions{HTTPHeader: h.page(c)})
		if err != nil {
			t.Fatal(err)
		}
		if err := ws.Write(t.Context(), websocket.MessageBinary, []byte{0, 0, 1, 0}); err != nil { // Step1
			t.Fatal(err)
		}
		if _, _, err := ws.Read(t.Context()); err != nil { // Step2
			t.Fatal(err)
		}
		return ws
	}
	gone, here := dial(leaves), dial(stays)
	r, err := leaves.Post(h.URL+"/logout", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Body.Close()
	for err == nil {
		_, _, err = gone.Read(t.Context())
	}
	if websocket.CloseStatus(err) != 4401 {
		t.Errorf("the socket ends with %v, want close code 4401", err)
	}
	if err := here.Write(t.Context(), websocket.MessageBinary, []byte{3}); err != nil {
		t.Errorf("another login's socket: %v", err)
	}
	_ = here.CloseNow()
}

// TestForeignPages may neither post nor open a socket with our cookies.
func TestForeignPages(t *testing.T) {
	h := open(t)
	c := h.signIn("chen")
	at, _ := url.Parse(h.URL)
	cookie := loginOf(c, at).String()

	req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, h.URL+"/notes", strings.NewReader("kind=progress"))
	req.Header.Set("Origin", "https://evil.example")
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	r, err := c.Do(req)
	if err != nil || r.StatusCode != http.StatusForbidden {
		t.Errorf("post of a foreign page: %v, %v", r.Status, err)
	}
	_ = r.Body.Close()

	for _, tt := range []struct {
		name, origin, cookie string
		status               int
	}{
		{"our page", h.URL, cookie, http.StatusSwitchingProtocols},
		{"a foreign page", "https://evil.example", cookie, http.StatusForbidden},
		{"a foreign page without a cookie", "https://evil.example", "", http.StatusForbidden},
		{"a file", "null", cookie, http.StatusForbidden},
		{"another scheme of our host", "https://" + at.Host, cookie, http.StatusForbidden},
		{"a cookie without an origin", "", cookie, http.StatusForbidden},
		{"a program", "", "", http.StatusSwitchingProtocols},
	} {
		for _, path := range []string{"/ws", "/ws/notes/" + h.note.String()} {
			header := http.Header{}
			if tt.origin != "" {
				header.Set("Origin", tt.origin)
			}
			if tt.cookie != "" {
				header.Set("Cookie", tt.cookie)
			}
			ws, r, err := websocket.Dial(t.Context(), h.URL+path, &websocket.DialOptions{HTTPHeader: header})
			if r == nil || r.StatusCode != tt.status {
				t.Errorf("%s at %s: %v, %v", tt.name, path, r, err)
			}
			if ws != nil {
				_ = ws.CloseNow()
			}
		}
	}
}

// TestDeniedSockets: a y-websocket client is told why in a way that makes it stop.
func TestDeniedSockets(t *testing.T) {
	h := open(t)
	for _, tt := range []struct {
		name, note, token string
		code              websocket.StatusCode
	}{
		{"no token", h.note.String(), "", 4401},
		{"a wrong token", h.note.String(), "tide_wrong", 4401},
		{"an administrator", h.note.String(), h.token("novak"), 4403},
		{"an unknown note", uuid.NewString(), h.token("chen"), 4404},
		{"no id", "none", h.token("chen"), 4404},
		{"an editor of yesterday", h.note.String() + "?schema=yesterday", h.token("chen"), 4403},
	} {
		ws := h.dialNote(tt.note, tt.token)
		_, message, err := ws.Read(t.Context())
		if err != nil || len(message) < 3 || message[0] != 2 || message[1] != 0 {
			t.Errorf("%s: told % x, %v", tt.name, message, err)
		}
		if _, _, err = ws.Read(t.Context()); websocket.CloseStatus(err) != tt.code {
			t.Errorf("%s: %v, want close code %d", tt.name, err, tt.code)
		}
	}
}

// TestTextFrameIsMalformed: messages are binary.
func TestTextFrameIsMalformed(t *testing.T) {
	h := open(t)
	for _, path := range []string{"/ws", "/ws/notes/" + h.note.String()} {
		ws, _, err := websocket.Dial(t.Context(), h.URL+path, &websocket.DialOptions{HTTPHeader: bearer(h.token("chen"))})
		if err != nil {
			t.Fatal(err)
		}
		if err := ws.Write(t.Context(), websocket.MessageText, []byte("hello")); err != nil {
			t.Fatal(err)
		}
		for err == nil { // a frame may have been on its way
			_, _, err = ws.Read(t.Context())
		}
		if got := websocket.CloseStatus(err); got != 4400 {
			t.Errorf("%s: %v, want close code 4400", path, err)
		}
	}
}

// TestLargeFrame: a megabyte is a frame, or four while a Step2 is due, one byte more is not; before anything is granted,
// four kilobytes are.
func TestLargeFrame(t *testing.T) {
	h := open(t)
	granted, program := "/ws/notes/"+h.note.String(), &websocket.DialOptions{HTTPHeader: bearer(h.token("chen"))}
	for _, tt := range []struct {
		path   string
		synced bool
		size   int
		code   websocket.StatusCode
	}{
		{granted, true, sessions.MaxFrame, 4400}, // zeros are no message
		{granted, true, sessions.MaxFrame + 1, websocket.StatusMessageTooBig},
		{granted, false, sessions.MaxStep2, 4400},
		{granted, false, sessions.MaxStep2 + 1, 4413},
		{"/ws", false, sessions.MaxEarlyFrame, 4400},
		{"/ws", false, sessions.MaxEarlyFrame + 1, websocket.StatusMessageTooBig},
	} {
		ws, _, err := websocket.Dial(t.Context(), h.URL+tt.path, program)
		if err != nil {
			t.Fatal(err)
		}
		if tt.synced {
			if err := ws.Write(t.Context(), websocket.MessageBinary, []byte{0, 1, 2, 0, 0}); err != nil { // an empty Step2
				t.Fatal(err)
			}
		}
		if err := ws.Write(t.Context(), websocket.MessageBinary, make([]byte, tt.size)); err != nil {
			t.Fatal(err)
		}
		for err == nil { // a frame may have been on its way
			_, _, err = ws.Read(t.Context())
		}
		if websocket.CloseStatus(err) != tt.code {
			t.Errorf("%d bytes to %.5s: %v, want close code %d", tt.size, tt.path, err, tt.code)
		}
	}
	if !strings.Contains(h.log.String(), "message too large") {
		t.Error("the log does not say so")
	}
}
