package sessions

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/clisonix/tidechart/crdt"
)

// receive queues one update from a peer or a program. It is admitted or refused when its turn comes.
func (s *Session) receive(f *frame) {
	s.pending = append(s.pending, f)
	s.pendBytes += len(f.update.Bytes())
	s.flush()
}

// flush makes the next batch of what is pending, unless one is in flight, and sends it to be committed.
func (s *Session) flush() {
	for len(s.inFlight) == 0 && !s.deciding && len(s.pending) > 0 && s.mayCommit() {
		s.claimed = s.claimed[:0]
		b, closed := s.nextBatch()
		for _, f := range closed {
			s.closeTo(f)
		}
		if len(b.entries) == 0 { // nothing to store, and all before it is committed
			s.answer(b.frames)
			continue
		}
		s.inFlight = b.frames
		s.hub.commits.submit(commit{entries: b.entries, claims: b.claims, settled: s.hearOutcome})
	}
	s.tellSettled()
}

// batch is the next commit of a session while it is being made.
type batch struct {
	frames  []*frame // in the order of arrival, those that store nothing too
	entries []Entry
	claims  []Claim // one for each client id that writes
	bytes   int
	text    int     // bytes of characters
	fresh   []Claim // of the update being admitted
	alone   bool    // it may bring others' text: claims of several people on one client id cannot be one
	deep    bool    // it brings a type: how deep the next one lies is known after the commit
}

// nextBatch takes as much of what is pending as one commit should hold, and at least one update.
// What the note is closed to comes back beside it.
func (s *Session) nextBatch() (b batch, closed []*frame) {
	taken := 0
	for _, f := range s.pending {
		f.recovering = f.mayRecover()
		if len(b.frames) > 0 && (len(b.entries) >= maxBatch || b.bytes >= maxBatchBytes || b.deep || b.alone || f.recovering || b.touches(f.update)) {
			break
		}
		b.alone = f.recovering
		taken++
		s.pendBytes -= len(f.update.Bytes())
		if f.refused = s.admit(f, &b); errors.Is(f.refused, errClosed) {
			closed = append(closed, f)
			continue
		}
		if f.data != nil {
			b.entries = append(b.entries, Entry{Note: s.note, Author: f.author.ID, Session: s.id, Stamp: f.stamp, Update: f.data})
			b.bytes += len(f.data)
		}
		b.frames = append(b.frames, f)
	}
	s.pending = s.pending[taken:]
	return b, closed
}

// touches reports whether u repeats clocks that the batch writes. It then waits for the batch: only with the
// document can the two be compared.
func (b *batch) touches(u *crdt.Update) bool {
	for _, r := range u.Ranges() {
		for _, c := range b.claims {
			if c.Client == r.Client && r.From < c.To && r.To > c.From {
				return true
			}
		}
	}
	return false
}

// admit decides whether the note can take f after what the batch holds, and what of f is new (I3). It refuses f
// whole, or adds what f claims to the batch.
func (s *Session) admit(f *frame, b *batch) error {
	f.fresh, f.data = nil, nil // it may have been in a batch before
	if f.from != nil {
		f.stamp = *f.from.stamp.Load() // before the right itself is looked at: if that changes now, the stamp is old
	}
	if !s.beside {
		if err := s.mayWrite(f); err != nil {
			return err
		}
	}
	if f.update.Empty() {
		return nil
	}
	if id, missing := f.update.Missing(s.ahead); missing {
		return fmt.Errorf("%w: it builds on client %d clock %d", ErrRefused, id.Client, id.Clock)
	}
	depth := s.document().Depth(f.update)
	if depth > maxDepth {
		return over(maxDepth, "elements in one another")
	}
	repeats := false
	b.fresh = b.fresh[:0]
	for _, r := range f.update.Ranges() {
		next := s.ahead[r.Client]
		repeats = repeats || r.From < next
		if r.To <= next {
			continue
		}
		claim, err := s.claimOf(f, r, next)
		if err != nil {
			return err
		}
		b.fresh = append(b.fresh, claim)
	}
	novel := len(b.fresh) > 0
	if repeats {
		if id, forked := s.document().Fork(f.update); forked {
			return fmt.Errorf("%w: client %d clock %d is taken by another text", ErrForged, id.Client, id.Clock)
		}
	}
	deletes := f.update.Deletes()
	if !novel && s.document().HasDeleted(deletes) {
		return nil
	}
	if err := s.deletesWithin(deletes); err != nil {
		return err
	}
	f.fresh = f.update
	if repeats { // what is new is measured, stored and sent, not what is said again
		var err error
		if f.fresh, err = cutOff(f.update, s.ahead); err != nil {
			return err
		}
	}
	if novel {
		if err := s.declared(f); err != nil {
			return err
		}
		if err := s.within(f.fresh, b); err != nil {
			return err
		}
	}
	f.data = f.fresh.Bytes()
	b.deep = b.deep || depth > 0
	s.claim(b)
	return nil
}

