package crdt

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"
)

// A copyMatcher finds texts in sources, and uses them up.
type copyMatcher struct {
	sources []*source
	effort  int
	out     []Copy
	taken   []taken    // in the order of out
	left    []leftText // that was not found
	grams   map[string][]place
}

// place is where in a source something begins, in bytes.
type place struct {
	of *source
	at int
}

// taken is which bytes of a source stand where now.
type taken struct {
	to       ID
	end      uint64 // clock behind the last of them
	of       *source
	from, at int // bytes from ≤ i < at
}

// leftText is text whose first element is to.
type leftText struct {
	to ID
	s  string
}

// matchAll finds where texts come from. What does not stay takes nothing away from what does.
func (m *copyMatcher) matchAll(stays, gone []leftText) {
	for _, l := range stays {
		m.match(l.to, l.s)
	}
	m.finish()
	for _, l := range gone {
		again := copyMatcher{effort: m.effort}
		for _, c := range m.sources {
			again.sources = append(again.sources, &source{c.text, 0, len(c.text), c.pieces})
		}
		again.match(l.to, l.s)
		m.effort, m.out, m.left = again.effort, append(m.out, again.out...), append(m.left, again.left...)
	}
}

// match finds where the text s, whose first element is to, comes from.
func (m *copyMatcher) match(to ID, s string) {
	work := []leftText{{to, s}}
	for len(work) > 0 && m.effort > 0 {
		p := work[len(work)-1]
		work = work[:len(work)-1]
		if p.s == "" || m.within(p.to, p.s) {
			continue
		}
		if from, end := m.holds(p.to, p.s); from < end {
			work = append(work, leftText{p.to.plus(p.s[:end]), p.s[end:]}, leftText{p.to, p.s[:from]})
			continue
		}
		if from, end := m.ends(p.to, p.s); from < end {
			m.common(leftText{p.to.plus(p.s[:from]), p.s[from:end]})
		}
	}
	m.left = append(m.left, work...)
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
		if k < 0 || short && (k > 0 || c.at == 0 && c.end > len(s)) || m.isTaken(c, c.at+k, c.at+k+len(s)) {
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
		if k < 0 || units16(rest) < minCopy || m.isTaken(c, c.at, c.end) {
			continue
		}
		m.take(to.plus(s[:k]), c, c.at, len(rest))
		c.at = c.end
		return k, k + len(rest)
	}
	return 0, 0
}

// ends matches the beginning and the end of a text with those of a source, and returns what is between.
func (m *copyMatcher) ends(to ID, s string) (from, end int) {
	for _, c := range m.sources {
		rest := c.text[c.at:c.end]
		if m.effort -= min(len(rest), len(s)); m.effort <= 0 {
			break
		}
		p := commonPrefix(s, rest)
		if units16(s[:p]) < minCopy {
			p = 0
		}
		q := commonSuffix(s[p:], rest[p:])
		if units16(s[len(s)-q:]) < minCopy {
			q = 0
		}
		if p+q == 0 || m.isTaken(c, c.at, c.at+p) || m.isTaken(c, c.end-q, c.end) {
			continue
		}
		if p > 0 {
			m.take(to, c, c.at, p)
		}
		if q > 0 {
			m.take(to.plus(s[:len(s)-q]), c, c.end-q, q)
		}
		c.at, c.end = c.at+p, c.end-q
		return p, len(s) - q
	}
	return 0, len(s)
}

// Where a gram of a source is looked up, in so many places at most.
const mostPlaces = 16

