// Package prose reads a note, the XmlFragment a Tiptap editor writes, as
// blocks, marks and text with authors.
package prose

import "github.com/clisonix/tidechart/crdt"

// A Node is a block, an inline node or a text of a note.
type Node struct {
	Type    string
	Attrs   map[string]any
	Marks   []Mark
	Text    string
	Content []Node
	Author  crdt.ClientID
}

// A Mark is a format on a text, such as bold.
type Mark struct {
	Type  string
	Attrs map[string]any
}

// Read returns the note in f as a node of type "doc".
func Read(f *crdt.XMLFragment) Node { return Node{Type: "doc"} }

// Text returns the text of n, blocks joined by newlines.
func Text(n Node) string { return n.Text }

// Markdown returns n as Markdown.
func Markdown(n Node) string { return n.Text }

// JSON returns n as ProseMirror JSON.
func JSON(n Node) ([]byte, error) { return nil, nil }

// Build returns a version 1 update that creates doc in the fragment "default".
func Build(client crdt.ClientID, doc Node) ([]byte, error) { return []byte{0, 0}, nil }

// SchemaFingerprint names the schema.
func SchemaFingerprint() string { return "" }
