package sessions

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/prose"
)

// Session is one note being edited: the goroutine that owns its document.
type Session struct {
	// Static after newSession.
	hub     *Hub
	id      SessionID
	note    NoteID
	beside  bool // it is a branch's
	log     *slog.Logger
	inbox   chan func() // bounded: a busy session slows its own peers
	bell    bell
	loaded  chan struct{} // closed once loadErr, and if it is nil all else, is set
	done    chan struct{} // closed when run returns
	loadErr error

	budget budget // of what peers have sent and that is not yet answered
	ending atomic.Pointer[CloseError]

	// Guarded by hub.mu.
	users  int                // peers and callers that hold the session
	joined map[*Peer]struct{} // peers between join and leave
	over   bool               // it has ended: nobody joins any more

	// Owned by run.
	doc       *crdt.Doc        // exactly the committed log; nil while parked, then encoded is
	head      uint64           // seq of the newest row in doc
	ahead     crdt.StateVector // of doc and the batch in flight
	writers   map[crdt.ClientID]PersonID
	words     vocabulary
	encoded   []byte // doc as an update; nil once doc has moved on
	diffed    diffed // what was asked for last
	opening   opening
	usedAt    time.Time   // when doc was needed last, for more than reading
	park      *time.Timer // rings onPark; nil: parked
	peers     []*Peer     // in no order; each knows its place
	framings  []string    // names of wires; each peer knows its own's place
	presence  map[crdt.ClientID]*presence
	reserved  map[crdt.ClientID]PersonID // whose a client id is that has been shown and has not written
	clocks    map[crdt.ClientID]uint64   // last presence clock sent, of clients gone too
	changed   map[crdt.ClientID]shown    // presence that is due with the next beat
	unheard   map[*Peer]struct{}         // said something of their presence too soon
	beat      *time.Timer                // rings onBeat; nil until it is needed first
	beatAt    time.Time                  // when it does; zero: it does not
	shownAt   time.Time                  // when presence was sent last
	published []Presence                 // what the hub was told last
	inFlight  []*frame                   // being committed, in order
	outcome   outcome                    // of inFlight: the committer's until it rings onOutcome
	claimed   []claimed                  // by what is in flight
	deciding  bool                       // who may write what was refused is decided anew; nothing is committed
	pending   []*frame                   // admitted, the next batch
	pendBytes int                        // of pending
	settling  []chan struct{}
	due       []*Peer // are sent something when what is under way is done
	extent    extent
	heldSince time.Time // nothing is committed since, for not knowing who may write; zero: it is known
	retrying  bool      // onRetry will be rung, to look whether it is
	baseSeq   uint64    // of the newest base made
	basing    bool      // a base is being verified and stored
	guard     guard
	held      held
	late      late
}

// frame is one update on its way through a session.
type frame struct {
	author Author
	editor *prose.Schema
	update *crdt.Update
	stamp  Stamp // of what is not a peer's
	stale  int   // how often the log refused it for its stamp

	// Decided by admit.
	recovering bool // its author may bring others' text
	refused    error
	fresh      *crdt.Update // what of update the note does not have
	data       []byte       // what goes into the log: fresh; nil if refused, or if the note has it all already
	names      []crdt.Name
	seq        uint64 // given by the commit

	// settled is called by the session, once, with the seq the update got (the head, if it held nothing
	// new) after its commit, or with the reason why it was refused.
	settled func(seq uint64, err error)
	from    *Peer // nil: not a peer's
	count   int   // of the peer's messages that this one update stands for
	size    int   // their bytes
}

func newSession(h *Hub, note NoteID) *Session {
	id := uuid.New()
	return &Session{
		hub: h, id: id, note: note, log: h.log.With("note", note, "session", id),
		inbox:    make(chan func(), maxInbox),
		bell:     newBell(),
		loaded:   make(chan struct{}),
		done:     make(chan struct{}),
		budget:   budget{unsettled: &h.unsettled},
		joined:   make(map[*Peer]struct{}),
		presence: make(map[crdt.ClientID]*presence),
		reserved: make(map[crdt.ClientID]PersonID),
		clocks:   make(map[crdt.ClientID]uint64),
		changed:  make(map[crdt.ClientID]shown),
		unheard:  make(map[*Peer]struct{}),
	}
}

// do has the session's goroutine run f, some time.
func (s *Session) do(ctx context.Context, f func()) error {
	select {
	case s.inbox <- f: // mostly there is room; asking for nothing else takes one lock instead of three
		return nil
	default:
	}
	select {
	case s.inbox <- f:
		return nil
	case <-s.done:
		return ErrEnded
	case <-ctx.Done():
		return ctx.Err()
	}
}

// call has the session's goroutine run f, and waits for it.
func (s *Session) call(ctx context.Context, f func()) error {
	ran := make(chan struct{})
	if err := s.do(ctx, func() { f(); close(ran) }); err != nil {
		return err
	}
	select {
	case <-ran:
		return nil
	case <-s.done:
		return ErrEnded
	case <-ctx.Done():
		return ctx.Err()
	}
}

