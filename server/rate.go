package server

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"golang.org/x/time/rate"

	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/sessions"
)

// Limits of requests (I10): of the HTTP API, and of pages that somebody has to be signed in for. Whoever is over one
// is told when to come back. docs/limits.md lists them.
const (
	requestsPerSecond = 50  // of one person, or of one address from which nobody known asks
	requestBurst      = 200 // that may come at once

	editBytesPerSecond = 256 << 10         // of updates that one person sends to the API
	editBytesBurst     = sessions.MaxFrame // that may come at once: one update of any size

	maxCallers = 10_000 // people, and addresses, whose requests are counted apart; all others share one count
)

// tooMany refuses a request that comes too soon.
type tooMany struct {
	wait time.Duration
	told bool // the log has been told of this caller just now
}

func (e *tooMany) Error() string { return fmt.Sprintf("too many requests; %v too soon", e.wait) }

// seconds is how long to wait, as Retry-After says it.
func (e *tooMany) seconds() string { return strconv.Itoa(max(1, int(math.Ceil(e.wait.Seconds())))) }

// wasTold reports whether the log can do without a line about err: a flood of requests is not one of lines.
func wasTold(err error) bool {
	var many *tooMany
	return errors.As(err, &many) && many.told
}

// retryAfter sets the header that says when to ask again, if err is about that.
func retryAfter(h http.Header, err error) {
	var many *tooMany
	var wrong *login.TooManyTries
	if errors.As(err, &wrong) {
		many = &tooMany{wait: wrong.Wait}
	}
	if many != nil || errors.As(err, &many) {
		h.Set("Retry-After", many.seconds())
	}
}

// gate counts the requests of callers, each by itself, and remembers only those who have asked within the time in which
// their allowance is whole again. Any number of goroutines may use it.
type gate struct {
	perSecond rate.Limit
	burst     int

	mu      sync.Mutex
	callers map[string]*caught
	rest    *caught // whom there is no room for
	swept   time.Time
}

// caught is what one caller has left.
type caught struct {
	tokens *rate.Limiter
	told   time.Time // when the log was told that they are too fast
}

func newGate(perSecond, burst int) *gate {
	g := &gate{perSecond: rate.Limit(perSecond), burst: burst, callers: make(map[string]*caught)}
	g.rest = g.fresh()
	return g
}

func (g *gate) fresh() *caught { return &caught{tokens: rate.NewLimiter(g.perSecond, g.burst)} }

// pass takes n of what a caller may have, or returns a [*tooMany] and takes nothing.
func (g *gate) pass(who string, n int, now time.Time) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := g.of(who, now)
	take := c.tokens.ReserveN(now, n)
	wait := take.DelayFrom(now)
	if take.OK() && wait == 0 {
		return nil
	}
	take.CancelAt(now)
	told := now.Sub(c.told) < time.Second
	if !told {
		c.told = now
	}
	return &tooMany{wait: wait, told: told}
}

// has reports whether pass would let one request of a caller by, and takes nothing.
func (g *gate) has(who string, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := g.callers[who]
	return c == nil || c.tokens.TokensAt(now) >= 1
}

// of finds a caller, or makes room for one.
func (g *gate) of(who string, now time.Time) *caught {
	if c := g.callers[who]; c != nil {
		return c
	}
	if len(g.callers) >= maxCallers {
		g.sweep(now)
	}
	if len(g.callers) >= maxCallers {
		return g.rest
	}
	c := g.fresh()
	g.callers[who] = c
	return c
}

// sweep forgets, once a second at most, who has all again: they are like somebody new.
func (g *gate) sweep(now time.Time) {
	if now.Sub(g.swept) < time.Second {
		return
	}
	g.swept = now
	for who, c := range g.callers {
		if c.tokens.TokensAt(now) >= float64(g.burst) {
			delete(g.callers, who)
		}
	}
}

// limits are the counts of one server.
type limits struct{ people, strangers, edits *gate }

func newLimits() limits {
	return limits{
		people:    newGate(requestsPerSecond, requestBurst),
		strangers: newGate(requestsPerSecond, requestBurst),
		edits:     newGate(editBytesPerSecond, editBytesBurst),
	}
}

// known counts a request of somebody, whatever they proved it with.
func (l limits) known(who login.Person) error {
	return l.people.pass(string(who.ID[:]), 1, time.Now())
}

// stranger counts a request of nobody known, by the network that it comes from. People there do not share its count.
func (l limits) stranger(network string) error { return l.strangers.pass(network, 1, time.Now()) }

// edit counts the bytes of an update.
func (l limits) edit(who login.Person, bytes int) error {
	return l.edits.pass(string(who.ID[:]), bytes, time.Now())
}

// documentLimits adds to an operation's description what it answers to too many requests.
func documentLimits(op *huma.Operation) {
	problem := &huma.Response{
		Description: fmt.Sprintf("Too many requests of one person: more than %d a second, after the first %d. Nothing was done.",
			requestsPerSecond, requestBurst),
		Headers: map[string]*huma.Param{"Retry-After": {
			Description: "Seconds after which to ask again", Schema: &huma.Schema{Type: huma.TypeInteger},
		}},
	}
	if byDefault := op.Responses["default"]; byDefault != nil {
		problem.Content = byDefault.Content
	}
	op.Responses[strconv.Itoa(http.StatusTooManyRequests)] = problem
}
