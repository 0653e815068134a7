package sessions_test

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/ysync"
	"github.com/clisonix/tidechart/sessions"
	"github.com/clisonix/tidechart/sessions/storetest"
)

// TestUpdateLimits: what is at a limit is taken; one more is refused whole, and concerns its sender alone.
func TestUpdateLimits(t *testing.T) {
	for _, tt := range []struct {
		name   string
		before [][]byte // what the note holds already, by another client of the same person
		update func(more int) []byte
		code   int
	}{
		{"structs", nil, func(more int) []byte { return structs(1, 10_000+more) }, 4413},
		{"deletions", [][]byte{long(3, "t", 20_010)}, func(more int) []byte { return holes(3, 10_000+more) }, 4413},
		{"clocks of one update", nil, func(more int) []byte { return collected(1, 0, 4<<20+more) }, 4413},
		{"clocks of one client", hundredMillionLess(2, 5), func(more int) []byte { return collected(2, 100_000_000-5, 5+more) }, 4413},
		{"length of a text", nil, func(more int) []byte { return long(1, "t", 256<<10+more) }, 4413},
		{"length of a root's name", nil, func(more int) []byte { return long(1, strings.Repeat("n", 256<<10+more), 1) }, 4413},
		{"attributes of a node", nil, func(more int) []byte { return attributes(t, 1, 0, 32+more) }, 4413},
		{"attributes of a node that has some", [][]byte{attributes(t, 3, 0, 30)}, func(more int) []byte { return attributes(t, 4, 30, 2+more) }, 4413},
		{"elements in one another", nil, func(more int) []byte { return nested(1, 64+more) }, 4413},
		{"values in one another", nil, func(more int) []byte { return listed(1, 32+more) }, 4400},
		{"types that Yjs does not know", nil, func(more int) []byte { return typed(1, byte(6+more)) }, 4400},
		{"clients", [][]byte{clients(100, 6000), clients(6100, 3990)}, func(more int) []byte { return clients(100_000, 9+more) }, 4413},
		{"bytes of clients", [][]byte{clients(1<<52, 6000)}, func(more int) []byte { return clients(1<<52+6000, 1281+more) }, 4413},
		{"bytes of text", texts(7, 256<<10), func(more int) []byte { return long(1, "t", 256<<10-len("start")+more) }, 4413},
		{"bytes of a note", bulks(16), func(more int) []byte { return bulk(1, 0, 14_900+160*more) }, 4413},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inWard(t, func(w *ward) {
				honest, earlier := w.yClient(write(rivera)), w.hClient(write(chen))
				for i, u := range tt.before {
					if earlier.update(u); earlier.closeCode() != 0 || !strings.HasSuffix(earlier.answers(), "1") {
						t.Errorf("what comes before, part %d: refused", i)
					}
				}
				rows, before := len(w.store.Rows(note)), len(honest.updates())
				bad := w.hClient(write(chen))
				bad.update(tt.update(1))
				if code, answers := bad.closeCode(), bad.answers(); code != tt.code || strings.HasSuffix(answers[1:], "1") {
					t.Errorf("one over: close code %d, want %d; answers %q", code, tt.code, answers)
				}
				if got := len(w.store.Rows(note)); got != rows || len(honest.updates()) != before || honest.closeCode() != 0 {
					t.Errorf("one over: %d rows were stored, others saw %d updates", got-rows, len(honest.updates())-before)
				}
				good := w.hClient(write(chen))
				good.update(tt.update(0))
				if got := good.answers(); got != "11" || good.closeCode() != 0 {
					t.Errorf("at the limit: answers %q, want 11", got)
				}
				if got := len(w.store.Rows(note)); got != rows+1 {
					t.Errorf("at the limit: %d rows were stored, want 1", got-rows)
				}
			}, hurried())
		})
	}
}

// typed is an update that puts a shared type into the root t.
func typed(client, ref byte) []byte { return []byte{1, 1, client, 0, 7, 1, 1, 't', ref, 0} }

