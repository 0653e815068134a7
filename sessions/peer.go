package sessions

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
)

// Author is a person as sessions know them, from their login.
type Author struct {
	ID         PersonID
	Name       string
	Role       string
	Color      string // "#rrggbb"
	ColorIndex int    // of the author palette, 0–7
}

// Grant is what an author may do with a note, and until when.
type Grant struct {
	Author   Author
	ReadOnly bool
	Until    time.Time // zero: no end
}

// wire frames messages for one peer.
type wire interface {
	step1(sv []byte) []byte
	step2(update []byte) []byte
	update(update []byte) []byte
	awareness(data []byte) []byte
	// status answers an update: saved or refused. nil: the protocol has no such message, and the update
	// itself is sent back instead.
	status(saved bool) []byte
}

// Peer is one person's connection to one note.
type Peer struct {
	// Static after join.
	grant         Grant
	session       *Session
	socket        *socket
	wire          wire
	participation uuid.UUID
	expiry        *time.Timer // fails the socket when the grant ends; may be nil

	// Owned by the session's goroutine.
	synced   bool             // has been sent a Step2; before that it gets no updates
	behind   crdt.StateVector // not nil: it missed what came after this
	client   crdt.ClientID    // whose presence it may speak of
	named    bool             // client is set
	receipts receipts
	early    []*frame // updates with a gap that the Step2 still due will fill
}

// receipts decides when a peer hears that its updates are saved. After a Step1 a provider forgets how many it has
// sent, so a "saved" of an older one would count for a newer one; answers are held until its Step2 is in and
// everything is committed. From then on each update is answered by itself.
type receipts struct {
	open     int    // updates received and not yet settled
	awaiting bool   // a Step2 is due
	holding  bool   // answers wait in owed
	owed     []bool // answers not yet sent, in order: saved or refused
}

// join makes the holder of grant a peer of the note. The caller sends leave.
func (h *Hub) join(ctx context.Context, note NoteID, grant Grant, s *socket, w wire) (*Peer, error) {
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	session, err := h.acquire(ctx, note)
	if err != nil {
		return nil, err
	}
	p := &Peer{grant: grant, session: session, socket: s, wire: w, receipts: receipts{awaiting: true, holding: true}}
	if p.participation, err = session.recordJoin(ctx, grant.Author); err != nil {
		h.release(session)
		return nil, err
	}
	if err := session.do(ctx, func() { session.add(p) }); err != nil {
		session.recordLeave(p.participation)
		h.release(session)
		return nil, err
	}
	if !grant.Until.IsZero() {
		p.expiry = time.AfterFunc(time.Until(grant.Until), func() { s.fail(refusal(ErrUnauthenticated)) })
	}
	return p, nil
}

// leave ends a peer. It is called once, by the goroutine that joined.
func (p *Peer) leave() {
	if p.expiry != nil {
		p.expiry.Stop()
	}
	s := p.session
	_ = s.do(context.Background(), func() { s.remove(p) }) // an ended session has let go of it
	s.recordLeave(p.participation)
	s.hub.release(s)
}

func (s *Session) add(p *Peer) {
	s.peers[p] = struct{}{}
	s.sendPresence(p)
	s.publish()
}

func (s *Session) remove(p *Peer) {
	delete(s.peers, p)
	s.dropPresence(p)
	s.publish()
}

// sync answers a Step1: what the peer lacks, and what the session has, so that the peer sends what that lacks.
func (p *Peer) sync(sv []byte) {
	s := p.session
	state, err := s.snapshot()
	if err == nil {
		state, err = crdt.DiffUpdate(state, sv)
	}
	if err != nil {
		p.socket.fail(Malformed(fmt.Errorf("answer step 1: %w", err)))
		return
	}
	p.synced, p.behind = true, nil
	p.receipts.awaiting, p.receipts.holding = true, true
	if !p.socket.out.push(p.wire.step2(state), p.wire.step1(s.doc.EncodeStateVector())) {
		p.socket.fail(&CloseError{Code: closeTryLater, Reason: "too slow"})
	}
}

// receive takes an update, decoded on the socket's goroutine.
//
// A provider that reconnects sends what it queued while it was away before it answers the Step1, so that these
// updates may build on ones that were lost with the last connection. The Step2 holds them all: what has a gap
// waits for it.
func (p *Peer) receive(update *crdt.Update, isStep2 bool) {
	p.receipts.open++
	f := &frame{author: p.grant.Author, update: update, from: p, count: 1}
	f.settled = func(_ uint64, err error) { p.answer(f, err) }
	if p.receipts.awaiting && !isStep2 && !p.grant.ReadOnly {
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
	if !p.grant.ReadOnly {
		s.receive(f)
		return
	}
	var err error
	if !isStep2 || f.update.Novel(s.doc.StateVector()) || !s.doc.HasDeleted(f.update.Deletes()) {
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
	updates, count := make([][]byte, len(p.early)), 0
	for i, f := range p.early {
		updates[i] = f.update.Bytes()
		count += f.count
	}
	merged, err := crdt.MergeUpdates(updates)
	if err == nil {
		f.update, err = crdt.DecodeUpdate(merged)
	}
	if err != nil || len(merged) > maxHeldBytes {
		p.socket.fail(&CloseError{Code: closeTryLater, Reason: "too many edits before the first sync", Err: err})
		return
	}
	f.count = count
	p.early = []*frame{f}
}

// answer tells the peer what became of an update, exactly once (I2).
func (p *Peer) answer(f *frame, err error) {
	s := p.session
	if err != nil {
		s.log.Warn("update refused", "author", p.grant.Author.ID, "bytes", len(f.update.Bytes()), "err", err)
	}
	if p.wire.status(true) == nil {
		if err == nil {
			p.deliver(f)
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
	if err != nil && !errors.Is(err, ErrReadOnly) {
		p.socket.fail(&CloseError{Code: closeReset, Reason: "out of step; sync again", Err: err})
	}
}

func (p *Peer) sendOwed() {
	if p.receipts.holding {
		return
	}
	for i, saved := range p.receipts.owed {
		if !p.socket.out.push(p.wire.status(saved)) {
			p.receipts.owed = p.receipts.owed[i:]
			p.socket.out.lag(p)
			return
		}
	}
	p.receipts.owed = nil
}

// deliver sends a committed update. It never blocks: a peer whose outbox is full is caught up later.
func (p *Peer) deliver(f *frame) {
	if !p.synced || p.behind != nil {
		return
	}
	data := f.data
	if data == nil || f.from == p {
		data = f.update.Bytes()
	}
	if p.socket.out.push(p.wire.update(data)) {
		return
	}
	p.behind = p.session.doc.StateVector()
	for _, r := range f.update.Ranges() {
		p.behind[r.Client] = min(p.behind[r.Client], r.From)
	}
	p.socket.out.lag(p)
}

// catchUp sends a peer whose outbox was full all that it missed, as one update, which holds every deletion.
func (p *Peer) catchUp() {
	s := p.session
	if _, here := s.peers[p]; !here {
		return
	}
	if p.behind != nil {
		state, err := s.snapshot()
		if err == nil {
			state, err = crdt.DiffUpdate(state, p.behind.Encode())
		}
		if err != nil {
			p.socket.fail(refusal(fmt.Errorf("catch up: %w", err)))
			return
		}
		if !p.socket.out.push(p.wire.update(state)) {
			p.socket.out.lag(p)
			return
		}
		p.behind = nil
		s.sendPresence(p)
	}
	p.sendOwed()
}
