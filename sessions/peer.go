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
	Login    string    // names the login, for [Hub.EndLogin]; may be empty
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
	asked    []byte           // the state vector of a Step1 that found the outbox full
	behind   crdt.StateVector // not nil: it missed what came after this
	lagging  bool             // the outbox will have catchUp called
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
	if !h.enrol(p) || session.do(ctx, func() { session.add(p) }) != nil {
		p.leave()
		return nil, ErrEnded
	}
	p.expire(grant.Until)
	return p, nil
}

// enrol makes the session's end the end of p's socket. It reports false if the session has ended.
func (h *Hub) enrol(p *Peer) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	p.session.joined[p] = struct{}{}
	return !p.session.over
}

// renew takes a grant for a token that was sent again. Somebody else, or other rights, join and sync anew.
func (p *Peer) renew(grant Grant) error {
	old := p.grant
	if old.Author != grant.Author || old.ReadOnly != grant.ReadOnly || old.Login != grant.Login {
		return &CloseError{Code: closeReset, Reason: "signed in anew"}
	}
	p.expire(grant.Until)
	return nil
}

// expire ends the socket when the grant ends.
func (p *Peer) expire(until time.Time) {
	if p.expiry != nil {
		p.expiry.Stop()
	}
	if !until.IsZero() {
		p.expiry = time.AfterFunc(time.Until(until), func() { p.socket.fail(refusal(ErrUnauthenticated)) })
	}
}

// leave ends a peer. It is called once, by the goroutine that joined.
func (p *Peer) leave() {
	if p.expiry != nil {
		p.expiry.Stop()
	}
	s := p.session
	_ = s.do(context.Background(), func() { s.remove(p) }) // an ended session has let go of it
	s.hub.mu.Lock()
	delete(s.joined, p)
	s.hub.mu.Unlock()
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
	for _, f := range p.early {
		s.budget.earn(f.size)
	}
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
	p.receipts.awaiting, p.receipts.holding = true, true
	if !p.socket.out.push(p.wire.step2(state), p.wire.step1(s.doc.EncodeStateVector())) {
		p.synced, p.asked = false, sv // several notes share the outbox: when it has room
		p.lag()
		return
	}
	p.synced, p.asked, p.behind = true, nil, nil
}

// receive takes an update, decoded on the socket's goroutine.
//
// A provider that reconnects sends what it queued while it was away before it answers the Step1, so that these
// updates may build on ones that were lost with the last connection. The Step2 holds them all: what has a gap
// waits for it.
func (p *Peer) receive(update *crdt.Update, size int, isStep2 bool) {
	p.receipts.open++
	f := &frame{author: p.grant.Author, update: update, from: p, count: 1, size: size}
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

// answer tells the peer what became of an update, exactly once (I2).
func (p *Peer) answer(f *frame, err error) {
	s := p.session
	s.budget.earn(f.size)
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
	if err != nil && !errors.Is(err, ErrReadOnly) && !errors.Is(err, ErrRejected) {
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
			p.lag()
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
	p.lag()
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
	if _, here := s.peers[p]; !here {
		return
	}
	if p.asked != nil {
		p.sync(p.asked)
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
			p.lag()
			return
		}
		p.behind = nil
		s.sendPresence(p)
	}
	p.sendOwed()
}