// cutOff returns what of u is after sv, and all that it deletes.
func cutOff(u *crdt.Update, sv crdt.StateVector) (*crdt.Update, error) {
	cut, err := crdt.DiffUpdate(u.Bytes(), sv.Encode())
	if err == nil {
		u, err = crdt.DecodeUpdate(cut)
	}
	if err != nil {
		return nil, fmt.Errorf("cut update: %w", err)
	}
	return u, nil
}

// claim makes the claims of the update just admitted the batch's.
func (s *Session) claim(b *batch) {
	for _, fresh := range b.fresh {
		owner, bound := s.writers[fresh.Client]
		s.claimed = append(s.claimed, claimed{fresh, owner, bound})
		s.ahead[fresh.Client], s.writers[fresh.Client] = fresh.To, fresh.Person
		i := slices.IndexFunc(b.claims, func(c Claim) bool { return c.Client == fresh.Client })
		if i < 0 {
			b.claims = append(b.claims, fresh)
		} else {
			b.claims[i].To = fresh.To
		}
	}
}

// hearOutcome is told what became of the batch in flight, by the committer. It does not wait.
func (s *Session) hearOutcome(o outcome) {
	s.outcome = o
	s.bell.ring(onOutcome)
}

// committed takes the outcome of the batch in flight: the document advances, peers see it, senders hear.
// An error means that the document can no longer be trusted to equal the log; the session must end.
func (s *Session) committed(o outcome) error {
	frames := s.inFlight
	s.inFlight = nil
	if errors.Is(o.err, errOutdated) {
		s.reconsider(frames)
		return nil
	}
	if errors.Is(o.err, ErrRejected) {
		for _, f := range frames {
			f.refused = o.err
		}
		s.answer(frames)
	}
	if o.err != nil {
		return o.err
	}
	if o.first != s.head+1 {
		return fmt.Errorf("batch was placed at seq %d after %d: another writer has the note", o.first, s.head)
	}
	for _, f := range frames {
		if f.data == nil {
			continue
		}
		if err := s.apply(f); err != nil {
			return fmt.Errorf("apply seq %d: %w", s.head+1, err)
		}
		s.head++
		f.seq = s.head
		s.learn(f.names)
		s.moved(f.data)
		s.deliver(f)
	}
	s.answer(frames)
	s.showWithEdits()
	s.search()
	s.flush()
	return nil
}

// answer settles frames in the order of their arrival.
func (s *Session) answer(frames []*frame) {
	for _, f := range frames {
		f.settled(cmp.Or(f.seq, s.head), f.refused)
	}
}

// apply advances the document by what the log took of f.
func (s *Session) apply(f *frame) error {
	if err := s.document().Apply(f.fresh); err != nil {
		return err
	}
	s.watch(f.fresh)
	return nil
}

// deliver sends a committed update to every peer but its sender, who has it.
func (s *Session) deliver(f *frame) {
	message := message{update: f.data}
	for _, p := range s.peers {
		if p != f.from {
			p.deliver(f, &message)
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
