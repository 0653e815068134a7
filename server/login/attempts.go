package login

import (
	"crypto/sha256"
	"fmt"
	"math"
	"sync"
	"time"
)

// How often passwords may be wrong (I10). What is tried under a user name from browsers that nobody of that name has used
// counts together, so that a name is not guessed from many places. It does not count against the browsers that its owner
// has used: nobody is locked out by others. docs/limits.md lists these.
const (
	strangersTries = 20               // for a user name, from browsers that are new to it
	knownTries     = 10               // for a user name, from one browser that its owner has signed in with
	oneMoreAfter   = 30 * time.Second // one of these comes back
	maxTried       = 20_000           // names, and browsers, that are counted apart; all others count together
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

// tries is what one name or browser has used up.
type tries struct {
	used float64
	at   time.Time
}

func newAttempts() *attempts { return &attempts{tried: make(map[[32]byte]*tries)} }

// begin takes one try for a user name, from the browser of that hash if it is one that the owner of the name has used, or
// says when there is one again. right gives it back.
func (a *attempts) begin(now time.Time, username string, device []byte) (right func(), err error) {
	key, most := "name "+username, float64(strangersTries)
	if device != nil {
		key, most = "device "+string(device)+username, knownTries
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.of(sha256.Sum256([]byte(key)), now)
	if over := t.used + 1 - most; over > 0 {
		return nil, &TooManyTries{Wait: time.Duration(math.Ceil(over * float64(oneMoreAfter)))}
	}
	t.used++
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		t.used = max(t.used-1, 0)
	}, nil
}

// of finds tries as they are now.
func (a *attempts) of(key [32]byte, now time.Time) *tries {
	t := a.tried[key]
	if t == nil {
		if len(a.tried) >= maxTried {
			a.forget(now)
		}
		if t = new(tries); len(a.tried) >= maxTried {
			t = &a.rest
		} else {
			a.tried[key] = t
		}
	}
	t.used = max(t.used-float64(now.Sub(t.at))/float64(oneMoreAfter), 0)
	t.at = now
	return t
}

// forget drops what has all come back.
func (a *attempts) forget(now time.Time) {
	for key, t := range a.tried {
		if now.Sub(t.at) >= time.Duration(t.used*float64(oneMoreAfter)) {
			delete(a.tried, key)
		}
	}
}
