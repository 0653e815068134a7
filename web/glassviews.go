package web

import (
	"context"
	"time"

	"github.com/clisonix/tidechart/web/words"
)

// Choice is an entry of a menu.
type Choice struct{ Value, Text string }

// Option is a choice whose text everybody is offered.
type Option struct {
	Value string
	Text  words.Text
}

// Choices are options in the language of whoever reads.
func Choices(ctx context.Context, all []Option) []Choice {
	said := make([]Choice, len(all))
	for i, o := range all {
		said[i] = Choice{o.Value, words.Say(ctx, o.Text)}
	}
	return said
}

// GlassView is the form by which somebody opens a record that is not theirs to
// open. After a refusal it is shown again (status 422) with Error and what was
// typed, but no password.
type GlassView struct {
	Shell
	// NoteID is the note that was denied; it stands for its patient, whom the
	// page does not name. Empty: Sought is asked for.
	NoteID string
	Sought string // record number, or label of a bed
	Reason string // value of one of Reasons
	Words  string
	Error  string // one sentence for the person: what was wrong, what to do

	Reasons  []Choice
	Lasts    time.Duration
	MinWords int // characters
	MaxWords int
}

// ReviewsView lists broken glass: what waits for somebody else to look at it,
// and what was found. Patients appear by number and initials only.
type ReviewsView struct {
	Shell
	Open     []Review // newest first
	Closed   []Review // likewise
	MaxWords int
}

// Review is one time that somebody broke the glass. Unit, MRN, the patient and
// both words are empty if the viewer may know nothing of the patient.
type Review struct {
	ID string
	Person
	Unit            string // where the patient lay, may be empty
	MRN             string
	PatientID       string
	PatientInitials string
	Reason          string // in words
	Words           string // of who broke it
	At, Until       time.Time
	Opened          int // notes

	Reviewer    string // empty: it waits
	ReviewedAt  time.Time
	Finding     string // "appropriate" or "inappropriate"
	ReviewWords string

	CanClose    bool // the viewer may
	CanSeeWhole bool // the viewer may see who else has opened the record
}

// AccessesView lists who has opened a patient's record.
type AccessesView struct {
	Shell
	Patient
	Rows []Opening // newest first
	// Truncated says that there are older ones than Rows holds; the export has them.
	Truncated bool
}

// Opening is one time that somebody opened a record, or tried to.
type Opening struct {
	At      time.Time
	Name    string
	Role    string
	What    string // the note's title, may be empty
	How     string // in words
	Ties    string // what linked them to the patient, may be empty
	Refused bool
	Glass   bool // by broken glass
}

// ActivityView ranks who has opened whose record by how unusual that is.
type ActivityView struct {
	Shell
	Days  int        // that it is about
	Rows  []Activity // the most unusual first
	OfOne int        // records of one person that are shown at most
	// Truncated says that there is more than Rows holds.
	Truncated bool
}

// Activity is all that one person did with one record.
type Activity struct {
	Person
	PatientID       string
	PatientInitials string
	MRN             string
	Notes           int // opened, or tried to
	Last            time.Time
	Unusual         []string // what is, in words, the gravest first
}
