package sessions_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/ysync"
	"github.com/clisonix/tidechart/sessions"
)

// TestAnswersAfterReconnectWaitForStep2: a provider forgets its count at Step1, so that an early answer would
// say "saved" of what is still on its way.
func TestAnswersAfterReconnectWaitForStep2(t *testing.T) {
	inWard(t, func(w *ward) {
		c := w.hClient(write(chen))
		before := len(c.answers())
		c.send(ysync.Message{Kind: ysync.Sync, Step: ysync.Step1, Data: crdt.StateVector{}.Encode()})
		c.update(insert(1, 0, "a"))
		c.update(insert(1, 1, "b"))
		if got := c.answers()[before:]; got != "" {
			t.Errorf("answers %q before Step2", got)
		}
		c.step2(insert(1, 0, "ab"))
		if got := c.answers()[before:]; got != "111" {
			t.Errorf("answers %q after Step2, want three", got)
		}
		c.update(insert(1, 2, "c"))
		if got := c.answers()[before:]; got != "1111" {
			t.Errorf("answers %q after one more update, want four", got)
		}
	})
}

// TestQueuedEditsBuildOnLostOnes: a provider flushes its queue before its Step2; what in it builds on edits that
// died with the last connection waits for the Step2, however much it is.
func TestQueuedEditsBuildOnLostOnes(t *testing.T) {
	for _, queued := range []int{3, 700} {
		t.Run(fmt.Sprintf("queued=%d", queued), func(t *testing.T) {
			inWard(t, func(w *ward) {
				c := w.hClient(write(chen))
				before := len(c.answers())
				c.send(ysync.Message{Kind: ysync.Sync, Step: ysync.Step1, Data: crdt.StateVector{}.Encode()})
				for i := range queued {
					c.update(insert2(1, 2+i, "x"))
				}
				if got := c.answers()[before:]; got != "" || c.closeCode() != 0 {
					t.Fatalf("answers %q before Step2", got)
				}
				all := [][]byte{insert(1, 0, "ab")}
				for i := range queued {
					all = append(all, insert2(1, 2+i, "x"))
				}
				step2, err := crdt.MergeUpdates(all)
				if err != nil {
					t.Fatal(err)
				}
				c.step2(step2)
				if got := c.answers()[before:]; got != strings.Repeat("1", queued+1) || c.closeCode() != 0 {
					t.Errorf("%d answers, want %d", len(got), queued+1)
				}
				if rows := len(w.store.Rows(note)); rows != 2 {
					t.Errorf("log has %d rows, want 2", rows)
				}
			}, hurried())
		})
	}
}

// TestDeniedDocumentLeavesTheOthers: what a provider goes on sending for it is discarded, updates refused.
func TestDeniedDocumentLeavesTheOthers(t *testing.T) {
	inWard(t, func(w *ward) {
		c := w.hClient(write(chen))
		granted := c.key
		c.key = rivera.ID.String() // no such note
		c.send(ysync.Message{Kind: ysync.Auth, Auth: ysync.Token})
		for i := range 400 {
			c.send(announce(5, uint64(i), `{}`))
		}
		before := len(c.answers())
		c.update(insert(1, 0, "no"))
		if got := c.answers()[before:]; got != "0" {
			t.Errorf("answers %q, want 0", got)
		}
		c.key = granted
		c.update(insert(1, 0, "yes"))
		if got := c.answers()[before:]; got != "01" || c.closeCode() != 0 {
			t.Errorf("answers %q, want 01", got)
		}
	})
}

