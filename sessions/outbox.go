package sessions

import (
	"context"
	"sync"
)

// outbox is the bounded queue of frames that wait to be written to one socket. Anyone may push; one writer takes.
type outbox struct {
	ready chan struct{} // has room for one: "not empty"

	mu      sync.Mutex
	frames  [][]byte
	bytes   int
	lagging []*Peer // missed a frame since the last catchUp
}

func newOutbox() *outbox { return &outbox{ready: make(chan struct{}, 1)} }

// push adds frames, all or none, and reports which. An empty outbox takes anything.
func (o *outbox) push(frames ...[]byte) bool {
	size := 0
	for _, f := range frames {
		size += len(f)
	}
	o.mu.Lock()
	full := len(o.frames) > 0 && (len(o.frames)+len(frames) > maxOutbox || o.bytes+size > maxOutboxBytes)
	if !full {
		o.frames = append(o.frames, frames...)
		o.bytes += size
	}
	o.mu.Unlock()
	if full {
		return false
	}
	select {
	case o.ready <- struct{}{}:
	default:
	}
	return true
}

// take removes and returns everything.
func (o *outbox) take() [][]byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	frames := o.frames
	o.frames, o.bytes = nil, 0
	return frames
}

// lag notes that p missed a frame, because the outbox was full. It will be caught up.
func (o *outbox) lag(p *Peer) {
	o.mu.Lock()
	o.lagging = append(o.lagging, p)
	o.mu.Unlock()
	select {
	case o.ready <- struct{}{}: // the writer may have emptied it since
	default:
	}
}

// catchUp has the sessions of lagging peers send them, in one piece, what they missed.
func (o *outbox) catchUp(ctx context.Context) {
	o.mu.Lock()
	lagging := o.lagging
	o.lagging = nil
	o.mu.Unlock()
	for _, p := range lagging {
		_ = p.session.do(ctx, p.catchUp) // an ended session or socket has nothing left to send
	}
}
