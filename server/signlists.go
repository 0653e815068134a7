package server

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/web"
	"github.com/clisonix/tidechart/web/words"
)

// overdueAfter is how long a note may wait for its signature before lists mark it.
const overdueAfter = 24 * time.Hour

// cosignPage lists the notes that wait for somebody to cosign, the longest waiting first.
func (s *Server) cosignPage(w http.ResponseWriter, r *http.Request, who login.Person) error {
	rows, err := s.cosignInbox(r.Context(), who)
	if err != nil {
		return err
	}
	units, err := s.unitNames(r.Context())
	if err != nil {
		return err
	}
	view := web.SignList{Shell: s.shellOf(r, who, words.Say(r.Context(), "To cosign"), web.SectionCosign), Overdue: overdueAfter, Truncated: len(rows) >= store.MaxAwaiting}
	if view.Tabs, err = s.worklistTabs(r.Context(), who, view.Shell); err != nil {
		return err
	}
	for _, row := range rows {
		one := waitingRow(row.Note, patientView(row.Patient, row.BedLabel, units[row.Unit]), row.SignedBy, row.SignedAt, view.Now)
		one.Supervises, one.CanSign = row.Supervises, true
		view.Rows = append(view.Rows, one)
	}
	slices.SortStableFunc(view.Rows, func(a, b web.SignRow) int { return a.Since.Compare(b.Since) })
	ready, err := s.db.ReadyForReview(r.Context(), who.ID)
	if err != nil {
		return fmt.Errorf("list what is ready for review: %w", err)
	}
	for _, row := range ready {
		if mayReview(row.ReadyForReviewRow, who, access.ReadNote) {
			one := waitingRow(row.Note, patientView(row.Patient, row.BedLabel, units[row.Unit]), row.Creator, row.Note.EditedAt, view.Now)
			one.Supervises, one.CanSign = row.Supervises, mayReview(row.ReadyForReviewRow, who, access.SignNote)
			view.Ready = append(view.Ready, one)
		}
	}
	s.render(w, r, http.StatusOK, web.CosignInbox(view))
	return nil
}

// unsignedPage lists notes that nobody has signed: somebody's own, or for who answers for a unit all of it.
func (s *Server) unsignedPage(w http.ResponseWriter, r *http.Request, who login.Person) error {
	view := web.SignList{Overdue: overdueAfter, OffersOf: answersForUnit(who)}
	unit := ""
	if r.URL.Query().Get("of") == "unit" && view.OffersOf {
		view.Of, unit = "unit", who.Unit
	}
	rows, err := s.unsignedNotes(r.Context(), who, unit)
	if err != nil {
		return err
	}
	units, err := s.unitNames(r.Context())
	if err != nil {
		return err
	}
	view.Shell, view.Truncated = s.shellOf(r, who, words.Say(r.Context(), "Unsigned notes"), web.SectionUnsigned), len(rows) >= store.MaxUnsigned
	if view.Tabs, err = s.worklistTabs(r.Context(), who, view.Shell); err != nil {
		return err
	}
	asked := asker(who)
	asked.Fresh = true
	for _, row := range rows {
		one := waitingRow(row.Note, patientView(row.Patient, row.BedLabel, units[row.Unit]), row.Creator, row.Note.CreatedAt, view.Now)
		one.CanSign = access.Decide(asked, access.SignNote, unsignedNote(row.UnsignedNotesRow, who)).Allow
		view.Rows = append(view.Rows, one)
	}
	s.render(w, r, http.StatusOK, web.Unsigned(view))
	return nil
}

// answersForUnit reports whether somebody sees what of their unit is not signed.
func answersForUnit(who login.Person) bool {
	return who.Unit != "" && (who.Role == access.Attending || who.Role == access.ChargeNurse)
}

func waitingRow(n queries.Note, patient web.Patient, by string, since, now time.Time) web.SignRow {
	return web.SignRow{
		Patient: patient, NoteID: n.ID.String(), Title: n.Title, Kind: kindName(n.Kind), Status: web.NoteStatus(store.StateOf(n)), By: by,
		Since: since.Local(), Overdue: now.Sub(since) > overdueAfter,
	}
}

func (s *Server) unitNames(ctx context.Context) (map[string]string, error) {
	units, err := s.db.Units(ctx)
	if err != nil {
		return nil, err
	}
	names := make(map[string]string, len(units))
	for _, u := range units {
		names[u.ID] = u.Name
	}
	return names, nil
}

// toCosign is how many notes wait for somebody to cosign, or to look at before they are signed.
func (s *Server) toCosign(ctx context.Context, who login.Person) (n int, err error) {
	rows, err := s.db.Queries.AwaitingCosign(ctx, who.ID, store.MaxAwaiting) // of which nobody opens a patient's name
	if err != nil {
		return 0, fmt.Errorf("count what waits to be cosigned: %w", err)
	}
	for _, row := range rows {
		if mayCosign(row, who) {
			n++
		}
	}
	ready, err := s.db.Queries.ReadyForReview(ctx, who.ID, store.MaxAwaiting)
	if err != nil {
		return 0, fmt.Errorf("count what is ready for review: %w", err)
	}
	for _, row := range ready {
		if mayReview(row, who, access.ReadNote) {
			n++
		}
	}
	return n, nil
}

// tellSigning adds what waits for somebody's signature, and whose words came too late. A page is worth more than what it tells beside.
func (s *Server) tellSigning(ctx context.Context, who login.Person, shell *web.Shell) {
	shell.CanWrite = access.May(who.Role, access.WriteNote)
	if !shell.CanWrite {
		return
	}
	failed := func(err error) bool {
		if err != nil {
			s.log.Error("what waits to be signed not looked for", "err", err)
		}
		return err != nil
	}
	late, err := s.db.LateNotes(ctx, who.ID)
	if failed(err) {
		return
	}
	shell.Late = len(late)
	rows, err := s.db.Queries.UnsignedNotes(ctx, queries.UnsignedNotesParams{Author: uuid.NullUUID{UUID: who.ID, Valid: true}, Reader: who.ID, MaxRows: store.MaxUnsigned})
	if failed(err) {
		return
	}
	for _, row := range rows {
		if access.Decide(asker(who), access.ReadNote, unsignedNote(row, who)).Allow {
			shell.ToSign++
		}
	}
}
