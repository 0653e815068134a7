// Package access decides who may do what: one function, and the table it reads.
//
// It holds no state and asks nobody. Who asks finds out what a person has to do with a patient, in one look at the
// database, and gives it to [Decide]; a test spells out what follows for every role, act and relation.
package access

import (
	"slices"
	"strings"
)

// Role is a person's function in the hospital.
type Role string

// The roles.
const (
	Attending      Role = "attending"
	Resident       Role = "resident"
	Nurse          Role = "nurse"
	ChargeNurse    Role = "charge nurse"
	Pharmacist     Role = "pharmacist"
	Student        Role = "student"         // signs nothing: a supervisor does
	Scribe         Role = "scribe"          // writes for a supervisor
	ServiceAccount Role = "service account" // a program
	Administrator  Role = "administrator"
	PrivacyOfficer Role = "privacy officer"
	Display        Role = "display" // a screen in a hallway
)

// roles are all there are, in the order of the table's columns in tests.
var roles = []Role{
	Attending, Resident, Nurse, ChargeNurse, Pharmacist, Student, Scribe, ServiceAccount, Administrator, PrivacyOfficer, Display,
}

// Roles returns all there are.
func Roles() []Role { return slices.Clone(roles) }

// Act is something a person wants to do.
type Act uint8

// The acts. What each is done to is in parentheses, if it is not a note.
const (
	_          Act = iota
	SeePatient     // know that they are here, in a list or on a board (a patient)
	ReadNote
	WriteNote
	CreateNote
	SignNote       // as its author
	CosignNote     // what somebody signed who works under an attending
	WitnessNote    // what somebody else signed
	AmendNote      // begin a note about it, once it is signed
	PrintNote      // on paper, or as a PDF
	ExportNote     // as a file that other programs read
	BreakGlass     // open a record that is not theirs to open, in an emergency (a patient)
	SeeBoard       // beds, patients, and who is writing (a unit)
	ReviewSessions // who wrote when (nothing)
	SeeReviews     // of broken glass (a patient)
	CloseReview    // likewise
	SeeAccesses    // who has opened a record (a patient)
	Export         // the same, to hand it out
	SeePeople      // who there is, where they work and how they sign in (nothing)
	Administer     // change that (a person)
	FollowAccesses // who opens any record, as it happens, for another program to look at (nothing)
	Hold           // keep a record from being destroyed, or not any more (a patient)
	AskDestroy     // ask that a record be destroyed, or take that back (a patient)
	ApproveDestroy // approve or refuse that somebody else has asked for (a patient)
	SeeSystem      // how servers do, and by which keys what is stored is sealed (nothing)
	UsePhrases     // have phrases of one's own, and put a unit's into notes (a unit)
	SetPhrases     // say which phrases a unit has (a unit)
	SeeWall        // beds and initials, for whoever walks by (a unit)
	ChangeBedside  // what the bed says: severity, code status, isolation, expected discharge (a patient)
	Nudge          // ask who began a note to sign it (a unit)
	ReceiveNote    // sign that they take over what somebody else's note hands over
	acts
)

var actNames = [acts]string{
	"", "see patient", "read note", "write note", "create note", "sign note", "cosign note", "witness note", "amend note", "print note", "export note", "break the glass", "see board", "review sessions",
	"see reviews", "close review", "see accesses", "export", "see people", "administer", "follow accesses",
	"hold", "ask to destroy", "approve destroying", "see system", "use phrases", "set phrases", "see wall", "change bedside", "nudge", "receive note",
}

func (a Act) String() string {
	if a < acts {
		return actNames[a]
	}
	return "unknown act"
}

// Ties are what somebody has to do with what an act is done to: any number of these.
type Ties uint8

// The ties. All but Own allow more, never less.
const (
	Unit       Ties = 1 << iota // works where the patient lies; of a patient who has left, where they were written about; of a unit, works there
	Team                        // is on the care team of this stay
	Supervised                  // works under an attending or resident who is one of these
	Author                      // began the note
	Glass                       // has broken the glass for this patient, and that has not ended
	Answers                     // for who broke the glass: as whom they work under, or in charge of a unit where they work; for who signed, as whom they work under
	Own                         // it is their own record; of a review, about what they did; of a person, it is they
)

