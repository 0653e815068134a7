package prose

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
)

// schemaJSON lists the nodes and marks of a note in the order Tiptap ranks
// them, with their attributes. The browser's schema must be the same: an editor
// that does not know a node deletes it from the shared note.
//
//go:embed schema.json
var schemaJSON []byte

// A kind is a node or mark of the schema.
type kind struct {
	Name     string `json:"name"`
	Content  string `json:"content"`
	Group    string `json:"group"`
	Inline   bool   `json:"inline"`
	Marks    string `json:"marks"`
	Excludes string `json:"excludes"`
	Attrs    []attr `json:"attrs"`

	rank int
}

type attr struct {
	Name    string `json:"name"`
	Default any    `json:"default"`
}

var schema = loadSchema()

type kinds struct {
	nodes, marks map[string]*kind
	fingerprint  string
}

func loadSchema() kinds {
	var file struct{ Nodes, Marks []kind }
	if err := json.Unmarshal(schemaJSON, &file); err != nil {
		panic("prose: schema.json: " + err.Error())
	}
	sum := sha256.Sum256(schemaJSON)
	s := kinds{byName(file.Nodes), byName(file.Marks), hex.EncodeToString(sum[:8])}
	return s
}

func byName(list []kind) map[string]*kind {
	m := make(map[string]*kind, len(list))
	for i := range list {
		list[i].rank = i
		m[list[i].Name] = &list[i]
	}
	return m
}

// SchemaFingerprint names the schema: 16 hexadecimal digits that change with
// any change to it.
func SchemaFingerprint() string { return schema.fingerprint }

// inline reports whether a node stands within a line of text.
func inline(n Node) bool {
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
