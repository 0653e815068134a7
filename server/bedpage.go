package server

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/bedside"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/web"
	"github.com/clisonix/tidechart/web/words"
)

// A day on which somebody is expected to go is no longer ago, and no further away, than this.
const (
	homeAgo   = 31 * 24 * time.Hour
	homeAhead = 366 * 24 * time.Hour
)

// bedOf is a bed of a unit, and who lies there, whom somebody may change it about.
func (s *Server) bedOf(r *http.Request, who login.Person) (queries.BedForRow, store.Patient, error) {
	row, err := s.db.BedFor(r.Context(), who.ID, r.PathValue("id"), r.PathValue("bed"))
	if err == nil && !row.PatientID.Valid {
		err = store.ErrNotFound
	}
	if err == nil {
		err = s.decide(r.Context(), who, access.ChangeBedside, access.Note{Ties: access.TiesOf(row.Ties)}, onto{patient: row.PatientID.UUID})
	}
	if err != nil {
		return row, store.Patient{}, err
	}
	sealed, err := s.db.PatientByID(r.Context(), row.PatientID.UUID)
	if err != nil {
		return row, store.Patient{}, err
	}
	patient, err := s.db.OpenPatient(r.Context(), sealed)
	return row, patient, err
}

// bedPage is the form on which somebody says what a bed does.
func (s *Server) bedPage(w http.ResponseWriter, r *http.Request, who login.Person) error {
	row, patient, err := s.bedOf(r, who)
	if err != nil {
		return err
	}
	says, err := s.db.Bedside(r.Context(), patient.ID)
	if err != nil {
		return err
	}
	s.showBed(w, r, who, http.StatusOK, row, patient, says, "")
	return nil
}

func (s *Server) showBed(w http.ResponseWriter, r *http.Request, who login.Person, status int, row queries.BedForRow, patient store.Patient, says store.Bedside, problem string) {
	view := web.BedView{
		Shell: s.shellOf(r, who, words.Say(r.Context(), "Bed {bedLabel}", row.BedLabel), web.SectionBoard), Patient: patientView(patient, row.BedLabel, ""),
		BoardUnitID: r.PathValue("id"), BedID: row.BedID, N: says.N, Bedside: bedsideView(r.Context(), says), Error: problem, Filter: web.BoardFilterOf(r.URL.Query()),
		Severities: choices(r.Context(), bedside.Severities), Codes: choices(r.Context(), bedside.CodeStatuses), Isolations: choices(r.Context(), bedside.Isolations),
	}
	for _, c := range says.Changes {
		view.Changes = append(view.Changes, web.BedChange{At: c.At.Local(), By: c.By, What: c.What, Was: inWords(r.Context(), c.What, c.Was), Now: inWords(r.Context(), c.What, c.Now)})
	}
	s.render(w, r, status, web.Bed(view))
}

func choices(ctx context.Context, offered []bedside.Word) []web.Choice {
	all := make([]web.Choice, len(offered))
	for i, w := range offered {
		all[i] = web.Choice{Value: w.Code, Text: words.Say(ctx, w.Name)}
	}
	return all
}

// inWords is what was said of one thing.
func inWords(ctx context.Context, what, code string) string {
	for _, all := range [][]bedside.Word{bedside.Severities, bedside.CodeStatuses, bedside.Isolations} {
		if name, is := bedside.Name(all, code); is {
			return words.Say(ctx, name)
		}
	}
	if day, err := time.Parse(time.DateOnly, code); what == "discharge" && err == nil {
		return web.Date(ctx, day)
	}
	return code
}

// changeBed says something else of who lies in a bed.
func (s *Server) changeBed(w http.ResponseWriter, r *http.Request, who login.Person) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return err
	}
	row, patient, err := s.bedOf(r, who)
	if err != nil {
		return err
	}
	says, err := s.db.Bedside(r.Context(), patient.ID)
	if err != nil {
		return err
	}
	wanted, problem := bedsideAsked(r, time.Now())
	if problem != "" {
		wanted.Changes, wanted.N = says.Changes, says.N
		s.showBed(w, r, who, http.StatusUnprocessableEntity, row, patient, wanted, problem)
		return nil
	}
	// Whom they were shown, and what: else they would say it of somebody else.
	if shown, err := uuid.Parse(r.PostFormValue("patient")); err != nil || shown != patient.ID {
		s.showBed(w, r, who, http.StatusConflict, row, patient, says, words.Say(r.Context(), "Somebody else lies in this bed by now. Look whom it is about, and say it again if you have to."))
		return nil
	}
	err = s.db.SetBedside(r.Context(), patient.ID, row.BedID, who.Name, wanted)
	if errors.Is(err, store.ErrBedsideChanged) {
		s.showBed(w, r, who, http.StatusConflict, row, patient, says, words.Say(r.Context(), "Somebody else changed this while you looked. This is what it says now: change it again if you have to."))
		return nil
	}
	if err != nil {
		return err
	}
	s.boards.forget(r.PathValue("id")) // the answer leads to the board
	http.Redirect(w, r, web.BoardPath(r.PathValue("id"), web.BoardFilterOf(r.URL.Query()))+"#bed-"+row.BedID, http.StatusSeeOther)
	return nil
}

// bedsideAsked is what a form says, and what is wrong with it for who filled it in.
func bedsideAsked(r *http.Request, now time.Time) (b store.Bedside, problem string) {
	field := func(name string, offered []bedside.Word) string {
		code := r.PostFormValue(name)
		if _, is := bedside.Name(offered, code); !is && code != "" {
			problem = words.Say(r.Context(), "Choose from what the form offers.")
			return ""
		}
		return code
	}
	b.Severity, b.Code, b.Isolation = field("severity", bedside.Severities), field("code", bedside.CodeStatuses), field("isolation", bedside.Isolations)
	if n, err := strconv.ParseInt(r.PostFormValue("n"), 10, 32); err == nil {
		b.N = int32(n)
	} else {
		problem = words.Say(r.Context(), "Choose from what the form offers.")
	}
	if home := strings.TrimSpace(r.PostFormValue("home")); home != "" {
		day, err := time.ParseInLocation(time.DateOnly, home, time.Local)
		if err != nil || now.Sub(day) > homeAgo || day.Sub(now) > homeAhead {
			return b, words.Say(r.Context(), "Say the day of discharge as a date, such as {addDate}, or leave it empty.", now.AddDate(0, 0, 2).Format(time.DateOnly))
		}
		b.Home = day
	}
	return b, problem
}
