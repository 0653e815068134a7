package crdt

import (
	"slices"
	"strings"
)

// putter finds what an update puts back.
type putter struct {
	*Removals
	d     *Doc
	u     *Update
	by    int
	found []Copy

	origins map[ID]ID         // of strings
	back    map[ID][]leftText // of types that come back, by what was removed
	types   map[ID]typeBlock  // that u brings
	in      map[ID]ID         // the type that an element of u is in, of last elements
}

type typeBlock struct {
	right ID // what it stands before; none: not known
	in    ID // the type that holds it, of u
}

// undo finds which of the texts that u brings stand where they were removed, as Yjs puts them, and returns the others.
func (p *putter) undo(texts []leftText) (others []leftText) {
	p.origins = make(map[ID]ID)
	for _, s := range p.u.sections {
		have := p.d.state(s.client)
		for b := range p.u.blocks(s) {
			if uint64(b.clock) < have || b.ref == refSkip || b.ref == refGC {
				continue
			}
			in := p.place(b)
			if b.ref != refString {
				continue
			}
			if b.hasOrigin {
				p.origins[ID{b.client, uint64(b.clock)}] = b.origin
			}
			for len(texts) > 0 && texts[0].to.Client == b.client && texts[0].to.Clock < uint64(b.end()) {
				if !p.match(b, texts[0], in) {
					others = append(others, texts[0])
				}
				texts = texts[1:]
			}
		}
	}
	return append(others, p.among()...)
}

// place notes which type of u holds b, and returns it.
func (p *putter) place(b *block) (in ID) {
	if len(p.below) == 0 {
		return ID{}
	}
	if p.in == nil {
		p.types, p.in = make(map[ID]typeBlock), make(map[ID]ID)
	}
	switch {
	case b.parentID:
		in = b.parent
	case b.hasOrigin:
		in = p.in[b.origin]
	}
	if _, brought := p.types[in]; !brought {
		in = ID{}
	}
	p.in[ID{b.client, uint64(b.end()) - 1}] = in
	if b.ref == refType {
		t := typeBlock{in: in}
		if b.hasRight {
			t.right = b.right
		}
		p.types[ID{b.client, uint64(b.clock)}] = t
	}
	return in
}

// match reports whether a part of a string is put back beside what was removed; in a type that comes back, this is seen later.
func (p *putter) match(b *block, l leftText, in ID) bool {
	for ; in != (ID{}); in = p.types[in].in {
		if top := p.types[in].right; p.below[top] != nil {
			if p.back == nil {
				p.back = make(map[ID][]leftText)
			}
			p.back[top] = append(p.back[top], l)
			return true
		}
	}
	if !b.hasRight {
		return false
	}
	from := b.right
	from.Clock += l.to.Clock - uint64(b.clock)
	rest, _ := p.from(p.d, from, p.by)
	return rest != "" && p.undone(l, from, rest)
}

// among finds what types that come back hold of what was removed with them, and returns the rest.
func (p *putter) among() (others []leftText) {
	for top, left := range p.back {
		c := copyMatcher{effort: copyEffort}
		for _, s := range p.below[top] {
			if s = p.again(p.d, s, p.by, nil); s != nil {
				c.sources = append(c.sources, s)
			}
		}
		c.matchAll(left, nil)
		p.note(c.out...)
		others = append(others, c.left...)
	}
	return others
}

// note takes down what is put back.
func (p *putter) note(copies ...Copy) {
	for _, c := range copies {
		p.use(c, p.by)
	}
	p.found = append(p.found, copies...)
}

// retype finds what is put back otherwise: what goes on with what its author typed again, or begins to, stands behind what was removed.
func (p *putter) retype(l leftText) {
	if p.typing == nil {
		p.typing = make(map[int]*retyping)
	}
	typing := p.typing[p.by]
	if typing == nil {
		typing = new(retyping)
		p.typing[p.by] = typing
	}
	if behind, ok := p.origins[l.to]; ok {
		from, ok := typing.from, behind == typing.behind
		if !ok {
			from, ok = p.start(p.d, behind, p.by)
		}
		if ok {
			if rest, whole := p.from(p.d, from, p.by); rest != "" && p.starts(l, from, rest, whole) {
				return
			}
		}
	}
	p.anywhere(l)
}

// undone reports whether l, which stands before the removed text rest, is the beginning of it.
func (p *putter) undone(l leftText, from ID, rest string) bool {
	if !strings.HasPrefix(rest, l.s) {
		return false
	}
	p.note(Copy{l.to, from, uint64(units16(l.s))})
	return true
}

// starts finds the beginning of rest at the beginning of l.
func (p *putter) starts(l leftText, from ID, rest string, whole bool) bool {
	n := commonPrefix(l.s, rest)
	switch {
	case n == 0:
		return false
	case units16(l.s[:n]) >= minCopy, whole && n == len(rest):
		p.take(l.to, from, l.s[:n])
	case n == len(l.s):
		p.wait(l, from)
	default:
		return false
	}
	return true
}

// anywhere finds what comes back whole, and is too much to be chance.
func (p *putter) anywhere(l leftText) {
	for i := len(p.whole) - 1; i >= 0; i-- {
		w := p.whole[i]
		own := !slices.ContainsFunc(w.pieces, func(t textPiece) bool { return t.first.Client != l.to.Client })
		units := units16(w.text)
		k := strings.Index(l.s, w.text)
		if w.by != p.by || k < 0 || units < minElsewhere && (!own || units < minOwnElsewhere) {
			continue
		}
		if again := p.again(p.d, w.source, p.by, nil); again == nil || again.text != w.text {
			continue
		}
		var c copyMatcher
		c.take(l.to.plus(l.s[:k]), w.source, 0, len(w.text))
		p.note(c.out...)
		return
	}
}

// wait keeps a short beginning until it is clear that more comes back.
func (p *putter) wait(l leftText, from ID) {
	n, typing := uint64(units16(l.s)), p.typing[p.by]
	if !slices.ContainsFunc(typing.pending, func(c Copy) bool { return adjoin(c, from, n) }) {
		typing.pending = nil
	}
	typing.pending = append(typing.pending, Copy{l.to, from, n})
	typing.behind, typing.from = ID{l.to.Client, l.to.Clock + n - 1}, ID{from.Client, from.Clock + n}
	units, low, high := uint64(0), from.Clock, from.Clock+n
	for _, c := range typing.pending {
		units, low, high = units+c.Len, min(low, c.From.Clock), max(high, c.From.Clock+c.Len)
	}
	before := ""
	if low > 0 {
		before, _ = p.from(p.d, ID{from.Client, low - 1}, p.by)
	}
	if behind, _ := p.from(p.d, ID{from.Client, high}, p.by); units >= minCopy || before == "" && behind == "" {
		p.settle()
	}
}

// settle takes what is pending.
func (p *putter) settle() {
	typing := p.typing[p.by]
	p.note(typing.pending...)
	typing.pending = nil
}

// take notes that s puts back elements.
func (p *putter) take(to, from ID, s string) {
	n, typing := uint64(units16(s)), p.typing[p.by]
	if slices.ContainsFunc(typing.pending, func(c Copy) bool { return adjoin(c, from, n) }) {
		p.settle()
	}
	p.note(Copy{to, from, n})
	typing.behind, typing.from = ID{to.Client, to.Clock + n - 1}, ID{from.Client, from.Clock + n}
}

// adjoin reports whether n elements from one on are beside those that c repeats.
func adjoin(c Copy, from ID, n uint64) bool {
	return c.From.Client == from.Client && (c.From.Clock+c.Len == from.Clock || from.Clock+n == c.From.Clock)
}
