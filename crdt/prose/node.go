// Package prose reads a note, the XmlFragment that a Tiptap editor writes, as
// blocks, marks and text with authors, and renders it. Nothing a peer can put
// into the fragment is dropped: what the schema does not know keeps its name,
// its attributes and its content (I6), and every rendering shows them. Text and
// Markdown leave out attributes of nodes and marks that the schema does know.
//
// An element of the fragment is a node, its attributes are the node's; a text
// among elements holds the formatted text, each format a mark. A mark that may
// overlap another of its kind carries a hash: name--xxxxxxxx.
//
// Source: @tiptap/y-tiptap 3.0.9, sync-plugin.js and lib.js.
package prose

import "github.com/clisonix/tidechart/crdt"

// MaxDepth is how deep nodes nest, and texts in texts. Deeper text, attributes and
// names are kept, structure is not: see [TooDeep].
const MaxDepth = 64

// A Node is a block, an inline node or a text. Author is the client that made
// it, or typed the text.
type Node struct {
	Type    string         // of the schema; "text", [Embed], [Unknown], [TooDeep], or a name it does not know
	Attrs   map[string]any // plain values, as [crdt.Child] has them; shared types as plain values
	Marks   []Mark         // of text and inline nodes
	Text    string         // of text only
	Content []Node
	Author  crdt.ClientID
	Pieces  []crdt.Piece // of the document that it consists of; by [ReadTraced] only
}

// A Mark is a format on text, such as bold. One whose value was neither an object
// nor true has it as its attribute "value".
type Mark struct {
	Type  string
	Attrs map[string]any
}

const (
	// Embed is the type of a node for an object inside a text. Tiptap makes none.
	Embed = "embed"
	// Unknown is the type of a node for what is neither element nor plain text:
	// attributes hold a value, the entries of a map, or a name that no element may have.
	Unknown = "unknown"
	// TooDeep is the type of a node that holds, without structure, what is
	// nested deeper than MaxDepth.
	TooDeep = "tooDeep"
)
