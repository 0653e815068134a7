package crdt

import "reflect"

// A freshType is a handle, perhaps of a type that is in no document yet.
type freshType interface{ base() *node }

func (n *node) base() *node { return n }

// fresh is what a new type will hold once it is inserted.
type fresh struct {
	ref  uint8
	name string
	text string
	list []any
	keys map[string]any

	claimed bool // by an edit that inserts it
}

// NewText returns a text to be inserted into a document. Until then it must not
// be read or edited; this holds for all new types.
func NewText(s string) *Text { return &Text{node{fresh: &fresh{ref: typeText, text: s}}} }

// NewXMLText returns an XML text to be inserted.
func NewXMLText(s string) *XMLText {
	return &XMLText{Text{node{fresh: &fresh{ref: typeXMLText, text: s}}}}
}

// NewArray returns an array to be inserted, with values as [Array.Insert] takes.
func NewArray(values ...any) *Array {
	return &Array{node{fresh: &fresh{ref: typeArray, list: values}}}
}

// NewMap returns a map to be inserted. Values are set in order of their keys.
func NewMap(values map[string]any) *Map {
	return &Map{node{fresh: &fresh{ref: typeMap, keys: values}}}
}

// NewXMLFragment returns a fragment to be inserted.
func NewXMLFragment(nodes ...any) *XMLFragment {
	return &XMLFragment{node{fresh: &fresh{ref: typeXMLFragment, list: nodes}}}
}

// NewXMLElement returns an element to be inserted. Its nodes come first, then
// its attributes in order of their names.
func NewXMLElement(name string, attributes map[string]any, nodes ...any) *XMLElement {
	return &XMLElement{XMLFragment{node{fresh: &fresh{ref: typeXMLElement, name: name, keys: attributes, list: nodes}}}}
}

// NewXMLHook returns a hook to be inserted.
func NewXMLHook(name string, values map[string]any) *XMLHook {
	return &XMLHook{Map{node{fresh: &fresh{ref: typeXMLHook, name: name, keys: values}}}}
}

// fresh reports whether f can be inserted, with all that it will hold.
func (tx *Txn) fresh(f freshType) bool {
	if reflect.ValueOf(f).IsNil() {
		tx.fail(ErrNotInDoc)
		return false
	}
	n := f.base()
	switch {
	case n.d != nil || n.fresh == nil || n.fresh.claimed != tx.filling:
		tx.fail(ErrNotInDoc)
		return false
	case tx.filling: // it was looked at before
		return true
	}
	n.fresh.claimed = true
	if !tx.text(n.fresh.name) || !tx.text(n.fresh.text) {
		return false
	}
	for k, v := range n.fresh.keys {
		if _, ok := tx.item(v); !ok || !tx.text(k) {
			return false
		}
	}
	_, ok := tx.items(n.fresh.list)
	return ok
}

// typeContent returns the content of a run that holds the new type n.
func (n *node) typeContent() []byte {
	if n.fresh == nil {
		return nil
	}
	b := []byte{n.fresh.ref}
	if n.fresh.ref == typeXMLElement || n.fresh.ref == typeXMLHook {
		b = appendString(b, n.fresh.name)
	}
	return b
}

// putType inserts a new type at the position in a text.
func (tx *Txn) putType(f freshType) {
	n := f.base()
	i := tx.put(refType, 1, n.typeContent())
	if i == none {
		return
	}
	pos := tx.pos
	tx.fill(n, i)
	tx.pos = pos
}

// fill makes n the handle of the type in run i and gives it its content.
func (tx *Txn) fill(n *node, i int32) {
	f, outer := n.fresh, tx.filling
	tx.filling = true
	defer func() { tx.filling = outer }()
	n.d, n.t, n.fresh = tx.d, tx.d.typ.at(i), nil
	if c, ok := tx.str(f.text); ok && f.text != "" {
		tx.pos = textPos{l: n.d.types[n.t].children, left: none, right: none}
		tx.put(c.ref, c.n, c.bytes)
	}
	if len(f.list) > 0 {
		n.insertAt(tx, 0, f.list)
	}
	for _, k := range propertyKeys(f.keys) {
		n.setKey(tx, k, f.keys[k])
	}
}
