package login

import (
	"crypto/sha256"
	"fmt"
	"math"
	"sync"
	"time"
)

// How often what proves who somebody is may be wrong (I10). What is tried under a user name from browsers that nobody of
// that name has used counts together, by network, so that who guesses elsewhere keeps nobody from signing in on a new browser
// here, and, with more to spare, wherever it is tried, so that a name is not guessed from many places. What is tried from one
// network counts together, so that one password is not tried with many names. None counts against the browsers that a name's
// owner has used: nobody is locked out of these by others. docs/limits.md lists these.
var (
	strangersGuesses  = guesses{"name", 20, 30 * time.Second}             // for a user name, from one network, by browsers that are new to it
	everywhereGuesses = guesses{"name everywhere", 300, 10 * time.Second} // the same, from all networks
	knownGuesses      = guesses{"device", 10, 30 * time.Second}           // for a user name, from one browser that its owner has signed in with
	confirmGuesses    = guesses{"confirm", 10, 30 * time.Second}          // within a login

	// From one network, by browsers that are new to the name, or with an invitation's code. A hospital may be one network.
	networkGuesses = guesses{"network", 100, 3 * time.Second}

	// Of a code, by whoever knows the password: one in 333,333 is right.
	strangersCodes = guesses{"code", 10, 10 * time.Minute}      // for a person, from browsers that are new to them
	knownCodes     = guesses{"device's code", 10, time.Minute}  // for a person, from one browser that they have signed in with
	confirmCodes   = guesses{"confirm's code", 10, time.Minute} // within a login
)

// guesses is how many wrong ones there may be at once, and after which time one more.
type guesses struct {
	what string
	most float64
	back time.Duration
}

const maxTried = 20_000 // names, browsers, networks and logins that are counted apart; all others count together

// TooManyTries refuses a try before it is looked at.
type TooManyTries struct{ Wait time.Duration }

func (e *TooManyTries) Error() string {
	return fmt.Sprintf("too many wrong tries; the next may be tried in %v", e.Wait.Round(time.Second))
}

// attempts counts wrong passwords and codes. Its methods may be called by any number of goroutines.
type attempts struct {
	mu    sync.Mutex
	tried map[[32]byte]*tries // by a hash: user names may be long
	rest  map[string]*tries   // of those for whom there is no room, by what is guessed
}

// tries is what one name, browser, network or login has used up.
type tries struct {
	back time.Duration // after which one comes back
	used float64
	at   time.Time
}

// count is what a try counts for: guesses of somebody or something.
type count struct {
	guesses
	by string
}

func (g guesses) of(by string) count { return count{g, by} }

// triesAt returns what counts when somebody tries a password for a user name, and then a code: with the browser of that
// hash, if it is one that the owner of the name has used, else from a network. A wrong code is a wrong password, too.
func triesAt(username string, device []byte, network string) (passwords, codes []count) {
	if device != nil {
		by := string(device) + username
		return []count{knownGuesses.of(by)}, []count{knownCodes.of(by)}
	}
	return []count{strangersGuesses.of(network + " " + username), everywhereGuesses.of(username), networkGuesses.of(network)},
		[]count{strangersCodes.of(username)}
}

func newAttempts() *attempts {
	return &attempts{tried: make(map[[32]byte]*tries), rest: make(map[string]*tries)}
}

// begin takes one try of each count, or says when there is one again, and takes none. right gives it back.
func (a *attempts) begin(now time.Time, counts ...count) (right func(), err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	all, wait := make([]*tries, len(counts)), time.Duration(0)
	for i, c := range counts {
		all[i] = a.of(c, now)
		if over := all[i].used + 1 - c.most; over > 0 {
			wait = max(wait, time.Duration(math.Ceil(over*float64(c.back))))
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
func (a *attempts) of(c count, now time.Time) *tries {
	key := sha256.Sum256([]byte(c.what + " " + c.by))
	t := a.tried[key]
	if t == nil {
		if len(a.tried) >= maxTried {
			a.forget(now)
		}
		if len(a.tried) < maxTried {
			t = &tries{back: c.back}
			a.tried[key] = t
		} else if t = a.rest[c.what]; t == nil {
			t = &tries{back: c.back}
			a.rest[c.what] = t
		}
	}
	t.used = max(t.used-float64(now.Sub(t.at))/float64(t.back), 0)
	t.at = now
	return t
}

// forget drops what has all come back.
func (a *attempts) forget(now time.Time) {
	for key, t := range a.tried {
		if now.Sub(t.at) >= time.Duration(t.used*float64(t.back)) {
			delete(a.tried, key)
		}
	}
}
