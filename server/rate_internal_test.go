package server

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

// TestGate: what comes at once, what comes steadily, and when to come back.
func TestGate(t *testing.T) {
	g, now := newGate(50, 200), time.Now()
	pass := func(who string) error { return g.pass(who, 1, now) }
	for i := range 200 {
		if err := pass("chen"); err != nil {
			t.Fatalf("request %d of a burst: %v", i, err)
		}
	}
	var many *tooMany
	if err := pass("chen"); !errors.As(err, &many) || many.wait <= 0 || many.wait > 20*time.Millisecond || many.seconds() != "1" || many.told {
		t.Fatalf("one more: %v", err)
	}
	if err := pass("chen"); !errors.As(err, &many) || !wasTold(err) {
		t.Errorf("the log is told of each: %v", err)
	}
	if err := pass("rivera"); err != nil {
		t.Errorf("somebody else: %v", err)
	}
	now = now.Add(time.Second)
	for i := range 50 {
		if err := pass("chen"); err != nil {
			t.Fatalf("a second later, request %d: %v", i, err)
		}
	}
	if err := pass("chen"); err == nil {
		t.Error("a second gives more than 50")
	}
}

// TestGateSaysWhenToComeBack: for what costs more than one.
func TestGateSaysWhenToComeBack(t *testing.T) {
	g, now := newGate(256<<10, 1<<20), time.Now()
	if err := g.pass("chen", 1<<20, now); err != nil {
		t.Fatal(err)
	}
	var many *tooMany
	if err := g.pass("chen", 1<<20, now); !errors.As(err, &many) || many.seconds() != "4" {
		t.Errorf("a second megabyte: %v", err)
	}
	if err := g.pass("chen", 1<<20, now.Add(4*time.Second)); err != nil {
		t.Errorf("four seconds later: %v", err)
	}
}

// TestGateIsBounded: however many ask, the gate remembers so many at most; who is too fast stays so, and those there is
// no room for share what one has.
func TestGateIsBounded(t *testing.T) {
	g, now := newGate(50, 200), time.Now()
	for range 200 {
		_ = g.pass("greedy", 1, now)
	}
	refused := 0
	for i := range 3 * maxCallers {
		if g.pass(fmt.Sprint(i), 1, now) != nil {
			refused++
		}
	}
	if len(g.callers) != maxCallers {
		t.Errorf("%d callers are remembered, want %d", len(g.callers), maxCallers)
	}
	if want := 2*maxCallers + 1 - 200; refused != want {
		t.Errorf("%d were refused, want %d: those without room share 200", refused, want)
	}
	if g.pass("greedy", 1, now) == nil {
		t.Error("a crowd makes the gate forget who is too fast")
	}
	now = now.Add(2 * time.Second) // all but the greedy one have all again
	if err := g.pass("newcomer", 1, now); err != nil || len(g.callers) != 2 {
		t.Errorf("%v; %d callers are remembered, want 2", err, len(g.callers))
	}
}
