package crdt

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"
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

// Copies returns what of the text that u brings repeats text that u deletes. It
// must be asked before u is applied. Each deleted element is the source of one
// copy at most, and the same log gives the same copies, whether a document
// collects or not.
//
// A text counts as copied if it is part of one that was deleted, or holds one,
// or begins or ends like one.
func (d *Doc) Copies(u *Update) []Copy {
	if len(u.sections) == 0 || u.b[u.ds] == 0 {
		return nil
	}
	m := copyMatcher{effort: copyEffort}
	for _, s := range u.sections {
		have := d.state(s.client)
		for b := range u.blocks(s) {
			if b.ref == refString && uint64(b.clock) >= have {
				if m.sources == nil {
					m.sources = d.deletedTexts(u.Deletes())
				}
				m.match(ID{b.client, uint64(b.clock)}, string(b.content))
			}
			if m.sources != nil && len(m.sources) == 0 {
				break
			}
		}
	}
	return m.out
}

// A doomed is elements of a run, from ≤ clock < to, that are about to be deleted.
type doomed struct {
	run      int32
	from, to uint32
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

// deletedTexts returns the living text among ds, which is normalized. Text
// stands together if nothing that lives stands between, but for format marks.
func (d *Doc) deletedTexts(ds []DeleteRange) []*source {
	var pieces []doomed
	for _, g := range ds {
		pieces = d.appendPieces(pieces, g)
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
	out := []*source{}
	for k := range pieces {
		if follows[k] {
			continue
		}
		s := &source{}
		var text strings.Builder
		for n := k; n >= 0; n = next[n] {
			p := pieces[n]
			x := &d.runs[p.run]
			content := suffix(refString, d.content(x), x.n, p.from-x.clk)
			content = prefix(refString, content, x.end()-p.from, p.to-p.from)
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

// appendPieces adds the living text of one range.
func (d *Doc) appendPieces(pieces []doomed, g DeleteRange) []doomed {
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
		if r.ref() == refString && !r.deleted() {
			pieces = append(pieces, doomed{x.at(p), max(g.Clock, r.clk), min(g.Clock+g.Len, r.end())})
		}
	}
	return pieces
}

// nextPiece returns the piece that stands behind p, or -1.
func (d *Doc) nextPiece(p doomed, pieces []doomed, at map[int32][]int) int {
	x := &d.runs[p.run]
	if p.to < x.end() {
		return -1
	}
	for i := x.r; i != none; i = d.runs[i].r {
		y := &d.runs[i]
		if y.deleted() || !y.countable() {
			continue
		}
		for _, k := range at[i] {
			if pieces[k].from == y.clk {
				return k
			}
		}
		return -1
	}
	return -1
}

// A copyMatcher finds texts in sources, and uses them up.
type copyMatcher struct {
	sources []*source
	effort  int
	out     []Copy
}

// match finds where the text s, whose first element is to, comes from.
func (m *copyMatcher) match(to ID, s string) {
	type part struct {
		to ID
		s  string
	}
	work := []part{{to, s}}
	for len(work) > 0 && m.effort > 0 {
		p := work[len(work)-1]
		work = work[:len(work)-1]
		if p.s == "" || m.within(p.to, p.s) {
			continue
		}
		if from, end := m.holds(p.to, p.s); from < end {
			work = append(work, part{p.to.plus(p.s[:end]), p.s[end:]}, part{p.to, p.s[:from]})
			continue
		}
		m.ends(p.to, p.s)
	}
}

// within matches a text that is part of a source. One that is short must go on
// where the last match ended, or be the whole.
func (m *copyMatcher) within(to ID, s string) bool {
	short := units16(s) < minCopy
	for _, c := range m.sources {
		if m.effort -= c.end - c.at + len(s); m.effort <= 0 {
			return false
		}
		k := strings.Index(c.text[c.at:c.end], s)
		if k < 0 || short && (k > 0 || c.at == 0 && c.end > len(s)) {
			continue
		}
		m.take(to, c, c.at+k, len(s))
		c.at += k + len(s)
		return true
	}
	return false
}

// holds matches the first source that is part of a text, and returns where.
func (m *copyMatcher) holds(to ID, s string) (from, end int) {
	for _, c := range m.sources {
		if c.at == c.end {
			continue
		}
		if m.effort -= c.end - c.at + len(s); m.effort <= 0 {
			return 0, 0
		}
		rest := c.text[c.at:c.end]
		k := strings.Index(s, rest)
		if k < 0 || units16(rest) < minCopy {
			continue
		}
		m.take(to.plus(s[:k]), c, c.at, len(rest))
		c.at = c.end
		return k, k + len(rest)
	}
	return 0, 0
}

// ends matches the beginning and the end of a text with those of a source.
func (m *copyMatcher) ends(to ID, s string) {
	for _, c := range m.sources {
		rest := c.text[c.at:c.end]
		if m.effort -= min(len(rest), len(s)); m.effort <= 0 {
			return
		}
		p := commonPrefix(s, rest)
		if units16(s[:p]) < minCopy {
			p = 0
		}
		q := commonSuffix(s[p:], rest[p:])
		if units16(s[len(s)-q:]) < minCopy {
			q = 0
		}
		if p+q == 0 {
			continue
		}
		if p > 0 {
			m.take(to, c, c.at, p)
		}
		if q > 0 {
			m.take(to.plus(s[:len(s)-q]), c, c.end-q, q)
		}
		c.at, c.end = c.at+p, c.end-q
		return
	}
}

// take notes that n bytes of text at to come from source c, from byte at on.
func (m *copyMatcher) take(to ID, c *source, at, n int) {
	begin := 0
	for _, p := range c.pieces {
		from, end := max(at, begin), min(at+n, begin+p.size)
		if from < end {
			size := uint64(units16(c.text[from:end]))
			m.out = append(m.out, Copy{to, p.first.plus(c.text[begin:from]), size})
			to.Clock += size
		}
		begin += p.size
	}
}

// plus returns the element behind the text s, which begins at id.
func (id ID) plus(s string) ID { return ID{id.Client, id.Clock + uint64(units16(s))} }

func commonPrefix(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	for n > 0 && n < len(a) && !utf8.RuneStart(a[n]) {
		n--
	}
	return n
}

func commonSuffix(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[len(a)-1-n] == b[len(b)-1-n] {
		n++
	}
	for n > 0 && !utf8.RuneStart(a[len(a)-n]) {
		n--
	}
	return n
}

// units16 returns the length of s in UTF-16 units.
func units16(s string) int {
	n := 0
	for i := range len(s) {
		if c := s[i]; c&0xc0 != 0x80 {
			n++
			if c >= 0xf0 {
				n++
			}
		}
	}
	return n
}
