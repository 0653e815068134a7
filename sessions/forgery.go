package sessions

import (
	"context"
	"errors"
	"time"

	"github.com/clisonix/tidechart/crdt"
)

// forgeryEvery is how often what one socket forges is put on record (I10).
const forgeryEvery = time.Minute

// forgeries counts what a peer sent that no editor makes. The session's goroutine owns it.
type forgeries struct {
	at      time.Time // of the newest record; zero: there is none
	updates int       // since then
	why     string    // of the first of them
}

// whyForged says in words of the program why an update is on record, if it is (I3): what is over a limit, or not the author's to write any
// more, is no forgery.
func whyForged(err error) string {
	switch {
	case errors.Is(err, ErrForged):
		return "forged"
	case errors.Is(err, crdt.ErrMalformed):
		return "malformed"
	case errors.Is(err, ErrRefused):
		return "unfounded"
	default:
		return ""
	}
}

// forged counts a refused update, and has it put on record: the first at once, those of the next minute with the first behind it, or when
// the peer leaves.
func (p *Peer) forged(err error) {
	why := whyForged(err)
	if why == "" {
		return
	}
	f := &p.forgery
	if f.updates++; f.updates == 1 {
		f.why = why
	}
	if f.at.IsZero() || time.Since(f.at) >= forgeryEvery {
		p.recordForgery()
	}
}

// recordForgery puts on record what was counted. It returns at once.
func (p *Peer) recordForgery() {
	f := &p.forgery
	if f.updates == 0 {
		return
	}
	s, one := p.session, Forgery{Author: p.author.ID, Participation: p.participation, Why: f.why, Updates: f.updates}
	f.at, f.updates = time.Now(), 0
	s.hub.running.Go(func() { s.recordForgery(one) })
}

// recordForgery puts on record what somebody forged of the session's note.
func (s *Session) recordForgery(f Forgery) {
	ctx, cancel := context.WithTimeout(context.Background(), recordTimeout)
	defer cancel()
	f.Note = s.note
	if err := s.hub.store.RecordForgery(ctx, f); err != nil {
		s.log.Error("forged updates not recorded", "author", f.Author, "updates", f.Updates, "err", err)
	}
}
