package server

import (
	"cmp"
	"net/http"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/sessions"
)

// notePrinted takes the word of a note's page that a browser's own command is about to print it, which is on record for the patient. Whoever
// may not print the note cannot say so; that they tried is. The print page needs nobody's word: it is on record before it is shown.
func (s *Server) notePrinted(w http.ResponseWriter, r *http.Request, who login.Person) error {
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return sessions.ErrNoNote
	}
	st, refused := s.mayDo(r.Context(), who, access.PrintNote, id, notAgain)
	if st.PatientID == uuid.Nil {
		return refused
	}
	e := audit.Event{Act: audit.PrintNote, Patient: st.PatientID, Note: id, Code: byPage + byRight(st.note.Ties)}
	if refused != nil {
		e.Outcome, e.Code = audit.Refused, refused.Error()
	}
	if err := cmp.Or(s.db.Record(as(r.Context(), who), e), refused); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
