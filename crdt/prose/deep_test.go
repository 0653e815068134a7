package prose

import (
	"encoding/binary"
	"encoding/json"
	"strings"
	"testing"

	"github.com/clisonix/tidechart/crdt"
)

// nested returns an update with n types, each the only child of the one before
// it.
func nested(n int, typ ...byte) []byte {
	b := binary.AppendUvarint([]byte{1}, uint64(n))
	b = append(b, 1, 0) // client 1 from clock 0
	for i := range n {
		b = append(b, 7) // a type
		if i == 0 {
			b = append(b, 1, 7, 'd', 'e', 'f', 'a', 'u', 'l', 't')
		} else {
			b = binary.AppendUvarint(append(b, 0, 1), uint64(i-1))
		}
		b = append(b, typ...)
	}
	return append(b, 0)
}

// inside returns an update that puts a string behind the last of n nested types.
func inside(n int, text string) []byte {
	b := []byte{1, 1, 2, 0, 4, 0, 1} // client 2: a string in a type of client 1
	b = binary.AppendUvarint(b, uint64(n-1))
	b = binary.AppendUvarint(b, uint64(len(text)))
	return append(append(b, text...), 0)
}

// A note that nests texts, elements or lists without an end is read, the deepest
// text too, and says that it is too deep.
func TestTooDeepIsShown(t *testing.T) {
	const n = 50_000
	for name, typ := range map[string][]byte{
		"texts":    {6},
		"elements": {3, 1, 'p'},
		"arrays":   {0},
	} {
		t.Run(name, func(t *testing.T) {
			doc := note(t, nested(n, typ...), inside(n, "deepest"))
			j, err := JSON(doc)
			if err != nil {
				t.Fatal(err)
			}
			for form, got := range map[string]string{"JSON": string(j), "Markdown": Markdown(doc), "Text": Text(doc)} {
				if !strings.Contains(got, "deepest") {
					t.Errorf("%s has lost what is deepest", form)
				}
				if form != "Text" && !strings.Contains(got, TooDeep) {
					t.Errorf("%s does not say that it is too deep", form)
				}
			}
		})
	}
}

// Past MaxDepth nothing is lost but structure: neither names, attributes, shared
// types in them, embeds, maps, marks nor lines.
func TestTooDeepKeepsAll(t *testing.T) {
	d := crdt.New("note")
	_, err := d.Transact(1, func(tx *crdt.Txn) {
		line := crdt.NewXMLText("first")
		chain := crdt.NewMap(map[string]any{"k": crdt.NewText("in maps")})
		for range 3 * MaxDepth {
			chain = crdt.NewMap(map[string]any{"m": chain})
		}
		var at any = crdt.NewXMLElement("vital", map[string]any{"code": "bp", "by": crdt.NewText("an attribute")},
			crdt.NewXMLElement("paragraph", nil, line), crdt.NewXMLElement("paragraph", nil, crdt.NewXMLText("second")),
			crdt.NewXMLHook("hook", map[string]any{"h": "hooked"}), &crdt.Subdoc{GUID: "sub"}, "loose", chain)
		for range MaxDepth {
			at = crdt.NewXMLElement("blockquote", nil, at)
		}
		d.XMLFragment("default").Push(tx, at, crdt.NewXMLElement("p", map[string]any{"a": chainOf(3 * MaxDepth)}))
		line.InsertEmbed(tx, 2, map[string]any{"image": "embedded"}, nil)
		line.InsertEmbed(tx, 3, crdt.NewXMLElement("pager", nil), map[string]any{"comment": "marked"})
	})
	if err != nil {
		t.Fatal(err)
	}
	n := Read(d.XMLFragment("default"))
	text := Text(n)
	for _, want := range []string{"vital", `"bp"`, "an attribute", "second", "hook", "hooked", "sub", "loose", "in maps", "embedded", "pager", "marked", "innermost"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is lost in %s", want, text)
		}
	}
	if !strings.Contains(text, "fi[embed") || !strings.Contains(text, "rst\nsecond") {
		t.Errorf("out of order, or in one line: %s", text)
	}
	if j, err := JSON(n); err != nil || !json.Valid(j) || len(j) > 100_000 {
		t.Errorf("JSON of %d bytes, %v", len(j), err)
	}
}

// chainOf returns n elements, each the attribute of the one before it.
func chainOf(n int) *crdt.XMLElement {
	e := crdt.NewXMLElement("p", map[string]any{"a": crdt.NewText("innermost")})
	for range n {
		e = crdt.NewXMLElement("p", map[string]any{"a": e})
	}
	return e
}
