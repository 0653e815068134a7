package server

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/web"
	"github.com/clisonix/tidechart/web/words"
)

// What the review of activity looks at.
const (
	activitySince = 7 * 24 * time.Hour
	manyPatients  = 60 // whose records one person opens within a day: more than a large unit has
	maxActivity   = 100
	maxOfOne      = 10 // records of one person
)

// activityPage ranks who has opened whose record by how unusual that is.
func (s *Server) activityPage(w http.ResponseWriter, r *http.Request, who login.Person) error {
	rows, err := s.db.Unusual(r.Context(), queries.UnusualParams{
		Many: manyPatients, Since: time.Now().Add(-activitySince), OfOne: maxOfOne, MaxRows: maxActivity,
	})
	if err != nil {
		return fmt.Errorf("review activity: %w", err)
	}
	view := web.ActivityView{
		Shell: s.shellOf(r, who, words.Say(r.Context(), "Unusual access"), web.SectionReviews), Days: int(activitySince.Hours() / 24), OfOne: maxOfOne, Truncated: len(rows) == maxActivity,
	}
	for _, row := range rows {
		view.Rows = append(view.Rows, web.Activity{
			Person:    web.Person{Name: row.Name, Role: row.Role, Initials: initials(row.Name), ColorIndex: int(row.Color)},
			PatientID: row.Patient.ID.String(), PatientInitials: initialsOf(row.Patient), MRN: row.Patient.Mrn,
			Notes: int(row.Notes), Last: row.LastAt.Local(), Unusual: unusual(r.Context(), row),
		})
	}
	s.render(w, r, http.StatusOK, web.ActivityReview(view))
	return nil
}

// unusual says what is, the gravest first.
func unusual(ctx context.Context, row store.UnusualRow) (what []string) {
	for _, one := range []struct {
		is   bool
		text string
	}{
		{row.Own, words.Say(ctx, "own record")},
		{row.SameName, words.Say(ctx, "same family name")},
		{row.Unrelated, words.Say(ctx, "nothing linked them")},
		{row.Restricted, words.Say(ctx, "restricted record")},
		{row.Bulk, words.Say(ctx, "{records} records in a day", fmt.Sprint(row.Records))},
		{row.Refused, words.Say(ctx, "was refused")},
	} {
		if one.is {
			what = append(what, one.text)
		}
	}
	return what
}
