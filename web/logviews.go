package web

import (
	"fmt"
	"strconv"
	"time"
)

// LogView is the log of acts, as far as it was asked for. Patients have no
// names in it.
type LogView struct {
	Shell
	// What was asked for, as typed.
	Person, Patient, Act, Since, Until string
	Acts                               []Choice
	Error                              string // one sentence: what of that there is not
	Rows                               []LogRow
	Truncated                          bool

	// Signed is how many entries the newest checkpoint is signed for, at
	// SignedAt; zero: nothing is signed yet.
	Signed      int64
	SignedAt    time.Time
	Waiting     int64  // entries behind it
	Fingerprint string // of the keys
	Broken      string // what is wrong with the newest checkpoint, if anything
}

// Proof says how far the log is signed for.
func (v LogView) Proof() string {
	switch {
	case v.Broken != "":
		return "The newest checkpoint is not good: " + v.Broken
	case v.SignedAt.IsZero():
		return "Nothing is signed yet."
	default:
		return fmt.Sprintf("%d entries are signed for, at %s; %d wait.", v.Signed, v.SignedAt.Format("15:04:05"), v.Waiting)
	}
}

// LogRow is an entry of the log.
type LogRow struct {
	Entry     int64 // its place; -1: none yet
	At        time.Time
	Who, Role string // empty: nobody who is known, or the operator
	What      string
	Outcome   string // "done", "refused" or "failed"
	Code      string // words of the program
	PatientID string
	About     string // somebody else's name
}

func (r LogRow) whoText() string {
	if r.Who == "" {
		return "nobody known, or the operator"
	}
	return r.Who
}

// entryText is the place of an entry, and whether that is signed for.
func (r LogRow) entryText(signed int64) string {
	switch {
	case r.Entry < 0:
		return "not yet"
	case r.Entry >= signed:
		return strconv.FormatInt(r.Entry, 10) + ", not signed yet"
	default:
		return strconv.FormatInt(r.Entry, 10)
	}
}
