package paper

import (
	"bytes"
	"context"
	"fmt"
	"strconv"

	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/web/words"
)

// PDF is the copy as a PDF of A4 pages. On each stand who the patient is, the state of the note, and which page of how many it is. Its
// metadata name the kind of note, and nobody.
//
// Letters of the Arabic and Syriac scripts stand in their order, but not joined; the document says so. What the font does not have is
// written as its number, and the document says that, too.
func (n Note) PDF(ctx context.Context) ([]byte, error) {
	w := writer{newSheet(), ctx}
	w.pdf.SetTitle(n.Kind, true)
	w.pdf.SetProducer("Tidechart", true)
	w.pdf.SetLang(words.Tag(ctx))
	w.pdf.SetCreationDate(n.Copy.At)
	w.pdf.SetModificationDate(n.Copy.At)

	w.say(n.Title, look{bold: true, size: 15}, 0)
	for _, f := range n.Facts(ctx) {
		w.fact(f)
	}
	w.rule()
	w.blocks(n.Body.Content, left)
	w.rule()
	w.signatures(n.Signatures, n.Done)
	for _, a := range n.Addenda {
		w.say(a.Heading(ctx), look{bold: true, size: 13}, 7)
		w.say(a.Stamp(ctx), look{bold: true, size: bodySize}, 1)
		if a.Reason != "" {
			w.fact(Fact{words.Say(ctx, reason), a.Reason})
		}
		w.blocks(a.Body.Content, left)
		w.rule()
		w.signatures(a.Signatures, a.Done)
	}
	w.add(nil, n.Patient+n.Born+n.MRN+n.Copy.Says(ctx), look{}) // what the frames will say may need caveats, too
	w.caveats()
	w.frames(n)
	var out bytes.Buffer
	if err := w.pdf.Output(&out); err != nil {
		return nil, fmt.Errorf("make PDF: %w", err)
	}
	return out.Bytes(), nil
}

// writer writes a note on a sheet, for who reads the language of its context.
type writer struct {
	*sheet
	ctx context.Context
}

// say sets a line of our own.
func (w writer) say(text string, l look, before float64) {
	w.set(paragraph{glyphs: w.add(nil, text, l), from: left, before: before, keep: 12})
}

func (w writer) fact(f Fact) {
	gs := w.add(nil, f.Name+" ", look{size: 9})
	w.set(paragraph{glyphs: w.add(gs, f.Value, look{bold: true, size: 9}), from: left, before: 0.4})
}

func (w writer) rule() { w.ruled(left) }

// ruled draws a rule from some place on.
func (w writer) ruled(from float64) {
	if w.y+6 > bottom && !w.still {
		w.page()
	}
	if !w.dry {
		w.pdf.SetDrawColor(0, 0, 0)
		w.pdf.SetLineWidth(0.2)
		w.pdf.Line(from, w.y+2.5, w.edge, w.y+2.5)
	}
	w.y += 4.5
	w.fresh = false
}

// signatures are who signed, and what was done since.
func (w writer) signatures(list []Signature, done []Done) {
	w.list(words.Say(w.ctx, "Signatures"), SignedBy(w.ctx, list))
	if heading, lines := DoneSince(w.ctx, done); lines != nil {
		w.list(heading, lines)
	}
}

// list sets lines of our own, which are never parted from their heading.
func (w writer) list(heading string, lines []string) {
	l := look{size: bodySize}
	w.set(paragraph{
		glyphs: w.add(nil, heading, look{bold: true, size: 11.5}), from: left, before: 2,
		keep: min(float64(len(lines)), 20) * bodySize * mm * leading,
	})
	for _, line := range lines {
		w.set(paragraph{glyphs: w.add(nil, line, l), from: left})
	}
}

// caveats say what in this copy is not as it is in the note.
func (w writer) caveats() {
	l := look{italic: true, size: 8.5}
	if w.joined {
		w.set(paragraph{glyphs: w.add(nil, words.Say(w.ctx, "Letters that are written joined stand apart in this copy, in their right order."), l), from: left, before: 4})
	}
	if w.odd {
		w.set(paragraph{glyphs: w.add(nil, words.Say(w.ctx, "Characters that this copy cannot show are written as their Unicode numbers, in brackets on grey."), l), from: left, before: 4})
	}
}

func (w writer) blocks(ns []prose.Node, from float64) {
	for _, n := range ns {
		w.block(n, from)
	}
}

// headings are the sizes of their six levels.
var headings = [6]float64{14, 12.5, 11.5, 11, 10.5, bodySize}

