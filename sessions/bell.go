package sessions

import (
	"sync/atomic"
	"time"
)

// signal is what a session can be told beside its inbox. Each says where to look, so that ringing twice is as good as
// ringing once.
type signal uint32

const (
	onOutcome signal = 1 << iota // the batch in flight is settled; outcome says how
	onDecided                    // the writers of the batch that was refused are decided about anew
	onBeat                       // presence is due
	onRetry                      // who may write may be known again
	onHeld                       // a freeze may be over
	onRested                     // after a search
	onPark                       // nobody may have edited for a while
	onIdle                       // nobody uses the session
	onLinger                     // for some time
	onClosing                    // the hub closes
	onEnding                     // the note is not to be had any more; ending says why
)

// bell tells one goroutine what to look at. Anybody may ring it, and never waits. A channel for each signal would be
// simpler, but whoever waits for several takes the lock of each, which at two waits an edit is more than most of what
// an edit takes.
type bell struct {
	rung    chan struct{} // has room for one
	signals atomic.Uint32
}

func newBell() bell { return bell{rung: make(chan struct{}, 1)} }

func (b *bell) ring(s signal) {
	b.signals.Or(uint32(s))
	select {
	case b.rung <- struct{}{}:
	default: // it rings already, and who hears it will see s
	}
}

// ringIn rings after a while.
func (b *bell) ringIn(wait time.Duration, s signal) *time.Timer {
	return time.AfterFunc(wait, func() { b.ring(s) })
}

// heard returns what was rung for since it was called last.
func (b *bell) heard() signal { return signal(b.signals.Swap(0)) }
