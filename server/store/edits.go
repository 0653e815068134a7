package store

import (
	_ "embed"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/clisonix/tidechart/sessions"
)

// Limits of what is one burst of somebody's edits in the log of acts (I10).
const (
	burstLasts = time.Minute
	maxEditing = 20_000 // bursts that are remembered; beyond them there are more entries, and none is missing
)

//go:embed sql/burst.sql
var burstSQL string

// editing remembers for whose edits the log of acts has an entry, so that most keystrokes need none. Each row of a note's log
// says itself who wrote it.
type editing struct {
	mu    sync.Mutex
	begun map[sitting]time.Time
}

// sitting is somebody at a note.
type sitting struct{ note, author, session uuid.UUID }

// begins are the bursts that begin with a batch, as burst.sql takes them.
type begins struct {
	notes, authors, sessions uuids
	places                   []int // of entries
	sittings                 []sitting
}

// beginsOf says which entries of a batch begin a burst.
func (e *editing) beginsOf(batch sessions.Batch, now time.Time) (b begins) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var here map[sitting]bool // in this batch, of those that begin
	for i, entry := range batch.Entries {
		one := sitting{entry.Note, entry.Author, entry.Session}
		if now.Sub(e.begun[one]) < burstLasts || here[one] {
			continue
		}
		if here == nil {
			here = make(map[sitting]bool)
		}
		here[one] = true
		b.notes, b.authors, b.sessions = append(b.notes, known(one.note)), append(b.authors, known(one.author)), append(b.sessions, orNull(one.session))
		b.places, b.sittings = append(b.places, i), append(b.sittings, one)
	}
	return b
}

// seqs are those that the entries of b are sealed for, as the arguments of append.sql have them.
func (b begins) seqs(arguments []any) []int64 {
	notes, before := arguments[argNotes].(uuids), arguments[argBefore].([]int64)
	each, first := arguments[argEach].(uuids), arguments[argFirst].([]int64)
	of := make(map[pgtype.UUID]int64, len(each))
	for i, note := range each {
		of[note] = first[i]
	}
	seqs := make([]int64, len(b.places))
	for i, at := range b.places {
		seqs[i] = of[notes[at]] + before[at]
	}
	return seqs
}

// recorded remembers the bursts of notes that took their entries.
func (e *editing) recorded(b begins, placed []sessions.Placed, now time.Time) {
	if len(b.sittings) == 0 {
		return
	}
	taken := make(map[uuid.UUID]bool, len(placed))
	for _, p := range placed {
		taken[p.Note] = p.First > 0
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.begun)+len(b.sittings) > maxEditing {
		for one, at := range e.begun {
			if now.Sub(at) >= burstLasts {
				delete(e.begun, one)
			}
		}
		if len(e.begun)+len(b.sittings) > maxEditing {
			clear(e.begun)
		}
	}
	for _, one := range b.sittings {
		if taken[one.note] {
			e.begun[one] = now
		}
	}
}
