package loadtest

import (
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/clisonix/tidechart/crdt"
)

// firstKey is the clock of a typist's first keystroke: its paragraph and the text in it come before.
const firstKey = 2

// A ledger knows when each keystroke of a run was due. It is asked by the id of the character, so that a message
// need not say when it was sent. Times are measured from when a keystroke was due, not from when it was sent: a
// server, or a generator, that holds a typist up is charged for it (no coordinated omission).
type ledger struct {
	base    crdt.ClientID // typist i has client base+i
	every   time.Duration // between two keystrokes of one typist
	typists int
	warmup  time.Duration
	began   atomic.Int64 // when typing began, Unix ns; 0: not yet
}

func newLedger(c Config) *ledger {
	l := &ledger{
		base:    crdt.ClientID(1<<28 + rand.Uint32N(1<<30)), // as long on the wire as those that Yjs draws
		typists: c.Notes * c.Typists, warmup: c.Warmup,
	}
	l.every = time.Duration(float64(time.Second) / c.Rate)
	return l
}

func (l *ledger) begin(at time.Time) { l.began.Store(at.UnixNano()) }

func (l *ledger) client(typist int) crdt.ClientID { return l.base + crdt.ClientID(typist) }

// typist returns whose client it is.
func (l *ledger) typist(client crdt.ClientID) (i int, ok bool) {
	if client < l.base || client >= l.base+crdt.ClientID(l.typists) {
		return 0, false
	}
	return int(client - l.base), true
}

func (l *ledger) isTypist(client crdt.ClientID) bool {
	_, ok := l.typist(client)
	return ok
}

// due returns when the n-th keystroke of a typist is due. Typists are spread evenly over the interval.
func (l *ledger) due(typist, n int) time.Time {
	// A stride coprime to most numbers of typists keeps those of one note apart.
	phase := time.Duration(float64(l.every) * float64(typist*618_033%1_000_000) / 1e6)
	return time.Unix(0, l.began.Load()).Add(phase + time.Duration(n)*l.every)
}

// measured reports whether a keystroke that was due at a time counts, being behind the warm-up.
func (l *ledger) measured(due time.Time) bool {
	return due.UnixNano() >= l.began.Load()+int64(l.warmup)
}

// counters are what a run counts as it goes. Any goroutine may add.
type counters struct {
	synced       atomic.Int64 // clients that are
	sent         atomic.Int64 // keystrokes typed
	saved        atomic.Int64 // keystrokes answered
	refused      atomic.Int64 // updates that the server said it did not save
	delivered    atomic.Int64 // keystrokes that came to a peer for the first time
	presence     atomic.Int64 // presence states that came
	drops        atomic.Int64 // sockets that ended before the run did
	toPeer       histogram
	toSaved      histogram
	late         histogram    // keystrokes typed after they were due: the generator's own fault
	revoked      atomic.Int64 // witnesses' sockets whose rights were to be withdrawn
	revokedEnds  atomic.Int64 // those that the server ended
	lastFrame    histogram    // from the withdrawal to the last frame that they were given
	revokedClose histogram    // to their end
	joins        histogram    // from the start of a join until synced, of a storm
	connecting   histogram    // likewise, before
}
