package sessions

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/prose"
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
	Closed   Closed // why, if they could write it but for that
	// RecoverUntil is until when the author may bring what others wrote, too; zero: not at all. See [Claim].
	RecoverUntil time.Time

	Login  string // names the login, for [Hub.EndLogin]; may be empty
	Device string // what they came with, in words: a browser, a token; may be empty
	// Until is when the grant ends, unless Renew then says a later time: that of a login moves while somebody is there.
	// Zero: no end.
	Until time.Time

	// Schema is what the author's editor can hold, as it declared it; nil: it declared none.
	Schema *prose.Schema

	// Renew decides the same anew, for [Hub.Recheck]; nil: the grant is for one call. Its errors are an
	// [Authorizer]'s.
	Renew func(context.Context) (Grant, error)
	Epoch uint64    // what [Hub.AccessEpoch] said before it was decided
	Stamp Stamp     // what it was decided on
	Again time.Time // when something ends that it may rest on, so that it has to be decided anew; zero: never
}

// bearer is what of a grant stays as it is; the rest is a peer's standing.
type bearer struct {
	author Author
	login  string
	device string
	schema *prose.Schema
	renew  func(context.Context) (Grant, error)
}

// wire frames messages for one peer.
type wire interface {
	step1(sv []byte) []byte
	step2(update []byte) []byte
	update(update []byte) []byte
	awareness(data []byte) []byte
	// answers reports whether the protocol has a message that answers an update; else the update itself is sent back.
	answers() bool
	// status is that message: saved or refused.
	status(saved bool) []byte
	// scope tells a peer that it may write no longer, or again; nil: the protocol has no such message.
	scope(readOnly bool) []byte
	// news tells an editor to ask about something; nil: the protocol has no such message.
	news(of news) []byte
	// name is equal for wires that frame alike; empty: no other does.
	name() string
	// denied is what a peer is told before its socket is closed for good; nil: nothing.
	denied(reason string) []byte
}

// Peer is one person's connection to one note. What every delivery looks at comes first, side by side: a server has
// thousands of them, and its deliveries mostly wait for memory.
type Peer struct {
	session *Session // static after join, like socket and wire
	socket  *socket
	wire    wire
	framing int              // of wire, among the session's; this and the next four are owned by its goroutine
	synced  bool             // has been sent a Step2; before that it gets no updates
	due     bool             // it is among the session's due
	lagging bool             // the outbox will have catchUp called
	behind  crdt.StateVector // not nil: it missed what came after this

	// Static after join.
	bearer        // of a grant
	participation uuid.UUID
	owesStep2     bool // it has been asked what it has; this and the next two are owned by the socket's reading goroutine
	declared      int  // how often it has said how text came, and what it moved
	moved         int

	standing
	outdated atomic.Bool // the note holds what its editor lacks

	// Owned by the session's goroutine.
	place    int             // among the session's peers, from 1; 0: it is none of them
	asked    []byte          // the state vector of a Step1 that found the outbox full
	client   crdt.ClientID   // whose presence it may speak of
	named    bool            // client is set
	heardAt  time.Time       // when a state of its client was taken last
	unheard  *ysync.Presence // the newest one since, too soon to be taken
	receipts receipts
	early    []*frame // updates with a gap that the Step2 still due will fill
	forgery  forgeries
}

// join makes the bearer of grant a peer of the note. The caller sends leave.
func (h *Hub) join(ctx context.Context, note NoteID, grant Grant, s *socket, w wire) (*Peer, error) {
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	session, err := h.acquire(ctx, note)
	if err != nil {
		return nil, err
	}
	p := &Peer{bearer: bearer{grant.Author, grant.Login, grant.Device, grant.Schema, grant.Renew}, session: session, socket: s, wire: w, owesStep2: true, receipts: receipts{awaiting: true, holding: true}}
	p.take(grant)
	if err = h.enrol(p); err == nil && grant.Renew != nil && grant.Epoch != h.AccessEpoch() {
		p.recheck(ctx) // something changed since it was granted, and Recheck did not see the peer yet
	}
	if err == nil {
		p.participation, err = session.recordJoin(ctx, grant.Author, grant.Device)
	}
	if err == nil {
		err = session.do(ctx, func() { session.add(p) })
	}
	if err != nil {
		p.leave()
		return nil, err
	}
	p.decideAtEnd()
	return p, nil
}

// enrol makes the session's end the end of p's socket, unless there are too many peers already.
func (h *Hub) enrol(p *Peer) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	s, own := p.session, 0
	for other := range s.joined {
		if other.author.ID == p.author.ID {
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

// renewed takes a grant for a token that was sent again. Somebody else, or other rights, join and sync anew.
func (p *Peer) renewed(grant Grant) error {
	if p.author != grant.Author || p.readOnly.Load() != grant.ReadOnly || p.login != grant.Login || p.schema != grant.Schema {
		return &CloseError{Code: closeReset, Reason: "signed in anew"}
	}
	p.until.Store(nanos(grant.Until))
	p.decideAtEnd()
	return nil
}

// leave ends a peer. It is called once, by the goroutine that joined.
func (p *Peer) leave() {
	p.alarm.stop()
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

// send adds frames to what waits to be written to p, all or none, and reports which. They leave when the session is
// done with what it is at, together with what else that has for p.
func (p *Peer) send(frames ...[]byte) bool {
	if s := p.session; !p.due {
		p.due = true
		s.due = append(s.due, p)
	}
	return p.socket.out.add(frames...)
}

// sendDue has what was added written: here to the first few peers, by other goroutines to all others, so that the next
// edit of a crowded note need not wait for them.
func (s *Session) sendDue() {
	for i, p := range s.due {
		p.due = false
		if i < maxOffered {
			p.socket.out.flush()
		} else {
			p.socket.out.wake()
		}
	}
	clear(s.due)
	s.due = s.due[:0]
}

func (s *Session) add(p *Peer) {
	if s.words.exceeds(editorOf(p.schema)) {
		p.outdate()
	}
	s.peers = append(s.peers, p)
	p.place, p.framing = len(s.peers), s.framing(p.wire)
	s.sendPresence(p)
	s.publish()
}

func (s *Session) remove(p *Peer) {
	if n := len(s.peers); p.place > 0 { // else it never came
		last := s.peers[n-1]
		s.peers[p.place-1], last.place = last, p.place
		s.peers[n-1], s.peers, p.place = nil, s.peers[:n-1], 0
	}
	delete(s.unheard, p)
	for _, f := range p.early {
		s.budget.earn(f.size)
	}
	p.early = nil
	p.recordForgery()
	s.dropPresence(p)
	s.publish()
}
