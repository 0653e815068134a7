package sessions

import (
	"time"

	"github.com/clisonix/tidechart/crdt/ysync"
)

// shown is a presence state on its way.
type shown struct {
	ysync.Presence                 // for everybody but the peer it is of
	said           *ysync.Presence // for that peer, as it came; nil: nothing
	of             *Peer
}

// show has every peer sent one state: with the edits that are being committed, for it may be of a place in them;
// without any, at once if nothing was sent for a while, else together with what else changes until the next beat. A
// state that is replaced before that is sent to nobody.
func (s *Session) show(one shown) {
	s.changed[one.Client] = one
	switch quiet := time.Since(s.shownAt); {
	case len(s.inFlight)+len(s.pending) > 0:
		s.armBeat(beatEvery) // should the log be slow
	case quiet < beatEvery:
		s.armBeat(beatEvery - quiet)
	default:
		s.sendChanged()
	}
}

// showWithEdits sends what was shown while they were being committed, unless something was sent just before.
func (s *Session) showWithEdits() {
	if time.Since(s.shownAt) >= beatEvery {
		s.sendChanged()
	}
}

// armBeat has drum called after a while, unless it will be called already.
func (s *Session) armBeat(after time.Duration) {
	if !s.beatAt.IsZero() {
		return
	}
	s.beatAt = time.Now().Add(after)
	if s.beat == nil {
		s.beat = s.bell.ringIn(after, onBeat)
	} else {
		s.beat.Reset(after)
	}
}

// drum looks at what peers have said too soon, and sends what has changed.
func (s *Session) drum() {
	now := time.Now()
	if s.beatAt.IsZero() || now.Before(s.beatAt) {
		return // it was rung for one that was stopped since
	}
	s.beatAt = time.Time{}
	s.shownAt = now // so that what is heard now goes out below, in one frame
	for p := range s.unheard {
		if p.unheard != nil && time.Since(p.heardAt) < presenceEvery {
			continue
		}
		delete(s.unheard, p)
		if one := p.unheard; one != nil {
			p.unheard = nil
			s.hear(p, *one)
		}
	}
	s.sendChanged()
	if len(s.unheard) > 0 {
		s.armBeat(beatEvery)
	}
}

// sendChanged sends what has changed since it was called last, as one frame to each peer. A full outbox misses it: the
// next one replaces it. While it is not known who may see it, it waits (I9).
func (s *Session) sendChanged() {
	if len(s.changed) == 0 {
		return
	}
	if s.hub.accessUnknown() {
		s.armBeat(holdRetry)
		return
	}
	s.shownAt = time.Now()
	all := s.changedFor(nil)
	speakers := make(map[*Peer]bool, len(s.changed))
	for _, one := range s.changed {
		speakers[one.of] = true
	}
	for _, p := range s.peers {
		data := all
		if speakers[p] {
			data = s.changedFor(p)
		}
		if data != nil {
			p.send(p.wire.awareness(data))
		}
	}
	clear(s.changed)
	if !s.beatAt.IsZero() && len(s.unheard) == 0 {
		s.beat.Stop()
		s.beatAt = time.Time{}
	}
}

// changedFor encodes what has changed: what p said itself as it came, for a client ignores its own state at its own
// clock, but hears that the line is alive. It is nil if nothing is left.
func (s *Session) changedFor(p *Peer) []byte {
	list := make([]ysync.Presence, 0, len(s.changed))
	for _, one := range s.changed {
		if one.of != p {
			list = append(list, one.Presence)
		} else if one.said != nil {
			list = append(list, *one.said)
		}
	}
	if len(list) == 0 {
		return nil
	}
	return ysync.AppendAwareness(nil, list)
}
