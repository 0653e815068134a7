package sessions_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clisonix/tidechart/sessions"
)

// TestOneCommitIsOneWrite: all that a commit has for a socket, its answer too, travels together.
func TestOneCommitIsOneWrite(t *testing.T) {
	inWard(t, func(w *ward) {
		frozen := make(chan struct{})
		h, y, watches := w.hClient(write(chen)), w.yClient(write(rivera)), w.yClient(read(rivera))
		synctest.Wait()
		w.store.Fault = func(first bool) error {
			if first {
				<-frozen
			}
			return nil
		}
		h.update(insert(1, 0, "a"))
		y.update(insert(2, 0, "b")) // these two wait together
		h.update(insert(3, 0, "c"))
		for _, c := range []*client{h, y, watches} {
			c.pipe.groups = nil
		}
		close(frozen)
		synctest.Wait()
		for _, c := range []*client{h, y, watches} {
			if got := c.pipe.groups; len(got) < 2 || got[0] != 1 || got[1] != 2 {
				t.Errorf("frames were written by %v, want the first by itself and two together", got)
			}
		}
	})
}

// TestNothingIsSeenThatIsNotSaved is I1 and I2: while the commit hangs, no peer sees the edit and its sender
// hears nothing; then all do, the sender once.
func TestNothingIsSeenThatIsNotSaved(t *testing.T) {
	inWard(t, func(w *ward) {
		frozen := make(chan struct{})
		hSends, ySends, watches := w.hClient(write(chen)), w.yClient(write(rivera)), w.yClient(read(rivera))
		before := len(hSends.answers())
		w.store.Fault = func(first bool) error {
			if first {
				<-frozen
			}
			return nil
		}
		hSends.update(insert(1, 0, "ab"))
		ySends.update(insert(2, 0, "cd"))
		time.Sleep(time.Minute)
		if n := len(watches.updates()); n != 0 {
			t.Errorf("%d updates were seen before their commit", n)
		}
		if got := len(hSends.answers()) - before; got != 0 {
			t.Errorf("%d answers before the commit", got)
		}
		if n := len(ySends.updates()); n != 0 {
			t.Errorf("%d echoes before the commit", n)
		}
		if state, err := w.hub.State(w.t.Context(), note); err != nil || bytes.Contains(state, []byte("ab")) {
			t.Errorf("the API shows an edit before its commit (%v)", err)
		}
		close(frozen)
		synctest.Wait()
		if n := len(watches.updates()); n != 2 {
			t.Errorf("%d updates seen after the commits, want 2", n)
		}
		if got := len(hSends.answers()) - before; got != 1 {
			t.Errorf("%d answers, want 1", got)
		}
		if us := ySends.updates(); len(us) != 2 || !bytes.Equal(us[1], insert(2, 0, "cd")) {
			t.Errorf("y-websocket's sender was sent % x, want the other's update and its own back", us)
		}
		for _, c := range []*client{hSends, ySends, watches} {
			if got := len(c.text()); got < len("start")+2 {
				t.Errorf("a client's text is %q", c.text())
			}
		}
	})
}

// TestUnknownOutcomeIsSettled: a commit that is lost, or done with its answer lost, is neither lost nor doubled.
func TestUnknownOutcomeIsSettled(t *testing.T) {
	for _, lostBefore := range []bool{true, false} {
		t.Run(fmt.Sprintf("lost before the commit=%v", lostBefore), func(t *testing.T) {
			inWard(t, func(w *ward) {
				sender, watcher := w.hClient(write(chen)), w.yClient(read(rivera))
				before := len(sender.answers())
				faults := 3
				w.store.Fault = func(first bool) error {
					if first == lostBefore && faults > 0 {
						faults--
						return errors.New("connection reset")
					}
					return nil
				}
				sender.update(insert(1, 0, "ab"))
				time.Sleep(10 * time.Second)
				if got := len(sender.answers()) - before; got != 1 {
					t.Errorf("%d answers, want 1", got)
				}
				if rows := w.store.Rows(note); len(rows) != 2 {
					t.Errorf("log has %d rows, want 2", len(rows))
				}
				if n := len(watcher.updates()); n != 1 {
					t.Errorf("%d updates seen, want 1", n)
				}
			})
		})
	}
}

