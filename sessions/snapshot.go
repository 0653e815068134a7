package sessions

import (
	"bytes"
	"fmt"
	"time"

	"github.com/clisonix/tidechart/crdt"
)

// document returns the note's document, and builds it again if it was parked.
func (s *Session) document() *crdt.Doc {
	s.usedAt = time.Now()
	if s.doc != nil {
		return s.doc
	}
	doc := crdt.New("")
	if err := doc.ApplyUpdate(s.encoded); err != nil || !bytes.Equal(doc.EncodeStateVector(), s.stateVector()) {
		panic("a parked document is not what it was") // the log is: the next session loads from it
	}
	s.doc = doc
	s.park = s.bell.ringIn(parkAfter, onPark)
	return doc
}

// maybePark lets go of the document, and keeps its bytes, if nobody has edited for a while: who only reads needs no
// more. Nothing may be under way.
func (s *Session) maybePark() {
	s.opening = opening{} // a storm is over by now
	idle := time.Since(s.usedAt)
	if idle < parkAfter || len(s.inFlight)+len(s.pending) > 0 || s.basing {
		s.park.Reset(max(parkAfter-idle, time.Second))
		return
	}
	s.park = nil
	if _, err := s.snapshot(); err != nil {
		s.log.Error("note not parked", "err", err)
		return
	}
	s.doc, s.diffed = nil, diffed{}
}

// stateVector returns what the document holds. With nothing in flight, that is all that was ever admitted.
func (s *Session) stateVector() []byte {
	if s.doc == nil {
		return s.ahead.Encode()
	}
	return s.doc.EncodeStateVector()
}

// snapshot returns the document as an update. All who ask share the bytes until the document moves on.
func (s *Session) snapshot() ([]byte, error) {
	if s.encoded == nil {
		encoded, err := s.doc.EncodeStateAsUpdate(nil)
		if err != nil {
			return nil, fmt.Errorf("encode note: %w", err)
		}
		s.encoded = encoded
	}
	return s.encoded, nil
}

// diffed is the answer to one state vector: after a cut, many peers come back with the same.
type diffed struct {
	sv, update []byte
}

// diff returns what a peer with that state vector lacks.
func (s *Session) diff(sv []byte) (update []byte, err error) {
	switch {
	case s.diffed.update != nil && bytes.Equal(s.diffed.sv, sv):
		return s.diffed.update, nil
	case s.doc != nil:
		update, err = s.doc.EncodeStateAsUpdate(sv)
	default:
		update, err = crdt.DiffUpdate(s.encoded, sv)
	}
	if err != nil {
		return nil, fmt.Errorf("encode what a peer lacks: %w", err)
	}
	s.diffed = diffed{sv, update}
	return update, nil
}

// moved forgets what was encoded before the document took an update, and adds that to the opening.
func (s *Session) moved(update []byte) {
	s.encoded, s.diffed = nil, diffed{}
	if s.opening.state == nil {
		return
	}
	s.opening.tail = append(s.opening.tail, update)
	s.opening.bytes += len(update)
	if len(s.opening.tail) > maxTail || s.opening.bytes > maxTailBytes {
		s.opening = opening{}
	}
}

// opening is what everybody is sent who comes with nothing: a state encoded and framed once for all of them, and the
// few updates committed since.
type opening struct {
	state  []byte
	frames map[string][]byte // state as a Step2, by the wire's name
	tail   [][]byte
	bytes  int // of tail
}

// open returns the frames that give a peer with nothing the whole document. The last one makes it whole: what comes
// before it waits in the peer's document for what it builds on.
func (s *Session) open(w wire) ([][]byte, error) {
	o := &s.opening
	if o.state == nil {
		state, err := s.snapshot()
		if err != nil {
			return nil, err
		}
		*o = opening{state: state, frames: make(map[string][]byte)}
	}
	first := o.frames[w.name()]
	if first == nil {
		first = w.step2(o.state)
		if w.name() != "" {
			o.frames[w.name()] = first
		}
	}
	if len(o.tail) == 0 {
		return [][]byte{first}, nil
	}
	rest, err := crdt.MergeUpdates(o.tail)
	if err != nil {
		return nil, fmt.Errorf("merge what came since: %w", err)
	}
	return [][]byte{w.update(rest), first}, nil // a Step2 says: now you have all
}
