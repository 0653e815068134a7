package prose

import (
	"cmp"
	"slices"
	"sort"

	"github.com/clisonix/tidechart/crdt"
)

// Limits of a comparison (I10). Beyond them it is coarser, never wrong.
const (
	maxEffort = 8 << 20 // lexemes and elements that are looked at for more than sorting them
	maxEdits  = 256     // lexemes that two stretches of text may differ by and still be compared word by word
	nearby    = 8       // blocks that one without a trace is compared with
	maxMoved  = 1 << 17 // lexemes of which it is found out whether they moved
)

// A match is two nodes, or two lines, that are one. A step with one side only has come or gone.
type match struct {
	a, b  *outline
	same  bool    // in all that they say
	steps []match // of nodes
	pairs []pair  // of lines: lexemes that stayed
}

// A pair is two of two sequences, by index.
type pair struct{ a, b int }

// A comparer compares two versions.
type comparer struct {
	effort   int                  // what is left of it
	overlaps [][]overlap          // by line of the newer version
	moved    map[crdt.ID]struct{} // first elements of lexemes that stand elsewhere now
}

// An overlap is how much text of a line of the newer version a line of the older one had.
type overlap struct {
	line int
	size uint64
}

// spent takes n of the effort, and reports whether there was as much.
func (c *comparer) spent(n int) bool {
	c.effort -= n
	return c.effort >= 0
}

// An ownPiece is elements of one line.
type ownPiece struct {
	of   crdt.ID
	end  uint64
	line int
}

// trace finds which lines of the older version the text of each line of the newer one was in.
func (c *comparer) trace(a, b *outline) {
	var had []ownPiece
	a.eachPiece(func(line int, p crdt.Piece) { had = append(had, ownPiece{p.Of, p.Of.Clock + p.Len, line}) })
	slices.SortFunc(had, func(x, y ownPiece) int {
		return cmp.Or(cmp.Compare(x.of.Client, y.of.Client), cmp.Compare(x.of.Clock, y.of.Clock))
	})
	c.overlaps = make([][]overlap, b.to)
	b.eachPiece(func(line int, p crdt.Piece) {
		end := p.Of.Clock + p.Len
		k := sort.Search(len(had), func(i int) bool {
			x := &had[i]
			return x.of.Client > p.Of.Client || x.of.Client == p.Of.Client && x.end > p.Of.Clock
		})
		for ; k < len(had) && had[k].of.Client == p.Of.Client && had[k].of.Clock < end && c.spent(1); k++ {
			size := min(end, had[k].end) - max(p.Of.Clock, had[k].of.Clock)
			list := &c.overlaps[line]
			if n := len(*list); n > 0 && (*list)[n-1].line == had[k].line {
				(*list)[n-1].size += size
			} else {
				*list = append(*list, overlap{had[k].line, size})
			}
		}
	})
}

// eachPiece calls f for the pieces of each line.
func (o *outline) eachPiece(f func(line int, p crdt.Piece)) {
	if o.line != nil {
		for i := range o.line.nodes {
			for _, p := range o.line.nodes[i].Pieces {
				f(o.from, p)
			}
		}
		return
	}
	for i := range o.kids {
		o.kids[i].eachPiece(f)
	}
}

// match finds out what became of the content of two nodes, or of two lines.
func (c *comparer) match(m *match) {
	if m.a.line != nil && m.b.line != nil {
		c.matchLines(m)
		return
	}
	pairs := heaviest(c.candidates(m.a, m.b), len(m.b.kids))
	i, j := 0, 0
	for _, p := range append(pairs, pair{len(m.a.kids), len(m.b.kids)}) {
		c.between(m, i, p.a, j, p.b)
		if i, j = p.a+1, p.b+1; p.a < len(m.a.kids) {
			c.step(m, p)
		}
	}
}

