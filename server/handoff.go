package server

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/notekind"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/web"
)

// isSignedHandoff reports whether a note is one that whoever takes over is to read back, or has.
func isSignedHandoff(n queries.Note) bool {
	return n.Kind == notekind.Handoff && store.IsSigned(n.State)
}

// notReadBack returns which of some signed handoffs wait for whoever takes over.
func (s *Server) notReadBack(ctx context.Context, handoffs []uuid.UUID) ([]uuid.UUID, error) {
	if len(handoffs) == 0 {
		return nil, nil
	}
	open, err := s.db.Queries.NotReadBack(ctx, handoffs)
	if err != nil {
		return nil, fmt.Errorf("look up which handoffs nobody has taken over: %w", err)
	}
	return open, nil
}

// markHandoffs marks the handoffs that wait for whoever takes over.
func (s *Server) markHandoffs(ctx context.Context, notes []store.NotesForRow, of map[uuid.UUID][]web.NoteLink) error {
	var handoffs []uuid.UUID
	for _, n := range notes {
		if isSignedHandoff(n.Note) {
			handoffs = append(handoffs, n.Note.ID)
		}
	}
	open, err := s.notReadBack(ctx, handoffs)
	if err != nil || len(open) == 0 {
		return err
	}
	for _, links := range of {
		for i := range links {
			links[i].NotReadBack = slices.Contains(open, uuid.MustParse(links[i].ID))
		}
	}
	return nil
}
