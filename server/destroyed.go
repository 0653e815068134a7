package server

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/sessions"
	"github.com/clisonix/tidechart/web/words"
)

// stateDestroyed is that of a note whose keys are gone.
const stateDestroyed = "destroyed"

// gone is a [sessions.ErrDestroyed] that says when, and who decided it, to whoever might have read what it was.
type gone struct {
	at              time.Time
	asked, approved string // "": its time was over
}

func (gone) Error() string { return sessions.ErrDestroyed.Error() }

func (gone) Unwrap() error { return sessions.ErrDestroyed }

// detail is the sentence for whoever asked.
func (g gone) detail(ctx context.Context) string {
	if g.asked == "" {
		return words.Say(ctx, "It was destroyed on {at}, because it had been kept for as long as it had to be. Nothing can open it any more.", words.Date(ctx, g.at.Local(), "02-Jan-2006"))
	}
	return words.Say(ctx, "It was destroyed on {at}, by decision of {asked} and {approved}. Nothing can open it any more.", words.Date(ctx, g.at.Local(), "02-Jan-2006"), g.asked, g.approved)
}

// destroyed says why a note that was does not open: to who might read it, if it were there, that; to others what they would be told
// otherwise. That they tried is on record, unless it was open already.
func (s *Server) destroyed(ctx context.Context, p login.Person, st standing, note uuid.UUID, how string) error {
	to := onto{patient: st.PatientID, note: note}
	e := audit.Event{Act: audit.Access, Outcome: audit.Refused, Patient: to.patient, Note: to.note, Code: access.ReadNote.String() + ": destroyed"}
	why := s.refuses(p, access.ReadNote, st.note, to)
	if why == nil {
		why = s.goneSince(ctx, st.PatientID, note)
	} else {
		e.Code = why.Error()
	}
	if how == notAgain {
		return why
	}
	return cmp.Or(s.db.Record(as(ctx, p), e), why)
}

// goneSince is when a note was destroyed, and by whose decision.
func (s *Server) goneSince(ctx context.Context, patient, note uuid.UUID) error {
	which := uuid.NullUUID{UUID: note, Valid: true}
	row, err := s.db.Destruction(ctx, patient, which)
	if errors.Is(err, store.ErrNotFound) {
		at, err := s.db.PurgedAt(ctx, which)
		if errors.Is(err, store.ErrNotFound) { // by hand
			return sessions.ErrDestroyed
		}
		if err != nil {
			return err
		}
		return gone{at: at}
	}
	if err != nil {
		return err
	}
	return gone{*row.DoneAt, row.Asker, row.Approver}
}
