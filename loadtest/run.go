package loadtest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/clisonix/tidechart/crdt"
)

const (
	dialers          = 64                     // clients that connect at once, but for a storm
	syncTimeout      = 60 * time.Second       // of a client's first sync
	connectAllowance = 50 * time.Millisecond  // that each further client adds to it, for all
	typingDelay      = 100 * time.Millisecond // until the first keystroke, so that every typist is told in time
	renewEvery       = 15 * time.Second       // presence, as y-protocols has it
	nodEvery         = 30 * time.Second       // without presence: servers hang up on those who say nothing for a minute
	lookEvery        = 20 * time.Millisecond  // at the counters, when waiting for them
	progressEvery    = time.Second
	hastyDrain       = 5 * time.Second // after Ctrl-C
)

// A run is one load test. Its fields are set before clients live, or in Run's goroutine between the phases.
type run struct {
	config    Config
	ledger    *ledger
	began     time.Time
	watch     *watch
	documents []string
	shelves   []*shelf
	clients   []*client     // of all notes: typists, slow readers, readers
	joiners   []*client     // of the storm
	last      []*client     // one per note, joined when all was said
	begin     chan struct{} // closed when typing begins
	stop      chan struct{} // and ends
	failed    chan error    // what makes a verdict impossible
	living    sync.WaitGroup
	typing    sync.WaitGroup // typists that may still press a key

	count counters

	mu   sync.Mutex
	ends map[string]int // why sockets ended, and how often
}

// Run loads a server as c says and reports how it bore it. It ends early, with a report of what was until then, when
// ctx does. The error says why there is no report; that the server failed is in the report.
func Run(ctx context.Context, c Config) (report *Report, err error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	r := &run{
		config: c, ledger: newLedger(c), began: time.Now(),
		begin: make(chan struct{}), stop: make(chan struct{}), failed: make(chan error, 1), ends: make(map[string]int),
	}
	r.watch = newWatch(c.PIDs)
	defer r.watch.end()

	// Sockets outlive ctx: what was typed before it ended is to arrive, and to be compared.
	live, hangUp := context.WithCancel(context.WithoutCancel(ctx))
	defer func() { hangUp(); r.living.Wait() }()
	defer func() {
		if failed := r.dismissWitnesses(context.WithoutCancel(ctx)); failed != nil {
			report, err = nil, errors.Join(err, failed)
		}
	}()
	if err := r.admitWitnesses(ctx); err != nil {
		return nil, err
	}
	if err := r.prepare(ctx, live); err != nil {
		return nil, err
	}
	r.plan()
	marks, err := r.load(ctx, live)
	if err != nil {
		return nil, err
	}
	r.drain(ctx)
	if err := r.lookAgain(context.WithoutCancel(ctx)); err != nil {
		return nil, err
	}
	hangUp()
	r.living.Wait()
	r.say("comparing %d replicas", len(r.clients)+len(r.joiners))
	return r.report(ctx, marks)
}

// prepare begins and fills the notes.
func (r *run) prepare(ctx, live context.Context) error {
	c := r.config
	if err := r.beginNotes(ctx); err != nil {
		return err
	}
	if c.Size == 0 {
		return nil
	}
	r.say("filling %d notes", c.Notes)
	return each(ctx, c.Notes, filling, func(ctx context.Context, i int) error {
		updates, err := content(c.Size)
		if err == nil {
			err = fill(ctx, live, c.wireFor(r.documents[i], i), updates)
		}
		if err != nil {
			return fmt.Errorf("fill a note: %w", err)
		}
		return nil
	})
}

// beginNotes makes the documents, as fast as the server lets one person begin notes.
func (r *run) beginNotes(ctx context.Context) (err error) {
	r.say("beginning %d notes", r.config.Notes)
	var begun atomic.Int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.documents, err = r.config.documents(ctx, &begun)
	}()
	_ = r.until(ctx, done, func() string { // what ended it early, the calls say too
		return fmt.Sprintf("beginning notes: %d of %d", begun.Load(), r.config.Notes)
	})
	<-done
	return err
}

// plan makes all clients, so that consecutive ones belong to different notes.
func (r *run) plan() {
	c := r.config
	for range c.Notes {
		r.shelves = append(r.shelves, &shelf{})
	}
	for slot := range c.Clients {
		for note := range c.Notes {
			one := r.newClient(note, slot)
			if slot < c.Typists {
				r.makeTypist(one, note*c.Typists+slot)
			} else if slot < c.Typists+c.Slow {
				one.role, one.slow, one.wire.narrow = slowReader, c.SlowEvery, true
			}
			r.clients = append(r.clients, one)
		}
	}
	for n := range c.Joins {
		one := r.newClient(0, c.Clients+n)
		one.role = joiner
		r.joiners = append(r.joiners, one)
	}
	for note := range c.Notes {
		one := r.newClient(note, c.Clients+c.Joins)
		one.role, one.replica.keep = newcomer, true
		r.last = append(r.last, one)
	}
}

// newClient returns client n of a note: a reader, until it is made something else.
func (r *run) newClient(note, n int) *client {
	c := r.config
	wire := c.wireFor(r.documents[note], n)
	number := note*(c.Clients+c.Joins+1) + n
	if len(c.Tokens) > 0 { // everybody is at some notes, nobody twice at one while there are enough people
		wire.token = c.Tokens[(note*c.Clients+n)%len(c.Tokens)]
	}
	one := &client{
		run: r, note: note, role: reader, wire: wire, synced: make(chan struct{}), gone: make(chan struct{}),
		id: r.ledger.base + crdt.ClientID(r.ledger.typists+number),
	}
	one.replica = replica{shelf: r.shelves[note], has: make(coverage), keep: float64(number*618_033%1_000_000) < c.Verify*1e6}
	return one
}

func (r *run) makeTypist(c *client, index int) {
	c.role, c.replica.keep = writer, true
	c.id = r.ledger.client(index)
	c.typist = &typist{
		client: c, index: index, inbox: make(chan event, inboxSize), opened: make(chan struct{}), doc: crdt.New(""),
	}
}

// start brings a client to life until ctx ends.
func (r *run) start(ctx context.Context, c *client) {
	if c.typist == nil {
		r.living.Go(func() { c.live(ctx); close(c.gone) })
		return
	}
	r.typing.Add(1)
	r.living.Go(func() { c.live(ctx); close(c.typist.inbox); close(c.gone) })
	r.living.Go(func() { c.typist.live(ctx, r.begin, r.stop) })
}

// drop counts the end of a socket that the run did not end.
func (r *run) drop(err error) {
	r.count.drops.Add(1)
	r.mu.Lock()
	r.ends[why(err)]++
	r.mu.Unlock()
}

// fail ends the run.
func (r *run) fail(err error) {
	select {
	case r.failed <- err:
	default: // one reason is enough
	}
}

func (r *run) say(format string, args ...any) {
	if r.config.Progress != nil {
		r.config.Progress(fmt.Sprintf(format, args...))
	}
}

// errEnded is why a phase of the run did not come to its end.
var errEnded = errors.New("ended early")

// until waits for done, and says how it goes about once a second.
func (r *run) until(ctx context.Context, done <-chan struct{}, progress func() string) error {
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return nil
		case <-ctx.Done():
			return errEnded
		case err := <-r.failed:
			return err
		case <-tick.C:
			r.say("%s", progress())
		}
	}
}
