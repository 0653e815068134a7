package server

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/web"
)

// Limits of an export of sessions (I10).
const (
	maxSessionsExported = 100_000
	sessionsPerRead     = 500
	exportTimeout       = 5 * time.Minute
	exportWrite         = 30 * time.Second // that who reads may take for what one read found
)

// exportSessions hands out what a filter leaves, as it is read. That it was handed out is on record before the first byte is.
// Where it cannot go on, the connection breaks: half a list must not look like a whole one.
func (s *Server) exportSessions(w http.ResponseWriter, r *http.Request, who login.Person) error {
	asked, err := filterOf(w, r)
	if err != nil {
		return err
	}
	f := sessionFilter(asked)
	f.After = ""
	if !access.May(who.Role, access.Export) {
		return s.decide(r.Context(), who, access.Export, access.Note{}, onto{})
	}
	if err := justProven(who, f.Path()); err != nil {
		return err
	}
	if err := s.decide(r.Context(), who, access.Export, access.Note{}, onto{}); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), exportTimeout)
	defer cancel()
	search, says, err := s.sessionQuery(r, f)
	if err != nil {
		return err
	}
	if says != "" {
		return badRequest(says)
	}
	newWriter, kind := newSessionsCSV, "csv"
	if asked.Get("as") == "json" {
		newWriter, kind = newSessionsJSON, "json"
	}
	search.Skip, search.MaxRows = maxSessionsExported, 1
	if more, err := s.db.Sittings(ctx, search); err != nil {
		return err
	} else if len(more) > 0 {
		return badRequest("That is more than {maxSessionsExported} sessions. Go back, and give a shorter time.", strconv.Itoa(maxSessionsExported))
	}
	e := audit.Event{Act: audit.ExportSessions, Patient: search.Patient.UUID, About: search.Person.UUID, Code: kind, Words: filterWords(f)}
	if err := s.db.Record(ctx, e); err != nil {
		return err
	}
	search.Skip, search.MaxRows = 0, sessionsPerRead
	first, err := s.db.Sittings(ctx, search) // before there is anything that could not be taken back
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", map[string]string{"csv": "text/csv", "json": "application/json"}[kind]+"; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="sessions.`+kind+`"`)
	if err := s.writeSessions(ctx, w, search, first, newWriter(w)); err != nil {
		s.log.Error("export of sessions not whole", "err", err)
		panic(http.ErrAbortHandler)
	}
	return nil
}

// sessionsWriter writes sessions in some form.
type sessionsWriter interface {
	write([]web.SessionRow) error
	close() error
}

// writeSessions reads and writes some at a time.
func (s *Server) writeSessions(ctx context.Context, w http.ResponseWriter, search queries.FindSessionsParams, found []store.Sitting, out sessionsWriter) error {
	control := http.NewResponseController(w)
	for n := 0; len(found) > 0; {
		if n += len(found); n > maxSessionsExported+sessionsPerRead { // of which some have begun since
			return fmt.Errorf("more than %d sessions", maxSessionsExported)
		}
		if err := control.SetWriteDeadline(time.Now().Add(exportWrite)); err != nil {
			return err
		}
		if err := out.write(sessionRows(found)); err != nil {
			return err
		}
		if err := control.Flush(); err != nil {
			return err
		}
		if len(found) < sessionsPerRead {
			break
		}
		if err := goOn(&search, goOnBehind(found[len(found)-1], search.Sort)); err != nil {
			return err
		}
		var err error
		if found, err = s.db.Sittings(ctx, search); err != nil {
			return err
		}
	}
	return out.close()
}

// sessionsCSV is RFC 4180: a line for each person of each session.
type sessionsCSV struct{ *csv.Writer }

var sessionColumns = []string{
	"session", "note", "kind", "unit", "bed", "patient", "initials", "began", "ended", "breaks", "refusals", "lost edits",
	"username", "name", "function", "devices", "came", "left", "edits", "edits not counted yet",
	"typed characters", "typed words", "pasted characters", "pasted words", "deleted characters", "deleted words",
}

func newSessionsCSV(w io.Writer) sessionsWriter {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	_ = out.Write(sessionColumns) // Flush tells
	return sessionsCSV{out}
}

func (c sessionsCSV) write(rows []web.SessionRow) error {
	for _, r := range rows {
		about := []string{
			r.ID, r.NoteID, plainCell(r.NoteKind), plainCell(r.UnitName), plainCell(r.Bed), r.PatientID, plainCell(r.PatientInitials),
			machineTime(r.Started), machineTime(r.Ended), strconv.Itoa(r.Breaks), strconv.Itoa(r.Refusals), strconv.Itoa(r.Losses),
		}
		people := r.People
		if len(people) == 0 {
			people = make([]web.SessionPerson, 1)
		}
		for _, p := range people {
			line := append(about[:len(about):len(about)],
				plainCell(p.Username), plainCell(p.Name), plainCell(p.Role), plainCell(strings.Join(p.Devices, "; ")), machineTime(p.Joined), machineTime(p.Left),
				strconv.Itoa(p.Edits), strconv.Itoa(r.Uncounted))
			for _, a := range []web.Amount{p.Typed, p.Pasted, p.Deleted} {
				line = append(line, strconv.Itoa(a.Characters), strconv.Itoa(a.Words))
			}
			if err := c.Write(line); err != nil {
				return err
			}
		}
	}
	c.Flush()
	return c.Error()
}

func (c sessionsCSV) close() error { return nil }

// machineTime is empty for what has not been.
func machineTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}

// sessionsJSON is one object with an array of sessions, one a line.
type sessionsJSON struct {
	w     io.Writer
	begun bool
}

// sessionJSON is a session as it is handed out.
type sessionJSON struct {
	ID        string       `json:"id"`
	Note      string       `json:"note"`
	Kind      string       `json:"kind"`
	Unit      string       `json:"unit"`
	Bed       string       `json:"bed"`
	Patient   string       `json:"patient"`
	Initials  string       `json:"initials"`
	Began     time.Time    `json:"began"`
	Ended     time.Time    `json:"ended,omitzero"`
	Breaks    int          `json:"breaks"`
	Refusals  int          `json:"refusals"`
	LostEdits int          `json:"lost_edits"`
	Uncounted int          `json:"edits_not_counted_yet"`
	People    []sitterJSON `json:"people"`
}

type sitterJSON struct {
	Username string     `json:"username"`
	Name     string     `json:"name"`
	Function string     `json:"function"`
	Devices  []string   `json:"devices"`
	Came     time.Time  `json:"came"`
	Left     time.Time  `json:"left,omitzero"`
	Edits    int        `json:"edits"`
	Typed    amountJSON `json:"typed"`
	Pasted   amountJSON `json:"pasted"`
	Deleted  amountJSON `json:"deleted"`
}

type amountJSON struct {
	Characters int `json:"characters"`
	Words      int `json:"words"`
}

func newSessionsJSON(w io.Writer) sessionsWriter { return &sessionsJSON{w: w} }

func (j *sessionsJSON) write(rows []web.SessionRow) error {
	for _, r := range rows {
		one := sessionJSON{
			ID: r.ID, Note: r.NoteID, Kind: r.NoteKind, Unit: r.UnitName, Bed: r.Bed, Patient: r.PatientID, Initials: r.PatientInitials,
			Began: r.Started, Ended: r.Ended, Breaks: r.Breaks, Refusals: r.Refusals, LostEdits: r.Losses, Uncounted: r.Uncounted, People: []sitterJSON{},
		}
		for _, p := range r.People {
			one.People = append(one.People, sitterJSON{
				Username: p.Username, Name: p.Name, Function: p.Role, Devices: append([]string{}, p.Devices...), Came: p.Joined, Left: p.Left, Edits: p.Edits,
				Typed: amountJSON(p.Typed), Pasted: amountJSON(p.Pasted), Deleted: amountJSON(p.Deleted),
			})
		}
		line, err := json.Marshal(one)
		if err != nil {
			return err
		}
		before := ",\n"
		if !j.begun {
			before, j.begun = "{\"sessions\": [\n", true
		}
		if _, err := io.WriteString(j.w, before+string(line)); err != nil {
			return err
		}
	}
	return nil
}

func (j *sessionsJSON) close() error {
	end := "\n]}\n"
	if !j.begun {
		end = "{\"sessions\": []}\n"
	}
	_, err := io.WriteString(j.w, end)
	return err
}
