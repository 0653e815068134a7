package sessions

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// standing is what has become of a peer's grant. Whoever looks at a write or a delivery reads the atomics; whoever has
// decided anew writes them, under mu.
type standing struct {
	readOnly     atomic.Bool
	closed       atomic.Uint32 // a [Closed]
	revoked      atomic.Bool
	recoverUntil atomic.Int64 // nanoseconds since 1970
	until        atomic.Int64 // likewise; 0: never
	again        atomic.Int64 // likewise
	stamp        atomic.Pointer[Stamp]

	mu    sync.Mutex
	alarm alarm // has it decided anew when it ends
}

// take makes a grant the peer's, unless it was decided on less than the one it has, and reports whether the right to
// write has changed: decisions are made side by side, and an older one may come later.
func (st *standing) take(now Grant) (changed bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if was := st.stamp.Load(); was != nil && (now.Stamp.Person < was.Person || now.Stamp.Note < was.Note) {
		return false
	}
	st.recoverUntil.Store(nanos(now.RecoverUntil))
	st.until.Store(nanos(now.Until))
	st.again.Store(nanos(now.Again))
	changed = st.closed.Swap(uint32(now.Closed)) != uint32(now.Closed)
	changed = st.readOnly.Swap(now.ReadOnly) != now.ReadOnly || changed
	stamp := now.Stamp     // by itself: the rest of the grant is not kept
	st.stamp.Store(&stamp) // last: nobody sees it with what was decided before
	return changed
}

func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

// overdue reports whether the grant should have been decided anew, and was not.
func (st *standing) overdue() bool {
	again := st.again.Load()
	return again != 0 && time.Now().UnixNano() > again+int64(maxOverdue)
}

// next is how long until the grant has to be decided anew: it ends then, or something that it may rest on. Negative: never.
func (st *standing) next() time.Duration {
	wait := time.Duration(-1)
	if until := st.until.Load(); until != 0 {
		wait = max(time.Until(time.Unix(0, until)), 0)
	}
	if again := st.again.Load(); again != 0 {
		after := max(time.Until(time.Unix(0, again)), minAgain) // the clock that ends it is the database's
		if wait < 0 || after < wait {
			wait = after
		}
	}
	return wait
}

// decideAtEnd has the grant decided anew when it has to be. Whoever cannot be asked is cut off.
func (p *Peer) decideAtEnd() {
	p.alarm.in(p.next(), func() {
		if p.renew == nil {
			p.revoke(refusal(ErrUnauthenticated))
			return
		}
		p.recheck(p.session.hub.ctx)
	})
}

// reconsider takes a batch back that the log refused because who may write it may have changed. Its writers are decided
// about anew, and then it, update by update.
func (s *Session) reconsider(frames []*frame) {
	s.unclaim()
	peers := make(map[*Peer]struct{})
	for _, f := range frames {
		f.stale++
		if f.from != nil {
			peers[f.from] = struct{}{}
		}
		s.pendBytes += len(f.update.Bytes())
	}
	s.pending = append(frames, s.pending...)
	s.deciding = true
	s.hub.running.Go(func() {
		s.hub.recheck(s.hub.ctx, peers)
		s.bell.ring(onDecided)
	})
}

// unclaim forgets what the batch just refused had claimed.
func (s *Session) unclaim() {
	for _, c := range slices.Backward(s.claimed) {
		if c.From == 0 {
			delete(s.ahead, c.Client)
		} else {
			s.ahead[c.Client] = c.From
		}
		if c.bound {
			s.writers[c.Client] = c.owner
		} else {
			delete(s.writers, c.Client)
		}
	}
	s.claimed = nil
}

// claimed is a claim of the batch in flight, and whose the client id was before.
type claimed struct {
	Claim
	owner PersonID
	bound bool
}
