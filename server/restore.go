package server

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/sessions"
	"github.com/clisonix/tidechart/sessions/history"
	"github.com/clisonix/tidechart/web"
	"github.com/clisonix/tidechart/web/words"
)

// restorePage asks whether a note is to say again what it said, and shows what that would change.
func (s *Server) restorePage(w http.ResponseWriter, r *http.Request, who login.Person) error {
	return s.askRestore(w, r, who, http.StatusOK, r.URL.Query().Get("at"), false)
}

func (s *Server) askRestore(w http.ResponseWriter, r *http.Request, who login.Person, status int, asked string, meanwhile bool) error {
	id, past, _, err := s.openPast(r, who)
	if err != nil {
		return err
	}
	if _, err := s.mayDo(r.Context(), who, access.WriteNote, id, notAgain); err != nil {
		return err
	}
	named, err := s.db.Versions(r.Context(), id)
	if err != nil {
		return err
	}
	at, err := askedVersion(past, named, asked, past.Head())
	if err != nil {
		return err
	}
	view, err := s.compared(r, who, id, past, past.Head(), at)
	if err != nil {
		return err
	}
	view.Heading, view.BringBack, view.Meanwhile, view.To.Name = words.Say(r.Context(), "Bring back"), true, meanwhile, nameOf(named, at)
	if _, err := turned(past, past.Head(), at); errors.Is(err, prose.ErrForeign) {
		view.Why = words.Say(r.Context(), "This cannot be brought back: one of the two versions has parts that this version of Tidechart cannot write.")
	} else if err != nil {
		return err
	}
	s.render(w, r, status, web.Compare(view))
	return nil
}

// restore makes a note say again what it said, by an edit of whoever asks. It does so only if they were shown what that changes: if the
// note has changed since, they are asked again.
func (s *Server) restore(w http.ResponseWriter, r *http.Request, who login.Person) error {
	form, err := filterOf(w, r)
	if err != nil {
		return err
	}
	id, past, st, err := s.openPast(r, who)
	if err != nil {
		return err
	}
	if _, err := s.mayDo(r.Context(), who, access.WriteNote, id, notAgain); err != nil {
		return err
	}
	at, err := strconv.ParseUint(form.Get("at"), 10, 53)
	head := past.Head()
	if err != nil || at < 1 || at > head {
		return badRequest("There is no such version.")
	}
	if form.Get("head") != strconv.FormatUint(head, 10) {
		return s.askRestore(w, r, who, http.StatusConflict, form.Get("at"), true)
	}
	update, err := turned(past, head, at)
	if errors.Is(err, prose.ErrForeign) {
		return s.askRestore(w, r, who, http.StatusUnprocessableEntity, form.Get("at"), false)
	}
	if err != nil {
		return err
	}
	if update != nil {
		if err := s.bringBack(r.Context(), who, id, st, update, fmt.Sprintf("seq=%d instead=%d", at, head)); err != nil {
			return err
		}
	}
	http.Redirect(w, r, notePath(id), http.StatusSeeOther)
	return nil
}

// bringBack has an update admitted as if it were typed. That it is tried is on record before, and that it failed after.
func (s *Server) bringBack(ctx context.Context, who login.Person, id uuid.UUID, st standing, update []byte, code string) error {
	if err := s.limits.edit(who, len(update)); err != nil {
		return err
	}
	grant, err := s.grant(ctx, who, id, notAgain)
	if err != nil {
		return err
	}
	grant.Schema = prose.CurrentSchema()
	e := audit.Event{Act: audit.BringBack, Patient: st.PatientID, Note: id, Code: code}
	if err := s.db.Record(ctx, e); err != nil {
		return err
	}
	if _, err := s.hub.Apply(ctx, id, grant, update); err != nil {
		e.Outcome = audit.Failed
		return errors.Join(err, s.db.Record(context.WithoutCancel(ctx), e))
	}
	return nil
}

// turned returns the update that makes a note, as it was after the row from, say what it said after the row to; nil if it says that
// already. It is an edit like any other, under a client id that nobody has used: whoever sends it is its author.
func turned(past *history.Past, from, to uint64) ([]byte, error) {
	old, err := noteAt(past, to)
	if err != nil {
		return nil, err
	}
	doc, err := past.Doc(from)
	if err != nil {
		return nil, err
	}
	var failed error
	update, err := doc.Transact(newClient(doc.StateVector()), func(tx *crdt.Txn) {
		failed = prose.Turn(tx, doc.XMLFragment(sessions.Fragment), old)
	})
	if err := errors.Join(failed, err); err != nil {
		return nil, err
	}
	return update, nil
}

// newClient draws a client id as browsers do, from 32 bits, that is not in use.
func newClient(used crdt.StateVector) crdt.ClientID {
	for {
		var b [4]byte
		_, _ = rand.Read(b[:]) // never fails
		id := crdt.ClientID(binary.BigEndian.Uint32(b[:]))
		if _, taken := used[id]; !taken && id > 0 {
			return id
		}
	}
}
