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

// BenchmarkAppendMany is a commit of 80 updates to 80 notes, as a hospital at work has them.
func BenchmarkAppendMany(b *testing.B) {
	h := open(b)
	const notes = 80
	batch := sessions.Batch{}
	for range notes {
		note, session := h.newNote(b), uuid.New()
		if err := h.db.StartSession(b.Context(), session, note); err != nil {
			b.Fatal(err)
		}
		batch.Entries = append(batch.Entries, sessions.Entry{Note: note, Author: h.author, Session: session, Update: make([]byte, 30)})
	}
	for b.Loop() {
		batch.ID = uuid.New()
		if placed, err := h.db.Append(b.Context(), batch); err != nil || len(placed) != notes {
			b.Fatal(placed, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*notes), "ns/update")
}
