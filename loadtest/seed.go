package loadtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/ysync"
)

// Notes are filled in updates of about chunkSize, each by a client of its own, with paragraphs that are links: many small
// structs, as in a note that has been written, not one large string. No more than a quarter is text, of which a note may
// have less than of bytes.
const (
	chunkSize     = 256 << 10
	paragraphSize = 192 // bytes of one and its structs
	textSize      = 48
	filling       = 4 // notes filled at once
	fillTimeout   = 2 * time.Minute
	tryAgainLater = 1013 // a close code
)

// content returns updates of about size bytes in all, each building on the one before.
func content(size int) ([][]byte, error) {
	var updates [][]byte
	client := crdt.ClientID(1<<30 + rand.Uint32N(1<<30))
	var last *crdt.ID
	for size > 0 {
		client++
		b := crdt.NewBuilder(client)
		left := min(size, chunkSize)
		for n := 0; n < left; n += paragraphSize {
			place := crdt.Place{After: last}
			if last == nil {
				place.Root = fragment
			}
			element := b.Element(place, "paragraph")
			text := b.XMLText(crdt.Place{Parent: &element})
			on := b.Format(crdt.Place{Parent: &text}, "link", []byte(`{"href":"https://example.org/`+strings.Repeat("a", 90)+`"}`))
			end := b.String(crdt.Place{After: &on}, line(n))
			b.Format(crdt.Place{After: &end}, "link", []byte("null"))
			last = &element
		}
		update, err := b.Update()
		if err != nil {
			return nil, fmt.Errorf("make content: %w", err)
		}
		updates = append(updates, update)
		size -= left
	}
	return updates, nil
}

// line returns one paragraph of made-up text.
func line(n int) string {
	return strings.Repeat(fmt.Sprintf("line %06d ", n%1_000_000), textSize/12)
}

// fill writes content into a note, and returns when the server has answered for all of it. The socket stays open
// until live ends: a server that keeps documents in memory alone forgets one that nobody has open.
func fill(ctx, live context.Context, w wire, updates [][]byte) error {
	ctx, cancel := context.WithTimeout(ctx, fillTimeout)
	defer cancel()
	f := filler{wire: w, left: updates}
	for {
		ws, err := w.dial(ctx)
		if err != nil {
			return err
		}
		unwatch := context.AfterFunc(ctx, ws.close)
		err = f.work(ws)
		unwatch()
		if err == nil {
			go func() {
				defer context.AfterFunc(live, ws.close)()
				_ = f.stay(ws) // until one of the two ends
				ws.close()
			}()
			return nil
		}
		ws.close() // the error says more
		var closed *closeError
		if !errors.As(err, &closed) || closed.code != tryAgainLater { // it was too much for one connection
			return err
		}
		f.again()
	}
}

// again begins anew on another connection. What was perhaps not taken is sent once more, which does no harm.
func (f *filler) again() {
	if f.last != nil {
		f.left = append([][]byte{f.last}, f.left...)
	}
	f.synced, f.owed, f.last = false, 0, nil
}

// stay reads on and changes nothing more.
func (f *filler) stay(ws *socket) error {
	for {
		frame, err := ws.read()
		if err != nil {
			return err
		}
		if m, err := f.wire.decode(frame); err == nil && m.Kind == ysync.Ping {
			if err := ws.write(f.wire.frame(ysync.Message{Kind: ysync.Pong})); err != nil {
				return err
			}
		}
	}
}

// work writes everything.
func (f *filler) work(ws *socket) error {
	for _, frame := range f.wire.hello(crdt.StateVector{}.Encode()) {
		if err := ws.write(frame); err != nil {
			return err
		}
	}
	for !f.synced || f.owed > 0 || len(f.left) > 0 {
		frame, err := ws.read()
		if err != nil {
			return err
		}
		m, err := f.wire.decode(frame)
		if err != nil {
			return err
		}
		answer, err := f.next(m)
		if err != nil {
			return err
		}
		if answer != nil {
			if err := ws.write(answer); err != nil {
				return err
			}
		}
	}
	return nil
}

// filler sends one update at a time: the next when the last is answered.
type filler struct {
	wire   wire
	left   [][]byte
	synced bool
	owed   int           // answers
	last   []byte        // update sent
	writer crdt.ClientID // of it
}

// next takes a message and returns the frame to be sent then, if any.
func (f *filler) next(m ysync.Message) (frame []byte, err error) {
	switch {
	case m.Kind == ysync.Ping:
		return f.wire.frame(ysync.Message{Kind: ysync.Pong}), nil
	case m.Kind == ysync.SyncStatus && !m.Saved:
		return nil, fmt.Errorf("the server did not save what fills a note")
	case m.Kind == ysync.SyncStatus:
		f.owed--
	case m.Kind == ysync.Sync && m.Step == ysync.Step1:
		if f.wire.protocol == Hocuspocus {
			f.owed++
		}
		return f.wire.frame(ysync.Message{Kind: ysync.Sync, Step: ysync.Step2, Data: emptyUpdate}), nil
	case m.Kind == ysync.Sync && m.Step == ysync.Step2:
		f.synced = true
	case m.Kind == ysync.Sync && f.wire.protocol == YWebSocket:
		u, err := crdt.DecodeUpdate(m.Data)
		if err != nil {
			return nil, fmt.Errorf("update of %d bytes: %w", len(m.Data), err)
		}
		if r := u.Ranges(); f.owed > 0 && len(r) > 0 && r[0].Client == f.writer {
			f.owed--
		}
	}
	if !f.synced || f.owed > 0 || len(f.left) == 0 {
		return nil, nil
	}
	update := f.left[0]
	f.left, f.last = f.left[1:], update
	u, err := crdt.DecodeUpdate(update)
	if err != nil {
		return nil, fmt.Errorf("content: %w", err)
	}
	f.writer = u.Ranges()[0].Client
	f.owed++
	return f.wire.frame(ysync.Message{Kind: ysync.Sync, Step: ysync.StepUpdate, Data: update}), nil
}
