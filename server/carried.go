package server

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/sessions"
	"github.com/clisonix/tidechart/sessions/history"
	"github.com/clisonix/tidechart/web"
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

// carriedText is a note in which something was carried over from earlier ones.
type carriedText struct {
	body prose.Node                      // cut where something was
	says func(prose.Node) web.Authorship // of a piece of it
	from []web.CarriedView
}

// carriedIn looks for what of a note was carried over; nil: nothing was.
func (s *Server) carriedIn(ctx context.Context, note uuid.UUID) (*carriedText, error) {
	if may, err := s.db.MayHaveCarried(ctx, note); err != nil || !may {
		return nil, err
	}
	past, err := s.pastOf(ctx, note)
	if err != nil {
		return nil, err
	}
	account, err := past.Account(past.Head())
	if err != nil {
		return nil, err
	}
	sum := account.Summary()
	if len(sum.Carried) == 0 {
		return nil, nil
	}
	people, err := s.peopleOf(ctx, past, sum.Carried...)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	return &carriedText{
		body: account.Body, from: carriedViews(sum.Carried, people, now),
		says: func(text prose.Node) web.Authorship {
			from := account.Of(text)
			if from.Source == nil {
				return web.Authorship{Plain: true}
			}
			return web.Authorship{Origin: from.Origin.String(), Source: people[from.Source.Author].Name, SourceAt: from.Source.At.Local(), Age: now.Sub(from.Source.At)}
		},
	}, nil
}