var tieNames = []string{"unit", "team", "supervised", "author", "glass", "answers", "own"}

// String lists the ties, for logs and the record of accesses.
func (t Ties) String() string {
	var names []string
	for i, name := range tieNames {
		if t&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// TiesOf reads what the database calls ties. What it does not know links nobody.
func TiesOf(names []string) (t Ties) {
	for i, name := range tieNames {
		if slices.Contains(names, name) {
			t |= 1 << i
		}
	}
	return t
}

// Who is somebody who wants to do something.
type Who struct {
	Role   Role
	Fresh  bool   // has just proved who they are
	Scopes Scopes // of the token that a program has shown; a program without any does nothing
}

// Note is what an act is done to, as it stands to who does it. Of a patient or a unit there are Ties only.
type Note struct {
	Kind   string // a code of package notekind; of a note only
	Signed bool
	Frozen bool // somebody is about to sign it
	VIP    bool // the patient's record is restricted to those who care for them
	Ties   Ties

	Elsewhere bool // not of the unit that the token is for
}

// Reason says why a decision is as it is.
type Reason uint8

// The reasons of refusals.
const (
	Allowed       Reason = iota + 1
	NotYourRole          // nobody of this role may, whatever they have to do with it
	NotYourKind          // not with notes of this kind
	NoRelation           // nothing links them to this patient or unit
	Restricted           // what links them is not enough for a restricted record
	OwnRecord            // it is about themselves
	AlreadySigned        // signed notes never change (I5)
	BeingSigned          // nobody writes while somebody signs
	NotFresh             // they have to prove again who they are
	OutOfScope           // the token is for something else
	reasons
)

var reasonNames = [reasons]string{
	"undecided", "allowed", "not this role", "not this kind of note", "no relation", "restricted record", "own record", "signed", "being signed", "sign-in not fresh",
	"not what the token is for",
}

func (r Reason) String() string {
	if r < reasons {
		return reasonNames[r]
	}
	return reasonNames[0]
}

// Decision is what [Decide] returns. The zero value is a refusal.
type Decision struct {
	Allow  bool
	Reason Reason
}

// Decide says whether somebody may do something, and why. What it does not know is denied: a role, an act, a kind. It
// takes well under a microsecond and allocates nothing, so that each keystroke can ask.
func Decide(who Who, act Act, note Note) Decision {
	if act >= acts {
		return Decision{Reason: NotYourRole}
	}
	rule := &compiled[columnOf(who.Role)][act]
	reason := Allowed
	switch {
	case rule.needs == 0:
		reason = NotYourRole
	case who.Role == ServiceAccount && (note.Elsewhere || who.Scopes&scoped[act] == 0):
		reason = OutOfScope
	case note.Ties&Own != 0 && aboutOthers[act]:
		reason = OwnRecord
	default:
		reason = rule.refuses(act, note)
	}
	switch {
	case reason != Allowed:
	case (act == WriteNote || act == SignNote) && note.Signed:
		reason = AlreadySigned
	case act == WriteNote && note.Frozen:
		reason = BeingSigned
	case grave[act] && !who.Fresh:
		reason = NotFresh
	}
	return Decision{Allow: reason == Allowed, Reason: reason}
}

// May reports whether a role could do an act at all, to something: what to offer, never what to allow.
func May(role Role, act Act) bool {
	return act < acts && compiled[columnOf(role)][act].needs != 0
}

// MayAlways reports whether a role may do an act to anything, whatever links them: what to look for, never what to allow.
func MayAlways(role Role, act Act) bool {
	return act < acts && compiled[columnOf(role)][act].needs&anyone != 0
}

// Oversees reports whether a role looks after others' work: administers, or reviews what others did. More is asked of
// those who sign in so.
func Oversees(role Role) bool {
	return slices.ContainsFunc(oversight, func(act Act) bool { return May(role, act) })
}

// MayCreate reports whether a role could begin a note of a kind: what to offer, never what to allow.
func MayCreate(role Role, kind string) bool {
	return Decide(Who{Role: role, Scopes: WriteNotes}, CreateNote, Note{Kind: kind, Ties: ^Own}).Allow
}
