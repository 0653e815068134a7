package sessions

import (
	"time"

	"github.com/clisonix/tidechart/crdt"
)

// What one person's editors can say of their text in a note (I10).
const (
	MaxDeclared = 10_000
	MaxMoved    = 250_000 // pieces of text that were moved or put back
)

// AtOnce is how many UTF-16 units one update may bring, and have been typed; more is pasted. In the recorded histories that the engine is
// measured by, the 182,315 insertions of a paper bring one character each; where an editor completes words, as for programs, an insertion
// brings up to some twenty, and few bring more than 32.
const AtOnce = 32

// Origins are what is known of where a note's text came from, beside its log.
type Origins struct {
	Programs  map[PersonID]bool // of those who wrote it, who is no person
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

	Relocated Manner = "moved" // or put back, by undo: no new text; see [Moved]
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

// Moved is what an editor said of text that an edit of it moved or put back: elements of one client id repeat others.
// Nobody has checked it.
type Moved struct {
	Person PersonID // whose editor it was
	After  uint64   // the note's newest row then: it speaks of later ones
	Copies []crdt.Copy
}

// Told is what is said of the rows of a log up to its head. All of it was said before those rows were stored, so that whoever
// takes them takes the same of it.
type Told struct {
	Head    uint64
	Writers map[crdt.ClientID]PersonID // whose each client id is; no id: recovered, and nobody's yet
	Moved   []Moved
}
