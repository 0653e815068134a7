package server

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/sessions/history"
)

// Limits of notes that are shown as they were (I10).
const (
	maxPasts     = 8                // kept in memory at once
	maxPastBytes = 256 << 20        // of all of them
	pastLasts    = 5 * time.Minute  // after the last look
	lookAgain    = 10 * time.Minute // of one login at one note: then it is on record again
)

// pasts keeps what some notes have been through, for whoever looks through it now. Its zero value keeps none; any number of
// goroutines may use it.
type pasts struct {
	mu   sync.Mutex
	kept map[uuid.UUID]*kept
}

// kept is one of them.
type kept struct {
	opening sync.Mutex    // held while it is read or grows
	past    *history.Past // nil: it is being read
	used    time.Time     // this and the next are guarded by pasts.mu
	looked  map[string]time.Time
	end     *time.Timer // forgets it
}

// of returns the past of a note up to now; open reads one that is not kept.
func (p *pasts) of(ctx context.Context, note uuid.UUID, open func(context.Context, uuid.UUID) (*history.Past, error)) (*history.Past, error) {
	k := p.keep(note)
	k.opening.Lock()
	defer k.opening.Unlock()
	if k.past != nil {
		return k.past, k.past.Grow(ctx)
	}
	past, err := open(ctx, note)
	if err != nil {
		return nil, err
	}
	k.past = past
	return past, nil
}

func (p *pasts) keep(note uuid.UUID) *kept {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drop(note)
	k := p.kept[note]
	if k == nil {
		k = &kept{looked: make(map[string]time.Time), end: time.AfterFunc(pastLasts, func() { p.forget(note) })}
		if p.kept == nil {
			p.kept = make(map[uuid.UUID]*kept)
		}
		p.kept[note] = k
	}
	k.used = time.Now()
	k.end.Reset(pastLasts)
	return k
}

// forget lets go of a note that nobody has looked at for a while, or that was destroyed.
func (p *pasts) forget(note uuid.UUID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if k := p.kept[note]; k != nil {
		k.end.Stop()
		delete(p.kept, note)
	}
}

func (p *pasts) forgetAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for note, k := range p.kept {
		k.end.Stop()
		delete(p.kept, note)
	}
}

// drop forgets the oldest of what is too much. The caller holds mu.
func (p *pasts) drop(except uuid.UUID) {
	for {
		bytes := 0
		var oldest uuid.UUID
		for note, k := range p.kept {
			if k.opening.TryLock() { // else it grows, and is counted the next time
				if k.past != nil {
					bytes += k.past.Bytes()
				}
				k.opening.Unlock()
			}
			if note != except && (oldest == uuid.Nil || k.used.Before(p.kept[oldest].used)) {
				oldest = note
			}
		}
		if oldest == uuid.Nil || len(p.kept) < maxPasts && bytes < maxPastBytes {
			return
		}
		p.kept[oldest].end.Stop()
		delete(p.kept, oldest)
	}
}

// looks reports whether a look of a login at a note has to be on record: whoever goes through one looks ten times a second.
// recorded says that it is.
func (p *pasts) looks(note uuid.UUID, login string) (unrecorded bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	k := p.kept[note]
	return k == nil || time.Since(k.looked[login]) > lookAgain
}

func (p *pasts) recorded(note uuid.UUID, login string) {
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
