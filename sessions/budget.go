package sessions

import (
	"sync"
	"sync/atomic"
)

// budget counts the bytes of a session's updates that are not yet answered. Together those of all sessions are
// bounded: while the database does not take what has come, the server must not keep all that comes.
type budget struct {
	unsettled *atomic.Int64 // of all sessions

	mu     sync.Mutex
	bytes  int64
	closed bool
}

// spend takes n bytes, or reports that there is no room for them.
func (b *budget) spend(n int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed || b.unsettled.Add(int64(n)) > maxUnsettled {
		if !b.closed {
			b.unsettled.Add(-int64(n))
		}
		return false
	}
	b.bytes += int64(n)
	return true
}

// earn gives n bytes back.
func (b *budget) earn(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closed {
		b.bytes -= int64(n)
		b.unsettled.Add(-int64(n))
	}
}

// close gives everything back; the session has ended, and what it held is gone.
func (b *budget) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closed {
		b.closed = true
		b.unsettled.Add(-b.bytes)
	}
}
