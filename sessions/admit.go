package sessions

import (
	"errors"
	"fmt"
	"time"

	"github.com/clisonix/tidechart/crdt"
)

// receive takes one update from a peer or a program: admits it to the next batch, or refuses it whole.
func (s *Session) receive(f *frame) {
	if err := s.admit(f); err != nil {
		f.settled(0, err)
		return
	}
	s.pending = append(s.pending, f)
	s.pendBytes += len(f.data)
	s.flush()
}

// admit decides what of f is new and whether the note can take it (I3). The decision counts everything admitted
// before, committed or not.
func (s *Session) admit(f *frame) error {
	if id, missing := f.update.Missing(s.ahead); missing {
		return fmt.Errorf("%w: it builds on client %d clock %d", ErrRefused, id.Client, id.Clock)
	}
	novel := f.update.Novel(s.ahead)
	if !novel && s.doc.HasDeleted(f.update.Deletes()) {
		return nil
	}
	f.data = f.update.Bytes()
	if novel && s.overlaps(f.update) {
		// Store and send what is new, not what is claimed anew under clocks that are taken.
		cut, err := crdt.DiffUpdate(f.data, s.ahead.Encode())
		if err != nil {
			return fmt.Errorf("cut update: %w", err)
		}
		f.data, f.cut = cut, true
	}
	for _, r := range f.update.Ranges() {
		s.ahead[r.Client] = max(s.ahead[r.Client], r.To)
	}
	return nil
}

// overlaps reports whether u repeats clocks that the note has.
func (s *Session) overlaps(u *crdt.Update) bool {
	for _, r := range u.Ranges() {
		if r.From < s.ahead[r.Client] {
			return true
		}
	}
	return false
}

// flush sends what is pending to be committed, unless a batch is in flight.
func (s *Session) flush() {
	if len(s.inFlight) > 0 || len(s.pending) == 0 {
		s.tellSettled()
		return
	}
	var entries []Entry
	n, size := 0, 0
	for n < len(s.pending) && len(entries) < maxBatch && size < maxBatchBytes {
		f := s.pending[n]
		if n++; f.data != nil {
			entries = append(entries, Entry{Note: s.note, Author: f.author.ID, Session: s.id, Update: f.data})
			size += len(f.data)
		}
	}
	batch := s.pending[:n:n]
	s.pending = s.pending[n:]
	s.pendBytes -= size
	if len(entries) == 0 { // repetitions only, and all before them is committed
		for _, f := range batch {
			f.settled(s.head, nil)
		}
		s.flush()
		return
	}
	s.inFlight = batch
	s.hub.commits.submit(commit{entries: entries, result: s.results})
}

// committed takes the outcome of the batch in flight: the document advances, peers see it, senders hear.
// An error means that the document can no longer be trusted to equal the log; the session must end.
func (s *Session) committed(o outcome) error {
	batch := s.inFlight
	s.inFlight = nil
	if errors.Is(o.err, ErrRejected) {
		s.refuse(batch)
		return nil
	}
	if o.err != nil {
		return o.err
	}
	if o.first != s.head+1 {
		return fmt.Errorf("batch was placed at seq %d after %d: another writer has the note", o.first, s.head)
	}
	now := time.Now()
	fresh := false
	for _, f := range batch {
		if f.data != nil {
			if err := s.apply(f); err != nil {
				return fmt.Errorf("apply seq %d: %w", s.head+1, err)
			}
			s.head++
			s.encoded = nil
			s.deliver(f)
			fresh = fresh || now.Sub(s.lastEdit[f.author.ID]) > writingFor
			s.lastEdit[f.author.ID] = now
		}
		f.settled(s.head, nil)
	}
	if fresh {
		s.publish()
	}
	s.flush()
	return nil
}

// apply advances the document by what the log took of f.
func (s *Session) apply(f *frame) error {
	if f.cut {
		return s.doc.ApplyUpdate(f.data)
	}
	return s.doc.Apply(f.update) // decoded once, at the door
}

// refuse answers a batch that the log did not take, and what was admitted on top of it.
func (s *Session) refuse(batch []*frame) {
	batch = append(batch, s.pending...)
	s.pending, s.pendBytes = nil, 0
	s.ahead = s.doc.StateVector()
	for _, f := range batch {
		f.settled(0, ErrRejected)
	}
	s.tellSettled()
}

// deliver sends a committed update to every peer but its sender, who has it.
func (s *Session) deliver(f *frame) {
	for p := range s.peers {
		if p != f.from {
			p.deliver(f)
		}
	}
}

func (s *Session) tellSettled() {
	if len(s.inFlight)+len(s.pending) > 0 {
		return
	}
	for _, c := range s.settling {
		close(c)
	}
	s.settling = nil
}
