package history

import (
	"cmp"
	"fmt"
	"slices"
	"sort"

	"github.com/clisonix/tidechart/crdt"
)

// Traced says which rows of a log brought and removed elements.
type Traced struct{ came, went rowsOf }

// Trace finds the rows, behind the one that is the first and up to the last, that brought elements of came, and that removed
// elements of went, which were there after the first one.
func (p *Past) Trace(first, last uint64, came, went []crdt.Piece) (Traced, error) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	t := Traced{newRowsOf(came), newRowsOf(went)}
	for i := int(min(first, uint64(len(p.rows)))); i < int(min(last, uint64(len(p.rows)))); i++ {
		u, err := crdt.DecodeUpdate(p.update(i))
		if err != nil {
			return t, fmt.Errorf("trace seq %d: %w", i+1, err)
		}
		for _, r := range u.Ranges() {
			t.came.found(r, uint64(i)+1)
		}
		for _, g := range u.Deletes() {
			t.went.found(crdt.ClockRange{Client: g.Client, From: uint64(g.Clock), To: uint64(g.Clock) + uint64(g.Len)}, uint64(i)+1)
		}
	}
	return t, nil
}

// Came returns the rows that brought any of a piece, in order.
func (t Traced) Came(p crdt.Piece) []uint64 { return t.came.of(p) }

// Went returns the rows that removed any of a piece, in order. An element whose parent was removed unseen by whoever removed that
// is removed by no row.
func (t Traced) Went(p crdt.Piece) []uint64 { return t.went.of(p) }

// rowsOf is for each client the elements that are sought, in order, each with the first row that was found.
type rowsOf map[crdt.ClientID][]soughtRange

// A soughtRange is elements from a clock on. What has been found once is passed over: an update may repeat all deletions of a note.
type soughtRange struct {
	from uint64
	rows []uint64 // 0: not found yet
	next []int    // the first index from here on that may not be found yet
}

func newRowsOf(pieces []crdt.Piece) rowsOf {
	pieces = slices.Clone(pieces)
	slices.SortFunc(pieces, func(a, b crdt.Piece) int { return cmp.Compare(a.ID.Clock, b.ID.Clock) })
	rows := make(rowsOf)
	for _, p := range pieces {
		list := rows[p.ID.Client]
		if k := len(list) - 1; k >= 0 && list[k].from+uint64(len(list[k].rows)) > p.ID.Clock {
			continue // an element stands in one place
		}
		s := soughtRange{from: p.ID.Clock, rows: make([]uint64, p.Len), next: make([]int, p.Len+1)}
		for i := range s.next {
			s.next[i] = i
		}
		rows[p.ID.Client] = append(list, s)
	}
	return rows
}

func (r rowsOf) found(g crdt.ClockRange, row uint64) {
	list := r[g.Client]
	k := sort.Search(len(list), func(i int) bool { return list[i].from+uint64(len(list[i].rows)) > g.From })
	for ; k < len(list) && list[k].from < g.To; k++ {
		s := &list[k]
		to := int(min(g.To-s.from, uint64(len(s.rows))))
		for i := s.open(int(max(g.From, s.from) - s.from)); i < to; i = s.open(i) {
			s.rows[i], s.next[i] = row, i+1
		}
	}
}

// open returns the first index from i on that is not found yet.
func (s *soughtRange) open(i int) int {
	for s.next[i] != i {
		s.next[i] = s.next[s.next[i]]
		i = s.next[i]
	}
	return i
}

func (r rowsOf) of(p crdt.Piece) (rows []uint64) {
	list := r[p.ID.Client]
	k := sort.Search(len(list), func(i int) bool { return list[i].from+uint64(len(list[i].rows)) > p.ID.Clock })
	for end := p.ID.Clock + p.Len; k < len(list) && list[k].from < end; k++ {
		s := &list[k]
		for i := max(p.ID.Clock, s.from) - s.from; i < min(end-s.from, uint64(len(s.rows))); i++ {
			if row := s.rows[i]; row > 0 && (len(rows) == 0 || rows[len(rows)-1] != row) {
				rows = append(rows, row)
			}
		}
	}
	slices.Sort(rows)
	return slices.Compact(rows)
}
