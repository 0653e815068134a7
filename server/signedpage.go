package server

import (
	"context"
	"errors"
	"net/http"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/signature"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/web"
	"github.com/clisonix/tidechart/web/words"
)

// maxShownAbout is how many notes about a signed one are shown in full below it (I10); the others are listed.
const maxShownAbout = 20

// signedPage shows a note that is signed, with what was said about it since. That somebody opens it is on record by now.
func (s *Server) signedPage(w http.ResponseWriter, r *http.Request, who login.Person, st standing, row store.NoteByIDRow, patient web.Patient) error {
	ctx := r.Context()
	id := row.Note.ID
	rendering, err := s.db.Render(ctx, id)
	if err != nil {
		return err
	}
	signatures, err := s.db.Signatures(ctx, id)
	if err != nil {
		return err
	}
	view := web.SignedView{
		Patient: patient, ID: id.String(), Title: row.Note.Title, Kind: kindName(row.Note.Kind), LOINC: loincOf(row.Note.Kind),
		Status: web.NoteStatus(row.Note.State), Body: rendering.Doc, CreatedBy: row.Creator, CreatedAt: row.Note.CreatedAt.Local(),
		Signatures: signatureViews(signatures), WaitsForCosign: store.WaitsForCosign(signatures),
		Tampered: len(signatures) == 0 || signatures[0].Hashes != rendering.Hashes(),
	}
	if view.Tampered {
		s.log.Error("a signed note does not read as it was signed", "note", id)
	}
	if carried, err := s.carriedIn(ctx, id); err != nil {
		s.log.Warn("not found what was carried over", "note", id, "err", err)
	} else if carried != nil && !view.Tampered {
		view.Body, view.Carried, view.CarriedFrom = carried.body, carried.says, carried.from
	}
	own, received := false, false
	for _, one := range signatures {
		own, received = own || one.By == who.ID, received || one.Meaning == signature.Receiver
	}
	retracted := row.Note.State == store.Retracted
	view.CanCosign = view.WaitsForCosign && !own && !retracted && st.mayOnceFresh(access.CosignNote)
	view.CanWitness = !view.CanCosign && !own && !retracted && st.mayOnceFresh(access.WitnessNote)
	view.CanAmend = !retracted && st.mayOnceFresh(access.AmendNote)
	if view.About, err = s.aboutWhat(ctx, id); err != nil {
		return err
	}
	handoff := isSignedHandoff(row.Note) && view.About == nil && !retracted // what is added to one is none
	view.WaitsForReceiver = handoff && !received
	view.CanReceive = handoff && !own && st.mayOnceFresh(access.ReceiveNote)
	if view.Notes, err = s.notesAbout(ctx, who, id); err != nil {
		return err
	}
	if !retracted {
		if view.Tasks, err = s.signedTasks(ctx, st, id); err != nil {
			return err
		}
	}
	if view.Late, err = s.lateViews(ctx, who, id); err != nil {
		return err
	}
	if view.Comments, err = s.commentsView(ctx, who, st, id); err != nil {
		return err
	}
	view.Shell = s.shellOf(r, who, web.TabTitle(r.Context(), view.Kind, patient), web.SectionWorklist)
	s.render(w, r, http.StatusOK, web.Signed(view))
	return nil
}

// aboutWhat is what a note is about; nil: it stands alone.
func (s *Server) aboutWhat(ctx context.Context, note uuid.UUID) (*web.AboutView, error) {
	about, err := s.db.AboutWhat(ctx, note)
	if err == store.ErrNotFound { //nolint:errorlint // it is returned as it is
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	view, err := s.aboutView(ctx, about)
	return &view, err
}

// notesAbout lists what was said about a note. Those that are signed are shown in full to who may read them, which is on record as if
// they had opened each; what they may not read is not in the list.
func (s *Server) notesAbout(ctx context.Context, who login.Person, note uuid.UUID) ([]web.AboutView, error) {
	all, err := s.db.AllAbout(ctx, note)
	if err != nil {
		return nil, err
	}
	var views []web.AboutView
	depth := map[uuid.UUID]int{note: 0}
	shown := 0
	for _, a := range all {
		depth[a.Note] = depth[a.Parent] + 1
		st, err := s.standingOf(ctx, who, a.Note)
		if err != nil {
			return nil, err
		}
		if !st.may(access.ReadNote).Allow {
			continue
		}
		view, err := s.aboutView(ctx, a)
		if err != nil {
			return nil, err
		}
		view.Depth = depth[a.Note]
		if store.IsSigned(a.State) && shown < maxShownAbout {
			shown++
			if err := s.showInFull(ctx, who, a.Note, &view); err != nil {
				return nil, err
			}
		}
		views = append(views, view)
	}
	return views, nil
}

// showInFull adds what a signed note says, and by whose signature.
func (s *Server) showInFull(ctx context.Context, who login.Person, note uuid.UUID, view *web.AboutView) error {
	if _, err := s.mayDo(ctx, who, access.ReadNote, note, byPage); err != nil {
		return err
	}
	rendering, err := s.asSigned(ctx, note)
	if errors.Is(err, errNotAsSigned) {
		rendering.Doc, err = sentence(words.Say(ctx, notAsSigned)), nil
	}
	if err != nil {
		return err
	}
	signatures, err := s.db.Signatures(ctx, note)
	view.Body, view.Signatures = &rendering.Doc, signatureViews(signatures)
	return err
}

// standingNow says to an editor that is open why nobody writes the note now: who holds it still and until when, or that it is signed. It
// is empty while it can be written.
func (s *Server) standingNow(w http.ResponseWriter, r *http.Request, who login.Person) error {
	ctx := r.Context()
	id, err := noteNamed(r)
	if err != nil {
		return err
	}
	if _, err := s.mayDo(ctx, who, access.ReadNote, id, notAgain); err != nil {
		return err
	}
	row, err := s.db.NoteByID(ctx, id)
	if err != nil {
		return err
	}
	view := web.StandingView{ID: id.String(), Frozen: s.freezeView(ctx, who, row.Note)}
	if store.IsSigned(row.Note.State) {
		signatures, err := s.db.Signatures(ctx, id)
		if err != nil {
			return err
		}
		view.Signatures = signatureViews(signatures)
		late, err := s.lateViews(ctx, who, id)
		if err != nil {
			return err
		}
		for _, l := range late {
			if l.Own {
				view.Late = &l
			}
		}
	}
	w.Header().Set("Cache-Control", "no-store")
	s.render(w, r, http.StatusOK, web.Standing(view))
	return nil
}
