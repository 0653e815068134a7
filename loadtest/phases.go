package loadtest

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// marks is the usage of the server at the ends of the phases.
type marks struct {
	before usages // anybody connected
	begin  usages // of what is measured
	end    usages
	own    time.Duration // processor time of the generator, from begin to end
	storm  storm
	early  bool // ctx ended
}

// storm is what a storm of joins cost.
type storm struct {
	took  time.Duration // from the first dial to the last sync
	extra int64         // bytes that the server's memory rose by at its peak
}

// load connects everybody, lets them type, and returns when they stop.
func (r *run) load(ctx, live context.Context) (marks, error) {
	m := marks{before: r.watch.read()}
	err := r.connectAll(ctx, live)
	m.begin = r.watch.read()
	m.end = m.begin
	if err == nil {
		err = r.measure(ctx, live, &m)
	}
	close(r.stop)
	if errors.Is(err, errEnded) {
		m.early, err = true, nil
	}
	return m, err
}

// connectAll starts all clients, a few at once, and returns when each is synced or has failed to be.
func (r *run) connectAll(ctx, live context.Context) error {
	done := make(chan struct{})
	enough, cancel := context.WithTimeout(ctx, syncTimeout+time.Duration(len(r.clients))*connectAllowance)
	defer cancel()
	go func() {
		defer close(done)
		_ = each(enough, len(r.clients), dialers, func(ctx context.Context, i int) error { // f never fails
			r.start(live, r.clients[i])
			r.await(ctx, r.clients[i])
			return nil
		})
	}()
	err := r.until(ctx, done, func() string {
		return fmt.Sprintf("connecting: %d of %d synced", r.count.synced.Load(), len(r.clients))
	})
	cancel()
	<-done // nobody is started any more
	return err
}

// await waits until a client is ready, has been sent away, or has had its time.
func (r *run) await(ctx context.Context, c *client) {
	ctx, cancel := context.WithTimeout(ctx, syncTimeout)
	defer cancel()
	ready := c.synced
	if c.typist != nil {
		ready = c.typist.opened
	}
	select {
	case <-ready:
	case <-c.gone:
	case <-ctx.Done():
	}
}

// measure runs the part that is measured, and the storm in the middle of it.
func (r *run) measure(ctx, live context.Context, m *marks) error {
	c := r.config
	r.living.Go(func() { r.renewPresence(live) })
	if c.Typists > 0 {
		r.ledger.begin(time.Now().Add(typingDelay))
		close(r.begin)
		if err := r.pause(ctx, typingDelay+c.Warmup); err != nil {
			return err
		}
	}
	r.watch.mark()
	m.begin = r.watch.read()
	own, end := ownCPU(), time.Now().Add(c.Duration)
	defer func() { m.end, m.own = r.watch.read(), ownCPU()-own }()
	revoked := r.beginRevocations(ctx)
	defer func() { <-revoked }() // each wait of theirs is limited
	if c.Joins > 0 {
		if err := r.pause(ctx, c.Duration/2); err != nil {
			return err
		}
		if err := r.joinAll(ctx, live, m); err != nil {
			return err
		}
	}
	return r.pause(ctx, time.Until(end))
}

// pause lets the clients go on for a time.
func (r *run) pause(ctx context.Context, d time.Duration) error {
	done := make(chan struct{})
	timer := time.AfterFunc(d, func() { close(done) })
	defer timer.Stop()
	return r.until(ctx, done, r.figures)
}

// figures is the line of progress.
func (r *run) figures() string {
	n := &r.count
	return fmt.Sprintf("%d keystrokes, %d saved, %d of %d delivered, p99 %s, %d clients synced",
		n.sent.Load(), n.saved.Load(), n.delivered.Load(), r.expected(), ms(n.toPeer.quantile(0.99)), n.synced.Load())
}

// joinAll lets the joiners come at once, and returns when they are synced.
func (r *run) joinAll(ctx, live context.Context, m *marks) error {
	r.watch.mark()
	before, began := r.watch.read(), time.Now()
	done := make(chan struct{})
	go func() {
		defer close(done)
		ctx, cancel := context.WithTimeout(ctx, syncTimeout)
		defer cancel()
		for _, c := range r.joiners {
			r.start(live, c)
		}
		for _, c := range r.joiners {
			r.await(ctx, c)
		}
	}()
	err := r.until(ctx, done, func() string { return fmt.Sprintf("%d of %d joined", r.count.joins.count.Load(), len(r.joiners)) })
	<-done
	m.storm = storm{took: time.Since(began), extra: max(r.watch.peak.Load()-before.server.Memory, 0)}
	return err
}

// renewPresence says now and then, spread over that time, that readers are still there.
func (r *run) renewPresence(ctx context.Context) {
	every := nodEvery
	if r.config.Presence {
		every = renewEvery
	}
	tick := time.NewTicker(every / time.Duration(len(r.clients)))
	defer tick.Stop()
	for i := 0; ; i = (i + 1) % len(r.clients) {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if c := r.clients[i]; c.typist == nil {
			if ws := c.socket.Load(); ws != nil {
				_ = c.nod(ws) // its reader finds out
			}
		}
	}
}

// expected is how many keystrokes have to come to a peer: each to everybody else at its note.
func (r *run) expected() int64 { return r.count.sent.Load() * int64(r.config.Clients-1) }

// drain waits until every keystroke is answered and delivered, or has had its time.
func (r *run) drain(ctx context.Context) {
	wait := r.config.Drain
	if ctx.Err() != nil {
		wait = min(wait, hastyDrain)
	}
	for _, c := range r.clients {
		c.hurry.Store(true)
	}
	r.typing.Wait() // for one that is about to press, or to write, which has a limit
	end := time.Now().Add(wait)
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for n := &r.count; time.Now().Before(end); <-tick.C {
		if n.delivered.Load() >= r.expected() && n.saved.Load() >= n.sent.Load() {
			return
		}
	}
}

// lookAgain joins each note once more: what a newcomer sees is what all others are compared with.
func (r *run) lookAgain(ctx context.Context) error {
	r.say("reading %d notes again", len(r.last))
	return each(ctx, len(r.last), dialers, func(ctx context.Context, i int) error {
		ctx, cancel := context.WithTimeout(ctx, syncTimeout)
		defer cancel()
		c := r.last[i]
		r.start(ctx, c)
		r.await(ctx, c)
		cancel()
		<-c.gone
		return nil
	})
}
