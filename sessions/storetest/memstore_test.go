package storetest_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/sessions"
	"github.com/clisonix/tidechart/sessions/storetest"
)

// TestMemStore: what sessions are tested on does what Postgres does.
func TestMemStore(t *testing.T) {
	store, author := &storetest.MemStore{}, uuid.New()
	storetest.TestStore(t, storetest.Fixture{
		Store: store, Author: author, Other: uuid.New(), Sign: store.Sign, Recover: store.Recover, Damage: store.Damage,
		NewNote: func() sessions.NoteID {
			note := uuid.New()
			store.Add(note, author, storetest.Empty())
			return note
		},
	})
}
