package prose

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/clisonix/tidechart/crdt"
)

// note returns the note that an update makes.
func note(t *testing.T, updates ...[]byte) Node {
	t.Helper()
	d := crdt.New("note")
	for _, u := range updates {
		if err := d.ApplyUpdate(u); err != nil {
			t.Fatal(err)
		}
	}
	return Read(d.XMLFragment("default"))
}

func update(t *testing.T, b *crdt.Builder) []byte {
	t.Helper()
	u, err := b.Update()
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func paragraph(text string) Node {
	return Node{Type: "paragraph", Content: []Node{{Type: "text", Text: text}}}
}

func TestText(t *testing.T) {
	tests := []struct {
		name string
		doc  []Node
		want string
	}{
		{"no blocks", nil, ""},
		{"one paragraph is its text", []Node{paragraph(" a  b\n")}, " a  b\n"},
		{"empty paragraph between", []Node{paragraph("a"), {Type: "paragraph"}, paragraph("b")}, "a\n\nb"},
		{"hard break", []Node{{Type: "paragraph", Content: []Node{{Type: "text", Text: "a"}, {Type: "hardBreak"}, {Type: "text", Text: "b"}}}}, "a\nb"},
		{"marks do not cut", []Node{{Type: "paragraph", Content: []Node{{Type: "text", Text: "a"}, {Type: "text", Text: "b", Marks: []Mark{{Type: "bold"}}}}}}, "ab"},
		{
			"lists and quotes", []Node{
				{Type: "bulletList", Content: []Node{{Type: "listItem", Content: []Node{paragraph("a"), paragraph("b")}}, {Type: "listItem", Content: []Node{paragraph("c")}}}},
				{Type: "blockquote", Content: []Node{paragraph("d")}},
			}, "a\nb\nc\nd",
		},
		{"text where a block should be", []Node{{Type: "text", Text: "a"}, {Type: "text", Text: "b"}, paragraph("c")}, "ab\nc"},
		{"unknown block", []Node{{Type: "vital", Content: []Node{paragraph("a")}}}, "a"},
		{"unknown block without text", []Node{paragraph("a"), {Type: "vital"}, {Type: "horizontalRule"}, paragraph("b")}, "a\n[vital]\nb"},
		{"unknown node in a line", []Node{{Type: "paragraph", Content: []Node{{Type: "text", Text: "a"}, {Type: "med", Content: []Node{{Type: "text", Text: "b"}}}, {Type: Embed}}}}, "ab[embed]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Text(Node{Type: "doc", Content: tt.doc}); got != tt.want {
				t.Errorf("Text = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestMarkdown(t *testing.T) {
	item := func(ns ...Node) Node { return Node{Type: "listItem", Content: ns} }
	text := func(s string, marks ...string) Node {
		n := Node{Type: "text", Text: s}
		for _, m := range marks {
			n.Marks = append(n.Marks, Mark{Type: m})
		}
		return n
	}
	doc := Node{Type: "doc", Content: []Node{
		{Type: "heading", Attrs: map[string]any{"level": 2.0}, Content: []Node{text("Plan")}},
		{Type: "paragraph", Content: []Node{text("give "), text("5 mg ", "bold"), text("now", "bold", "italic"), text(" *not* 1. x"), {Type: "hardBreak"}, text("a`b", "code")}},
		{Type: "bulletList", Content: []Node{
			item(paragraph("one"), Node{Type: "orderedList", Attrs: map[string]any{"start": 3.0}, Content: []Node{item(paragraph("three")), item(paragraph("four"))}}),
			item(paragraph("two")),
		}},
		{Type: "blockquote", Content: []Node{paragraph("said"), paragraph("1. again")}},
		{Type: "codeBlock", Attrs: map[string]any{"language": "go"}, Content: []Node{text("x := `\n```")}},
		{Type: "horizontalRule"},
		{Type: "paragraph", Content: []Node{{Type: "text", Text: "site", Marks: []Mark{{Type: "link", Attrs: map[string]any{"href": "https://example.org/a b>"}}}}, text("gone", "strike"), text("under", "underline")}},
		{Type: "vital", Attrs: map[string]any{"code": "bp"}, Content: []Node{paragraph("120/80")}},
	}}
	want := strings.Join([]string{
		"## Plan",
		"",
		"give **5 mg** ***now*** \\*not\\* 1. x\\",
		"``a`b``",
		"",
		"- one",
		"",
		"  3. three",
		"  4. four",
		"- two",
		"",
		"> said",
		">",
		"> 1\\. again",
		"",
		"````go",
		"x := `",
		"```",
		"````",
		"",
		"---",
		"",
		"[site](<https://example.org/a b%3E>)~~gone~~<u>under</u>",
		"",
		"[vital {\"code\":\"bp\"}]",
		"",
		"120/80",
	}, "\n")
	if got := Markdown(doc); got != want {
		t.Errorf("Markdown\n got:\n%s\nwant:\n%s", got, want)
	}
}

// Every character keeps its author, also in one paragraph and one format.
func TestAuthors(t *testing.T) {
	first, err := Build(7, Node{Type: "doc", Content: []Node{paragraph("ab")}})
	if err != nil {
		t.Fatal(err)
	}
	second := crdt.NewBuilder(9)
	last := crdt.ID{Client: 7, Clock: 3}
	second.String(crdt.Place{After: &last}, "cd")
	got := note(t, first, update(t, second)).Content[0]
	want := Node{Type: "paragraph", Author: 7, Content: []Node{{Type: "text", Text: "ab", Author: 7}, {Type: "text", Text: "cd", Author: 9}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("read %+v, want %+v", got, want)
	}
	j, err := JSON(got)
	if want := `{"type":"paragraph","content":[{"type":"text","text":"abcd"}]}`; err != nil || string(j) != want {
		t.Errorf("JSON = %s, %v; want %s", j, err, want)
	}
}

// What the schema does not know keeps its name, its attributes and its content.
func TestUnknown(t *testing.T) {
	b := crdt.NewBuilder(1)
	vital := b.Element(crdt.Place{Root: "default"}, "vital")
	code := "code"
	b.Value(crdt.Place{Parent: &vital, Key: &code}, map[string]any{"loinc": "8480-6", "n": 1})
	text := b.XMLText(crdt.Place{Parent: &vital})
	on := b.Format(crdt.Place{Parent: &text}, "comment--AbCd+/3=", []byte(`{"id":"c1"}`))
	on = b.Format(crdt.Place{After: &on}, "bold", []byte(`{}`))
	b.String(crdt.Place{After: &on}, "120")
	got := note(t, update(t, b))
	want := []Node{{
		Type: "vital", Author: 1, Attrs: map[string]any{"code": map[string]any{"loinc": "8480-6", "n": 1.0}},
		Content: []Node{{Type: "text", Text: "120", Author: 1, Marks: []Mark{{Type: "bold"}, {Type: "comment", Attrs: map[string]any{"id": "c1"}}}}},
	}}
	if !reflect.DeepEqual(got.Content, want) {
		t.Errorf("read %+v, want %+v", got.Content, want)
	}
	j, err := JSON(got)
	if err != nil || !json.Valid(j) {
		t.Errorf("JSON = %s, %v", j, err)
	}
	var raw struct{ Raw any }
	newTiptap(t).ask(t, map[string]any{"cmd": "read", "update": update(t, b), "raw": true}, &raw)
	theirs := raw.Raw.(map[string]any)["content"].([]any)[0].(map[string]any)
	if theirs["type"] != "vital" || theirs["content"].([]any)[0].(map[string]any)["marks"].([]any)[0].(map[string]any)["type"] != "comment" {
		t.Errorf("y-tiptap reads %v", theirs)
	}
}

// Past MaxDepth the text stays, in a node that says that it was too deep.
func TestDepth(t *testing.T) {
	b := crdt.NewBuilder(1)
	at := crdt.Place{Root: "default"}
	for range 5000 {
		id := b.Element(at, "blockquote")
		at = crdt.Place{Parent: &id}
	}
	text := b.XMLText(at)
	b.String(crdt.Place{Parent: &text}, "deep")
	n := note(t, update(t, b))
	if got := Text(n); got != "deep" {
		t.Errorf("Text = %q, want deep", got)
	}
	depth := 0
	for ; len(n.Content) > 0; depth++ {
		n = n.Content[0]
	}
	if depth != MaxDepth+2 { // a document, MaxDepth quotes, and what is too deep
		t.Errorf("depth %d, want %d", depth, MaxDepth+2)
	}
}

func TestBuildRefuses(t *testing.T) {
	deep := Node{Type: "paragraph"}
	for range MaxDepth {
		deep = Node{Type: "blockquote", Content: []Node{deep}}
	}
	tests := map[string]Node{
		"not a doc":         paragraph("x"),
		"unknown node":      {Type: "doc", Content: []Node{{Type: "vital"}}},
		"doc in a doc":      {Type: "doc", Content: []Node{{Type: "doc"}}},
		"unknown attribute": {Type: "doc", Content: []Node{{Type: "paragraph", Attrs: map[string]any{"x": 1}}}},
		"unknown mark":      {Type: "doc", Content: []Node{{Type: "text", Text: "a", Marks: []Mark{{Type: "x"}}}}},
		"empty text":        {Type: "doc", Content: []Node{paragraph("")}},
		"not UTF-8":         {Type: "doc", Content: []Node{paragraph("\xff")}},
		"too deep":          {Type: "doc", Content: []Node{deep}},
	}
	for name, doc := range tests {
		if u, err := Build(1, doc); err == nil {
			t.Errorf("%s: built %x", name, u)
		}
	}
	if u, err := Build(1<<53, Node{Type: "doc"}); err == nil {
		t.Errorf("client id too large: built %x", u)
	}
}
