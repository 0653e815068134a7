package store_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/sessions"
)

// BenchmarkAppend is one keystroke's commit, on a real Postgres.
func BenchmarkAppend(b *testing.B) {
	h := open(b)
	note, session := h.newNote(b), uuid.New()
	if err := h.db.StartSession(b.Context(), session, note); err != nil {
		b.Fatal(err)
	}
	update := make([]byte, 30)
	for b.Loop() {
		batch := sessions.Batch{ID: uuid.New(), Entries: []sessions.Entry{{Note: note, Author: h.author, Session: session, Update: update}}}
		if placed, err := h.db.Append(b.Context(), batch); err != nil || len(placed) != 1 {
			b.Fatal(placed, err)
		}
	}
}
