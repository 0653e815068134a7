package server

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/signature"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/sessions"
	"github.com/clisonix/tidechart/web"
	"github.com/clisonix/tidechart/web/words"
)

// amendPage asks what somebody wants to say about a signed note.
func (s *Server) amendPage(w http.ResponseWriter, r *http.Request, who login.Person) error {
	id, err := noteNamed(r)
	if err != nil {
		return err
	}
	if _, err := s.mayWith(r.Context(), who, access.AmendNote, id); err != nil {
		return err
	}
	return s.showAmend(w, r, who, id, http.StatusOK, web.AmendView{Relation: string(signature.Addendum)})
}

func (s *Server) showAmend(w http.ResponseWriter, r *http.Request, who login.Person, id uuid.UUID, status int, view web.AmendView) error {
	row, err := s.db.NoteByID(r.Context(), id)
	if err != nil {
		return err
	}
	if !store.IsSigned(row.Note.State) || row.Note.State == store.Retracted {
		return store.ErrUnsigned
	}
	if view.Patient, err = s.patientOf(r.Context(), id); err != nil {
		return err
	}
	view.ID, view.Title, view.MaxReason = id.String(), row.Note.Title, store.MaxReason
	view.Shell = s.shellOf(r, who, words.Say(r.Context(), "About: {tabTitle}", web.TabTitle(r.Context(), kindName(row.Note.Kind), view.Patient)), web.SectionWorklist)
	s.render(w, r, status, web.Amend(view))
	return nil
}

// amendHere begins a note about a signed one, and leads to it.
func (s *Server) amendHere(w http.ResponseWriter, r *http.Request, who login.Person) error {
	id, err := formAbout(w, r)
	if err != nil {
		return err
	}
	view := web.AmendView{Relation: r.PostFormValue("relation"), Reason: strings.TrimSpace(r.PostFormValue("reason"))}
	if _, err := s.mayWith(r.Context(), who, access.AmendNote, id); err != nil {
		return err
	}
	switch {
	case !signature.Relation(view.Relation).Known():
		view.Relation, view.Error = "", words.Say(r.Context(), "Choose what it is.")
	case !isReason(view.Reason):
		_, view.Error = statusOf(r.Context(), store.ErrReason)
	}
	if view.Error != "" {
		return s.showAmend(w, r, who, id, http.StatusUnprocessableEntity, view)
	}
	child, err := s.amendNote(r.Context(), who, id, signature.Relation(view.Relation), view.Reason)
	if err != nil {
		return err
	}
	http.Redirect(w, r, notePath(child), http.StatusSeeOther)
	return nil
}

// isReason reports whether words can stand beside a note for as long as it is kept.
func isReason(words string) bool {
	return words != "" && len(words) <= store.MaxReason && utf8.ValidString(words) && !strings.ContainsRune(words, 0)
}

// latePage lists what somebody typed that came after notes were signed, and about which they have not decided.
func (s *Server) latePage(w http.ResponseWriter, r *http.Request, who login.Person) error {
	return s.showLate(w, r, who, http.StatusOK, uuid.Nil, "", "")
}

// showLate shows the list; of one note, why what somebody wanted to do about it was not done.
func (s *Server) showLate(w http.ResponseWriter, r *http.Request, who login.Person, status int, about uuid.UUID, says, reason string) error {
	ctx := r.Context()
	notes, err := s.db.LateNotes(ctx, who.ID)
	if err != nil {
		return err
	}
	view := web.LateList{}
	for _, n := range notes {
		st, err := s.standingOf(ctx, who, n.NoteID)
		if err != nil {
			return err
		}
		e := audit.Event{Act: audit.OpenNote, Patient: st.PatientID, Note: n.NoteID, Code: byPage + byRight(st.note.Ties)}
		if err := s.opened(ctx, who, byPage, st.note.Ties, e); err != nil {
			return err
		}
		all, err := s.lateViews(ctx, who, n.NoteID)
		if err != nil {
			return err
		}
		for _, one := range all {
			if !one.Own {
				continue
			}
			if st.may(access.ReadNote).Allow { // else they see their own words, and not whom they are about
				patient, err := s.patientOf(ctx, n.NoteID)
				if err != nil {
					return err
				}
				one.Patient = &patient
			}
			if n.NoteID == about {
				one.Error, one.Reason = says, reason
			}
			view.Rows = append(view.Rows, one)
		}
	}
	view.Shell = s.shellOf(r, who, words.Say(r.Context(), "Words that came too late"), web.SectionNone)
	view.Shell.Late = 0 // the page itself tells
	s.render(w, r, status, web.Late(view))
	return nil
}

