package loadtest

import (
	"math/rand/v2"
	"testing"

	"github.com/clisonix/tidechart/crdt"
)

// TestSpansCountOnce: each clock is new once, whatever the order, and however often it comes.
func TestSpansCountOnce(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		var s spans
		have := map[uint64]bool{}
		for range 60 {
			from := random.Uint64N(80)
			to := from + 1 + random.Uint64N(9)
			news := map[uint64]bool{}
			s.add(from, to, func(f span) {
				for clock := f.from; clock < f.to; clock++ {
					news[clock] = true
				}
			})
			for clock := from; clock < to; clock++ {
				if news[clock] == have[clock] {
					t.Fatalf("seed %d: adding %d–%d: clock %d is new: %v; had it: %v", seed, from, to, clock, news[clock], have[clock])
				}
				delete(news, clock)
				have[clock] = true
			}
			if len(news) > 0 {
				t.Fatalf("seed %d: adding %d–%d makes others new: %v", seed, from, to, news)
			}
			next := uint64(0)
			for have[next] {
				next++
			}
			if s.next() != next {
				t.Fatalf("seed %d: next = %d; want %d", seed, s.next(), next)
			}
			for i := 1; i < len(s); i++ {
				if s[i-1].to >= s[i].from {
					t.Fatalf("seed %d: spans touch: %v", seed, s)
				}
			}
		}
	}
}

// TestCoverageOwnsUpToHoles: a Step1 must not claim what came after a hole.
func TestCoverageOwnsUpToHoles(t *testing.T) {
	c := coverage{}
	for _, r := range []crdt.ClockRange{{Client: 1, From: 0, To: 4}, {Client: 1, From: 6, To: 9}, {Client: 2, From: 3, To: 5}} {
		c.add(r, func(span) {})
	}
	sv := c.stateVector()
	if len(sv) != 1 || sv[1] != 4 {
		t.Errorf("state vector %v; want client 1 at 4 only", sv)
	}
}
