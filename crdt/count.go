package crdt

// A Count is how much an update brings.
type Count struct {
	Structs  int // as on the wire, without Skips
	Text     int // bytes of characters
	Longest  int // bytes of the largest content, name or key of one struct
	Unknown  int // shared types that Yjs 13 does not know, and throws on
	Keys     int // keys that one type would have in the document: the most of those that are given some
	Inverted int // structs that [Doc.Inverted] has to look at
}

// Count measures u, and what it would add to d, whether or not d has it already. It takes time in proportion to u.
func (d *Doc) Count(u *Update) Count {
	var c Count
	var keys map[keyOwner]map[string]bool
	for _, s := range u.sections {
		for b := range u.blocks(s) {
			if b.ref == refSkip {
				continue
			}
			c.Structs++
			if b.ref == refString {
				c.Text += len(b.content)
			}
			if b.ref == refType && b.content[0] >= typeCount {
				c.Unknown++
			}
			if b.inverted() {
				c.Inverted++
			}
			c.Longest = max(c.Longest, len(b.content), len(b.root), len(b.sub))
			if b.hasSub {
				if keys == nil {
					keys = make(map[keyOwner]map[string]bool)
				}
				d.noteKey(keys, b)
			}
		}
	}
	for _, names := range keys {
		c.Keys = max(c.Keys, len(names))
	}
	return c
}

// A keyOwner is a type that keys belong to: a root by its name, or the element that holds it.
type keyOwner struct {
	root string
	id   ID
}

// noteKey adds the key of b to those of its type, beginning with the keys that the type has in d.
func (d *Doc) noteKey(keys map[keyOwner]map[string]bool, b *block) {
	owner := keyOwner{id: b.parent}
	if b.parentRoot {
		owner = keyOwner{root: string(b.root)}
	}
	names := keys[owner]
	if names == nil {
		names = make(map[string]bool)
		keys[owner] = names
		if t := d.typeOf(owner, b.parentRoot); t != none {
			for l := d.types[t].firstKey; l != none; l = d.lists[l].nextKey {
				names[d.keyNames[d.lists[l].key]] = true
			}
		}
	}
	names[string(b.sub)] = true
}

// typeOf returns the type in d that owner names, or none.
func (d *Doc) typeOf(owner keyOwner, root bool) int32 {
	if root {
		if t, ok := d.roots[owner.root]; ok {
			return t
		}
		return none
	}
	c := d.lookup(owner.id.Client)
	if c == none || owner.id.Clock >= uint64(d.clients[c].next) {
		return none
	}
	return d.holds(d.runAt(c, uint32(owner.id.Clock)))
}

// TextLen returns how many elements of text u brings, in UTF-16 units.
func (u *Update) TextLen() (n int) {
	for _, s := range u.sections {
		for b := range u.blocks(s) {
			if b.ref == refString {
				n += int(b.n)
			}
		}
	}
	return n
}
