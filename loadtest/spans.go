package loadtest

import (
	"slices"

	"github.com/clisonix/tidechart/crdt"
)

// span is the clocks from ≤ clock < to.
type span struct{ from, to uint64 }

// spans is the clocks of one client that a replica has: ascending, neither overlapping nor touching.
type spans []span

// add takes the clocks from ≤ clock < to and calls fresh for those of them that are new.
func (s *spans) add(from, to uint64, fresh func(span)) {
	if n := len(*s); n > 0 && (*s)[n-1].to == from { // as almost always
		(*s)[n-1].to = to
		fresh(span{from, to})
		return
	}
	i, _ := slices.BinarySearchFunc(*s, from, func(have span, at uint64) int {
		if have.to < at {
			return -1
		}
		return 1
	})
	whole, at, j := span{from, to}, from, i
	for ; j < len(*s) && (*s)[j].from <= to; j++ {
		have := (*s)[j]
		if at < have.from {
			fresh(span{at, have.from})
		}
		at = max(at, have.to)
		whole = span{min(whole.from, have.from), max(whole.to, have.to)}
	}
	if at < to {
		fresh(span{at, to})
	}
	*s = slices.Replace(*s, i, j, whole)
}

// next is the first clock that is missing.
func (s spans) next() uint64 {
	if len(s) == 0 || s[0].from > 0 {
		return 0
	}
	return s[0].to
}

// coverage is the clocks that a replica has, by client.
type coverage map[crdt.ClientID]*spans

func (c coverage) add(r crdt.ClockRange, fresh func(span)) {
	s := c[r.Client]
	if s == nil {
		s = &spans{}
		c[r.Client] = s
	}
	s.add(r.From, r.To, fresh)
}

// stateVector is what a Step1 says of such a replica.
func (c coverage) stateVector() crdt.StateVector {
	sv := make(crdt.StateVector, len(c))
	for client, s := range c {
		if next := s.next(); next > 0 {
			sv[client] = next
		}
	}
	return sv
}
