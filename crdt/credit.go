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
// What is copied is older than its copy, so that whoever follows it comes to an end.
func (d *Doc) Credit(copies []Copy) {
	if d.credits == nil {
		d.credits = make(map[ClientID][]credit)
	}
	for _, c := range copies {
		d.addCredit(c.To.Client, credit{c.To.Clock, c.To.Clock + c.Len, c.From})
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
		for n > 0 {
			of, size := id, n
			for hop := 0; hop < maxHops; hop++ {
				next, ok, same := d.creditOf(of, size)
				if size = same; !ok {
					break
				}
				of = next
			}
			if !yield(of, size) {
				return
			}
			id.Clock, n = id.Clock+size, n-size
		}
	}
}

// maxHops is how often text is followed that was copied again and again (I10).
const maxHops = 4096

// creditOf returns what id repeats, if it repeats anything, and of how many of n elements from it on the same is true.
func (d *Doc) creditOf(id ID, n uint64) (of ID, ok bool, same uint64) {
	list := d.credits[id.Client]
	k, _ := slices.BinarySearchFunc(list, id.Clock, func(c credit, clock uint64) int {
		if c.to <= clock {
			return -1
		}
		return 1
	})
	switch {
	case k == len(list):
		return id, false, n
	case list[k].from > id.Clock:
		return id, false, min(n, list[k].from-id.Clock)
	}
	return ID{list[k].of.Client, list[k].of.Clock + id.Clock - list[k].from}, true, min(n, list[k].to-id.Clock)
}
