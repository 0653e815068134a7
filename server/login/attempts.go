package login

import (
	"crypto/sha256"
	"fmt"
	"math"
	"sync"
	"time"
)

// How often passwords may be wrong (I10). What is tried under a user name from browsers that nobody of that name has used
// counts together, so that a name is not guessed from many places, and what is tried from one network counts together, so
// that one password is not tried with many names. Neither counts against the browsers that a name's owner has used: nobody
// is locked out by others. docs/limits.md lists these.
const (
	strangersTries = 20               // for a user name, from browsers that are new to it
	knownTries     = 10               // for a user name, from one browser that its owner has signed in with
	oneMoreAfter   = 30 * time.Second // one of these comes back
	networkTries   = 100              // from one network, by browsers that are new to the name, or with an invitation's code
	oneMoreFrom    = 3 * time.Second  // one of those comes back: a hospital may be one network
	maxTried       = 20_000           // names, browsers and networks that are counted apart; all others count together
)

// TooManyTries refuses a sign-in before its password is looked at.
type TooManyTries struct{ Wait time.Duration }

func (e *TooManyTries) Error() string {
	return fmt.Sprintf("too many wrong passwords; the next may be tried in %v", e.Wait.Round(time.Second))
}

// attempts counts wrong passwords. Its methods may be called by any number of goroutines.
type attempts struct {
	mu    sync.Mutex
	tried map[[32]byte]*tries // by a hash: user names may be long
	rest  tries               // of those for whom there is no room
}

// tries is what one name, browser or network has used up.
type tries struct {
	used  float64
	at    time.Time
	every time.Duration // in which one comes back
}

// countOf is what a try counts for.
type countOf struct {
	key   string
	most  float64
	every time.Duration
}

// triesAt returns what counts when somebody tries a password for a user name: with the browser of that hash, if it is one
// that the owner of the name has used, else from a network.
func triesAt(username string, device []byte, network string) []countOf {
	if device != nil {
		return []countOf{{"device " + string(device) + username, knownTries, oneMoreAfter}}
	}
	return []countOf{{"name " + username, strangersTries, oneMoreAfter}, triesFrom(network)}
}

// triesFrom returns what counts when somebody unknown tries something.
func triesFrom(network string) countOf {
	return countOf{"network " + network, networkTries, oneMoreFrom}
}

func newAttempts() *attempts { return &attempts{tried: make(map[[32]byte]*tries)} }

// begin takes one try of each count, or says when there is one again, and takes none. right gives it back.
func (a *attempts) begin(now time.Time, counts ...countOf) (right func(), err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	all, wait := make([]*tries, len(counts)), time.Duration(0)
	for i, c := range counts {
		all[i] = a.of(c, now)
		if over := all[i].used + 1 - c.most; over > 0 {
			wait = max(wait, time.Duration(math.Ceil(over*float64(c.every))))
		}
	}
	if wait > 0 {
		return nil, &TooManyTries{Wait: wait}
	}
	for _, t := range all {
		t.used++
	}
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		for _, t := range all {
			t.used = max(t.used-1, 0)
		}
	}, nil
}

// of finds tries as they are now.
func (a *attempts) of(c countOf, now time.Time) *tries {
	key := sha256.Sum256([]byte(c.key))
	t := a.tried[key]
	if t == nil {
		if len(a.tried) >= maxTried {
			a.forget(now)
		}
		if t = (&tries{every: c.every}); len(a.tried) >= maxTried {
			t = &a.rest
			t.every = oneMoreAfter
		} else {
			a.tried[key] = t
		}
	}
	t.used = max(t.used-float64(now.Sub(t.at))/float64(t.every), 0)
	t.at = now
	return t
}

// forget drops what has all come back.
func (a *attempts) forget(now time.Time) {
	for key, t := range a.tried {
		if now.Sub(t.at) >= time.Duration(t.used*float64(t.every)) {
			delete(a.tried, key)
		}
	}
}
