package sessions

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/clisonix/tidechart/crdt"
)

// Hub keeps the live sessions, at most one per note.
type Hub struct {
	// Static after NewHub.
	store   Store
	log     *slog.Logger
	commits *committer
	ctx     context.Context // ends with Close; sessions and the committer live in it
	stop    context.CancelFunc
	running sync.WaitGroup // sessions, sockets and the committer

	unsettled atomic.Int64 // bytes of updates that peers have sent and that are not yet answered

	mu       sync.Mutex
	sessions map[NoteID]*Session
	sockets  map[*socket]struct{}
	draining bool
	present  map[NoteID][]Presence // immutable slices, replaced whole
	changed  chan struct{}         // closed and replaced when present changes
}

// NewHub starts a Hub that writes to store. Close it.
func NewHub(store Store, log *slog.Logger) *Hub {
	ctx, stop := context.WithCancel(context.Background())
	h := &Hub{
		store: store, log: log, ctx: ctx, stop: stop,
		commits:  newCommitter(store, log),
		sessions: make(map[NoteID]*Session),
		sockets:  make(map[*socket]struct{}),
		present:  make(map[NoteID][]Presence),
		changed:  make(chan struct{}),
	}
	h.running.Go(func() { h.commits.run(ctx) })
	return h
}

// Close lets sessions commit what they have taken, tells every peer to reconnect, and ends the sessions.
// What was not committed when ctx ends stays unanswered: its sender still has it and will send it again.
func (h *Hub) Close(ctx context.Context) error {
	h.mu.Lock()
	h.draining = true
	live := make([]*Session, 0, len(h.sessions))
	for _, s := range h.sessions {
		live = append(live, s)
	}
	h.mu.Unlock()

	var err error
	for _, s := range live {
		err = errors.Join(err, s.settle(ctx))
	}

	h.mu.Lock()
	for s := range h.sockets {
		s.fail(&CloseError{Code: closeRestart, Reason: "the server is restarting"})
	}
	h.mu.Unlock()

	h.stop()
	ended := make(chan struct{})
	go func() { h.running.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-ctx.Done():
		err = errors.Join(err, errors.New("sessions did not end in time"))
	}
	if err != nil {
		return fmt.Errorf("close sessions: %w", err)
	}
	return nil
}

// acquire returns the note's session, loaded, and keeps it alive until release.
func (h *Hub) acquire(ctx context.Context, note NoteID) (*Session, error) {
	h.mu.Lock()
	if h.draining {
		h.mu.Unlock()
		return nil, errDraining
	}
	s := h.sessions[note]
	if s == nil {
		s = newSession(h, note)
		h.sessions[note] = s
		h.running.Go(s.run)
	}
	s.users++
	h.mu.Unlock()

	select {
	case <-s.loaded:
	case <-ctx.Done():
		h.release(s)
		return nil, fmt.Errorf("open session: %w", ctx.Err())
	}
	if s.loadErr != nil {
		h.release(s)
		return nil, s.loadErr
	}
	return s, nil
}

// release undoes one acquire.
func (h *Hub) release(s *Session) {
	h.mu.Lock()
	s.users--
	idle := s.users == 0
	h.mu.Unlock()
	if idle {
		select {
		case s.idle <- struct{}{}:
		default: // it has been told
		}
	}
}

// retire removes s if nobody uses it, and reports whether it did.
func (h *Hub) retire(s *Session) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.users > 0 {
		return false
	}
	h.remove(s)
	return true
}

// remove forgets s. The caller holds mu.
func (h *Hub) remove(s *Session) {
	s.over = true
	if h.sessions[s.note] == s {
		delete(h.sessions, s.note)
		h.publishLocked(s.note, nil)
	}
}

// bury forgets a session that has ended, and ends the sockets of all that had joined it: what they say now,
// nobody hears.
func (h *Hub) bury(s *Session, reason error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.remove(s)
	for p := range s.joined {
		p.socket.fail(reason)
	}
}

