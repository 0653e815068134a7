package crdt

import (
	"cmp"
	"slices"
	"sort"
)

// Missing returns the first element that the update needs and that neither have
// nor the update itself provides in time: the clock before a gap, an origin, a
// right origin, a parent, a deleted element. ok is false if nothing is missing;
// then a replica with exactly have applies the update whole, and nothing of it
// stays pending.
func (u *Update) Missing(have StateVector) (id ID, ok bool) {
	p := provider{have: have, ranges: u.Ranges()}
	slices.SortFunc(p.ranges, func(a, b ClockRange) int {
		return cmp.Or(cmp.Compare(a.Client, b.Client), cmp.Compare(a.From, b.From))
	})
	for _, s := range u.sections {
		for b := range u.blocks(s) {
			if id, ok := p.firstMissing(b); ok {
				return id, true
			}
		}
	}
	if len(u.sections) > 1 { // within one client clocks are the order
		if id, ok := u.circle(have); ok {
			return id, true
		}
	}
	var g DeleteRange
	for r := readDeletes(&reader{b: u.b, i: u.ds}, false); r.next(&g); {
		if id, ok := p.hole(g.Client, uint64(g.Clock), uint64(g.end())); ok {
			return id, true
		}
	}
	return ID{}, false
}

// provider answers whether an element is at hand: in have, or in ranges, which
// are sorted by client and clock.
type provider struct {
	have   StateVector
	ranges []ClockRange
}

func (p *provider) firstMissing(b *block) (ID, bool) {
	if b.ref == refSkip {
		return ID{}, false
	}
	if id, ok := p.hole(b.client, 0, uint64(b.clock)); ok {
		return id, true
	}
	if b.hasOrigin && !p.has(b.origin) {
		return b.origin, true
	}
	if b.hasRight && !p.has(b.right) {
		return b.right, true
	}
	if b.parentID && !p.has(b.parent) {
		return b.parent, true
	}
	return ID{}, false
}

func (p *provider) has(id ID) bool {
	_, missing := p.hole(id.Client, id.Clock, id.Clock+1)
	return !missing
}

// hole returns the first of the clocks from ≤ clock < to that is not at hand.
func (p *provider) hole(client ClientID, from, to uint64) (ID, bool) {
	from = max(from, p.have[client])
	if from >= to {
		return ID{}, false
	}
	i := sort.Search(len(p.ranges), func(i int) bool {
		g := p.ranges[i]
		return g.Client > client || g.Client == client && g.To > from
	})
	for ; i < len(p.ranges) && p.ranges[i].Client == client && p.ranges[i].From <= from; i++ {
		if from = p.ranges[i].To; from >= to {
			return ID{}, false
		}
	}
	return ID{client, from}, true
}