func (w writer) block(n prose.Node, from float64) {
	body := look{size: bodySize}
	p := paragraph{from: from, before: 1.8}
	switch n.Type {
	case "paragraph":
		p.glyphs = w.runs(nil, n.Content, body)
		w.set(p)
	case "heading":
		size := headings[min(max(whole(n, "level", 1), 1), 6)-1]
		p.glyphs, p.before, p.keep = w.runs(nil, n.Content, look{bold: true, size: size}), 3.5, 2*bodySize*mm*leading
		w.set(p)
	case "bulletList":
		w.items(n, from, func(int) string { return "•" })
	case "orderedList":
		start := whole(n, "start", 1)
		w.items(n, from, func(i int) string { return fmt.Sprintf("%d.", start+i) })
	case "blockquote":
		w.barred(from, func() { w.blocks(n.Content, w.inner(from)) })
	case "codeBlock":
		p.from, p.glyphs = from+indent, w.runs(nil, n.Content, look{mono: true, size: 9})
		w.barred(from, func() { w.set(p) })
	case "table":
		w.table(n, from)
	case "taskList":
		w.items(n, from, func(int) string { return "•" })
	case "taskItem":
		w.items(prose.Node{Content: []prose.Node{n}}, from, func(int) string { return "•" })
	case "horizontalRule":
		w.ruled(from)
		if len(n.Content) > 0 {
			w.unsupported(n, from)
		}
	case "text", "hardBreak", "mention":
		p.glyphs = w.runs(nil, []prose.Node{n}, body)
		w.set(p)
	default:
		w.unsupported(n, from)
	}
}

// Room that is left for text at the right, however deep it is nested: on a page, and in a cell.
const pageRoom, cellRoom = 60.0, 12.0

func (w writer) inner(from float64) float64 {
	room := pageRoom
	if w.edge != right || w.still {
		room = cellRoom
	}
	return min(from+indent, max(from, w.edge-room))
}

func (w writer) items(list prose.Node, from float64, marker func(int) string) {
	for i, item := range list.Content {
		l := look{size: bodySize}
		content, m := item.Content, marker(i)
		var about []glyph
		switch item.Type {
		case "listItem":
		case "taskItem":
			task := prose.TaskOf(item)
			m = "☐"
			if task.Done {
				m = "☑"
			}
			if says := w.taskAbout(task); says != "" {
				about = w.add(nil, " ("+says+")", look{italic: true, size: bodySize})
			}
		default:
			content = []prose.Node{item}
		}
		p := paragraph{marker: w.add(nil, m, l), from: w.inner(from), before: 1}
		if len(content) > 0 && content[0].Type == "paragraph" {
			p.glyphs, content = w.runs(nil, content[0].Content, l), content[1:]
		}
		p.glyphs = append(p.glyphs, about...)
		w.set(p)
		w.blocks(content, w.inner(from))
	}
}

// taskAbout says whose a task is and when it is due.
func (w writer) taskAbout(t prose.Task) string {
	switch due := words.Dated(w.ctx, t.DueText()); {
	case t.Due == "":
		return t.OwnerName
	case t.OwnerName == "":
		return words.Say(w.ctx, "due {due}", due)
	default:
		return words.Say(w.ctx, "{name}, due {due}", t.OwnerName, due)
	}
}

func (w writer) barred(at float64, f func()) {
	w.y += 1.5
	w.bars = append(w.bars, at+1)
	f()
	w.bars = w.bars[:len(w.bars)-1]
	w.y += 1
}

const unsupported words.Text = "Unsupported content"

// suggested says what a mark suggests.
var suggested = map[string]words.Text{"insertion": "suggested insertion", "deletion": "suggested deletion"}

// unsupported names what stands where the schema has no place for it, and shows its text (I6).
func (w writer) unsupported(n prose.Node, from float64) {
	gs := w.add(nil, words.Say(w.ctx, unsupported)+" ", look{bold: true, size: bodySize})
	gs = w.add(gs, n.Label(), look{size: bodySize})
	w.barred(from, func() {
		w.set(paragraph{glyphs: gs, from: w.inner(from), before: 1.5})
		if n.Text != "" {
			w.set(paragraph{glyphs: w.add(nil, n.Text, look{size: bodySize}), from: w.inner(from)})
		}
		w.blocks(n.Content, w.inner(from))
	})
}

