package sessions_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/ysync"
	"github.com/clisonix/tidechart/sessions"
)

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
			})
		})
	}
}

// TestRepetitionIsAnsweredAndNotStored: what the note has already is a success that costs no row, and an update
// that repeats in part is stored without the part.
func TestRepetitionIsAnsweredAndNotStored(t *testing.T) {
	inWard(t, func(w *ward) {
		c := w.hClient(write(chen))
		before := len(c.answers())
		c.update(insert(1, 0, "ab"))
		c.update(insert(1, 0, "ab"))
		c.update(insert(1, 0, "abcd"))
		if got := c.answers()[before:]; got != "111" {
			t.Errorf("answers %q, want three", got)
		}
		rows := w.store.Rows(note)
		if len(rows) != 3 || bytes.Contains(rows[2].Update, []byte("ab")) || !bytes.Contains(rows[2].Update, []byte("cd")) {
			t.Errorf("log has %d rows, the last % x", len(rows), rows[len(rows)-1].Update)
		}
	})
}

// TestRefusalsConcernTheirSenderAlone is I6: each is a clear close code to who sent it, and nothing to others.
func TestRefusalsConcernTheirSenderAlone(t *testing.T) {
	tests := []struct {
		name string
		do   func(c *client)
		code int
	}{
		{"a frame that is cut short", func(c *client) { c.sendRaw([]byte{0}) }, 4400},
		{"a frame that is empty", func(c *client) { c.sendRaw(nil) }, 4400},
		{"an update that is not one", func(c *client) { c.update([]byte("not an update")) }, 4400},
		{"an update with something after it", func(c *client) { c.update(append(insert(1, 0, "a"), 7)) }, 4400},
		{"a state vector that is not one", func(c *client) {
			c.send(ysync.Message{Kind: ysync.Sync, Step: ysync.Step1, Data: []byte{200}})
		}, 4400},
		{"an update after a gap", func(c *client) { c.update(insert(1, 5, "late")) }, 4205},
		{"an update that builds on what is not there", func(c *client) { c.update([]byte{1, 1, 3, 0, 0x84, 77, 9, 1, 'x', 0}) }, 4205},
		{"a deletion of what is not there", func(c *client) { c.update([]byte{0, 1, 77, 1, 0, 4}) }, 4205},
		{"two structs that hang on each other", func(c *client) {
			c.update([]byte{2, 1, 21, 0, 0x84, 20, 0, 1, 'a', 1, 20, 0, 0x84, 21, 0, 1, 'b', 0})
		}, 4205},
		{"elements 65 deep", func(c *client) { c.update(nested(1, 65)) }, 4205},
		{"elements 64 deep, and then one more", func(c *client) {
			c.update(nested(1, 64))
			c.update([]byte{1, 1, 1, 64, 7, 0, 1, 63, 3, 1, 'p', 0})
		}, 4205},
	}
	for _, protocol := range []string{"y-websocket", "hocuspocus"} {
		for _, tt := range tests {
			t.Run(protocol+"/"+tt.name, func(t *testing.T) {
				inWard(t, func(w *ward) {
					honest := w.yClient(write(rivera))
					bad := w.yClient(write(chen))
					if protocol == "hocuspocus" {
						bad = w.hClient(write(chen))
					}
					tt.do(bad)
					if got := bad.closeCode(); got != tt.code {
						t.Errorf("close code %d, want %d", got, tt.code)
					}
					honest.update(insert(2, 0, "fine"))
					if us := honest.updates(); len(us) != 1 && !strings.Contains(tt.name, "and then") || honest.closeCode() != 0 {
						t.Errorf("the honest peer saw %d updates", len(us))
					}
					if rows := w.store.Rows(note); len(rows) != 2 && !strings.Contains(tt.name, "and then") {
						t.Errorf("log has %d rows, want 2", len(rows))
					}
				})
			})
		}
	}
}