// step adds two children that are one.
func (c *comparer) step(m *match, p pair) {
	s := match{a: &m.a.kids[p.a], b: &m.b.kids[p.b]}
	if s.same = s.a.says(s.b); !s.same {
		c.match(&s)
	}
	m.steps = append(m.steps, s)
}

// A candidate is a pair and how much says that it is one.
type candidate struct {
	pair
	weight uint64
}

// candidates returns for each child of b which of a it may have been, in their order.
func (c *comparer) candidates(a, b *outline) []candidate {
	byID := make(map[crdt.ID]int, len(a.kids))
	for i := range a.kids {
		if id, ok := a.kids[i].id(); ok {
			byID[id] = i
		}
	}
	votes := make(map[int]uint64)
	var out []candidate
	for j := range b.kids {
		kid := &b.kids[j]
		if id, ok := kid.id(); ok {
			if i, same := byID[id]; same && fits(&a.kids[i], kid) {
				out = append(out, candidate{pair{i, j}, uint64(kid.size) + 2})
				continue
			}
		}
		clear(votes)
		best := candidate{pair: pair{-1, j}}
		for line := kid.from; line < kid.to; line++ {
			for _, o := range c.overlaps[line] {
				if o.line < a.from || o.line >= a.to || !c.spent(1) {
					continue
				}
				i := sort.Search(len(a.kids), func(i int) bool { return a.kids[i].to > o.line })
				if votes[i] += o.size; votes[i] > best.weight && fits(&a.kids[i], kid) {
					best.a, best.weight = i, votes[i]
				}
			}
		}
		if best.a >= 0 {
			out = append(out, best)
		}
	}
	return out
}

// id returns the element that a node is.
func (o *outline) id() (crdt.ID, bool) {
	if o.node == nil || len(o.node.Pieces) == 0 {
		return crdt.ID{}, false
	}
	return o.node.Pieces[0].ID, true
}

// fits reports whether what is in a and b can be compared: both are lines, or blocks of text, or hold blocks.
func fits(a, b *outline) bool {
	if (a.line == nil) != (b.line == nil) {
		return false
	}
	return a.line != nil || a.node.Type == b.node.Type || textblock(*a.node) == textblock(*b.node) && family(a.node.Type) == family(b.node.Type)
}

// family is what a part of a table can only be told from: a row never became a quotation.
func family(kind string) string {
	switch kind {
	case "tableCell", "tableHeader":
		return "cell"
	case "table", "tableRow":
		return kind
	}
	return ""
}

// heaviest returns the pairs that rise on both sides and weigh most together. There are below n on the right, each once.
func heaviest(list []candidate, n int) []pair {
	slices.SortFunc(list, func(x, y candidate) int { return cmp.Or(cmp.Compare(x.a, y.a), cmp.Compare(y.b, x.b)) })
	type best struct {
		weight uint64
		last   int // candidate; -1: none
	}
	tree := make([]best, n+1) // Fenwick: of pairs that end below
	for i := range tree {
		tree[i].last = -1
	}
	before := make([]int, len(list))
	top := best{last: -1}
	for k, x := range list {
		b := best{last: -1}
		for i := x.b; i > 0; i &= i - 1 {
			if tree[i].weight > b.weight {
				b = tree[i]
			}
		}
		before[k] = b.last
		b = best{b.weight + x.weight, k}
		if b.weight > top.weight {
			top = b
		}
		for i := x.b + 1; i <= n; i += i & -i {
			if b.weight > tree[i].weight {
				tree[i] = b
			}
		}
	}
	var out []pair
	for k := top.last; k >= 0; k = before[k] {
		out = append(out, list[k].pair)
	}
	slices.Reverse(out)
	return out
}

