package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/audit"
)

// Limits of what is on record of notes that are not as they were (I10).
const (
	faultEvery = time.Hour // of one note
	maxFaulty  = 1000      // notes that are remembered for that; beyond them there are more entries
)

// faults remembers of which notes it is on record that something is wrong with them.
type faults struct {
	mu   sync.Mutex
	told map[uuid.UUID]time.Time
}

// due reports whether it is time to say so of a note.
func (f *faults) due(note uuid.UUID, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now.Sub(f.told[note]) < faultEvery {
		return false
	}
	if len(f.told) >= maxFaulty {
		clear(f.told)
	}
	f.told[note] = now
	return true
}

// recordFault puts on record that a note is not the one that it was, if err says so. It does not open either way.
func (db *DB) recordFault(ctx context.Context, err error) {
	var fault *NoteFault
	if !errors.As(err, &fault) || !db.faults.due(fault.Note, time.Now()) {
		return
	}
	e := audit.Event{Act: audit.FaultyNote, Outcome: audit.Failed, Code: fmt.Sprintf("%s has=%d had=%d", strings.ReplaceAll(string(fault.Kind), " ", "-"), fault.Head, fault.Had)}
	if fault.Whose != uuid.Nil { // not the one in whose record it is
		e.Patient, e.Note = fault.Whose, fault.Note
		err = db.record(ctx, db.Queries, e)
	} else {
		err = db.recordAbout(ctx, db.Queries, fault.Note, e)
	}
	if err != nil {
		db.log.Error("that a note is not as it was is not on record", "note", fault.Note, "err", err)
	}
}
