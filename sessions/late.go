package sessions

import (
	"context"
	"fmt"
	"time"

	"github.com/clisonix/tidechart/crdt"
)

// LateEdit is an update that reached a note after its signature: it never becomes part of the note (I5).
type LateEdit struct {
	N       uint64 // per note: 1, 2, 3, without a gap
	Author  PersonID
	Session SessionID // none: it came otherwise
	At      time.Time // of the store's clock; the store's to say
	Update  []byte    // what of it was new, v1
}

// Limits of what is kept beside one note (I10), besides those of a note, which it has as well.
const (
	maxLate      = 2000 // edits
	maxLateOfOne = 500  // of one person: nobody uses up what colleagues have
	maxLateTries = 5
)

// late is what a session keeps beside its note.
type late struct {
	queue   []*frame // in the order of their arrival
	storing bool     // some before them are being stored
	branch  *branch  // nil: not read yet; while storing, of who stores
}

// branch is a note as it was signed, with all that is kept beside it: what comes is admitted to that as it would be to a note, so that
// nobody writes as somebody else (I3), nor the same twice. Nobody is shown it.
type branch struct {
	*Session        // which no goroutine runs
	n        uint64 // edits that are kept
	of       map[PersonID]int
}

// keepLate keeps f beside the note, and then says so.
func (s *Session) keepLate(f *frame) {
	f.refused = nil
	s.late.queue = append(s.late.queue, f)
	s.storeLate()
}

// storeLate stores what waits, beside the session.
func (s *Session) storeLate() {
	if s.late.storing || len(s.late.queue) == 0 {
		return
	}
	frames, b := s.late.queue, s.late.branch
	s.late.queue, s.late.branch, s.late.storing = nil, nil, true
	s.hub.running.Go(func() {
		for _, f := range frames {
			if b, f.refused = s.storeOneLate(b, f); f.refused != nil {
				s.log.Warn("late edit refused", "author", f.author.ID, "err", f.refused)
			}
		}
		_ = s.do(s.hub.ctx, func() { // an ended session has answered nobody: they come again
			s.late.storing, s.late.branch = false, b
			for _, f := range frames {
				f.settled(s.head, f.refused)
				if f.refused == nil && f.from != nil {
					f.from.tellLate()
				}
			}
			s.storeLate()
		})
	})
}

// storeOneLate stores one, or finds that it was stored before, and returns the branch behind it.
func (s *Session) storeOneLate(b *branch, f *frame) (_ *branch, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.hub.ctx), recordTimeout)
	defer cancel()
	for range maxLateTries {
		if b == nil {
			if b, err = s.readBranch(ctx); err != nil {
				s.log.Error("what is kept beside the note cannot be read", "err", err)
				return nil, ErrAccessUnknown
			}
		}
		if err := b.admit(f, new(batch)); err != nil {
			return b, err
		}
		if f.data == nil {
			return b, nil // it is kept already
		}
		if b.n >= maxLate {
			return nil, over(maxLate, "edits beside a signed note")
		}
		if b.of[f.author.ID] >= maxLateOfOne {
			return nil, over(maxLateOfOne, "edits of one person beside a signed note")
		}
		edit := LateEdit{N: b.n + 1, Author: f.author.ID, Session: s.id, Update: f.data}
		kept, err := s.hub.store.KeepLate(ctx, s.note, edit)
		if err != nil {
			s.log.Warn("late edit not stored, trying again", "err", err)
		}
		if err != nil || !kept { // another server has kept one meanwhile, or this one has, and does not know
			b = nil
			continue
		}
		if err := b.take(f.author.ID, f.fresh); err != nil {
			return nil, nil //nolint:nilerr // it is stored; the branch is read anew
		}
		return b, nil
	}
	return nil, ErrAccessUnknown
}

// readBranch reads the note and what is kept beside it.
func (s *Session) readBranch(ctx context.Context) (*branch, error) {
	log, err := s.hub.store.Load(ctx, s.note)
	if err != nil {
		return nil, err
	}
	edits, err := s.hub.store.LateEdits(ctx, s.note)
	if err != nil {
		return nil, err
	}
	b := &branch{Session: &Session{
		hub: s.hub, note: s.note, log: s.log, beside: true, writers: log.Writers, reserved: log.Shown, head: log.Head, usedAt: time.Now(),
	}, of: make(map[PersonID]int)}
	if b.doc, err = log.Doc(); err != nil {
		return nil, fmt.Errorf("rebuild note %s: %w", s.note, err)
	}
	b.ahead = b.doc.StateVector()
	if err := b.measure(); err != nil {
		return nil, err
	}
	for _, e := range edits {
		u, err := crdt.DecodeUpdate(e.Update)
		if err != nil {
			return nil, fmt.Errorf("late edit %d: %w", e.N, err)
		}
		for _, r := range u.Ranges() {
			b.writers[r.Client] = e.Author
		}
		if err := b.take(e.Author, u); err != nil {
			return nil, fmt.Errorf("late edit %d: %w", e.N, err)
		}
	}
	return b, nil
}

// take advances the branch by what is stored of somebody.
func (b *branch) take(author PersonID, u *crdt.Update) error {
	if err := b.doc.Apply(u); err != nil {
		return err
	}
	b.n++
	b.of[author]++
	b.ahead, b.encoded = b.doc.StateVector(), nil
	return nil
}

// tellLate tells an editor that what it sent is kept beside the note.
func (p *Peer) tellLate() {
	if message := p.wire.news(newsLate); message != nil && p.place > 0 {
		p.send(message)
	}
}
