package main

import (
	"runtime"
	"runtime/debug"
	"testing"
)

// TestMemoryIsGivenBack: what a crowd left behind goes back to the machine.
func TestMemoryIsGivenBack(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // nothing is collected but by what is tested
	runtime.GC()
	const crowd = 128 << 20
	left := make([][]byte, 128)
	for i := range left {
		left[i] = make([]byte, crowd/len(left))
	}
	runtime.KeepAlive(left)
	var m memory
	m.read()
	if !m.hasSpare() {
		t.Errorf("of %d bytes %d are in use, and nothing is to spare", m.held, m.used)
	}
	held := m.held
	debug.FreeOSMemory()
	if m.read(); m.held+crowd/2 > held || m.hasSpare() {
		t.Errorf("%d bytes are held, of %d", m.held, held)
	}
}

// TestMemoryFollowsTheLoad: much garbage may lie about while much goes on, and no crowd arrives.
func TestMemoryFollowsTheLoad(t *testing.T) {
	for _, tt := range []struct {
		name        string
		before, now uint64
		quiet       bool
		want        int
	}{
		{"a steady load", 4000, 4010, false, steadyPercent},
		{"a crowd arrives", 4000, 5000, false, arrivingPercent},
		{"a crowd has left", 4000, 30, false, steadyPercent},
		{"little goes on", 4000, 4000, true, arrivingPercent},
		{"it begins", 0, 5, false, arrivingPercent},
	} {
		m := memory{goroutines: tt.now}
		if got := m.percent(memory{goroutines: tt.before}, tt.quiet); got != tt.want {
			t.Errorf("%s: collected at %d%%, want %d%%", tt.name, got, tt.want)
		}
	}
}
