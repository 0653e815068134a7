package sessions

import (
	"fmt"

	"github.com/clisonix/tidechart/crdt"
)

// receive takes an update, decoded on the socket's goroutine.
//
// A provider that reconnects sends what it queued while it was away before it answers the Step1, so that these
// updates may build on ones that were lost with the last connection. The Step2 holds them all: what has a gap
// waits for it.
func (p *Peer) receive(update *crdt.Update, size int, isStep2 bool) {
	p.receipts.open++
	f := &frame{author: p.author, editor: editorOf(p.schema), update: update, from: p, count: 1, size: size}
	f.settled = func(_ uint64, err error) { p.answer(f, err) }
	if p.receipts.awaiting && !isStep2 && (p.mayWrite() || f.closedTo() != Open) {
		if _, gap := update.Missing(p.session.ahead); gap {
			p.hold(f)
			return
		}
	}
	var early []*frame
	if isStep2 {
		early, p.early, p.receipts.awaiting = p.early, nil, false
	}
	p.submit(f, isStep2)
	for _, f := range early {
		p.submit(f, false)
	}
}

func (p *Peer) submit(f *frame, isStep2 bool) {
	s := p.session
	if len(s.held.frames) > 0 {
		s.release() // what is held of p goes first
	}
	if p.mayWrite() {
		s.receive(f)
		return
	}
	var err error
	if !isStep2 || !f.update.Empty() && (f.update.Novel(s.ahead) || !s.document().HasDeleted(f.update.Deletes())) {
		if f.closedTo() != Open {
			s.closeTo(f)
			return
		}
		err = ErrReadOnly
	}
	f.settled(s.head, err)
}

// hold keeps f until the Step2 is in. Many become one, which is answered as often.
func (p *Peer) hold(f *frame) {
	p.early = append(p.early, f)
	if len(p.early) < maxEarlyFrames {
		return
	}
	updates, count, size := make([][]byte, len(p.early)), 0, 0
	for i, f := range p.early {
		updates[i] = f.update.Bytes()
		count += f.count
		size += f.size
	}
	merged, err := crdt.MergeUpdates(updates)
	if err == nil {
		f.update, err = crdt.DecodeUpdate(merged)
	}
	if err != nil {
		p.socket.fail(Malformed(fmt.Errorf("merge queued edits: %w", err)))
		return
	}
	f.count, f.size = count, size
	p.early = []*frame{f}
}
