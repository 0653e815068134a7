package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/sessions"
	"github.com/clisonix/tidechart/web/words"
)

// This file finds out what people have to do with notes and patients, and has package access decide.

// denial is a refusal of package access. It is an errForbidden.
type denial struct {
	act    access.Act
	reason access.Reason
}

func (d denial) Error() string { return d.act.String() + ": " + d.reason.String() }

func (denial) Is(target error) bool { return target == errForbidden }

// detail is the sentence for whoever was refused.
func (d denial) detail(ctx context.Context) string {
	switch d.reason {
	case access.NoRelation:
		return words.Say(ctx, "This patient or unit is not one of yours: you do not work there, and are not on the care team.")
	case access.Restricted:
		return words.Say(ctx, "This record is restricted to the patient's care team.")
	case access.OwnRecord:
		return words.Say(ctx, "This is about yourself. Nobody opens their own record by way of their work, reviews what they did, or administers themselves.")
	case access.NotYourKind:
		return words.Say(ctx, "Notes of this kind are written by others.")
	case access.AlreadySigned:
		return words.Say(ctx, "The note is signed.")
	case access.BeingSigned:
		return words.Say(ctx, "Somebody is about to sign the note. It can be written again if they do not, in two minutes at most.")
	case access.NotFresh:
		return words.Say(ctx, "For this, prove again who you are.")
	case access.OutOfScope:
		return words.Say(ctx, "The token is for something else, or for another unit.")
	default:
		return words.Say(ctx, "Your role does not allow this.")
	}
}

// opensWithGlass reports whether breaking the glass would help.
func (d denial) opensWithGlass() bool {
	return (d.act == access.ReadNote || d.act == access.PrintNote) && (d.reason == access.NoRelation || d.reason == access.Restricted)
}

// asker is somebody as package access knows them.
func asker(p login.Person) access.Who {
	return access.Who{Role: p.Role, Fresh: p.Fresh(), Scopes: p.Scopes}
}

// onto is what an act is done to, as the log of acts names it: ids, or none of them.
type onto struct{ patient, note, about uuid.UUID }

// decide returns nil, or a [denial], which is on record by then.
func (s *Server) decide(ctx context.Context, p login.Person, act access.Act, note access.Note, to onto) error {
	refused := s.refuses(p, act, note, to)
	if refused == nil {
		return nil
	}
	e := audit.Event{Act: audit.Access, Outcome: audit.Refused, Patient: to.patient, Note: to.note, About: to.about, Code: refused.Error()}
	return cmp.Or(s.db.Record(as(ctx, p), e), refused)
}

// refuses returns nil, or a [denial] that is not on record yet. The log of the server has it: who watches that sees at once.
func (s *Server) refuses(p login.Person, act access.Act, note access.Note, to onto) error {
	d := access.Decide(asker(p), act, note)
	if d.Allow {
		return nil
	}
	s.log.Warn("denied", "person", p.ID, "act", act.String(), "patient", to.patient, "note", to.note, "about", to.about, "reason", d.Reason.String())
	return denial{act, d.Reason}
}

// standing is what somebody has to do with a note, at one moment.
type standing struct {
	queries.StandingRow
	who  access.Who
	note access.Note
}

// standingOf looks that up. Their role is the one that goes with the counters, whatever their login said before.
func (s *Server) standingOf(ctx context.Context, p login.Person, note uuid.UUID) (standing, error) {
	row, err := s.db.Standing(ctx, p.ID, note)
	if errors.Is(err, store.ErrNotFound) {
		return standing{}, sessions.ErrNoNote
	}
	if err != nil {
		return standing{}, fmt.Errorf("look up note: %w", err)
	}
	who := asker(p)
	who.Role = access.Role(row.Role)
	about := access.Note{
		Kind: row.Kind, Signed: store.IsSigned(row.State), Frozen: row.State == store.Freezing && !row.Writable, VIP: row.Vip, Ties: access.TiesOf(row.Ties),
		Elsewhere: p.Elsewhere(row.Unit),
	}
	if row.Answers {
		about.Ties |= access.Answers
	}
	if row.Author {
		about.Ties |= access.Author
	}
	return standing{row, who, about}, nil
}

func (st standing) may(act access.Act) access.Decision { return access.Decide(st.who, act, st.note) }

// closed says why somebody may not write a note who could but for its signature, or for somebody being about to sign it.
func (st standing) closed() sessions.Closed {
	open := st.note
	open.Signed, open.Frozen = false, false
	switch {
	case !access.Decide(st.who, access.WriteNote, open).Allow:
		return sessions.Open
	case st.note.Signed:
		return sessions.Sealed
	case st.note.Frozen:
		return sessions.Frozen
	}
	return sessions.Open
}

// again is when what was decided may be otherwise by itself: a shift ends, or a freeze.
func (st standing) again() time.Time {
	if st.note.Frozen && st.FrozenUntil != nil && (st.Until.IsZero() || st.FrozenUntil.Before(st.Until)) {
		return *st.FrozenUntil
	}
	return st.Until
}

// Ways to open a record, as the table opening has them.
const (
	byPage     = "page"
	byEditor   = "editor"
	byAPI      = "api"
	byGlass    = "glass"
	byAccesses = "accesses"
	byExport   = "export"
	byHistory  = "history"
	byPrint    = "print"
	byFile     = "file"
	denied     = "denied"
	notAgain   = ""       // a decision about what is open already, or is not opened by it
	byTicket   = "ticket" // not yet: the socket is on record when it opens, as byEditor
)

