package prose

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/clisonix/tidechart/crdt"
)

// ErrForeign means that a note, or what it is to say, holds what our schema does not have, so that it cannot be written.
var ErrForeign = errors.New("the note holds more than this editor has")

// Turn makes what f holds say what to says, by edits of tx: what both say stays as it is, with its authors. It checks that it does; after
// an error the document is to be thrown away.
func Turn(tx *crdt.Txn, f *crdt.XMLFragment, to Node) error {
	t := turner{tx: tx}
	t.into(f, Compare(ReadTraced(f), to).Parts)
	if err := errors.Join(t.err, tx.Err()); err != nil {
		return fmt.Errorf("turn note: %w", err)
	}
	want, err := JSON(to)
	if err != nil {
		return err
	}
	if got, err := JSON(Read(f)); err != nil || !bytes.Equal(got, want) {
		return fmt.Errorf("turn note: %w", ErrForeign)
	}
	return nil
}

// A turner writes what was compared.
type turner struct {
	tx  *crdt.Txn
	err error
}

func (t *turner) fail() {
	if t.err == nil {
		t.err = ErrForeign
	}
}

// into makes an element's children those of parts: blocks, or a line.
func (t *turner) into(f *crdt.XMLFragment, parts []Part) {
	if !all(parts, Same) && !t.inPlace(f, parts) {
		f.Delete(t.tx, 0, f.Len())
		f.Insert(t.tx, 0, t.fresh(nodesOf(parts))...)
		t.format(f, nodesOf(parts))
	}
}

// all reports whether all parts, and what is in them, are alike.
func all(parts []Part, how Change) bool {
	for i := range parts {
		if parts[i].Change != how || !all(parts[i].Parts, how) {
			return false
		}
	}
	return true
}

// nodesOf returns what parts say in the newer version.
func nodesOf(parts []Part) (out []Node) {
	for i := range parts {
		if parts[i].Change != Removed {
			n := parts[i].Node
			n.Content = nodesOf(parts[i].Parts)
			out = append(out, n)
		}
	}
	return out
}

// inPlace edits children one by one. It does not begin if nodes come or go among text: an editor, too, replaces such a line.
func (t *turner) inPlace(f *crdt.XMLFragment, parts []Part) bool {
	texts, moves := false, false
	for _, p := range parts {
		texts = texts || p.Node.Type == "text"
		moves = moves || p.Node.Type != "text" && p.Change != Same
	}
	if texts && moves {
		return false
	}
	at := 0
	for k := 0; k < len(parts); {
		if parts[k].Node.Type == "text" {
			n := k
			for n < len(parts) && parts[n].Node.Type == "text" {
				n++
			}
			at = t.line(f, at, parts[k:n])
			k = n
			continue
		}
		at = t.block(f, at, &parts[k])
		k++
	}
	return true
}

// block edits the child that stands at an index, or puts one there, and returns the next index.
func (t *turner) block(f *crdt.XMLFragment, at int, p *Part) int {
	for text, ok := textAt(f, at); ok && text.Len() == 0; text, ok = textAt(f, at) {
		at++ // nobody sees it
	}
	switch {
	case p.Change == Removed:
		f.Delete(t.tx, at, 1)
		return at
	case p.Change == Added, p.Change == Changed && p.Was.Type != p.Node.Type:
		if p.Change == Changed {
			f.Delete(t.tx, at, 1)
		}
		t.put(f, at, nodesOf([]Part{*p}))
		return at + 1
	}
	child, _ := f.Get(at)
	x, ok := child.Value.(*crdt.XMLElement)
	if !ok {
		if !all([]Part{*p}, Same) {
			t.fail()
		}
		return at + 1
	}
	if p.Change == Changed {
		for _, name := range sortedKeys(p.Was.Attrs) {
			if _, stays := p.Node.Attrs[name]; !stays {
				x.RemoveAttribute(t.tx, name)
			}
		}
		for _, name := range sortedKeys(p.Node.Attrs) {
			if v := p.Node.Attrs[name]; !sameAttrs(map[string]any{"": v}, map[string]any{"": p.Was.Attrs[name]}) {
				x.SetAttribute(t.tx, name, v)
			}
		}
	}
	t.into(&x.XMLFragment, p.Parts)
	return at + 1
}

