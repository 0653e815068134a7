package server

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/signature"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/sessions"
)

// This file is signing as pages and the API do it: each function decides about somebody first, who learns the reason of a refusal as a
// [denial] that is on record; then package store does it.

// mayWith decides about an act to a note that somebody has open, and returns what it was decided on.
func (s *Server) mayWith(ctx context.Context, who login.Person, act access.Act, note uuid.UUID) (standing, error) {
	st, err := s.standingOf(ctx, who, note)
	if err != nil {
		return st, err
	}
	if st.State == stateDestroyed {
		return st, s.destroyed(ctx, who, st, note, notAgain)
	}
	who.Role = st.who.Role
	return st, s.decide(ctx, who, act, st.note, onto{patient: st.PatientID, note: note})
}

// mayOnceFresh says whether somebody could do an act if they proved again who they are: what to offer, never what to allow.
func (st standing) mayOnceFresh(act access.Act) bool {
	who := st.who
	who.Fresh = true
	return access.Decide(who, act, st.note).Allow
}

// signSheet returns what somebody looks at before they sign: for who may read the note. What they may do is to be asked of standing,
// with mayOnceFresh.
func (s *Server) signSheet(ctx context.Context, who login.Person, note uuid.UUID) (store.Sheet, standing, error) {
	st, err := s.mayWith(ctx, who, access.ReadNote, note)
	if err != nil {
		return store.Sheet{}, st, err
	}
	sheet, err := s.db.ReadyToSign(ctx, note, who.ID)
	return sheet, st, err
}

// signNote has somebody sign as the author. Their sign-in has to be fresh.
func (s *Server) signNote(ctx context.Context, who login.Person, note uuid.UUID, seen store.Seen) (store.Signature, error) {
	return s.signAs(ctx, who, access.SignNote, note, seen, s.db.Sign)
}

// maxDecided is how often it is decided anew whether somebody may sign, because what they may do changed meanwhile (I10).
const maxDecided = 3

// signAs decides whether somebody may sign, and has them sign if what it was decided on is still so then.
func (s *Server) signAs(ctx context.Context, who login.Person, act access.Act, note uuid.UUID, seen store.Seen,
	sign func(ctx context.Context, note, by uuid.UUID, seen store.Seen) (store.Signature, error),
) (one store.Signature, err error) {
	for range maxDecided {
		st, err := s.mayWith(ctx, who, act, note)
		if err != nil {
			return one, err
		}
		seen.Stamp = &sessions.Stamp{Person: st.PersonEpoch, Note: st.NoteEpoch}
		if one, err = sign(as(ctx, who), note, who.ID, seen); !errors.Is(err, store.ErrRights) {
			return one, err
		}
	}
	return one, store.ErrRights
}

// cosignNote has an attending sign what a resident has.
func (s *Server) cosignNote(ctx context.Context, who login.Person, note uuid.UUID, seen store.Seen) (store.Signature, error) {
	return s.signAs(ctx, who, access.CosignNote, note, seen, s.db.Cosign)
}

// witnessNote has somebody sign that they have seen it.
func (s *Server) witnessNote(ctx context.Context, who login.Person, note uuid.UUID, seen store.Seen) (store.Signature, error) {
	return s.signAs(ctx, who, access.WitnessNote, note, seen, s.db.Witness)
}

// receiveNote has somebody sign that they take over, and have read back what was handed over.
func (s *Server) receiveNote(ctx context.Context, who login.Person, note uuid.UUID, seen store.Seen) (store.Signature, error) {
	return s.signAs(ctx, who, access.ReceiveNote, note, seen, s.db.Receive)
}

// freezeNote keeps others from writing while somebody reads what they sign.
func (s *Server) freezeNote(ctx context.Context, who login.Person, note uuid.UUID, lasts time.Duration) (store.Freeze, error) {
	if _, err := s.mayWith(ctx, who, access.SignNote, note); err != nil {
		return store.Freeze{}, err
	}
	return s.db.Freeze(as(ctx, who), note, who.ID, lasts)
}

