package history

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
)

// TestPastsAreForgotten: what a note said stays in memory for whoever looks through it, no longer, and of few notes; of what was
// destroyed not at all.
func TestPastsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p Pasts
		first := uuid.New()
		p.keep(first)
		for range maxPasts - 1 {
			time.Sleep(time.Second)
			p.keep(uuid.New())
		}
		if len(p.kept) != maxPasts {
			t.Fatalf("%d are kept, want %d", len(p.kept), maxPasts)
		}
		p.keep(uuid.New())
		if len(p.kept) != maxPasts || p.kept[first] != nil {
			t.Errorf("%d are kept, the oldest of them: %v", len(p.kept), p.kept[first] != nil)
		}

		destroyed := uuid.New()
		p.keep(destroyed)
		p.Forget(destroyed)
		p.Forget(uuid.New())
		if p.kept[destroyed] != nil {
			t.Error("what was destroyed is kept")
		}

		used := uuid.New()
		p.keep(used)
		time.Sleep(pastLasts - time.Second)
		p.keep(used)
		time.Sleep(pastLasts - time.Second)
		synctest.Wait()
		if len(p.kept) != 1 || p.kept[used] == nil {
			t.Errorf("%d are kept, want the one that was looked at again", len(p.kept))
		}
		if !p.Looks(used, "login") {
			t.Error("a first look need not be on record")
		}
		p.Recorded(used, "login")
		if p.Looks(used, "login") || !p.Looks(used, "other") {
			t.Error("a look that is on record has to be again, or another's does not")
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if len(p.kept) != 0 {
			t.Error("it is kept though nobody looks any more")
		}
		p.keep(used)
		p.ForgetAll()
		if len(p.kept) != 0 {
			t.Error("one is kept")
		}
	})
}