// nested is the update by which client puts n elements into one another.
func nested(client byte, n int) []byte {
	u := []byte{1, byte(n), client, 0, 7, 1, 7, 'd', 'e', 'f', 'a', 'u', 'l', 't', 3, 1, 'p'}
	for i := 1; i < n; i++ {
		u = append(u, 7, 0, client, byte(i-1), 3, 1, 'p')
	}
	return append(u, 0)
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

// TestUnsavedEditsAreBounded: while the log takes nothing, peers are told to come back rather than hoarded.
func TestUnsavedEditsAreBounded(t *testing.T) {
	inWard(t, func(w *ward) {
		gate := make(chan struct{})
		w.store.Fault = func(before bool) error {
			if before {
				<-gate
			}
			return nil
		}
		taken := 0
		for client := byte(1); client <= 3; client++ { // who comes back finds no more room
			c := w.hClient(write(chen))
			for clock := uint64(0); clock < 40; clock++ {
				c.update(blob(client, byte(clock), 1<<20-100))
				if got := c.closeCode(); got != 0 {
					if got != 1013 {
						t.Errorf("close code %d, want 1013", got)
					}
					break
				}
				taken++
			}
		}
		if taken < 60 || taken > 64 {
			t.Errorf("%d of 120 megabytes were taken, want 64 or a little less", taken)
		}
		close(gate)
		synctest.Wait()
		late := w.hClient(write(chen))
		late.update(insert(101, 0, "x"))
		if got := late.answers(); !strings.HasSuffix(got, "1") || late.closeCode() != 0 {
			t.Errorf("after the log took them: answers %q", got)
		}
	})
}

// blob is an update by which client, at clock, inserts n bytes.
func blob(client, clock byte, n int) []byte {
	u := []byte{1, 1, client, clock, 3, 1, 1, 'a'}
	for v := n; ; v >>= 7 {
		if v < 128 {
			u = append(u, byte(v))
			break
		}
		u = append(u, byte(v)|128)
	}
	return append(append(u, make([]byte, n)...), 0)
}

// TestReadersWriteNothing: updates of a reader are refused; a Step2 that holds nothing new is fine.
func TestReadersWriteNothing(t *testing.T) {
	inWard(t, func(w *ward) {
		h, y := w.hClient(read(chen)), w.yClient(read(rivera))
		if got := h.answers(); got != "1" {
			t.Errorf("answers to an empty Step2: %q, want 1", got)
		}
		h.update(insert(1, 0, "no"))
		h.send(ysync.Message{Kind: ysync.Sync, Step: ysync.Step1, Data: crdt.StateVector{}.Encode()})
		h.step2(insert(1, 0, "no"))
		y.update(insert(2, 0, "no"))
		if got := h.answers(); got != "100" {
			t.Errorf("answers %q, want 100", got)
		}
		if h.closeCode() != 0 || y.closeCode() != 0 {
			t.Error("a reader was cut off")
		}
		if rows := w.store.Rows(note); len(rows) != 1 {
			t.Errorf("log has %d rows, want 1", len(rows))
		}
	})
}

// TestSignedNoteRefuses: what the log does not take is refused, and later edits with it.
func TestSignedNoteRefuses(t *testing.T) {
	inWard(t, func(w *ward) {
		h, watcher := w.hClient(write(chen)), w.yClient(read(rivera))
		w.store.Sign(note)
		h.update(insert(1, 0, "late"))
		if got := h.answers(); got != "10" {
			t.Errorf("answers %q, want 10", got)
		}
		if got := h.closeCode(); got != 1012 { // the note is loaded anew, as it is now
			t.Errorf("close code %d, want 1012", got)
		}
		if n := len(watcher.updates()); n != 0 {
			t.Errorf("%d updates seen", n)
		}
	})
}

// TestNobodyWritesAsAnother is I3: a client id is its first writer's, and a clock is taken once.
func TestNobodyWritesAsAnother(t *testing.T) {
	tests := []struct {
		name   string
		update []byte
	}{
		{"the next clock of a colleague's client", insert(2, 2, "x")},
		{"the colleague's clocks and more, with the same text", insert(2, 0, "okx")},
		{"other text under clocks of one's own", insert(1, 0, "no")},
		{"other text under a colleague's clocks", insert(2, 0, "no")},
		{"collected clocks of a colleague's client", []byte{1, 1, 2, 2, 0, 100, 0}},
		{"one's own and a colleague's", []byte{2, 1, 2, 2, 0x84, 2, 1, 1, 'x', 1, 1, 2, 0x84, 1, 1, 1, 'x', 0}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inWard(t, func(w *ward) {
				forger, honest := w.hClient(write(chen)), w.yClient(write(rivera))
				forger.update(insert(1, 0, "me"))
				honest.update(insert(2, 0, "ok"))
				forger.update(tt.update)
				if got := forger.closeCode(); got != 4205 {
					t.Errorf("close code %d, want 4205", got)
				}
				if got := forger.answers(); got != "110" {
					t.Errorf("answers %q, want 110", got)
				}
				if rows := len(w.store.Rows(note)); rows != 3 {
					t.Errorf("log has %d rows, want 3", rows)
				}
				honest.update(insert(2, 2, "!"))
				if got := honest.text(); honest.closeCode() != 0 || len(got) != len("startmeok!") {
					t.Errorf("the honest peer reads %q", got)
				}
			})
		})
	}
}