// lateViews is what is kept beside a note, and waits for who wrote it to decide, by its authors.
func (s *Server) lateViews(ctx context.Context, who login.Person, note uuid.UUID) ([]web.LateView, error) {
	all, err := s.db.LateOf(ctx, note)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	row, err := s.db.NoteByID(ctx, note)
	if err != nil {
		return nil, err
	}
	var views []web.LateView
	at := make(map[sessions.PersonID]int)
	var authors []uuid.UUID
	for _, l := range all {
		if l.Settled != nil {
			continue
		}
		i, there := at[l.Author]
		if !there {
			i = len(views)
			at[l.Author] = i
			authors = append(authors, l.Author)
			views = append(views, web.LateView{NoteID: note.String(), Title: row.Note.Title, Own: l.Author == who.ID, MaxReason: store.MaxReason})
		}
		views[i].Texts = append(views[i].Texts, web.LateText{At: l.At.Local(), Words: l.Words, Deletes: l.Deletes})
	}
	people, err := s.peopleNamed(ctx, authors)
	if err != nil {
		return nil, err
	}
	for i, author := range authors {
		views[i].Author = people[author].Name
	}
	return views, nil
}

// defaultLateReason stands beside an addendum of words that came too late: why it was not in the note says itself.
const defaultLateReason = "Typed before the note was signed, and arrived after its signature."

// settleLate makes an addendum of what somebody typed too late, or sets it aside.
func (s *Server) settleLate(w http.ResponseWriter, r *http.Request, who login.Person) error {
	ctx := r.Context()
	id, err := formAbout(w, r)
	if err != nil {
		return err
	}
	how, reason := r.PostFormValue("how"), strings.TrimSpace(r.PostFormValue("reason"))
	if how != "amend" && how != "aside" {
		return badRequest("Say whether to make an addendum of your words, or to set them aside.")
	}
	numbers, err := s.lateNumbers(ctx, who, id)
	if err != nil {
		return err
	}
	if how == "amend" {
		if _, err := s.mayWith(ctx, who, access.AmendNote, id); err != nil {
			return err
		}
		reason = cmp.Or(reason, defaultLateReason)
	}
	if !isReason(reason) {
		status, says := statusOf(r.Context(), store.ErrReason)
		return s.showLate(w, r, who, status, id, says, clip(reason, maxForm))
	}
	if how == "aside" {
		if err := s.db.SetLateAside(as(ctx, who), id, who.ID, numbers, reason); err != nil {
			return err
		}
		http.Redirect(w, r, "/late", http.StatusSeeOther)
		return nil
	}
	child, err := s.db.AmendLate(as(ctx, who), store.Amendment{Parent: id, Relation: signature.Addendum, Reason: reason, By: who.ID}, numbers)
	if err != nil {
		return err
	}
	http.Redirect(w, r, notePath(child), http.StatusSeeOther)
	return nil
}

// lateNumbers are somebody's edits beside a note that wait for them; none is a [store.ErrLate].
func (s *Server) lateNumbers(ctx context.Context, who login.Person, note uuid.UUID) (numbers []uint64, err error) {
	all, err := s.db.LateOf(ctx, note)
	if errors.Is(err, store.ErrNotFound) {
		return nil, sessions.ErrNoNote
	}
	for _, l := range all {
		if l.Author == who.ID && l.Settled == nil {
			numbers = append(numbers, l.N)
		}
	}
	if err == nil && len(numbers) == 0 {
		err = store.ErrLate
	}
	return numbers, err
}
