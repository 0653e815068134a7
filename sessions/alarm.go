package sessions

import (
	"sync"
	"time"
)

// alarm rings at a time. Any number of goroutines may use it. Its zero value is not set.
type alarm struct {
	mu      sync.Mutex
	timer   *time.Timer // may be nil
	stopped bool
}

// in has ring called after that time, in place of what was set before; negative: never.
func (a *alarm) in(wait time.Duration, ring func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.drop()
	if !a.stopped && wait >= 0 {
		a.timer = time.AfterFunc(wait, ring)
	}
}

// stop is the end of it: in does nothing any more.
func (a *alarm) stop() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.drop()
	a.stopped = true
}

func (a *alarm) drop() {
	if a.timer != nil {
		a.timer.Stop()
		a.timer = nil
	}
}