// TestUngrantedSocketEnds: a token that is refused buys no time.
func TestUngrantedSocketEnds(t *testing.T) {
	inWard(t, func(w *ward) {
		c := w.connect(note.String(), func(conn sessions.Conn) error {
			return w.hub.ServeHocuspocus(w.t.Context(), conn, func(context.Context, sessions.NoteID, string) (sessions.Grant, error) {
				return sessions.Grant{}, sessions.ErrUnauthenticated
			})
		})
		c.send(ysync.Message{Kind: ysync.Auth, Auth: ysync.Token, Text: "wrong"})
		if c.closeCode() != 0 {
			t.Error("cut off at once: other documents may be open")
		}
		time.Sleep(11 * time.Second)
		if got := c.closeCode(); got != 4401 {
			t.Errorf("close code %d, want 4401", got)
		}
	})
}

// TestEmptySocketEnds: who has closed all that they had open takes no connection's place for longer than who has asked for
// nothing yet; whoever asks for something else in time goes on.
func TestEmptySocketEnds(t *testing.T) {
	second := note.String() + "\x00second" // as two providers on one socket name a note
	ask, end := ysync.Message{Kind: ysync.Auth, Auth: ysync.Token}, ysync.Message{Kind: ysync.Close}
	for name, tt := range map[string]struct {
		do   func(c *client)
		code int
	}{
		"closed":      {func(c *client) { c.sendAs(note.String(), end) }, 4401},
		"one of two":  {func(c *client) { c.sendAs(second, ask); c.sendAs(note.String(), end) }, 0},
		"both of two": {func(c *client) { c.sendAs(second, ask); c.sendAs(note.String(), end); c.sendAs(second, end) }, 4401},
		"and opened": {func(c *client) {
			c.sendAs(note.String(), end)
			time.Sleep(3 * time.Second)
			c.sendAs(note.String(), ask)
		}, 0},
		"never had open": {func(c *client) { c.sendAs(second, end) }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			inWard(t, func(w *ward) {
				c := w.hClient(write(chen))
				time.Sleep(time.Minute)
				tt.do(c)
				time.Sleep(11 * time.Second)
				if got := c.closeCode(); got != tt.code {
					t.Errorf("close code %d, want %d", got, tt.code)
				}
				if n := len(w.hub.Present()[note]); n != map[int]int{0: 1, 4401: 0}[tt.code] {
					t.Errorf("%d people are at the note", n)
				}
			})
		})
	}
}

// sendAs sends a message about a document.
func (c *client) sendAs(key string, m ysync.Message) {
	c.sendRaw(ysync.AppendEnvelope(nil, ysync.Envelope{Key: key, Message: m}))
}

// TestTokenSentAgain: with the same rights it changes nothing, with others the peer joins anew.
func TestTokenSentAgain(t *testing.T) {
	for _, tt := range []struct {
		name  string
		again sessions.Grant
		code  int
	}{
		{"the same", write(chen), 0},
		{"fewer rights", read(chen), 4205},
		{"somebody else", write(rivera), 4205},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inWard(t, func(w *ward) {
				grants := []sessions.Grant{write(chen), tt.again}
				c := w.connect(note.String(), func(conn sessions.Conn) error {
					return w.hub.ServeHocuspocus(w.t.Context(), conn, func(context.Context, sessions.NoteID, string) (g sessions.Grant, err error) {
						g, grants = grants[0], grants[1:]
						return g, nil
					})
				})
				c.send(ysync.Message{Kind: ysync.Auth, Auth: ysync.Token})
				c.send(ysync.Message{Kind: ysync.Auth, Auth: ysync.Token})
				if got := c.closeCode(); got != tt.code {
					t.Errorf("close code %d, want %d", got, tt.code)
				}
			})
		})
	}
}

