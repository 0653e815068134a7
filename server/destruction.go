package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/sessions"
	"github.com/clisonix/tidechart/web"
	"github.com/clisonix/tidechart/web/words"
)

// This file is the page on which two people decide that a record is destroyed, and on which records are held.

const (
	destructionPath = "/destruction"
	holdsPath       = "/holds"
)

// maxDecisions is how many decisions, and how many holds, the page lists.
const maxDecisions = 200

// shredReasons are the coded reasons, in the order of the form. They stay when the words are destroyed with the rest.
var shredReasons = []web.Option{
	{Value: "retention", Text: "It need not be kept any longer"},
	{Value: "erasure", Text: "The patient asks for it, and the law is with them"},
	{Value: "order", Text: "A court or an authority orders it"},
	{Value: "error", Text: "It was written about somebody else, or never should have been"},
	{Value: "test", Text: "It was made for a test"},
}

// mountDestruction adds the page. Whoever decides something there has just proven that it is them.
func (s *Server) mountDestruction(mux *http.ServeMux) {
	mux.Handle("GET "+destructionPath, s.known(func(w http.ResponseWriter, r *http.Request, who login.Person) error {
		if !access.May(who.Role, access.AskDestroy) {
			if err := s.mayAtAll(r, who, access.ApproveDestroy); err != nil {
				return err
			}
		}
		return s.showDestruction(w, r, who, http.StatusOK, web.DestructionView{})
	}))
	decides := func(pattern string, act access.Act, h func(http.ResponseWriter, *http.Request, login.Person) error) {
		mux.Handle(pattern, s.known(func(w http.ResponseWriter, r *http.Request, who login.Person) error {
			if err := s.mayAtAll(r, who, act); err != nil {
				return err
			}
			if err := justProven(who, destructionPath); err != nil {
				return err
			}
			r.Body = http.MaxBytesReader(w, r.Body, maxForm)
			if err := r.ParseForm(); err != nil {
				return err
			}
			return h(w, r, who)
		}))
	}
	decides("POST "+destructionPath, access.AskDestroy, s.askDestruction)
	decides("POST "+destructionPath+"/{id}/withdraw", access.AskDestroy, s.decision(access.AskDestroy, "withdrawn"))
	decides("POST "+destructionPath+"/{id}/approve", access.ApproveDestroy, s.decision(access.ApproveDestroy, ""))
	decides("POST "+destructionPath+"/{id}/refuse", access.ApproveDestroy, s.decision(access.ApproveDestroy, "refused"))
	decides("POST "+holdsPath, access.Hold, s.setHold)
	decides("POST "+holdsPath+"/{id}/lift", access.Hold, s.liftHold)
}

// mayAtAll refuses whose role may not do act to anything; that is on record.
func (s *Server) mayAtAll(r *http.Request, who login.Person, act access.Act) error {
	if access.May(who.Role, act) {
		return nil
	}
	return s.decide(r.Context(), who, act, access.Note{}, onto{})
}

// mayAbout refuses who may not do act to that patient's record.
func (s *Server) mayAbout(r *http.Request, who login.Person, act access.Act, patient uuid.UUID) error {
	row, err := s.db.StandingTo(r.Context(), who.ID, patient)
	if err != nil {
		return err
	}
	return s.decide(r.Context(), who, act, access.Note{Ties: access.TiesOf(row.Ties)}, onto{patient: patient})
}

// recordNamed finds what somebody names: a note by its address or id, or all about a patient by their number.
func (s *Server) recordNamed(r *http.Request, name string) (store.Record, error) {
	if at := strings.LastIndex(name, "/notes/"); at >= 0 {
		name = name[at+len("/notes/"):]
	}
	if id, err := uuid.Parse(name); err == nil {
		row, err := s.db.NoteOwner(r.Context(), id)
		return store.Record{Patient: row, Note: uuid.NullUUID{UUID: id, Valid: true}}, err
	}
	row, err := s.db.PatientByMRN(r.Context(), name)
	return store.Record{Patient: row.Patient.ID}, err
}

