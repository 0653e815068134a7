package audit

import (
	"fmt"
	"time"
)

// Fault is what is wrong with a log, and where first.
type Fault struct {
	Kind  FaultKind
	First int64 // entry
	Last  int64 // likewise, where it is only known that one of several is bad; else First
	Says  string
}

// FaultKind tells faults apart.
type FaultKind string

// The faults.
const (
	Changed    FaultKind = "changed"     // an entry is not the one that was sequenced
	Missing    FaultKind = "missing"     // an entry is not there
	Misplaced  FaultKind = "misplaced"   // an entry is where another was
	Unsigned   FaultKind = "unsigned"    // a checkpoint is not signed by both keys, or does not say what one says
	Forked     FaultKind = "forked"      // somebody was shown another log
	RolledBack FaultKind = "rolled back" // somebody was shown a longer log
	Unproven   FaultKind = "unproven"    // a proof does not prove that its entry is in the log
	Incomplete FaultKind = "incomplete"  // the file ends before its end
	Stale      FaultKind = "stale"       // a server shows an old checkpoint, or one of a time to come
	Opened     FaultKind = "details"     // the details that come with an entry are not its own
)

func (f *Fault) Error() string {
	switch {
	case f.First < 0:
		return fmt.Sprintf("%s: %s", f.Kind, f.Says)
	case f.Last > f.First:
		return fmt.Sprintf("%s, entries %d to %d: %s", f.Kind, f.First, f.Last, f.Says)
	default:
		return fmt.Sprintf("%s, entry %d: %s", f.Kind, f.First, f.Says)
	}
}

func fault(kind FaultKind, entry int64, says string, args ...any) *Fault {
	return &Fault{kind, entry, entry, fmt.Sprintf(says, args...)}
}

// whole is where a fault is that concerns no entry.
const whole = -1

// NoPlace is the fault of acts that were recorded, and kept from the log.
func NoPlace(acts int, first time.Time) *Fault {
	return fault(Missing, whole, "acts were recorded, the first of %d at %s, that have no place in the log, and would get none", acts, first.UTC().Format(leafTime))
}
