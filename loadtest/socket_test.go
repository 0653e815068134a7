package loadtest

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// serveOne starts a server that holds one conversation with each client.
func serveOne(t *testing.T, converse func(ctx context.Context, ws *websocket.Conn)) (url string) {
	t.Helper()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = ws.CloseNow() }()
		ws.SetReadLimit(-1)
		converse(r.Context(), ws)
	}))
	t.Cleanup(web.Close)
	return web.URL
}

func dialed(t *testing.T, url string) *socket {
	t.Helper()
	s, err := dialSocket(t.Context(), url, http.Header{"X-Mine": {"yes"}}, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	return s
}

// TestSocketCarriesAllLengths: there and back, whole or in pieces, with a ping between them.
func TestSocketCarriesAllLengths(t *testing.T) {
	lengths := []int{0, 1, 3, 125, 126, readBuffer, readBuffer + 1, 1<<16 - 1, 1 << 16, maxBuffer + 1, 3 << 20}
	url := serveOne(t, func(ctx context.Context, ws *websocket.Conn) {
		for {
			_, message, err := ws.Read(ctx)
			if err != nil {
				return
			}
			if err := ws.Write(ctx, websocket.MessageBinary, message); err != nil {
				t.Error(err)
			}
			w, err := ws.Writer(ctx, websocket.MessageBinary)
			if err != nil {
				t.Error(err)
				return
			}
			for ; len(message) > 0 && err == nil; message = message[min(len(message), 40_000):] {
				_, err = w.Write(message[:min(len(message), 40_000)])
			}
			if err := errors.Join(err, w.Close()); err != nil {
				t.Error(err)
			}
		}
	})
	s := dialed(t, url)
	for _, n := range lengths {
		want := bytes.Repeat([]byte{'a', 'b', byte(n)}, n/3+1)[:n]
		sent := bytes.Clone(want)
		if err := s.write(sent); err != nil || !bytes.Equal(sent, want) {
			t.Fatalf("write %d bytes: %v; the message is its caller's", n, err)
		}
		for _, how := range []string{"whole", "in pieces"} {
			if got, err := s.read(); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("%d bytes %s: %d bytes came, %v", n, how, len(got), err)
			}
		}
	}
	if cap(s.whole) > 4<<20 || cap(s.out) > maxBuffer {
		t.Errorf("the socket keeps %d and %d bytes", cap(s.whole), cap(s.out))
	}
}

// TestSocketAnswersPings while it reads.
func TestSocketAnswersPings(t *testing.T) {
	url := serveOne(t, func(ctx context.Context, ws *websocket.Conn) {
		ctx = ws.CloseRead(ctx)
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		if err := ws.Ping(ctx); err != nil {
			t.Error(err)
		}
		_ = ws.Close(4401, "go away") // it may be gone
	})
	_, err := dialed(t, url).read()
	var closed *closeError
	if !errors.As(err, &closed) || closed.code != 4401 || closed.reason != "go away" {
		t.Errorf("it ended with %v, want 4401", err)
	}
}

// TestSocketRefuses: a server that opens none, and frames that no server sends.
func TestSocketRefuses(t *testing.T) {
	web := httptest.NewServer(http.NotFoundHandler())
	defer web.Close()
	if _, err := dialSocket(t.Context(), web.URL, http.Header{}, false); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("a server without sockets: %v", err)
	}
	for _, frame := range []string{"\x82\x81\x00\x00\x00\x00a", "\xc2\x00", "\x89\x7e\x01\x00", "\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff", "\x02\x05ab", ""} {
		near, far := net.Pipe()
		go func() { _, _ = far.Write([]byte(frame)); _ = far.Close() }()
		s := &socket{conn: near, in: newReader(near)}
		if message, err := s.read(); err == nil {
			t.Errorf("% x is the message % x", frame, message)
		}
	}
}
