package loadtest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/ysync"
)

// An event is what a typist learns from its socket.
type event struct {
	kind  eventKind
	ws    *socket   // up
	data  []byte    // step1: the server's state vector; step2: what the note holds
	saved bool      // status
	keys  int       // echo: how many keystrokes have come back
	at    time.Time // status, echo
}

type eventKind uint8

const (
	up eventKind = iota
	down
	step1
	step2
	status
	echo
)

// inboxSize is how many events may wait for a typist that waits for its socket.
const inboxSize = 1024

// A typist types its stream at a fixed rate into a document of its own, and sends what changes, as an editor does.
// What others type it does not integrate: it goes to the client's replica.
type typist struct {
	// Static.
	client *client
	index  int
	inbox  chan event
	opened chan struct{} // closed when its paragraph is made

	// Owned by live, until it returns.
	doc   *crdt.Doc
	text  *crdt.XMLText
	ws    *socket // nil: offline; what is typed is sent with the next Step2
	keys  int     // typed
	acked int     // answered
	owed  []int   // Hocuspocus: for each frame to be answered, how many keystrokes were typed by then
	err   error   // of the typist's own document: the run cannot be judged
}

// live types and answers until ctx ends, then lets go of whoever still tells it something.
func (t *typist) live(ctx context.Context, begin, stop <-chan struct{}) {
	if t.work(ctx, begin, stop); t.err != nil {
		t.client.run.fail(t.err)
	}
	for range t.inbox {
	}
}

// work types from when typing begins until stop is closed, and answers the server until ctx ends. Who has never been
// let into the note cannot type.
func (t *typist) work(ctx context.Context, begin, stop <-chan struct{}) {
	quiet := sync.OnceFunc(t.client.run.typing.Done)
	defer quiet()
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	defer timer.Stop()
	for t.err == nil {
		begun := begin
		if t.text == nil {
			begun = nil
		}
		select {
		case <-ctx.Done():
			return
		case e := <-t.inbox:
			t.handle(e)
		case <-begun:
			begin = nil
			timer.Reset(time.Until(t.client.run.ledger.due(t.index, 0)))
		case <-stop:
			stop, begin = nil, nil
			timer.Stop()
			quiet()
		case <-timer.C:
			t.press()
			timer.Reset(time.Until(t.client.run.ledger.due(t.index, t.keys)))
		}
	}
}

func (t *typist) handle(e event) {
	switch e.kind {
	case up:
		t.ws, t.owed = e.ws, nil
	case down:
		t.ws, t.owed = nil, nil
	case step2:
		t.open(e.data)
	case step1:
		update, err := t.doc.EncodeStateAsUpdate(e.data)
		if err != nil {
			t.err = fmt.Errorf("answer a state vector of %d bytes: %w", len(e.data), err)
			return
		}
		t.send(ysync.Step2, update)
	case status:
		if len(t.owed) > 0 {
			keys := t.owed[0]
			t.owed = t.owed[1:]
			if e.saved {
				t.ack(keys, e.at)
			}
		}
	case echo:
		if t.client.wire.protocol == YWebSocket {
			t.ack(e.keys, e.at)
		}
	}
}

// open takes what the note holds and makes the typist's paragraph below it.
func (t *typist) open(content []byte) {
	if t.text != nil {
		return
	}
	if err := t.doc.ApplyUpdate(content); err != nil {
		t.err = fmt.Errorf("open a note of %d bytes: %w", len(content), err)
		return
	}
	t.text = crdt.NewXMLText("")
	update, err := t.doc.Transact(t.client.id, func(tx *crdt.Txn) {
		t.doc.XMLFragment(fragment).Push(tx, crdt.NewXMLElement("paragraph", nil, t.text))
	})
	if next := t.doc.StateVector()[t.client.id]; err == nil && next != firstKey {
		err = fmt.Errorf("it takes %d clocks, not %d", next, firstKey)
	}
	if err != nil {
		t.err = fmt.Errorf("begin a paragraph: %w", err)
		return
	}
	t.send(ysync.StepUpdate, update)
	close(t.opened)
}

// press makes the next keystroke. It never waits for an answer.
func (t *typist) press() {
	run := t.client.run
	due := run.ledger.due(t.index, t.keys)
	if run.ledger.measured(due) {
		run.count.late.add(time.Since(due))
	}
	char, corrects := key(t.keys)
	update, err := t.doc.Transact(t.client.id, func(tx *crdt.Txn) {
		if corrects {
			t.text.Delete(tx, t.text.Len()-1, 1)
		}
		t.text.Insert(tx, t.text.Len(), string(char))
	})
	if err != nil {
		t.err = fmt.Errorf("keystroke %d: %w", t.keys, err)
		return
	}
	t.keys++
	run.count.sent.Add(1)
	t.send(ysync.StepUpdate, update)
	if run.config.Presence && t.ws != nil {
		at := crdt.ID{Client: t.client.id, Clock: uint64(t.keys) + firstKey - 1}
		t.write(t.client.presence(t.client.caretAt(at)))
	}
}

// send sends an update, which the server owes an answer for.
func (t *typist) send(step ysync.Step, update []byte) {
	if t.ws == nil {
		return
	}
	if t.client.wire.protocol == Hocuspocus {
		t.owed = append(t.owed, t.keys)
	}
	t.write(t.client.wire.frame(ysync.Message{Kind: ysync.Sync, Step: step, Data: update}))
}

func (t *typist) write(frame []byte) {
	if t.ws == nil {
		return
	}
	if err := t.ws.write(frame); err != nil {
		t.ws.close() // its reader finds out, and connects again
		t.ws = nil
	}
}

// ack notes that the first keys keystrokes are answered.
func (t *typist) ack(keys int, at time.Time) {
	run := t.client.run
	for n := t.acked; n < keys; n++ {
		run.count.saved.Add(1)
		if due := run.ledger.due(t.index, n); run.ledger.measured(due) {
			run.count.toSaved.add(at.Sub(due))
		}
	}
	t.acked = max(t.acked, keys)
}
