package sessions_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/ysync"
	"github.com/clisonix/tidechart/sessions"
	"github.com/clisonix/tidechart/sessions/storetest"
)

// says has a client's editor say something of its text.
func (c *client) says(text string) { c.send(ysync.Message{Kind: ysync.Stateless, Text: text}) }

// TestMovesAreToldBeforeTheirEdit: what an editor says that an edit moved is stored before that edit is, as it was said, and again
// only if it is something else; what is no such thing, too much at once, or said by who may not write, is not.
func TestMovesAreToldBeforeTheirEdit(t *testing.T) {
	inWard(t, func(w *ward) {
		c, reader := w.hClient(write(chen)), w.hClient(sessions.Grant{Author: rivera, ReadOnly: true})
		reader.says(`{"type":"text","how":"moved","client":1,"moves":[[0,2,9,0]]}`)
		for _, nonsense := range []string{
			`{"type":"text","how":"moved","client":1}`, `{"type":"text","how":"moved","client":1,"moves":[[0,0,9,0]]}`,
			`{"type":"text","how":"moved","client":9007199254740993,"moves":[[0,2,9,0]]}`, `{"type":"text","how":"moved","client":1,"moves":[[0,2,9,100000001]]}`,
			`{"type":"text","how":"moved","client":1,"moves":[[0,2,9]],"said":1}`, `{"type":"text","how":"moved","client":1,"from":1,"to":2,"moves":[[0,2,9,0]]}`,
			`{"type":"text","how":"moved","client":1,"moves":[[0,1,9,0]` + strings.Repeat(`,[0,1,9,0]`, 500) + `]}`,
			`{"type":"text","how":"pasted","client":1,"from":0,"to":2,"moves":[[0,2,9,0]]}`,
		} {
			c.says(nonsense)
		}
		for range 2 {
			c.says(`{"type":"text","how":"moved","client":1,"moves":[[4,1,9,7],[0,2,9,3]]}`)
		}
		c.update(insert(1, 0, "ab"))
		c.says(`{"type":"text","how":"moved","client":1,"moves":[[5,1,9,0]]}`)
		told, err := w.store.Told(w.t.Context(), note, nil)
		if err != nil {
			w.t.Fatal(err)
		}
		want := fmt.Sprint([]sessions.Moved{
			{Person: chen.ID, After: 1, Copies: []crdt.Copy{
				{To: crdt.ID{Client: 1, Clock: 0}, From: crdt.ID{Client: 9, Clock: 3}, Len: 2},
				{To: crdt.ID{Client: 1, Clock: 4}, From: crdt.ID{Client: 9, Clock: 7}, Len: 1},
			}},
			{Person: chen.ID, After: 2, Copies: []crdt.Copy{{To: crdt.ID{Client: 1, Clock: 5}, From: crdt.ID{Client: 9}, Len: 1}}},
		})
		if got := fmt.Sprint(told.Moved); got != want || told.Head != 2 {
			w.t.Errorf("told %s of %d rows, want %s", got, told.Head, want)
		}
		if c.closeCode() != 0 || reader.closeCode() != 0 {
			w.t.Error("somebody was cut off for what they said")
		}
	})
}

// forgetful is a store that keeps nothing of what was moved.
type forgetful struct{ *storetest.MemStore }

func (forgetful) TellMoved(context.Context, sessions.NoteID, sessions.PersonID, []crdt.Copy) error {
	return errors.New("no room")
}

// TestMovesThatAreNotStoredComeAgain: if it cannot be stored what an edit moved, the edit is not stored either: its editor has to come back
// with both.
func TestMovesThatAreNotStoredComeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &storetest.MemStore{}
		store.Add(note, chen.ID, insert(9, 0, "start"))
		w := &ward{t: t, store: store, hub: sessions.NewHub(forgetful{store}, slog.New(slog.DiscardHandler))}
		c := w.hClient(write(chen))
		c.says(`{"type":"text","how":"moved","client":1,"moves":[[0,2,9,3]]}`)
		c.update(insert(1, 0, "ab"))
		if code := c.closeCode(); code != 1013 {
			t.Errorf("the socket ended with %d, want 1013", code)
		}
		if rows := len(store.Rows(note)); rows != 1 {
			t.Errorf("the log has %d rows, want 1", rows)
		}
		if err := w.hub.Close(t.Context()); err != nil {
			t.Error(err)
		}
		synctest.Wait()
	})
}