// EndLogin ends the sockets of one login, which has been signed out.
func (h *Hub) EndLogin(login string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.sessions {
		for p := range s.joined {
			if p.grant.Login == login {
				p.socket.fail(refusal(ErrUnauthenticated))
			}
		}
	}
}

func (h *Hub) addSocket(s *socket) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.draining {
		return errDraining
	}
	h.sockets[s] = struct{}{}
	return nil
}

func (h *Hub) removeSocket(s *socket) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.sockets, s)
}

// State returns the note's committed state as an update, v1. It returns [ErrNoNote] for an unknown note.
func (h *Hub) State(ctx context.Context, note NoteID) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	h.mu.Lock()
	s := h.sessions[note]
	h.mu.Unlock()
	if s != nil {
		var state []byte
		var err error
		if e := s.call(ctx, func() { state, err = s.snapshot() }); e == nil {
			return state, err
		} // it has just ended: its log is complete
	}
	log, err := h.store.Load(ctx, note)
	if err != nil {
		return nil, err
	}
	doc, err := log.load()
	if err != nil {
		return nil, fmt.Errorf("rebuild note: %w", err)
	}
	return doc.EncodeStateAsUpdate(nil)
}

// Doc returns a document of its own that holds the note's committed state.
func (h *Hub) Doc(ctx context.Context, note NoteID) (*crdt.Doc, error) {
	state, err := h.State(ctx, note)
	if err != nil {
		return nil, err
	}
	doc := crdt.New("")
	if err := doc.ApplyUpdate(state); err != nil {
		return nil, fmt.Errorf("rebuild note: %w", err)
	}
	return doc, nil
}

// Apply admits one update like a peer's and returns once it is committed, with the seq it got, or with the
// note's newest seq if it held nothing new. It returns [ErrReadOnly], [ErrRefused], [ErrRejected], an error
// that is [crdt.ErrMalformed], [ErrNoNote], or [ErrEnded] or ctx's error, after which the outcome is unknown; applying the same
// update again is harmless.
func (h *Hub) Apply(ctx context.Context, note NoteID, grant Grant, update []byte) (seq uint64, err error) {
	decoded, err := crdt.DecodeUpdate(update)
	if err != nil {
		return 0, fmt.Errorf("update of %d bytes: %w", len(update), err)
	}
	if grant.ReadOnly {
		return 0, ErrReadOnly
	}
	s, err := h.acquire(ctx, note)
	if err != nil {
		return 0, err
	}
	defer h.release(s)
	participation, err := s.recordJoin(ctx, grant.Author)
	if err != nil {
		return 0, err
	}
	defer s.recordLeave(participation)

	type answer struct {
		seq uint64
		err error
	}
	answers := make(chan answer, 1)
	f := &frame{author: grant.Author, update: decoded, settled: func(seq uint64, err error) { answers <- answer{seq, err} }}
	if err := s.do(ctx, func() { s.receive(f) }); err != nil {
		return 0, err
	}
	select {
	case a := <-answers:
		return a.seq, a.err
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-s.done:
		select {
		case a := <-answers:
			return a.seq, a.err
		default:
			return 0, ErrEnded
		}
	}
}

// Presence is a person at a note.
type Presence struct {
	Author   Author
	CanWrite bool
}

// Present returns who is at which note now. The slices are not to be changed.
func (h *Hub) Present() map[NoteID][]Presence {
	h.mu.Lock()
	defer h.mu.Unlock()
	present := make(map[NoteID][]Presence, len(h.present))
	for note, people := range h.present {
		present[note] = people
	}
	return present
}

// Changed returns a channel that is closed when what [Hub.Present] returns changes next.
func (h *Hub) Changed() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.changed
}

func (h *Hub) publish(note NoteID, people []Presence) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.publishLocked(note, people)
}

func (h *Hub) publishLocked(note NoteID, people []Presence) {
	if len(people) == 0 && len(h.present[note]) == 0 {
		return
	}
	if len(people) == 0 {
		delete(h.present, note)
	} else {
		h.present[note] = people
	}
	close(h.changed)
	h.changed = make(chan struct{})
}
