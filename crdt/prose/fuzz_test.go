package prose

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/clisonix/tidechart/crdt"
)

// A note that anybody wrote, with whatever is in it, can be read in every form.
func FuzzRead(f *testing.F) {
	note := Node{Type: "doc", Content: []Node{
		{Type: "heading", Attrs: map[string]any{"level": float64(2)}, Content: []Node{{Type: "text", Text: "Plan"}}},
		{Type: "paragraph", Content: []Node{{Type: "text", Text: "a😀b", Marks: []Mark{{Type: "bold"}}}, {Type: "hardBreak"}, {Type: "text", Text: "c"}}},
		{Type: "bulletList", Content: []Node{{Type: "listItem", Content: []Node{{Type: "paragraph"}}}}},
	}}
	u, err := Build(7, note)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(u)
	f.Add([]byte{0, 0})
	d := crdt.New("mixed")
	mixed, err := d.Transact(1, func(tx *crdt.Txn) {
		x := d.XMLFragment("default")
		x.Push(tx, crdt.NewXMLElement("p", map[string]any{"k": []any{1, nil}}, crdt.NewXMLText("t")), crdt.NewXMLElement("p", nil))
		d.Array("default").Insert(tx, 0, crdt.NewMap(map[string]any{"k": 1}), 7, []byte{1})
		d.Text("default").Insert(tx, 0, "loose")
		d.Text("default").Format(tx, 1, 2, map[string]any{"bold": true})
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(mixed)
	f.Fuzz(func(t *testing.T, u []byte) {
		d := crdt.New("note")
		if d.ApplyUpdate(u) != nil {
			return
		}
		for _, root := range []string{"default", "x"} { // the oracle's notes are in x
			n := Read(d.XMLFragment(root))
			b, err := JSON(n)
			if err != nil || !json.Valid(b) {
				t.Fatalf("JSON is %q, %v", b, err)
			}
			if s := Markdown(n) + Text(n); !utf8.ValidString(s) {
				t.Fatalf("%q is not UTF-8", s)
			}
			if b, err := Build(9, n); err == nil { // which may refuse
				if err := crdt.New("built").ApplyUpdate(b); err != nil {
					t.Fatalf("what was built is refused: %v", err)
				}
			}
		}
	})
}
