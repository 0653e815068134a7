package sessions

import (
	"sync/atomic"
	"time"
)

// Figures are how a [Hub] does at one moment.
type Figures struct {
	Sockets   int           // that are open
	Notes     int           // with a session
	Writers   int           // people who have one open and may write, each counted once
	Queued    int           // sessions whose batch waits for its commit
	Unsettled int64         // bytes of updates that are not answered yet
	Lag       time.Duration // for which the commit has been under way that is now; 0: none is
	Commits   Latency
}

// CommitBounds are the upper ends of the parts that [Latency] counts commits by; the last part has none.
var CommitBounds = [...]time.Duration{
	time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond, time.Second, 5 * time.Second,
}

// Latency counts commits by how long they took, since the hub began.
type Latency struct {
	Counts  [len(CommitBounds) + 1]uint64 // by CommitBounds
	Sum     time.Duration                 // of all
	Retries uint64                        // that were tried again, because the database did not answer
}

// All is how many there were.
func (l Latency) All() (n uint64) {
	for _, c := range l.Counts {
		n += c
	}
	return n
}

// Within returns the end of the part by which at least that share of commits were done; 0: there were none, or it is beyond all bounds.
func (l Latency) Within(share float64) time.Duration {
	n, all := uint64(0), l.All()
	for i, bound := range CommitBounds {
		if n += l.Counts[i]; all > 0 && float64(n) >= share*float64(all) {
			return bound
		}
	}
	return 0
}

// clockwork measures commits. The committer writes it, anybody reads it.
type clockwork struct {
	counts  [len(CommitBounds) + 1]atomic.Uint64
	sum     atomic.Int64
	retries atomic.Uint64
	began   atomic.Int64 // of the commit under way, in nanoseconds since 1970; 0: none is
}

func (c *clockwork) begin(at time.Time) { c.began.Store(at.UnixNano()) }

// end counts a commit, unless it was given up.
func (c *clockwork) end(took time.Duration, done bool) {
	c.began.Store(0)
	if !done {
		return
	}
	part := 0
	for part < len(CommitBounds) && took > CommitBounds[part] {
		part++
	}
	c.counts[part].Add(1)
	c.sum.Add(int64(took))
}

func (c *clockwork) read() (l Latency, lag time.Duration) {
	for i := range c.counts {
		l.Counts[i] = c.counts[i].Load()
	}
	l.Sum, l.Retries = time.Duration(c.sum.Load()), c.retries.Load()
	if began := c.began.Load(); began != 0 {
		lag = max(0, time.Since(time.Unix(0, began)))
	}
	return l, lag
}

// Figures returns how the hub does now.
func (h *Hub) Figures() Figures {
	f := Figures{Unsettled: h.unsettled.Load()}
	f.Commits, f.Lag = h.commits.clockwork.read()
	h.commits.mu.Lock()
	f.Queued = len(h.commits.queue)
	h.commits.mu.Unlock()
	writers := make(map[PersonID]bool)
	h.mu.Lock()
	defer h.mu.Unlock()
	f.Sockets, f.Notes = len(h.sockets), len(h.sessions)
	for _, people := range h.present {
		for _, p := range people {
			if p.CanWrite {
				writers[p.Author.ID] = true
			}
		}
	}
	f.Writers = len(writers)
	return f
}