// letGoNote ends a freeze without a signature. Whoever may write the note may: nobody has to wait for somebody who has left.
func (s *Server) letGoNote(ctx context.Context, who login.Person, note uuid.UUID, epoch int64) error {
	st, err := s.standingOf(ctx, who, note)
	if err != nil {
		return err
	}
	st.note.Frozen = false
	if err := s.decide(ctx, who, access.WriteNote, st.note, onto{patient: st.PatientID, note: note}); err != nil {
		return err
	}
	return s.db.LetGo(as(ctx, who), note, who.ID, epoch)
}

// reviewNote says that a draft is done and waits to be signed, or that it is not.
func (s *Server) reviewNote(ctx context.Context, who login.Person, note uuid.UUID, done bool) error {
	if _, err := s.mayWith(ctx, who, access.WriteNote, note); err != nil {
		return err
	}
	if done {
		return s.db.StartReview(as(ctx, who), note, who.ID)
	}
	return s.db.BackToDraft(as(ctx, who), note, who.ID)
}

// amendNote begins a note about a signed one, and returns it.
func (s *Server) amendNote(ctx context.Context, who login.Person, note uuid.UUID, relation signature.Relation, reason string) (uuid.UUID, error) {
	if _, err := s.mayWith(ctx, who, access.AmendNote, note); err != nil {
		return uuid.Nil, err
	}
	return s.db.Amend(as(ctx, who), store.Amendment{Parent: note, Relation: relation, Reason: reason, By: who.ID})
}

// cosignInbox lists the notes that somebody may cosign.
func (s *Server) cosignInbox(ctx context.Context, who login.Person) ([]store.AwaitingCosignRow, error) {
	if !access.May(who.Role, access.CosignNote) {
		return nil, nil
	}
	rows, err := s.db.AwaitingCosign(ctx, who.ID)
	if err != nil {
		return nil, err
	}
	var may []store.AwaitingCosignRow
	for _, row := range rows {
		if mayCosign(row.AwaitingCosignRow, who) {
			may = append(may, row)
		}
	}
	return may, nil
}

// mayCosign reports whether somebody may cosign a note of a list, once they have proven again who they are.
func mayCosign(row queries.AwaitingCosignRow, who login.Person) bool {
	asked := asker(who)
	asked.Fresh = true
	note := access.Note{Kind: row.Note.Kind, Signed: true, VIP: row.Patient.Vip, Ties: access.TiesOf(row.Ties), Elsewhere: who.Elsewhere(row.Unit)}
	if row.Supervises {
		note.Ties |= access.Answers
	}
	return access.Decide(asked, access.CosignNote, note).Allow
}

// mayReview reports whether somebody may read a draft of a list that is ready for review.
func mayReview(row queries.ReadyForReviewRow, who login.Person, act access.Act) bool {
	asked := asker(who)
	asked.Fresh = true
	note := access.Note{Kind: row.Note.Kind, VIP: row.Patient.Vip, Ties: access.TiesOf(row.Ties), Elsewhere: who.Elsewhere(row.Unit)}
	if row.Supervises {
		note.Ties |= access.Answers
	}
	return access.Decide(asked, act, note).Allow
}

// unsignedNote is a note of a list as it stands to somebody.
func unsignedNote(row queries.UnsignedNotesRow, who login.Person) access.Note {
	note := access.Note{Kind: row.Note.Kind, VIP: row.Patient.Vip, Ties: access.TiesOf(row.Ties), Elsewhere: who.Elsewhere(row.Unit)}
	if row.Note.CreatedBy == who.ID {
		note.Ties |= access.Author
	}
	return note
}

// unsignedNotes lists the notes that nobody has signed, of a unit, or with "" those that somebody began; the oldest first. What they may
// not read is not in it.
func (s *Server) unsignedNotes(ctx context.Context, who login.Person, unit string) ([]store.UnsignedNotesRow, error) {
	asked := store.Unsigned{Unit: unit, Reader: who.ID}
	if unit == "" {
		asked.Author = who.ID
	}
	rows, err := s.db.UnsignedNotes(ctx, asked)
	if err != nil {
		return nil, err
	}
	var may []store.UnsignedNotesRow
	for _, row := range rows {
		if access.Decide(asker(who), access.ReadNote, unsignedNote(row.UnsignedNotesRow, who)).Allow {
			may = append(may, row)
		}
	}
	return may, nil
}
