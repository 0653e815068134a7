package crdt

// Moves find what updates move: what the editor of whoever makes them says, as
// far as it is true, and what they bring of the text that they delete themselves.
// What somebody types again is new to them; [Removals] know that, too. The zero
// value is for a document that is empty.
type Moves struct{ lineage }

// Begin has m know what the text of d says that is there, and forget all else: what
// was removed before, nobody moves.
func (m *Moves) Begin(d *Doc) {
	m.lineage = lineage{}
	for c := range d.clients {
		for clock := uint32(0); clock < d.clients[c].next; {
			r := &d.runs[d.runAt(int32(c), clock)]
			if r.ref() == refString && !r.deleted() {
				m.add(ID{d.ids[c], uint64(r.clk)}, prefix(refString, d.content(r), r.n, r.n))
			}
			clock = r.end()
		}
	}
}

// Copies returns what of the text that u brings was somewhere else before. It must be
// asked of all updates, in order, each before it is applied, and gives the same
// whether a document collects or not.
//
// Each deleted element is the source of one copy at most. A text that nobody tells of
// counts as moved if it is part of one that u deletes, or holds one, or begins
// or ends like one. For by and told see [Removals.Copies].
func (m *Moves) Copies(d *Doc, u *Update, by int, told []Copy) []Copy {
	if len(u.sections) == 0 && u.b[u.ds] == 0 {
		return nil
	}
	doomed := DeleteSet(u.Deletes())
	moved := m.tell(d, u, doomed, by, told)
	if len(u.sections) == 0 || len(doomed) == 0 {
		return moved
	}
	stays, gone := d.bringsText(u, doomed)
	c := copyMatcher{effort: copyEffort, sources: d.deletedTexts(doomed.without(sourcesOf(moved)), nil, 0)}
	c.matchAll(leftOf(stays, moved), leftOf(gone, moved))
	for _, x := range c.out {
		m.took(x, by)
	}
	return append(moved, c.out...)
}
