package history

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/sessions"
)

// TestRowsOfText: for whatever stretch of a log, each element that came or went in it is said to have done so in the row in which the
// document got it, or lost it.
func TestRowsOfText(t *testing.T) {
	lines := crowd(t, 11, 120)
	store, note, _ := logOf(t, lines)
	p := newPast(store, note, 16)
	if err := p.Grow(t.Context()); err != nil {
		t.Fatal(err)
	}
	// What lives after each row, by asking the documents.
	var living []map[crdt.ID]bool
	for seq := range p.Head() + 1 {
		doc, err := p.Doc(seq)
		if err != nil {
			t.Fatal(err)
		}
		alive := make(map[crdt.ID]bool)
		for client, next := range doc.StateVector() {
			for clock := range next {
				alive[crdt.ID{Client: client, Clock: clock}] = true
			}
		}
		for _, g := range doc.DeleteSet() {
			for k := range g.Len {
				delete(alive, crdt.ID{Client: g.Client, Clock: uint64(g.Clock + k)})
			}
		}
		living = append(living, alive)
	}
	unseen := 0
	for _, stretch := range [][2]uint64{{1, p.Head()}, {20, 90}, {60, 61}, {40, 40}} {
		first, last := stretch[0], stretch[1]
		var came, went []crdt.Piece
		for id := range living[last] {
			if !living[first][id] {
				came = append(came, crdt.Piece{ID: id, Of: id, Len: 1})
			}
		}
		for id := range living[first] {
			if !living[last][id] {
				went = append(went, crdt.Piece{ID: id, Of: id, Len: 1})
			}
		}
		if first > 1 && first < last-1 && (len(came) == 0 || len(went) == 0) {
			t.Fatalf("in rows %d to %d came %d elements and went %d", first, last, len(came), len(went))
		}
		traced, err := p.Trace(first, last, came, went)
		if err != nil {
			t.Fatal(err)
		}
		when := func(id crdt.ID, there bool) uint64 {
			for seq := first + 1; seq <= last; seq++ {
				if living[seq][id] == there {
					return seq
				}
			}
			return 0
		}
		for _, x := range came {
			if got, want := traced.Came(x), []uint64{when(x.ID, true)}; !slices.Equal(got, want) {
				t.Errorf("%v came in rows %v, want %v", x.ID, got, want)
			}
		}
		for _, x := range went {
			row := when(x.ID, false)
			want := []uint64{row}
			if !names(t, p, row, x.ID) { // it went unseen, with what held it
				want, unseen = nil, unseen+1
			}
			if got := traced.Went(x); !slices.Equal(got, want) {
				t.Errorf("%v went in rows %v, want %v", x.ID, got, want)
			}
		}
		for _, x := range went[:min(1, len(went))] {
			if got := traced.Came(x); got != nil {
				t.Errorf("%v, which nobody asked for, came in rows %v", x.ID, got)
			}
		}
	}
	if unseen == 0 {
		t.Error("nothing went unseen: the crowd is too tidy")
	}
}

// names reports whether the update of a row names an element among what it deletes.
func names(t *testing.T, p *Past, row uint64, id crdt.ID) bool {
	t.Helper()
	u, err := crdt.DecodeUpdate(p.update(int(row) - 1))
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(u.Deletes(), func(g crdt.DeleteRange) bool {
		return g.Client == id.Client && uint64(g.Clock) <= id.Clock && id.Clock < uint64(g.Clock)+uint64(g.Len)
	})
}

// TestWhereWritingStopped: a version ends where a session does, and before a break of half an hour.
func TestWhereWritingStopped(t *testing.T) {
	p := newPast(nil, uuid.Nil, 8)
	a, b := hand{author: uuid.New(), session: uuid.New()}, hand{author: uuid.New(), session: uuid.New()}
	c := hand{author: b.author, session: a.session}
	for _, r := range []struct {
		minute int64
		hand   hand
	}{{0, hand{author: a.author}}, {1, a}, {2, c}, {31, a}, {61, a}, {62, b}, {62, b}} {
		p.rows = append(p.rows, row{at: r.minute * int64(time.Minute/time.Microsecond), hand: p.handOf(r.hand)})
	}
	type stretch struct{ first, last uint64 }
	var got []stretch
	var people [][]sessions.PersonID
	for _, v := range p.Versions() {
		got, people = append(got, stretch{v.First, v.Last}), append(people, v.People)
	}
	if want := []stretch{{1, 1}, {2, 4}, {5, 5}, {6, 7}}; !slices.Equal(got, want) {
		t.Errorf("versions %v, want %v", got, want)
	}
	if !slices.Equal(people[1], []sessions.PersonID{a.author, b.author}) {
		t.Errorf("who wrote the second: %v", people[1])
	}
}
