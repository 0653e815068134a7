package sessions

import (
	"errors"

	"github.com/clisonix/tidechart/crdt"
)

// receipts decides when a peer hears that its updates are saved. After a Step1 a provider forgets how many it has
// sent, so a "saved" of an older one would count for a newer one; answers are held until its Step2 is in and
// everything is committed. From then on each update is answered by itself.
type receipts struct {
	open     int    // updates received and not yet settled
	awaiting bool   // a Step2 is due
	holding  bool   // answers wait in owed
	owed     []bool // answers not yet sent, in order: saved or refused
}

// answer tells the peer what became of an update, exactly once (I2).
func (p *Peer) answer(f *frame, err error) {
	s := p.session
	s.budget.earn(f.size)
	if err != nil {
		s.log.Warn("update refused", "author", p.author.ID, "bytes", len(f.update.Bytes()), "err", err)
		p.forged(err)
	}
	if !p.wire.answers() {
		if err == nil {
			p.deliver(f, &message{update: f.update.Bytes()})
		}
	} else {
		r := &p.receipts
		r.open -= f.count
		for range f.count {
			r.owed = append(r.owed, err == nil)
		}
		r.holding = r.holding && (r.awaiting || r.open > 0)
		p.sendOwed()
	}
	switch {
	case err == nil, errors.Is(err, ErrReadOnly), errors.Is(err, ErrRejected):
	case errors.Is(err, ErrAccessUnknown):
		p.socket.fail(&CloseError{Code: closeTryLater, Reason: "the database does not answer; try again", Err: err})
	case errors.Is(err, ErrUndeclared):
		p.socket.fail(&CloseError{Code: closeMalformed, Reason: ErrUndeclared.Error(), Err: err})
	case errors.Is(err, crdt.ErrMalformed):
		p.socket.fail(Malformed(err))
	case errors.Is(err, ErrLimit):
		p.socket.fail(overLimit(err))
	default:
		p.socket.fail(&CloseError{Code: closeReset, Reason: "out of step; sync again", Err: err})
	}
}

func (p *Peer) sendOwed() {
	if p.receipts.holding {
		return
	}
	for i, saved := range p.receipts.owed {
		if !p.send(p.wire.status(saved)) {
			p.receipts.owed = p.receipts.owed[i:]
			p.lag()
			return
		}
	}
	p.receipts.owed = nil
}
