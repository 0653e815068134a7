package prose

import (
	"fmt"
	"strings"
	"testing"

	"github.com/clisonix/tidechart/crdt"
)

// blocksNote has all that the second schema adds: cells with several blocks, lists in cells, empty cells, cells that take several
// columns or rows, rows of different lengths, tasks within tasks, mentions, and suggestions, one of which overlaps another.
func blocksNote() Node {
	text := func(s string, marks ...Mark) Node { return Node{Type: "text", Text: s, Marks: marks} }
	para := func(ns ...Node) Node { return Node{Type: "paragraph", Content: ns} }
	cell := func(kind string, ns ...Node) Node { return Node{Type: kind, Content: ns} }
	row := func(ns ...Node) Node { return Node{Type: "tableRow", Content: ns} }
	item := func(ns ...Node) Node { return Node{Type: "listItem", Content: ns} }
	spanning := func(n Node, across, down int) Node {
		n.Attrs = map[string]any{"colspan": float64(across), "rowspan": float64(down)}
		return n
	}
	task := func(attrs map[string]any, ns ...Node) Node { return Node{Type: "taskItem", Attrs: attrs, Content: ns} }
	mark := func(kind, id string) Mark { return Mark{Type: kind, Attrs: map[string]any{"id": id}} }
	bold := Mark{Type: "bold"}
	return Node{Type: "doc", Content: []Node{
		{Type: "table", Content: []Node{
			row(cell("tableHeader", para(text("Drug"))), cell("tableHeader", para(text("Dose | route"))), cell("tableHeader", para(text("When")))),
			row(
				cell("tableCell", para(text("furosemide", bold)), para(text("was bumetanide"))),
				cell("tableCell", Node{Type: "bulletList", Content: []Node{item(para(text("40 mg")), Node{Type: "bulletList", Content: []Node{item(para(text("oral")))}}), item(para(text("20 mg")))}}),
				cell("tableCell"),
			),
			row(spanning(cell("tableCell", para(text("held"))), 2, 2), cell("tableCell", para())),
			row(cell("tableCell", para(text("at night")))),
			row(cell("tableCell", para(text("a line"), Node{Type: "hardBreak"}, text("another")))),
		}},
		{Type: "taskList", Content: []Node{
			task(map[string]any{"checked": false, "owner": "9b2e", "ownerName": "Rosa Rivera RN", "due": "2026-11-24T14:00"}, para(text("repeat potassium"))),
			task(map[string]any{"checked": true}, para(text("chest film")), Node{Type: "taskList", Content: []Node{task(map[string]any{"due": "2026-11-25"}, para(text("read it")))}}),
			task(map[string]any{"checked": false, "due": "soon"}),
		}},
		para(text("ask "), Node{Type: "mention", Attrs: map[string]any{"id": "9b2e", "label": "Rosa Rivera RN"}}, text(" first")),
		para(
			text("give "), text("40 mg", mark("deletion", "s1")), text("80", mark("insertion", "s1")), text(" mg", mark("insertion", "s1"), bold), text(" of furosemide "),
			text("twice ", mark("deletion", "s1")), text("a day", mark("deletion", "s1"), mark("deletion", "s2")), text(" today", mark("deletion", "s2")),
		),
	}}
}

func TestBlocksAsText(t *testing.T) {
	want := strings.Join([]string{
		"Drug | Dose | route | When",
		"furosemide / was bumetanide | 40 mg / oral / 20 mg | ",
		"held |  | ",
		" |  | at night",
		"a line / another",
		"[ ] repeat potassium (Rosa Rivera RN, due 24-Nov-2026 14:00)",
		"[x] chest film",
		"[ ] read it (due 25-Nov-2026)",
		"[ ] (due soon)",
		"ask @Rosa Rivera RN first",
		"give [suggested deletion: 40 mg][suggested insertion: 80 mg] of furosemide [suggested deletion: twice [suggested deletion: a day]][suggested deletion:  today]",
	}, "\n")
	if got := Text(blocksNote()); got != want {
		t.Errorf("Text =\n%s\nwant\n%s", got, want)
	}
}

func TestBlocksAsMarkdown(t *testing.T) {
	want := strings.Join([]string{
		`| Drug | Dose \| route | When |`,
		`| --- | --- | --- |`,
		`| **furosemide**<br>was bumetanide | - 40 mg<br>&nbsp;&nbsp;- oral<br>- 20 mg |  |`,
		`| held |  |  |`,
		`|  |  | at night |`,
		`| a line<br>another |`,
		``,
		`- [ ] repeat potassium (Rosa Rivera RN, due 24-Nov-2026 14:00)`,
		`- [x] chest film`,
		``,
		`  - [ ] read it (due 25-Nov-2026)`,
		`- [ ] (due soon)`,
		``,
		`ask @Rosa Rivera RN first`,
		``,
		`give [suggested deletion: ~~40 mg~~][suggested insertion: 80 **mg**] of furosemide [suggested deletion: twice [suggested deletion: ~~a day~~]][suggested deletion:  today]`,
	}, "\n")
	if got := Markdown(blocksNote()); got != want {
		t.Errorf("Markdown =\n%s\nwant\n%s", got, want)
	}
}

