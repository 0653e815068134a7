// Package transport is TLS as this server speaks it: version 1.3 only, with keys that are agreed on by ML-KEM together with an
// elliptic curve where the client can, or else not at all; with a certificate that follows its files; and counted.
//
// What somebody records today of a connection whose keys were agreed on by a curve alone can be read by whoever has a quantum
// computer later. Certificates are signed classically still: to forge one, such a computer would be needed during the handshake.
package transport

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Demand says what of a client is demanded beside TLS 1.3.
type Demand int

// The demands.
const (
	Prefer  Demand = iota // a post-quantum group with whoever has one
	Require               // a post-quantum group
)

// Groups by which keys are agreed on, the preferred ones first (draft-ietf-tls-ecdhe-mlkem; RFC 8446, 4.2.7). Browsers
// have X25519MLKEM768. A client that offers a post-quantum group gets one, even if that takes another round trip.
var (
	postQuantum = []tls.CurveID{tls.X25519MLKEM768, tls.SecP256r1MLKEM768, tls.SecP384r1MLKEM1024}
	classical   = []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384, tls.CurveP521}
)

// Groups are all by which keys may be agreed on.
var Groups = slices.Concat(postQuantum, classical)

// IsPostQuantum reports whether what is agreed on by a group withstands quantum computers.
func IsPostQuantum(group tls.CurveID) bool { return slices.Contains(postQuantum, group) }

// Network names what is likely one household: an IPv4 address, or the first half of an IPv6 one; "" if there is none.
func Network(at netip.Addr) string {
	at = at.Unmap().WithZone("")
	switch {
	case !at.IsValid():
		return ""
	case at.Is6():
		half, _ := at.Prefix(64) // never fails of an address of 128 bits
		return half.String()
	default:
		return at.String()
	}
}

// Options are what a [Transport] needs. Now may be nil: the machine's clock.
type Options struct {
	Cert, Key string // files, PEM: the chain, and its key
	Demand    Demand
	Host      string // by which browsers reach the server; "": as each says
	Log       *slog.Logger
	Now       func() time.Time
}

// Transport speaks TLS on any number of listeners, and counts. Its methods may be used by any number of goroutines, but for
// [Transport.Tend], which one calls.
type Transport struct {
	// Static after New.
	cert, key string
	demand    Demand
	host      string
	log       *slog.Logger
	now       func() time.Time

	// What new connections are spoken to by. Each pair has a configuration of its own, so that nobody resumes by a ticket
	// what began under another certificate.
	current atomic.Pointer[pair]

	files following // owned by whoever tends

	mu    sync.Mutex // held for moments
	tally Tally
	untold
}

// New returns a transport by the pair that the files hold. A pair that browsers will not believe is told to the log.
func New(o Options) (*Transport, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	t := &Transport{
		cert: o.Cert, key: o.Key, demand: o.Demand, host: o.Host, log: o.Log, now: o.Now,
		tally:  Tally{Shaken: make(map[tls.CurveID]uint64), Failed: make(map[Reason]uint64)},
		untold: untold{make(map[Reason]time.Time), make(map[Reason]uint64), make(map[Reason]string)},
	}
	p, err := t.read()
	if err != nil {
		return nil, fmt.Errorf("load certificate: %w", err)
	}
	t.use(p)
	return t, nil
}

// config is how connections are spoken to by a certificate.
func (t *Transport) config(cert tls.Certificate) *tls.Config {
	groups := Groups
	if t.demand == Require {
		groups = postQuantum
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS13, CurvePreferences: groups, Certificates: []tls.Certificate{cert},
		NextProtos: []string{"h2", "http/1.1"}, GetConfigForClient: overhear,
	}
}

// Tally is what a transport has counted since it was made.
type Tally struct {
	Shaken map[tls.CurveID]uint64 // handshakes that ended well, by group
	Failed map[Reason]uint64      // and those that did not
	Taken  uint64                 // pairs that were taken over from changed files
	Broken bool                   // the files hold a pair that is not used
	Ends   time.Time              // of the certificate in use
}

// Tally returns what was counted so far.
func (t *Transport) Tally() Tally {
	ends := t.current.Load().ends()
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.tally
	c.Shaken, c.Failed, c.Ends = maps.Clone(c.Shaken), maps.Clone(c.Failed), ends
	return c
}

func (t *Transport) shaken(group tls.CurveID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tally.Shaken[group]++
}

// tellEvery is how often the log is told of handshakes that fail for one reason: anybody can cause them.
const tellEvery = time.Minute

// untold is what the log has not been told yet of handshakes that failed.
type untold struct {
	told  map[Reason]time.Time // when it was last told
	times map[Reason]uint64    // since then
	last  map[Reason]string    // network of the last one
}

// failed counts a handshake that failed. The log names the network of the last one, so that an old client is found.
func (t *Transport) failed(why Reason, network string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tally.Failed[why]++
	t.times[why]++
	t.last[why] = network
}

// tell tells the log of handshakes that failed.
func (t *Transport) tell() {
	type line struct {
		why     Reason
		times   uint64
		network string
	}
	var lines []line
	now := t.now()
	t.mu.Lock()
	for why, n := range t.times {
		if n > 0 && now.Sub(t.told[why]) >= tellEvery {
			lines = append(lines, line{why, n, t.last[why]})
			t.told[why], t.times[why] = now, 0
		}
	}
	t.mu.Unlock()
	slices.SortFunc(lines, func(a, b line) int { return cmp.Compare(a.why, b.why) })
	for _, l := range lines {
		t.log.Warn("TLS handshakes failed", "reason", string(l.why), "times", l.times, "remote", l.network)
	}
}
