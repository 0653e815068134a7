package sessions

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
)

// commit is one session's batch on its way to the log.
type commit struct {
	entries []Entry       // all of one note
	claims  []Claim       // likewise
	settled func(outcome) // is called once, and does not wait
}

// outcome is what became of a commit.
type outcome struct {
	first uint64 // seq of the first entry, if placed
	err   error  // nil; ErrRejected, errOutdated: nothing was stored; errCommitLost: unknown
}

// committer writes the batches of every session to the log: whatever is queued makes one transaction, and while
// it runs the next one gathers. Where one carried a crowd's edits, it lets more of them gather, the longer the more there
// were: a transaction costs as much as ten updates, and each waking of a session as much as a delivery. Nobody who
// writes alone waits.
type committer struct {
	store Store
	log   *slog.Logger
	wake  chan struct{} // has room for one: "the queue is not empty"
	clockwork

	mu    sync.Mutex
	queue []commit // at most one per session

	// Owned by run.
	due     time.Time // when the next transaction may begin
	entries []Entry   // the room that the transaction before took
	claims  []Claim
}

func newCommitter(store Store, log *slog.Logger) *committer {
	return &committer{store: store, log: log, wake: make(chan struct{}, 1)}
}

// submit queues c and returns at once.
func (c *committer) submit(one commit) {
	c.mu.Lock()
	c.queue = append(c.queue, one)
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// run commits until ctx ends. Batches whose outcome is unknown by then get errCommitLost.
func (c *committer) run(ctx context.Context) {
	for {
		c.gather(ctx)
		batch := c.take()
		if len(batch) == 0 {
			select {
			case <-c.wake:
				continue
			case <-ctx.Done():
				return
			}
		}
		began := time.Now()
		c.commit(ctx, batch)
		if len(batch) >= crowd && len(batch) < maxBatch {
			c.due = began.Add(min(time.Duration(len(batch))*gatherEach, maxGather))
		}
	}
}

// gather waits until the next transaction may begin.
func (c *committer) gather(ctx context.Context) {
	wait := time.Until(c.due)
	if wait <= 0 {
		return
	}
	select {
	case <-time.After(wait):
	case <-ctx.Done():
	}
}

// take removes whole commits from the queue, as many as one transaction should hold.
func (c *committer) take() []commit {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, entries, bytes := 0, 0, 0
	for n < len(c.queue) && (n == 0 || entries+len(c.queue[n].entries) <= maxBatch && bytes < maxBatchBytes) {
		entries += len(c.queue[n].entries)
		for _, e := range c.queue[n].entries {
			bytes += len(e.Update)
		}
		n++
	}
	batch := c.queue[:n:n]
	c.queue = c.queue[n:]
	return batch
}

// commit settles one transaction, however often it has to ask.
func (c *committer) commit(ctx context.Context, batch []commit) {
	entries, claims := c.entries[:0], c.claims[:0]
	for _, one := range batch {
		entries, claims = append(entries, one.entries...), append(claims, one.claims...)
	}
	placed, err := c.settle(ctx, Batch{ID: uuid.New(), Entries: entries, Claims: claims})
	clear(entries) // what they refer to is the sessions'
	c.entries, c.claims = entries, claims
	if errors.Is(err, ErrRejected) && len(batch) > 1 {
		for i := range batch { // one note's rows must not cost another note its edits
			c.commit(ctx, batch[i:i+1])
		}
		return
	}
	first := make(map[NoteID]uint64, len(placed))
	for _, p := range placed {
		first[p.Note] = p.First
	}
	for _, one := range batch {
		seq, taken := first[one.entries[0].Note]
		o := outcome{first: seq, err: err}
		switch {
		case err != nil:
		case !taken:
			o.err = ErrRejected
		case seq == 0:
			o.err = errOutdated
		}
		one.settled(o)
	}
}

// settle appends a batch, again and again under its one id, until the outcome is known.
func (c *committer) settle(ctx context.Context, batch Batch) ([]Placed, error) {
	began := time.Now()
	c.begin(began)
	for wait := firstRetry; ; wait = min(2*wait, lastRetry) {
		placed, err := c.store.Append(context.WithoutCancel(ctx), batch)
		if err == nil || errors.Is(err, ErrRejected) {
			c.end(time.Since(began), true)
			return placed, err
		}
		c.retries.Add(1)
		c.log.Warn("commit failed, trying the same batch again", "err", err, "updates", len(batch.Entries), "wait", wait)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			c.end(0, false)
			return nil, errCommitLost
		}
	}
}
