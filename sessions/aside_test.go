package sessions

import (
	"bytes"
	"testing"
	"time"
)

// TestAsidePanicsLikeItsCaller, and says where.
func TestAsidePanicsLikeItsCaller(t *testing.T) {
	defer func() {
		if stack := stackOf(recover()); !bytes.Contains(stack, []byte("fallsAside")) {
			t.Errorf("the stack does not say where:\n%s", stack)
		}
	}()
	aside(fallsAside)
	t.Error("no panic")
}

func fallsAside() { panic("on purpose") }

// TestBusySockets: those who say something now and then are not, nor those who have just come.
func TestBusySockets(t *testing.T) {
	s, now, at := &socket{}, time.Unix(1, 0), 0
	for range busyAfter - 1 {
		if s.busy(now) {
			t.Fatalf("busy after %d messages", at)
		}
		at++
	}
	if !s.busy(now) {
		t.Errorf("not busy after %d messages", busyAfter)
	}
	if s.busy(now.Add(2 * busyGap)) {
		t.Error("busy after a rest")
	}
}
