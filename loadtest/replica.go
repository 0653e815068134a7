package loadtest

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/clisonix/tidechart/crdt"
)

// large is the size from which on the replicas of a note share one copy of an update.
const large = 4 << 10

// A replica is what one client has received. Readers do not build a document as they go: they note which clocks
// came, and keep the bytes, to be merged when the run is over. Its client's goroutine owns it until then.
type replica struct {
	shelf *shelf
	keep  bool // the bytes, too
	has   coverage
	log   []byte    // small updates, each behind its length
	large []*volume // in order of arrival
}

// A shelf holds the large updates of a note, each once, however many clients received it, and the last few small ones:
// whoever receives what another client has just received need not decode it.
type shelf struct {
	mu      sync.Mutex
	volumes []*volume
	recent  [4]volume
	next    int // of recent, to be replaced
}

type volume struct {
	update []byte
	ranges []crdt.ClockRange
}

// find returns the shelf's copy of update, and puts one there if it has none. An update of the same length that is
// alike is the rule, so that comparing is cheaper than decoding again.
func (s *shelf) find(update []byte) (*volume, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range s.volumes {
		if bytes.Equal(v.update, update) {
			return v, nil
		}
	}
	decoded, err := crdt.DecodeUpdate(bytes.Clone(update))
	if err != nil {
		return nil, err
	}
	v := &volume{update: decoded.Bytes(), ranges: decoded.Ranges()}
	s.volumes = append(s.volumes, v)
	return v, nil
}

// decode appends the clocks in a small update to ranges.
func (s *shelf) decode(update []byte, ranges []crdt.ClockRange) ([]crdt.ClockRange, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.recent {
		if v := &s.recent[i]; len(update) > 0 && bytes.Equal(v.update, update) {
			return append(ranges, v.ranges...), nil
		}
	}
	decoded, err := crdt.DecodeUpdate(update)
	if err != nil {
		return nil, err
	}
	v := &s.recent[s.next]
	s.next = (s.next + 1) % len(s.recent)
	v.update, v.ranges = append(v.update[:0], update...), append(v.ranges[:0], decoded.Ranges()...)
	return append(ranges, v.ranges...), nil
}

// take receives an update, which it does not keep, and calls fresh for the clocks that are new.
func (r *replica) take(update []byte, fresh func(client crdt.ClientID, s span)) error {
	var ranges []crdt.ClockRange
	if len(update) >= large {
		v, err := r.shelf.find(update)
		if err != nil {
			return fmt.Errorf("update of %d bytes: %w", len(update), err)
		}
		ranges = v.ranges
		if r.keep {
			r.large = append(r.large, v)
		}
	} else {
		var room [4]crdt.ClockRange
		var err error
		if ranges, err = r.shelf.decode(update, room[:0]); err != nil {
			return fmt.Errorf("update of %d bytes: %w", len(update), err)
		}
		if r.keep {
			r.log = append(binary.AppendUvarint(r.log, uint64(len(update))), update...)
		}
	}
	for _, one := range ranges {
		r.has.add(one, func(s span) { fresh(one.Client, s) })
	}
	return nil
}

// updates returns all that was received.
func (r *replica) updates() [][]byte {
	var all [][]byte
	for _, v := range r.large {
		all = append(all, v.update)
	}
	for log := r.log; len(log) > 0; {
		n, size := binary.Uvarint(log)
		all = append(all, log[size:size+int(n)])
		log = log[size+int(n):]
	}
	return all
}

// digest is equal for replicas that received the same in the same order, of one shelf.
func (r *replica) digest() [sha256.Size]byte {
	h := sha256.New()
	h.Write(r.log)
	for _, v := range r.large {
		fmt.Fprintf(h, " %p", v)
	}
	return [sha256.Size]byte(h.Sum(nil))
}
