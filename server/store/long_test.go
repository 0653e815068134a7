package store_test

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/internal/needs"
	"github.com/clisonix/tidechart/server/signature"
	"github.com/clisonix/tidechart/sessions"
)

// TestLongNoteOpensQuickly: what a note has been through does not slow down whoever opens it; signed, it goes out with all of its log that a
// bundle has room for, and is checked far away.
func TestLongNoteOpensQuickly(t *testing.T) {
	if testing.Short() || needs.Raced {
		t.Skip("writes 300,000 rows and takes the time; make test does, without the race detector")
	}
	const keystrokes, perBatch, sinceBase = 300_000, 10_000, 499
	h := open(t)
	note := h.newNote(t)
	w, session := newTypist(t), uuid.New()
	if err := h.db.StartSession(t.Context(), session, note); err != nil {
		t.Fatal(err)
	}
	seq, batch, client := uint64(1), sessions.Batch{ID: uuid.New()}, sessions.Claim{Note: note, Client: 1, Person: h.author}
	for i := range keystrokes {
		update := w.press()
		batch.Entries = append(batch.Entries, sessions.Entry{Note: note, Author: h.author, Session: session, Update: update})
		if len(batch.Entries) == perBatch || i == keystrokes-1 {
			client.To = w.doc.StateVector()[1]
			batch.Claims = []sessions.Claim{client}
			if placed, err := h.db.Append(t.Context(), batch); err != nil || len(placed) != 1 {
				t.Fatal(placed, err)
			}
			batch, client.From = sessions.Batch{ID: uuid.New()}, client.To
		}
		if seq++; i == keystrokes-1-sinceBase {
			base, err := w.doc.EncodeStateAsUpdate(nil)
			if err != nil {
				t.Fatal(err)
			}
			w.base, w.seq = base, seq
		}
	}
	if err := h.db.SaveBase(t.Context(), note, w.seq, w.base); err != nil {
		t.Fatal(err)
	}
	best := time.Hour
	for range 5 {
		hub := sessions.NewHub(h.db, slog.New(slog.DiscardHandler))
		start := time.Now()
		state, err := hub.State(t.Context(), note)
		best = min(best, time.Since(start))
		if err != nil {
			t.Fatal(err)
		}
		if err := hub.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		got := crdt.New("")
		if err := got.ApplyUpdate(state); err != nil || got.XMLFragment("default").String() != w.doc.XMLFragment("default").String() {
			t.Fatal("the note reads differently", err)
		}
	}
	t.Logf("a note of %d keystrokes opens in %v", keystrokes, best)
	if limit := 100 * time.Millisecond; best > limit {
		t.Errorf("the note opens in %v, want at most %v", best, limit)
	}

	start := time.Now()
	h.sign(t, note, h.author)
	signed := time.Now()
	audited := h.sequencer(t)
	step(t, audited)
	h.due(t)
	step(t, audited)
	exported := time.Now()
	b, err := h.db.ExportNote(t.Context(), note)
	if err != nil {
		t.Fatal(err)
	}
	read := copied(t, b)
	checked := time.Now()
	report, err := read.Verify(signature.Trust{})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("it is signed in %v, exported in %v, and checked in %v", signed.Sub(start), checked.Sub(exported), time.Since(checked))
	if got := report.Notes[0].History; !report.Whole || got == nil || got.To != seq || got.To-got.From+1 != signature.MaxHistory || got.People != 1 {
		t.Errorf("of a log of %d rows is checked: %+v", seq, got)
	}
	changed := []byte(read.Notes[0].History)
	if last := &changed[len(changed)-100]; *last == 'A' { // in the last of its rows
		*last = 'B'
	} else {
		*last = 'A'
	}
	read.Notes[0].History = string(changed)
	if _, err := read.Verify(signature.Trust{}); err == nil {
		t.Error("a log that somebody has changed is good")
	}
}

// A typist writes a note of one paragraph keystroke by keystroke: goes on, deletes, and jumps.
type typist struct {
	t    *testing.T
	doc  *crdt.Doc
	text *crdt.XMLText
	at   int
	r    *rand.Rand

	base []byte // the document as it was at seq
	seq  uint64
}

func newTypist(t *testing.T) *typist {
	return &typist{t: t, doc: crdt.New("note"), r: rand.New(rand.NewPCG(1, 1))}
}

// press returns the update of the next keystroke; the first one makes the paragraph.
func (w *typist) press() []byte {
	w.t.Helper()
	update, err := w.doc.Transact(1, func(tx *crdt.Txn) {
		if w.text == nil {
			w.text = crdt.NewXMLText("")
			w.doc.XMLFragment("default").Insert(tx, 0, crdt.NewXMLElement("paragraph", nil, w.text))
			return
		}
		length := w.text.Len()
		if w.r.IntN(40) == 0 {
			w.at = w.r.IntN(length + 1)
		}
		if w.at > 0 && w.r.IntN(5) == 0 {
			w.at--
			w.text.Delete(tx, w.at, 1)
			return
		}
		w.text.Insert(tx, w.at, string(rune('a'+w.r.IntN(26))))
		w.at++
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return update
}
