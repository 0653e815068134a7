package sessions

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
)

// A restore of an older database takes edits away that browsers still hold, those of others too. Nobody may send what
// others wrote (I3), so that not even their own edits, which build on it, are taken. While an operator has opened the
// note for recovery they may: such text is still its author's, and marked with who brought it back.

// mayRecover reports whether f may bring what others wrote.
func (f *frame) mayRecover() bool {
	return f.from != nil && time.Now().UnixNano() < f.from.recoverUntil.Load()
}

// claimOf returns what f claims of a client id: the clocks of r from next on, in whose name, and who brings them.
//
// Whose a client id is that nobody has shown, and the database has forgotten, only its author's browser can tell. An
// update that brings one such id is taken for its author's; of several at once, it is not known which is.
func (s *Session) claimOf(f *frame, r crdt.ClockRange, next uint64) (Claim, error) {
	c := Claim{Note: s.note, Client: r.Client, From: next, To: r.To, Person: f.author.ID}
	owner, bound := s.ownerOf(r.Client)
	_, written := s.writers[r.Client]
	switch {
	case bound && owner == f.author.ID:
	case bound && f.recovering:
		c.Person, c.RecoveredBy = owner, f.author.ID
	case bound, !written && next > 0:
		return c, fmt.Errorf("%w: client %d is somebody else's", ErrForged, r.Client)
	case f.recovering && (written || s.brings(f) > 1):
		c.Person, c.RecoveredBy = uuid.Nil, f.author.ID
	}
	return c, nil
}

// brings returns of how many client ids f has something new.
func (s *Session) brings(f *frame) (n int) {
	for _, r := range f.update.Ranges() {
		if r.To > s.ahead[r.Client] {
			n++
		}
	}
	return n
}
