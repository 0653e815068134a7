package crdt

import (
	"slices"
	"testing"
)

// TestNames: what an update brings is known before it is applied, by names that
// include all that is alive afterwards.
func TestNames(t *testing.T) {
	element := func(name string) Name { return Name{Of: NameOfElement, Name: name} }
	attribute := func(of, name string) Name { return Name{NameOfAttribute, of, name} }
	format := func(name string) Name { return Name{Of: NameOfFormat, Name: name} }

	d := New("writer")
	root := d.XMLFragment("default")
	var heading *XMLElement
	var text *XMLText
	steps := []struct {
		name   string
		edit   func(*Txn)
		brings []Name
		alive  []Name
	}{
		{"an element with attributes", func(tx *Txn) {
			heading = NewXMLElement("heading", map[string]any{"level": 2})
			root.Push(tx, heading)
		}, []Name{element("heading"), attribute("heading", "level")}, []Name{element("heading"), attribute("heading", "level")}},
		{"plain text", func(tx *Txn) {
			text = NewXMLText("chest pain")
			heading.Push(tx, text)
		}, nil, []Name{element("heading"), attribute("heading", "level")}},
		{"a mark", func(tx *Txn) {
			text.Format(tx, 0, 5, map[string]any{"bold": map[string]any{}})
		}, []Name{format("bold")}, []Name{element("heading"), attribute("heading", "level"), format("bold")}},
		{"an attribute of an element that is there", func(tx *Txn) {
			heading.SetAttribute(tx, "id", "h1")
		}, []Name{attribute("heading", "id")}, []Name{element("heading"), attribute("heading", "id"), attribute("heading", "level"), format("bold")}},
		{"an attribute removed", func(tx *Txn) {
			heading.RemoveAttribute(tx, "level")
		}, nil, []Name{element("heading"), attribute("heading", "id"), format("bold")}},
		{"keys of a map, which are no attributes", func(tx *Txn) {
			d.Map("meta").Set(tx, "k", NewMap(map[string]any{"in": 1}))
		}, nil, []Name{element("heading"), attribute("heading", "id"), format("bold")}},
		{"another element instead", func(tx *Txn) {
			root.Delete(tx, 0, 1)
			root.Push(tx, NewXMLHook("hook", map[string]any{"on": "click"}))
		}, []Name{element("hook"), attribute("hook", "on")}, []Name{element("hook"), attribute("hook", "on")}},
	}
	reader := New("reader")
	for _, step := range steps {
		update, err := d.Transact(1, step.edit)
		if err != nil {
			t.Fatal(err)
		}
		v1, err := DecodeUpdate(update)
		if err != nil {
			t.Fatal(err)
		}
		v2, err := DecodeUpdateV2(d.LastUpdateV2())
		if err != nil {
			t.Fatal(err)
		}
		for version, u := range map[string]*Update{"v1": v1, "v2": v2} {
			if got := reader.NamesIn(u); !slices.Equal(got, step.brings) {
				t.Errorf("%s, %s, brings %v, want %v", step.name, version, got, step.brings)
			}
		}
		if err := reader.ApplyUpdate(update); err != nil {
			t.Fatal(err)
		}
		for _, doc := range []*Doc{d, reader} {
			if got := doc.Names(); !slices.Equal(got, step.alive) {
				t.Errorf("%s: %v are alive, want %v", step.name, got, step.alive)
			}
		}
	}
	whole, err := DecodeUpdate(must(reader.EncodeStateAsUpdate(nil)))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range reader.Names() {
		if !slices.Contains(New("").NamesIn(whole), name) {
			t.Errorf("%v is alive, and not among what the state brings to an empty document", name)
		}
	}
}
