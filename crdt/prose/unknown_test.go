package prose

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/clisonix/tidechart/crdt"
)

// Whatever Yjs lets a peer put into a note, every rendering shows it.
func TestNothingIsLost(t *testing.T) {
	p := func(children ...any) *crdt.XMLElement { return crdt.NewXMLElement("paragraph", nil, children...) }
	text := func() *crdt.XMLText { return crdt.NewXMLText("penicillin") }
	// in returns a text with what edit adds to it, in a paragraph.
	in := func(edit func(*crdt.Txn, *crdt.XMLText)) func(*crdt.Txn, *crdt.XMLFragment) {
		return func(tx *crdt.Txn, x *crdt.XMLFragment) {
			line := crdt.NewXMLText("ab")
			x.Push(tx, p(line))
			edit(tx, line)
		}
	}
	push := func(v any) func(*crdt.Txn, *crdt.XMLFragment) {
		return func(tx *crdt.Txn, x *crdt.XMLFragment) { x.Push(tx, v) }
	}
	for _, tt := range []struct {
		name                 string
		fill                 func(*crdt.Txn, *crdt.XMLFragment)
		json, markdown, text string
	}{
		{
			"hard break that holds text", push(p(crdt.NewXMLText("a"), crdt.NewXMLElement("hardBreak", nil, text()))),
			`{"type":"paragraph","content":[{"type":"text","text":"a"},{"type":"hardBreak","content":[{"type":"text","text":"penicillin"}]}]}`,
			"a\\\npenicillin", "a\npenicillin",
		},
		{
			"rule that holds text", push(crdt.NewXMLElement("horizontalRule", nil, text())),
			`{"type":"horizontalRule","content":[{"type":"text","text":"penicillin"}]}`,
			"---\n\n[horizontalRule]\n\npenicillin", "penicillin",
		},
		{
			"element named text", push(p(crdt.NewXMLElement("text", map[string]any{"a": "b"}, text()))),
			`{"type":"paragraph","content":[{"type":"unknown","attrs":{"attrs":{"a":"b"},"name":"text"},"content":[{"type":"text","text":"penicillin"}]}]}`,
			`[unknown {"attrs":{"a":"b"},"name":"text"}]penicillin`, `[unknown {"attrs":{"a":"b"},"name":"text"}]penicillin`,
		},
		{
			"empty element named doc", push(crdt.NewXMLElement("doc", nil)),
			`{"type":"unknown","attrs":{"name":"doc"}}`, `[unknown {"name":"doc"}]`, `[unknown {"name":"doc"}]`,
		},
		{
			"map of texts", push(crdt.NewMap(map[string]any{"drug": crdt.NewText("penicillin"), "list": crdt.NewArray(1, crdt.NewText("b"))})),
			`{"type":"unknown","attrs":{"drug":"penicillin","list":[1,"b"]}}`,
			`[unknown {"drug":"penicillin","list":\[1,"b"\]}]`, `[unknown {"drug":"penicillin","list":[1,"b"]}]`,
		},
		{
			"hook with a text", push(crdt.NewXMLHook("drug", map[string]any{"k": crdt.NewText("penicillin")})),
			`{"type":"drug","attrs":{"k":"penicillin"}}`, `[drug {"k":"penicillin"}]`, `[drug {"k":"penicillin"}]`,
		},
		{
			"attribute that is an element", push(crdt.NewXMLElement("drug", map[string]any{"k": p(text())})),
			`{"type":"drug","attrs":{"k":[{"content":"penicillin","type":"paragraph"}]}}`,
			`[drug {"k":\[{"content":"penicillin","type":"paragraph"}\]}]`, `[drug {"k":[{"content":"penicillin","type":"paragraph"}]}]`,
		},
		{
			"attribute of an unknown block with text", push(crdt.NewXMLElement("drug", map[string]any{"dose": "5 mg"}, p(text()))),
			`{"type":"drug","attrs":{"dose":"5 mg"},"content":[{"type":"paragraph","content":[{"type":"text","text":"penicillin"}]}]}`,
			"[drug {\"dose\":\"5 mg\"}]\n\npenicillin", "[drug {\"dose\":\"5 mg\"}]\npenicillin",
		},
		{
			"mark with a scalar", in(func(tx *crdt.Txn, line *crdt.XMLText) {
				line.Format(tx, 0, 2, map[string]any{"comment": "penicillin"})
				line.Format(tx, 1, 1, map[string]any{"bold": true})
			}),
			`{"type":"paragraph","content":[{"type":"text","marks":[{"type":"comment","attrs":{"value":"penicillin"}}],"text":"a"},` +
				`{"type":"text","marks":[{"type":"bold"},{"type":"comment","attrs":{"value":"penicillin"}}],"text":"b"}]}`,
			`a**b**[comment {"value":"penicillin"}]`, `ab[comment {"value":"penicillin"}]`,
		},
		{
			"element with a mark in a text", in(func(tx *crdt.Txn, line *crdt.XMLText) {
				line.InsertEmbed(tx, 1, crdt.NewXMLElement("drug", nil), map[string]any{"comment": map[string]any{"id": "c1"}})
			}),
			`{"type":"paragraph","content":[{"type":"text","text":"a"},{"type":"drug","marks":[{"type":"comment","attrs":{"id":"c1"}}]},{"type":"text","text":"b"}]}`,
			`a[drug][comment {"id":"c1"}]b`, `a[drug][comment {"id":"c1"}]b`,
		},
		{
			"text with attributes", in(func(tx *crdt.Txn, line *crdt.XMLText) { line.SetAttribute(tx, "k", "v") }),
			`{"type":"paragraph","content":[{"type":"unknown","attrs":{"k":"v"},"content":[{"type":"text","text":"ab"}]}]}`,
			`[unknown {"k":"v"}]ab`, `[unknown {"k":"v"}]ab`,
		},
		{
			"document in a document", push(&crdt.Subdoc{GUID: "abc", Opts: map[string]any{"autoLoad": true}}),
			`{"type":"unknown","attrs":{"value":{"guid":"abc","opts":{"autoLoad":true}}}}`,
			`[unknown {"value":{"guid":"abc","opts":{"autoLoad":true}}}]`, `[unknown {"value":{"guid":"abc","opts":{"autoLoad":true}}}]`,
		},
		{
			"numbers that JSON lacks", push(crdt.NewXMLElement("drug", map[string]any{"a": map[string]any{"b": math.NaN(), "c": []any{math.Inf(-1), "<"}}})),
			`{"type":"drug","attrs":{"a":{"b":null,"c":[null,"<"]}}}`,
			`[drug {"a":{"b":null,"c":\[null,"\<"\]}}]`, `[drug {"a":{"b":null,"c":[null,"<"]}}]`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := crdt.New("note")
			if _, err := d.Transact(1, func(tx *crdt.Txn) { tt.fill(tx, d.XMLFragment("default")) }); err != nil {
				t.Fatal(err)
			}
			n := Read(d.XMLFragment("default"))
			j, err := JSON(n)
			if want := `{"type":"doc","content":[` + tt.json + `]}`; err != nil || string(j) != want {
				t.Errorf("JSON = %s, %v\nwant   %s", j, err, want)
			}
			if got := Markdown(n); got != tt.markdown {
				t.Errorf("Markdown = %q, want %q", got, tt.markdown)
			}
			if got := Text(n); got != tt.text {
				t.Errorf("Text = %q, want %q", got, tt.text)
			}
		})
	}
}

