package web

import (
	"context"
	"strconv"
	"time"

	"github.com/clisonix/tidechart/web/words"
)

// DestructionView is where two people decide that a record is destroyed, and
// where records are held. After a refusal it is shown again (status 422) with
// Error and what was typed. Patients appear by number and initials only.
type DestructionView struct {
	Shell
	Fresh   bool // who looks at it has just proven who they are
	CanAsk  bool
	CanHold bool
	Holding bool   // what was typed is of the form that sets a hold
	Sought  string // record number, or address of a note
	Reason  string // value of one of Reasons
	Words   string
	Error   string // one sentence for the person: what was wrong, what to do

	Reasons  []Choice
	Within   time.Duration // in which a decision has to be approved and carried out
	MinWords int           // characters
	MaxWords int

	Waiting []Destruction // newest first
	Over    []Destruction // likewise
	Holds   []Hold        // likewise
}

// Record is a note, or without one all that there is about a patient. The
// initials and the number are empty once it is destroyed.
type Record struct {
	PatientInitials string
	MRN             string
	NoteID          string
	NoteKind        string
}

// Destruction is a decision that a record be destroyed.
type Destruction struct {
	ID string
	Record
	Reason string // in words
	Words  string // of who asks
	Notes  int    // that are to be destroyed
	Held   bool   // it is not, as long as a hold is there
	Here   bool   // the patient lies in a bed

	Asker      string
	AskedAt    time.Time
	Until      time.Time
	Approver   string // empty: it waits
	ApprovedAt time.Time
	Ender      string // who withdrew or refused it
	EndedAt    time.Time
	DoneAt     time.Time

	CanApprove, CanRefuse, CanWithdraw bool // the viewer may
}

// Hold keeps a record from being destroyed.
type Hold struct {
	ID string
	Record
	Words  string
	Setter string
	SetAt  time.Time
}

// typed is what was typed of why, in the form in which it was.
func (v DestructionView) typed(there bool) string {
	if !there {
		return ""
	}
	return v.Words
}

// about names a record for who cannot see the row that it stands in.
func (r Record) about(ctx context.Context) string {
	if r.NoteID != "" {
		return words.Say(ctx, "{noteKind} about {mRN}", Named(ctx, r.NoteKind), r.MRN)
	}
	return words.Say(ctx, "all about {mRN}", r.MRN)
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}
