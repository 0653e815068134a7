package server

import (
	"fmt"
	"net/http"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/web"
	"github.com/clisonix/tidechart/web/words"
)

const retentionPath = "/retention"

// How many due notes, and how many purges, the page lists.
const (
	maxDue  = 200
	maxRuns = 20
)

// retentionPage shows what is due, to those who decide about destruction.
func (s *Server) retentionPage(w http.ResponseWriter, r *http.Request, who login.Person) error {
	if !access.May(who.Role, access.AskDestroy) {
		if err := s.mayAtAll(r, who, access.ApproveDestroy); err != nil {
			return err
		}
	}
	ctx := r.Context()
	view := web.RetentionView{Shell: s.shellOf(r, who, words.Say(r.Context(), "Retention of records"), web.SectionDestruction)}
	classes, err := s.db.RetentionClasses(ctx)
	if err != nil {
		return fmt.Errorf("list classes: %w", err)
	}
	for _, c := range classes {
		one := web.RetentionClass{Name: c.RetentionClass.Code, Of: c.RetentionClass.What, Years: int(c.RetentionClass.Years), Records: int(c.Records)}
		if one.Of == "notes" {
			one.Name = kindName(one.Name)
		}
		view.Classes = append(view.Classes, one)
	}
	unclassified, err := s.db.CountUnclassified(ctx)
	if err != nil {
		return fmt.Errorf("count patients: %w", err)
	}
	all, err := s.db.CountDue(ctx)
	if err != nil {
		return fmt.Errorf("count what is due: %w", err)
	}
	view.Unclassified, view.Notes, view.Patients, view.Held = int(unclassified), int(all.Notes), int(all.Patients), int(all.Held)
	due, err := s.db.Due(ctx, maxDue)
	if err != nil {
		return fmt.Errorf("list what is due: %w", err)
	}
	if err := s.db.Record(ctx, audit.Event{Act: audit.SeeDecisions, Code: fmt.Sprintf("due=%d", len(due))}); err != nil {
		return err
	}
	for _, d := range due {
		view.Due = append(view.Due, web.DueNote{
			Record: recordView(d.Patient, uuid.NullUUID{UUID: d.ID, Valid: true}, d.Kind), Since: d.Ended.Local(), Held: d.Held,
		})
	}
	runs, err := s.db.Runs(ctx, maxRuns)
	if err != nil {
		return fmt.Errorf("list purges: %w", err)
	}
	for _, run := range runs {
		view.Runs = append(view.Runs, web.PurgeRun{
			Begun: run.BegunAt.Local(), Ended: clock(run.EndedAt), Notes: int(run.Notes), Patients: int(run.Patients),
		})
	}
	s.render(w, r, http.StatusOK, web.RetentionPage(view))
	return nil
}
