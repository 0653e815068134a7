package sessions

import (
	"time"

	"github.com/clisonix/tidechart/crdt"
)

// MaxDeclared is how much of a note one person's editors can say of their text.
const MaxDeclared = 10_000

// Origins are what is known of where a note's text came from, beside its log.
type Origins struct {
	Writers   map[crdt.ClientID]PersonID // whose each client id is; no id: recovered, and nobody's yet
	Programs  map[PersonID]bool          // of these, who is no person
	Recovered []Recovery
	Declared  []Declaration
	Carried   []Carried // as found up to the row CarriedTo
	CarriedTo uint64
}

// Recovery is text that somebody brought back after a restore.
type Recovery struct {
	crdt.ClockRange
	By PersonID
}

// Declaration is what an editor said of how text came into it.
type Declaration struct {
	crdt.ClockRange
	Person PersonID // whose editor it was
	How    Manner
}

// Manner is what an editor can say of its text.
type Manner string

// The manners.
const (
	Pasted  Manner = "pasted"  // or dropped
	Offline Manner = "offline" // inserted while there was no line: much comes at once that was not written at once
)

// Carried is text that was inserted at once, and that an earlier note of the same patient has.
type Carried struct {
	crdt.ClockRange
	Source
}

// Source is where carried text was written first.
type Source struct {
	Note   NoteID
	Author PersonID // none: nobody knows
	At     time.Time
}
