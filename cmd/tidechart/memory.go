package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// What is kept for work to come. Under a steady load a collection every now and then is enough: what a keystroke leaves
// behind is small, and marking thousands of connections to find it is not. While more and more is kept, as when a crowd
// arrives at shift change, what they leave behind is collected early, for what is kept lies between it, and whatever has
// been kept of a page once keeps all of it. When little goes on, what is to spare goes back to the machine.
const (
	steadyPercent = 200 // garbage, of what is in use, before it is collected; GOGC says otherwise
	risingPercent = 50
	risingShare   = 5 // of what is in use; by a share more than this within memoryEvery it has risen

	memoryEvery = 5 * time.Second
	quietBytes  = 10 << 20 // made within memoryEvery, at most, when little goes on
	spareShare  = 8        // of what is in use; a share more than this is given back
	spareBytes  = 8 << 20
)

// keepMemory decides, until ctx ends, how much memory the process keeps that it does not use.
func keepMemory(ctx context.Context) {
	own, percent := os.Getenv("GOGC") != "", 0
	var m memory
	each(ctx, memoryEvery, func() {
		before := m
		m.read()
		quiet := m.made-before.made <= quietBytes
		if now := m.percent(before, quiet); now != percent && !own {
			percent = now
			debug.SetGCPercent(percent) // which stops everything for a moment
		}
		if quiet && m.hasSpare() {
			debug.FreeOSMemory()
		}
	})
}

// memory is what the heap has taken, in bytes.
type memory struct {
	made uint64 // ever
	used uint64 // at the last collection
	held uint64 // from the machine, garbage and what is free included

	samples []metrics.Sample
}

// percent is how much garbage, of what is in use, there should be before it is collected.
func (m *memory) percent(before memory, quiet bool) int {
	if quiet || m.used > before.used+before.used/risingShare {
		return risingPercent
	}
	return steadyPercent
}

func (m *memory) hasSpare() bool { return m.held > m.used+m.used/spareShare+spareBytes }

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
