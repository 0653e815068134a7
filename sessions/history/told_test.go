package history

import (
	"math"
	"testing"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/sessions"
)

// tells has somebody's editor say that n elements from to on repeat those from another on.
func (w *ward) tells(who sessions.PersonID, to, from crdt.ID, n uint64) {
	w.t.Helper()
	if err := w.store.TellMoved(w.t.Context(), w.note, who, []crdt.Copy{{To: to, From: from, Len: n}}); err != nil {
		w.t.Fatal(err)
	}
}

// moves has somebody remove n letters of the paragraph and put text elsewhere, at once.
func (w *ward) moves(who sessions.PersonID, client crdt.ClientID, at, n, to int, text string) {
	w.t.Helper()
	w.does(who, client, func(tx *crdt.Txn, x *crdt.XMLText) {
		x.Delete(tx, at, n)
		x.Insert(tx, to, text)
	})
}

func el(client crdt.ClientID, clock uint64) crdt.ID { return crdt.ID{Client: client, Clock: clock} }

// TestOnlyWhatIsTrueIsBelieved: what an editor says it moved is its author's, however short; but nobody has words in their mouth
// that they did not write, that nobody removed, or that they have there already, by whatever an editor says.
func TestOnlyWhatIsTrueIsBelieved(t *testing.T) {
	const template = `chen template "Plan: "`
	for _, tt := range []struct {
		name string
		does func(w *ward)
		want string
	}{
		{"moved", func(w *ward) {
			w.tells(w.rivera, el(2, 0), el(1, 4), 2)
			w.moves(w.rivera, 2, 10, 2, 0, "ok")
		}, `chen typed "ok", ` + template + `, chen typed "not !"`},
		{"not told", func(w *ward) { w.moves(w.rivera, 2, 10, 2, 0, "ok!") }, `rivera typed "ok!", ` + template + `, chen typed "not !"`},
		{"not removed", func(w *ward) {
			w.tells(w.rivera, el(2, 0), el(1, 0), 3)
			w.puts(w.rivera, 2, 0, "not")
		}, `rivera typed "not", ` + template + `, chen typed "not ok!"`},
		{"another text", func(w *ward) {
			w.tells(w.rivera, el(2, 0), el(1, 0), 3)
			w.moves(w.rivera, 2, 6, 3, 0, "now")
		}, `rivera typed "now", ` + template + `, chen typed " ok!"`},
		{"more than there was", func(w *ward) {
			w.tells(w.rivera, el(2, 0), el(1, 4), math.MaxInt32)
			w.moves(w.rivera, 2, 10, 3, 0, "ok_")
		}, `rivera typed "ok_", ` + template + `, chen typed "not "`},
		{"where nothing is", func(w *ward) {
			w.tells(w.rivera, el(2, 0), el(1, math.MaxInt64), 2)
			w.tells(w.rivera, el(2, math.MaxInt64), el(1, 4), 2)
			w.tells(w.rivera, el(2, 0), el(77, 0), 2)
			w.moves(w.rivera, 2, 10, 3, 0, "ok_")
		}, `rivera typed "ok_", ` + template + `, chen typed "not "`},
		{"by somebody else", func(w *ward) {
			w.tells(w.chen, el(2, 0), el(1, 4), 2)
			w.moves(w.rivera, 2, 10, 3, 0, "ok_")
		}, `rivera typed "ok_", ` + template + `, chen typed "not "`},
		{"when it is there already", func(w *ward) {
			w.moves(w.rivera, 2, 10, 3, 0, "ok_")
			w.tells(w.rivera, el(2, 0), el(1, 4), 2)
			w.puts(w.rivera, 2, 0, "_")
		}, `rivera typed "_ok_", ` + template + `, chen typed "not "`},
		{"twice", func(w *ward) {
			w.tells(w.rivera, el(2, 0), el(1, 4), 2)
			w.moves(w.rivera, 2, 10, 2, 0, "ok")
			w.tells(w.rivera, el(2, 2), el(1, 4), 2)
			w.puts(w.rivera, 2, 0, "ok")
			w.tells(w.rivera, el(2, 4), el(2, 0), 2)
			w.puts(w.rivera, 2, 0, "ok")
		}, `rivera typed "okok", chen typed "ok", ` + template + `, chen typed "not !"`},
		{"twice, by what was put back and removed again", func(w *ward) {
			w.tells(w.rivera, el(2, 0), el(1, 4), 2)
			w.moves(w.rivera, 2, 10, 2, 0, "ok")
			w.tells(w.rivera, el(2, 2), el(1, 4), 2)
			w.moves(w.rivera, 2, 0, 2, 0, "ok") // instead of the first
			w.tells(w.rivera, el(2, 4), el(2, 0), 2)
			w.puts(w.rivera, 2, 0, "ok") // and of that one
		}, `rivera typed "ok", chen typed "ok", ` + template + `, chen typed "not !"`},
		{"two things of one", func(w *ward) {
			w.tells(w.rivera, el(2, 0), el(1, 4), 2)
			w.tells(w.rivera, el(2, 0), el(1, 0), 2)
			w.tells(w.rivera, el(2, 1), el(1, 5), 1)
			w.moves(w.rivera, 2, 10, 2, 0, "ok")
		}, `chen typed "ok", ` + template + `, chen typed "not !"`},
		{"round in a circle", func(w *ward) {
			w.tells(w.rivera, el(2, 0), el(2, 0), 2)
			w.tells(w.rivera, el(2, 0), el(2, 2), 2)
			w.tells(w.rivera, el(2, 2), el(2, 0), 2)
			w.moves(w.rivera, 2, 10, 3, 0, "ok_")
			w.moves(w.rivera, 2, 0, 3, 0, "ok_")
		}, `rivera typed "ok_", ` + template + `, chen typed "not "`},
		{"removed by its author", func(w *ward) {
			w.removes(w.chen, 1, 10, 2)
			w.tells(w.rivera, el(2, 0), el(1, 4), 2)
			w.puts(w.rivera, 2, 0, "ok")
		}, `rivera typed "ok", ` + template + `, chen typed "not !"`},
		{"long ago", func(w *ward) {
			w.removes(w.rivera, 2, 10, 3)
			for range 100 {
				w.puts(w.rivera, 2, 0, "x")
				w.removes(w.rivera, 2, 0, 1)
			}
			w.tells(w.rivera, el(2, 100), el(1, 4), 2)
			w.puts(w.rivera, 2, 0, "ok")
		}, `chen typed "ok", ` + template + `, chen typed "not "`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWard(t)
			w.types(w.chen, 1, 6, "not ok!")
			tt.does(w)
			w.want(tt.want)
		})
	}
}
