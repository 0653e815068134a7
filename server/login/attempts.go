package login

import (
	"crypto/sha256"
	"fmt"
	"math"
	"sync"
	"time"
)

// How often what proves who somebody is may be wrong (I10). What is tried under a user name from browsers that nobody of
// that name has used counts together, so that a name is not guessed from many places. It does not count against the
// browsers that its owner has used: nobody is locked out by others. docs/limits.md lists these.
var (
	strangersGuesses = guesses{"name", 20, 30 * time.Second}    // for a user name, from browsers that are new to it
	knownGuesses     = guesses{"device", 10, 30 * time.Second}  // for a user name, from one browser that its owner has signed in with
	confirmGuesses   = guesses{"confirm", 10, 30 * time.Second} // within a login

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

const maxTried = 20_000 // names, browsers and logins that are counted apart; all others count together

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

// tries is what one name, browser or login has used up.
type tries struct {
	back time.Duration // after which one comes back
	used float64
	at   time.Time
}

func newAttempts() *attempts {
	return &attempts{tried: make(map[[32]byte]*tries), rest: make(map[string]*tries)}
}

// begin takes one try of what by may guess, or says when there is one again. right gives it back.
func (a *attempts) begin(now time.Time, g guesses, by string) (right func(), err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.of(g, by, now)
	if over := t.used + 1 - g.most; over > 0 {
		return nil, &TooManyTries{Wait: time.Duration(math.Ceil(over * float64(g.back)))}
	}
	t.used++
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		t.used = max(t.used-1, 0)
	}, nil
}

// of finds tries as they are now.
func (a *attempts) of(g guesses, by string, now time.Time) *tries {
	key := sha256.Sum256([]byte(g.what + " " + by))
	t := a.tried[key]
	if t == nil {
		if len(a.tried) >= maxTried {
			a.forget(now)
		}
		if len(a.tried) < maxTried {
			t = &tries{back: g.back}
			a.tried[key] = t
		} else if t = a.rest[g.what]; t == nil {
			t = &tries{back: g.back}
			a.rest[g.what] = t
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
