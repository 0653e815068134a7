package sessions_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/ysync"
	"github.com/clisonix/tidechart/sessions"
)

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
		again := insert(1, 0, "abcd")
		c.update(append(again[:len(again)-1], 1, 1, 1, 0, 2)) // the same text, and its first two characters deleted
		if rows := w.store.Rows(note); len(rows) != 4 || bytes.Contains(rows[3].Update, []byte("ab")) {
			t.Errorf("log has %d rows, the last % x; want the deletion alone", len(rows), rows[len(rows)-1].Update)
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
		{"an element between another and itself", func(c *client) { c.update(inverted) }, 4205},
		{"the same, and then for those who have the text", func(c *client) {
			c.update(insert(1, 0, "abcd"))
			c.update(between(3, 1, 2, 1))
		}, 4205},
		{"elements 65 deep", func(c *client) { c.update(nested(1, 65)) }, 4413},
		{"elements 64 deep, and then one more", func(c *client) {
			c.update(nested(1, 64))
			c.update(append(append([]byte{1, 1, 1, 64, 7, 0, 1, 63}, blockquote...), 0))
		}, 4413},
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

// between is the update by which client writes "x" whose origin and right origin are two clocks of another client.
func between(client, of, origin, right byte) []byte {
	return []byte{1, 1, client, 0, 0xc4, of, origin, of, right, 1, 'x', 0}
}

// inverted is that with a text in which a right origin stands before the origin, as Yjs's undo may have it.
var inverted, _ = crdt.MergeUpdates([][]byte{insert(1, 0, "abcd"), between(3, 1, 2, 1)})

// TestInvertedElementsAreTaken: only where replicas would not agree on the place of an element it is refused. At the beginning of a text
// they do, and between different people's; and what is in the log already is sent again.
func TestInvertedElementsAreTaken(t *testing.T) {
	inWard(t, func(w *ward) {
		row, err := crdt.MergeUpdates([][]byte{insert(7, 0, "abcd"), between(8, 7, 2, 1)})
		if err != nil {
			t.Fatal(err)
		}
		w.store.Add(note, chen.ID, row) // of the time when that was not refused
		c, honest := w.yClient(write(chen)), w.yClient(write(rivera))
		c.update(insert(1, 0, "abcd"))
		c.update(between(2, 1, 2, 0))
		honest.update(insert(4, 0, "e"))
		c.update(between(5, 4, 0, 0))
		c.update(row)
		for _, who := range []*client{c, honest} {
			if code := who.closeCode(); code != 0 {
				t.Errorf("close code %d", code)
			}
		}
		if rows := w.store.Rows(note); len(rows) != 5 {
			t.Errorf("log has %d rows, want 5", len(rows))
		}
	})
}

// TestInvertedElementsInABatch: what such an element stands in may be in the batch that is being made, and not in the document yet.
func TestInvertedElementsInABatch(t *testing.T) {
	inWard(t, func(w *ward) {
		gate := make(chan struct{})
		w.store.Fault = func(before bool) error {
			if before {
				<-gate
			}
			return nil
		}
		c, honest := w.hClient(write(chen)), w.yClient(write(rivera))
		honest.update(insert(4, 0, "first")) // what comes now is one batch
		honest.update(insert(1, 0, "abcd"))
		honest.update([]byte{1, 1, 1, 4, 0xc4, 1, 0, 1, 1, 2, 'e', 'f', 0})
		c.update(between(2, 1, 5, 4)) // everybody agrees on this
		c.update(between(3, 1, 2, 1))
		honest.update(insert(4, 5, "last"))
		close(gate)
		if code := c.closeCode(); code != 4205 {
			t.Errorf("close code %d, want 4205", code)
		}
		if rows := w.store.Rows(note); len(rows) != 6 || honest.closeCode() != 0 {
			t.Errorf("log has %d rows, want 6", len(rows))
		}
	})
}

// blockquote is the content of a struct: an element of that name.
var blockquote = append([]byte{3, 10}, "blockquote"...)

// nested is the update by which client puts n elements into one another.
func nested(client byte, n int) []byte {
	u := append([]byte{1, byte(n), client, 0, 7, 1, 7, 'd', 'e', 'f', 'a', 'u', 'l', 't'}, blockquote...)
	for i := 1; i < n; i++ {
		u = append(append(u, 7, 0, client, byte(i-1)), blockquote...)
	}
	return append(u, 0)
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
			for range 40 { // one and the same: the note itself has a bound too
				c.update(bulk(client, 0, 1<<20-100))
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
	}, hurried())
}

// bulk is an update by which client, from clock on, inserts n bytes that are no text, an eighth in each of eight
// structs.
func bulk(client, clock byte, n int) []byte {
	u := []byte{1, 8, client, clock}
	for range 8 {
		u = append(u, 3, 1, 1, 'a')
		u = binary.AppendUvarint(u, uint64(n/8))
		u = append(u, make([]byte, n/8)...)
	}
	return append(u, 0)
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

// TestSignedNoteRefuses whom it cannot ask whether they may still write: their edit is neither in the note nor said to be, and they come back.
func TestSignedNoteRefuses(t *testing.T) {
	inWard(t, func(w *ward) {
		h, watcher := w.hClient(write(chen)), w.yClient(read(rivera))
		w.store.Sign(note)
		h.update(insert(1, 0, "late"))
		if got := h.answers(); got != "10" {
			t.Errorf("answers %q, want 10", got)
		}
		if got := h.closeCode(); got != 1013 {
			t.Errorf("close code %d, want 1013", got)
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
				if got := w.store.Forged(); len(got) != 1 || got[0].Author != chen.ID || got[0].Why != "forged" || got[0].Updates != 1 || got[0].Note != note || got[0].Participation == (sessions.Forgery{}).Participation {
					t.Errorf("on record is %+v", got)
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
