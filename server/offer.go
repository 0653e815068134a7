package server

import (
	"bytes"
	"sync"
	"syscall"
	"time"
)

// offer writes messages as binary frames as far as the kernel takes them at once, and returns how many it took: none
// while somebody else writes, nor of a line that is no plain socket. Nearly every message leaves like this: its sender
// waits for nobody, and no other goroutine has to wake up for it.
func (l *line) offer(messages [][]byte) (taken int) {
	if l.raw == nil || !l.mu.TryLock() {
		return 0
	}
	o := offerings.Get().(*offering)
	defer offerings.Put(o)
	o.held = o.held[:0]
	for _, m := range messages {
		if len(o.held)+len(m) > maxHeld {
			break // what is large is not copied: send takes it
		}
		o.held = append(appendHead(o.held, len(m)), m...)
		taken++
	}
	n := 0
	if taken > 0 {
		n = o.writeTo(l.raw)
	}
	switch {
	case n <= 0:
		taken = 0
	case n < len(o.held):
		go l.finishBy(time.Now().Add(controlTimeout), bytes.Clone(o.held[n:])) // mu stays locked: nothing may come between
		return taken
	}
	l.mu.Unlock()
	return taken
}

// finishBy writes what is left of messages on their way, and unlocks the line. If they are not taken in time, nothing
// more can be said, and the line is closed.
func (l *line) finishBy(by time.Time, rest []byte) {
	defer l.mu.Unlock()
	err := l.SetWriteDeadline(by)
	if err == nil {
		_, err = l.Conn.Write(rest)
	}
	if err != nil {
		_ = l.Close() // its reader says so
	}
}

// offering is a system call that does not wait. What it needs is used again: most of it would be made on the heap.
type offering struct {
	held  []byte
	n     int // bytes written; not more than 0 if none were
	write func(fd uintptr)
}

var offerings = sync.Pool{New: func() any {
	o := &offering{}
	o.write = func(fd uintptr) {
		for {
			var err error
			if o.n, err = sendNow(fd, o.held); err != syscall.EINTR {
				return
			}
		}
	}
	return o
}}

// writeTo writes as much of what is held as can be written now. Go's sockets do not block; Control, unlike Write, does
// not wait for them either, nor look at the deadline of an earlier write.
func (o *offering) writeTo(raw syscall.RawConn) int {
	if err := raw.Control(o.write); err != nil {
		return 0 // closed
	}
	return o.n
}
