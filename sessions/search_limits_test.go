package sessions_test

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/sessions"
	"github.com/clisonix/tidechart/sessions/storetest"
)

// apart types n characters into paragraph 0, each before the last, so that none of them go together.
func (p *page) apart(n int) []byte {
	return p.edit(func(tx *crdt.Txn, f *crdt.XMLFragment) {
		text := f.Children()[0].Value.(*crdt.XMLElement).Children()[0].Value.(*crdt.XMLText)
		for range n {
			text.Insert(tx, 0, "x")
		}
	})
}

// logged is a hub on a store whose note has a paragraph, its heading, and more rows of chen, none of them searched.
func logged(t *testing.T, rows func(first []byte) [][]byte) (*sessions.Hub, *storetest.MemStore) {
	t.Helper()
	first := newPage(t, 20).add("Stable.")
	store := &storetest.MemStore{}
	store.Add(note, rivera.ID, first)
	batch := sessions.Batch{ID: uuid.New(), Entries: []sessions.Entry{{Note: note, Author: rivera.ID, Update: newPage(t, 21, first).head(0, "Stable.")}}}
	for _, u := range rows(first) {
		batch.Entries = append(batch.Entries, sessions.Entry{Note: note, Author: chen.ID, Update: u})
	}
	if _, err := store.Append(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	return sessions.NewHub(store, slog.New(slog.DiscardHandler)), store
}

// TestSearchLimits: very much that is lost is told in part, or in turn, and a log that is too long not at all.
func TestSearchLimits(t *testing.T) {
	t.Run("pieces of one update", func(t *testing.T) {
		hub, _ := logged(t, func(first []byte) [][]byte { return [][]byte{newPage(t, 10, first).apart(1_001)} })
		defer hub.Close(t.Context())
		if losses := lost(t, hub, sessions.LossQuery{}); len(losses) != 1 || losses[0].Words != strings.Repeat("x", 1_000) {
			t.Errorf("lost %d", len(losses))
		}
	})
	t.Run("pieces of one search", func(t *testing.T) {
		hub, store := logged(t, func(first []byte) (rows [][]byte) {
			for id := range crdt.ClientID(11) {
				rows = append(rows, newPage(t, 30+id, append(rows, first)...).apart(1_000))
			}
			return rows
		})
		defer hub.Close(t.Context())
		for i, want := range []int{10, 11, 11} {
			if losses := lost(t, hub, sessions.LossQuery{}); len(losses) != want {
				t.Errorf("asked %d times: %d losses, want %d", i+1, len(losses), want)
			}
		}
		if head, seq, err := store.Searched(t.Context(), note); err != nil || seq != head {
			t.Errorf("searched up to %d of %d, %v", seq, head, err)
		}
	})
	t.Run("a long log", func(t *testing.T) {
		hub, store := logged(t, func(first []byte) (rows [][]byte) {
			long := newPage(t, 11, first).put(0, 0, strings.Repeat("x", 1<<20))
			for range 257 { // one update again and again takes memory once
				rows = append(rows, long)
			}
			return rows
		})
		defer hub.Close(t.Context())
		if losses := lost(t, hub, sessions.LossQuery{}); len(losses) != 0 {
			t.Errorf("%d losses of a log that is too long", len(losses))
		}
		if _, seq, err := store.Searched(t.Context(), note); err != nil || seq != 0 {
			t.Errorf("searched up to %d, %v", seq, err)
		}
	})
}
