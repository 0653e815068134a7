package server

import (
	"sync"
	"time"

	"github.com/google/uuid"
)

// Limits of what is known of who was shown what.
const (
	sightLasts = 10 * time.Minute // within which to be shown a note's words again is no new entry on record
	maxSights  = 20_000
)

// sight is that a login was shown what stands in a note, in a list that has it of many.
type sight struct {
	login string
	note  uuid.UUID
}

// sights knows which there were lately: a list that changes by itself would fill the record otherwise. Any number of goroutines may use it;
// its zero value has none.
type sights struct {
	mu sync.Mutex
	at map[sight]time.Time
}

// first has a sight recorded, unless it was lately. If that fails, it is not known.
func (s *sights) first(of sight, record func() error) error {
	now := time.Now()
	s.mu.Lock()
	at, known := s.at[of]
	s.mu.Unlock()
	if known && now.Sub(at) < sightLasts {
		return nil
	}
	if err := record(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.at) >= maxSights {
		s.forget(now)
	}
	if s.at == nil {
		s.at = make(map[sight]time.Time)
	}
	s.at[of] = now
	return nil
}

// forget drops those of which there would be a new entry; if that leaves too many, all: then there is an entry too many, and none too few.
func (s *sights) forget(now time.Time) {
	for of, at := range s.at {
		if now.Sub(at) >= sightLasts {
			delete(s.at, of)
		}
	}
	if len(s.at) >= maxSights {
		clear(s.at)
	}
}
