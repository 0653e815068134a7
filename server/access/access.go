// Package access decides who may do what.
//
// The policy is one table. It knows roles only; units, care teams and break-the-glass widen it, not its callers.
package access

import (
	"maps"
	"slices"
)

// Role is a person's function in the hospital.
type Role string

// The roles.
const (
	Attending      Role = "attending"
	Resident       Role = "resident"
	Nurse          Role = "nurse"
	ChargeNurse    Role = "charge nurse"
	Administrator  Role = "administrator"
	PrivacyOfficer Role = "privacy officer"
)

// Act is something a person wants to do.
type Act string

// The acts.
const (
	ReadNote       Act = "read note"
	WriteNote      Act = "write note"
	CreateNote     Act = "create note"
	SeeBoard       Act = "see board" // beds, patients, and who is writing
	ReviewSessions Act = "review sessions"
)

var clinical = []Act{ReadNote, WriteNote, CreateNote, SeeBoard}

// policy lists what each role may do; what is not listed is denied. Nobody both administers and reads content.
var policy = map[Role][]Act{
	Attending:      clinical,
	Resident:       clinical,
	Nurse:          clinical,
	ChargeNurse:    clinical,
	Administrator:  {ReviewSessions},
	PrivacyOfficer: {ReadNote, SeeBoard, ReviewSessions},
}

// Roles returns all there are, by name.
func Roles() []Role { return slices.Sorted(maps.Keys(policy)) }

// May reports whether a role allows an act. Unknown roles and acts are denied.
func May(role Role, act Act) bool { return slices.Contains(policy[role], act) }
