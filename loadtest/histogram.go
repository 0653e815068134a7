package loadtest

import (
	"encoding/json"
	"fmt"
	"math/bits"
	"sync/atomic"
	"time"
)

// A histogram counts durations in buckets that are at most 1/64 wide, from 1 µs to a day. Any number of goroutines
// may add.
type histogram struct {
	buckets [(longest + 1) * perOctave]atomic.Int64
	count   atomic.Int64
	longest atomic.Int64 // µs
}

const (
	octave    = 6 // bits below the leading one that tell buckets apart
	perOctave = 1 << octave
	longest   = 32 // octaves
)

// bucket returns the index of the bucket that holds v µs.
func bucket(v int64) int {
	if v < perOctave {
		return int(max(v, 0))
	}
	e := bits.Len64(uint64(v)) - octave - 1
	return min((e+1)*perOctave+int(v>>e)-perOctave, (longest+1)*perOctave-1)
}

// upper returns the largest number of µs that bucket i holds.
func upper(i int) int64 {
	if i < perOctave {
		return int64(i)
	}
	e := i/perOctave - 1
	return int64(i%perOctave+perOctave+1)<<e - 1
}

func (h *histogram) add(d time.Duration) {
	v := max(d.Microseconds(), 0)
	h.buckets[bucket(v)].Add(1)
	h.count.Add(1)
	for {
		was := h.longest.Load()
		if v <= was || h.longest.CompareAndSwap(was, v) {
			return
		}
	}
}

// quantile returns a time that the share q of all durations do not exceed, at most 1/64 too long; 0 if there are none.
func (h *histogram) quantile(q float64) time.Duration {
	n := h.count.Load()
	rank := max(int64(q*float64(n)+0.999999), 1)
	for i := range h.buckets {
		if rank -= h.buckets[i].Load(); rank <= 0 {
			return time.Duration(min(upper(i), h.longest.Load())) * time.Microsecond
		}
	}
	return time.Duration(h.longest.Load()) * time.Microsecond
}

// Latency sums up many durations.
type Latency struct {
	Count         int64
	P50, P99, Max time.Duration
}

func (h *histogram) latency() Latency {
	return Latency{
		Count: h.count.Load(), P50: h.quantile(0.5), P99: h.quantile(0.99),
		Max: time.Duration(h.longest.Load()) * time.Microsecond,
	}
}

// String is the line of a report.
func (l Latency) String() string {
	if l.Count == 0 {
		return "-"
	}
	return fmt.Sprintf("p50 %s   p99 %s   max %s   of %d", ms(l.P50), ms(l.P99), ms(l.Max), l.Count)
}

// MarshalJSON writes milliseconds.
func (l Latency) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{
		"count": l.Count, "p50Ms": inMS(l.P50), "p99Ms": inMS(l.P99), "maxMs": inMS(l.Max),
	})
}

func inMS(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func ms(d time.Duration) string {
	if d >= 100*time.Millisecond {
		return fmt.Sprintf("%.0f ms", inMS(d))
	}
	return fmt.Sprintf("%.1f ms", inMS(d))
}
