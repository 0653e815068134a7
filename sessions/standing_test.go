package sessions_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clisonix/tidechart/sessions"
)

// TestRightsEndWhileACommitIsInFlight: an update that was admitted before its author's right ended, and is committed after,
// is refused by the log, though nobody has told the hub yet; who may still write notices nothing, and loses nothing (I9).
func TestRightsEndWhileACommitIsInFlight(t *testing.T) {
	for _, tt := range []struct {
		name     string
		readOnly bool
		denied   error
		answers  string
		code     int
		text     string
	}{
		{"reads on", true, nil, "110", 0, "a"},
		{"suspended", false, sessions.ErrUnauthenticated, "", 4401, "a"},
		{"another right ended, not this one", false, nil, "111", 0, "ab"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inWard(t, func(w *ward) {
				o, others := &office{w: w}, &office{w: w}
				c, other := w.hClient(o.grant(chen)), w.hClient(others.grant(rivera))
				c.update(insert(1, 0, "a"))
				gate := make(chan struct{})
				w.store.Fault = func(before bool) error {
					if before {
						<-gate
					}
					return nil
				}
				c.update(insert(1, 1, "b"))
				other.update(insert(2, 0, "r")) // waits for that commit
				o.Lock()
				o.readOnly, o.denied = tt.readOnly, tt.denied
				o.Unlock()
				w.store.Touch(chen.ID)
				w.store.Fault = nil
				close(gate)
				synctest.Wait()
				if got := letters(other.text()); got != tt.text {
					t.Errorf("the note reads %q, want %q", got, tt.text)
				}
				if got := other.answers(); got != "11" || other.closeCode() != 0 {
					t.Errorf("somebody else: answers %q, close code %d", got, other.closeCode())
				}
				if code := c.closeCode(); code != tt.code {
					t.Errorf("close code %d, want %d", code, tt.code)
				}
				if got := c.answers(); tt.code == 0 && got != tt.answers {
					t.Errorf("answers %q, want %q", got, tt.answers)
				}
				for _, row := range w.store.Rows(note) {
					if tt.text == "a" && slices.Equal(row.Update, insert(1, 1, "b")) {
						t.Error("it was committed")
					}
				}
				other.update(insert(2, 1, "s")) // as if nothing had been
				if got := other.answers(); got != "111" {
					t.Errorf("somebody else, afterwards: answers %q", got)
				}
				if tt.text == "ab" {
					c.update(insert(1, 2, "c"))
					if got := c.answers(); got != "1111" {
						t.Errorf("afterwards: answers %q", got)
					}
				}
			})
		})
	}
}

// letters are those of a text behind what the note began with, in the order of the alphabet: that of clients is no matter.
func letters(text string) string {
	all := strings.Split(strings.Replace(text, "start", "", 1), "")
	slices.Sort(all)
	return strings.Join(all, "")
}

// TestNoteMovesOnWhileACommitIsInFlight: the same for everybody at the note, as when its patient is moved to another unit.
func TestNoteMovesOnWhileACommitIsInFlight(t *testing.T) {
	inWard(t, func(w *ward) {
		goes, stays := &office{w: w}, &office{w: w}
		a, b := w.hClient(goes.grant(chen)), w.hClient(stays.grant(rivera))
		goes.Lock()
		goes.denied = sessions.ErrForbidden
		goes.Unlock()
		w.store.TouchNote(note)
		a.update(insert(1, 0, "a"))
		b.update(insert(2, 0, "b"))
		if code := a.closeCode(); code != 4403 {
			t.Errorf("close code %d, want 4403", code)
		}
		if got := b.answers(); got != "11" || b.closeCode() != 0 || letters(b.text()) != "" {
			t.Errorf("who may still write: answers %q, close code %d, text %q", got, b.closeCode(), b.text())
		}
		if n := len(w.store.Rows(note)); n != 2 {
			t.Errorf("%d rows, want 2", n)
		}
	})
}

