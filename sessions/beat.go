package sessions

import (
	"time"

	"github.com/clisonix/tidechart/crdt/ysync"
)

// shown is a presence state on its way to everybody but the peer it is of.
type shown struct {
	ysync.Presence
	of *Peer
}

// show has every other peer sent one state: at once if nothing was sent for a while, else together with what else
// changes until the next beat. A state that is replaced before that is sent to nobody.
func (s *Session) show(one ysync.Presence, of *Peer) {
	s.changed[one.Client] = shown{one, of}
	if time.Since(s.shownAt) >= beatEvery {
		s.sendChanged()
	} else {
		s.armBeat()
	}
}

// armBeat has onBeat called when the next frame may be sent.
func (s *Session) armBeat() {
	if s.beat == nil {
		s.beat = time.After(beatEvery - min(beatEvery, time.Since(s.shownAt)))
	}
}

// onBeat looks at what peers have said too soon, and sends what has changed.
func (s *Session) onBeat() {
	s.shownAt = time.Now() // so that what is heard now goes out below, in one frame
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
	s.beat = nil
	if len(s.unheard) > 0 {
		s.armBeat()
	}
}

// sendChanged sends what has changed since it was called last, as one frame to each peer, without what the peer said
// itself. A full outbox misses it: the next one replaces it.
func (s *Session) sendChanged() {
	if len(s.changed) == 0 {
		return
	}
	s.shownAt = time.Now()
	all := s.changedBut(nil)
	speakers := make(map[*Peer]bool, len(s.changed))
	for _, one := range s.changed {
		speakers[one.of] = true
	}
	for p := range s.peers {
		data := all
		if speakers[p] {
			data = s.changedBut(p)
		}
		if data != nil {
			p.send(p.wire.awareness(data))
		}
	}
	clear(s.changed)
}

// changedBut encodes what has changed and is not p's; nil if nothing is left.
func (s *Session) changedBut(p *Peer) []byte {
	list := make([]ysync.Presence, 0, len(s.changed))
	for _, one := range s.changed {
		if one.of != p {
			list = append(list, one.Presence)
		}
	}
	if len(list) == 0 {
		return nil
	}
	return ysync.AppendAwareness(nil, list)
}
