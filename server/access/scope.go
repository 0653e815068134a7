package access

import "slices"

// Scopes are what a program's token is for: any number of these.
type Scopes uint8

// The scopes. The first two are for the notes of one unit.
const (
	ReadNotes Scopes = 1 << iota
	WriteNotes
	ReadAccesses // who opens which record, on all units
)

// OfUnit are the scopes for which a token has to name a unit.
const OfUnit = ReadNotes | WriteNotes

var scopeNames = []string{"notes:read", "notes:write", "accesses:read"}

// ScopeNames returns what all scopes are called, in commands and in the database.
func ScopeNames() []string { return slices.Clone(scopeNames) }

// ScopesOf reads such names. What it does not know is for nothing, and makes known false.
func ScopesOf(names []string) (s Scopes, known bool) {
	known = true
	for _, name := range names {
		i := slices.Index(scopeNames, name)
		if known = known && i >= 0; i >= 0 {
			s |= 1 << i
		}
	}
	return s, known
}

// Names returns what the scopes are called.
func (s Scopes) Names() (names []string) {
	for i, name := range scopeNames {
		if s&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}
