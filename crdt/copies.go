package crdt

import (
	"cmp"
	"slices"
	"strings"
)

// A Copy says that Len elements of text from To on repeat those from From on:
// the update that brought the ones deleted the others. Editors split, join and
// retype paragraphs in this way.
type Copy struct {
	To, From ID
	Len      uint64
}

const (
	minCopy    = 4        // UTF-16 units of a part of a text; what is short is equal by chance
	copyEffort = 16 << 20 // bytes that are compared for one update; then the rest is new text
)

// bringsText returns the text that u brings and d lacks, in the order of u: that which stays, and that which u deletes, as one
// that was made while there was no line does.
func (d *Doc) bringsText(u *Update, deletes DeleteSet) (stays, gone []leftText) {
	for _, s := range u.sections {
		have := d.state(s.client)
		for b := range u.blocks(s) {
			if b.ref != refString || uint64(b.clock) < have {
				continue
			}
			at := b.clock
			for _, g := range deletes.touching(s.client, b.clock, b.end()) {
				from, to := max(g.Clock, b.clock), min(g.end(), b.end())
				if at < from {
					stays = append(stays, leftText{ID{s.client, uint64(at)}, string(b.cut(at, from))})
				}
				gone = append(gone, leftText{ID{s.client, uint64(from)}, string(b.cut(from, to))})
				at = to
			}
			if at < b.end() {
				stays = append(stays, leftText{ID{s.client, uint64(at)}, string(b.cut(at, b.end()))})
			}
		}
	}
	return stays, gone
}

// A doomed is elements of a run, from ≤ clock < to, that are about to be deleted.
type doomed struct {
	run      int32
	from, to uint32
	text     string // of what is gone already
}

// A source is text that stands together and is about to be deleted. What is
// between at and end has not been matched yet.
type source struct {
	text    string
	at, end int
	pieces  []textPiece
}

// A textPiece is the part of a source that is one client's, clock after clock.
type textPiece struct {
	first ID
	size  int // in bytes
}

// deletedTexts returns the living text among ds, which is normalized, and that
// which r remembers and the person by may bring again, if it is not nil. Text stands together if nothing that lives
// stands between, but for format marks.
func (d *Doc) deletedTexts(ds []DeleteRange, r *Removals, by int) []*source {
	var pieces []doomed
	for _, g := range ds {
		pieces = d.appendPieces(pieces, g, r, by)
	}
	out := []*source{}
	if r != nil {
		out = d.collectedTexts(ds, r, by)
	}
	at := make(map[int32][]int, len(pieces)) // by run
	for k, p := range pieces {
		at[p.run] = append(at[p.run], k)
	}
	next, follows := make([]int, len(pieces)), make([]bool, len(pieces))
	for k, p := range pieces {
		next[k] = -1
		if n := d.nextPiece(p, pieces, at); n >= 0 {
			next[k], follows[n] = n, true
		}
	}
	for k := range pieces {
		if follows[k] {
			continue
		}
		s := &source{}
		var text strings.Builder
		for n := k; n >= 0; n = next[n] {
			p := pieces[n]
			x := &d.runs[p.run]
			content := []byte(p.text)
			if p.text == "" {
				content = suffix(refString, d.content(x), x.n, p.from-x.clk)
				content = prefix(refString, content, x.end()-p.from, p.to-p.from)
			}
			text.Write(content)
			s.pieces = append(s.pieces, textPiece{ID{d.ids[x.cl()], uint64(p.from)}, len(content)})
		}
		s.text = text.String()
		s.end = len(s.text)
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b *source) int {
		x, y := a.pieces[0].first, b.pieces[0].first
		return cmp.Or(cmp.Compare(x.Client, y.Client), cmp.Compare(x.Clock, y.Clock))
	})
	return out
}

// collectedTexts returns what r remembers of the text among ds that has been collected.
func (d *Doc) collectedTexts(ds DeleteSet, r *Removals, by int) (out []*source) {
	var all []*source
	for _, g := range ds {
		c := d.lookup(g.Client)
		if c == none || g.Clock >= d.clients[c].next {
			continue
		}
		x := &d.clients[c].index
		for p, ok := x.find(d.runs, g.Clock), true; ok; p, ok = x.next(p) {
			y := &d.runs[x.at(p)]
			if y.clk >= g.end() {
				break
			}
			if y.list() == none {
				all = r.sources(all, ClockRange{g.Client, uint64(max(g.Clock, y.clk)), uint64(min(g.end(), y.end()))})
			}
		}
	}
	for _, s := range all {
		if s = r.again(d, s, by, ds); s != nil {
			out = append(out, s)
		}
	}
	return out
}

// appendPieces adds the text of one range.
func (d *Doc) appendPieces(pieces []doomed, g DeleteRange, m *Removals, by int) []doomed {
	c := d.lookup(g.Client)
	if c == none || g.Clock >= d.clients[c].next {
		return pieces
	}
	x := &d.clients[c].index
	for p, ok := x.find(d.runs, g.Clock), true; ok; p, ok = x.next(p) {
		r := &d.runs[x.at(p)]
		if r.clk >= g.Clock+g.Len {
			break
		}
		from, to := max(g.Clock, r.clk), min(g.Clock+g.Len, r.end())
		switch {
		case r.ref() == refString && !r.deleted():
			pieces = append(pieces, doomed{run: x.at(p), from: from, to: to})
		case r.deleted() && r.list() != none && m != nil:
			for id, text := range m.between(d, ClockRange{g.Client, uint64(from), uint64(to)}, by) {
				pieces = append(pieces, doomed{x.at(p), uint32(id.Clock), uint32(id.Clock) + uint32(units16(text)), text})
			}
		}
	}
	return pieces
}

// nextPiece returns the piece that stands behind p, or -1.
func (d *Doc) nextPiece(p doomed, pieces []doomed, at map[int32][]int) int {
	for i := p.run; i != none; i = d.runs[i].r {
		y := &d.runs[i]
		from, next := y.clk, -1
		if i == p.run {
			from = p.to
		}
		for _, k := range at[i] {
			if pieces[k].from >= from && (next < 0 || pieces[k].from < pieces[next].from) {
				next = k
			}
		}
		alive := !y.deleted() && y.countable() && from < y.end()
		if next >= 0 && (!alive || pieces[next].from == from) {
			return next
		}
		if alive {
			return -1
		}
	}
	return -1
}
