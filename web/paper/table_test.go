package paper

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/clisonix/tidechart/crdt/prose"
)

func row(kind string, cells ...prose.Node) prose.Node {
	r := prose.Node{Type: "tableRow"}
	for _, c := range cells {
		if c.Type != "tableCell" {
			c = block(kind, c)
		}
		r.Content = append(r.Content, c)
	}
	return r
}

func para(s string) prose.Node { return block("paragraph", text(s)) }

// tables is a note with tables of several shapes, tasks and suggestions.
func tables() Note {
	n := sample()
	doses := block("table", row("tableHeader", para("Drug"), para("Dose and route"), para("Given")))
	for i := range 40 {
		doses.Content = append(doses.Content, row("tableCell", para(fmt.Sprintf("drug%d", i)), block("tableCell", para(fmt.Sprintf("dose%d", i)), block("bulletList", block("listItem", para("by mouth")), block("listItem", para("with food")))), block("tableCell")))
	}
	merged := row("tableCell", prose.Node{Type: "tableCell", Attrs: map[string]any{"colspan": 2.0, "rowspan": 2.0}, Content: []prose.Node{para("held until seen")}}, para("right of it"))
	long := row("tableCell", para("tall"), para(strings.Repeat("higher than a page {hp} ", 700)))
	wide := block("table")
	for i := range 2 {
		r := prose.Node{Type: "tableRow"}
		for k := range 14 {
			r.Content = append(r.Content, block("tableCell", para(fmt.Sprintf("cell%d.%d", i, k))))
		}
		wide.Content = append(wide.Content, r)
	}
	nested := block("table", row("tableCell", para("outer"), block("table", row("tableCell", para("inner"), para("within")))))
	task := func(done bool, owner, due, s string) prose.Node {
		return prose.Node{Type: "taskItem", Attrs: map[string]any{"checked": done, "ownerName": owner, "due": due}, Content: []prose.Node{para(s)}}
	}
	marked := func(kind, s string) prose.Node {
		n := text(s)
		n.Marks = []prose.Mark{{Type: kind, Attrs: map[string]any{"id": "s1"}}}
		return n
	}
	n.Body = block("doc",
		block("taskList", task(false, "Rosa Rivera RN", "2026-11-24T14:00", "repeat potassium"), task(true, "", "", "chest film")),
		block("paragraph", text("give "), marked("deletion", "40 mg"), marked("insertion", "80 mg"), text(" as "), prose.Node{Type: "mention", Attrs: map[string]any{"label": "Dr Mei Chen"}}, text(" said")),
		block("table", merged, row("tableCell", para("below it")), row("tableCell", para("a"), para("b"), para("c"))),
		nested, doses, block("table", long), wide,
	)
	return n
}

// TestTables: no cell is on no page, the head of a table stands on each of its pages, and what a page has no room for as a table is set
// cell below cell.
func TestTables(t *testing.T) {
	t.Parallel()
	made := makePDF(t, tables())
	if path := os.Getenv("PAPER_SHOT"); path != "" {
		if err := os.WriteFile(path, made, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pages := strings.Split(strings.TrimSuffix(read(t, made, "pdftotext", "-layout"), "\f"), "\f")
	all := squeezed(strings.Join(pages, " "))
	want := []string{
		"☐ repeat potassium (Rosa Rivera RN, due 24-Nov-2026 14:00)", "☑ chest film", "give [suggested deletion: 40 mg][suggested insertion: 80 mg] as @Dr Mei Chen said",
		"held until seen", "right of it", "below it", "inner", "within", "Column 14", "Column 2",
	}
	for i := range 40 {
		want = append(want, fmt.Sprintf("drug%d", i), fmt.Sprintf("dose%d", i))
	}
	for i := range 28 {
		want = append(want, fmt.Sprintf("cell%d.%d", i/14, i%14))
	}
	for _, s := range want {
		if !strings.Contains(all, s) {
			t.Errorf("the PDF does not say %q", s)
		}
	}
	if got := strings.Count(all, "{hp}"); got != 700 {
		t.Errorf("%d of 700 words of a high cell are there", got)
	}
	heads, bodies := 0, 0
	for _, page := range pages {
		heads += strings.Count(squeezed(page), "Drug Dose and route Given")
		if strings.Contains(page, "by mouth") {
			bodies++
		}
	}
	if bodies < 2 || heads != bodies {
		t.Errorf("the head of a table stands %d times, on %d pages of it", heads, bodies)
	}
	if strings.Contains(all, "Unsupported") || strings.Contains(all, "Unicode numbers") {
		t.Errorf("not all of it can be shown")
	}
}

// TestNestedTables are set in a time that grows with how many there are, however deep.
func TestNestedTables(t *testing.T) {
	t.Parallel()
	n := sample()
	n.Body = para("innermost")
	for range prose.MaxDepth / 3 {
		n.Body = block("table", row("tableCell", n.Body, para("beside")))
	}
	n.Body = block("doc", n.Body)
	// Words may be broken where there is little room.
	if all := strings.Join(strings.Fields(read(t, makePDF(t, n), "pdftotext", "-layout")), ""); !strings.Contains(all, "innermost") || strings.Count(all, "beside") != prose.MaxDepth/3 {
		t.Errorf("not all of it is there: %q", all)
	}
}
