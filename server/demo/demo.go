// Package demo is the hospital that a demo starts with: made up throughout,
// the same every time, and written the way clinicians write.
//
// Nobody here exists. Family names are words of the sea, record numbers begin
// with T, and the texts in cases/ were composed for this purpose. They follow
// the safe-notation rules of ISMP (units spelled out, no naked decimals), so
// that nobody learns bad habits from a demo.
package demo

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/server/store"
)

// Password is that of every demo user. It exists in demo mode only.
const Password = "tidechart-demo"

// facilityID marks a database as a demo's.
const facilityID = "saltmarsh"

// Hospital is all that the demo starts with.
type Hospital struct {
	ID       string
	Name     string
	Units    []Unit
	Beds     []Bed // in the order of a walk through each unit
	People   []Person
	Patients []Patient
	Notes    []Note // oldest first
}

// Unit is a ward.
type Unit struct {
	ID   string // a short word for URLs
	Name string
}

// Bed is a place for one patient.
type Bed struct {
	ID       string
	Unit     string // its id
	Label    string
	Position int // in its unit, from 1
}

// Person is somebody who can sign in.
type Person struct {
	ID       uuid.UUID
	Username string
	Name     string
	Role     string
	Unit     string // its id; "" for those who work on none
	Color    int    // index into the author palette, 0 to 7

	Covers     []string // ids of more units
	Supervisor string   // a username
}

// Patient is somebody in a bed.
type Patient struct {
	ID        uuid.UUID
	MRN       string
	Family    string
	Given     string
	Title     string
	Born      time.Time // a date
	Gender    string
	Allergies string // the banner's wording: absence of data is never "none"
	Unit      string // its id
	Bed       string // its id
	Admitted  time.Time
	Bedside   store.Bedside

	Restricted bool // to the care team
}

// Note is a note about a patient.
type Note struct {
	ID      uuid.UUID
	Patient uuid.UUID
	Unit    string // its id
	Kind    string // a code of package notekind
	Author  uuid.UUID
	At      time.Time
	Body    prose.Node
}

// New returns the hospital as it is on the day of now, with every note
// written on an earlier day.
func New(now time.Time) (Hospital, error) {
	year, month, day := now.Date()
	midnight := time.Date(year, month, day, 0, 0, 0, 0, now.Location())
	h := Hospital{ID: facilityID, Name: "Saltmarsh Demonstration Hospital", People: people}
	for _, u := range units {
		h.Units = append(h.Units, u.Unit)
		h.Beds = append(h.Beds, u.beds()...)
	}
	cases, err := readCases()
	if err != nil {
		return Hospital{}, err
	}
	for i, a := range admissions {
		p := a.patient(i, midnight)
		h.Patients = append(h.Patients, p)
		c, ok := cases[a.course]
		if !ok {
			return Hospital{}, fmt.Errorf("patient %d: there is no case %q", i, a.course)
		}
		h.Notes = append(h.Notes, c.notes(i, a, p, midnight)...)
	}
	sortByTime(h.Notes)
	return h, nil
}

// space is the namespace of the demo's ids.
var space = uuid.NewSHA1(uuid.NameSpaceURL, []byte("https://github.com/clisonix/tidechart/demo"))

// id returns the id that belongs to a name, the same in every demo.
func id(format string, args ...any) uuid.UUID {
	return uuid.NewSHA1(space, fmt.Appendf(nil, format, args...))
}
