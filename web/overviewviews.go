package web

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/clisonix/tidechart/web/words"
)

// OverviewView is the first page of those who administer, and of those who review.
type OverviewView struct {
	Shell
	Tour    Tour
	Waiting []Waiting // what is not nothing

	Servers, Sockets, OpenNotes int // of the servers that run
	Live, People, Units         int // editing sessions, and who and what there is

	// A search, which is posted, and what it found.
	Query         string
	FindsPatients bool // by name, number or bed
	Found         []Account
	More          bool // people match that are not shown
	FoundUnits    []Choice
	Patients      []Patient
}

// Waiting is something that waits for somebody, or that they should know.
type Waiting struct {
	Count  int
	Text   string
	Href   string // where it is done; "": nowhere here
	Urgent bool   // somebody has to do something
}

// Wait adds what there is some of.
func (v *OverviewView) Wait(n int, one, many, href string, urgent bool) {
	if n > 0 {
		text := many
		if n == 1 {
			text = one
		}
		v.Waiting = append(v.Waiting, Waiting{n, text, href, urgent})
	}
}

func (v OverviewView) waiting(urgent bool) (some []Waiting) {
	for _, w := range v.Waiting {
		if w.Urgent == urgent {
			some = append(some, w)
		}
	}
	return some
}

func (v OverviewView) says(ctx context.Context) string {
	kinds := []string{words.Count(ctx, len(v.Found), "{n} person", "{n} people"), words.Count(ctx, len(v.FoundUnits), "{n} unit", "{n} units")}
	if v.FindsPatients {
		kinds = append(kinds, words.Count(ctx, len(v.Patients), "{n} patient", "{n} patients"))
	}
	return strings.Join(kinds, ", ")
}

// KeysView is which keys seal what is stored, and who has them. It has no key, but for its name.
type KeysView struct {
	Shell
	Rows     []KeyRow // the newest first
	Retired  []RetiredKey
	Recovery string // the name of the recovery key; "": there is none
}

// KeyRow is a key that something is wrapped to, or will be.
type KeyRow struct {
	ID            string
	Since         time.Time
	Newest        bool
	DataKeys      int // that are wrapped to it
	WithoutCopy   int // of which the recovery key opens none
	Held, Missing int // servers that run and have it, or do not
}

// RetiredKey is one that only backups of before need.
type RetiredKey struct {
	ID           string
	Since, Until time.Time
}

// Missing counts servers that lack a key.
func (v KeysView) Missing() (most int) {
	for _, r := range v.Rows {
		most = max(most, r.Missing)
	}
	return most
}

// WithoutCopy counts data keys that the recovery key does not open, though there is one.
func (v KeysView) WithoutCopy() (n int) {
	if v.Recovery == "" {
		return 0
	}
	for _, r := range v.Rows {
		n += r.WithoutCopy
	}
	return n
}

// old counts data keys that are not wrapped to the newest key.
func (v KeysView) old() (n int) {
	for _, r := range v.Rows {
		if !r.Newest {
			n += r.DataKeys
		}
	}
	return n
}

// advice is what to do next: a sentence, and the command, if there is one.
func (v KeysView) advice(ctx context.Context) (steps [][2]string) {
	if v.Missing() > 0 {
		steps = append(steps, [2]string{words.Say(ctx, "Some servers do not have all keys. Put the newest key file where each server reads it; it takes it over within seconds."), "tidechart keys status"})
	}
	switch old := v.old(); {
	case old > 0:
		steps = append(steps, [2]string{words.Say(ctx, "{old} wrapped to an older key. Wrap them to the newest.", words.Count(ctx, old, "{n} data key is", "{n} data keys are")), "tidechart keys rewrap"})
	case len(v.Rows) > 1:
		steps = append(steps, [2]string{words.Say(ctx, "Nothing is wrapped to the older key any more. Retire it."), "tidechart keys retire"})
	}
	switch {
	case v.Recovery == "":
		steps = append(steps, [2]string{words.Say(ctx, "There is no recovery key: who loses the key file loses every note. Make one, in shares that several people keep."), "tidechart keys init --help"})
	case v.WithoutCopy() > 0:
		steps = append(steps, [2]string{words.Say(ctx, "{withoutCopy} no copy for the recovery key yet. Wrap them anew.", words.Count(ctx, v.WithoutCopy(), "{n} data key has", "{n} data keys have")), "tidechart keys rewrap"})
	}
	return steps
}