// between adds what stands between two pairs: children i ≤ … < iEnd of a, j ≤ … < jEnd of b. Those that say the same are one, and so
// are those with half of their words in common.
func (c *comparer) between(m *match, i, iEnd, j, jEnd int) {
	same := func(i, j int) bool { return m.a.kids[i].says(&m.b.kids[j]) }
	for ; i < iEnd && j < jEnd && same(i, j); i, j = i+1, j+1 {
		c.step(m, pair{i, j})
	}
	tail := 0
	for i < iEnd && j < jEnd && same(iEnd-1, jEnd-1) {
		iEnd, jEnd, tail = iEnd-1, jEnd-1, tail+1
	}
	for _, p := range append(c.alikes(m, i, iEnd, j, jEnd), pair{iEnd, jEnd}) {
		for ; i < p.a; i++ {
			m.steps = append(m.steps, match{a: &m.a.kids[i]})
		}
		for ; j < p.b; j++ {
			m.steps = append(m.steps, match{b: &m.b.kids[j]})
		}
		if i < iEnd {
			c.step(m, p)
			i, j = i+1, j+1
		}
	}
	for k := range tail {
		c.step(m, pair{iEnd + k, jEnd + k})
	}
}

// alikes pairs children with half of their words in common.
func (c *comparer) alikes(m *match, i, iEnd, j, jEnd int) (out []pair) {
	for ; j < jEnd; j++ {
		for k := i; k < min(iEnd, i+nearby); k++ {
			if c.alike(&m.a.kids[k], &m.b.kids[j]) {
				out = append(out, pair{k, j})
				i = k + 1
				break
			}
		}
	}
	return out
}

func (c *comparer) alike(a, b *outline) bool {
	if !fits(a, b) || !c.spent(1+a.size+b.size) {
		return false
	}
	if a.says(b) {
		return true
	}
	has := make(map[string]int)
	all, common := 0, 0
	a.eachWord(func(s string) { has[s]++; all++ })
	b.eachWord(func(s string) {
		all++
		if has[s] > 0 {
			has[s]--
			common++
		}
	})
	return common > 0 && 4*common >= all
}

func (o *outline) eachWord(f func(string)) {
	o.eachLexeme(func(t *lexeme) {
		if t.isWord() {
			f(t.text)
		}
	})
}

// eachLexeme calls f for all text.
func (o *outline) eachLexeme(f func(*lexeme)) {
	if o.line != nil {
		ts := o.line.lexemes()
		for i := range ts {
			f(&ts[i])
		}
		return
	}
	for i := range o.kids {
		o.kids[i].eachLexeme(f)
	}
}

// findMoved finds out which text went in one place and came in another.
func (c *comparer) findMoved(m *match) {
	lost := make(map[crdt.ID]string)
	m.eachSingle(func(t *lexeme, came bool) {
		if t.traced && !came && len(lost) < maxMoved {
			lost[t.id] = t.text
		}
	})
	m.eachSingle(func(t *lexeme, came bool) {
		if t.traced && came && lost[t.id] == t.text {
			c.moved[t.id] = struct{}{}
		}
	})
}

func (c *comparer) hasMoved(t *lexeme) bool {
	_, moved := c.moved[t.id]
	return moved && t.traced
}

// eachSingle calls f for the lexemes that one version has, and the other has not in that place.
func (m *match) eachSingle(f func(t *lexeme, came bool)) {
	switch {
	case m.same:
	case m.a == nil || m.b == nil:
		for _, side := range [...]*outline{m.a, m.b} {
			if side != nil {
				side.eachLexeme(func(t *lexeme) { f(t, side == m.b) })
			}
		}
	case m.b.line != nil:
		a, b, i, j := m.a.line.lexemes(), m.b.line.lexemes(), 0, 0
		for _, p := range append(m.pairs, pair{len(a), len(b)}) {
			for ; i < p.a; i++ {
				f(&a[i], false)
			}
			for ; j < p.b; j++ {
				f(&b[j], true)
			}
			i, j = i+1, j+1
		}
	default:
		for i := range m.steps {
			m.steps[i].eachSingle(f)
		}
	}
}
