package loadtest_test

import (
	"bytes"
	"flag"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/clisonix/tidechart/loadtest"
)

var soak = flag.Duration("soak", 0, "how long TestSoak goes on; 0: three short waves")

// A session lingers for five seconds when the last has left.
const (
	lookEvery   = 100 * time.Millisecond
	quietTicks  = 70
	restTimeout = 30 * time.Second
)

// TestSoak: wave after wave of people come, type, stall, join at once and leave. What a wave leaves behind in memory is
// not more after the last than after the first ones, no goroutine stays, and keystrokes take no longer.
func TestSoak(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute; make test does it")
	}
	c := tidechart(t)
	c.Notes, c.Clients, c.Slow, c.Presence, c.Joins = 4, 6, 1, true, 10
	waves, end := 3, time.Time{}
	if *soak > 0 {
		c.Notes, c.Rate, c.Duration, waves, end = 20, 5, 45*time.Second, 0, time.Now().Add(*soak)
	}
	began := time.Now()
	var after []rest
	for wave := 1; wave <= waves || time.Now().Before(end); wave++ {
		r := run(t, t.Context(), c)
		if !r.OK() {
			t.Fatalf("wave %d: not everything arrived", wave)
		}
		after = append(after, atRest(t, after, r))
		x := after[len(after)-1]
		t.Logf("%v: wave %d: %d keystrokes, p99 to peer %v, saved %v; then %.1f MB, %d goroutines", time.Since(began).Round(time.Second), wave,
			r.Keystrokes.Sent, r.ToPeer.P99, r.ToSaved.P99, float64(x.heap)/1e6, x.goroutines)
	}
	// The first wave fills pools and makes connections.
	early, late := after[1:1+(len(after)+1)/3], after[len(after)-(len(after)+1)/3:]
	if was, is := middle(early, rest.memory), middle(late, rest.memory); is > was*1.1+1e6 {
		t.Errorf("%.1f MB stay in the end, %.1f in the beginning", is/1e6, was/1e6)
	}
	if was, is := middle(early, rest.latency), middle(late, rest.latency); len(after) >= 12 && is > was*2 {
		t.Errorf("p99 %.1f ms in the end, %.1f in the beginning", is, was)
	}
}

// A rest is what is left of a wave when all have gone.
type rest struct {
	heap       uint64
	goroutines int
	p99        time.Duration
}

func (r rest) memory() float64  { return float64(r.heap) }
func (r rest) latency() float64 { return r.p99.Seconds() * 1000 }

// atRest waits until goroutines have ceased to end, which are no more than after the first wave then, and looks at what
// is in memory.
func atRest(t *testing.T, before []rest, r *loadtest.Report) rest {
	t.Helper()
	x := rest{p99: r.ToPeer.P99}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	quiet := 0
	for late := time.Now().Add(restTimeout); ; <-tick.C {
		n := goroutines()
		if quiet++; n != x.goroutines {
			quiet = 0
		}
		x.goroutines = n
		if quiet >= quietTicks && (len(before) == 0 || n <= before[0].goroutines) {
			break
		}
		if time.Now().After(late) {
			all := make([]byte, 1<<20)
			t.Fatalf("%d goroutines stay:\n%s", n, all[:runtime.Stack(all, true)])
		}
	}
	runtime.GC()
	runtime.GC() // what had a finalizer
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	x.heap = m.HeapAlloc
	return x
}

// goroutines counts those that run our code, or a socket's. Idle connections of the generator, and of the pool of Postgres, have
// some of their own, more or fewer as it happens.
func goroutines() (n int) {
	all := make([]byte, 4<<20)
	for one := range bytes.SplitSeq(all[:runtime.Stack(all, true)], []byte("\n\n")) {
		if bytes.Contains(one, []byte("clisonix/tidechart")) || bytes.Contains(one, []byte("coder/websocket")) {
			n++
		}
	}
	return n
}

// middle is the median of a figure.
func middle(of []rest, figure func(rest) float64) float64 {
	var all []float64
	for _, r := range of {
		all = append(all, figure(r))
	}
	slices.Sort(all)
	return all[len(all)/2]
}
