package sessions

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/clisonix/tidechart/crdt"
)

// guard knows up to where text has been looked for that updates removed unseen. The session's own document tells that
// an update removed something, not what: a search of the log does, beside the session. What is found follows from the
// log alone, so that a crash delays it and loses nothing.
type guard struct {
	clean     uint64 // rows up to here have lost nothing that is not stored
	stored    uint64 // up to here the store has all that was lost
	suspect   bool   // a row behind it may have lost something
	searching bool
	resting   bool            // a search has just ended; onRested will be rung
	waiting   []chan struct{} // closed when all is searched, or a search has failed
}

// beginGuard has rows searched that no session has.
func (s *Session) beginGuard(log Log) {
	s.guard.stored = log.Searched
	s.guard.clean = min(max(log.Searched, 1), log.Head) // the first row has nothing to remove
	s.guard.suspect = s.guard.clean < log.Head
	s.search()
}

// watch looks at what u, which has just been applied, removed; it will be the row behind head.
func (s *Session) watch(u *crdt.Update) {
	g := &s.guard
	g.suspect = g.suspect || len(s.doc.Unnamed(u)) > 0
	if !g.suspect && !g.searching {
		g.clean = s.head + 1
	}
}

// search finds what was lost, if something may have been.
func (s *Session) search() {
	g := &s.guard
	if !g.suspect || g.searching || g.resting {
		return
	}
	g.searching, g.suspect = true, false
	from, to := g.stored, s.head
	s.hub.running.Go(func() {
		began := time.Now()
		losses, searched, err := s.hub.findLosses(s.hub.ctx, s.note, from, to)
		_ = s.do(s.hub.ctx, func() { // an ended session leaves it to the next
			s.guard.suspect = s.guard.suspect || searched < to
			s.searched(losses, searched, time.Since(began), err)
		})
	})
}

// searched takes what a search has found and stored. The authors who are here are told.
func (s *Session) searched(losses []Loss, to uint64, took time.Duration, err error) {
	g := &s.guard
	g.searching = false
	if err != nil || !g.suspect {
		for _, c := range g.waiting {
			close(c)
		}
		g.waiting = nil
	}
	if err != nil {
		s.log.Error("lost text not found", "seq", s.head, "err", err)
		g.suspect = g.suspect || !errors.Is(err, errUnsearched)
		s.rest(max(lastRetry, searchRest*took))
		return
	}
	g.clean, g.stored = to, to
	if !g.suspect {
		g.clean = s.head // what came meanwhile was watched
	}
	s.rest(searchRest * took)
	if len(losses) > 0 {
		s.log.Info("text was removed unseen", "seq", losses[0].Seq, "losses", len(losses))
		s.tellLosses(func(p PersonID) bool { return slices.ContainsFunc(losses, func(l Loss) bool { return l.Author == p }) })
	}
}

// rest has the next search wait.
func (s *Session) rest(wait time.Duration) {
	s.guard.resting = true
	s.bell.ringIn(wait, onRested)
}

// tellLosses has the editors of people ask what text of theirs is lost. One whose outbox is full asks when it syncs.
func (s *Session) tellLosses(of func(PersonID) bool) { s.tell(newsLosses, of) }

// findLosses searches and stores, with no more than a few others at once.
func (h *Hub) findLosses(ctx context.Context, note NoteID, from, to uint64) (losses []Loss, searched uint64, err error) {
	ctx, cancel := context.WithTimeout(ctx, searchTimeout)
	defer cancel()
	select {
	case h.searches <- struct{}{}:
		defer func() { <-h.searches }()
	case <-ctx.Done():
		return nil, 0, ctx.Err()
	}
	found, searched, err := find(ctx, h.store, note, from, to)
	if err != nil {
		return nil, 0, err
	}
	return found, searched, h.store.SaveFindings(ctx, note, searched, found)
}

// recordSearched spares the next session the search of rows that have lost nothing. It is called when run is over.
func (s *Session) recordSearched() {
	if s.guard.clean <= s.guard.stored {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), recordTimeout)
	defer cancel()
	if err := s.hub.store.SaveFindings(ctx, s.note, s.guard.clean, nil); err != nil {
		s.log.Warn("not recorded how far lost text was looked for", "err", err) // the next session looks again
	}
}
