package loadtest

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// ErrNoProcesses is returned where processes cannot be watched.
var ErrNoProcesses = errors.New("the processes of a server can be watched on Linux only")

// Usage is what some processes have used, or hold.
type Usage struct {
	CPU    time.Duration // since they started, their ended children's too
	Memory int64         // resident bytes; of a database, pages that its processes share count once
}

func (u Usage) since(before Usage) Usage { return Usage{u.CPU - before.CPU, u.Memory - before.Memory} }

// usages is the usage of a server's processes, apart from those of its Postgres.
type usages struct {
	at               time.Time
	server, database Usage
	machine          machineTime
}

// machineTime is how long all processors together were busy, with whatever, and how long they had work and the host of a
// virtual machine gave them no time for it.
type machineTime struct{ busy, stolen time.Duration }

// sampleEvery is how often the server's memory is looked at for its peak.
const sampleEvery = 20 * time.Millisecond

// A watch looks at a server's processes during a run.
type watch struct {
	pids []int
	err  error // the first one; figures that came after it are void

	server atomic.Pointer[[]int] // the processes of the server, at the last mark
	peak   atomic.Int64          // of their memory, since then
	stop   chan struct{}
	done   sync.WaitGroup
}

// newWatch begins to look. Without processes it says nothing of them.
func newWatch(pids []int) *watch {
	w := &watch{pids: pids, stop: make(chan struct{})}
	if len(pids) > 0 {
		w.done.Go(w.sample)
	}
	return w
}

// read returns what is used now.
func (w *watch) read() usages {
	if len(w.pids) == 0 || w.err != nil {
		return usages{at: time.Now()}
	}
	var u usages
	u, w.err = readUsages(w.pids)
	return u
}

// mark begins a new peak.
func (w *watch) mark() {
	if len(w.pids) == 0 || w.err != nil {
		return
	}
	var server []int
	server, w.err = serverProcesses(w.pids)
	w.server.Store(&server)
	w.peak.Store(0)
}

func (w *watch) sample() {
	tick := time.NewTicker(sampleEvery)
	defer tick.Stop()
	for {
		select {
		case <-w.stop:
			return
		case <-tick.C:
		}
		server := w.server.Load()
		if server == nil {
			continue
		}
		var sum int64
		for _, pid := range *server {
			n, _ := resident(pid) // none, if it has ended
			sum += n
		}
		for was := w.peak.Load(); sum > was && !w.peak.CompareAndSwap(was, sum); {
			was = w.peak.Load()
		}
	}
}

func (w *watch) end() {
	close(w.stop)
	w.done.Wait()
}