// settle waits until everything admitted so far is committed.
func (s *Session) settle(ctx context.Context) error {
	settled := make(chan struct{})
	err := s.do(ctx, func() {
		s.settling = append(s.settling, settled)
		s.tellSettled()
	})
	if err != nil {
		if errors.Is(err, ErrEnded) {
			return nil
		}
		return err
	}
	select {
	case <-settled:
		return nil
	case <-s.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("note %s has uncommitted edits: %w", s.note, ctx.Err())
	}
}

func (s *Session) run() {
	err := s.live()
	s.hub.bury(s, err)
	close(s.done)
	s.budget.close()
	if s.loadErr == nil {
		s.recordEnd()
	}
}

// live loads the note and serves it. A panic ends this session, not the server.
func (s *Session) live() (err error) {
	loaded := false
	defer func() {
		if p := recover(); p != nil { // its value may quote content; the stack does not
			s.log.Error("session panics", "stack", string(debug.Stack()))
			err = &CloseError{Code: closeTryLater, Reason: "the note cannot be opened now; try again", Err: errPanic}
		}
		if !loaded {
			s.loadErr = err
			close(s.loaded)
		}
	}()
	if err := s.load(); err != nil {
		return err
	}
	loaded = true
	close(s.loaded)
	return s.serve()
}

// serve runs the session until nobody uses it, and returns why it ended.
func (s *Session) serve() error {
	linger := s.bell.ringIn(lingerAfterLeave, onLinger)
	defer linger.Stop()
	defer context.AfterFunc(s.hub.ctx, func() { s.bell.ring(onClosing) })()
	defer s.sendDue()
	for {
		s.sendDue()
		inbox := s.inbox
		if len(s.pending) >= maxPending || s.pendBytes >= maxPendingBytes {
			inbox = nil // peers wait in their sockets until the log has caught up
		}
		select {
		case f := <-inbox:
			f()
		case <-s.bell.rung:
			heard := s.bell.heard()
			if err := s.heed(heard); err != nil {
				return err
			}
			if heard&onIdle != 0 {
				linger.Reset(lingerAfterLeave)
			} else if heard&onLinger != 0 && s.mayEnd() {
				if s.hub.retire(s) {
					return nil
				}
			} else if heard&onLinger != 0 {
				linger.Reset(lingerAfterLeave)
			}
		}
	}
}

// heed does what it is told, except for ending. An error ends the session.
func (s *Session) heed(heard signal) error {
	if heard&onEnding != 0 {
		return s.ending.Load()
	}
	if heard&onOutcome != 0 {
		if err := s.committed(s.outcome); err != nil {
			return s.abandon(err)
		}
		s.maybeBase(baseEvery)
	}
	if heard&onDecided != 0 {
		s.deciding = false
		s.flush()
	}
	if heard&onBeat != 0 {
		s.drum()
	}
	if heard&onRetry != 0 {
		s.retrying = false
		s.flush()
	}
	if heard&onHeld != 0 {
		s.recheckHeld()
	}
	if heard&onRested != 0 {
		s.guard.resting = false
		s.search()
	}
	if heard&onPark != 0 {
		s.maybePark()
	}
	if heard&onClosing != 0 {
		return &CloseError{Code: closeRestart, Reason: "the server is restarting"}
	}
	return nil
}

// mayEnd reports whether nothing is under way. If nobody uses the session, it then has a base of what it leaves.
func (s *Session) mayEnd() bool {
	if len(s.inFlight)+len(s.pending)+len(s.inbox)+len(s.held.frames)+len(s.late.queue) > 0 || s.basing || s.guard.searching || s.late.storing {
		return false
	}
	s.maybeBase(baseAtEnd)
	return !s.basing
}

// abandon gives the session up: the next one loads from the log, and peers sync with it. A batch that the log
// refused means that the note was signed, or that somebody else writes it; what it takes, the next session knows.
func (s *Session) abandon(err error) error {
	s.log.Error("session ends", "err", err)
	return &CloseError{Code: closeRestart, Reason: "the note is being reloaded", Err: err}
}

// load reads the note and records that people sit at it.
func (s *Session) load() error {
	ctx, cancel := context.WithTimeout(s.hub.ctx, loadTimeout)
	defer cancel()
	log, err := s.hub.store.Load(ctx, s.note)
	if err != nil {
		return err
	}
	if s.doc, err = log.Doc(); err != nil {
		return fmt.Errorf("rebuild note %s: %w", s.note, err)
	}
	if s.doc.HasPending() { // admission lets none in; should one be there, what can be read must stay readable
		s.log.Error("the log holds structs that nothing can integrate")
	}
	s.head, s.baseSeq = log.Head, log.BaseSeq
	s.ahead, s.writers = s.doc.StateVector(), log.Writers
	for client, person := range log.Shown {
		s.reserved[client] = person
	}
	s.words.add(s.doc.Names())
	s.usedAt, s.park = time.Now(), s.bell.ringIn(parkAfter, onPark)
	s.extent.bytes = len(log.Base)
	for _, row := range log.Tail {
		s.extent.bytes += len(row)
	}
	s.extent.text = s.extent.bytes
	s.beginGuard(log)
	if err := s.hub.store.StartSession(ctx, s.id, s.note); err != nil {
		return fmt.Errorf("record session: %w", err)
	}
	return nil
}