// common finds in l what is part of a source, wherever it stands: the longest
// part first that begins with each letter.
func (m *copyMatcher) common(l leftText) {
	if m.grams == nil {
		m.grams = make(map[string][]place)
		for _, c := range m.sources {
			m.effort -= len(c.text)
			for i := range c.text {
				if g := gram(c.text[i:]); g != "" && len(m.grams[g]) < mostPlaces {
					m.grams[g] = append(m.grams[g], place{c, i})
				}
			}
		}
	}
	from := 0 // of what is left
	for i := 0; i < len(l.s) && m.effort > 0; {
		best, n := place{}, 0
		for _, p := range m.grams[gram(l.s[i:])] {
			k := commonPrefix(l.s[i:], p.of.text[p.at:])
			m.effort -= k
			if k > n && units16(l.s[i:i+k]) >= minCopy && !m.isTaken(p.of, p.at, p.at+k) {
				best, n = p, k
			}
		}
		if n == 0 {
			_, size := utf8.DecodeRuneInString(l.s[i:])
			i += size
			continue
		}
		if from < i {
			m.left = append(m.left, leftText{l.to.plus(l.s[:from]), l.s[from:i]})
		}
		m.take(l.to.plus(l.s[:i]), best.of, best.at, n)
		i += n
		from = i
	}
	if from < len(l.s) {
		m.left = append(m.left, leftText{l.to.plus(l.s[:from]), l.s[from:]})
	}
}

// gram returns the shortest beginning of s that has minCopy UTF-16 units; none: it is too short.
func gram(s string) string {
	units := 0
	for i, r := range s {
		if units >= minCopy {
			return s[:i]
		}
		units++
		if r >= 1<<16 {
			units++
		}
	}
	if units < minCopy {
		return ""
	}
	return s
}

// mostBetween is how many elements may stand between two parts of a text that was copied: format marks, and what was
// deleted of the copy.
const mostBetween = 64

// mostSkipped is how much of a source may be missing between two parts of it that are found, because it has not come back, or
// elsewhere.
const mostSkipped = 8

// finish finds what of the parts that are left is there, after all were looked at.
func (m *copyMatcher) finish() {
	m.extend()
	m.cover()
	m.rests()
}

// rests finds what is left of a text whose other end was removed, as when an editor joins two paragraphs of which somebody has
// deleted the end and the beginning.
func (m *copyMatcher) rests() {
	m.left = slices.DeleteFunc(m.left, func(l leftText) bool {
		for _, c := range m.sources {
			if m.effort -= len(l.s); len(l.s) > len(c.text) {
				continue
			}
			for _, at := range []int{0, len(c.text) - len(l.s)} {
				if m.effort > 0 && c.text[at:at+len(l.s)] == l.s && !m.isTaken(c, at, at+len(l.s)) {
					m.take(l.to, c, at, len(l.s))
					return true
				}
			}
		}
		return false
	})
}

// cover finds parts of sources that come back piece by piece, so that nothing is missing of the whole: however short they are,
// they are no chance.
func (m *copyMatcher) cover() {
	if len(m.left) == 0 || len(m.left) > mostBetween || len(m.sources) > mostBetween {
		return
	}
	byLength := slices.Clone(m.left)
	slices.SortStableFunc(byLength, func(a, b leftText) int { return cmp.Compare(len(b.s), len(a.s)) })
	found := make(map[ID]bool)
	for _, c := range m.sources {
		rest := []byte(c.text)
		for _, t := range m.taken {
			if t.of == c {
				clear(rest[t.from:t.at])
			}
		}
		var places []place
		var parts []leftText
		for _, l := range byLength {
			m.effort -= len(rest)
			if found[l.to] || m.effort <= 0 {
				continue
			}
			if k := strings.Index(string(rest), l.s); k >= 0 {
				clear(rest[k : k+len(l.s)])
				places, parts = append(places, place{c, k}), append(parts, l)
			}
		}
		if len(strings.Trim(string(rest), "\x00")) > 0 {
			continue
		}
		for i, l := range parts {
			m.take(l.to, c, places[i].at, len(l.s))
			found[l.to] = true
		}
	}
	m.left = slices.DeleteFunc(m.left, func(l leftText) bool { return found[l.to] })
}

// extend finds what is left beside what was found: however short it is, it goes on as its source does.
func (m *copyMatcher) extend() {
	if len(m.taken) == 0 {
		return
	}
	for range 2 { // there, and back
		left := m.left
		m.left = nil
		for _, l := range left {
			if m.effort <= 0 || !m.behind(&l) && !m.before(&l) || l.s != "" {
				m.left = append(m.left, l)
			}
		}
		slices.Reverse(m.left)
	}
}

