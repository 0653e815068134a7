package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"testing"
	"time"
)

// node is a process that hosts Yjs clients (clients/main.mjs).
type node struct {
	t  *testing.T
	in io.WriteCloser

	mu      sync.Mutex
	next    int
	waiting map[int]chan nodeAnswer
	dead    error // set when the process has ended; no answer will come
}

type nodeAnswer struct {
	ID    int             `json:"id"`
	OK    json.RawMessage `json:"ok"`
	Error string          `json:"error"`
}

// startNode starts a process that ends with the test.
func startNode(t *testing.T) *node {
	t.Helper()
	cmd := exec.Command("node", "clients/main.mjs")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatalf("node 20 or newer is needed, with the packages of `npm ci`: %v", err)
	}
	n := &node{t: t, in: in, waiting: map[int]chan nodeAnswer{}}
	done := make(chan struct{})
	go func() {
		defer close(done)
		n.read(out)
		err := cmd.Wait()
		n.end(fmt.Errorf("node ended: %v\n%s", err, stderr.String()))
	}()
	t.Cleanup(func() {
		in.Close() // it ends when its stdin does
		select {
		case <-done:
		case <-time.After(patience):
			_ = cmd.Process.Kill()
			<-done
		}
		if t.Failed() && stderr.Len() > 0 {
			t.Logf("node says:\n%s", stderr.String())
		}
	})
	return n
}

func (n *node) read(out io.Reader) {
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var a nodeAnswer
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			continue
		}
		n.mu.Lock()
		c := n.waiting[a.ID]
		delete(n.waiting, a.ID)
		n.mu.Unlock()
		if c != nil {
			c <- a
		}
	}
}

func (n *node) end(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dead = err
	for _, c := range n.waiting {
		c <- nodeAnswer{Error: err.Error()}
	}
	clear(n.waiting)
}

// do sends one command and decodes its answer into out, unless that is nil.
func (n *node) do(client, cmd string, args map[string]any, out any) error {
	answer := make(chan nodeAnswer, 1)
	n.mu.Lock()
	if n.dead != nil {
		n.mu.Unlock()
		return n.dead
	}
	n.next++
	id := n.next
	n.waiting[id] = answer
	n.mu.Unlock()
	line, err := json.Marshal(map[string]any{"id": id, "client": client, "cmd": cmd, "args": args})
	if err != nil {
		return err
	}
	if _, err := n.in.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("%s %s: %w", client, cmd, err)
	}
	// Waits have deadlines of their own in the process; this one is for a
	// process that hangs.
	select {
	case a := <-answer:
		if a.Error != "" {
			return fmt.Errorf("%s %s: %s", client, cmd, a.Error)
		}
		if out == nil {
			return nil
		}
		return json.Unmarshal(a.OK, out)
	case <-time.After(10 * time.Minute):
		return fmt.Errorf("%s %s: node does not answer", client, cmd)
	}
}

// must is do, and fails the test on an error.
func (n *node) must(client, cmd string, args map[string]any, out any) {
	n.t.Helper()
	if err := n.do(client, cmd, args, out); err != nil {
		n.t.Fatal(err)
	}
}

// The protocols that a yclient speaks, by the package that speaks them.
const (
	yWebsocket   = "yws" // y-websocket 3.1.0
	hocuspocusV4 = "hp4" // @hocuspocus/provider 4.8.0
	hocuspocusV3 = "hp3" // @hocuspocus/provider 3.4.4
)

// yclient is one Yjs client in a node process.
type yclient struct {
	n    *node
	name string
}

// connect opens a client; opts may add clientID, backoff and headers.
func (n *node) connect(name, kind string, s *server, note, token string, opts ...map[string]any) *yclient {
	n.t.Helper()
	args := map[string]any{"kind": kind, "url": s.ws(), "note": note, "token": token}
	for _, o := range opts {
		for k, v := range o {
			args[k] = v
		}
	}
	n.must(name, "connect", args, nil)
	return &yclient{n, name}
}

// want is what a wait waits for: a condition of clients/main.mjs and a value.
type want map[string]any

// wait returns when all conditions hold at once, or fails the test.
func (c *yclient) wait(w want) {
	c.n.t.Helper()
	c.n.must(c.name, "wait", map[string]any{"want": w, "ms": patience.Milliseconds()}, nil)
}

// neverSees fails if text shows within d.
func (c *yclient) neverSees(text string, d time.Duration) error {
	return c.n.do(c.name, "never", map[string]any{"contains": text, "ms": d.Milliseconds()}, nil)
}

// fresh replaces the note's content by one empty paragraph.
func (c *yclient) fresh() {
	c.n.t.Helper()
	c.n.must(c.name, "fresh", nil, nil)
	c.wait(want{"blocks": 1, "text": "", "unsynced": 0})
}

// insert writes into the first paragraph; pos -1 is its end.
func (c *yclient) insert(pos int, text string) {
	c.n.t.Helper()
	c.n.must(c.name, "insert", map[string]any{"pos": pos, "text": text, "paragraph": 0}, nil)
}

func (c *yclient) remove(pos, length int) {
	c.n.t.Helper()
	c.n.must(c.name, "delete", map[string]any{"pos": pos, "len": length, "paragraph": 0}, nil)
}

// setCursor puts the client's caret into the first paragraph, and returns the
// wait for a peer that must see it there.
func (c *yclient) setCursor(pos int) want {
	c.n.t.Helper()
	var cursor any
	c.n.must(c.name, "setCursor", map[string]any{"pos": pos, "paragraph": 0}, &cursor)
	return want{"cursor": map[string]any{"client": c.state().ClientID, "cursor": cursor}}
}

// ystate is a client's document.
type ystate struct {
	ClientID uint64 `json:"clientID"`
	Text     string `json:"text"`
	XML      string `json:"xml"`
	SV       []byte `json:"sv"`
	Update   []byte `json:"update"`
	Pending  bool   `json:"pending"`
}

func (c *yclient) state() ystate {
	c.n.t.Helper()
	var s ystate
	c.n.must(c.name, "state", nil, &s)
	return s
}

// ystats is what a client saw of its connection.
type ystats struct {
	Synced   bool     `json:"synced"`
	Unsynced int      `json:"unsynced"`
	Progress int      `json:"progress"` // acknowledged words and deletions of a typist
	Opens    int      `json:"opens"`
	Closes   []yclose `json:"closes"`
	Errors   []string `json:"errors"`
	Denied   []string `json:"denied"`
	GaveUp   bool     `json:"gaveUp"`
	Refused  int      `json:"refused"`
	Surplus  int      `json:"surplus"`
}

type yclose struct {
	Code   int    `json:"code"`
	Reason string `json:"reason"`
}

func (c *yclient) stats() ystats {
	c.n.t.Helper()
	var s ystats
	c.n.must(c.name, "stats", nil, &s)
	return s
}

// ypresence is one entry of the awareness that a client sees.
type ypresence struct {
	ClientID uint64 `json:"clientID"`
	State    struct {
		User struct {
			ID         string `json:"id"`
			Name       string `json:"name"`
			Role       string `json:"role"`
			Color      string `json:"color"`
			ColorIndex int    `json:"colorIndex"`
		} `json:"user"`
		Cursor json.RawMessage `json:"cursor"`
	} `json:"state"`
}

func (c *yclient) presence() []ypresence {
	c.n.t.Helper()
	var p []ypresence
	c.n.must(c.name, "presence", nil, &p)
	return p
}

func (c *yclient) close() {
	c.n.t.Helper()
	c.n.must(c.name, "close", nil, nil)
}
