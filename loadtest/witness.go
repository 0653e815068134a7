package loadtest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/ysync"
)

const (
	maxRevoked     = time.Second      // from a withdrawal to the last frame that anybody is given: I9
	revokePatience = 10 * time.Second // until a socket whose rights were withdrawn counts as one that goes on
)

// A Witness is somebody who reads all notes while the load runs, until their rights are withdrawn; again and again. They take
// no other part in the load.
type Witness struct {
	// Admit has them let in, as whoever administers the server does, and returns a token of theirs.
	Admit func(ctx context.Context) (token string, err error)
	// Withdraw ends what they may do, and returns once that is committed.
	Withdraw func(ctx context.Context) error
}

// Revocations say how soon somebody whose rights were withdrawn was given nothing any more.
type Revocations struct {
	Wanted    int     `json:"wanted"`    // sockets that were to be ended
	Ended     int     `json:"ended"`     // by the server, after the withdrawal
	LastFrame Latency `json:"lastFrame"` // from the beginning of the withdrawal, whose commit comes later, to the last frame that was delivered
	Closed    Latency `json:"closed"`    // likewise, to the end of the socket
}

// ok reports whether everybody's sockets ended, and nobody was given anything later than they may be.
func (r Revocations) ok() bool { return r.Ended == r.Wanted && r.LastFrame.Max <= maxRevoked }

// admitWitnesses lets them in for the first time: notes are begun for patients whose notes they may read, too.
func (r *run) admitWitnesses(ctx context.Context) error {
	for _, w := range r.config.Witnesses {
		token, err := w.Admit(ctx)
		if err != nil {
			return fmt.Errorf("admit a witness: %w", err)
		}
		r.config.besides = append(r.config.besides, token)
	}
	return nil
}

// beginRevocations withdraws the witnesses' rights while the load runs, at even times, and closes done when that is over.
func (r *run) beginRevocations(ctx context.Context) (done chan struct{}) {
	done = make(chan struct{})
	every := r.config.Duration / time.Duration(max(r.config.Revocations, 1))
	began := time.Now()
	go func() {
		defer close(done)
		var all sync.WaitGroup
		for i, w := range r.config.Witnesses {
			all.Go(func() {
				for round := range r.config.Revocations {
					if err := r.revoke(ctx, w, i, began.Add(time.Duration(round+1)*every-every/2)); err != nil && ctx.Err() == nil {
						r.fail(fmt.Errorf("withdraw rights: %w", err))
						return
					}
				}
			})
		}
		all.Wait()
	}()
	return done
}

// dismissWitnesses leaves those who were admitted as they were before.
func (r *run) dismissWitnesses(ctx context.Context) error {
	for _, w := range r.config.Witnesses[:len(r.config.besides)] {
		if _, err := w.Admit(ctx); err != nil {
			return fmt.Errorf("admit a witness again: %w", err)
		}
	}
	return nil
}

// revoke lets a witness join all notes, withdraws their rights then, and waits for their sockets to end.
func (r *run) revoke(ctx context.Context, w Witness, number int, at time.Time) error {
	token, err := w.Admit(ctx)
	if err != nil {
		return err
	}
	lookouts := make([]*lookout, len(r.documents))
	defer func() {
		for _, l := range lookouts {
			if l != nil {
				l.ws.close()
				<-l.ended
			}
		}
	}()
	r.count.revoked.Add(int64(len(lookouts)))
	if err := each(ctx, len(lookouts), dialers, func(ctx context.Context, i int) (err error) {
		wire := r.config.wireFor(r.documents[i], number+i)
		wire.token = token
		lookouts[i], err = look(ctx, wire)
		return err
	}); err != nil {
		return fmt.Errorf("join as a witness: %w", err)
	}
	select {
	case <-time.After(time.Until(at)):
	case <-ctx.Done():
		return ctx.Err()
	}
	for _, l := range lookouts {
		if l.over() {
			return errors.New("a witness's socket has ended before")
		}
	}
	began := time.Now()
	if err := w.Withdraw(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	patience := time.After(revokePatience)
	for _, l := range lookouts {
		select {
		case <-l.ended:
			r.count.revokedEnds.Add(1)
			r.count.lastFrame.add(max(time.Unix(0, l.last.Load()).Sub(began), 0))
			r.count.revokedClose.add(max(l.at.Sub(began), 0))
		case <-patience:
			return nil // what did not end is missing in the report
		}
	}
	return nil
}

// lookout is a witness's socket at one note. A goroutine reads it until it ends.
type lookout struct {
	ws    *socket
	last  atomic.Int64 // when the last frame came that says anything of the note, Unix ns
	ended chan struct{}
	at    time.Time // when it ended; to be read after that
}

func (l *lookout) over() bool {
	select {
	case <-l.ended:
		return true
	default:
		return false
	}
}

// look joins a note, and returns when its content has come.
func look(ctx context.Context, w wire) (*lookout, error) {
	ctx, cancel := context.WithTimeout(ctx, syncTimeout)
	defer cancel()
	ws, err := w.dial(ctx)
	if err != nil {
		return nil, err
	}
	for _, frame := range w.hello(crdt.StateVector{}.Encode()) {
		if err := ws.write(frame); err != nil {
			ws.close()
			return nil, err
		}
	}
	l := &lookout{ws: ws, ended: make(chan struct{})}
	synced := make(chan struct{})
	go func() {
		defer close(l.ended)
		l.read(w, sync.OnceFunc(func() { close(synced) }))
		l.at = time.Now()
	}()
	select {
	case <-synced:
		return l, nil
	case <-l.ended:
		err = errors.New("the server ends the socket at once")
	case <-ctx.Done():
		err = ctx.Err()
	}
	ws.close()
	<-l.ended
	return nil, err
}

// read reads until the socket ends, also what comes after the server has said no.
func (l *lookout) read(w wire, synced func()) {
	for {
		frame, err := l.ws.read()
		if err != nil {
			return
		}
		m, err := w.decode(frame)
		if err != nil && !errors.Is(err, errDenied) && !errors.Is(err, errClosed) {
			return
		}
		if m.Kind != ysync.Ping && m.Kind != ysync.Auth && m.Kind != ysync.Close { // which say nothing of the note
			l.last.Store(time.Now().UnixNano())
		}
		switch {
		case m.Kind == ysync.Ping:
			err = l.ws.write(w.frame(ysync.Message{Kind: ysync.Pong}))
		case m.Kind == ysync.Sync && m.Step == ysync.Step1:
			err = l.ws.write(w.frame(ysync.Message{Kind: ysync.Sync, Step: ysync.Step2, Data: emptyUpdate}))
		case m.Kind == ysync.Sync && m.Step == ysync.Step2:
			synced()
		}
		if err != nil && !errors.Is(err, errDenied) && !errors.Is(err, errClosed) {
			return
		}
	}
}
