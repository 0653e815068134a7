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
func (h *Hub) Recheck(ctx context.Context, concerns func(NoteID, Grant) bool) {
	h.epoch.Add(1)
	var peers []*Peer
	h.mu.Lock()
	for _, s := range h.sessions {
		for p := range s.joined {
			if p.grant.Renew != nil && concerns(s.note, p.grant) {
				peers = append(peers, p)
			}
		}
	}
	h.mu.Unlock()
	var running sync.WaitGroup
	slots := make(chan struct{}, maxRechecks)
	for _, p := range peers {
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
	ctx, cancel := context.WithTimeout(ctx, recheckTimeout)
	defer cancel()
	now, err := p.grant.Renew(ctx)
	p.allowRecovery(now.RecoverUntil)
	if err == nil && (now.Author.ID != p.grant.Author.ID || !now.Until.IsZero() && !now.Until.After(time.Now())) {
		err = ErrUnauthenticated
	}
	if err == nil {
		p.expiry.at(now.Until, p.expired)
	}
	switch {
	case err != nil:
		p.revoke(refusal(err))
	case p.readOnly.Swap(now.ReadOnly) != now.ReadOnly:
		s := p.session
		s.log.Info("access changed", "person", p.grant.Author.ID, "read_only", now.ReadOnly)
		if message := p.wire.scope(!p.mayWrite()); message != nil {
			p.socket.out.force(message)
		}
		s.hub.running.Go(func() { _ = s.do(s.hub.ctx, s.publish) }) // an ended session shows nobody
	}
}

// revoke ends a peer's socket, and refuses what it still has under way.
func (p *Peer) revoke(reason *CloseError) {
	p.session.log.Info("access ends", "person", p.grant.Author.ID, "code", reason.Code)
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
	case p != nil && (p.revoked.Load() || p.readOnly.Load()):
		return ErrReadOnly
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
		if s.retry == nil {
			s.retry = time.After(holdRetry)
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
