package server

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/sessions"
	"github.com/clisonix/tidechart/sessions/history"
)

// Limits of looking for what was carried over from earlier notes (I10).
const (
	maxEarlier    = 50              // notes of the patient that are compared, the newest
	compareWithin = 5 * time.Second // then it is said to be pasted, and looked for again
)

// carry finds what of a note was inserted at once and stands in earlier notes of the same patient, if that has not been looked
// for. What fails is logged: then it is said to be pasted, which it is.
func (s *Server) carry(ctx context.Context, note uuid.UUID, past *history.Past) error {
	lumps, err := past.Lumps()
	if err != nil || lumps == nil || lumps.Empty() {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, compareWithin)
	defer cancel()
	earlier, err := s.db.EarlierNotes(ctx, note, maxEarlier)
	if err != nil {
		return err
	}
	for _, id := range earlier {
		if err := s.compare(ctx, lumps, id); err != nil {
			return err
		}
	}
	found, to := lumps.Carried()
	if err := s.db.SaveCarried(ctx, note, found, to); err != nil {
		return err
	}
	return past.Grow(ctx)
}

// compare looks for words in one earlier note.
func (s *Server) compare(ctx context.Context, lumps *history.Lumps, note uuid.UUID) error {
	doc, err := s.hub.Doc(ctx, note)
	if err != nil {
		return err
	}
	if !lumps.In(prose.Read(doc.XMLFragment(sessions.Fragment))) {
		return nil
	}
	past, err := history.Open(ctx, s.db, note)
	if err != nil {
		return err
	}
	account, err := past.Account(past.Head())
	if err == nil {
		lumps.Compare(note, account)
	}
	return err
}
