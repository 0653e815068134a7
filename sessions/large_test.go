package sessions_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/ysync"
	"github.com/clisonix/tidechart/sessions"
)

// absence is what a client typed in n bytes, and a little more, while it was away.
func absence(t *testing.T, client byte, n int) []byte {
	t.Helper()
	var parts [][]byte
	for i := byte(0); n > 0; i++ {
		parts = append(parts, bulk(client+i, 0, min(n, 250<<10)))
		n -= 250 << 10
	}
	all, err := crdt.MergeUpdates(parts)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestLongAbsences: whoever comes back with more than a frame gets it in at once, over either protocol, and is
// not too fast by that.
func TestLongAbsences(t *testing.T) {
	for name, connect := range map[string]func(*ward, sessions.Grant) *client{"y-websocket": (*ward).yClient, "Hocuspocus": (*ward).hClient} {
		t.Run(name, func(t *testing.T) {
			inWard(t, func(w *ward) {
				witness, c := w.yClient(read(rivera)), connect(w, write(chen))
				c.leave()
				away := absence(t, 101, 3<<20)
				c = w.connect(c.key, c.serve)
				if c.key != "" {
					c.send(ysync.Message{Kind: ysync.Auth, Auth: ysync.Token, Version: "4.8.0"})
				}
				start := time.Now()
				c.send(ysync.Message{Kind: ysync.Sync, Step: ysync.Step1, Data: crdt.StateVector{}.Encode()})
				c.step2(away)
				c.update(insert(1, 0, "and on"))
				if took := time.Since(start); c.closeCode() != 0 || took > time.Second {
					t.Errorf("close code %d after %v", c.closeCode(), took)
				}
				if rows := w.store.Rows(note); len(rows) != 3 || len(rows[1].Update) != len(away) {
					t.Errorf("%d rows", len(rows))
				}
				time.Sleep(time.Minute)
				c.update(insert(1, 6, "!"))
				if got := len(witness.updates()); got != 3 || c.closeCode() != 0 {
					t.Errorf("the other one saw %d updates, close code %d", got, c.closeCode())
				}
			})
		})
	}
}

// TestLargeFramesHaveTheirTime: they are taken while a Step2 is due, and no longer; what is larger even then is refused
// for good, not with a code after which providers come back with the same.
func TestLargeFramesHaveTheirTime(t *testing.T) {
	for _, tt := range []struct {
		name string
		size int
		due  bool
		code int
	}{
		{"a frame", sessions.MaxFrame, false, 4400}, // zeros are no message
		{"more than a frame", sessions.MaxFrame + 1, false, 1009},
		{"the largest Step2", sessions.MaxStep2, true, 4400},
		{"a larger one", sessions.MaxStep2 + 1, true, 4413},
	} {
		for name, connect := range map[string]func(*ward, sessions.Grant) *client{"y-websocket": (*ward).yClient, "Hocuspocus": (*ward).hClient} {
			t.Run(tt.name+" by "+name, func(t *testing.T) {
				inWard(t, func(w *ward) {
					c := connect(w, write(chen)) // in sync
					if tt.due {
						c.send(ysync.Message{Kind: ysync.Sync, Step: ysync.Step1, Data: crdt.StateVector{}.Encode()})
					}
					c.sendRaw(make([]byte, tt.size))
					synctest.Wait()
					if got := c.closeCode(); got != tt.code {
						t.Errorf("close code %d, want %d", got, tt.code)
					}
				})
			})
		}
	}
}

// TestRepeatedTextIsNotMeasuredAgain: a provider that comes back says what it queued while it was away, and then all of
// it once more in its Step2, with the last of it. The note takes what is new.
func TestRepeatedTextIsNotMeasuredAgain(t *testing.T) {
	inWard(t, func(w *ward) {
		c := w.hClient(write(chen))
		c.send(ysync.Message{Kind: ysync.Sync, Step: ysync.Step1, Data: crdt.StateVector{}.Encode()})
		parts := texts(7, 250<<10) // more than half of what a note may have
		for _, u := range parts[:6] {
			c.update(u)
		}
		all, err := crdt.MergeUpdates(parts)
		if err != nil {
			t.Fatal(err)
		}
		c.step2(all)
		if got := c.answers(); got != "11111111" || c.closeCode() != 0 {
			t.Errorf("answers %q", got)
		}
	}, hurried())
}
