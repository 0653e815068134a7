package loadtest

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestQuantiles: never too short, and at most 1/64 too long.
func TestQuantiles(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var h histogram
	var all []time.Duration
	for i := range 10_000 {
		d := time.Duration(random.Int64N(1<<random.IntN(34))) * time.Microsecond
		if i%10 == 0 {
			d = time.Duration(i%70) * time.Microsecond // where buckets are exact
		}
		h.add(d)
		all = append(all, d)
	}
	slices.Sort(all)
	for _, q := range []float64{0.001, 0.5, 0.9, 0.99, 0.9999, 1} {
		want := all[max(int(q*float64(len(all))+0.999999), 1)-1]
		if got := h.quantile(q); got < want || got > want+want/64 {
			t.Errorf("quantile(%v) = %v; want %v, or up to 1/64 more", q, got, want)
		}
	}
	if got := h.latency(); got.Max != all[len(all)-1] || got.Count != int64(len(all)) {
		t.Errorf("latency = %+v; want max %v of %d", got, all[len(all)-1], len(all))
	}
}

func TestBucketsMeet(t *testing.T) {
	for i := range 25 * perOctave {
		if bucket(upper(i)) != i || bucket(upper(i)+1) != i+1 {
			t.Fatalf("bucket %d ends at %d µs, which is in bucket %d; the next µs is in %d", i, upper(i), bucket(upper(i)), bucket(upper(i)+1))
		}
	}
	var none histogram
	if got := none.latency(); got != (Latency{}) {
		t.Errorf("of nothing: %+v", got)
	}
	none.add(48 * time.Hour) // longer than any bucket
	if got := none.latency().P50; got != 48*time.Hour {
		t.Errorf("p50 of one duration of 48 h: %v", got)
	}
}
