package sessions_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/ysync"
	"github.com/clisonix/tidechart/sessions"
	"github.com/clisonix/tidechart/sessions/storetest"
)

var (
	note   = uuid.MustParse("00000000-0000-4000-8000-00000000000a")
	chen   = sessions.Author{ID: uuid.MustParse("00000000-0000-4000-8000-000000000001"), Name: "Dr Mei Chen", Role: "attending", Color: "#aa0000", ColorIndex: 1}
	rivera = sessions.Author{ID: uuid.MustParse("00000000-0000-4000-8000-000000000002"), Name: "Rosa Rivera RN", Role: "nurse", Color: "#00aa00", ColorIndex: 2}
)

// ward is a hub over an in-memory store with one note, in a bubble of fake time.
type ward struct {
	t     *testing.T
	store *storetest.MemStore
	hub   *sessions.Hub
}

// inWard runs f in a bubble. Waits in it take no time, and a deadlock fails the test.
func inWard(t *testing.T, f func(w *ward), options ...sessions.Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		store := &storetest.MemStore{}
		store.Add(note, chen.ID, insert(9, 0, "start"))
		w := &ward{t: t, store: store, hub: sessions.NewHub(store, slog.New(slog.DiscardHandler), options...)}
		f(w)
		if err := w.hub.Close(t.Context()); err != nil {
			t.Error(err)
		}
		synctest.Wait()
	})
}

// client is the far end of a pipe. It reads all the time unless told not to.
type client struct {
	w     *ward
	pipe  *pipe
	key   string // Hocuspocus routing key; empty: y-websocket
	ended chan error
	serve func(conn sessions.Conn) error

	read chan bool // false: stop reading, true: go on

	mu  sync.Mutex
	got []ysync.Message // read so far
}

func (w *ward) connect(key string, serve func(conn sessions.Conn) error) *client {
	c := &client{w: w, pipe: newPipe(), key: key, ended: make(chan error, 1), serve: serve, read: make(chan bool)}
	go func() {
		err := serve(c.pipe)
		c.pipe.close()
		c.ended <- err
	}()
	go c.pump()
	return c
}

func (c *client) pump() {
	for reading := true; ; {
		out := c.pipe.out
		if !reading {
			out = nil
		}
		select {
		case frame := <-out:
			var m ysync.Message
			var err error
			if c.key == "" {
				m, err = ysync.DecodeMessage(frame)
			} else {
				var e ysync.Envelope
				e, err = ysync.DecodeEnvelope(frame)
				m = e.Message
			}
			if err != nil {
				c.w.t.Errorf("the server sent % x: %v", frame, err)
			}
			c.mu.Lock()
			c.got = append(c.got, m)
			c.mu.Unlock()
		case reading = <-c.read:
		case <-c.pipe.closed:
			return
		}
	}
}

// reading makes the client read, or not.
func (c *client) reading(on bool) {
	select {
	case c.read <- on:
	case <-c.pipe.closed:
		c.w.t.Error("the socket has ended")
	}
	synctest.Wait()
}

// granted gives everybody the same grant.
func granted(grant sessions.Grant) sessions.Authorizer {
	return func(context.Context, sessions.NoteID, string) (sessions.Grant, error) { return grant, nil }
}

// yClient connects a y-websocket client that has asked for the note and answered the server's Step1.
func (w *ward) yClient(grant sessions.Grant) *client {
	c := w.connect("", func(conn sessions.Conn) error {
		return w.hub.ServeYWebSocket(w.t.Context(), conn, note, "", granted(grant))
	})
	c.send(ysync.Message{Kind: ysync.Sync, Step: ysync.Step1, Data: crdt.StateVector{}.Encode()})
	c.step2(storetest.Empty())
	return c
}

// hClient connects a Hocuspocus provider that has asked for the note and answered the server's Step1.
func (w *ward) hClient(grant sessions.Grant) *client {
	c := w.connect(note.String(), func(conn sessions.Conn) error {
		return w.hub.ServeHocuspocus(w.t.Context(), conn, granted(grant))
	})
	c.send(ysync.Message{Kind: ysync.Auth, Auth: ysync.Token, Version: "4.8.0"})
	c.send(ysync.Message{Kind: ysync.Sync, Step: ysync.Step1, Data: crdt.StateVector{}.Encode()})
	c.step2(storetest.Empty())
	return c
}

// stranger connects a Hocuspocus provider that has not asked for anything yet, and would not get it.
func (w *ward) stranger() *client {
	return w.connect(note.String(), func(conn sessions.Conn) error {
		return w.hub.ServeHocuspocus(w.t.Context(), conn, func(context.Context, sessions.NoteID, string) (sessions.Grant, error) {
			return sessions.Grant{}, sessions.ErrUnauthenticated
		})
	})
}

