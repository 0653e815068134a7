package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/sessions"
	"github.com/clisonix/tidechart/web"
	"github.com/clisonix/tidechart/web/words"
)

// Limits of breaking the glass.
const (
	glassLasts = 30 * time.Minute
	minWords   = 10  // characters of what somebody says about why
	maxWords   = 500 // likewise, and about a review
)

// glassReasons are the coded reasons, in the order of the form.
var glassReasons = []web.Option{
	{Value: "emergency", Text: "Emergency: the patient needs care now"},
	{Value: "cover", Text: "I cover for somebody, and was not put on the unit"},
	{Value: "consult", Text: "I was asked for a consult"},
	{Value: "handover", Text: "I hand over, or take over, this patient"},
	{Value: "other", Text: "Something else, which I explain"},
}

// glassPage asks why.
func (s *Server) glassPage(w http.ResponseWriter, r *http.Request, who login.Person) error {
	note := clip(r.URL.Query().Get("note"), maxQuery)
	if err := justProven(who, glassPath(note)); err != nil {
		return err
	}
	s.showGlass(w, r, who, http.StatusOK, web.GlassView{NoteID: note})
	return nil
}

func glassPath(note string) string {
	if note == "" {
		return "/glass"
	}
	return "/glass?note=" + url.QueryEscape(note)
}

func (s *Server) showGlass(w http.ResponseWriter, r *http.Request, who login.Person, status int, view web.GlassView) {
	view.Shell = s.shellOf(r, who, words.Say(r.Context(), "Break the glass"), web.SectionNone)
	view.Reasons, view.Lasts, view.MinWords, view.MaxWords = web.Choices(r.Context(), glassReasons), glassLasts, minWords, maxWords
	s.render(w, r, status, web.Glass(view))
}

// breakGlass opens one record for half an hour to somebody to whom it is closed, and has others told.
func (s *Server) breakGlass(w http.ResponseWriter, r *http.Request, who login.Person) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return err
	}
	view := web.GlassView{
		NoteID: r.PostFormValue("note"), Sought: clip(strings.TrimSpace(r.PostFormValue("patient")), maxQuery),
		Reason: r.PostFormValue("reason"), Words: strings.TrimSpace(r.PostFormValue("words")),
	}
	if err := justProven(who, glassPath(clip(view.NoteID, maxQuery))); err != nil {
		return err
	}
	if view.Error = glassMissing(r.Context(), view); view.Error != "" {
		s.showGlass(w, r, who, http.StatusUnprocessableEntity, view)
		return nil
	}
	patient, err := s.sought(r, who, view)
	if errors.Is(err, store.ErrNotFound) {
		view.Error = words.Say(r.Context(), "Nobody has this number or lies in this bed. Check it, and try again.")
		s.showGlass(w, r, who, http.StatusUnprocessableEntity, view)
		return nil
	}
	if err != nil {
		return err
	}
	row, err := s.db.StandingTo(r.Context(), who.ID, patient)
	if err == nil && row.Patient.DestroyedAt != nil {
		err = sessions.ErrDestroyed
	}
	if err != nil {
		return err
	}
	about := access.Note{VIP: row.Patient.Vip, Ties: access.TiesOf(row.Ties)}
	if err := s.decide(r.Context(), who, access.BreakGlass, about, onto{patient: patient}); err != nil {
		return err
	}
	broken := queries.BreakGlassParams{ID: uuid.New(), Person: who.ID, Patient: patient, Reason: view.Reason, Seconds: glassLasts.Seconds()}
	if err := s.db.BreakGlass(r.Context(), broken, view.Words, about.Ties.String()); err != nil {
		return fmt.Errorf("break the glass: %w", err)
	}
	next := "/?unit="
	if view.NoteID != "" {
		next = "/notes/" + view.NoteID
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
	return nil
}

// glassMissing says what a form lacks, for who filled it in.
func glassMissing(ctx context.Context, v web.GlassView) string {
	known := false
	for _, reason := range glassReasons {
		known = known || reason.Value == v.Reason
	}
	switch n := utf8.RuneCountInString(v.Words); {
	case !known:
		return words.Say(ctx, "Choose a reason.")
	case n < minWords || n > maxWords || !utf8.ValidString(v.Words) || strings.ContainsRune(v.Words, 0):
		return words.Say(ctx, "Say why in {minWords} to {maxWords} characters. Somebody will read it.", strconv.Itoa(minWords), strconv.Itoa(maxWords))
	case v.Sought == "" && v.NoteID == "":
		return words.Say(ctx, "Say which patient: their record number, or the bed they lie in.")
	}
	return ""
}

// sought finds the patient of the note that was denied, or the one somebody names.
func (s *Server) sought(r *http.Request, who login.Person, v web.GlassView) (uuid.UUID, error) {
	if v.NoteID == "" {
		return s.db.PatientSought(r.Context(), v.Sought)
	}
	note, err := uuid.Parse(v.NoteID)
	if err != nil {
		return uuid.Nil, sessions.ErrNoNote
	}
	st, err := s.standingOf(r.Context(), who, note)
	return st.PatientID, err
}

