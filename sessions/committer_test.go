package sessions_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/sessions"
	"github.com/clisonix/tidechart/sessions/storetest"
)

// TestCommitsKeepADistance: under load each commit is of what came in ten milliseconds, and nobody waits longer for
// theirs. Who edits when little is going on does not wait at all, and a commit that is full does not either.
func TestCommitsKeepADistance(t *testing.T) {
	inWard(t, func(w *ward) {
		commits := 0 // counted by the committer's goroutine, read when it rests
		w.store.Fault = func(before bool) error {
			if before {
				commits++
			}
			return nil
		}
		edit := func(note sessions.NoteID, clock int) time.Duration {
			began := time.Now()
			if _, err := w.hub.Apply(w.t.Context(), note, write(chen), insert2(1, clock, "x")); err != nil {
				t.Error(err)
			}
			return time.Since(began)
		}
		// all has one person at each of n notes edit every other millisecond, and returns the longest wait.
		all := func(n, edits int) time.Duration {
			var people sync.WaitGroup
			longest := make([]time.Duration, n)
			for i := range n {
				note := uuid.New()
				w.store.Add(note, chen.ID, storetest.Empty())
				people.Go(func() {
					for clock := range edits {
						longest[i] = max(longest[i], edit(note, clock))
						time.Sleep(2 * time.Millisecond)
					}
				})
			}
			people.Wait()
			synctest.Wait()
			var most time.Duration
			for _, d := range longest {
				most = max(most, d)
			}
			return most
		}

		began := time.Now()
		longest := all(20, 200)
		took := time.Since(began)
		if most := 200 + int(took/(10*time.Millisecond)) + 1; commits > most || commits < most/2 {
			t.Errorf("%d commits of 4,000 edits in %v, want about %d", commits, took, most)
		}
		if longest == 0 || longest > 10*time.Millisecond {
			t.Errorf("an edit waited for %v under load, want 10ms at most", longest)
		}

		commits, began = 0, time.Now()
		all(400, 20)
		if took := time.Since(began); took > 100*time.Millisecond {
			t.Errorf("%d commits of 8,000 edits took %v; full ones need not wait", commits, took)
		}

		time.Sleep(2 * time.Second)
		for clock := range 100 {
			if wait := edit(note, clock); wait != 0 {
				t.Errorf("an edit at rest waited for %v", wait)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}, hurried())
}
