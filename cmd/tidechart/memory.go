package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// What is kept for work to come. Under load a collection every now and then is enough: most of what a keystroke leaves
// behind is small, and marking thousands of connections to find it is not. When the load is over, what it left behind
// goes back to the machine: most people who have a note open read, and a crowd of them arrives at shift change.
const (
	gcPercent   = 200 // garbage, of what is in use, before it is collected; GOGC says otherwise
	memoryEvery = 10 * time.Second
	quietBytes  = 2 << 20 // made in a second, at most, when little goes on
	spareShare  = 4       // of what is in use; a share more than this is given back
	spareBytes  = 16 << 20
)

// keepMemory decides, until ctx ends, how much memory the process keeps that it does not use.
func keepMemory(ctx context.Context) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	var m memory
	each(ctx, memoryEvery, func() { m.giveBack(quietBytes * uint64(memoryEvery/time.Second)) })
}

// memory is what the heap has taken, in bytes.
type memory struct {
	made uint64 // ever
	used uint64 // at the last collection
	held uint64 // from the machine, garbage and what is free included

	samples []metrics.Sample
}

// giveBack gives back what is to spare, if no more than quiet was made since it was called last, and reports whether.
func (m *memory) giveBack(quiet uint64) bool {
	before := m.made
	m.read()
	if m.made-before > quiet || m.held <= m.used+m.used/spareShare+spareBytes {
		return false
	}
	debug.FreeOSMemory()
	return true
}

func (m *memory) read() {
	if m.samples == nil {
		for _, name := range []string{
			"/gc/heap/allocs:bytes", "/gc/heap/live:bytes",
			"/memory/classes/heap/objects:bytes", "/memory/classes/heap/unused:bytes", "/memory/classes/heap/free:bytes",
		} {
			m.samples = append(m.samples, metrics.Sample{Name: name})
		}
	}
	metrics.Read(m.samples)
	of := func(i int) uint64 { return m.samples[i].Value.Uint64() }
	m.made, m.used, m.held = of(0), of(1), of(2)+of(3)+of(4)
}