// TestNobodyAnswersForWhatIsStale: a program's edit, whose right cannot be decided about again, and rights that change
// faster than they can be, are refused as what may be tried again.
func TestNobodyAnswersForWhatIsStale(t *testing.T) {
	inWard(t, func(w *ward) {
		o := &office{w: w}
		grant := o.grant(chen)
		w.store.Touch(chen.ID)
		if _, err := w.hub.Apply(w.t.Context(), note, grant, insert(1, 0, "a")); !errors.Is(err, sessions.ErrAccessUnknown) {
			t.Errorf("Apply = %v", err)
		}
		c := w.hClient(o.grant(chen))
		w.store.Fault = func(before bool) error {
			if before {
				w.store.Touch(chen.ID)
			}
			return nil
		}
		c.update(insert(2, 0, "b"))
		if code := c.closeCode(); code != 1013 {
			t.Errorf("close code %d, want 1013", code)
		}
		if n := len(w.store.Rows(note)); n != 1 {
			t.Errorf("%d rows, want 1", n)
		}
	})
}

// TestRightsEndByThemselves: what a right rests on may have an end of its own, such as a shift; then it is decided about
// anew, whether or not anybody says so (I9).
func TestRightsEndByThemselves(t *testing.T) {
	inWard(t, func(w *ward) {
		o := &office{w: w, again: time.Now().Add(30 * time.Minute)}
		c, other := w.hClient(o.grant(chen)), w.yClient(write(rivera))
		c.update(insert(1, 0, "a"))
		time.Sleep(30*time.Minute - time.Second)
		if c.closeCode() != 0 || o.times() != 0 {
			t.Fatalf("close code %d before the end, asked %d times", c.closeCode(), o.times())
		}
		o.Lock()
		o.again = time.Now().Add(time.Hour) // there is another reason
		o.Unlock()
		time.Sleep(2 * time.Second)
		if c.closeCode() != 0 || o.times() != 1 {
			t.Fatalf("close code %d, asked %d times, want once", c.closeCode(), o.times())
		}
		c.update(insert(1, 1, "b"))
		o.Lock()
		o.again, o.denied = time.Time{}, sessions.ErrForbidden
		o.Unlock()
		time.Sleep(time.Hour)
		if code := c.closeCode(); code != 4403 {
			t.Errorf("close code %d, want 4403", code)
		}
		other.update(insert(2, 0, "after"))
		if got := c.text(); strings.Contains(got, "after") {
			t.Errorf("who is gone reads %q", got)
		}
		if got := other.text(); !strings.Contains(got, "ab") {
			t.Errorf("others read %q", got)
		}
	})
}

// TestLeaversAreNotAskedAbout: nobody decides about somebody who has left.
func TestLeaversAreNotAskedAbout(t *testing.T) {
	inWard(t, func(w *ward) {
		o := &office{w: w, again: time.Now().Add(time.Minute)}
		w.hClient(o.grant(chen)).leave()
		time.Sleep(time.Hour)
		if o.times() != 0 {
			t.Errorf("asked %d times", o.times())
		}
	})
}

// TestOlderDecisionsComeLater, and change nothing: they are made side by side.
func TestOlderDecisionsComeLater(t *testing.T) {
	inWard(t, func(w *ward) {
		o := &office{w: w}
		c := w.hClient(o.grant(chen))
		held := make(chan struct{})
		o.Lock()
		o.held = held
		o.Unlock()
		go o.tell() // decided while chen may write
		synctest.Wait()
		w.store.Touch(chen.ID)
		o.change(true, nil)
		close(held)
		synctest.Wait()
		if got := c.auths(); got != "read-write, readonly" {
			t.Errorf("told %q", got)
		}
	})
}

// TestNothingIsWrittenOnWhatHasEnded: while it takes long to say whether somebody may go on, they write nothing.
func TestNothingIsWrittenOnWhatHasEnded(t *testing.T) {
	inWard(t, func(w *ward) {
		o := &office{w: w, again: time.Now().Add(time.Minute)}
		c := w.hClient(o.grant(chen))
		held := make(chan struct{})
		o.Lock()
		o.held = held
		o.Unlock()
		time.Sleep(time.Minute + 500*time.Millisecond)
		c.update(insert(1, 0, "a"))
		time.Sleep(time.Second)
		c.update(insert(1, 1, "b"))
		o.Lock()
		o.again = time.Time{}
		o.Unlock()
		close(held)
		if got := c.answers(); got != "110" {
			t.Errorf("answers %q, want 110", got)
		}
	})
}
