package sessions

import (
	"context"
	"slices"
	"sync"
)

// outbox is the bounded queue of frames that wait to be written to one socket. Anyone may push; whoever pushes offers
// the connection what waits, and one writer takes what it did not take at once. There is a writer only while there is
// something for it to do: most sockets are idle, and a goroutine that waits would be a third of what they take. It is
// part of its socket: a delivery touches little else than what lies side by side here.
type outbox struct {
	mu      sync.Mutex
	writing bool // there is a writer
	ended   bool // nothing is taken any more, and nobody is told so
	over    bool // the writer is to close the socket when it has written all
	bytes   int
	frames  [][]byte
	one     [1][]byte // room for a frame: there is seldom more than one
	socket  *socket   // offers frames, and has writers; static
	lagging []*Peer   // missed a frame since the last catchUp
}

// push adds frames, all or none, reports which, and has them written.
func (o *outbox) push(frames ...[]byte) bool {
	fits := o.add(frames...)
	o.flush()
	return fits
}

// add adds frames, all or none, and reports which. An empty outbox takes anything. The caller calls flush, soon.
func (o *outbox) add(frames ...[]byte) bool {
	size := 0
	for _, f := range frames {
		size += len(f)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ended {
		return true // it does not matter: the socket ends
	}
	if len(o.frames) > 0 && (len(o.frames)+len(frames) > maxOutbox || o.bytes+size > maxOutboxBytes) {
		return false
	}
	if o.frames == nil {
		o.frames = o.one[:0]
	}
	o.frames = append(o.frames, frames...)
	o.bytes += size
	return true
}

// flush has what waits written: here as far as the connection takes it at once, and the rest by a writer. Offering
// under the lock keeps frames in their order; it does not wait.
func (o *outbox) flush() {
	o.mu.Lock()
	if o.writing {
		o.mu.Unlock()
		return
	}
	for n := 1; n > 0 && len(o.frames) > 0; {
		n = o.socket.offer(o.frames)
		o.drop(n)
	}
	o.writing = len(o.frames) > 0
	start := o.writing
	o.mu.Unlock()
	if start {
		o.socket.startWriter()
	}
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
	frames = slices.Clone(o.frames[:n]) // whose room may be used again
	o.drop(n)
	return frames, size
}

// drop removes the n oldest frames. The caller holds mu.
func (o *outbox) drop(n int) {
	for _, f := range o.frames[:n] {
		o.bytes -= len(f)
	}
	o.frames = o.frames[n:]
	if len(o.frames) == 0 {
		o.frames, o.one[0] = nil, nil
	}
}

// wake starts a writer if there is none.
func (o *outbox) wake() {
	o.mu.Lock()
	start := !o.writing
	o.writing = true
	o.mu.Unlock()
	if start {
		o.socket.startWriter()
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
