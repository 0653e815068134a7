package e2e

import (
	"context"
	"net/http"
	"testing"

	"github.com/coder/websocket"
)

// raw is a WebSocket that sends bytes of the test's choice.
type raw struct {
	t  *testing.T
	ws *websocket.Conn
}

// dial opens a raw socket, or returns the HTTP answer that refused it.
func (s *server) dial(t *testing.T, path string, header http.Header) (*raw, *http.Response) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ws, resp, err := websocket.Dial(ctx, s.ws()+path, &websocket.DialOptions{HTTPHeader: header})
	if err != nil {
		if resp == nil {
			t.Fatalf("dial %s: %v", path, err)
		}
		return nil, resp
	}
	ws.SetReadLimit(64 << 20)
	t.Cleanup(func() { _ = ws.CloseNow() })
	return &raw{t, ws}, resp
}

// mustDial is dial for sockets that must open.
func (s *server) mustDial(t *testing.T, path string) *raw { return s.mustDialBy(t, path, nil) }

// dialNote opens a socket at a note, as a program does that speaks y-websocket.
func (s *server) dialNote(t *testing.T, note, token string) *raw {
	return s.mustDialBy(t, "/ws/notes/"+note, http.Header{"Authorization": {"Bearer " + token}})
}

func (s *server) mustDialBy(t *testing.T, path string, header http.Header) *raw {
	t.Helper()
	r, resp := s.dial(t, path, header)
	if r == nil {
		t.Fatalf("dial %s: %s", path, resp.Status)
	}
	return r
}

func (r *raw) send(kind websocket.MessageType, frames ...[]byte) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	for _, frame := range frames {
		if err := r.ws.Write(ctx, kind, frame); err != nil {
			r.t.Logf("send %d bytes: %v", len(frame), err) // the server may have closed already
			return
		}
	}
}

// readUntilClosed reads to the end and returns the frames and the close code.
func (r *raw) readUntilClosed() (frames [][]byte, code websocket.StatusCode) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	for {
		_, frame, err := r.ws.Read(ctx)
		if err != nil {
			if ctx.Err() != nil {
				r.t.Fatalf("the server did not close the socket in %v", patience)
			}
			return frames, websocket.CloseStatus(err)
		}
		frames = append(frames, frame)
	}
}

// readUntil reads frames until ok accepts one.
func (r *raw) readUntil(what string, ok func(frame []byte) bool) []byte {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	for {
		_, frame, err := r.ws.Read(ctx)
		if err != nil {
			r.t.Fatalf("waiting for %s: %v", what, err)
		}
		if ok(frame) {
			return frame
		}
	}
}

// The few lib0 encodings that hand-made frames need.

func varUint(n int) []byte {
	var b []byte
	for n >= 0x80 {
		b = append(b, byte(n)|0x80)
		n >>= 7
	}
	return append(b, byte(n))
}

func varBytes(b []byte) []byte { return append(varUint(len(b)), b...) }

func join(parts ...[]byte) []byte {
	var b []byte
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

// syncFrame is a y-websocket sync message: 0 step 1, 1 step 2, 2 update.
func syncFrame(sub byte, payload []byte) []byte { return join([]byte{0, sub}, varBytes(payload)) }

// hocuspocusFrame puts a message under a document's name.
func hocuspocusFrame(note string, message []byte) []byte {
	return join(varBytes([]byte(note)), message)
}

// authFrame is a Hocuspocus token message as version 3 sends it.
func authFrame(note, token string) []byte {
	return hocuspocusFrame(note, join([]byte{2, 0}, varBytes([]byte(token))))
}