// behind takes of the beginning of l what stands in a source behind what was found before l.
func (m *copyMatcher) behind(l *leftText) bool {
	k := -1
	for i, t := range m.taken {
		if t.to.Client == l.to.Client && t.end <= l.to.Clock && (k < 0 || t.end > m.taken[k].end) {
			k = i
		}
	}
	m.effort -= len(m.taken)
	if k < 0 || l.to.Clock-m.taken[k].end > mostBetween {
		return false
	}
	t := m.taken[k]
	rest := t.of.text[t.at:]
	if gap := m.gapBehind(t); gap != "" && len(gap) < len(l.s) && strings.HasSuffix(l.s, gap) { // something was written between the two
		m.take(l.to.plus(l.s[:len(l.s)-len(gap)]), t.of, t.at, len(gap))
		l.s = l.s[:len(l.s)-len(gap)]
		return true
	}
	for skip, units := 0, uint64(0); skip < len(rest) && units <= max(mostSkipped, l.to.Clock-t.end); skip, units = skipUnit(rest, skip, units) {
		n := commonPrefix(l.s, rest[skip:])
		m.effort -= n + 1
		if n == 0 || n < len(l.s) && skip > 0 || m.isTaken(t.of, t.at+skip, t.at+skip+n) {
			continue
		}
		m.take(l.to, t.of, t.at+skip, n)
		l.to, l.s = l.to.plus(l.s[:n]), l.s[n:]
		return true
	}
	return false
}

// before takes of the end of l what stands in a source before what was found behind l.
func (m *copyMatcher) before(l *leftText) bool {
	end, k := l.to.plus(l.s).Clock, -1
	for i, t := range m.taken {
		if t.to.Client == l.to.Client && t.to.Clock >= end && (k < 0 || t.to.Clock < m.taken[k].to.Clock) {
			k = i
		}
	}
	m.effort -= len(m.taken)
	if k < 0 || m.taken[k].to.Clock-end > mostBetween {
		return false
	}
	t := m.taken[k]
	rest := t.of.text[:t.from]
	if gap := m.gapBefore(t); gap != "" && len(gap) < len(l.s) && strings.HasPrefix(l.s, gap) {
		m.take(l.to, t.of, t.from-len(gap), len(gap))
		l.to, l.s = l.to.plus(gap), l.s[len(gap):]
		return true
	}
	for units := uint64(0); rest != "" && units <= max(mostSkipped, t.to.Clock-end); units++ {
		n := commonSuffix(l.s, rest)
		m.effort -= n + 1
		if n > 0 && (n == len(l.s) || units == 0) && !m.isTaken(t.of, len(rest)-n, len(rest)) {
			m.take(l.to.plus(l.s[:len(l.s)-n]), t.of, len(rest)-n, n)
			l.s = l.s[:len(l.s)-n]
			return true
		}
		_, size := utf8.DecodeLastRuneInString(rest)
		rest = rest[:len(rest)-size]
	}
	return false
}

// gapBehind returns what of a source stands between t and what is taken next of it.
func (m *copyMatcher) gapBehind(t taken) string {
	end := len(t.of.text)
	for _, o := range m.taken {
		if o.of == t.of && o.from >= t.at {
			end = min(end, o.from)
		}
	}
	return t.of.text[t.at:end]
}

// gapBefore returns what stands between t and what is taken before it.
func (m *copyMatcher) gapBefore(t taken) string {
	from := 0
	for _, o := range m.taken {
		if o.of == t.of && o.at <= t.from {
			from = max(from, o.at)
		}
	}
	return t.of.text[from:t.from]
}

// skipUnit returns where the character behind byte i of s begins, and how many UTF-16 units that is on.
func skipUnit(s string, i int, units uint64) (int, uint64) {
	_, size := utf8.DecodeRuneInString(s[i:])
	return i + size, units + uint64(units16(s[i:i+size]))
}

func (m *copyMatcher) isTaken(c *source, from, end int) bool {
	m.effort -= len(m.taken)
	return slices.ContainsFunc(m.taken, func(t taken) bool { return t.of == c && t.from < end && t.at > from })
}

// take notes that n bytes of text at to come from source c, from byte at on.
func (m *copyMatcher) take(to ID, c *source, at, n int) {
	begin := 0
	m.taken = append(m.taken, taken{to, to.Clock + uint64(units16(c.text[at:at+n])), c, at, at + n})
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
