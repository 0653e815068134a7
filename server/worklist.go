package server

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
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

// Limits of the worklist (I10).
const (
	maxNotes    = 1000 // that are looked through
	maxPatients = 200  // that are shown at once
)

// worklist is the first page of whoever cares for patients. What of it is shown the address says, but for what is looked for: that is
// posted, as it is often a name (I14).
func (s *Server) worklist(w http.ResponseWriter, r *http.Request) error {
	who, err := s.visits(r)
	if err != nil {
		return err
	}
	if !access.May(who.Role, access.SeePatient) {
		http.Redirect(w, r, home(who), http.StatusSeeOther)
		return nil
	}
	asked, err := filterOf(w, r)
	if err != nil {
		return err
	}
	view := web.WorklistView{
		Shell: s.shellOf(r, who, words.Say(r.Context(), "Worklist"), web.SectionWorklist), Kinds: kindViews(who),
		Query: clip(strings.TrimSpace(asked.Get("q")), maxQuery), Show: web.WorklistShow(r.Form.Get("show")), Sort: r.Form.Get("sort"),
	}
	if !view.Show.Valid() {
		view.Show = web.ShowUnit
	}
	if !slices.ContainsFunc(web.WorklistSorts, func(c web.Option) bool { return c.Value == view.Sort }) {
		view.Sort = ""
	}
	if view.Show == web.ShowUnit {
		view.Unit = who.Unit
	}
	if r.Form.Has("unit") {
		view.Unit = r.Form.Get("unit")
	}
	if r.Method == http.MethodPost && view.Query == "" && r.Header.Get("HX-Request") == "" {
		http.Redirect(w, r, view.Address(), http.StatusSeeOther) // which can be kept
		return nil
	}
	if err := s.fillWorklist(r.Context(), who, &view); err != nil {
		return err
	}
	if view.Tour, err = s.tourOf(r.Context(), who); err != nil {
		return err
	}
	if view.Query != "" {
		e := audit.Event{Act: audit.SearchPatients, Words: view.Query, Code: fmt.Sprintf("%d found", view.Found)}
		if err := s.db.Record(as(r.Context(), who), e); err != nil {
			return err
		}
	}
	s.render(w, r, http.StatusOK, web.Worklist(view))
	return nil
}

// filterOf is what a page's filter asks for. It comes in the body of a request: it is often a name (I14).
func filterOf(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return nil, err
	}
	return r.PostForm, nil
}

// listedPatient is somebody who may stand on a worklist.
type listedPatient struct {
	web.PatientRow
	unit  string // its id
	cared bool   // who looks cares for them now; else they have written about them
	mine  bool
}

// fillWorklist adds the units, and the patients asked for whom the filter leaves.
func (s *Server) fillWorklist(ctx context.Context, who login.Person, view *web.WorklistView) error {
	units, err := s.db.Units(ctx)
	if err != nil {
		return err
	}
	unit := slices.IndexFunc(units, func(u queries.Unit) bool { return u.ID == view.Unit })
	if view.Unit != "" && unit < 0 {
		return store.ErrNotFound
	}
	all, more, err := s.patientsOf(ctx, who, units, view.Unit)
	if err != nil {
		return err
	}
	view.Truncated = more
	for _, u := range units {
		link := web.UnitLink{ID: u.ID, Name: u.Name}
		for _, p := range all {
			if p.unit == u.ID && p.cared {
				link.Patients++
			}
		}
		if link.Patients > 0 || u.ID == view.Unit {
			view.Units = append(view.Units, link)
		}
	}
	view.Tabs = tabsOf(who, view.Shell, all)
	named := view.Notices.Of(web.ToldNamed)
	for _, p := range all {
		for i := range p.Notes {
			p.Notes[i].Named = slices.ContainsFunc(named, func(a web.Asked) bool { return a.NoteID == p.Notes[i].ID })
		}
		if row, ok := p.shown(view.Show); ok && (view.Unit == "" || view.Unit == p.unit) && matches(ctx, row, view.Query) {
			view.Rows = append(view.Rows, row)
		}
	}
	sortPatients(view.Rows, view.Sort)
	if view.Found = len(view.Rows); view.Found > maxPatients {
		view.Rows = view.Rows[:maxPatients]
	}
	return nil
}

// shown is what of a patient a part of the worklist shows; false: it does not have them.
func (p listedPatient) shown(part web.WorklistShow) (row web.PatientRow, ok bool) {
	row = p.PatientRow
	switch part {
	case web.ShowMine:
		return row, p.mine
	case web.ShowChanged:
		row.Notes = slices.DeleteFunc(slices.Clone(row.Notes), func(n web.NoteLink) bool { return !n.Changed })
		return row, len(row.Notes) > 0
	default:
		return row, p.cared
	}
}

