package history

import (
	"context"
	"sync"
	"time"

	"github.com/clisonix/tidechart/sessions"
)

// Limits of notes that are shown as they were (I10).
const (
	maxPasts     = 32               // kept in memory at once
	maxPastBytes = 256 << 20        // of all of them
	pastLasts    = 5 * time.Minute  // after the last look
	lookAgain    = 10 * time.Minute // of one login at one note: then it is on record again
)

// Pasts keep what some notes have been through, for whoever looks through it now, signs or copies it. The zero value keeps none; any
// number of goroutines may use it.
type Pasts struct {
	mu   sync.Mutex
	kept map[sessions.NoteID]*kept
}

// kept is one of them.
type kept struct {
	opening sync.Mutex // held while it is read or grows
	past    *Past      // nil: it is being read
	used    time.Time  // this and the next are guarded by pasts.mu
	looked  map[string]time.Time
	end     *time.Timer // forgets it
}

// Of returns the past of a note up to now, as [Past.Follow] has it. It returns [sessions.ErrNoNote] for an unknown note, and [ErrTooLong].
func (p *Pasts) Of(ctx context.Context, store sessions.Store, note sessions.NoteID) (*Past, error) {
	k := p.keep(note)
	k.opening.Lock()
	defer k.opening.Unlock()
	past := k.past
	if past == nil {
		past = newPast(store, note, spacing)
	}
	if err := past.Follow(ctx); err != nil {
		return nil, err
	}
	k.past = past
	return past, nil
}

func (p *Pasts) keep(note sessions.NoteID) *kept {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drop(note)
	k := p.kept[note]
	if k == nil {
		k = &kept{looked: make(map[string]time.Time), end: time.AfterFunc(pastLasts, func() { p.Forget(note) })}
		if p.kept == nil {
			p.kept = make(map[sessions.NoteID]*kept)
		}
		p.kept[note] = k
	}
	k.used = time.Now()
	k.end.Reset(pastLasts)
	return k
}

// Forget lets go of a note that nobody has looked at for a while, or that was destroyed.
func (p *Pasts) Forget(note sessions.NoteID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if k := p.kept[note]; k != nil {
		k.end.Stop()
		delete(p.kept, note)
	}
}

// ForgetAll lets go of all.
func (p *Pasts) ForgetAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for note, k := range p.kept {
		k.end.Stop()
		delete(p.kept, note)
	}
}

// drop forgets the oldest of what is too much. The caller holds mu.
func (p *Pasts) drop(except sessions.NoteID) {
	for {
		bytes := 0
		var oldest sessions.NoteID
		for note, k := range p.kept {
			if k.opening.TryLock() { // else it grows, and is counted the next time
				if k.past != nil {
					bytes += k.past.Bytes()
				}
				k.opening.Unlock()
			}
			if note != except && (oldest == (sessions.NoteID{}) || k.used.Before(p.kept[oldest].used)) {
				oldest = note
			}
		}
		if oldest == (sessions.NoteID{}) || len(p.kept) < maxPasts && bytes < maxPastBytes {
			return
		}
		p.kept[oldest].end.Stop()
		delete(p.kept, oldest)
	}
}

// Looks reports whether a look of a login at a note has to be on record: whoever goes through one looks ten times a second.
func (p *Pasts) Looks(note sessions.NoteID, login string) (unrecorded bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	k := p.kept[note]
	return k == nil || time.Since(k.looked[login]) > lookAgain
}

// Recorded says that it is.
func (p *Pasts) Recorded(note sessions.NoteID, login string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if k := p.kept[note]; k != nil {
		for other, at := range k.looked {
			if time.Since(at) > lookAgain {
				delete(k.looked, other)
			}
		}
		k.looked[login] = time.Now()
	}
}