// TestKnownDeletionsDoNotCount: a Step2 names everything that was ever deleted.
func TestKnownDeletionsDoNotCount(t *testing.T) {
	inWard(t, func(w *ward) {
		c := w.hClient(write(chen))
		c.update(long(3, "t", 20_020))
		c.update(holes(3, 10_000))
		c.step2(holes(3, 10_008))
		if got := c.answers(); got != "1111" || c.closeCode() != 0 {
			t.Errorf("answers %q, want four", got)
		}
	})
}

// TestFullNoteCanBeShortened: deleting is always possible, and makes room.
func TestFullNoteCanBeShortened(t *testing.T) {
	inWard(t, func(w *ward) {
		c := w.hClient(write(chen))
		for _, u := range texts(8, 256<<10-1) {
			c.update(u)
		}
		c.update(long(1, "t", 4))
		if got := c.closeCode(); got != 4413 {
			t.Errorf("close code %d, want 4413", got)
		}
		c = w.hClient(write(chen))
		c.update([]byte{0, 1, 101, 1, 0, 100}) // of client 101 the first hundred
		time.Sleep(2 * time.Second)
		c.update(long(1, "t", 4))
		if got := c.answers(); got != "111" || c.closeCode() != 0 {
			t.Errorf("answers %q, want three", got)
		}
	}, hurried())
}

// TestStateVectorLimit: nobody asks with a longer one than the note's could be.
func TestStateVectorLimit(t *testing.T) {
	inWard(t, func(w *ward) {
		sv := crdt.StateVector{}
		for i := range 20_000 {
			sv[1<<52+crdt.ClientID(i)] = 1
		}
		c := w.hClient(write(chen))
		c.send(ysync.Message{Kind: ysync.Sync, Step: ysync.Step1, Data: sv.Encode()})
		if got := c.closeCode(); got != 4413 {
			t.Errorf("close code %d, want 4413", got)
		}
	})
}

// TestApplyHasLimits: a program's updates are bounded like a peer's.
func TestApplyHasLimits(t *testing.T) {
	inWard(t, func(w *ward) {
		if _, err := w.hub.Apply(w.t.Context(), note, write(chen), structs(1, 10_001)); err == nil || !strings.Contains(err.Error(), "10000 structs") {
			t.Errorf("Apply = %v", err)
		}
	})
}

// TestLargeStatesAreNotShown: of presence.
func TestLargeStatesAreNotShown(t *testing.T) {
	inWard(t, func(w *ward) {
		watcher, c := w.yClient(read(rivera)), w.yClient(write(chen))
		c.send(announce(1, 1, `{"x":"`+strings.Repeat("x", 4<<10-7)+`"}`))
		if n := len(watcher.people()); n != 0 || c.closeCode() != 0 {
			t.Errorf("%d people are shown by a state of 4097 bytes", n)
		}
		c.send(announce(1, 2, `{"x":"`+strings.Repeat("x", 4<<10-8)+`"}`))
		if n := len(watcher.people()); n != 1 {
			t.Errorf("%d people are shown by a state of 4096 bytes, want 1", n)
		}
	})
}