// line edits the texts that stand together at an index, and returns the index behind them.
func (t *turner) line(f *crdt.XMLFragment, at int, parts []Part) int {
	text, ok := textAt(f, at)
	if !ok { // all of it has come
		t.put(f, at, nodesOf(parts))
		return at + 1
	}
	place, left := 0, text.Len() // of the text that stands there
	for _, p := range parts {
		if p.Change == Added {
			text.InsertFormatted(t.tx, place, p.Node.Text, t.formats(nil, p.Node.Marks))
			place += int(units16(p.Node.Text))
			continue
		}
		for size := int(units16(p.Node.Text)); size > 0; {
			for left == 0 {
				at++
				if text, ok = textAt(f, at); !ok {
					t.fail()
					return at
				}
				place, left = 0, text.Len()
			}
			n := min(size, left)
			size, left = size-n, left-n
			switch p.Change {
			case Removed:
				text.Delete(t.tx, place, n)
				continue
			case Changed:
				text.Format(t.tx, place, n, t.formats(p.Was.Marks, p.Node.Marks))
			}
			place += n
		}
	}
	return at + 1
}

// textAt returns the text that stands at an index and is part of a line.
func textAt(f *crdt.XMLFragment, at int) (*crdt.XMLText, bool) {
	child, _ := f.Get(at)
	x, ok := child.Value.(*crdt.XMLText)
	return x, ok && len(x.Attributes()) == 0
}

// formats returns what turns some marks into others, as the editor writes it.
func (t *turner) formats(was, is []Mark) map[string]any {
	out := make(map[string]any)
	for _, m := range was {
		out[t.key(m)] = nil
	}
	for _, m := range is {
		if schema.marks[m.Type] == nil {
			t.fail()
		}
		value := map[string]any{}
		for k, v := range m.Attrs {
			value[k] = v
		}
		out[t.key(m)] = value
	}
	for _, m := range was {
		if out[t.key(m)] != nil && slices.ContainsFunc(is, func(n Mark) bool { return sameMarks([]Mark{m}, []Mark{n}) }) {
			delete(out, t.key(m))
		}
	}
	return out
}

func (t *turner) key(m Mark) string {
	key, err := formatKey(m)
	if err != nil {
		t.fail()
	}
	return key
}

// put inserts nodes at an index, each run of texts as one.
func (t *turner) put(f *crdt.XMLFragment, at int, ns []Node) {
	before := f.Len()
	f.Insert(t.tx, at, t.fresh(ns)...)
	if t.tx.Err() == nil {
		t.formatFrom(f, at, f.Len()-before, ns)
	}
}

// fresh returns new shared types for nodes, without the formats of their texts.
func (t *turner) fresh(ns []Node) (out []any) {
	for len(ns) > 0 {
		n, k := ns[0], 0
		text := ""
		for k < len(ns) && ns[k].Type == "text" {
			text += ns[k].Text
			k++
		}
		if k > 0 {
			out, ns = append(out, crdt.NewXMLText(text)), ns[k:]
			continue
		}
		if ns = ns[1:]; schema.nodes[n.Type] == nil || len(n.Marks) > 0 {
			t.fail()
			continue
		}
		attrs := make(map[string]any, len(n.Attrs))
		for k, v := range n.Attrs {
			if v != nil {
				attrs[k] = v
			}
		}
		out = append(out, crdt.NewXMLElement(n.Type, attrs, t.fresh(n.Content)...))
	}
	return out
}

// format gives the texts in f, which are those of nodes, their formats.
func (t *turner) format(f *crdt.XMLFragment, ns []Node) { t.formatFrom(f, 0, f.Len(), ns) }

func (t *turner) formatFrom(f *crdt.XMLFragment, at, n int, ns []Node) {
	for ; n > 0 && len(ns) > 0 && t.tx.Err() == nil; at, n = at+1, n-1 {
		child, _ := f.Get(at)
		switch x := child.Value.(type) {
		case *crdt.XMLElement:
			t.format(&x.XMLFragment, ns[0].Content)
			ns = ns[1:]
		case *crdt.XMLText:
			place := 0
			for len(ns) > 0 && ns[0].Type == "text" {
				size := int(units16(ns[0].Text))
				if len(ns[0].Marks) > 0 {
					x.Format(t.tx, place, size, t.formats(nil, ns[0].Marks))
				}
				place, ns = place+size, ns[1:]
			}
		}
	}
}
