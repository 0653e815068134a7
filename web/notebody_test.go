package web

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clisonix/tidechart/crdt/prose"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func link(href, s string) prose.Node {
	return prose.Node{Type: "text", Text: s, Marks: []prose.Mark{{Type: "link", Attrs: map[string]any{"href": href}}}}
}

// comment is text with a mark that the schema does not have.
func comment(s string, marks ...string) prose.Node {
	n := text(s, marks...)
	n.Marks = append(n.Marks, prose.Mark{Type: "comment", Attrs: map[string]any{"value": "ask the ward"}})
	return n
}

func TestNoteBodyGolden(t *testing.T) {
	tests := []struct {
		name string
		doc  prose.Node
	}{
		{"empty", node("doc")},
		{"soap", soap},
		{"blocks", node("doc",
			title(1, "One"), title(2, "Two"), title(3, "Three"), title(4, "Four"), title(5, "Five"), title(6, "Six"), title(9, "Nine"),
			para(), para(text("a line"), node("hardBreak"), text("another")),
			with(node("orderedList", node("listItem", para(text("third")), node("bulletList", node("listItem", para(text("within")))))), "start", float64(3)),
			node("blockquote", para(text("said"))),
			with(node("codeBlock", text("if x < 1 {\n\ty()\n}")), "language", "go"),
			node("horizontalRule"),
		)},
		{"marks", node("doc", para(
			text("bold", "bold"), text(" "), text("all", "bold", "italic", "underline", "strike", "code"),
			text(" then "), link("https://example.org/a?b=1&c=2", "a link"), text(" and "), link("mailto:ward@example.org", "mail"),
		))},
		{"hostile", node("doc",
			para(text(`<script>alert("x")</script> & <img src=x onerror=alert(1)>`)),
			para(link("javascript:alert(1)", "script"), link("JaVaScRiPt:alert(1)", "mixed case"), link(" javascript:alert(1)", "space first"),
				link("java\tscript:alert(1)", "tab within"), link("data:text/html,x", "data"), link("//example.org", "no scheme"), link("/logout", "local"),
				link("vbscript:x", "vb"), link("https:", "no host"), link("", "empty")),
			para(link(`https://example.org/"onmouseover="alert(1)`, "quote")),
			with(node("heading", text("level as text")), "level", `1"><script>`),
		)},
		{"tables", tablesNote},
		{"misplaced", node("doc",
			node("table", para(text("no row")), node("tableRow", para(text("no cell")), text("no block"))),
			with(node("tableCell", para(text("no table"))), "colspan", float64(2)),
			with(node("taskItem", para(text("no list"))), "due", map[string]any{"at": `<noon>`}),
			node("taskList", para(text("no task")), node("listItem", para(text("no task either")))),
			node("bulletList", with(node("taskItem", para(text("a task among points"))), "checked", true)),
			node("table", node("tableRow", with(node("tableCell", para(text("as wide as the ward"))), "colspan", 1e9))),
			with(node("mention", text("held")), "label", `"><script>`),
			para(suggested("deletion", 7, "whose?"), prose.Node{Type: "text", Text: "last", Marks: []prose.Mark{{Type: "bold"}, {Type: "deletion"}}}),
		)},
		{"unknown", node("doc",
			node("medicationTable", node("row", para(text("penicillin ALLERGY")))),
			with(node("medication"), "dose", "5 mg <b>"),
			node("horizontalRule", text("in a rule")),
			para(text("a line"), node("hardBreak", text("in a break"))),
			para(comment("commented"), comment(" as well", "bold"), text(" and not")),
			para(text("before "), prose.Node{Type: "pager", Text: "Dr Chen"}, text(" after")),
			para(text("marked", "glow"), text(" as well", "bold", "glow")),
			node("bulletList", para(text("no list item"))),
			node("listItem", para(text("no list"))),
			text("text outside a block"),
		)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := render(t, NoteBody(tt.doc)) + "\n"
			path := filepath.Join("testdata", "notebody", tt.name+".html")
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s\nif this is right: go test ./web -run %s -update", got, want, t.Name())
			}
		})
	}
}

