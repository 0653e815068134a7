package crdt

import (
	"errors"
	"fmt"
)

// Insert puts values before index: what [Child.Value] may be but for undefined
// and bigints, Go's int, and new shared types.
func (a *Array) Insert(tx *Txn, index int, values ...any) { a.insertAt(tx, index, values) }

// Push puts values behind the last, deleted ones included.
func (a *Array) Push(tx *Txn, values ...any) {
	if !tx.may(a.node) {
		return
	}
	if items, ok := tx.items(values); ok {
		l := a.d.types[a.t].children
		tx.insertItems(l, a.d.lists[l].tail, none, items)
	}
}

// Delete removes n values from index on.
func (a *Array) Delete(tx *Txn, index, n int) { a.deleteAt(tx, index, n) }

// Get returns the value at index and its author.
func (a *Array) Get(index int) (Child, bool) { return a.get(index) }

// Insert puts nodes before index: new shared types, mostly.
func (x *XMLFragment) Insert(tx *Txn, index int, nodes ...any) { x.insertAt(tx, index, nodes) }

// Push puts nodes behind the last.
func (x *XMLFragment) Push(tx *Txn, nodes ...any) { x.insertAt(tx, x.length(), nodes) }

// Delete removes n nodes from index on.
func (x *XMLFragment) Delete(tx *Txn, index, n int) { x.deleteAt(tx, index, n) }

// Get returns the node at index and its author.
func (x *XMLFragment) Get(index int) (Child, bool) { return x.get(index) }

// SetAttribute sets an attribute.
func (x *XMLElement) SetAttribute(tx *Txn, name string, value any) { x.setKey(tx, name, value) }

// RemoveAttribute removes an attribute, if it is there.
func (x *XMLElement) RemoveAttribute(tx *Txn, name string) { x.deleteKey(tx, name) }

// Set gives key a value: what [Child.Value] may be, Go's int, or a new shared
// type.
func (m *Map) Set(tx *Txn, key string, value any) { m.setKey(tx, key, value) }

// Delete removes key, if it is there.
func (m *Map) Delete(tx *Txn, key string) { m.deleteKey(tx, key) }

// Clear removes all keys.
func (m *Map) Clear(tx *Txn) {
	if !tx.may(m.node) {
		return
	}
	d := m.d
	for l := d.types[m.t].firstKey; l != none; l = d.lists[l].nextKey {
		if i := d.lists[l].tail; i != none {
			d.delete(i)
		}
	}
}

func (n node) insertAt(tx *Txn, index int, values []any) {
	if !tx.may(n) {
		return
	}
	if index < 0 || index > n.length() {
		tx.fail(ErrRange)
		return
	}
	items, ok := tx.items(values)
	if !ok {
		return
	}
	l := n.d.types[n.t].children
	left, right := n.d.gap(l, uint32(index))
	tx.insertItems(l, left, right, items)
}

// insertItems inserts items between two neighbours. Unlike a text, a list does
// not pass deleted runs first.
//
// Source: yjs AbstractType.js, typeListInsertGenericsAfter.
func (tx *Txn) insertItems(l, left, right int32, items []textContent) {
	for _, c := range items {
		i := tx.insert(l, left, right, c.ref, c.n, c.bytes)
		if i == none {
			return
		}
		if c.fresh != nil {
			tx.fill(c.fresh.base(), i)
		}
		left = i
	}
}

// items returns values as contents. Plain ones that adjoin are one.
func (tx *Txn) items(values []any) ([]textContent, bool) {
	var out []textContent
	for _, v := range values {
		switch v.(type) {
		case Undefined, int64:
			tx.fail(fmt.Errorf("a list cannot hold a %T", v))
			return nil, false
		}
		c, ok := tx.item(v)
		if !ok {
			return nil, false
		}
		if k := len(out) - 1; k >= 0 && c.ref == refAny && out[k].ref == refAny {
			out[k].bytes = append(out[k].bytes, c.bytes...)
			out[k].n++
			continue
		}
		out = append(out, c)
	}
	return out, true
}

// item returns one value as content.
func (tx *Txn) item(v any) (c textContent, ok bool) {
	c.n = 1
	switch v := v.(type) {
	case freshType:
		if !tx.fresh(v) {
			return c, false
		}
		c.ref, c.fresh, c.bytes = refType, v, v.base().typeContent()
	case []byte:
		c.ref, c.bytes = refBinary, appendBytes(nil, v)
	case *Subdoc:
		return tx.subdoc(v)
	default:
		var err error
		if c.bytes, err = appendAny(nil, v, 0); err != nil {
			tx.fail(err)
			return c, false
		}
		c.ref = refAny
	}
	return c, true
}

// subdoc writes options in Yjs's order.
func (tx *Txn) subdoc(s *Subdoc) (c textContent, ok bool) {
	if s == nil {
		tx.fail(ErrNotInDoc)
	}
	if tx.err != nil || !tx.text(s.GUID) {
		return c, false
	}
	c = textContent{ref: refDoc, n: 1, bytes: appendString(nil, s.GUID)}
	c.bytes = appendUint(append(c.bytes, anyObject), uint64(len(s.Opts)))
	known := 0
	for _, k := range []string{"gc", "autoLoad", "meta"} {
		v, has := s.Opts[k]
		if !has {
			continue
		}
		known++
		var err error
		if c.bytes, err = appendAny(appendString(c.bytes, k), v, 1); err != nil {
			tx.fail(err)
			return c, false
		}
	}
	if known < len(s.Opts) {
		tx.fail(errors.New("a subdocument's options are gc, autoLoad and meta"))
		return c, false
	}
	return c, true
}

// deleteAt removes n elements from index on.
//
// Source: yjs AbstractType.js, typeListDelete.
func (n node) deleteAt(tx *Txn, index, count int) {
	if count == 0 || !tx.may(n) {
		return
	}
	if index < 0 || count < 0 || index > n.length() || count > n.length()-index {
		tx.fail(ErrRange)
		return
	}
	d := n.d
	_, i := d.gap(d.types[n.t].children, uint32(index))
	for count > 0 && i != none {
		if x := &d.runs[i]; !x.deleted() {
			if count < int(x.n) {
				d.cleanStart(x.cl(), x.clk+uint32(count))
			}
			count -= int(d.runs[i].n)
			d.delete(i)
		}
		i = d.runs[i].r
	}
}

// get returns the element at index of the type's list.
func (n node) get(index int) (c Child, ok bool) {
	if index < 0 || index >= n.length() {
		return Child{}, false
	}
	i, off := n.d.seek(n.d.types[n.t].children, uint32(index))
	x := &n.d.runs[i]
	c.Author = n.d.ids[x.cl()]
	k := uint32(0)
	n.d.values(i, func(v any) {
		if k == off || x.ref() == refString {
			c.Value = v
		}
		k++
	})
	return c, true
}

// setKey gives a key of the type a value. The value before it is deleted.
//
// Source: yjs AbstractType.js, typeMapSet.
func (n node) setKey(tx *Txn, key string, value any) {
	if !tx.may(n) || !tx.text(key) {
		return
	}
	c, ok := tx.item(value)
	if !ok {
		return
	}
	l := n.d.listOfKey(n.t, []byte(key))
	if i := tx.insert(l, n.d.lists[l].tail, none, c.ref, c.n, c.bytes); i != none && c.fresh != nil {
		tx.fill(c.fresh.base(), i)
	}
}

func (n node) deleteKey(tx *Txn, key string) {
	if !tx.may(n) {
		return
	}
	if i := n.d.liveKey(n.t, key); i != none {
		n.d.delete(i)
	}
}
