package sessions

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Hub keeps the live sessions, at most one per note.
type Hub struct {
	// Static after NewHub.
	store   Store
	log     *slog.Logger
	allow   Allowance
	commits *committer
	ctx     context.Context // ends with Close; sessions and the committer live in it
	stop    context.CancelFunc
	running sync.WaitGroup // sessions, sockets and the committer

	searches chan struct{} // has an element for each search for lost text

	unsettled  atomic.Int64              // bytes of updates that peers have sent and that are not yet answered
	accessSeen atomic.Pointer[time.Time] // see AccessSeen; nil: nobody watches
	epoch      atomic.Uint64             // see AccessEpoch

	mu       sync.Mutex
	sessions map[NoteID]*Session
	sockets  map[*socket]struct{}
	draining bool
	present  map[NoteID][]Presence // immutable slices, replaced whole
	changed  chan struct{}         // closed and replaced when present changes
}

// Option changes how a [Hub] is.
type Option func(*Hub)

// WithAllowance sets other limits than [DefaultAllowance].
func WithAllowance(a Allowance) Option { return func(h *Hub) { h.allow = a } }

// Allowance returns how many connections there may be, and how fast.
func (h *Hub) Allowance() Allowance { return h.allow }

// NewHub starts a Hub that writes to store. Close it.
func NewHub(store Store, log *slog.Logger, options ...Option) *Hub {
	ctx, stop := context.WithCancel(context.Background())
	h := &Hub{
		store: store, log: log, allow: DefaultAllowance(), ctx: ctx, stop: stop,
		commits:  newCommitter(store, log),
		sessions: make(map[NoteID]*Session),
		sockets:  make(map[*socket]struct{}),
		present:  make(map[NoteID][]Presence),
		changed:  make(chan struct{}),
		searches: make(chan struct{}, maxSearches),
	}
	for _, option := range options {
		option(h)
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
		s.bell.ring(onIdle)
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

// End ends a note's session at once, if there is one, and the sockets of all who joined it: the note is not to be had any more. What is
// under way stays unanswered, and no base is made.
func (h *Hub) End(note NoteID, why error) {
	h.mu.Lock()
	s := h.sessions[note]
	h.mu.Unlock()
	if s != nil {
		s.ending.Store(refusal(why))
		s.bell.ring(onEnding)
	}
}

// EndLogin ends the sockets of one login, which has been signed out.
func (h *Hub) EndLogin(login string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.sessions {
		for p := range s.joined {
			if p.login == login {
				p.revoke(refusal(ErrUnauthenticated))
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
	if len(h.sockets) >= h.allow.ConnsPerNode {
		return crowded(h.allow.ConnsPerNode, "to this server")
	}
	h.sockets[s] = struct{}{}
	h.running.Add(1)
	return nil
}

func (h *Hub) removeSocket(s *socket) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.sockets, s)
	h.running.Done()
}