func suggested(kind string, id any, s string, marks ...string) prose.Node {
	n := text(s, marks...)
	n.Marks = append([]prose.Mark{{Type: kind, Attrs: map[string]any{"id": id}}}, n.Marks...)
	return n
}

func taskOf(done bool, owner, due string, content ...prose.Node) prose.Node {
	n := with(node("taskItem", content...), "checked", done)
	if owner != "" {
		n.Attrs["owner"], n.Attrs["ownerName"] = "018f3c", owner
	}
	if due != "" {
		n.Attrs["due"] = due
	}
	return n
}

// tablesNote has tables, tasks, mentions and suggestions as the editor makes them.
var tablesNote = node("doc",
	node("table",
		node("tableRow", node("tableHeader", para(text("Drug"))), node("tableHeader", para(text("Dose"))), node("tableHeader", para(text("When")))),
		node("tableRow", node("tableCell", para(text("furosemide", "bold")), para(text("was bumetanide"))),
			node("tableCell", node("bulletList", node("listItem", para(text("40 mg")), node("bulletList", node("listItem", para(text("oral")))))), node("taskList", taskOf(false, "", "", para(text("check"))))),
			node("tableCell")),
		node("tableRow", prose.Node{Type: "tableCell", Attrs: map[string]any{"colspan": float64(2), "rowspan": float64(2)}, Content: []prose.Node{para(text("held"))}}, node("tableCell", para())),
		node("tableRow", node("tableCell", para(text("at night")))),
	),
	node("taskList",
		taskOf(false, "Rosa Rivera RN", "2026-11-24T14:00", para(text("repeat potassium"))),
		taskOf(true, "", "2026-11-25", para(text("chest film")), node("taskList", taskOf(false, "Dr Mei Chen", "", para(text("read it"))))),
		taskOf(false, "", "soon", para(text("weigh"))),
	),
	para(text("ask "), prose.Node{Type: "mention", Attrs: map[string]any{"id": "018f3c", "label": "Rosa Rivera RN"}}, text(" & the ward")),
	para(text("give "), suggested("deletion", "s1", "40 mg"), suggested("insertion", "s1", "80"), suggested("insertion", "s1", " mg", "bold"), text(" once "),
		suggested("deletion", "s1", "or "), prose.Node{Type: "text", Text: "twice", Marks: []prose.Mark{{Type: "deletion", Attrs: map[string]any{"id": "s1"}}, {Type: "deletion", Attrs: map[string]any{"id": "s2"}}}}),
	prose.Node{Type: "codeBlock", Content: []prose.Node{suggested("insertion", "s3", "x")}},
)

// TestEditorShowsTheSame: what the script's test compares with the page is this note.
func TestEditorShowsTheSame(t *testing.T) {
	path := filepath.Join("testdata", "notebody", "tables.json")
	j, err := prose.JSON(tablesNote)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(path, append(j, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(path); err != nil || strings.TrimSpace(string(want)) != string(j) {
		t.Errorf("%s is of another note, %v: go test ./web -run %s -update", path, err, t.Name())
	}
}

// TestNoteBodyDropsNothing shows that every text of a note is rendered, in
// whatever unknown or misplaced node it stands (I6).
func TestNoteBodyDropsNothing(t *testing.T) {
	kinds := []string{"paragraph", "heading", "bulletList", "orderedList", "listItem", "blockquote", "codeBlock", "horizontalRule", "hardBreak", "table", "tableRow", "tableCell", "tableHeader", "taskList", "taskItem", "mention", ""}
	for _, outer := range kinds {
		for _, inner := range kinds {
			doc := node("doc", node(outer, node(inner, text("penicillin"))))
			if html := render(t, NoteBody(doc)); !strings.Contains(html, "penicillin") {
				t.Errorf("text in %q in %q is not shown: %s", inner, outer, html)
			}
		}
	}
}
