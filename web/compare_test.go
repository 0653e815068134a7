package web

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/clisonix/tidechart/crdt/prose"
)

// TestComparisonIsShown: what came, went and changed is said in words, and elements; what did not change is as the note has it.
func TestComparisonIsShown(t *testing.T) {
	text := func(s string, marks ...string) prose.Node {
		n := prose.Node{Type: "text", Text: s}
		for _, m := range marks {
			n.Marks = append(n.Marks, prose.Mark{Type: m})
		}
		return n
	}
	para := func(s string) prose.Node { return prose.Node{Type: "paragraph", Content: []prose.Node{text(s)}} }
	list := func(items ...string) prose.Node {
		n := prose.Node{Type: "bulletList"}
		for _, s := range items {
			n.Content = append(n.Content, prose.Node{Type: "listItem", Content: []prose.Node{para(s)}})
		}
		return n
	}
	heading := prose.Node{Type: "heading", Attrs: map[string]any{"level": 2.}, Content: []prose.Node{text("Plan for today")}}
	broken := prose.Node{Type: "paragraph", Content: []prose.Node{text("Seen by"), {Type: "hardBreak"}, text("Dr Chen & team")}}
	older := prose.Node{Type: "doc", Content: []prose.Node{
		para("One."), para("Two."), para("Three."), para("Four."), para("Five."), para("Plan for today"), list("oxygen 2 L", "furosemide 40 mg"), para("Seen by Dr Chen & team"), para("<script>alert(1)</script> old"),
	}}
	newer := prose.Node{Type: "doc", Content: []prose.Node{
		para("One."), para("Two."), para("Three."), para("Four."), para("Five."), heading, list("oxygen 2 L", "furosemide 80 mg", "weigh daily"), broken,
		{Type: "paragraph", Content: []prose.Node{text("<script>alert(1)</script>", "bold"), text(" new")}},
		{Type: "vitals", Attrs: map[string]any{"hr": 80.}},
	}}
	v := CompareView{Body: prose.Compare(older, newer).Parts, Edits: make(map[*prose.Part]Edit)}
	n := 0
	var number func(parts []prose.Part, within bool)
	number = func(parts []prose.Part, within bool) {
		for i := range parts {
			p := &parts[i]
			if p.Change != prose.Same {
				n++
				v.Edits[p] = Edit{N: n, Part: n, Says: "Said by Rosa Rivera RN", By: rivera}
				if within {
					v.Edits[p] = Edit{Part: n, Says: "Said by Rosa Rivera RN", By: rivera}
				}
			}
			number(p.Parts, within || p.Change == prose.Added || p.Change == prose.Removed)
		}
	}
	number(v.Body, false)
	html := render(t, Compare(v))
	body := html[strings.Index(html, `<div class="prose"`):strings.Index(html, `</article>`)]
	body = regexp.MustCompile(`(</?(p|li|ul|ol|div|details|h\d)\b)`).ReplaceAllString(body, "\n$1") + "\n"
	golden := filepath.Join("testdata", "compare.html")
	if *update {
		if err := os.WriteFile(golden, []byte(body), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if body != string(want) {
		t.Errorf("the comparison is\n%s\nwant\n%s", body, want)
	}
}

// TestComparisonOfTablesAndTasks: rows, cells and tasks that came, went or changed stand where they are, and are said to; nothing that is
// no cell stands in a row.
func TestComparisonOfTablesAndTasks(t *testing.T) {
	cells := func(texts ...string) prose.Node {
		r := node("tableRow")
		for _, s := range texts {
			r.Content = append(r.Content, node("tableCell", para(text(s))))
		}
		return r
	}
	older := node("doc", node("table", cells("Na", "140"), cells("K", "4.1")), node("taskList", taskOf(false, "", "2026-11-24", para(text("call the lab")))), para(text("seen by Dr Chen")))
	newer := node("doc", node("table", cells("Na", "140"), cells("K", "5.9"), cells("Cl", "101")), node("taskList", taskOf(true, "Rosa Rivera RN", "2026-11-25", para(text("call the lab")))),
		para(text("seen by "), prose.Node{Type: "mention", Attrs: map[string]any{"label": "Dr Mei Chen"}}, suggested("insertion", "s1", " today")))
	v := CompareView{Whole: true, Body: prose.Compare(older, newer).Parts, Edits: make(map[*prose.Part]Edit)}
	n := 0
	var number func(parts []prose.Part)
	number = func(parts []prose.Part) {
		for i := range parts {
			if p := &parts[i]; p.Change != prose.Same {
				n++
				v.Edits[p] = Edit{N: n, Part: n, Says: "Said by Rosa Rivera RN", By: rivera}
			}
			number(parts[i].Parts)
		}
	}
	number(v.Body)
	html := render(t, Compare(v))
	body := html[strings.Index(html, `<div class="prose"`):strings.Index(html, `</article>`)]
	for _, want := range []string{
		"+ row", "Cl", "101", "4.1", "5.9", "ticked off; for Rosa Rivera RN, was for nobody; due 25-Nov-2026, was due 24-Nov-2026", "@Dr Mei Chen", "Suggested insertion",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("it does not say %q", want)
		}
	}
	if stray := regexp.MustCompile(`<(tr|tbody|table)[^>]*>\s*<(span|div|p|li)\b`).FindString(body); stray != "" {
		t.Errorf("%q: a browser moves that out of the table", stray)
	}
	if strings.Contains(body, "Unsupported") {
		t.Error("a kind of block is not known")
	}
}
