package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// What is kept for work to come. Under a steady load a collection every now and then is enough: what a keystroke leaves
// behind is small, and marking thousands of connections to find it is not. While a crowd arrives, as at shift change, what
// they leave behind is collected early, for what is kept of them lies between it, and whatever has been kept of a page once
// keeps all of it. When little goes on, what is to spare goes back to the machine.
const (
	steadyPercent   = 200 // garbage, of what is in use, before it is collected; GOGC says otherwise
	arrivingPercent = 50
	arrivingShare   = 32 // of those who are connected; while more than this come within memoryEvery a crowd arrives

	memoryEvery = 2 * time.Second
	quietBytes  = 4 << 20 // made within memoryEvery, at most, when little goes on
	spareShare  = 8       // of what is in use; a share more than this is given back
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

// memory is what the heap has taken, in bytes, and for how many.
type memory struct {
	made uint64 // ever
	used uint64 // at the last collection
	held uint64 // from the machine, garbage and what is free included

	goroutines uint64 // of which each connection has one

	samples []metrics.Sample
}

// percent is how much garbage, of what is in use, there should be before it is collected.
func (m *memory) percent(before memory, quiet bool) int {
	if quiet || m.goroutines > before.goroutines+before.goroutines/arrivingShare {
		return arrivingPercent
	}
	return steadyPercent
}

func (m *memory) hasSpare() bool { return m.held > m.used+m.used/spareShare+spareBytes }

func (m *memory) read() {
	if m.samples == nil {
		for _, name := range []string{
			"/gc/heap/allocs:bytes", "/gc/heap/live:bytes",
			"/memory/classes/heap/objects:bytes", "/memory/classes/heap/unused:bytes", "/memory/classes/heap/free:bytes",
			"/sched/goroutines:goroutines",
		} {
			m.samples = append(m.samples, metrics.Sample{Name: name})
		}
	}
	metrics.Read(m.samples)
	of := func(i int) uint64 { return m.samples[i].Value.Uint64() }
	m.made, m.used, m.held, m.goroutines = of(0), of(1), of(2)+of(3)+of(4), of(5)
}