// recordIn is the record that a form names, which somebody may do act to; or what the form lacks.
func (s *Server) recordIn(r *http.Request, who login.Person, act access.Act, v *web.DestructionView) (record store.Record, says string, err error) {
	v.Sought, v.Words = clip(strings.TrimSpace(r.PostFormValue("record")), maxQuery), strings.TrimSpace(r.PostFormValue("words"))
	if says := wordsMissing(r.Context(), v.Words); says != "" {
		return record, says, nil
	}
	record, err = s.recordNamed(r, v.Sought)
	if errors.Is(err, store.ErrNotFound) || store.IsBadValue(err) {
		return record, words.Say(r.Context(), "No patient has this number, and no note this address. Check it, and try again."), nil
	}
	if err == nil {
		err = s.mayAbout(r, who, act, record.Patient)
	}
	return record, "", err
}

// wordsMissing says what is wrong with words that say why.
func wordsMissing(ctx context.Context, why string) string {
	if n := utf8.RuneCountInString(why); n < minWords || n > maxWords || !utf8.ValidString(why) || strings.ContainsRune(why, 0) {
		return words.Say(ctx, "Say why in {minWords} to {maxWords} characters. Somebody will read it.", strconv.Itoa(minWords), strconv.Itoa(maxWords))
	}
	return ""
}

// refusedDecision says to whoever decides why the database does not take it; "" if err is nothing of that kind.
func refusedDecision(ctx context.Context, err error) string {
	switch {
	case store.IsTaken(err):
		return words.Say(ctx, "Somebody has asked for this already: it is in the list.")
	case errors.Is(err, store.ErrTwoPeople):
		return words.Say(ctx, "That does not count: two people decide, of whom one asks and the other approves, within a week; and it may be over by now.")
	case errors.Is(err, sessions.ErrDestroyed):
		return words.Say(ctx, "It is destroyed already.")
	case errors.Is(err, store.ErrNotFound):
		return words.Say(ctx, "It is over by now.")
	}
	return ""
}

// settleDecision goes back to the page, or shows why it was not done.
func (s *Server) settleDecision(w http.ResponseWriter, r *http.Request, who login.Person, v web.DestructionView, says string, err error) error {
	if err != nil {
		if says = refusedDecision(r.Context(), err); says == "" {
			return err
		}
	}
	if says != "" {
		v.Error = says
		return s.showDestruction(w, r, who, http.StatusUnprocessableEntity, v)
	}
	http.Redirect(w, r, destructionPath, http.StatusSeeOther)
	return nil
}

func (s *Server) askDestruction(w http.ResponseWriter, r *http.Request, who login.Person) error {
	view := web.DestructionView{Reason: r.PostFormValue("reason")}
	record, says, err := s.recordIn(r, who, access.AskDestroy, &view)
	if says == "" && err == nil && choiceText(r.Context(), shredReasons, view.Reason) == "" {
		says = words.Say(r.Context(), "Choose a reason.")
	}
	if says == "" && err == nil {
		_, err = s.db.AskShredding(r.Context(), record, who.ID, view.Reason, view.Words)
	}
	return s.settleDecision(w, r, who, view, says, err)
}

// decision approves what was asked for, or with how ends it.
func (s *Server) decision(act access.Act, how string) personal {
	return func(w http.ResponseWriter, r *http.Request, who login.Person) error {
		id, err := uuid.Parse(r.PathValue("id"))
		if err != nil {
			return store.ErrNotFound
		}
		row, err := s.db.ShreddingByID(r.Context(), id)
		if err == nil {
			err = s.mayAbout(r, who, act, row.PatientID)
		}
		if err != nil {
			return err
		}
		if how == "" {
			err = s.db.ApproveShredding(r.Context(), id, who.ID)
		} else {
			err = s.db.EndShredding(r.Context(), id, who.ID, how)
		}
		return s.settleDecision(w, r, who, web.DestructionView{}, "", err)
	}
}

func (s *Server) setHold(w http.ResponseWriter, r *http.Request, who login.Person) error {
	view := web.DestructionView{Holding: true}
	record, says, err := s.recordIn(r, who, access.Hold, &view)
	if says == "" && err == nil {
		_, err = s.db.SetHold(r.Context(), record, who.ID, view.Words)
	}
	return s.settleDecision(w, r, who, view, says, err)
}

