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
		{"unknown", node("doc",
			node("medicationTable", node("row", para(text("penicillin ALLERGY")))),
			with(node("medication"), "dose", "5 mg <b>"),
			node("horizontalRule", text("in a rule")),
			para(text("a line"), node("hardBreak", text("in a break"))),
			para(comment("commented"), comment(" as well", "bold"), text(" and not")),
			para(text("before "), prose.Node{Type: "mention", Text: "Dr Chen"}, text(" after")),
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

// TestNoteBodyDropsNothing shows that every text of a note is rendered, in
// whatever unknown or misplaced node it stands (I6).
func TestNoteBodyDropsNothing(t *testing.T) {
	kinds := []string{"paragraph", "heading", "bulletList", "orderedList", "listItem", "blockquote", "codeBlock", "horizontalRule", "hardBreak", "table", ""}
	for _, outer := range kinds {
		for _, inner := range kinds {
			doc := node("doc", node(outer, node(inner, text("penicillin"))))
			if html := render(t, NoteBody(doc)); !strings.Contains(html, "penicillin") {
				t.Errorf("text in %q in %q is not shown: %s", inner, outer, html)
			}
		}
	}
}
