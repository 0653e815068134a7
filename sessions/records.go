package sessions

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
)

// recordEnd records that the last one has left, however long the database is away. When the server stops first,
// the next start mends it.
func (s *Session) recordEnd() {
	s.recordSearched()
	for wait := firstRetry; ; wait = min(2*wait, lastRetry) {
		ctx, cancel := context.WithTimeout(context.Background(), recordTimeout)
		err := s.hub.store.EndSession(ctx, s.id)
		cancel()
		if err == nil {
			return
		}
		s.log.Warn("end of session not recorded yet", "err", err)
		select {
		case <-time.After(wait):
		case <-s.hub.ctx.Done():
			return
		}
	}
}

// recordJoin records that a person opens the note, and with what, before they see any of it.
func (s *Session) recordJoin(ctx context.Context, who Author, device string) (participation uuid.UUID, err error) {
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	participation = uuid.New()
	if err := s.hub.store.StartParticipation(ctx, participation, s.id, who.ID, device); err != nil {
		return uuid.Nil, fmt.Errorf("record participation: %w", err)
	}
	return participation, nil
}

// recordShown records the client id that a peer is shown under, so that it stays its person's when the session has
// ended. It returns at once.
func (s *Session) recordShown(p *Peer, client crdt.ClientID) {
	s.hub.running.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), recordTimeout)
		defer cancel()
		if err := s.hub.store.ShowClient(ctx, p.participation, client); err != nil {
			s.log.Warn("client id that was shown not recorded", "err", err) // the session keeps it until it ends
		}
	})
}

func (s *Session) recordLeave(participation uuid.UUID) {
	ctx, cancel := context.WithTimeout(context.Background(), recordTimeout)
	defer cancel()
	if err := s.hub.store.EndParticipation(ctx, participation); err != nil {
		s.log.Warn("end of participation not recorded", "err", err) // the session's end records it too
	}
}
