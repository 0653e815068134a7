package login

import (
	"testing"
	"time"

	"github.com/clisonix/tidechart/server/access"
)

// TestLogoffIsChecked: what an operator sets protects, and can be worked with.
func TestLogoffIsChecked(t *testing.T) {
	for _, tt := range []struct {
		after time.Duration
		role  string
		of    time.Duration
		ok    bool
	}{
		{15 * time.Minute, "nurse", 5 * time.Minute, true},
		{10 * time.Second, "nurse", 4 * time.Hour, true},
		{9 * time.Second, "nurse", time.Minute, false},
		{5 * time.Hour, "nurse", time.Minute, false},
		{time.Minute, "nurse", 0, false},
		{time.Minute, "plumber", time.Minute, false},
	} {
		l, err := NewLogoff(tt.after, map[string]time.Duration{tt.role: tt.of})
		if (err == nil) != tt.ok {
			t.Errorf("%+v: %v", tt, err)
		}
		if tt.ok && (l.after(access.Nurse) != tt.of || l.after(access.Resident) != tt.after) {
			t.Errorf("%+v: %v for nurses, %v for residents", tt, l.after(access.Nurse), l.after(access.Resident))
		}
	}
	if after := (Logoff{}).after(access.Nurse); after != 15*time.Minute {
		t.Errorf("unless it is set: %v", after)
	}
}
