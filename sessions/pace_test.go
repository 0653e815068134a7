package sessions_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/ysync"
	"github.com/clisonix/tidechart/sessions"
)

// TestUpdateRate: what comes too fast is read later, and not refused.
func TestUpdateRate(t *testing.T) {
	for _, tt := range []struct {
		name string
		send func(c *client, i int)
		n    int
		took time.Duration
	}{
		{"a burst", func(c *client, i int) { c.update(insert2(1, i, "x")) }, 120, 0},
		{"more than a burst", func(c *client, i int) { c.update(insert2(1, i, "x")) }, 120 + 90, 3 * time.Second},
		{"questions for the whole state", func(c *client, _ int) {
			c.send(ysync.Message{Kind: ysync.Sync, Step: ysync.Step1, Data: crdt.StateVector{}.Encode()})
		}, 120 + 90, 3 * time.Second},
		{"a megabyte", func(c *client, _ int) { c.update(bulk(1, 0, 1<<20-100)) }, 1, 0},
		{"three megabytes", func(c *client, _ int) { c.update(bulk(1, 0, 1<<20-100)) }, 3, 8 * time.Second},
		{"carets", func(c *client, i int) { c.send(announce(1, uint64(i), `{}`)) }, 400 + 400, 2 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inWard(t, func(w *ward) {
				c := w.hClient(write(chen))
				time.Sleep(10 * time.Second) // what the client has said so far is forgotten
				start := time.Now()
				for i := range tt.n {
					tt.send(c, i)
				}
				c.send(ysync.Message{Kind: ysync.Ping}) // is read when all that came before it has been paid for
				if took := time.Since(start); took < tt.took-100*time.Millisecond || took > tt.took+100*time.Millisecond {
					t.Errorf("read within %v, want %v", took, tt.took)
				}
				if got := c.closeCode(); got != 0 {
					t.Errorf("close code %d", got)
				}
			})
		})
	}
}

// TestReturningPersonGetsIn: whoever comes back with hours of keystrokes, each a message, is slowed down; not for
// ever, but until told to say it all in one.
func TestReturningPersonGetsIn(t *testing.T) {
	inWard(t, func(w *ward) {
		c := w.hClient(write(chen))
		const typed = 5000
		all := make([][]byte, typed)
		for i := range all {
			all[i] = insert2(1, i, "x")
		}
		start, sent := time.Now(), 0
		for sent < typed && c.closeCode() == 0 {
			c.update(all[sent])
			sent++
		}
		if took := time.Since(start); took < 10*time.Second || took > 11*time.Second || sent > 450 {
			t.Errorf("cut off after %v and %d updates, want some 10 s and 420", took, sent)
		}
		step2, err := crdt.MergeUpdates(all)
		if err != nil {
			t.Fatal(err)
		}
		back := w.connect(note.String(), c.serve)
		back.send(ysync.Message{Kind: ysync.Auth, Auth: ysync.Token, Version: "4.8.0"})
		back.send(ysync.Message{Kind: ysync.Sync, Step: ysync.Step1, Data: crdt.StateVector{}.Encode()})
		back.step2(step2)
		if got := back.answers(); got != "1" || back.closeCode() != 0 {
			t.Errorf("answers %q, want 1", got)
		}
		if got := w.yClient(read(rivera)).text(); len(got) != len("start")+typed {
			t.Errorf("the note has %d characters, want %d", len(got), len("start")+typed)
		}
	})
}

// TestFastPeerSlowsNobodyElse: each connection has its own rate.
func TestFastPeerSlowsNobodyElse(t *testing.T) {
	inWard(t, func(w *ward) {
		fast, other := w.hClient(write(chen)), w.hClient(write(rivera))
		go func() {
			for i := 0; ; i++ {
				select {
				case fast.pipe.in <- fast.frame(ysync.Message{Kind: ysync.Sync, Step: ysync.StepUpdate, Data: insert2(1, i, "x")}):
				case <-fast.pipe.closed:
					return
				}
			}
		}()
		time.Sleep(5 * time.Second) // fast is past its burst
		start := time.Now()
		other.update(insert(2, 0, "y"))
		if got := other.answers(); got != "11" || time.Since(start) != 0 {
			t.Errorf("answers %q after %v", got, time.Since(start))
		}
		fast.leave()
	})
}

// TestEarlyFramesAreSmall: before anything is granted, and for five seconds at most.
func TestEarlyFramesAreSmall(t *testing.T) {
	for size, code := range map[int]int{4 << 10: 0, 4<<10 + 1: 1009} {
		t.Run(fmt.Sprintf("%d bytes", size), func(t *testing.T) {
			inWard(t, func(w *ward) {
				c := w.stranger()
				data := make([]byte, size-(1+len(c.key)+1+2))
				c.send(ysync.Message{Kind: ysync.Awareness, Data: data})
				if got := c.closeCode(); got != code {
					t.Errorf("close code %d, want %d", got, code)
				}
				c.leave()
			})
		})
	}
	inWard(t, func(w *ward) {
		c := w.stranger()
		time.Sleep(4900 * time.Millisecond)
		if got := c.closeCode(); got != 0 {
			t.Errorf("close code %d before five seconds", got)
		}
		time.Sleep(200 * time.Millisecond)
		if got := c.closeCode(); got != 4401 {
			t.Errorf("close code %d after five seconds, want 4401", got)
		}
	})
}

// TestOutboxIsBounded: what a slow peer has not read is two megabytes at most; then it is caught up by one update.
func TestOutboxIsBounded(t *testing.T) {
	inWard(t, func(w *ward) {
		slow, sender := w.yClient(read(rivera)), w.hClient(write(chen))
		synctest.Wait()
		slow.reading(false)
		for i := range byte(9) {
			sender.update(bulk(i+1, 0, 900<<10))
		}
		slow.reading(true)
		if got := len(slow.updates()); got != 4 { // one being written, two waiting, one that holds the rest
			t.Errorf("slow peer was sent %d updates, want 4", got)
		}
	}, hurried())
}

// TestSlowLinesGetLargeFrames: five seconds are for a small one.
func TestSlowLinesGetLargeFrames(t *testing.T) {
	inWard(t, func(w *ward) {
		slow, sender := w.yClient(read(rivera)), w.hClient(write(chen))
		synctest.Wait()
		slow.reading(false)
		sender.update(bulk(1, 0, 1<<20-100))
		time.Sleep(12 * time.Second)
		slow.reading(true)
		if got := len(slow.updates()); got != 1 || slow.closeCode() != 0 {
			t.Errorf("slow peer was sent %d updates, close code %d", got, slow.closeCode())
		}
		slow.reading(false)
		sender.update(bulk(2, 0, 1<<20-100))
		time.Sleep(14 * time.Second)
		select {
		case err := <-slow.ended:
			if reason := new(sessions.CloseError); errors.As(err, &reason) {
				t.Errorf("ended with %v", err)
			}
		default:
			t.Error("still connected")
		}
	}, hurried())
}
