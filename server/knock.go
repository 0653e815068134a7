package server

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/clisonix/tidechart/server/login"
)

// This file keeps room for people among the sockets: whoever has not said who they are may take no more than half of them, and
// from one network no more of them may be wrong about it than requests may be.

// knockRetry is when whoever is turned away may knock again: none of those before them stays for longer without a word.
const knockRetry = authorizeTimeout

// knocks counts the sockets at which nobody is known yet. Any number of goroutines may use it.
type knocks struct {
	most int // static

	mu   sync.Mutex
	n    int
	told time.Time // when the log was told that there is no more room
}

// knock is one socket, until it is known whose it is.
type knock struct {
	network string // that it comes from
	at      atomic.Pointer[knocks]
}

// enter counts a socket, or reports that there is no room for one more of nobody.
func (k *knocks) enter(one *knock) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.n >= k.most {
		return false
	}
	k.n++
	one.at.Store(k)
	return true
}

// over counts the socket no more: it is somebody's, or has ended.
func (one *knock) over() {
	k := one.at.Swap(nil)
	if k == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.n--
}

// turnAway is why there is no room.
func (k *knocks) turnAway() *tooMany {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := time.Now()
	away := &tooMany{wait: knockRetry, told: now.Sub(k.told) < time.Second}
	if !away.told {
		k.told = now
	}
	return away
}

// admit makes room for the socket that r asks for. While very many come of whom nobody knows who they are, or who are not who they
// say, those are turned away, but for who shows it with r: people's browsers do, and so can programs.
func (s *Server) admit(r *http.Request, one *knock) error {
	one.network = s.network(r)
	if s.limits.strangers.has(one.network, time.Now()) && s.knocks.enter(one) {
		return nil
	}
	ctx, cancel := context.WithTimeout(r.Context(), authorizeTimeout)
	defer cancel()
	if _, err := s.desk.ByRequest(r.WithContext(ctx)); err != nil {
		return s.knocks.turnAway()
	}
	return nil
}

// knocked notes whether who opened a socket has shown who they are; what is wrong counts for their network.
func (s *Server) knocked(one *knock, err error) {
	switch {
	case err == nil:
		one.over()
	case errors.Is(err, login.ErrNotSignedIn), errors.Is(err, login.ErrNoTicket):
		_ = s.limits.stranger(one.network) // they are told already that it was wrong
	}
}
