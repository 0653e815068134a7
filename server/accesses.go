package server

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/web"
	"github.com/clisonix/tidechart/web/words"
)

// How much of who has opened a record there is to see at once, and to hand out.
const (
	maxOpenings = 500
	maxExported = 100_000
)

// waysText says how a record was opened, for people.
var waysText = map[string]words.Text{
	byPage: "read a note", byEditor: "had a note open to edit or follow", byAPI: "asked for it over the API", denied: "tried to, and was refused",
	byGlass: "broke the glass", byAccesses: "looked at this list", byExport: "exported this list", byHistory: "looked at a note as it was",
	byPrint: "printed a note", byFile: "took a note as a file",
}

// accessesPage lists who has opened a patient's record.
func (s *Server) accessesPage(w http.ResponseWriter, r *http.Request, who login.Person) error {
	row, ties, err := s.recordOf(r, who, access.SeeAccesses)
	if err != nil {
		return err
	}
	if err := s.opened(r.Context(), who, byAccesses, ties, audit.Event{Act: audit.SeeAccesses, Patient: row.Patient.ID}); err != nil {
		return err
	}
	rows, err := s.db.Openings(r.Context(), row.Patient.ID, maxOpenings)
	if err != nil {
		return fmt.Errorf("list accesses: %w", err)
	}
	patient, err := s.db.OpenPatient(r.Context(), row.Patient)
	if err != nil {
		return err
	}
	view := web.AccessesView{
		Shell:   s.shellOf(r, who, words.Say(r.Context(), "Who has opened a record"), web.SectionReviews),
		Patient: patientView(patient, row.BedLabel, ""), Truncated: len(rows) == maxOpenings,
	}
	for _, o := range rows {
		view.Rows = append(view.Rows, web.Opening{
			At: o.Opening.At.Local(), Name: o.Name, Role: o.Role, What: o.Title, How: words.Say(r.Context(), waysText[o.Opening.How]),
			Ties: o.Opening.Ties, Refused: o.Opening.How == denied, Glass: strings.Contains(o.Opening.Ties, "glass") || o.Opening.How == byGlass,
		})
	}
	s.render(w, r, http.StatusOK, web.Accesses(view))
	return nil
}

// recordOf returns the patient named in the path, if somebody may do act to their record.
func (s *Server) recordOf(r *http.Request, who login.Person, act access.Act) (queries.StandingToRow, access.Ties, error) {
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return queries.StandingToRow{}, 0, store.ErrNotFound
	}
	row, err := s.db.StandingTo(r.Context(), who.ID, id)
	if err != nil {
		return row, 0, err
	}
	ties := access.TiesOf(row.Ties)
	return row, ties, s.decide(r.Context(), who, act, access.Note{VIP: row.Patient.Vip, Ties: ties}, onto{patient: id})
}

// exportAccesses hands the list out, for the patient. That it was handed out is on it.
func (s *Server) exportAccesses(w http.ResponseWriter, r *http.Request, who login.Person) error {
	if err := justProven(who, r.URL.Path); err != nil {
		return err
	}
	row, ties, err := s.recordOf(r, who, access.Export)
	if err != nil {
		return err
	}
	if err := s.opened(r.Context(), who, byExport, ties, audit.Event{Act: audit.ExportAccesses, Patient: row.Patient.ID}); err != nil {
		return err
	}
	rows, err := s.db.Openings(r.Context(), row.Patient.ID, maxExported)
	if err != nil {
		return fmt.Errorf("list accesses: %w", err)
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="accesses.csv"`)
	out := csv.NewWriter(w)
	ctx := r.Context()
	var head []string
	for _, column := range []words.Text{"When", "Who", "Function", "What", "How", "Linked by"} {
		head = append(head, words.Say(ctx, column))
	}
	_ = out.Write(head) // Flush tells
	for _, o := range rows {
		_ = out.Write([]string{
			o.Opening.At.Local().Format(time.RFC3339), plainCell(o.Name), web.Named(ctx, o.Role), plainCell(web.Titled(ctx, o.Title)), words.Say(ctx, waysText[o.Opening.How]), web.NamedAll(ctx, o.Opening.Ties),
		})
	}
	out.Flush()
	return nil // the reader may be gone
}

// plainCell keeps spreadsheets from taking text for a formula.
func plainCell(text string) string {
	if strings.ContainsAny(text[:min(len(text), 1)], "=+-@\t\r") {
		return "'" + text
	}
	return text
}