// SystemView is how servers do.
type SystemView struct {
	Shell
	Servers  []ServerView
	Database DatabaseView
	Commits  LatencyView
	Retries  uint64 // of commits
}

// running counts servers that run.
func (v SystemView) running() (n int) {
	for _, s := range v.Servers {
		if s.Running {
			n++
		}
	}
	return n
}

// ServerView is how one server does.
type ServerView struct {
	ID                              string // the first letters of its name
	Here, Running                   bool   // this one; heard of lately
	Version                         string
	Began, Seen                     time.Time
	Sockets, Notes, Writers         int
	Streams, Queued                 int
	Unsettled                       int64         // bytes
	Lag                             time.Duration // of the commit under way
	Reading, MaxRead                int           // connections to the database
	TLS                             bool          // else a proxy speaks it, or nobody
	PostQuantum, Classical, Refused uint64        // connections since it began
}

// handshakes says how connections were kept secret.
func (s ServerView) handshakes(ctx context.Context) string {
	if !s.TLS {
		return words.Say(ctx, "a proxy in front, or nobody, encrypts")
	}
	all := s.PostQuantum + s.Classical
	if all == 0 {
		return words.Say(ctx, "none yet")
	}
	return words.Say(ctx, "{postQuantum} of {all} post-quantum; {refused} refused", strconv.FormatUint(s.PostQuantum, 10), strconv.FormatUint(all, 10), strconv.FormatUint(s.Refused, 10))
}

// DatabaseView is how the database does.
type DatabaseView struct {
	Version           string
	Bytes             int64
	Connections, Most int
	Began             time.Time
	Answers           time.Duration // how long it took
}

// LatencyView is how long commits took since servers began.
type LatencyView struct {
	All        uint64
	Half, Most time.Duration // within which half, and 99 of 100, were done; 0: none, or beyond what is measured
	Parts      []LatencyPart
}

// LatencyPart counts commits that took up to some time, and longer than the part before says.
type LatencyPart struct {
	Within time.Duration // 0: there is no end
	Count  uint64
}

// widthOf is the length of a part's bar, of a hundred: the largest has all.
func (v LatencyView) widthOf(p LatencyPart) string {
	most := uint64(1)
	for _, one := range v.Parts {
		most = max(most, one.Count)
	}
	return strconv.FormatFloat(100*float64(p.Count)/float64(most), 'f', 1, 64)
}

// shown are the parts up to the last that has anything.
func (v LatencyView) shown() []LatencyPart {
	last := 0
	for i, p := range v.Parts {
		if p.Count > 0 {
			last = i
		}
	}
	return v.Parts[:min(last+1, len(v.Parts))]
}

func (p LatencyPart) text(ctx context.Context) string {
	if p.Within == 0 {
		return "longer"
	}
	return words.Say(ctx, "up to {short}", short(ctx, p.Within))
}

func (v LatencyView) says(ctx context.Context) string {
	if v.All == 0 {
		return words.Say(ctx, "Nobody has written since the servers began.")
	}
	text := words.Say(ctx, "{all} since the servers began", words.Count(ctx, int(v.All), "{n} commit", "{n} commits"))
	if v.Half > 0 {
		text += words.Say(ctx, "; half took up to {short}", short(ctx, v.Half))
	}
	if v.Most > 0 {
		text += words.Say(ctx, ", 99 of 100 up to {short}", short(ctx, v.Most))
	}
	return text + "."
}

// short is a time as people say it: 5 ms, 2 s.
func short(ctx context.Context, d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return words.Say(ctx, "under 1 ms")
	case d < time.Second:
		return words.Say(ctx, "{milliseconds} ms", strconv.FormatInt(d.Milliseconds(), 10))
	default:
		return words.Say(ctx, "{seconds} s", strconv.FormatFloat(d.Seconds(), 'f', -1, 64))
	}
}

// size is a number of bytes as people say it.
func size(ctx context.Context, n int64) string {
	switch {
	case n < 1<<10:
		return words.Count(ctx, int(n), "{n} byte", "{n} bytes")
	case n < 1<<20:
		return words.Say(ctx, "{n2} KB", strconv.FormatInt(n>>10, 10))
	case n < 1<<30:
		return words.Say(ctx, "{n2} MB", strconv.FormatInt(n>>20, 10))
	default:
		return words.Say(ctx, "{formatFloat} GB", strconv.FormatFloat(float64(n)/(1<<30), 'f', 1, 64))
	}
}