// TestEditsThatArriveDuringACommitFormTheNext: one batch in flight, no timer.
func TestEditsThatArriveDuringACommitFormTheNext(t *testing.T) {
	inWard(t, func(w *ward) {
		sender := w.hClient(write(chen))
		gate, commits := make(chan struct{}), 0
		w.store.Fault = func(first bool) error {
			if first {
				<-gate
				commits++
			}
			return nil
		}
		for i := range byte(20) {
			sender.update(insert(1, i, "x"))
		}
		gate <- struct{}{}
		gate <- struct{}{}
		synctest.Wait()
		if rows := len(w.store.Rows(note)); commits != 2 || rows != 21 {
			t.Errorf("%d commits for %d rows, want 2 for 21", commits, rows)
		}
		if got := sender.text(); !strings.HasPrefix(got, "start") { // its own edits are not sent back
			t.Errorf("text %q", got)
		}
	})
}

// TestFailedSessionEndsItsSockets: when the log has what the session does not know of, everybody syncs anew, those
// too who are about to join.
func TestFailedSessionEndsItsSockets(t *testing.T) {
	inWard(t, func(w *ward) {
		sender, watcher := w.hClient(write(chen)), w.yClient(read(rivera))
		intruder := sessions.Batch{ID: chen.ID, Entries: []sessions.Entry{{Note: note, Author: chen.ID, Update: insert(7, 0, "!")}}}
		if _, err := w.store.Append(w.t.Context(), intruder); err != nil {
			t.Fatal(err)
		}
		sender.update(insert(1, 0, "x"))
		if a, b := sender.closeCode(), watcher.closeCode(); a != 1012 || b != 1012 {
			t.Errorf("close codes %d and %d, want 1012", a, b)
		}
		if got := w.yClient(read(rivera)).text(); len(got) != len("start!x") {
			t.Errorf("the next session reads %q", got)
		}
	})
}

// TestNoteIsReloaded: after everybody has left, the log says all; a long log gets a base, and rows stay.
func TestNoteIsReloaded(t *testing.T) {
	inWard(t, func(w *ward) {
		c := w.yClient(write(chen))
		for i := range 120 {
			c.update(insert(1, byte(i), "x"))
		}
		want := c.text()
		c.leave()
		time.Sleep(time.Minute)
		if got := w.store.BaseSeq(note); got != 121 {
			t.Errorf("base up to seq %d, want 121", got)
		}
		if n := len(w.store.Rows(note)); n != 121 {
			t.Errorf("%d rows are left", n)
		}
		for _, s := range w.store.Sittings() {
			if !s.Ended || len(s.In) > 0 || len(s.Came) != 1 {
				t.Errorf("recorded: %+v", s)
			}
		}
		if got := w.yClient(read(rivera)).text(); got != want || len(got) != 125 {
			t.Errorf("text %q, want %q", got, want)
		}
	})
}

// TestDrain: what was taken is committed, and everybody is told to come back.
func TestDrain(t *testing.T) {
	inWard(t, func(w *ward) {
		gate := make(chan struct{})
		c := w.hClient(write(chen))
		before := len(c.answers())
		w.store.Fault = func(first bool) error {
			if first {
				<-gate
			}
			return nil
		}
		c.update(insert(1, 0, "last"))
		closed := make(chan error, 1)
		go func() { closed <- w.hub.Close(w.t.Context()) }()
		synctest.Wait()
		if c.closeCode() != 0 {
			t.Fatal("cut off before the last edit was committed")
		}
		close(gate)
		if err := <-closed; err != nil {
			t.Error(err)
		}
		if got := c.answers()[before:]; got != "1" || c.closeCode() != 1012 {
			t.Errorf("answers %q", got)
		}
		if rows := w.store.Rows(note); len(rows) != 2 {
			t.Errorf("log has %d rows, want 2", len(rows))
		}
		if got := w.yClient(read(chen)).closeCode(); got != 1012 {
			t.Errorf("who comes later is told %d, want 1012", got)
		}
	})
}

// insert2 is insert for clocks beyond one byte.
func insert2(client byte, clock int, text string) []byte {
	if clock < 128 {
		return insert(client, byte(clock), text)
	}
	varint := func(n int) []byte {
		if n < 128 {
			return []byte{byte(n)}
		}
		return []byte{byte(n) | 128, byte(n >> 7)}
	}
	u := append([]byte{1, 1, client}, varint(clock)...)
	u = append(append(u, 0x84, client), varint(clock-1)...)
	return append(append(append(u, byte(len(text))), text...), 0)
}
