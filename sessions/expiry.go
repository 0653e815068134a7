package sessions

import (
	"sync"
	"time"
)

// expiry waits for a peer's grant to end. Any number of goroutines may use it.
type expiry struct {
	mu      sync.Mutex
	timer   *time.Timer // may be nil
	stopped bool
}

// at has ended called when until comes, in place of what was set before; zero: never.
func (e *expiry) at(until time.Time, ended func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.drop()
	if !e.stopped && !until.IsZero() {
		e.timer = time.AfterFunc(time.Until(until), ended)
	}
}

// stop is the end of it: at does nothing any more.
func (e *expiry) stop() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.drop()
	e.stopped = true
}

func (e *expiry) drop() {
	if e.timer != nil {
		e.timer.Stop()
		e.timer = nil
	}
}

// expired asks whether the grant has ended, now that it should have. Whoever cannot be asked is cut off.
func (p *Peer) expired() {
	if p.renew == nil {
		p.revoke(refusal(ErrUnauthenticated))
		return
	}
	p.recheck(p.session.hub.ctx)
}
