package prose

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Markdown returns n as CommonMark, with ~~ for strike, <u> for underline, and GitHub's tables and tasks. Lines of one cell are
// parted by <br>, since a row is a line.
// A node the schema does not know is named in brackets, with its attributes, before
// what it holds; a mark it does not know, after what it marks, if it has attributes.
func Markdown(n Node) string {
	var w markdown
	w.blocks(n.Content)
	return strings.TrimRight(w.b.String(), "\n")
}

// markdown writes blocks. Each line starts with prefix; the first one after a
// list marker starts with marker instead.
type markdown struct {
	b      strings.Builder
	prefix string
	marker string
}

func (w *markdown) blocks(ns []Node) {
	for len(ns) > 0 {
		k := 0
		for k < len(ns) && Inline(ns[k]) {
			k++
		}
		if k > 0 {
			w.lines(inlineMarkdown(ns[:k]))
		} else {
			w.block(ns[0])
			k = 1
		}
		if ns = ns[k:]; len(ns) > 0 {
			w.b.WriteString(strings.TrimRight(w.prefix, " ") + "\n")
		}
	}
}

func (w *markdown) block(n Node) {
	switch n.Type {
	case "paragraph":
		w.lines(inlineMarkdown(n.Content))
	case "heading":
		w.lines(strings.Repeat("#", min(max(number(n, "level"), 1), 6)) + " " + strings.ReplaceAll(inlineMarkdown(n.Content), "\n", " "))
	case "codeBlock":
		w.code(n)
	case "horizontalRule":
		w.lines("---")
		if len(n.Content) > 0 {
			w.lines("")
			w.unknown(n)
		}
	case "blockquote":
		w.inside("> ", "> ", n.Content)
	case "bulletList":
		w.items(n.Content, func(int) string { return "- " })
	case "taskList":
		w.items(n.Content, func(int) string { return "- " })
	case "taskItem":
		w.items([]Node{n}, func(int) string { return "- " })
	case "table":
		w.table(n)
	case "orderedList":
		start := number(n, "start")
		w.items(n.Content, func(i int) string { return fmt.Sprintf("%d. ", min(start+i, maxNumber)) })
	default:
		w.unknown(n)
	}
}

// unknown names n before what it holds.
func (w *markdown) unknown(n Node) {
	w.lines(bracketed(n.Label()))
	if len(n.Content) > 0 {
		w.lines("")
		w.blocks(n.Content)
	}
}

func bracketed(label string) string { return "[" + escape(label) + "]" }

func (w *markdown) items(ns []Node, marker func(int) string) {
	for i, n := range ns {
		m := marker(i)
		indent := strings.Repeat(" ", len(m))
		content := n.Content
		switch n.Type {
		case "listItem":
		case "taskItem":
			task := TaskOf(n)
			m, content = m+task.box()+" ", withAbout(content, task.About())
		default:
			content = []Node{n}
		}
		if len(content) == 0 {
			content = []Node{{Type: "paragraph"}}
		}
		w.inside(m, indent, content)
	}
}

// withAbout puts what a task says at the end of its first paragraph.
func withAbout(content []Node, about string) []Node {
	first := Node{Type: "paragraph"}
	if len(content) > 0 && content[0].Type == "paragraph" {
		first, content = content[0], content[1:]
	}
	if about != "" {
		about = "(" + about + ")"
		if len(first.Content) > 0 {
			about = " " + about
		}
		first.Content = append(slices.Clip(first.Content), Node{Type: "text", Text: about})
	}
	return append([]Node{first}, content...)
}

// table writes a table, whose first line is always its header.
func (w *markdown) table(n Node) {
	rows, columns := TableRows(n)
	line := func(cells []string) { w.lines("| " + strings.Join(cells, " | ") + " |") }
	if len(rows) == 0 || !HeaderRow(rows[0]) {
		rows = append([][]TableCell{nil}, rows...)
	}
	for i, row := range rows {
		var cells []string
		for _, c := range row {
			for len(cells) < c.Column {
				cells = append(cells, "")
			}
			cells = append(cells, cellMarkdown(c.Node))
		}
		for i == 0 && len(cells) < columns { // what stands right of its header is not shown
			cells = append(cells, "")
		}
		line(cells)
		if i == 0 {
			line(slices.Repeat([]string{"---"}, max(columns, 1)))
		}
	}
}

// cellMarkdown writes blocks in one line.
func cellMarkdown(cell Node) string {
	var w markdown
	w.blocks(cell.Content)
	var out []string
	for line := range strings.Lines(w.b.String()) {
		line = strings.TrimRight(line, "\n")
		if text := strings.TrimLeft(line, " "); text != "" {
			out = append(out, strings.Repeat("&nbsp;", len(line)-len(text))+strings.TrimSuffix(barred(text), "\\"))
		}
	}
	return strings.Join(out, "<br>")
}

// barred escapes the bars of a line that are not escaped yet: they would end its cell.
func barred(line string) string {
	var b strings.Builder
	escaped := false
	for _, r := range line {
		if r == '|' && !escaped {
			b.WriteByte('\\')
		}
		escaped = r == '\\' && !escaped
		b.WriteRune(r)
	}
	return b.String()
}