// maxReviews is how many reviews a page lists.
const maxReviews = 200

// reviewsPage lists broken glass. Whom they have to know of, whoever looks at the page has looked at: pages tell them no more.
func (s *Server) reviewsPage(w http.ResponseWriter, r *http.Request, who login.Person) error {
	rows, err := s.db.GlassFor(r.Context(), who.ID, access.MayAlways(who.Role, access.SeeReviews), maxReviews)
	if err != nil {
		return fmt.Errorf("list reviews: %w", err)
	}
	view := web.ReviewsView{MaxWords: maxWords}
	var looked []uuid.UUID
	for _, row := range rows {
		own := row.Glass.PersonID == who.ID
		about := reviewed(row.Ties, own)
		if !access.Decide(asker(who), access.SeeReviews, about).Allow {
			continue
		}
		one := reviewView(r.Context(), who, row, about)
		if row.ReviewedAt != nil {
			view.Closed = append(view.Closed, one)
			continue
		}
		view.Open = append(view.Open, one)
		if !own {
			looked = append(looked, row.Glass.ID)
		}
	}
	if looksAt(r, who) {
		if err := s.db.LookAtGlass(r.Context(), looked, who.ID); err != nil {
			return fmt.Errorf("note who looked: %w", err)
		}
	}
	view.Shell = s.shellOf(r, who, words.Say(r.Context(), "Emergency access"), web.SectionReviews) // after that
	s.render(w, r, http.StatusOK, web.Reviews(view))
	return nil
}

// looksAt reports whether a person is about to see the answer: not a program, nor a browser that asks in advance.
func looksAt(r *http.Request, who login.Person) bool {
	return who.Browser && r.Method == http.MethodGet && r.Header.Get("Sec-Purpose") == ""
}

// reviewView is broken glass as somebody may know of it: who broke it and when, and only if they may know of the patient, whose
// record it was, and what was said about why.
func reviewView(ctx context.Context, who login.Person, row store.GlassForRow, about access.Note) web.Review {
	one := web.Review{
		ID: row.Glass.ID.String(), Person: personRowView(row.Person), Reason: reasonText(ctx, row.Glass.Reason),
		At: row.Glass.At.Local(), Until: row.Glass.Until.Local(), Opened: int(row.Opened),
		Reviewer: row.Reviewer, ReviewedAt: clock(row.ReviewedAt), Finding: row.Finding,
		CanClose:    row.GlassForRow.Patient.DestroyedAt == nil && access.Decide(asker(who), access.CloseReview, about).Allow,
		CanSeeWhole: access.May(who.Role, access.SeeAccesses),
	}
	knows := about.Ties&access.Unit != 0 ||
		access.Decide(asker(who), access.SeePatient, access.Note{Ties: access.TiesOf(row.PatientTies)}).Allow
	if knows {
		one.Unit, one.MRN, one.PatientID = row.UnitName, row.Patient.Mrn, row.Glass.PatientID.String()
		one.PatientInitials = initialsOf(row.Patient)
		one.Words, one.ReviewWords = row.Words, row.ReviewWords
	}
	return one
}

// reviewed is broken glass as it stands to who looks at it.
func reviewed(ties []string, own bool) access.Note {
	about := access.Note{Ties: access.TiesOf(ties)}
	if own {
		about.Ties |= access.Own
	}
	return about
}

func reasonText(ctx context.Context, code string) string {
	for _, reason := range glassReasons {
		if reason.Value == code {
			return words.Say(ctx, reason.Text)
		}
	}
	return code
}

// closeReview says what somebody else found about broken glass.
func (s *Server) closeReview(w http.ResponseWriter, r *http.Request, who login.Person) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return err
	}
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return store.ErrNotFound
	}
	row, err := s.db.GlassByID(r.Context(), who.ID, id)
	if err == nil {
		err = s.decide(r.Context(), who, access.CloseReview, reviewed(row.Ties, row.PersonID == who.ID), onto{patient: row.PatientID, about: id})
	}
	if err != nil {
		return err
	}
	finding, words := r.PostFormValue("finding"), strings.TrimSpace(r.PostFormValue("words"))
	if finding != "appropriate" && finding != "inappropriate" || utf8.RuneCountInString(words) > maxWords || !utf8.ValidString(words) {
		return badRequest("Say whether it was appropriate, in 500 characters at most.")
	}
	if finding == "inappropriate" && utf8.RuneCountInString(words) < minWords {
		return badRequest("Say what was not appropriate about it. Go back, and add that.")
	}
	if err := s.db.ReviewGlass(r.Context(), queries.ReviewGlassParams{GlassID: id, ByID: who.ID, Finding: finding}, row.PatientID, words); err != nil {
		return fmt.Errorf("close review: %w", err)
	}
	http.Redirect(w, r, "/reviews", http.StatusSeeOther)
	return nil
}
