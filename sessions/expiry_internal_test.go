package sessions

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestExpiry: the newest time counts, and none after the end of it.
func TestExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var e expiry
		began, ended := time.Now(), make(chan time.Duration, 3)
		fire := func() { ended <- time.Since(began) }
		e.at(began.Add(time.Minute), fire)
		e.at(began.Add(time.Hour), fire)
		if after := <-ended; after != time.Hour {
			t.Errorf("ended after %v, want an hour", after)
		}
		e.at(time.Now().Add(time.Minute), fire)
		e.at(time.Time{}, fire)
		e.at(time.Now().Add(time.Minute), fire)
		e.stop()
		e.at(time.Now().Add(time.Minute), fire)
		time.Sleep(time.Hour)
		if len(ended) > 0 {
			t.Error("it ends though it was stopped")
		}
	})
}
