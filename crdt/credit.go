package crdt

import (
	"cmp"
	"iter"
	"slices"
)

// A credit says whose elements those from ≤ clock < to of a client repeat.
type credit struct {
	from, to uint64
	of       ID // of the first
}

// Credit has [Text.Spans] name as author of copied text who wrote it first.
// Copies are given in the order of the log, those of a copy's source before it.
func (d *Doc) Credit(copies []Copy) {
	if d.credits == nil {
		d.credits = make(map[ClientID][]credit)
	}
	for _, c := range copies {
		to := c.To.Clock
		for of, n := range d.creditsOf(c.From, c.Len) {
			d.addCredit(c.To.Client, credit{to, to + n, of})
			to += n
		}
	}
}

func (d *Doc) addCredit(client ClientID, x credit) {
	list := d.credits[client]
	k, _ := slices.BinarySearchFunc(list, x.from, func(c credit, clock uint64) int { return cmp.Compare(c.from, clock) })
	if k > 0 && list[k-1].to > x.from || k < len(list) && list[k].from < x.to {
		return // an element is copied once
	}
	d.credits[client] = slices.Insert(list, k, x)
}

// creditsOf yields whose n elements from id on are, in pieces.
func (d *Doc) creditsOf(id ID, n uint64) iter.Seq2[ID, uint64] {
	return func(yield func(ID, uint64) bool) {
		list := d.credits[id.Client]
		k, _ := slices.BinarySearchFunc(list, id.Clock, func(c credit, clock uint64) int {
			if c.to <= clock {
				return -1
			}
			return 1
		})
		for n > 0 {
			size, of := n, id
			if k < len(list) {
				switch c := list[k]; {
				case c.from > id.Clock:
					size = min(n, c.from-id.Clock)
				default:
					size = min(n, c.to-id.Clock)
					of = ID{c.of.Client, c.of.Clock + id.Clock - c.from}
					k++
				}
			}
			if !yield(of, size) {
				return
			}
			id.Clock, n = id.Clock+size, n-size
		}
	}
}
