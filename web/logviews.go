package web

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/clisonix/tidechart/web/words"
)

// LogView is the log of acts, as far as it was asked for. Patients have no
// names in it.
type LogView struct {
	Shell
	// What was asked for, as typed.
	Person, Patient, Act, Outcome, Since, Until string

	Acts, Outcomes []Choice
	Error          string // one sentence: what of that there is not
	Rows           []LogRow
	Truncated      bool

	// Signed is how many entries the newest checkpoint is signed for, at
	// SignedAt; zero: nothing is signed yet.
	Signed      int64
	SignedAt    time.Time
	Waiting     int64  // entries behind it
	Fingerprint string // of the keys
	SignedAgo   time.Duration
	Broken      string // what is wrong with the newest checkpoint, if anything
	Bad         int    // rows that are not what was signed, or have no place
}

// Proof says how far the log is signed for.
func (v LogView) Proof(ctx context.Context) string {
	switch {
	case v.Broken != "":
		return words.Say(ctx, "The newest checkpoint is not good: {broken}", v.Broken)
	case v.SignedAt.IsZero():
		return words.Say(ctx, "Nothing is signed yet.")
	default:
		return words.Say(ctx, "{signed} entries are signed for, at {signedAt}; {waiting} wait.", fmt.Sprint(v.Signed), v.SignedAt.Format("15:04:05"), fmt.Sprint(v.Waiting))
	}
}

// signedLate is how old the newest checkpoint is when the page says so.
const signedLate = 30 * time.Second

// Alarm says what is wrong with the log, in one sentence; empty: nothing that is seen here.
func (v LogView) Alarm(ctx context.Context) string {
	switch {
	case v.Bad == 1:
		return words.Say(ctx, "An entry below is not what was signed, or has no place in the log.")
	case v.Bad > 1:
		return words.Say(ctx, "{bad} entries below are not what was signed, or have no place in the log.", strconv.Itoa(v.Bad))
	case v.Broken != "":
		return words.Say(ctx, "The newest checkpoint is not good: {broken}.", v.Broken)
	case !v.SignedAt.IsZero() && v.SignedAgo > signedLate:
		return words.Say(ctx, "Nothing has been signed for {signedAgo}.", short(ctx, v.SignedAgo.Round(time.Second)))
	}
	return ""
}

// LogRow is an entry of the log.
type LogRow struct {
	Entry     int64 // its place; -1: none yet
	At        time.Time
	Who, Role string // empty: nobody who is known, or the operator
	What      string
	Outcome   string // "done", "refused" or "failed"
	Code      string // what more there is to say, in words
	PatientID string
	About     string // somebody else's name
	Changed   bool   // it is not what the signed tree has in its place
	Late      bool   // it should have had a place long ago
}

func (r LogRow) whoText(ctx context.Context) string {
	if r.Who == "" {
		return words.Say(ctx, "nobody known, or the operator")
	}
	return r.Who
}

// entryText is the place of an entry, and whether that is signed for.
func (r LogRow) entryText(ctx context.Context, signed int64) string {
	switch {
	case r.Late:
		return ""
	case r.Entry < 0:
		return words.Say(ctx, "not yet")
	case r.Entry >= signed && !r.Changed:
		return words.Say(ctx, "{entry}, not signed yet", strconv.FormatInt(r.Entry, 10))
	default:
		return strconv.FormatInt(r.Entry, 10)
	}
}
