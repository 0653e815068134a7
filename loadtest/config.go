package loadtest

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"strings"
	"time"
)

// The protocols that clients speak.
const (
	Hocuspocus = "hocuspocus"
	YWebSocket = "y-websocket"
	Both       = "both" // every other client of a note speaks the other one
)

// Limits of what one generator is asked to do.
const (
	maxClients   = 100_000
	maxKeystroke = 1000 // per second and typist
	maxSize      = 64 << 20

	maxRevocations = 10_000
)

// Config says whom to load, and with what. [Defaults] has what is usual.
type Config struct {
	URL      string   // of the server: http or https
	Tokens   []string // people; the clients of a note take turns. None for a server that asks for none
	Protocol string   // Hocuspocus, YWebSocket or Both

	// Prefix names documents Prefix-0, Prefix-1, … of any Yjs server. Without one the server is a Tidechart, and
	// its notes are begun through its API.
	Prefix string

	Notes    int     // documents
	Clients  int     // per note, typists and slow readers among them
	Typists  int     // per note
	Slow     int     // per note: readers that take one message in SlowEvery
	Rate     float64 // keystrokes per second and typist
	Presence bool    // everyone shows a caret, typists move theirs with each keystroke
	Joins    int     // clients that join the first note at once, halfway
	Size     int     // bytes of an update with as much content, written into each note beforehand

	Warmup    time.Duration // of typing before anything is measured
	Duration  time.Duration // of typing that is measured
	Drain     time.Duration // how long to wait for what is under way at the end
	SlowEvery time.Duration
	Verify    float64 // share of the readers' replicas that are compared in full; typists' always are

	Witnesses   []Witness // people whose rights are withdrawn while the load runs
	Revocations int       // how often, of each

	PIDs     []int        // processes of the server, whose children count too
	Progress func(string) // is told what goes on, about once a second; may be nil

	besides []string // tokens of witnesses, who read what they do not begin
}

// Defaults is a ward round: ten notes, five people at each, two of them typing.
func Defaults() Config {
	return Config{
		URL: "http://127.0.0.1:8080", Protocol: Both,
		Notes: 10, Clients: 5, Typists: 2, Rate: 5,
		Warmup: 2 * time.Second, Duration: 10 * time.Second, Drain: 20 * time.Second, SlowEvery: 250 * time.Millisecond,
		Verify: 1,
	}
}

// ErrConfig marks a Config that cannot be run.
var ErrConfig = errors.New("cannot load the server")

func (c Config) check() error {
	u, err := url.Parse(c.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("%w: its address is not an http or https URL", ErrConfig)
	case c.Protocol != Hocuspocus && c.Protocol != YWebSocket && c.Protocol != Both:
		return fmt.Errorf("%w: the protocol is %s, %s or %s", ErrConfig, Hocuspocus, YWebSocket, Both)
	case c.Prefix != "" && c.Protocol == Both:
		return fmt.Errorf("%w: only Tidechart speaks both protocols; choose one", ErrConfig)
	case c.Prefix == "" && len(c.Tokens) == 0:
		return fmt.Errorf("%w: Tidechart asks for a token, and any other server for a document prefix", ErrConfig)
	case c.Notes < 1 || c.Clients < 1 || c.Notes*c.Clients+c.Joins > maxClients:
		return fmt.Errorf("%w: between 1 and %d clients", ErrConfig, maxClients)
	case c.Typists < 0 || c.Slow < 0 || c.Joins < 0 || c.Typists+c.Slow > c.Clients:
		return fmt.Errorf("%w: typists and slow readers are among the clients of a note", ErrConfig)
	case !(c.Rate > 0 && c.Rate <= maxKeystroke):
		return fmt.Errorf("%w: between 0 and %d keystrokes per second", ErrConfig, maxKeystroke)
	case c.Revocations < 0 || c.Revocations > maxRevocations || (c.Revocations > 0) != (len(c.Witnesses) > 0) || c.Revocations > 0 && (c.Prefix != "" || len(c.Tokens) == 0):
		return fmt.Errorf("%w: rights are withdrawn from people of a Tidechart, up to %d times", ErrConfig, maxRevocations)
	case c.Size < 0 || c.Size > maxSize:
		return fmt.Errorf("%w: notes of up to %d bytes", ErrConfig, maxSize)
	case c.Warmup < 0 || c.Duration <= 0 || c.Drain < 0 || c.Slow > 0 && c.SlowEvery <= 0:
		return fmt.Errorf("%w: durations are positive", ErrConfig)
	case math.IsNaN(c.Verify) || c.Verify < 0 || c.Verify > 1:
		return fmt.Errorf("%w: the share to compare in full is between 0 and 1", ErrConfig)
	}
	return nil
}

// String says what the load is.
func (c Config) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d notes x %d clients by %s", c.Notes, c.Clients, c.Protocol)
	if c.Typists > 0 {
		fmt.Fprintf(&b, ", %d typists at %g/s", c.Typists, c.Rate)
	}
	if c.Slow > 0 {
		fmt.Fprintf(&b, ", %d slow readers", c.Slow)
	}
	if c.Presence {
		b.WriteString(", presence")
	}
	if c.Joins > 0 {
		fmt.Fprintf(&b, ", %d joins at once", c.Joins)
	}
	if c.Revocations > 0 {
		fmt.Fprintf(&b, ", rights of %d withdrawn %d times", len(c.Witnesses), c.Revocations)
	}
	if c.Size > 0 {
		fmt.Fprintf(&b, ", notes of %.1f MB", float64(c.Size)/1e6)
	}
	fmt.Fprintf(&b, ", %v after %v", c.Duration, c.Warmup)
	return b.String()
}