// patientsOf returns everybody in a bed whom somebody cares for, or has begun a note about, with the notes that they may read: by units
// and beds. Who sees every patient sees those of one unit, if there is one; more says that there were too many notes to look through.
func (s *Server) patientsOf(ctx context.Context, who login.Person, units []queries.Unit, unit string) (all []listedPatient, more bool, err error) {
	of := ""
	if access.MayAlways(who.Role, access.SeePatient) {
		of = unit
	}
	notes, more, err := s.notesFor(ctx, who, of)
	if err != nil {
		return nil, false, err
	}
	present := s.hub.Present()
	links, written := make(map[uuid.UUID][]web.NoteLink), make(map[uuid.UUID]bool)
	for _, n := range notes {
		links[n.Note.PatientID] = append(links[n.Note.PatientID], noteLink(n.Note, present))
		written[n.Note.PatientID] = written[n.Note.PatientID] || n.Note.CreatedBy == who.ID
	}
	if err := s.markChanged(ctx, who, links, present); err != nil {
		return nil, false, err
	}
	if err := s.markHandoffs(ctx, notes, links); err != nil {
		return nil, false, err
	}
	beds, err := s.db.BedsFor(ctx, who.ID, "")
	if err != nil {
		return nil, false, fmt.Errorf("list beds: %w", err)
	}
	for _, u := range units {
		for _, bed := range beds {
			if bed.UnitID != u.ID || !bed.PatientID.Valid {
				continue
			}
			id, about := bed.PatientID.UUID, access.Note{Ties: access.TiesOf(bed.Ties), Elsewhere: who.Elsewhere(bed.UnitID)}
			cared := access.Decide(asker(who), access.SeePatient, about).Allow
			if written[id] {
				about.Ties |= access.Author
			}
			if !access.Decide(asker(who), access.SeePatient, about).Allow {
				continue
			}
			all = append(all, listedPatient{
				PatientRow: web.PatientRow{Patient: patientView(bed.Patient, bed.BedLabel, u.Name), Notes: links[id]},
				unit:       u.ID, cared: cared, mine: about.Ties&(access.Team|access.Supervised|access.Author|access.Glass) != 0,
			})
		}
	}
	return all, more, nil
}

// tabsOf are the parts of somebody's worklist, with how much there is in each; nil: there is only one.
func tabsOf(who login.Person, shell web.Shell, all []listedPatient) (tabs []web.Tab) {
	if access.MayAlways(who.Role, access.SeePatient) {
		return nil
	}
	tab := func(part web.WorklistShow) web.Tab {
		n := 0
		for _, p := range all {
			row, ok := p.shown(part)
			switch {
			case ok && part == web.ShowChanged:
				n += len(row.Notes)
			case ok && (part != web.ShowUnit || who.Unit == "" || p.unit == who.Unit):
				n++
			}
		}
		return web.Tab{Show: part, Count: n}
	}
	tabs = append(tabs, tab(web.ShowUnit), tab(web.ShowMine), tab(web.ShowChanged))
	if shell.CanWrite {
		tabs = append(tabs, web.Tab{Show: web.ShowUnsigned, Count: shell.ToSign})
	}
	if shell.Notices.Cosigns {
		tabs = append(tabs, web.Tab{Show: web.ShowCosign, Count: shell.Notices.ToCosign})
	}
	return tabs
}

// worklistTabs are the same for a page beside the worklist.
func (s *Server) worklistTabs(ctx context.Context, who login.Person, shell web.Shell) ([]web.Tab, error) {
	units, err := s.db.Units(ctx)
	if err != nil {
		return nil, err
	}
	all, _, err := s.patientsOf(ctx, who, units, "")
	return tabsOf(who, shell, all), err
}

// sortPatients puts rows, which are by units and beds, into another order.
func sortPatients(rows []web.PatientRow, by string) {
	switch by {
	case web.SortName:
		slices.SortStableFunc(rows, func(a, b web.PatientRow) int {
			return cmp.Or(strings.Compare(strings.ToLower(a.Family), strings.ToLower(b.Family)), strings.Compare(strings.ToLower(a.Given), strings.ToLower(b.Given)))
		})
	case web.SortWritten:
		newest := func(p web.PatientRow) (at time.Time) {
			for _, n := range p.Notes {
				if n.EditedAt.After(at) {
					at = n.EditedAt
				}
			}
			return at
		}
		slices.SortStableFunc(rows, func(a, b web.PatientRow) int { return newest(b).Compare(newest(a)) })
	}
}

// matches reports whether every word of a filter is found in a patient's name, number, bed or notes' titles.
func matches(ctx context.Context, p web.PatientRow, query string) bool {
	if query == "" {
		return true
	}
	words := []string{p.Family, p.Given, p.MRN, p.Bed}
	for _, n := range p.Notes {
		words = append(words, web.Titled(ctx, n.Title))
	}
	return holdsWords(strings.Join(words, " "), query)
}

// holdsWords reports whether a text has every word of a query, in whatever case.
func holdsWords(text, query string) bool {
	text = strings.ToLower(text)
	for word := range strings.FieldsSeq(strings.ToLower(query)) {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}
