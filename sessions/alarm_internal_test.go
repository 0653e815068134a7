package sessions

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestAlarm: the newest time counts, and none after the end of it.
func TestAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a alarm
		began, rung := time.Now(), make(chan time.Duration, 3)
		ring := func() { rung <- time.Since(began) }
		a.in(time.Minute, ring)
		a.in(time.Hour, ring)
		if after := <-rung; after != time.Hour {
			t.Errorf("it rings after %v, want an hour", after)
		}
		a.in(time.Minute, ring)
		a.in(-1, ring)
		a.in(time.Minute, ring)
		a.stop()
		a.in(time.Minute, ring)
		time.Sleep(time.Hour)
		if len(rung) > 0 {
			t.Error("it rings though it was stopped")
		}
	})
}

// TestWhenToDecideAgain: when the grant ends, or before that something it may rest on; not too often for what ends by
// another clock; never if nothing does.
func TestWhenToDecideAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		for _, tt := range []struct {
			name         string
			until, again time.Duration // 0: none
			want         time.Duration
		}{
			{"nothing ends", 0, 0, -1},
			{"the grant ends", time.Hour, 0, time.Hour},
			{"a shift ends", 0, time.Hour, time.Hour},
			{"a shift ends first", 2 * time.Hour, time.Hour, time.Hour},
			{"the grant ends first", time.Hour, 2 * time.Hour, time.Hour},
			{"the grant has ended", -time.Second, time.Hour, 0},
			{"a shift has ended, by this clock", time.Hour, -time.Second, minAgain},
		} {
			var st standing
			grant := Grant{}
			if tt.until != 0 {
				grant.Until = now.Add(tt.until)
			}
			if tt.again != 0 {
				grant.Again = now.Add(tt.again)
			}
			st.take(grant)
			if got := st.next(); got != tt.want {
				t.Errorf("%s: in %v, want %v", tt.name, got, tt.want)
			}
		}
	})
}
