package loadtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/ysync"
)

// emptyUpdate is what somebody sends who has nothing of their own.
var emptyUpdate = []byte{0, 0}

// Waits between connections, as providers make them.
const (
	firstBackoff = 100 * time.Millisecond
	lastBackoff  = 2500 * time.Millisecond
)

// A role says why a client is there.
type role string

const (
	writer     role = "typist"
	reader     role = "reader"
	slowReader role = "slow reader"
	joiner     role = "joiner"   // came in the storm: no deliveries to it are expected
	newcomer   role = "newcomer" // came when all was said
)

// A client holds a connection to one document as a provider does: it syncs, and connects again when the socket ends.
type client struct {
	// Static.
	run    *run
	note   int
	wire   wire
	typist *typist       // nil: a reader
	slow   time.Duration // between two messages; 0: none
	role   role
	id     crdt.ClientID // under which it shows presence
	synced chan struct{} // closed at the first sync
	gone   chan struct{} // closed when live has returned

	hurry  atomic.Bool // a slow reader reads on without waiting
	socket atomic.Pointer[socket]

	// Owned by live, until it returns.
	replica replica
	started time.Time
	ready   bool // synced is closed
}

// live connects until ctx ends or the server wants none of it.
func (c *client) live(ctx context.Context) {
	c.started = time.Now()
	wait := firstBackoff
	for {
		synced, err := c.connect(ctx)
		if ctx.Err() != nil {
			return
		}
		c.run.drop(err)
		if permanent(c.wire, err) {
			return
		}
		if synced {
			wait = firstBackoff
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		wait = min(2*wait, lastBackoff)
	}
}

// permanent reports whether a provider would give up: y-websocket does after a close code of 4400–4499.
func permanent(w wire, err error) bool {
	var closed *closeError
	return errors.Is(err, errDenied) || w.protocol == YWebSocket && errors.As(err, &closed) && closed.code >= 4400 && closed.code < 4500
}

// connect runs one socket to its end, and reports whether it synced.
func (c *client) connect(ctx context.Context) (synced bool, err error) {
	ws, err := c.wire.dial(ctx)
	if err != nil {
		return false, err
	}
	c.socket.Store(ws)
	defer context.AfterFunc(ctx, ws.close)()
	defer func() {
		c.socket.Store(nil)
		c.tell(event{kind: down})
		if synced {
			c.run.count.synced.Add(-1)
		}
		ws.close() // it has ended
	}()
	for _, frame := range c.wire.hello(c.replica.has.stateVector().Encode()) {
		if err := ws.write(frame); err != nil {
			return false, err
		}
	}
	c.tell(event{kind: up, ws: ws})
	if err := c.showPresence(ws); err != nil {
		return false, err
	}
	for {
		m, at, err := c.read(ws)
		if err != nil {
			return synced, err
		}
		if err := c.handle(ws, m, at); err != nil {
			return synced, err
		}
		if !synced && m.Kind == ysync.Sync && m.Step == ysync.Step2 {
			synced = true
			c.sync(at)
		}
		if c.slow > 0 && !c.hurry.Load() {
			select {
			case <-ctx.Done():
			case <-time.After(c.slow):
			}
		}
	}
}

// sync notes that the client has what the server has.
func (c *client) sync(at time.Time) {
	c.run.count.synced.Add(1)
	if c.ready {
		return
	}
	c.ready = true
	switch c.role {
	case newcomer:
	case joiner:
		c.run.count.joins.add(at.Sub(c.started))
	default:
		c.run.count.connecting.add(at.Sub(c.started))
	}
	close(c.synced)
}

// read returns the next message, valid until the next call, and when it had come.
func (c *client) read(ws *socket) (ysync.Message, time.Time, error) {
	frame, err := ws.read()
	at := time.Now()
	if err != nil {
		return ysync.Message{}, at, err
	}
	m, err := c.wire.decode(frame)
	return m, at, err
}

func (c *client) handle(ws *socket, m ysync.Message, at time.Time) error {
	switch m.Kind {
	case ysync.Ping:
		return ws.write(c.wire.frame(ysync.Message{Kind: ysync.Pong}))
	case ysync.SyncStatus:
		if !m.Saved {
			c.run.count.refused.Add(1)
		}
		c.tell(event{kind: status, saved: m.Saved, at: at})
	case ysync.Awareness:
		states, err := ysync.DecodeAwareness(m.Data)
		if err != nil {
			return fmt.Errorf("presence: %w", err)
		}
		c.run.count.presence.Add(int64(len(states)))
	case ysync.Sync:
		if m.Step != ysync.Step1 {
			return c.receive(m, at)
		}
		if c.typist == nil {
			return ws.write(c.wire.frame(ysync.Message{Kind: ysync.Sync, Step: ysync.Step2, Data: emptyUpdate}))
		}
		c.tell(event{kind: step1, data: bytes.Clone(m.Data)})
	}
	return nil
}

// receive takes an update, and the time of each keystroke in it that is new here.
func (c *client) receive(m ysync.Message, at time.Time) error {
	err := c.replica.take(m.Data, func(by crdt.ClientID, s span) {
		i, ok := c.run.ledger.typist(by)
		if !ok || s.to <= firstKey {
			return
		}
		if c.typist != nil && c.typist.index == i {
			c.tell(event{kind: echo, keys: int(s.to) - firstKey, at: at})
			return
		}
		if c.role == joiner || c.role == newcomer {
			return
		}
		from := max(s.from, firstKey)
		c.run.count.delivered.Add(int64(s.to - from))
		for n := from; n < s.to && c.slow == 0; n++ {
			if due := c.run.ledger.due(i, int(n-firstKey)); c.run.ledger.measured(due) {
				c.run.count.toPeer.add(at.Sub(due))
			}
		}
	})
	if err == nil && m.Step == ysync.Step2 && c.typist != nil && !c.ready {
		c.tell(event{kind: step2, data: bytes.Clone(m.Data)})
	}
	return err
}

// tell passes something on to whoever types here. It waits if the typist is behind, and so makes the server wait.
func (c *client) tell(e event) {
	if c.typist != nil {
		c.typist.inbox <- e
	}
}

// caretless is the presence of somebody who only reads; caretAt, of somebody who has just inserted a character.
func (c *client) caretless() string {
	return fmt.Sprintf(`{"user":{"name":"load %d","color":"#2b6cb0"},"cursor":null}`, c.id)
}

func (c *client) caretAt(at crdt.ID) string {
	place := fmt.Sprintf(`{"type":null,"tname":null,"item":{"client":%d,"clock":%d},"assoc":-1}`, at.Client, at.Clock)
	return strings.Replace(c.caretless(), `"cursor":null`, `"cursor":{"anchor":`+place+`,"head":`+place+`}`, 1)
}

// showPresence says that somebody is there, if this run shows presence.
func (c *client) showPresence(ws *socket) error {
	if !c.run.config.Presence {
		return nil
	}
	return ws.write(c.presence(c.caretless()))
}

// nod says that somebody is still there.
func (c *client) nod(ws *socket) error {
	if c.run.config.Presence {
		return c.showPresence(ws)
	}
	return ws.write(c.wire.frame(ysync.Message{Kind: ysync.Awareness, Data: ysync.AppendAwareness(nil, nil)}))
}

// presence frames a state of the client. Its clock is the time: it only ever rises, for whichever goroutine sends it.
func (c *client) presence(state string) []byte {
	return c.wire.frame(ysync.Message{Kind: ysync.Awareness, Data: ysync.AppendAwareness(nil, []ysync.Presence{{
		Client: c.id, Clock: uint64(time.Since(c.run.began).Milliseconds()) + 1, State: []byte(state),
	}})})
}
