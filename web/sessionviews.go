package web

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/clisonix/tidechart/web/words"
)

// SessionsView lists editing sessions: who wrote in which note, when, and how
// much. Patients appear by bed and initials only.
type SessionsView struct {
	Shell
	Filter SessionFilter
	Units  []Choice
	Sorts  []Choice
	Error  string // one sentence: what of the filter there is not

	Whose           string // bed and initials of the patient whose sessions alone are shown
	CanFindPatients bool   // by their number
	CanExport       bool

	Live *LiveSessions // nil: not asked for
	Past *PastSessions // nil: not asked for
}

// LiveSessions are those that have not ended.
type LiveSessions struct {
	AsOf time.Time
	Rows []SessionRow
	More bool // than are shown
}

// PastSessions are one page of those that have ended.
type PastSessions struct {
	AsOf   time.Time
	Filter SessionFilter
	Rows   []SessionRow
	Next   string // where older ones begin, for SessionFilter.After; "": there are no more
}

// SessionFilter is which sessions to show, as an address says it. What is empty
// is not asked for.
type SessionFilter struct {
	Person  string // a username
	Patient string // an id
	Unit    string // an id
	State   string // "live" or "ended"
	Since   string // days, as in 2026-11-22
	Until   string
	Sort    string
	After   string // where to go on
}

// Query is the filter as an address has it.
func (f SessionFilter) Query() string {
	asked := make(url.Values)
	for name, value := range map[string]string{
		"person": f.Person, "patient": f.Patient, "unit": f.Unit, "state": f.State, "since": f.Since, "until": f.Until, "sort": f.Sort, "after": f.After,
	} {
		if value != "" {
			asked.Set(name, value)
		}
	}
	return asked.Encode()
}

// Path is the page of what the filter asks for.
func (f SessionFilter) Path() string { return pathOf("/admin/sessions", f.Query()) }

func (f SessionFilter) events() string {
	f.After = ""
	return pathOf("/admin/sessions/events", f.Query())
}

func pathOf(path, query string) string {
	if query == "" {
		return path
	}
	return path + "?" + query
}

// first, next, everybody's and sorted are other pages of the list.
func (f SessionFilter) first() string { f.After = ""; return f.Path() }

func (f SessionFilter) next(after string) string { f.After = after; return f.Path() }

func (f SessionFilter) everybodys() string { f.After, f.Patient = "", ""; return f.Path() }

// narrows reports whether the filter leaves any sessions out.
func (f SessionFilter) narrows() bool {
	f.Sort, f.After = "", ""
	return f != SessionFilter{}
}

// SessionRow is an editing session of one note.
type SessionRow struct {
	ID              string
	NoteID          string
	NoteKind        string // in words
	UnitName        string
	Bed             string // where the patient lay when it began
	PatientID       string
	PatientInitials string
	Started         time.Time
	Ended           time.Time // zero while the session lives
	People          []SessionPerson
	Breaks          int // pauses of five minutes or more
	Refusals        int
	Losses          int
	Uncounted       int // edits whose amounts are not known yet
}

// SessionPerson is one person's part in a session.
type SessionPerson struct {
	Person
	Devices []string
	Joined  time.Time
	Left    time.Time // zero while the person is there
	Edits   int       // committed updates
	Typed   Amount
	Pasted  Amount
	Deleted Amount
}

// Amount is how much text: characters as UTF-16 counts them, and words.
type Amount struct{ Characters, Words int }

// by is with what they were there.
func (p SessionPerson) by(ctx context.Context) (text string) {
	for _, name := range p.Devices {
		text += ", " + Device(ctx, name)
	}
	if text == "" {
		return ""
	}
	return "(" + text[2:] + ")"
}

func (a Amount) text(ctx context.Context) string {
	if a.Characters == 0 {
		return "0"
	}
	return words.Count(ctx, a.Words, "{n} word", "{n} words") + ", " + words.Count(ctx, a.Characters, "{n} character", "{n} characters")
}

// amounts is what somebody did, in a few words.
func (p SessionPerson) amounts(ctx context.Context) string {
	var parts []string
	for _, one := range []struct {
		what   string
		amount Amount
	}{{words.Say(ctx, "typed") + " ", p.Typed}, {words.Say(ctx, "pasted") + " ", p.Pasted}, {words.Say(ctx, "deleted") + " ", p.Deleted}} {
		if one.amount.Characters > 0 {
			parts = append(parts, one.what+one.amount.text(ctx))
		}
	}
	return strings.Join(parts, "; ")
}

func (p SessionPerson) words() int { return p.Typed.Words + p.Pasted.Words }

func (r SessionRow) edits() int {
	n := 0
	for _, p := range r.People {
		n += p.Edits
	}
	return n
}

func (r SessionRow) words() int {
	n := 0
	for _, p := range r.People {
		n += p.words()
	}
	return n
}

// lasted is for how long it has been going on, or went on.
func (r SessionRow) lasted(ctx context.Context, now time.Time) string {
	if r.Ended.IsZero() {
		return span(ctx, r.Started, now)
	}
	return span(ctx, r.Started, r.Ended)
}

func (r SessionRow) path() string { return "/admin/sessions/" + r.ID }

// Summary says who wrote how much: "Dr Mei Chen 212 words, Rosa Rivera RN 88".
func (r SessionRow) Summary(ctx context.Context) string {
	var parts []string
	for _, p := range r.People {
		if n := p.words(); n > 0 {
			wrote := strconv.Itoa(n)
			if len(parts) == 0 {
				wrote = words.Count(ctx, n, "{n} word", "{n} words")
			}
			parts = append(parts, p.Name+": "+wrote)
		}
	}
	if len(parts) == 0 {
		return words.Say(ctx, "Nobody wrote a word.")
	}
	return strings.Join(parts, ", ") + "."
}

// liveText announces how many there are: counts, never rows.
func (l LiveSessions) text(ctx context.Context) string {
	if len(l.Rows) == 0 {
		return words.Say(ctx, "Nobody has a note open.")
	}
	text := words.Count(ctx, len(l.Rows), "{n} session is live", "{n} sessions are live")
	if l.More {
		text += words.Say(ctx, ", and more that are not shown")
	}
	return text + "."
}

// SessionView is one editing session.
type SessionView struct {
	Shell
	SessionRow
	Events    []SessionEvent // in the order of time
	Truncated bool           // there were more
	First     uint64         // seq of its first edit; 0: there is none yet
}

// SessionEvent is something that happened in a session.
type SessionEvent struct {
	At    time.Time
	Until time.Time // of what lasted; zero: it was a moment
	Who   string    // empty: nobody
	What  string
	More  string
	Seq   uint64 // the row of the note's log with which it begins; 0: none
	Grave bool   // a refusal, or text that was lost
	Pause bool
}

func (r SessionRow) ofPatient() string { return SessionFilter{Patient: r.PatientID}.Path() }

// replay is the note as it was after a row of its log.
func (v SessionView) replay(seq uint64) string {
	return fmt.Sprintf("/notes/%s/history?at=%d", v.NoteID, seq)
}