// sendRaw sends bytes and waits until the server has dealt with them.
func (c *client) sendRaw(frame []byte) {
	select {
	case c.pipe.in <- frame:
	case <-c.pipe.closed:
	}
	synctest.Wait()
}

func (c *client) send(m ysync.Message) { c.sendRaw(c.frame(m)) }

func (c *client) frame(m ysync.Message) []byte {
	if c.key == "" {
		return ysync.AppendMessage(nil, m)
	}
	return ysync.AppendEnvelope(nil, ysync.Envelope{Key: c.key, Message: m})
}

func (c *client) update(u []byte) {
	c.send(ysync.Message{Kind: ysync.Sync, Step: ysync.StepUpdate, Data: u})
}

func (c *client) step2(u []byte) {
	c.send(ysync.Message{Kind: ysync.Sync, Step: ysync.Step2, Data: u})
}

// messages are all that was received, once the server has nothing left to send.
func (c *client) messages() []ysync.Message {
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.got)
}

// updates are the updates received; not the Step2, nor the echo of an empty one.
func (c *client) updates() [][]byte {
	var us [][]byte
	for _, m := range c.messages() {
		if m.Kind == ysync.Sync && m.Step == ysync.StepUpdate && !bytes.Equal(m.Data, storetest.Empty()) {
			us = append(us, m.Data)
		}
	}
	return us
}

// answers are the SyncStatus messages received: 1 saved, 0 refused.
func (c *client) answers() string {
	var s []byte
	for _, m := range c.messages() {
		if m.Kind == ysync.SyncStatus && m.Saved {
			s = append(s, '1')
		} else if m.Kind == ysync.SyncStatus {
			s = append(s, '0')
		}
	}
	return string(s)
}

// text is what the client's document says after all it received.
func (c *client) text() string {
	doc := crdt.New("")
	for _, m := range c.messages() {
		if m.Kind == ysync.Sync && m.Step != ysync.Step1 {
			if err := doc.ApplyUpdate(m.Data); err != nil {
				c.w.t.Errorf("apply what the server sent: %v", err)
			}
		}
	}
	return doc.Text("t").String()
}

// people are the states shown to the client as present, after the next beat.
func (c *client) people() []string {
	time.Sleep(50 * time.Millisecond)
	return c.peopleNow()
}

func (c *client) peopleNow() []string {
	clocks, states := map[crdt.ClientID]uint64{}, map[crdt.ClientID]string{}
	for _, m := range c.messages() {
		if m.Kind != ysync.Awareness {
			continue
		}
		said, err := ysync.DecodeAwareness(m.Data)
		if err != nil {
			c.w.t.Errorf("awareness: %v", err)
		}
		for _, p := range said {
			if p.Clock > clocks[p.Client] || p.Gone() {
				clocks[p.Client], states[p.Client] = p.Clock, string(p.State)
			}
		}
	}
	var people []string
	for _, state := range states {
		if state != "null" {
			people = append(people, state)
		}
	}
	slices.Sort(people)
	return people
}

// closeCode is the close code the server ended the client with; 0: it has not ended it.
func (c *client) closeCode() int {
	synctest.Wait()
	select {
	case err := <-c.ended:
		var reason *sessions.CloseError
		if !errors.As(err, &reason) {
			c.w.t.Fatalf("socket ended with %v", err)
		}
		return reason.Code
	default:
		return 0
	}
}

// leave closes the socket from the client's side.
func (c *client) leave() {
	c.pipe.close()
	synctest.Wait()
}

// hurried lets sockets be as fast as tests are.
func hurried() sessions.Option {
	a := sessions.DefaultAllowance()
	a.UpdatesPerSecond, a.BytesPerSecond = 1<<20, 1<<30
	return sessions.WithAllowance(a)
}

func write(who sessions.Author) sessions.Grant { return sessions.Grant{Author: who} }
func read(who sessions.Author) sessions.Grant  { return sessions.Grant{Author: who, ReadOnly: true} }

// insert is the update by which client types text at the end of what it typed before, clock units of it, in the
// root text "t".
func insert(client, clock byte, text string) []byte {
	u := []byte{1, 1, client, clock}
	if clock == 0 {
		u = append(u, 4, 1, 1, 't')
	} else {
		u = append(u, 0x84, client, clock-1)
	}
	u = append(u, byte(len(text)))
	u = append(u, text...)
	return append(u, 0)
}

// announce is the awareness message of one client.
func announce(client crdt.ClientID, clock uint64, state string) ysync.Message {
	data := ysync.AppendAwareness(nil, []ysync.Presence{{Client: client, Clock: clock, State: []byte(state)}})
	return ysync.Message{Kind: ysync.Awareness, Data: data}
}