// TestConnectionLimits: who is one too many is told to come back, and may when somebody leaves.
func TestConnectionLimits(t *testing.T) {
	person := func(i int) sessions.Author {
		a := chen
		a.ID[0], a.ID[1] = byte(i), byte(i>>8)
		return a
	}
	for _, tt := range []struct {
		name string
		most int
		who  func(i int) sessions.Author
		with sessions.Allowance
	}{
		{"of a person to a note", 10, func(int) sessions.Author { return chen }, sessions.DefaultAllowance()},
		{"to a note", 100, person, sessions.DefaultAllowance()},
		{"to a node", 5, person, sessions.Allowance{UpdatesPerSecond: 1, BytesPerSecond: 1 << 20, ConnsPerPerson: 9, ConnsPerNote: 9, ConnsPerNode: 5}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inWard(t, func(w *ward) {
				var in []*client
				for i := range tt.most {
					in = append(in, w.yClient(write(tt.who(i))))
				}
				if got := w.yClient(write(tt.who(tt.most))).closeCode(); got != 1013 {
					t.Errorf("close code %d, want 1013", got)
				}
				for i, c := range in {
					if c.closeCode() != 0 {
						t.Errorf("connection %d was ended", i)
					}
				}
				in[0].leave()
				if got := w.yClient(write(tt.who(tt.most))).closeCode(); got != 0 {
					t.Errorf("after one has left: close code %d", got)
				}
			}, sessions.WithAllowance(tt.with))
		})
	}
	if got := sessions.DefaultAllowance().ConnsPerNode; got != 20_000 {
		t.Errorf("%d connections to a node, want 20000", got)
	}
}

// The updates below are written by hand: the engine would merge what must stay apart.

func varint(u []byte, n int) []byte { return binary.AppendUvarint(u, uint64(n)) }

// structs is n characters of client, each by itself.
func structs(client byte, n int) []byte {
	u := append(varint([]byte{1}, n), client, 0, 4, 1, 1, 't', 1, 'x')
	for clock := 1; clock < n; clock++ {
		u = append(varint(append(u, 0x84, client), clock-1), 1, 'x')
	}
	return append(u, 0)
}

// long is n characters of client at the beginning of a root.
func long(client byte, root string, n int) []byte {
	u := append(varint([]byte{1, 1, client, 0, 4, 1}, len(root)), root...)
	return append(append(varint(u, n), strings.Repeat("x", n)...), 0)
}

// holes deletes every second character of client, n of them.
func holes(client byte, n int) []byte {
	u := varint([]byte{0, 1, client}, n)
	for i := range n {
		u = append(varint(u, 2*i), 1)
	}
	return u
}

// collected is n clocks of client, from clock on, of which nothing is left.
func collected(client byte, clock, n int) []byte {
	return append(varint(append(varint([]byte{1, 1, client}, clock), 0), n), 0)
}

// hundredMillionLess takes a client to its last clocks.
func hundredMillionLess(client byte, less int) [][]byte {
	var us [][]byte
	for i := range 99 {
		us = append(us, collected(client, i*1_000_000, 1_000_000))
	}
	return append(us, collected(client, 99_000_000, 1_000_000-less))
}

// attributes gives n attributes to the node that client 3 makes, or to one of client's own.
func attributes(t *testing.T, client crdt.ClientID, from, n int) []byte {
	b := crdt.NewBuilder(client)
	node := crdt.ID{Client: 3}
	if from == 0 {
		node = b.XMLText(crdt.Place{Root: "default"})
	}
	for i := range n {
		key := fmt.Sprintf("key-%d", from+i)
		b.Value(crdt.Place{Parent: &node, Key: &key}, i)
	}
	u, err := b.Update()
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// listed is a value in n lists, one in the other.
func listed(client byte, n int) []byte {
	u := []byte{1, 1, client, 0, 8, 1, 1, 'a', 1}
	for range n {
		u = append(u, 117, 1)
	}
	return append(u, 126, 0)
}

// clients is one clock of each of n clients.
func clients(first, n int) []byte {
	u := varint(nil, n)
	for i := range n {
		u = append(varint(append(u, 1), first+i), 0, 0, 1)
	}
	return append(u, 0)
}

// texts are n texts of a length, of the clients from 101 on.
func texts(n, length int) [][]byte {
	var us [][]byte
	for i := range n {
		us = append(us, long(byte(101+i), "t", length))
	}
	return us
}

// bulks are n megabytes, and a little less.
func bulks(n int) [][]byte {
	us := [][]byte{storetest.Empty()}
	for i := range n {
		us = append(us, bulk(byte(101+i), 0, 1<<20-1000))
	}
	return us
}