// A note without a header in its first row, and one of which no row is a row, lose nothing.
func TestTablesOfAnyShape(t *testing.T) {
	for _, n := range []Node{
		{Type: "table"},
		{Type: "table", Content: []Node{paragraph("penicillin")}},
		{Type: "table", Content: []Node{{Type: "tableRow", Content: []Node{paragraph("penicillin"), {Type: "text", Text: "latex"}}}, {Type: "tableRow"}}},
		{Type: "tableRow", Content: []Node{{Type: "tableCell", Content: []Node{paragraph("penicillin")}}}},
		{Type: "taskItem", Attrs: map[string]any{"due": map[string]any{"at": "noon"}}, Content: []Node{paragraph("penicillin")}},
		{Type: "table", Content: []Node{{Type: "tableRow", Content: []Node{{
			Type: "tableCell", Attrs: map[string]any{"colspan": 1e9, "rowspan": -4.0},
			Content: []Node{{Type: "table", Content: []Node{{Type: "tableRow", Content: []Node{{Type: "tableHeader", Content: []Node{paragraph("penicillin")}}}}}}},
		}}}}},
	} {
		for form, got := range map[string]string{"Text": Text(Node{Type: "doc", Content: []Node{n}}), "Markdown": Markdown(Node{Type: "doc", Content: []Node{n}})} {
			for _, word := range []string{"penicillin", "latex", "noon"} {
				if j, _ := JSON(n); strings.Contains(string(j), word) && !strings.Contains(got, word) {
					t.Errorf("%s of %s lacks %q: %q", form, j, word, got)
				}
			}
		}
	}
}

// Where cells stand, with those above that take several rows.
func TestTableRows(t *testing.T) {
	rows, columns := TableRows(blocksNote().Content[0])
	var at [][]int
	for _, row := range rows {
		var columns []int
		for _, c := range row {
			columns = append(columns, c.Column)
		}
		at = append(at, columns)
	}
	if want := "[[0 1 2] [0 1 2] [0 2] [2] [0]]"; columns != 3 || fmt.Sprint(at) != want {
		t.Errorf("cells stand in %v of %d columns, want %s of 3", at, columns, want)
	}
	// Nobody makes a table larger than what it holds.
	var huge Node
	for range 200 {
		row := Node{Type: "tableRow"}
		for range 200 {
			row.Content = append(row.Content, Node{Type: "tableCell", Attrs: map[string]any{"colspan": 64.0, "rowspan": 64.0}})
		}
		huge.Content = append(huge.Content, row)
	}
	if rows, columns := TableRows(huge); len(rows) != 200 || columns > 200+maxCovered {
		t.Errorf("%d rows of %d columns", len(rows), columns)
	}
}

// Turning a note with tables, tasks and suggestions into another and back is exact, and what did not change stays its author's.
func TestBlocksAreTurned(t *testing.T) {
	older := blocksNote()
	first, err := Build(7, older)
	if err != nil {
		t.Fatal(err)
	}
	newer := blocksNote()
	newer.Content[0].Content[1].Content[2].Content = []Node{paragraph("morning")}
	newer.Content[0].Content = append(newer.Content[0].Content, Node{Type: "tableRow", Content: []Node{{Type: "tableCell", Content: []Node{paragraph("new row")}}}})
	newer.Content[1].Content[0].Attrs = map[string]any{"checked": true, "due": "2026-11-26"}
	newer.Content[3].Content = newer.Content[3].Content[:6]
	d := crdt.New("note")
	if err := d.ApplyUpdate(first); err != nil {
		t.Fatal(err)
	}
	turn := func(by crdt.ClientID, to Node) {
		t.Helper()
		if _, err := d.Transact(by, func(tx *crdt.Txn) {
			if err := Turn(tx, d.XMLFragment(fragment), to); err != nil {
				t.Error(err)
			}
		}); err != nil {
			t.Fatal(err)
		}
	}
	turn(9, newer)
	n := Read(d.XMLFragment(fragment))
	if drug := n.Content[0].Content[1].Content[0].Content[0].Content[0]; drug.Author != 7 || drug.Text != "furosemide" {
		t.Errorf("%q is %d's after somebody filled another cell", drug.Text, drug.Author)
	}
	turn(11, older)
	got, err := JSON(Read(d.XMLFragment(fragment)))
	want, _ := JSON(older)
	if err != nil || string(got) != string(want) {
		t.Errorf("back, the note is\n%s, %v\nwant\n%s", got, err, want)
	}
}
