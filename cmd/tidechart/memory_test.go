package main

import (
	"runtime"
	"runtime/debug"
	"testing"
)

// TestMemoryIsGivenBack: what a crowd left behind goes back to the machine when little goes on, and not before.
func TestMemoryIsGivenBack(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // nothing is collected but by what is tested
	runtime.GC()
	const crowd = 128 << 20
	var m memory
	m.read()
	left := make([][]byte, 128)
	for i := range left {
		left[i] = make([]byte, crowd/len(left))
	}
	runtime.KeepAlive(left)
	if m.giveBack(crowd / 2) {
		t.Error("given back while much goes on")
	}
	held := m.held
	if !m.giveBack(crowd / 2) {
		t.Fatal("not given back when little goes on")
	}
	if m.read(); m.held+crowd/2 > held {
		t.Errorf("%d bytes are held, of %d", m.held, held)
	}
	if m.giveBack(crowd / 2) {
		t.Error("given back although nothing is to spare")
	}
}
