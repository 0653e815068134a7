package server

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/google/uuid"

	"github.com/clisonix/tidechart/sessions"
	"github.com/clisonix/tidechart/sessions/storetest"
)

// TestDeadSocketsAreNoticed: within 30 seconds, of which presence takes none. Who is slow is not dead.
func TestDeadSocketsAreNoticed(t *testing.T) {
	for _, tt := range []struct {
		name string
		live func(ctx context.Context, ws *websocket.Conn, line net.Conn)
		dead bool
	}{
		{"who answers", func(ctx context.Context, ws *websocket.Conn, _ net.Conn) { _, _, _ = ws.Read(ctx) }, false},
		{"who takes nothing", func(ctx context.Context, _ *websocket.Conn, _ net.Conn) { <-ctx.Done() }, true},
		{"whose cable is cut", func(_ context.Context, _ *websocket.Conn, line net.Conn) { _, _ = io.Copy(io.Discard, line) }, true},
		{"who sends something large over a slow line", func(ctx context.Context, ws *websocket.Conn, line net.Conn) {
			go func() { _, _ = io.Copy(io.Discard, line) }() // the answer to a ping would be behind all this
			w, err := ws.Writer(ctx, websocket.MessageBinary)
			for err == nil {
				time.Sleep(7 * time.Second)
				_, err = w.Write(make([]byte, 8<<10))
			}
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				died := make(chan struct{})
				line := onePipe(t, func(ctx context.Context, cancel context.CancelFunc, c *conn) {
					defer c.keepAlive(func() { close(died); cancel() })()
					_, _ = c.Read(ctx, 10<<20)
				})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				ws := dialOver(t, line)
				go tt.live(ctx, ws, line)
				watch := 2 * time.Minute
				if tt.dead {
					watch = 30 * time.Second
				}
				time.Sleep(watch)
				synctest.Wait()
				select {
				case <-died:
					if !tt.dead {
						t.Error("cut off")
					}
				default:
					if tt.dead {
						t.Error("still alive after 30 seconds")
					}
				}
				cancel()
				_ = ws.CloseNow()
				time.Sleep(10 * time.Second) // whoever still sends finds it closed
			})
		})
	}
}

func dialOver(t *testing.T, line net.Conn) *websocket.Conn {
	dial := func(context.Context, string, string) (net.Conn, error) { return line, nil }
	ws, _, err := websocket.Dial(t.Context(), "ws://here/", &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: &http.Transport{DialContext: dial}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return ws
}

// onePipe is a connection in memory to a server that serves one socket.
func onePipe(t *testing.T, serve func(context.Context, context.CancelFunc, *conn)) net.Conn {
	far, near := net.Pipe()
	l := &pipeListener{conns: make(chan net.Conn, 1)}
	l.conns <- far
	s := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := accept(w, r)
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = c.ws.CloseNow() }()
		ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
		defer cancel()
		serve(ctx, cancel, c)
	})}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	return near
}

// pipeListener accepts what is in conns.
type pipeListener struct{ conns chan net.Conn }

func (l *pipeListener) Accept() (net.Conn, error) {
	c, ok := <-l.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (l *pipeListener) Close() error   { close(l.conns); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

// TestDeadPeopleAreGone: nobody is shown at a note for longer than 30 seconds after their cable was cut.
func TestDeadPeopleAreGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var store storetest.MemStore
		note := uuid.New()
		grant := sessions.Grant{Author: sessions.Author{ID: uuid.New(), Name: "Ada"}}
		store.Add(note, grant.Author.ID, storetest.Empty())
		hub := sessions.NewHub(&store, slog.New(slog.DiscardHandler))
		line := onePipe(t, func(ctx context.Context, cancel context.CancelFunc, c *conn) {
			defer c.keepAlive(c.Cut)()
			_ = hub.ServeYWebSocket(ctx, c, note, "", func(context.Context, sessions.NoteID, string) (sessions.Grant, error) { return grant, nil })
		})
		dialOver(t, line)
		go func() { _, _ = io.Copy(io.Discard, line) }()
		synctest.Wait()
		if n := len(hub.Present()[note]); n != 1 {
			t.Errorf("%d people are at the note, want 1", n)
		}
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if n := len(hub.Present()[note]); n != 0 {
			t.Errorf("%d people are at the note 30 seconds after the last sign of them", n)
		}
		if err := hub.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
