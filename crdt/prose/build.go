package prose

import (
	"fmt"
	"slices"

	"github.com/clisonix/tidechart/crdt"
)

// fragment is the root that holds a note, as Tiptap names it.
const fragment = "default"

// Build returns a version 1 update that creates doc in an empty note, byte for
// byte as y-tiptap would. The client must not have written in the note before.
// Nodes and marks must be the schema's; authors are ignored.
func Build(client crdt.ClientID, doc Node) ([]byte, error) {
	if doc.Type != "doc" {
		return nil, fmt.Errorf("build note: it is a %q, not a doc", doc.Type)
	}
	b := builder{crdt.NewBuilder(client)}
	err := b.children(crdt.Place{Root: fragment}, doc.Content, 1)
	if err != nil {
		return nil, fmt.Errorf("build note: %w", err)
	}
	update, err := b.Update()
	if err != nil {
		return nil, fmt.Errorf("build note: %w", err)
	}
	return update, nil
}

type builder struct{ *crdt.Builder }

// children adds nodes at p, each run of texts as one shared text.
func (b builder) children(p crdt.Place, ns []Node, depth int) error {
	if depth > MaxDepth {
		return fmt.Errorf("nested deeper than %d", MaxDepth)
	}
	for len(ns) > 0 {
		var id crdt.ID
		k := 0
		for k < len(ns) && ns[k].Type == "text" {
			k++
		}
		if k > 0 {
			id = b.XMLText(p)
			if err := b.texts(crdt.Place{Parent: &id}, ns[:k]); err != nil {
				return err
			}
		} else {
			var err error
			if id, err = b.node(p, ns[0], depth); err != nil {
				return err
			}
			k = 1
		}
		ns = ns[k:]
		p = crdt.Place{After: &id}
	}
	return nil
}

// node adds an element, then what is in it, then its attributes but for nulls.
func (b builder) node(p crdt.Place, n Node, depth int) (crdt.ID, error) {
	k := schema.nodes[n.Type]
	if k == nil || n.Type == "doc" {
		return crdt.ID{}, fmt.Errorf("node type %q is not in the schema", n.Type)
	}
	if len(n.Marks) > 0 {
		return crdt.ID{}, fmt.Errorf("marks on a %q are not supported", n.Type)
	}
	id := b.Element(p, n.Type)
	if err := b.children(crdt.Place{Parent: &id}, n.Content, depth+1); err != nil {
		return id, err
	}
	names, values := fill(k, n.Attrs)
	if len(names) > len(k.Attrs) {
		return id, fmt.Errorf("attribute %q of %q is not in the schema", names[len(k.Attrs)], n.Type)
	}
	for i, name := range names {
		if values[i] != nil {
			b.Value(crdt.Place{Parent: &id, Key: &name}, values[i])
		}
	}
	return id, nil
}

// texts adds formatted strings: each turns its marks on before and off after.
func (b builder) texts(p crdt.Place, ns []Node) error {
	follow := func(id crdt.ID) { p = crdt.Place{After: &id} }
	for _, n := range joinText(ns) {
		if n.Text == "" {
			return fmt.Errorf("a text is empty")
		}
		sorted := slices.Clone(n.Marks)
		slices.SortStableFunc(sorted, func(a, b Mark) int { return markRank(a.Type) - markRank(b.Type) })
		keys := make([]string, len(sorted))
		for i, m := range sorted {
			value, err := markJSON(m)
			if err != nil {
				return err
			}
			if keys[i], err = formatKey(m); err != nil {
				return err
			}
			follow(b.Format(p, keys[i], value))
		}
		follow(b.String(p, n.Text))
		for _, key := range keys {
			follow(b.Format(p, key, []byte("null")))
		}
	}
	return nil
}

// markJSON returns the attributes of a mark as the value of its format.
func markJSON(m Mark) ([]byte, error) {
	k := schema.marks[m.Type]
	if k == nil {
		return nil, fmt.Errorf("mark type %q is not in the schema", m.Type)
	}
	names, values := fill(k, m.Attrs)
	if len(names) > len(k.Attrs) {
		return nil, fmt.Errorf("attribute %q of %q is not in the schema", names[len(k.Attrs)], m.Type)
	}
	return appendObject(nil, names, values)
}