// A list begins with a number that Markdown takes for one.
func TestListStart(t *testing.T) {
	for start, want := range map[any]string{
		3: "3. a", 7.0: "7. a", 0.0: "0. a", 1e9: "1. a", 1e300: "1. a", -3.0: "1. a", 2.5: "1. a", math.NaN(): "1. a", "9": "1. a",
		999_999_999.0: "999999999. a",
	} {
		item := Node{Type: "listItem", Content: []Node{paragraph("a")}}
		list := Node{Type: "orderedList", Attrs: map[string]any{"start": start}, Content: []Node{item, item}}
		got, _, _ := strings.Cut(Markdown(Node{Content: []Node{list}}), "\n")
		if got != want {
			t.Errorf("start %v: %q, want %q", start, got, want)
		}
		if start == 999_999_999.0 && strings.Count(Markdown(Node{Content: []Node{list}}), want) != 2 {
			t.Error("the number after the last has more digits than Markdown takes")
		}
	}
}

// A mark's attributes are shown once, at its end, into however many parts other
// marks cut it: a megabyte of them costs no more.
func TestUnknownMarkIsShownOnce(t *testing.T) {
	comment := Mark{Type: "comment", Attrs: map[string]any{"note": "why"}}
	var line []Node
	for i := range 100 {
		n := Node{Type: "text", Text: fmt.Sprint(i), Marks: []Mark{comment}}
		if i%2 == 0 {
			n.Marks = []Mark{{Type: "bold"}, comment}
		}
		line = append(line, n)
	}
	doc := Node{Type: "doc", Content: []Node{{Type: "paragraph", Content: line}}}
	for _, got := range []string{Markdown(doc), Text(doc)} {
		if strings.Count(got, `"why"`) != 1 || !strings.HasSuffix(got, `99[comment {"note":"why"}]`) {
			t.Errorf("shown as %s", got)
		}
	}
}
