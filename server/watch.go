package server

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/sessions"
)

// How access is watched. Live editing commits nothing while it has not been seen for some seconds; see package
// sessions.
const (
	watchEvery = time.Second            // a look at the version, though nothing was told
	watchRetry = 200 * time.Millisecond // after a connection was lost
)

// Watch keeps what people may do on live notes as the database says, until ctx ends. Without it nothing is committed.
func (s *Server) Watch(ctx context.Context) {
	version := int64(-1)
	for ctx.Err() == nil {
		err := s.watch(ctx, &version)
		if ctx.Err() != nil {
			return
		}
		s.log.Warn("access is not watched, trying again", "err", err)
		select {
		case <-time.After(watchRetry):
		case <-ctx.Done():
		}
	}
}

// watch does so on one connection. version is that of the last change acted on.
func (s *Server) watch(ctx context.Context, version *int64) error {
	w, err := s.db.WatchAccess(ctx, *version)
	if err != nil {
		return err
	}
	defer w.Close()
	for patience := time.Duration(0); ; patience = watchEvery {
		changes, now, asked, err := w.Next(ctx, patience)
		if err != nil {
			return err
		}
		if len(changes) > 0 {
			if slices.ContainsFunc(changes, concernsAccess) {
				s.log.Info("access changed", "version", now, "changes", len(changes))
			}
			s.hub.Recheck(ctx, concerned(changes))
			for _, c := range changes {
				switch {
				case c.Destroyed != uuid.Nil: // else a session would keep the note for some seconds
					s.hub.End(c.Destroyed, sessions.ErrDestroyed)
					s.db.Pasts.Forget(c.Destroyed)
				case c == store.AccessChange{}: // anything may have been
					s.db.Pasts.ForgetAll()
				}
			}
			s.news.tell()
			if slices.ContainsFunc(changes, concernsPages) {
				s.pageNews.tell()
			}
		}
		*version = now
		s.db.Forgot(now)
		s.hub.AccessSeen(asked)
	}
}

// concerned returns whose grants a change concerns.
func concerned(changes []store.AccessChange) func(sessions.NoteID, sessions.PersonID, string) bool {
	all := false
	people, logins, notes := make(map[uuid.UUID]bool), make(map[string]bool), make(map[uuid.UUID]bool)
	for _, c := range changes {
		switch {
		case !concernsAccess(c), c.Destroyed != uuid.Nil: // which changes the note's state, too
		case c.Person != uuid.Nil:
			people[c.Person] = true
		case c.Login != "":
			logins[c.Login] = true
		case c.Note != uuid.Nil:
			notes[c.Note] = true
		default:
			all = true
		}
	}
	return func(note sessions.NoteID, who sessions.PersonID, login string) bool {
		return all || people[who] || logins[login] || notes[note]
	}
}

// concernsAccess reports whether a change is one of what anybody may do, or may be.
func concernsAccess(c store.AccessChange) bool {
	return !c.Glass && c.Unit == "" && c.Nudged == uuid.Nil
}

// concernsPages reports whether a change is one of what pages tell, of broken glass or of what somebody is asked to sign, or may be.
func concernsPages(c store.AccessChange) bool {
	return c.Glass || c.Nudged != uuid.Nil || c == store.AccessChange{}
}

// news wakes pages that show what follows from a change. Its zero value is ready.
type news struct {
	mu   sync.Mutex
	next chan struct{}
}

// heard returns a channel that is closed at the next change.
func (n *news) heard() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.next == nil {
		n.next = make(chan struct{})
	}
	return n.next
}

func (n *news) tell() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.next != nil {
		close(n.next)
	}
	n.next = nil
}