// TestSlowPeerIsCaughtUp: a peer that does not read costs nobody anything, loses nothing, and needs one update
// to catch up, deletions included.
func TestSlowPeerIsCaughtUp(t *testing.T) {
	inWard(t, func(w *ward) {
		slow, sender := w.yClient(read(rivera)), w.yClient(write(chen))
		synctest.Wait()
		slow.reading(false)
		const n = 1000 // more than an outbox holds
		for i := range n {
			sender.update(insert2(1, i, "x"))
			if i%100 == 99 {
				time.Sleep(time.Second / 4) // a slow peer has five seconds for each frame
			}
		}
		sender.update([]byte{0, 1, 1, 1, 3, 2}) // deletes clocks 3 and 4
		slow.reading(true)
		if got, want := slow.text(), sender.text(); got != want || len(got) != len("start")+n-2 {
			t.Errorf("slow peer has %d characters, the sender %d", len(got), len(want))
		}
		if got := len(slow.updates()); got > 600 {
			t.Errorf("slow peer was sent %d updates", got)
		}
	}, hurried())
}

// TestDeadPeerIsCutOff: one that never reads again is let go of.
func TestDeadPeerIsCutOff(t *testing.T) {
	inWard(t, func(w *ward) {
		dead, sender := w.yClient(read(rivera)), w.yClient(write(chen))
		synctest.Wait()
		dead.reading(false)
		sender.update(insert(1, 0, "x"))
		time.Sleep(6 * time.Second)
		select {
		case <-dead.ended:
		default:
			t.Error("still connected")
		}
	})
}

// TestQuietSocketsAreKeptAlive: providers reconnect when they hear nothing for 30 seconds; pings do not count.
func TestQuietSocketsAreKeptAlive(t *testing.T) {
	inWard(t, func(w *ward) {
		clients := []*client{w.yClient(write(chen)), w.hClient(write(chen))}
		for range 5 {
			counts := make([]int, len(clients))
			for i, c := range clients {
				counts[i] = len(c.messages())
			}
			time.Sleep(25 * time.Second)
			for i, c := range clients {
				if len(c.messages()) == counts[i] {
					t.Errorf("client %d heard nothing for 25 seconds", i)
				}
			}
		}
	})
}

// TestLoginExpires: the grant of a socket ends when the login does (I9).
func TestLoginExpires(t *testing.T) {
	inWard(t, func(w *ward) {
		grant := write(chen)
		grant.Until = time.Now().Add(time.Hour)
		c := w.yClient(grant)
		time.Sleep(59 * time.Minute)
		if c.closeCode() != 0 {
			t.Error("cut off too early")
		}
		time.Sleep(2 * time.Minute)
		if got := c.closeCode(); got != 4401 {
			t.Errorf("close code %d, want 4401", got)
		}
	})
}

// TestLoginInUseGoesOn: when a grant should end, it is asked whether somebody is still there (I9).
func TestLoginInUseGoesOn(t *testing.T) {
	inWard(t, func(w *ward) {
		var until, asked atomic.Int64 // seconds since 1970; times
		until.Store(time.Now().Add(15 * time.Minute).Unix())
		grant := sessions.Grant{Author: chen, Until: time.Unix(until.Load(), 0), Renew: func(context.Context) (sessions.Grant, error) {
			asked.Add(1)
			g := write(chen)
			if g.Until = time.Unix(until.Load(), 0); !time.Now().Before(g.Until) {
				return sessions.Grant{}, sessions.ErrUnauthenticated
			}
			return g, nil
		}}
		clients := []*client{w.yClient(grant), w.hClient(grant)}
		time.Sleep(14 * time.Minute)
		until.Add(14 * 60) // input
		time.Sleep(14 * time.Minute)
		for i, c := range clients {
			if c.closeCode() != 0 || asked.Load() != 2 {
				t.Errorf("client %d in use: close code %d; asked %d times, want once for each", i, c.closeCode(), asked.Load())
			}
		}
		time.Sleep(2 * time.Minute)
		for i, c := range clients {
			if got := c.closeCode(); got != 4401 {
				t.Errorf("client %d unused: close code %d, want 4401", i, got)
			}
		}
		before := asked.Load()
		time.Sleep(time.Hour)
		if n := asked.Load() - before; n != 0 {
			t.Errorf("asked %d times about sockets that are gone", n)
		}
	})
}
