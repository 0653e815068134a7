package prose

import (
	"reflect"
	"strings"
)

// Text returns the text of n: lines joined by newlines, none at the end. A note
// of one paragraph is exactly its text. A row of a table is a line, its cells parted by
// bars; a task begins with its box and says whose it is. What the schema does not know
// shows its type and attributes in brackets, if it has no text or some attributes.
func Text(n Node) string { return strings.Join(lines(n), "\n") }

// lines returns the text of each line of n: of each text block, and of inline nodes that stand where blocks should.
func lines(n Node) (out []string) {
	if Inline(n) || schema.nodes[n.Type] == nil && len(n.Content) == 0 {
		return []string{inlineText([]Node{n})}
	}
	if n.Label() != n.Type {
		out = append(out, inlineText([]Node{{Type: n.Type, Attrs: n.Attrs}}))
	}
	switch {
	case textblock(n):
		return append(out, inlineText(n.Content))
	case n.Type == "table":
		return append(out, rowLines(n)...)
	case n.Type == "taskItem":
		return append(out, taskLines(n)...)
	}
	return append(out, contentLines(n)...)
}

func contentLines(n Node) (out []string) {
	for rest := n.Content; len(rest) > 0; {
		k := 0
		for k < len(rest) && Inline(rest[k]) {
			k++
		}
		if k > 0 {
			out, rest = append(out, inlineText(rest[:k])), rest[k:]
			continue
		}
		out, rest = append(out, lines(rest[0])...), rest[1:]
	}
	return out
}

// rowLines writes a row of a table as a line. Lines of one cell are parted by slashes.
func rowLines(table Node) (out []string) {
	rows, _ := TableRows(table)
	for _, row := range rows {
		var line []string
		for _, c := range row {
			for len(line) < c.Column {
				line = append(line, "")
			}
			line = append(line, strings.ReplaceAll(strings.Join(contentLines(c.Node), "\n"), "\n", " / "))
		}
		out = append(out, strings.Join(line, " | "))
	}
	return out
}

func taskLines(n Node) []string {
	task, out := TaskOf(n), contentLines(n)
	if len(out) == 0 {
		out = []string{""}
	}
	out[0] = strings.TrimRight(task.box()+" "+out[0], " ")
	if about := task.About(); about != "" {
		out[0] += " (" + about + ")"
	}
	return out
}

// inlineText returns the text of inline nodes, and of whatever else is there;
// what has no text shows its type (I6).
func inlineText(ns []Node) string {
	var b strings.Builder
	ns = joinText(ns)
	for i := 0; i < len(ns); i++ {
		if _, says, of := SuggestionOf(ns[i:]); says != "" {
			b.WriteString("[" + says + ": " + inlineText(of) + "]")
			i += len(of) - 1
			continue
		}
		n := ns[i]
		switch label := n.Label(); {
		case n.Type == "text":
			b.WriteString(n.Text)
		case n.Type == "mention":
			b.WriteString(MentionText(n))
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
