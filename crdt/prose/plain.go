package prose

import (
	"reflect"
	"strings"
)

// Text returns the text of n: lines joined by newlines, none at the end. A note
// of one paragraph is exactly its text. What the schema does not know shows its
// type and attributes in brackets, if it has no text or some attributes.
func Text(n Node) string {
	var lines []string
	eachLine(n, func(line []Node) { lines = append(lines, inlineText(line)) })
	return strings.Join(lines, "\n")
}

// eachLine calls f with the inline nodes of each line of n: of each text block,
// and of inline nodes that stand where blocks should.
func eachLine(n Node, f func([]Node)) {
	if inline(n) || schema.nodes[n.Type] == nil && len(n.Content) == 0 {
		f([]Node{n})
		return
	}
	if n.Label() != n.Type {
		f([]Node{{Type: n.Type, Attrs: n.Attrs}})
	}
	if textblock(n) {
		f(n.Content)
		return
	}
	for rest := n.Content; len(rest) > 0; {
		k := 0
		for k < len(rest) && inline(rest[k]) {
			k++
		}
		if k > 0 {
			f(rest[:k])
			rest = rest[k:]
			continue
		}
		eachLine(rest[0], f)
		rest = rest[1:]
	}
}

// inlineText returns the text of inline nodes, and of whatever else is there;
// what has no text shows its type (I6).
func inlineText(ns []Node) string {
	var b strings.Builder
	ns = joinText(ns)
	for i, n := range ns {
		switch label := n.Label(); {
		case n.Type == "text":
			b.WriteString(n.Text)
		case n.Type == "hardBreak":
			b.WriteByte('\n')
		case len(n.Content) == 0 || label != n.Type:
			b.WriteString("[" + label + "]")
		}
		b.WriteString(inlineText(n.Content))
		for _, label := range UnknownMarks(ns, i) {
			b.WriteString("[" + label + "]")
		}
	}
	return b.String()
}

func sameMarks(a, b []Mark) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Type != b[i].Type || len(a[i].Attrs) != len(b[i].Attrs) || len(a[i].Attrs) > 0 && !reflect.DeepEqual(a[i].Attrs, b[i].Attrs) {
			return false
		}
	}
	return true
}
