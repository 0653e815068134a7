package prose

import (
	"hash/fnv"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/clisonix/tidechart/crdt"
)

// An outline is a node, or a line of inline nodes that stand side by side, as a comparison
// sees it.
type outline struct {
	node     *Node
	line     *line // instead of a node
	kids     []outline
	from, to int    // its lines are those from ≤ n < to, numbered through the version
	hash     uint64 // of all that it says; equal ones are compared
	size     int    // bytes of text
}

// outlineOf returns the outline of a version.
func outlineOf(doc *Node) outline {
	lines := 0
	return nodeOutline(doc, &lines)
}

func nodeOutline(n *Node, lines *int) outline {
	o := outline{node: n, from: *lines}
	h := fnv.New64a()
	_, _ = io.WriteString(h, n.Type)
	for rest := n.Content; len(rest) > 0; {
		k := 0
		for k < len(rest) && Inline(rest[k]) {
			k++
		}
		var kid outline
		if k > 0 {
			kid = lineOutline(rest[:k], *lines)
			*lines++
		} else {
			k, kid = 1, nodeOutline(&rest[0], lines)
		}
		o.kids = append(o.kids, kid)
		o.size += kid.size
		var sum [8]byte
		for i := range sum {
			sum[i] = byte(kid.hash >> (8 * i))
		}
		_, _ = h.Write(sum[:])
		rest = rest[k:]
	}
	o.to, o.hash = *lines, h.Sum64()
	return o
}

func lineOutline(nodes []Node, number int) outline {
	l := newLine(nodes)
	h := fnv.New64a()
	_, _ = io.WriteString(h, l.text)
	return outline{line: l, from: number, to: number + 1, hash: h.Sum64(), size: len(l.text)}
}

// says reports whether two outlines say the same: their text, kinds, attributes and marks.
func (o *outline) says(p *outline) bool {
	if o.hash != p.hash || o.size != p.size || len(o.kids) != len(p.kids) || (o.line == nil) != (p.line == nil) {
		return false
	}
	if o.line != nil {
		return o.line.says(p.line)
	}
	if !sameShell(*o.node, *p.node) {
		return false
	}
	for i := range o.kids {
		if !o.kids[i].says(&p.kids[i]) {
			return false
		}
	}
	return true
}

// sameShell reports whether two nodes are of one kind, with the same attributes and marks.
func sameShell(a, b Node) bool {
	return a.Type == b.Type && sameAttrs(a.Attrs, b.Attrs) && sameMarks(a.Marks, b.Marks)
}

func sameAttrs(a, b map[string]any) bool {
	return sameMarks([]Mark{{Attrs: a}}, []Mark{{Attrs: b}})
}

// atom stands in the text of a line for a node that is no text.
const atom = "\uFFFC"

// A line is inline nodes as one text.
type line struct {
	nodes  []Node
	starts []int // of each node in text
	text   string
	cut    []lexeme // nil: not cut yet
}

func newLine(nodes []Node) *line {
	l := &line{nodes: nodes, starts: make([]int, len(nodes))}
	if len(nodes) == 1 && nodes[0].Type == "text" {
		l.text = nodes[0].Text
		return l
	}
	var text strings.Builder
	for i, n := range nodes {
		l.starts[i] = text.Len()
		if n.Type == "text" {
			text.WriteString(n.Text)
		} else {
			text.WriteString(atom)
		}
	}
	l.text = text.String()
	return l
}

// end is where node k ends in the text.
func (l *line) end(k int) int {
	if k+1 < len(l.starts) {
		return l.starts[k+1]
	}
	return len(l.text)
}

// says reports whether two lines of the same text have the same marks, wherever they are cut.
func (l *line) says(o *line) bool {
	if l.text != o.text {
		return false
	}
	for i, j := 0, 0; i < len(l.nodes) && j < len(o.nodes); {
		a, b := &l.nodes[i], &o.nodes[j]
		if (a.Type == "text") != (b.Type == "text") || !sameMarks(a.Marks, b.Marks) || a.Type != "text" && !sameNode(a, b) {
			return false
		}
		at, to := l.end(i), o.end(j)
		if at <= to {
			i++
		}
		if to <= at {
			j++
		}
	}
	return true
}

