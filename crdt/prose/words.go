package prose

import (
	"slices"

	"github.com/clisonix/tidechart/crdt"
)

// matchLines finds which lexemes of two lines stayed: first those that are the same elements, between them those that read the same.
func (c *comparer) matchLines(m *match) {
	a, b := m.a.line.lexemes(), m.b.line.lexemes()
	n := 0
	for n < min(len(a), len(b)) && a[n].is(&b[n]) {
		m.pairs = append(m.pairs, pair{n, n})
		n++
	}
	tail := 0
	for tail < min(len(a), len(b))-n && a[len(a)-1-tail].is(&b[len(b)-1-tail]) {
		tail++
	}
	end := pair{len(a) - tail, len(b) - tail}
	i, j := n, n
	for _, p := range append(stayed(a[:end.a], b[:end.b], n), end) {
		c.reads(m, a[i:p.a], b[j:p.b], pair{i, j}, true)
		if i, j = p.a+1, p.b+1; p != end {
			m.pairs = append(m.pairs, p)
		}
	}
	for k := range tail {
		m.pairs = append(m.pairs, pair{end.a + k, end.b + k})
	}
}

// stayed pairs the lexemes from n on that are the same elements, in order.
func stayed(a, b []lexeme, n int) []pair {
	if len(a) == n || len(b) == n {
		return nil
	}
	at := make(map[crdt.ID]int, len(a)-n)
	for i := n; i < len(a); i++ {
		if a[i].traced {
			at[a[i].id] = i
		}
	}
	var list []candidate
	for j := n; j < len(b); j++ {
		if i, ok := at[b[j].id]; ok && a[i].is(&b[j]) {
			list = append(list, candidate{pair{i, j}, uint64(b[j].size())})
		}
	}
	return heaviest(list, len(b))
}

// reads pairs lexemes of two stretches that read the same; from is where the stretches begin.
func (c *comparer) reads(m *match, a, b []lexeme, from pair, whole bool) {
	for len(a) > 0 && len(b) > 0 && a[0].equal(&b[0]) {
		m.pairs = append(m.pairs, from)
		a, b, from = a[1:], b[1:], pair{from.a + 1, from.b + 1}
	}
	tail := 0
	for len(a) > 0 && len(b) > 0 && a[len(a)-1].equal(&b[len(b)-1]) {
		a, b, tail = a[:len(a)-1], b[:len(b)-1], tail+1
	}
	end := pair{from.a + len(a), from.b + len(b)}
	switch pairs, ok := c.shortest(a, b); {
	case ok:
		for _, p := range worded(pairs, a) {
			m.pairs = append(m.pairs, pair{from.a + p.a, from.b + p.b})
		}
	case whole: // parted by words that are there once, it may be short enough
		i, j := 0, 0
		for _, p := range append(once(a, b), pair{len(a), len(b)}) {
			c.reads(m, a[i:p.a], b[j:p.b], pair{from.a + i, from.b + j}, false)
			if i, j = p.a+1, p.b+1; p.a < len(a) {
				m.pairs = append(m.pairs, pair{from.a + p.a, from.b + p.b})
			}
		}
	}
	for k := range tail {
		m.pairs = append(m.pairs, pair{end.a + k, end.b + k})
	}
}

// once pairs words that each side has once, in order.
func once(a, b []lexeme) []pair {
	type place struct{ n, at int }
	count := func(ts []lexeme) map[string]place {
		m := make(map[string]place)
		for i := range ts {
			if ts[i].isWord() {
				m[ts[i].text] = place{m[ts[i].text].n + 1, i}
			}
		}
		return m
	}
	in, list := count(a), []candidate(nil)
	for word, p := range count(b) {
		if q := in[word]; p.n == 1 && q.n == 1 {
			list = append(list, candidate{pair{q.at, p.at}, uint64(len(word))})
		}
	}
	return heaviest(list, len(b))
}

// worded leaves out pairs that stand together with no word among them: a gap or a full stop is no common ground.
func worded(pairs []pair, a []lexeme) []pair {
	out := pairs[:0]
	for i := 0; i < len(pairs); {
		k, word := i, false
		for ; k < len(pairs) && (k == i || pairs[k] == pair{pairs[k-1].a + 1, pairs[k-1].b + 1}); k++ {
			word = word || a[pairs[k].a].isWord() || a[pairs[k].a].node != nil
		}
		if word {
			out = append(out, pairs[i:k]...)
		}
		i = k
	}
	return out
}

// shortest returns the longest common subsequence of two stretches, if they differ by no more than [maxEdits].
//
// Source: E. Myers, An O(ND) Difference Algorithm and Its Variations, Algorithmica 1 (1986).
func (c *comparer) shortest(a, b []lexeme) ([]pair, bool) {
	if len(a) == 0 || len(b) == 0 {
		return nil, true
	}
	var reached [][]int // after d edits: how far in a, on diagonal k = x - y, at k+d
	for d := 0; d <= maxEdits; d++ {
		row := make([]int, 2*d+1)
		for k := -d; k <= d; k += 2 {
			x := 0
			switch {
			case d == 0:
			case k == -d || k != d && reached[d-1][k-1+d-1] < reached[d-1][k+1+d-1]:
				x = reached[d-1][k+1+d-1]
			default:
				x = reached[d-1][k-1+d-1] + 1
			}
			y := x - k
			for x < len(a) && y >= 0 && y < len(b) && a[x].equal(&b[y]) {
				if x, y = x+1, y+1; !c.spent(1) {
					return nil, false
				}
			}
			if row[k+d] = x; x >= len(a) && y >= len(b) {
				return back(append(reached, row), len(a), len(b)), true
			}
		}
		if !c.spent(d + 1) {
			return nil, false
		}
		reached = append(reached, row)
	}
	return nil, false
}

// back follows the way to the end, and returns its diagonal steps.
func back(reached [][]int, x, y int) (out []pair) {
	for d := len(reached) - 1; d >= 0; d-- {
		k, fromX, fromY := x-y, 0, 0
		if d > 0 {
			before := k - 1
			if k == -d || k != d && reached[d-1][k-1+d-1] < reached[d-1][k+1+d-1] {
				before = k + 1
			}
			fromX = reached[d-1][before+d-1]
			fromY = fromX - before
		}
		startX := fromX
		if d > 0 && k-1 == fromX-fromY {
			startX++
		}
		for ; x > startX; x, y = x-1, y-1 {
			out = append(out, pair{x - 1, y - 1})
		}
		x, y = fromX, fromY
	}
	slices.Reverse(out)
	return out
}
