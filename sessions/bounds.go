package sessions

import (
	"fmt"
	"time"

	"github.com/clisonix/tidechart/crdt"
)

// extent is how large a note is: as measured last, and what has come since. It is never too little.
type extent struct {
	bytes    int // of the note as an update
	text     int // of characters that are not deleted
	measured time.Time
}

// within refuses an update that would make the note, or a client in it, larger than they may be (I10), and one that replicas would
// not agree on.
func (s *Session) within(u *crdt.Update, b *batch) error {
	count := s.document().Count(u)
	switch {
	case count.Unknown > 0: // a browser that sees one stops
		return fmt.Errorf("%w: a shared type that Yjs 13 does not know", crdt.ErrMalformed)
	case count.Structs > maxStructs:
		return over(maxStructs, "structs in one update")
	case count.Longest > maxString:
		return over(maxString, "bytes in one text")
	case count.Keys > maxKeys:
		return over(maxKeys, "attributes of one node")
	case count.Inverted > 0:
		if id, ok := s.document().Inverted(u, b.fresher()...); ok {
			return fmt.Errorf("%w: client %d clock %d", ErrAmbiguous, id.Client, id.Clock)
		}
	}
	if err := s.clientsWithin(u.Ranges()); err != nil {
		return err
	}
	return s.fits(len(u.Bytes()), count.Text, b)
}

// fresher are the updates that are in the batch, and not in the document yet.
func (b *batch) fresher() (ahead []*crdt.Update) {
	for _, f := range b.frames {
		if f.data != nil {
			ahead = append(ahead, f.fresh)
		}
	}
	return ahead
}

// clientsWithin looks at the clocks that an update takes, and whose.
func (s *Session) clientsWithin(ranges []crdt.ClockRange) error {
	advance, fresh := uint64(0), crdt.StateVector{}
	for _, r := range ranges {
		next, known := s.ahead[r.Client]
		if r.To > next {
			advance += r.To - max(r.From, next)
			if !known {
				fresh[r.Client] = r.To
			}
		}
		if r.To > maxClock {
			return over(maxClock, "characters of one client")
		}
	}
	switch clients := len(s.ahead) + len(fresh); {
	case advance > maxAdvance:
		return over(maxAdvance, "characters in one update")
	case len(fresh) == 0:
		return nil
	case clients > maxClients:
		return over(maxClients, "clients that write one note")
	case 13*clients < maxStateVector: // a client and its clock take 13 bytes at most
		return nil
	}
	if len(s.ahead.Encode())+len(fresh.Encode())-1 > maxStateVector { // each begins with a count
		return over(maxStateVector, "bytes of clients that write one note")
	}
	return nil
}

// fits refuses to make a full note larger. What the note has is added up, which counts deleted text too; when that
// is too much, the note is measured, now and then.
func (s *Session) fits(bytes, text int, b *batch) error {
	if s.extent.over(bytes, text) && time.Since(s.extent.measured) >= measureEvery {
		if err := s.measure(); err != nil {
			return err
		}
		s.extent.bytes += b.bytes
		s.extent.text += b.text
	}
	if s.extent.bytes+bytes > maxNoteBytes {
		return over(maxNoteBytes, "bytes in one note; delete some, or begin another")
	}
	if s.extent.text+text > maxNoteText {
		return over(maxNoteText, "bytes of text in one note; delete some, or begin another")
	}
	s.extent.bytes += bytes
	s.extent.text += text
	b.text += text
	return nil
}

func (e extent) over(bytes, text int) bool {
	return e.bytes+bytes > maxNoteBytes || e.text+text > maxNoteText
}

// measure finds out how large the note is now. In its encoding deleted text is gone.
func (s *Session) measure() error {
	state, err := s.snapshot()
	if err != nil {
		return err
	}
	u, err := crdt.DecodeUpdate(state)
	if err != nil {
		return fmt.Errorf("measure note: %w", err)
	}
	s.extent = extent{bytes: len(state), text: crdt.New("").Count(u).Text, measured: time.Now()}
	return nil
}

// deletesWithin refuses to delete in too many places at once. A Step2 names all that was ever deleted: what the note
// has deleted already does not count.
func (s *Session) deletesWithin(deletes []crdt.DeleteRange) error {
	if len(deletes) <= maxDeletes {
		return nil
	}
	fresh := 0
	for i := range deletes {
		if !s.document().HasDeleted(deletes[i : i+1]) {
			fresh++
		}
	}
	if fresh > maxDeletes {
		return over(maxDeletes, "deletions in one update")
	}
	return nil
}