func (s *Server) liftHold(w http.ResponseWriter, r *http.Request, who login.Person) error {
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return store.ErrNotFound
	}
	hold, err := s.db.HoldByID(r.Context(), id)
	if err == nil {
		err = s.mayAbout(r, who, access.Hold, hold.PatientID)
	}
	if err != nil {
		return err
	}
	words := strings.TrimSpace(r.PostFormValue("words"))
	says := wordsMissing(r.Context(), words)
	if says == "" {
		err = s.db.LiftHold(r.Context(), id, who.ID, words)
	}
	return s.settleDecision(w, r, who, web.DestructionView{}, says, err)
}

func choiceText(ctx context.Context, choices []web.Option, value string) string {
	for _, c := range choices {
		if c.Value == value {
			return words.Say(ctx, c.Text)
		}
	}
	return ""
}

// showDestruction shows what was decided and what is held, after a refusal with what was typed.
func (s *Server) showDestruction(w http.ResponseWriter, r *http.Request, who login.Person, status int, view web.DestructionView) error {
	view.Shell = s.shellOf(r, who, words.Say(r.Context(), "Destruction of records"), web.SectionDestruction)
	view.Fresh, view.CanAsk, view.CanHold = who.Fresh(), access.May(who.Role, access.AskDestroy), access.May(who.Role, access.Hold)
	view.Reasons, view.Within, view.MinWords, view.MaxWords = web.Choices(r.Context(), shredReasons), store.ShredWithin, minWords, maxWords
	rows, err := s.db.Shreddings(r.Context(), maxDecisions)
	if err != nil {
		return fmt.Errorf("list decisions: %w", err)
	}
	for _, row := range rows {
		one, over := decisionView(r.Context(), who, row)
		if over {
			view.Over = append(view.Over, one)
		} else {
			view.Waiting = append(view.Waiting, one)
		}
	}
	holds, err := s.db.Holds(r.Context(), false, maxDecisions)
	if err != nil {
		return fmt.Errorf("list holds: %w", err)
	}
	if err := s.db.Record(r.Context(), audit.Event{Act: audit.SeeDecisions, Code: fmt.Sprintf("decisions=%d holds=%d", len(rows), len(holds))}); err != nil {
		return err
	}
	for _, row := range holds {
		view.Holds = append(view.Holds, web.Hold{
			ID: row.LegalHold.ID.String(), Record: recordView(row.Patient, row.LegalHold.NoteID, row.Kind), Words: row.Words,
			Setter: row.Setter, SetAt: row.LegalHold.SetAt.Local(),
		})
	}
	s.render(w, r, status, web.DestructionPage(view))
	return nil
}

func recordView(p store.Patient, note uuid.NullUUID, kind string) web.Record {
	record := web.Record{PatientInitials: initialsOf(p), MRN: p.Mrn}
	if p.Family == store.Destroyed {
		record.PatientInitials = ""
	}
	if note.Valid {
		record.NoteID, record.NoteKind = note.UUID.String(), kindName(kind)
	}
	return record
}

// decisionView is a decision as somebody sees it who has a part in such.
func decisionView(ctx context.Context, who login.Person, row store.ShreddingsRow) (one web.Destruction, over bool) {
	d := row.Shredding
	one = web.Destruction{
		ID: d.ID.String(), Record: recordView(row.Patient, d.NoteID, row.Kind), Reason: choiceText(ctx, shredReasons, d.Reason), Words: row.Words,
		Notes: int(row.Notes), Held: row.Held, Here: row.Here && !d.NoteID.Valid,
		Asker: row.Asker, AskedAt: d.AskedAt.Local(), Until: d.Until.Local(), Approver: row.Approver, ApprovedAt: clock(d.ApprovedAt),
		Ender: row.Ender, EndedAt: clock(d.EndedAt), DoneAt: clock(d.DoneAt),
	}
	if row.Overdue {
		one.EndedAt = d.Until.Local()
	}
	over = !one.DoneAt.IsZero() || !one.EndedAt.IsZero()
	fresh := who.Fresh() && !over
	one.CanApprove = fresh && !d.ApprovedBy.Valid && d.AskedBy != who.ID && access.May(who.Role, access.ApproveDestroy)
	one.CanRefuse = fresh && access.May(who.Role, access.ApproveDestroy)
	one.CanWithdraw = fresh && access.May(who.Role, access.AskDestroy)
	return one, over
}
