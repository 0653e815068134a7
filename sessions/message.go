package sessions

import (
	"context"
	"fmt"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/ysync"
)

// errBusy ends a socket whose updates the server has no room for, since the database does not take what it has.
var errBusy = &CloseError{Code: closeTryLater, Reason: "too much waits to be saved; try again"}

// handle takes a message that both protocols share. It runs on the socket's goroutine, which does the decoding.
func (p *Peer) handle(ctx context.Context, m ysync.Message) error {
	var act func()
	size := 0
	switch {
	case m.Kind == ysync.QueryAwareness:
		p.socket.updates++
		act = func() {
			if !p.session.hub.accessUnknown() { // who is there is told to nobody who may not know any more (I9)
				p.session.sendPresence(p)
			}
		}
	case m.Kind == ysync.Awareness:
		said, err := ysync.DecodeAwareness(m.Data)
		if err != nil {
			return Malformed(err)
		}
		act = func() { p.session.announce(p, said) }
	case m.Step == ysync.Step1:
		p.socket.updates++
		if len(m.Data) > maxAskedVector {
			return overLimit(over(maxAskedVector, "bytes of a state vector"))
		}
		if _, err := crdt.DecodeStateVector(m.Data); err != nil {
			return Malformed(err)
		}
		p.owesStep2 = true
		act = func() { p.sync(m.Data) }
	default:
		p.socket.updates++
		update, err := crdt.DecodeUpdate(m.Data)
		if err != nil {
			return Malformed(fmt.Errorf("update of %d bytes: %w", len(m.Data), err))
		}
		p.owesStep2 = p.owesStep2 && m.Step != ysync.Step2
		size = len(m.Data)
		act = func() { p.receive(update, size, m.Step == ysync.Step2) }
	}
	if !p.session.budget.spend(size) {
		return errBusy
	}
	if err := p.session.do(ctx, act); err != nil {
		p.session.budget.earn(size)
		return refusal(err)
	}
	return nil
}
