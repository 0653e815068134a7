package sessions

import (
	"errors"
	"slices"
	"time"
)

// Closed says why somebody may not write a note now who else might. The zero value is that it is not that.
type Closed uint32

// Why a note is closed.
const (
	Open   Closed = iota
	Frozen        // somebody is about to sign it: what its writers send is held, and goes in if they do not
	Sealed        // it is signed: what its writers send is kept beside it (I5)
)

// errClosed means that an update is held, or kept beside the note: it is not refused.
var errClosed = errors.New("the note is closed to its writers")

// closedTo is what the note is to the peer that sent f. Who may not write for another reason does not come to that.
func (f *frame) closedTo() Closed {
	p := f.from
	if p == nil || p.revoked.Load() || p.outdated.Load() || p.overdue() {
		return Open
	}
	return Closed(p.closed.Load())
}

// held is what waits for a freeze to end.
type held struct {
	frames []*frame // in the order of their arrival
	bytes  int
	asking bool // onHeld will be rung, or their writers are being decided about anew
}

// hold keeps f until its writer may write again, or the note is signed. It is not answered: whoever sent it knows that it is not saved.
func (s *Session) hold(f *frame) {
	size := len(f.update.Bytes())
	if len(s.held.frames) >= maxHeldBack || s.held.bytes+size > maxPendingBytes {
		f.settled(s.head, ErrAccessUnknown) // the browser has it, and comes back with it
		return
	}
	f.refused = nil
	s.held.frames, s.held.bytes = append(s.held.frames, f), s.held.bytes+size
	s.askHeld()
}

// askHeld has the writers of what is held decided about anew in a while, those as well who have left meanwhile: nobody else would.
func (s *Session) askHeld() {
	if !s.held.asking && len(s.held.frames) > 0 {
		s.held.asking = true
		s.bell.ringIn(heldAgain, onHeld)
	}
}

func (s *Session) recheckHeld() {
	peers := make(map[*Peer]struct{})
	for _, f := range s.held.frames {
		peers[f.from] = struct{}{}
	}
	s.hub.running.Go(func() {
		s.hub.recheck(s.hub.ctx, peers)
		_ = s.do(s.hub.ctx, func() { // an ended session has nothing any more
			s.held.asking = false
			s.release()
			s.askHeld()
		})
	})
}

// release lets go of what is held as far as it may: into the note, or beside it.
func (s *Session) release() {
	frames := s.held.frames
	s.held.frames, s.held.bytes = nil, 0
	for _, f := range frames {
		switch f.closedTo() {
		case Frozen:
			s.held.frames, s.held.bytes = append(s.held.frames, f), s.held.bytes+len(f.update.Bytes())
		case Sealed:
			s.keepLate(f)
		default:
			s.pending, s.pendBytes = append(s.pending, f), s.pendBytes+len(f.update.Bytes())
		}
	}
	s.flush()
}

// closeTo takes f, which the note does not take now.
func (s *Session) closeTo(f *frame) {
	if f.closedTo() == Sealed && !slices.ContainsFunc(s.held.frames, func(h *frame) bool { return h.from == f.from }) {
		s.keepLate(f)
		return
	}
	s.hold(f) // behind what is held of the same writer, which is let go in order
	if f.closedTo() != Frozen {
		s.release()
	}
}

// Limits of what is held (I10).
const (
	maxHeldBack = maxPending
	heldAgain   = time.Second // between two looks at whether a freeze is over
)
