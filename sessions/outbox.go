package sessions

import (
	"context"
	"sync"
)

// outbox is the bounded queue of frames that wait to be written to one socket. Anyone may push; one writer takes. There
// is a writer only while there is something for it to do: most sockets are idle, and a goroutine that waits would be
// a third of what they take.
type outbox struct {
	write func() // starts a writer

	mu      sync.Mutex
	frames  [][]byte
	bytes   int
	lagging []*Peer // missed a frame since the last catchUp
	writing bool    // there is a writer
	ended   bool    // nothing is taken any more, and nobody is told so
	over    bool    // the writer is to close the socket when it has written all
}

func newOutbox(write func()) *outbox { return &outbox{write: write} }

// push adds frames, all or none, and reports which. An empty outbox takes anything.
func (o *outbox) push(frames ...[]byte) bool {
	size := 0
	for _, f := range frames {
		size += len(f)
	}
	o.mu.Lock()
	if o.ended {
		o.mu.Unlock()
		return true // it does not matter: the socket ends
	}
	full := len(o.frames) > 0 && (len(o.frames)+len(frames) > maxOutbox || o.bytes+size > maxOutboxBytes)
	if !full {
		o.frames = append(o.frames, frames...)
		o.bytes += size
	}
	o.mu.Unlock()
	if full {
		return false
	}
	o.wake()
	return true
}

// force adds a frame even to a full outbox. It is for what must not be missed, and comes rarely.
func (o *outbox) force(frame []byte) {
	o.mu.Lock()
	if !o.ended {
		o.frames = append(o.frames, frame)
		o.bytes += len(frame)
	}
	o.mu.Unlock()
	o.wake()
}

// end drops everything but a last word: from now on nothing else is written.
func (o *outbox) end(last []byte) {
	o.mu.Lock()
	if !o.ended {
		o.frames, o.bytes, o.ended = [][]byte{last}, len(last), true
	}
	o.mu.Unlock()
	o.wake()
}

// next removes and returns the oldest frames: one, and those after it up to maxWrite bytes.
func (o *outbox) next() (frames [][]byte, size int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := 0
	for n < len(o.frames) && (n == 0 || size+len(o.frames[n]) <= maxWrite) {
		size += len(o.frames[n])
		n++
	}
	frames, o.frames = o.frames[:n:n], o.frames[n:]
	o.bytes -= size
	if len(o.frames) == 0 {
		o.frames = nil
	}
	return frames, size
}

// wake starts a writer if there is none.
func (o *outbox) wake() {
	o.mu.Lock()
	start := !o.writing
	o.writing = true
	o.mu.Unlock()
	if start {
		o.write()
	}
}

// rest ends a writer unless there is more to write: then it reports whether to close the socket.
func (o *outbox) rest() (rests, over bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.frames) > 0 || len(o.lagging) > 0 {
		return false, false
	}
	if !o.over { // else there is never another one
		o.writing = false
	}
	return true, o.over
}

// finish has the socket closed once all is written.
func (o *outbox) finish() {
	o.mu.Lock()
	o.over = true
	o.mu.Unlock()
	o.wake()
}

// lag notes that p missed a frame, because the outbox was full. It will be caught up.
func (o *outbox) lag(p *Peer) {
	o.mu.Lock()
	o.lagging = append(o.lagging, p)
	o.mu.Unlock()
	o.wake() // the writer may have emptied it since
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
