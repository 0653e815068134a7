package prose

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/clisonix/tidechart/crdt"
)

// Schemas are numbered files, each with the nodes and marks of a note in the
// order Tiptap ranks them, with their attributes. The last one is that of the
// editor we serve; those before it are of pages that may still be open. A new
// one adds to the one before it: what notes hold cannot be taken away. The
// first is Tiptap's StarterKit; the second adds tables, tasks, mentions and suggestions of wording.
//
//go:embed schemas/*.json
var schemaFiles embed.FS

// A Schema is what an editor can hold. An editor deletes what its schema does
// not have from the shared note, for everybody.
type Schema struct {
	nodes, marks map[string]*kind
	fingerprint  string
	text         []byte
}

// A kind is a node or mark of the schema.
type kind struct {
	Name     string  `json:"name"`
	Content  string  `json:"content"`
	Group    string  `json:"group"`
	Inline   bool    `json:"inline"`
	Marks    string  `json:"marks"`
	Excludes *string `json:"excludes"`
	Attrs    []attr  `json:"attrs"`

	rank int
}

type attr struct {
	Name    string `json:"name"`
	Default any    `json:"default"`
}

var (
	schemas = loadSchemas()
	schema  = schemas[len(schemas)-1]
)

func loadSchemas() []*Schema {
	var list []*Schema
	for {
		text, err := schemaFiles.ReadFile(fmt.Sprintf("schemas/%d.json", len(list)+1))
		if err != nil {
			return list
		}
		s, err := ParseSchema(text)
		if err != nil {
			panic(fmt.Sprintf("prose: schema %d: %v", len(list)+1, err))
		}
		list = append(list, s)
	}
}

// ParseSchema reads a schema from JSON like that of [Schema.JSON].
func ParseSchema(text []byte) (*Schema, error) {
	var file struct{ Nodes, Marks []kind }
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, fmt.Errorf("parse schema: %w", err)
	}
	sum := sha256.Sum256(text)
	return &Schema{byName(file.Nodes), byName(file.Marks), hex.EncodeToString(sum[:8]), text}, nil
}

func byName(list []kind) map[string]*kind {
	m := make(map[string]*kind, len(list))
	for i := range list {
		list[i].rank = i
		m[list[i].Name] = &list[i]
	}
	return m
}

// CurrentSchema returns the schema of the editor we serve.
func CurrentSchema() *Schema { return schema }

// StarterKit returns the schema of an editor with Tiptap's StarterKit and
// nothing else.
func StarterKit() *Schema { return schemas[0] }

// SchemaByFingerprint returns the current schema or an earlier one.
func SchemaByFingerprint(fingerprint string) (*Schema, bool) {
	for _, s := range schemas {
		if s.fingerprint == fingerprint {
			return s, true
		}
	}
	return nil, false
}

// Fingerprint names the schema: 16 hexadecimal digits that change with any
// change to it.
func (s *Schema) Fingerprint() string { return s.fingerprint }

// JSON returns the schema as it is written. It must not be changed.
func (s *Schema) JSON() []byte { return s.text }

// NodeAttrs returns the attributes of a node, those that are not set as the schema's defaults.
func (s *Schema) NodeAttrs(n Node) map[string]any { return filled(s.nodes[n.Type], n.Attrs) }

// MarkAttrs returns those of a mark.
func (s *Schema) MarkAttrs(m Mark) map[string]any { return filled(s.marks[m.Type], m.Attrs) }

func filled(k *kind, attrs map[string]any) map[string]any {
	names, values := fill(k, attrs)
	all := make(map[string]any, len(names))
	for i, name := range names {
		all[name] = values[i]
	}
	return all
}

// Has reports whether the schema has all that is called by names.
func (s *Schema) Has(names ...crdt.Name) bool {
	for _, n := range names {
		if !s.has(n) {
			return false
		}
	}
	return true
}

func (s *Schema) has(n crdt.Name) bool {
	switch n.Of {
	case crdt.NameOfFormat:
		return s.marks[markName(n.Name)] != nil
	case crdt.NameOfElement:
		// A text is no element, and a document is the root.
		return s.nodes[n.Name] != nil && n.Name != "text" && n.Name != "doc"
	default:
		node := s.nodes[n.Element]
		if node == nil {
			return false
		}
		for _, a := range node.Attrs {
			if a.Name == n.Name {
				return true
			}
		}
		return false
	}
}

// Inline reports whether a node stands within a line of text.
func Inline(n Node) bool {
	if k := schema.nodes[n.Type]; k != nil {
		return k.Inline || n.Type == "text"
	}
	return n.Type == Embed
}

// textblock reports whether a node holds a line of text.
func textblock(n Node) bool {
	if k := schema.nodes[n.Type]; k != nil {
		return k.Content == "inline*" || k.Content == "text*"
	}
	return len(n.Content) == 0
}
