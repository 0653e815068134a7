package sessions

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/ysync"
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
	heardAt  time.Time        // when a state of its client was taken last
	unheard  *ysync.Presence  // the newest one since, too soon to be taken
	receipts receipts
	early    []*frame // updates with a gap that the Step2 still due will fill
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
	err = h.enrol(p)
	if err == nil {
		p.participation, err = session.recordJoin(ctx, grant.Author)
	}
	if err == nil {
		err = session.do(ctx, func() { session.add(p) })
	}
	if err != nil {
		p.leave()
		return nil, err
	}
	p.expire(grant.Until)
	return p, nil
}

// enrol makes the session's end the end of p's socket, unless there are too many peers already.
func (h *Hub) enrol(p *Peer) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	s, own := p.session, 0
	for other := range s.joined {
		if other.grant.Author.ID == p.grant.Author.ID {
			own++
		}
	}
	switch {
	case s.over:
		return ErrEnded
	case own >= h.allow.ConnsPerPerson:
		return crowded(h.allow.ConnsPerPerson, "of one person to this note; close a window")
	case len(s.joined) >= h.allow.ConnsPerNote:
		return crowded(h.allow.ConnsPerNote, "to this note")
	}
	s.joined[p] = struct{}{}
	return nil
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
	if p.participation != uuid.Nil { // else they never came
		s.recordLeave(p.participation)
	}
	s.hub.release(s)
}

func (s *Session) add(p *Peer) {
	s.peers[p] = struct{}{}
	s.sendPresence(p)
	s.publish()
}

func (s *Session) remove(p *Peer) {
	delete(s.peers, p)
	delete(s.unheard, p)
	for _, f := range p.early {
		s.budget.earn(f.size)
	}
	s.dropPresence(p)
	s.publish()
}
