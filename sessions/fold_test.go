package sessions_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/sessions"
	"github.com/clisonix/tidechart/sessions/history"
	"github.com/clisonix/tidechart/sessions/storetest"
)

// foldedWard is a hub at a note whose log is folded, up to and including text that was lost and moved, before anybody
// has searched it.
func foldedWard(t *testing.T) (*sessions.Hub, *careless) {
	t.Helper()
	store := &careless{MemStore: &storetest.MemStore{}}
	store.failing.Store(true)
	store.Add(note, chen.ID, insert(9, 0, "start"))
	hub := sessions.NewHub(store, slog.New(slog.DiscardHandler))
	apply := func(who sessions.Author, update []byte) {
		t.Helper()
		if _, err := hub.Apply(t.Context(), note, write(who), update); err != nil {
			t.Fatal(err)
		}
	}
	chens := newPage(t, 10)
	for range 10 {
		apply(chen, chens.add("Typed."))
	}
	riveras := newPage(t, 20)
	for _, row := range store.Rows(note)[1:] {
		riveras.take(row.Update)
	}
	apply(chen, chens.put(3, 0, "ANAPHYLAXIS"))
	for range 60 {
		apply(chen, chens.put(0, 0, "x"))
	}
	apply(rivera, riveras.head(3, "Typed."))
	for range 10 {
		apply(rivera, riveras.add("More."))
	}
	state, err := hub.State(t.Context(), note)
	if err != nil {
		t.Fatal(err)
	}
	if err := hub.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if err := store.SaveBase(t.Context(), note, uint64(len(store.Rows(note))), state); err != nil {
		t.Fatal(err)
	}
	if done, err := store.Fold(t.Context(), note, time.Now().Add(time.Minute)); err != nil || done.Bursts != 2 || done.Rows != 82 {
		t.Fatalf("folded %+v, %v", done, err)
	}
	store.failing.Store(false)
	return sessions.NewHub(store, slog.New(slog.DiscardHandler)), store
}

// TestFoldedLogsAreSearched: what was lost and who wrote what is found in a folded log as in any.
func TestFoldedLogsAreSearched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, store := foldedWard(t)
		losses := lost(t, hub, sessions.LossQuery{})
		if len(losses) != 1 || losses[0].Words != "ANAPHYLAXIS" || losses[0].Author != chen.ID || losses[0].By != rivera.ID || time.Since(losses[0].At) > time.Hour {
			t.Errorf("lost %+v", losses)
		}
		c, err := new(history.Pasts).Committed(t.Context(), store, note)
		if err != nil {
			t.Fatal(err)
		}
		heading := prose.Read(c.Doc.XMLFragment(sessions.Fragment)).Content[3]
		if heading.Type != "heading" || len(heading.Content) != 1 || c.Whose(heading.Content[0].Author) != chen.ID {
			t.Errorf("what was moved is %+v", heading)
		}
		if _, err := hub.Apply(t.Context(), note, write(chen), newPage(t, 77).add("On.")); err != nil {
			t.Errorf("writing on: %v", err)
		}
		if err := hub.Close(t.Context()); err != nil {
			t.Error(err)
		}
		synctest.Wait()
	})
}

// TestDamagedBurstsAreSaid: the note opens and is written on, and whoever asks for what only the damaged part of the log
// knows is told that it cannot be had.
func TestDamagedBurstsAreSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, store := foldedWard(t)
		store.Damage(note)
		if _, err := hub.Losses(t.Context(), note, sessions.LossQuery{Limit: 9}); !errors.Is(err, sessions.ErrDamaged) {
			t.Errorf("losses: %v, want ErrDamaged", err)
		}
		if _, err := hub.Apply(t.Context(), note, write(chen), newPage(t, 77).add("On.")); err != nil {
			t.Errorf("writing on: %v", err)
		}
		doc, err := hub.Doc(t.Context(), note)
		if err != nil || !strings.Contains(doc.XMLFragment(sessions.Fragment).String(), "<paragraph>On.</paragraph>") {
			t.Errorf("the note does not open: %v", err)
		}
		if err := hub.Close(t.Context()); err != nil {
			t.Error(err)
		}
		synctest.Wait()
	})
}
