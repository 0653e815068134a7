package sessions

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// ErrAccessUnknown means that who may write cannot be told now: the database has not said for too long.
var ErrAccessUnknown = errors.New("who may write this note cannot be checked now")

// AccessSeen says that every change of access committed before at has been given to [Hub.Recheck]. Once it has been
// called, it must be called again and again: a hub that has not heard of it for [maxAccessAge] commits nothing (I9).
func (h *Hub) AccessSeen(at time.Time) { h.accessSeen.Store(&at) }

// accessUnknown reports whether somebody may have lost their access without this hub knowing.
func (h *Hub) accessUnknown() bool {
	seen := h.accessSeen.Load()
	return seen != nil && time.Since(*seen) > maxAccessAge
}

// AccessEpoch numbers what grants were decided on. Take it before a decision, into [Grant.Epoch].
func (h *Hub) AccessEpoch() uint64 { return h.epoch.Load() }

// Recheck has the grants of everybody concerned decided anew. When it returns, who lost access is cut off or reads
// only. Whoever joins meanwhile is looked at again, too.
func (h *Hub) Recheck(ctx context.Context, concerns func(note NoteID, who PersonID, login string) bool) {
	h.epoch.Add(1)
	peers := make(map[*Peer]struct{})
	h.mu.Lock()
	for _, s := range h.sessions {
		for p := range s.joined {
			if concerns(s.note, p.author.ID, p.login) {
				peers[p] = struct{}{}
			}
		}
	}
	h.mu.Unlock()
	h.recheck(ctx, peers)
}

// recheck does so for these, a few at a time.
func (h *Hub) recheck(ctx context.Context, peers map[*Peer]struct{}) {
	var running sync.WaitGroup
	slots := make(chan struct{}, maxRechecks)
	for p := range peers {
		slots <- struct{}{}
		running.Go(func() {
			p.recheck(ctx)
			<-slots
		})
	}
	running.Wait()
}

// recheck has the peer's grant decided anew, and acts on it at once, whatever its session is busy with.
func (p *Peer) recheck(ctx context.Context) {
	if p.renew == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, recheckTimeout)
	defer cancel()
	now, err := p.renew(ctx)
	if err == nil && (now.Author.ID != p.author.ID || !now.Until.IsZero() && !now.Until.After(time.Now())) {
		err = ErrUnauthenticated
	}
	if err != nil {
		p.revoke(refusal(err))
		return
	}
	if p.take(now) {
		s := p.session
		s.log.Info("access changed", "person", p.author.ID, "read_only", now.ReadOnly, "closed", now.Closed)
		if message := p.wire.scope(!p.mayWrite()); message != nil {
			p.socket.out.force(message)
		}
		s.hub.running.Go(func() { _ = s.do(s.hub.ctx, func() { s.release(); s.publish() }) }) // an ended session shows nobody
	}
	p.decideAtEnd()
}

// revoke ends a peer's socket, and refuses what it still has under way.
func (p *Peer) revoke(reason *CloseError) {
	p.session.log.Info("access ends", "person", p.author.ID, "code", reason.Code)
	p.revoked.Store(true)
	p.end(reason)
}

// end ends a peer's socket: what waits to be written to it is dropped.
func (p *Peer) end(reason *CloseError) {
	p.socket.out.end(p.wire.denied(reason.Reason))
	p.socket.fail(reason)
}

// mayWrite decides about an update when its turn to be committed comes (I9).
func (s *Session) mayWrite(f *frame) error {
	p := f.from
	switch {
	case f.closedTo() != Open:
		return errClosed
	case p != nil && (p.revoked.Load() || p.readOnly.Load() || p.overdue()):
		return ErrReadOnly
	case f.stale > maxStale, p == nil && f.stale > 0:
		return ErrAccessUnknown
	case p == nil && s.words.exceeds(f.editor):
		return ErrStaleEditor
	}
	return nil // a peer that is outdated by now was not when it sent this
}

// mayCommit reports whether a batch may be made now. While it is not known who may write, updates wait for a while:
// the database may just have been away. Then they are refused, and those that come later too.
func (s *Session) mayCommit() bool {
	if !s.hub.accessUnknown() {
		s.heldSince = time.Time{}
		return true
	}
	if s.heldSince.IsZero() {
		s.heldSince = time.Now()
	}
	if time.Since(s.heldSince) < maxHold {
		if !s.retrying {
			s.retrying = true
			s.bell.ringIn(holdRetry, onRetry)
		}
		return false
	}
	refused := s.pending
	s.pending, s.pendBytes = nil, 0
	for _, f := range refused {
		f.refused = fmt.Errorf("note %s: %w", s.note, ErrAccessUnknown)
	}
	s.answer(refused)
	return false
}
