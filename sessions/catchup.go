package sessions

import (
	"fmt"
	"slices"
)

// sync answers a Step1: what the session has, so that the peer sends what that lacks, and what the peer lacks. The
// question comes first: whoever was away answers it before they know what happened meanwhile, so that what they wrote
// is still in their answer if it was removed here, and they name as deleted only what they had seen (see [crdt.Doc.Lost]).
func (p *Peer) sync(sv []byte) {
	s := p.session
	frames, err := p.answerTo(sv)
	if err != nil {
		p.socket.fail(Malformed(fmt.Errorf("answer step 1: %w", err)))
		return
	}
	p.receipts.awaiting, p.receipts.holding = true, true
	if !p.send(append([][]byte{p.wire.step1(s.stateVector())}, frames...)...) {
		p.synced, p.asked = false, sv // several notes share the outbox: when it has room
		p.lag()
		return
	}
	p.synced, p.asked, p.behind = true, nil, nil
}

// answerTo returns the Step2 for a state vector. Those who come with nothing share one.
func (p *Peer) answerTo(sv []byte) ([][]byte, error) {
	if len(sv) == 1 { // it names no client
		return p.session.open(p.wire)
	}
	update, err := p.session.diff(sv)
	return [][]byte{p.wire.step2(update)}, err
}

// deliver sends a committed update. It never blocks: a peer whose outbox is full is caught up later.
func (p *Peer) deliver(f *frame, m *message) {
	if !p.synced || p.behind != nil {
		return
	}
	if p.send(m.framed(p)) {
		return
	}
	p.behind = p.session.doc.StateVector()
	for _, r := range f.update.Ranges() {
		p.behind[r.Client] = min(p.behind[r.Client], r.From)
	}
	p.lag()
}

// message is an update on its way to many peers. Those whose wires frame alike are sent the same bytes.
type message struct {
	update []byte
	frames [2][]byte // by framing: a note is open over two protocols
}

func (m *message) framed(p *Peer) []byte {
	i := p.framing - 1
	if i < 0 || i >= len(m.frames) {
		return p.wire.update(m.update)
	}
	if m.frames[i] == nil {
		m.frames[i] = p.wire.update(m.update)
	}
	return m.frames[i]
}

// framing returns a number, from 1, which is that of all wires of the note that frame alike; 0: no other does.
func (s *Session) framing(w wire) int {
	name := w.name()
	if name == "" {
		return 0
	}
	i := slices.Index(s.framings, name)
	if i < 0 {
		i = len(s.framings)
		s.framings = append(s.framings, name)
	}
	return i + 1
}

// lag has the outbox call catchUp when it has room.
func (p *Peer) lag() {
	if !p.lagging {
		p.lagging = true
		p.socket.out.lag(p)
	}
}

// catchUp sends a peer whose outbox was full all that it missed, as one update, which holds every deletion.
func (p *Peer) catchUp() {
	s := p.session
	p.lagging = false
	if p.place == 0 {
		return
	}
	if p.asked != nil {
		p.sync(p.asked)
	}
	if p.behind != nil {
		state, err := s.diff(p.behind.Encode())
		if err != nil {
			p.socket.fail(refusal(fmt.Errorf("catch up: %w", err)))
			return
		}
		if !p.send(p.wire.update(state)) {
			p.lag()
			return
		}
		p.behind = nil
		s.sendPresence(p)
	}
	p.sendOwed()
}