// sameNode reports whether all of two nodes is the same.
func sameNode(a, b *Node) bool {
	if !sameShell(*a, *b) || a.Text != b.Text || len(a.Content) != len(b.Content) {
		return false
	}
	for i := range a.Content {
		if !sameNode(&a.Content[i], &b.Content[i]) {
			return false
		}
	}
	return true
}

// A lexeme is a word, a gap, a sign or an atom of a line.
type lexeme struct {
	text   string
	node   *Node   // of an atom
	id     crdt.ID // what its first element is or repeats
	traced bool    // id is known
}

func (t *lexeme) size() int { return len(t.text) }

func (t *lexeme) equal(o *lexeme) bool {
	if t.text != o.text || (t.node == nil) != (o.node == nil) {
		return false
	}
	return t.node == nil || sameNode(bare(t.node), bare(o.node))
}

// is reports whether two lexemes are the same elements, and say the same.
func (t *lexeme) is(o *lexeme) bool { return t.traced && o.traced && t.id == o.id && t.equal(o) }

// bare is an atom without its marks: whoever changes these has not replaced it.
func bare(n *Node) *Node {
	if len(n.Marks) == 0 {
		return n
	}
	m := *n
	m.Marks = nil
	return &m
}

// isWord reports whether the lexeme is a word or a number.
func (t *lexeme) isWord() bool {
	if t.node != nil {
		return false
	}
	r, _ := utf8.DecodeRuneInString(t.text)
	return inWord(r)
}

// lexemes cuts the line, once.
func (l *line) lexemes() []lexeme {
	if l.cut != nil || l.text == "" {
		return l.cut
	}
	at, stop := cursor{line: l}, 0
	l.cut = make([]lexeme, 0, len(l.text)/3+1) // words and the gaps between them
	for rest := l.text; rest != ""; {
		at.skipEmpty()
		if at.at >= stop {
			stop = l.nextAtom(at.node)
		}
		n := &l.nodes[at.node]
		t := lexeme{}
		t.id, t.traced = at.id()
		if n.Type != "text" {
			t.text, t.node = atom, n
		} else {
			t.text = rest[:min(wordEnd(rest), stop-at.at)]
		}
		at.skip(len(t.text))
		rest = rest[len(t.text):]
		l.cut = append(l.cut, t)
	}
	return l.cut
}

// nextAtom is where the first atom from node k on begins: no word goes on behind it.
func (l *line) nextAtom(k int) int {
	for k < len(l.nodes) && l.nodes[k].Type == "text" {
		k++
	}
	if k < len(l.nodes) {
		return l.starts[k]
	}
	return len(l.text)
}

// wordEnd returns how long the word, gap or sign is that s begins with.
func wordEnd(s string) int {
	first, size := utf8.DecodeRuneInString(s)
	at := size
	switch {
	case unicode.IsSpace(first):
		for at < len(s) {
			r, n := utf8.DecodeRuneInString(s[at:])
			if !unicode.IsSpace(r) {
				break
			}
			at += n
		}
	case alone(first):
	case inWord(first):
		for before := first; at < len(s); {
			r, n := utf8.DecodeRuneInString(s[at:])
			if next, _ := utf8.DecodeRuneInString(s[at+n:]); !(inWord(r) && !alone(r)) && !joins(before, r, next) {
				break
			}
			before, at = r, at+n
		}
	}
	return at
}

// inWord reports whether r is of a word or a number.
func inWord(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || unicode.IsNumber(r))
}

// alone reports whether r is a word by itself: scripts that put no gaps between words.
func alone(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar) && !unicode.IsMark(r)
}

// joins reports whether r between two others is of their word: 37.5, 120/80, 08:15, don't, IV-line.
func joins(before, r, after rune) bool {
	if !inWord(before) || !inWord(after) || alone(after) {
		return false
	}
	return strings.ContainsRune("/-'’_·", r) || strings.ContainsRune(".,:", r) && unicode.IsDigit(before) && unicode.IsDigit(after)
}