// mayDo decides about a note that somebody names, and returns what was decided on. That they open it in that way, or
// try to, is on record before they get anything.
func (s *Server) mayDo(ctx context.Context, p login.Person, act access.Act, note uuid.UUID, how string) (standing, error) {
	return s.mayDoAs(ctx, p, act, note, how, audit.Event{Act: audit.OpenNote, Code: how})
}

// mayDoAs is mayDo of what is on record as e, in whose code stands how they do it.
func (s *Server) mayDoAs(ctx context.Context, p login.Person, act access.Act, note uuid.UUID, how string, e audit.Event) (standing, error) {
	st, err := s.standingOf(ctx, p, note)
	if err != nil {
		return st, err
	}
	p.Role = st.who.Role
	if st.State == stateDestroyed {
		return st, s.destroyed(ctx, p, st, note, how)
	}
	refused := s.refuses(p, act, st.note, onto{patient: st.PatientID, note: note})
	if how == notAgain || how == byTicket && refused == nil {
		return st, refused
	}
	e.Patient, e.Note, e.Code = st.PatientID, note, e.Code+byRight(st.note.Ties)
	if refused != nil {
		how, e.Act, e.Outcome, e.Code = denied, audit.Access, audit.Refused, refused.Error()
	}
	err = s.opened(ctx, p, how, st.note.Ties, e)
	return st, cmp.Or(refused, err)
}

// byRight says for the log of acts, which is in English whoever acts, what linked somebody to a patient.
func byRight(ties access.Ties) string {
	if ties == 0 {
		return ""
	}
	return " by " + ties.String()
}

// opened records that somebody has opened a record, or one note of it, in some way: for the list of who has, and in the log of
// acts.
func (s *Server) opened(ctx context.Context, p login.Person, how string, ties access.Ties, e audit.Event) error {
	return s.db.RecordOpening(as(ctx, p), store.Opening{
		Person: p.ID, Patient: e.Patient, Note: uuid.NullUUID{UUID: e.Note, Valid: e.Note != uuid.Nil}, How: how, Ties: ties.String(),
	}, e)
}

// as is a context in which acts are somebody's.
func as(ctx context.Context, p login.Person) context.Context {
	o := audit.OriginOf(ctx)
	o.Who, o.Role, o.Login = p.ID, string(p.Role), p.Login
	return audit.From(ctx, o)
}

// placed returns a request whose acts come from where it does. Whose they are is known later.
func (s *Server) placed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(audit.From(r.Context(), s.origin(r))))
	})
}

// listed is a note of a list as it stands to somebody.
func listed(row store.NotesForRow, who login.Person) access.Note {
	return noteStanding(row.Note, row.Patient.Vip, row.Ties, row.Unit, who)
}

// noteStanding is a note as it stands to somebody whom ties link to its patient, on a unit.
func noteStanding(note queries.Note, vip bool, ties []string, unit string, who login.Person) access.Note {
	about := access.Note{
		Kind: note.Kind, Signed: store.IsSigned(note.State), Frozen: note.State == store.Freezing && !store.Writable(note), VIP: vip,
		Ties: access.TiesOf(ties), Elsewhere: who.Elsewhere(unit),
	}
	if note.CreatedBy == who.ID {
		about.Ties |= access.Author
	}
	return about
}

// notesFor returns the notes of a unit, or with "" of all, that somebody may read; and whether there may be more.
func (s *Server) notesFor(ctx context.Context, who login.Person, unit string) (notes []store.NotesForRow, more bool, err error) {
	rows, err := s.db.NotesFor(ctx, queries.NotesForParams{
		Person: who.ID, Unit: cmp.Or(unit, who.TokenUnit), Everyone: access.MayAlways(who.Role, access.ReadNote), MaxRows: maxNotes,
	})
	if err != nil {
		return nil, false, fmt.Errorf("list notes: %w", err)
	}
	for _, row := range rows {
		if access.Decide(asker(who), access.ReadNote, listed(row, who)).Allow {
			notes = append(notes, row)
		}
	}
	return notes, len(rows) == maxNotes, nil
}

// bedsFor returns the beds of a unit, or with "" of all. Patients whom somebody may not see are not in them.
func (s *Server) bedsFor(ctx context.Context, who login.Person, unit string) ([]store.BedsForRow, error) {
	rows, err := s.db.BedsFor(ctx, who.ID, unit)
	if err != nil {
		return nil, fmt.Errorf("list beds: %w", err)
	}
	for i, row := range rows {
		if !access.Decide(asker(who), access.SeePatient, access.Note{Ties: access.TiesOf(row.Ties), Elsewhere: who.Elsewhere(row.UnitID)}).Allow {
			rows[i] = store.BedsForRow{BedsForRow: queries.BedsForRow{BedID: row.BedID, BedLabel: row.BedLabel, UnitID: row.UnitID}}
		}
	}
	return rows, nil
}

// onUnit is a unit as it stands to somebody.
func onUnit(works bool) access.Note {
	if works {
		return access.Note{Ties: access.Unit}
	}
	return access.Note{}
}