// runs appends inline nodes. What is suggested is said to be, in words: a line through it alone could be the author's.
func (w writer) runs(to []glyph, ns []prose.Node, l look) []glyph {
	for i := 0; i < len(ns); i++ {
		if m, _, of := prose.SuggestionOf(ns[i:]); of != nil {
			marked := l
			marked.strike, marked.underline = l.strike || m.Type == "deletion", l.underline || m.Type == "insertion"
			to = w.runs(w.add(to, "["+words.Say(w.ctx, suggested[m.Type])+": ", look{italic: true, size: l.size}), of, marked)
			to = w.add(to, "]", look{italic: true, size: l.size})
			i += len(of) - 1
			continue
		}
		n := ns[i]
		switch n.Type {
		case "text":
			marked, more := l.with(n)
			to = w.add(to, n.Text, marked)
			to = w.add(to, more, l)
		case "hardBreak":
			to = w.runs(w.add(to, "\n", l), n.Content, l)
		case "mention":
			to = w.runs(w.add(to, prose.MentionText(n), l), n.Content, l)
		default:
			to = w.add(to, "["+words.Say(w.ctx, unsupported)+" ", look{bold: true, size: l.size})
			to = w.runs(w.add(to, n.Label()+" "+n.Text, l), n.Content, l)
			to = w.add(to, "]", look{bold: true, size: l.size})
		}
		for _, label := range prose.UnknownMarks(ns, i) {
			to = w.add(to, " ["+words.Say(w.ctx, "Unsupported formatting {name}", label)+"]", look{bold: true, size: l.size})
		}
	}
	return to
}

// with is the look of a marked text, and what paper has to say beside: where a link leads, if its text is not that.
func (l look) with(n prose.Node) (look, string) {
	more := ""
	for _, m := range n.Marks {
		switch m.Type {
		case "bold":
			l.bold = true
		case "italic":
			l.italic = true
		case "underline":
			l.underline = true
		case "strike":
			l.strike = true
		case "code":
			l.mono = true
		case "link":
			l.underline = true
			if href, _ := m.Attrs["href"].(string); href != n.Text {
				more = " (" + href + ")"
			}
		}
	}
	return l, more
}

// whole reads an attribute that is a whole number, in whichever type it was decoded.
func whole(n prose.Node, name string, otherwise int) int {
	switch x := n.Attrs[name].(type) {
	case int:
		return x
	case int64:
		return int(x)
	case float64:
		if x == float64(int(x)) {
			return int(x)
		}
	}
	return otherwise
}

// frames put on each page, when it is known how many there are, what has to be on each.
func (w writer) frames(n Note) {
	pages := w.pdf.PageCount()
	for i := 1; i <= pages; i++ {
		w.pdf.SetPage(i)
		w.font(look{mono: true, size: 1}) // a page that is gone back to has to be told its font again
		w.head(n)
		w.foot(n, words.Say(w.ctx, "Page {page} of {pages}", strconv.Itoa(i), strconv.Itoa(pages)))
	}
}

func (w writer) head(n Note) {
	name := w.fitted(n.Patient, look{bold: true, size: 13}, 7, right-left)
	w.draw(visual(name, false), left, 14)
	about := w.fitted(n.born(w.ctx)+"     "+n.mrn(), look{size: 10}, 6, 115)
	w.draw(about, left, 20)
	kind := w.fitted(n.Kind, look{size: 10}, 6, right-left-120)
	w.draw(kind, right-widthOf(kind), 20)
	w.pdf.SetDrawColor(0, 0, 0)
	w.pdf.SetLineWidth(0.4)
	w.pdf.Line(left, 22.5, right, 22.5)
	stamp := w.fitted(n.Stamp(w.ctx), look{bold: true, size: 11}, 7, right-left-6)
	if n.Signed() {
		w.pdf.Rect(left, 24.5, right-left, 7.5, "D")
	} else {
		w.pdf.SetFillColor(228, 228, 228)
		w.pdf.Rect(left, 24.5, right-left, 7.5, "FD")
	}
	w.draw(stamp, (left+right-widthOf(stamp))/2, 29.6)
}

func (w writer) foot(n Note, page string) {
	w.pdf.SetDrawColor(0, 0, 0)
	w.pdf.SetLineWidth(0.2)
	w.pdf.Line(left, pageHeight-17, right, pageHeight-17)
	number := w.add(nil, page, look{size: 9})
	w.draw(number, right-widthOf(number), pageHeight-12)
	w.draw(w.fitted(n.Copy.Says(w.ctx), look{size: 8.5}, 6, right-left-widthOf(number)-6), left, pageHeight-12)
}