// TestPeopleKeepTheirClients: who reconnects goes on under the same id, even while their last edit is on its way,
// and may say again what is there.
func TestPeopleKeepTheirClients(t *testing.T) {
	inWard(t, func(w *ward) {
		gate := make(chan struct{})
		first := w.hClient(write(chen))
		first.update(insert(1, 0, "ab"))
		w.store.Fault = func(before bool) error {
			if before {
				<-gate
			}
			return nil
		}
		first.update(insert(1, 2, "cd"))
		first.leave()
		second := w.hClient(write(chen))
		second.update(insert(1, 0, "abcd")) // waits for the commit, to be compared
		second.update(insert(1, 4, "ef"))
		third := w.hClient(write(chen))
		third.update(insert(1, 2, "XX")) // as another tab with the same id would
		close(gate)
		if got := second.answers(); got != "111" || second.closeCode() != 0 {
			t.Errorf("answers %q, want 111", got)
		}
		if got := third.closeCode(); got != 4205 {
			t.Errorf("close code of the fork %d, want 4205", got)
		}
		if got := w.yClient(read(rivera)).text(); len(got) != len("startabcdef") || strings.Contains(got, "X") {
			t.Errorf("text %q", got)
		}
		if rows := len(w.store.Rows(note)); rows != 4 {
			t.Errorf("log has %d rows, want 4", rows)
		}
	})
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
				time.Sleep(time.Second / 2) // a slow peer has ten seconds for each frame
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
	})
}

// TestDeadPeerIsCutOff: one that never reads again is let go of.
func TestDeadPeerIsCutOff(t *testing.T) {
	inWard(t, func(w *ward) {
		dead, sender := w.yClient(read(rivera)), w.yClient(write(chen))
		synctest.Wait()
		dead.reading(false)
		sender.update(insert(1, 0, "x"))
		time.Sleep(11 * time.Second)
		select {
		case <-dead.ended:
		default:
			t.Error("still connected")
		}
	})
}

// here is a relative position as Yjs writes it.
const here = `{"type":null,"tname":"default","item":{"client":9,"clock":3},"assoc":0}`

// TestPresence: who somebody is comes from their login, for one client, until they leave.
func TestPresence(t *testing.T) {
	inWard(t, func(w *ward) {
		a, b := w.yClient(write(chen)), w.hClient(write(rivera))
		a.send(announce(1, 1, `{"user":{"name":"Somebody Else","color":"red"},"cursor":{"anchor":`+here+`,"head":`+here+`},"extra":true}`))
		b.send(announce(2, 1, `{"user":{"name":"Rosa"},"cursor":{"x":1}}`))
		wantA := `{"user":{"id":"` + chen.ID.String() + `","name":"Dr Mei Chen","role":"attending","color":"` + chen.Color + `","colorIndex":1},"cursor":{"anchor":` + here + `,"head":` + here + `}}`
		if got := b.people(); len(got) < 1 || got[0] != wantA {
			t.Errorf("shown: %q\nwant   %q", got, wantA)
		}
		if got := a.people(); !strings.Contains(strings.Join(got, ""), `Rivera RN","role":"nurse","color":"`+rivera.Color+`","colorIndex":2},"cursor":null`) {
			t.Errorf("a cursor that is none is shown: %q", got)
		}
		a.send(announce(2, 9, `{"user":{"name":"impostor"}}`)) // another's client
		a.send(announce(2, 9, `null`))
		a.send(announce(3, 1, `{}`)) // a second client of its own
		late := w.yClient(read(chen))
		if got := late.people(); len(got) != 2 || strings.Contains(strings.Join(got, ""), "impostor") {
			t.Errorf("shown to who comes late: %q", got)
		}
		a.leave()
		if got := late.people(); len(got) != 1 || !strings.Contains(got[0], rivera.Name) {
			t.Errorf("shown after one has left: %q", got)
		}
		back := w.yClient(write(chen))
		back.send(announce(1, 1, `{}`)) // with the clock it had
		if got := late.people(); len(got) != 2 {
			t.Errorf("shown after one is back: %q", got)
		}
		if now := w.hub.Present()[note]; len(now) != 2 || now[0].Author != chen || !now[0].CanWrite {
			t.Errorf("present: %+v", now)
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

// TestApply: a program's update takes a peer's way.
func TestApply(t *testing.T) {
	inWard(t, func(w *ward) {
		ctx, watcher := w.t.Context(), w.yClient(read(rivera))
		seq, err := w.hub.Apply(ctx, note, write(chen), insert(1, 0, "by program"))
		if seq != 2 || err != nil {
			t.Errorf("Apply = %d, %v", seq, err)
		}
		if seq, err := w.hub.Apply(ctx, note, write(chen), insert(1, 0, "by program")); seq != 2 || err != nil {
			t.Errorf("Apply again = %d, %v", seq, err)
		}
		if n := len(watcher.updates()); n != 1 {
			t.Errorf("%d updates seen, want 1", n)
		}
		for name, tt := range map[string]struct {
			note   sessions.NoteID
			grant  sessions.Grant
			update []byte
			err    error
		}{
			"a reader's":      {note, read(chen), insert(1, 10, "x"), sessions.ErrReadOnly},
			"after a gap":     {note, write(chen), insert(1, 50, "x"), sessions.ErrRefused},
			"no update":       {note, write(chen), []byte("x"), crdt.ErrMalformed},
			"an unknown note": {chen.ID, write(chen), insert(1, 0, "x"), sessions.ErrNoNote},
		} {
			if _, err := w.hub.Apply(ctx, tt.note, tt.grant, tt.update); !errors.Is(err, tt.err) {
				t.Errorf("%s: %v, want %v", name, err, tt.err)
			}
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
