package loadtest_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/ysync"
	"github.com/clisonix/tidechart/loadtest"
)

// relay is the least that a y-websocket server can be, with a fault of the test's choice.
type relay struct {
	t *testing.T
	// tamper returns what readers, who have written nothing yet, get for the n-th update of the document, from 0.
	// Writers get what was sent, their own updates too.
	tamper func(update []byte, n int) [][]byte

	mu   sync.Mutex
	docs map[string]*relayed
}

type relayed struct {
	doc     *crdt.Doc
	peers   []*websocket.Conn
	writers map[*websocket.Conn]bool
	updates int
}

func newRelay(t *testing.T, tamper func(update []byte, n int) [][]byte) loadtest.Config {
	t.Helper()
	r := &relay{t: t, tamper: tamper, docs: map[string]*relayed{}}
	web := httptest.NewServer(r)
	t.Cleanup(web.Close)
	c := brief(web.URL)
	c.Prefix, c.Protocol, c.Notes, c.Clients = "note", loadtest.YWebSocket, 1, 3
	return c
}

func (r *relay) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	ws, err := websocket.Accept(w, req, nil)
	if err != nil {
		r.t.Error(err)
		return
	}
	defer func() { _ = ws.CloseNow() }()
	ctx := context.WithoutCancel(req.Context())
	r.mu.Lock()
	d := r.docs[req.URL.Path]
	if d == nil {
		d = &relayed{doc: crdt.New(""), writers: map[*websocket.Conn]bool{}}
		r.docs[req.URL.Path] = d
	}
	d.peers = append(d.peers, ws)
	r.send(ctx, ws, ysync.Step1, d.doc.EncodeStateVector())
	r.mu.Unlock()
	for {
		_, frame, err := ws.Read(ctx)
		if err != nil {
			return
		}
		m, err := ysync.DecodeMessage(frame)
		if err != nil {
			r.t.Error(err)
			return
		}
		r.mu.Lock()
		r.handle(ctx, d, ws, m)
		r.mu.Unlock()
	}
}

func (r *relay) send(ctx context.Context, ws *websocket.Conn, step ysync.Step, data []byte) {
	frame := ysync.AppendMessage(nil, ysync.Message{Kind: ysync.Sync, Step: step, Data: data})
	_ = ws.Write(ctx, websocket.MessageBinary, frame) // the peer may be gone
}

func (r *relay) handle(ctx context.Context, d *relayed, from *websocket.Conn, m ysync.Message) {
	if m.Kind != ysync.Sync {
		return
	}
	if m.Step == ysync.Step1 {
		all, err := d.doc.EncodeStateAsUpdate(m.Data)
		if err != nil {
			r.t.Error(err)
			return
		}
		r.send(ctx, from, ysync.Step2, all)
		return
	}
	if err := d.doc.ApplyUpdate(m.Data); err != nil {
		r.t.Error(err)
		return
	}
	if m.Step != ysync.StepUpdate {
		return
	}
	d.writers[from] = true
	for _, ws := range d.peers {
		given := [][]byte{m.Data}
		if !d.writers[ws] {
			given = r.tamper(m.Data, d.updates)
		}
		for _, update := range given {
			r.send(ctx, ws, ysync.StepUpdate, update)
		}
	}
	d.updates++
}

func TestHonestRelay(t *testing.T) {
	c := newRelay(t, func(update []byte, _ int) [][]byte { return [][]byte{update} })
	if r := run(t, t.Context(), c); !r.OK() {
		t.Error("a relay that keeps everything fails")
	}
}

// TestFaultyRelays: a fault that a reader meets is found.
func TestFaultyRelays(t *testing.T) {
	for _, tt := range []struct {
		name   string
		tamper func(update []byte) [][]byte
		want   string // "" if replicas are as they should be
	}{
		{"lost", func([]byte) [][]byte { return nil }, "reader"},
		{"altered", func(u []byte) [][]byte {
			return [][]byte{[]byte(strings.Replace(string(u), "\x010\x00", "\x01x\x00", 1))}
		}, "reader"},
		{"twice", func(u []byte) [][]byte { return [][]byte{u, u} }, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newRelay(t, func(update []byte, n int) [][]byte {
				if n == 8 { // both paragraphs and six digits, all 0, came before
					return tt.tamper(update)
				}
				return [][]byte{update}
			})
			c.Drain = 3 * time.Second // what is lost is waited for in vain
			r := run(t, t.Context(), c)
			if tt.want == "" {
				if !r.OK() {
					t.Error("an update that comes twice harms nobody")
				}
				return
			}
			if r.OK() || r.Documents.Faults != 1 || r.Documents.Examples[0].Replica != tt.want {
				t.Errorf("ok %v, faults %v; want one of the %s", r.OK(), r.Documents.Examples, tt.want)
			}
		})
	}
}
