package prose

import (
	"fmt"
	"strings"
	"testing"

	"github.com/clisonix/tidechart/crdt"
)

// TestSchemasOnlyGrow: what a note may hold it can always hold, so that each
// schema has all that the one before it has.
func TestSchemasOnlyGrow(t *testing.T) {
	for i, s := range schemas {
		if got, ok := SchemaByFingerprint(s.Fingerprint()); len(s.Fingerprint()) != 16 || !ok || got != s {
			t.Errorf("schema %d is not found by its fingerprint %q", i+1, s.Fingerprint())
		}
		if i == 0 {
			continue
		}
		for _, n := range namesOf(schemas[i-1]) {
			if !s.Has(n) {
				t.Errorf("schema %d lacks %v, which notes may hold since schema %d", i+1, n, i)
			}
		}
	}
	if _, ok := SchemaByFingerprint(strings.Repeat("0", 16)); ok {
		t.Error("an unknown fingerprint names a schema")
	}
}

// namesOf returns all that a document of s can hold.
func namesOf(s *Schema) []crdt.Name {
	var names []crdt.Name
	for name, node := range s.nodes {
		if name == "text" || name == "doc" {
			continue
		}
		names = append(names, crdt.Name{Of: crdt.NameOfElement, Name: name})
		for _, a := range node.Attrs {
			names = append(names, crdt.Name{Of: crdt.NameOfAttribute, Element: name, Name: a.Name})
		}
	}
	for name := range s.marks {
		names = append(names, crdt.Name{Of: crdt.NameOfFormat, Name: name})
	}
	return names
}

func TestSchemaHas(t *testing.T) {
	if s := StarterKit(); !s.Has() || !s.Has(namesOf(s)...) {
		t.Error("a schema lacks what it names")
	}
	for _, tt := range []struct {
		name crdt.Name
		want bool
	}{
		{crdt.Name{Of: crdt.NameOfElement, Name: "heading"}, true},
		{crdt.Name{Of: crdt.NameOfElement, Name: "callout"}, false},
		{crdt.Name{Of: crdt.NameOfElement, Name: "doc"}, false},
		{crdt.Name{Of: crdt.NameOfElement, Name: "text"}, false},
		{crdt.Name{Of: crdt.NameOfElement, Name: "bold"}, false},
		{crdt.Name{Of: crdt.NameOfAttribute, Element: "heading", Name: "level"}, true},
		{crdt.Name{Of: crdt.NameOfAttribute, Element: "paragraph", Name: "level"}, false},
		{crdt.Name{Of: crdt.NameOfAttribute, Element: "callout", Name: "level"}, false},
		{crdt.Name{Of: crdt.NameOfFormat, Name: "bold"}, true},
		{crdt.Name{Of: crdt.NameOfFormat, Name: "link--aB3/+=xY"}, true}, // of one that may overlap others
		{crdt.Name{Of: crdt.NameOfFormat, Name: "comment"}, false},
		{crdt.Name{Of: crdt.NameOfFormat, Name: "heading"}, false},
	} {
		t.Run(fmt.Sprint(tt.name), func(t *testing.T) {
			if got := StarterKit().Has(tt.name); got != tt.want {
				t.Errorf("Has = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestParseSchema(t *testing.T) {
	s, err := ParseSchema([]byte(`{"nodes": [{"name": "callout", "attrs": [{"name": "tone", "default": "info"}]}], "marks": []}`))
	if err != nil {
		t.Fatal(err)
	}
	if !s.Has(crdt.Name{Of: crdt.NameOfAttribute, Element: "callout", Name: "tone"}) || s.Fingerprint() == StarterKit().Fingerprint() {
		t.Errorf("parsed as %+v", s)
	}
	if _, err := ParseSchema([]byte(`{"nodes": 1}`)); err == nil {
		t.Error("parsed what is no schema")
	}
}