// inside writes blocks behind a marker, or behind as much indentation.
func (w *markdown) inside(marker, indent string, ns []Node) {
	outer := w.prefix
	if w.marker == "" {
		w.marker = outer
	}
	w.marker += marker
	w.prefix = outer + indent
	w.blocks(ns)
	w.prefix = outer
}

func (w *markdown) lines(s string) {
	for _, line := range strings.Split(s, "\n") {
		prefix := w.prefix
		if w.marker != "" {
			prefix, w.marker = w.marker, ""
		}
		w.b.WriteString(strings.TrimRight(prefix+line, " ") + "\n")
	}
}

// code fences a block with more backquotes than it holds in a row.
func (w *markdown) code(n Node) {
	text := inlineText(n.Content)
	fence := "```"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	language, _ := n.Attrs["language"].(string)
	w.lines(fence + strings.Map(func(r rune) rune {
		if r <= ' ' || r == '`' {
			return -1
		}
		return r
	}, language) + "\n" + text + "\n" + fence)
}

// maxNumber is the greatest that Markdown takes for the number of a list's item.
const maxNumber = 999_999_999

// number returns an attribute that is a whole number up to maxNumber, or else
// what it is by default.
func number(n Node, attr string) int {
	v := n.Attrs[attr]
	if i, ok := v.(int); ok {
		v = float64(i)
	}
	if f, ok := v.(float64); ok && f >= 0 && f <= maxNumber && f == math.Trunc(f) {
		return int(f)
	}
	if k := schema.nodes[n.Type]; k != nil {
		for _, a := range k.Attrs {
			if f, ok := a.Default.(float64); ok && a.Name == attr {
				return int(f)
			}
		}
	}
	return 0
}

// inlineMarkdown returns a line; a hard break is a backslash at a line's end.
func inlineMarkdown(ns []Node) string {
	var b strings.Builder
	ns = joinText(ns)
	for i := 0; i < len(ns); i++ {
		if m, says, of := SuggestionOf(ns[i:]); says != "" {
			b.WriteString("[" + says + ": " + struck(inlineMarkdown(of), m.Type == "deletion") + "]")
			i += len(of) - 1
			continue
		}
		n := ns[i]
		switch {
		case n.Type == "text":
			b.WriteString(marked(n))
		case n.Type == "mention":
			b.WriteString(escape(MentionText(n)))
		case n.Type == "hardBreak":
			b.WriteString("\\\n")
		default:
			b.WriteString(bracketed(n.Label()))
		}
		b.WriteString(inlineMarkdown(n.Content))
		for _, label := range UnknownMarks(ns, i) {
			b.WriteString(bracketed(label))
		}
	}
	return b.String()
}

// struck strikes Markdown through, if it is to be, unless it is so already or has blanks at an end.
func struck(s string, is bool) string {
	if !is || s == "" || strings.TrimSpace(s) != s || strings.Contains(s, "~~") || strings.Contains(s, "\n") {
		return s
	}
	return "~~" + s + "~~"
}

// marked wraps a text in its marks. White space stays outside, where Markdown
// needs it.
func marked(n Node) string {
	core := strings.TrimSpace(n.Text)
	if core == "" || len(n.Marks) == 0 {
		return escape(n.Text)
	}
	at := strings.Index(n.Text, core)
	before, after := n.Text[:at], n.Text[at+len(core):]
	s := escape(core)
	for _, m := range n.Marks {
		if m.Type == "code" {
			s = codeSpan(core)
		}
	}
	for i := len(n.Marks) - 1; i >= 0; i-- {
		switch m := n.Marks[i]; m.Type {
		case "bold":
			s = "**" + s + "**"
		case "italic":
			s = "*" + s + "*"
		case "strike":
			s = "~~" + s + "~~"
		case "underline":
			s = "<u>" + s + "</u>"
		case "link":
			href, _ := m.Attrs["href"].(string)
			s = "[" + s + "](<" + strings.NewReplacer("<", "%3C", ">", "%3E", "\n", "%0A", "\\", "%5C").Replace(href) + ">)"
		}
	}
	return before + s + after
}

func codeSpan(s string) string {
	fence := "`"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") {
		s = " " + s + " "
	}
	return fence + s + fence
}

// escape keeps text from being read as markup.
func escape(s string) string {
	var b strings.Builder
	for i, r := range s {
		start := i == 0 || s[i-1] == '\n'
		switch {
		case strings.ContainsRune("\\`*_[]<>~&", r), start && strings.ContainsRune("#-+=|", r):
			b.WriteByte('\\')
		case (r == '.' || r == ')') && ordinal(s[:i]):
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// ordinal reports whether the last line of s is only digits, so that a full
// stop after it would start a list.
func ordinal(s string) bool {
	s = s[strings.LastIndexByte(s, '\n')+1:]
	return s != "" && strings.Trim(s, "0123456789") == ""
}
