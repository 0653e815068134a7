package sessions

import (
	"cmp"
	"slices"

	"github.com/clisonix/tidechart/crdt"
)

// Tellings are what editors say that their edits moved, by the client of what came, in order of its clocks.
type Tellings map[crdt.ClientID][]telling

type telling struct {
	crdt.Copy
	person PersonID
	after  uint64 // row
}

// Tellings returns those by whose client it is. Whether they are true is seen when the rows come that they speak of.
func (t Told) Tellings() Tellings {
	all := make(Tellings)
	for _, m := range t.Moved {
		for _, c := range m.Copies {
			if t.Writers[c.To.Client] == m.Person {
				all[c.To.Client] = append(all[c.To.Client], telling{c, m.Person, m.After})
			}
		}
	}
	for _, list := range all {
		slices.SortStableFunc(list, func(a, b telling) int { return cmp.Compare(a.To.Clock, b.To.Clock) })
	}
	return all
}

// Of returns what is said of what a row brings, and was said before it came, in order.
func (t Tellings) Of(r Row, brings []crdt.ClockRange) (copies []crdt.Copy) {
	for _, g := range brings {
		list := t[g.Client]
		k, _ := slices.BinarySearchFunc(list, g.From, func(x telling, clock uint64) int { return cmp.Or(cmp.Compare(x.To.Clock, clock), 1) })
		for ; k < len(list) && list[k].To.Clock < g.To; k++ {
			x := list[k]
			if x.person != r.Author || x.after >= r.Seq {
				continue
			}
			x.Len = min(x.Len, g.To-x.To.Clock)
			copies = append(copies, x.Copy)
		}
	}
	return copies
}
