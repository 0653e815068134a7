package crdt

import (
	"errors"
	"slices"
)

// A textPos is a place in a text: between two runs, under some formats.
type textPos struct {
	l           int32 // the text's list
	left, right int32
	attrs       attrs // what holds there
}

// Insert puts s before the UTF-16 code unit index, under the formats that hold
// there.
func (t *Text) Insert(tx *Txn, index int, s string) {
	if s == "" {
		return
	}
	if c, ok := tx.str(s); ok && t.at(tx, index) {
		tx.insertText(c, slices.Clone(tx.pos.attrs))
	}
}

// InsertFormatted puts s before index under the given formats and no others.
func (t *Text) InsertFormatted(tx *Txn, index int, s string, formats map[string]any) {
	if s == "" || !tx.may(t.node) {
		return
	}
	c, ok := tx.str(s)
	if !ok {
		return
	}
	if a, ok := tx.attrs(formats); ok && t.at(tx, index) {
		tx.insertText(c, a)
	}
}

// InsertEmbed puts an object, as [Child.Value] or a new shared type, before
// index under the given formats. A string is text.
func (t *Text) InsertEmbed(tx *Txn, index int, embed any, formats map[string]any) {
	if !tx.may(t.node) {
		return
	}
	a, ok := tx.attrs(formats)
	if !ok {
		return
	}
	if c, ok := tx.embed(embed); ok && t.at(tx, index) {
		tx.insertText(c, a)
	}
}

// Delete removes n UTF-16 code units from index on. Format marks that then
// stand for nothing go, too.
func (t *Text) Delete(tx *Txn, index, n int) {
	if n != 0 && t.span(tx, index, n) && t.at(tx, index) {
		tx.deleteText(n)
	}
}

// Format puts n code units from index on under the given formats; a format that
// is nil is taken away.
func (t *Text) Format(tx *Txn, index, n int, formats map[string]any) {
	if n == 0 || !t.span(tx, index, n) {
		return
	}
	if a, ok := tx.attrs(formats); ok && t.at(tx, index) {
		tx.formatText(n, a)
	}
}

// ApplyDelta makes the edits of a delta from the start of the text: each Op
// inserts, retains (and formats) or deletes. Formatting past the end adds line
// breaks, as in Yjs.
func (t *Text) ApplyDelta(tx *Txn, delta []Op) {
	if !tx.may(t.node) {
		return
	}
	p := &tx.pos
	l := tx.d.types[t.t].children
	*p = textPos{l: l, left: none, right: tx.d.lists[l].head, attrs: p.attrs[:0]}
	for _, op := range delta {
		a, ok := tx.attrs(op.Attributes)
		if !ok {
			return
		}
		switch s, isText := op.Insert.(string); {
		case isText && s == "":
		case isText:
			c, ok := tx.str(s)
			if !ok {
				return
			}
			tx.insertText(c, a)
		case op.Insert != nil:
			c, ok := tx.embed(op.Insert)
			if !ok {
				return
			}
			tx.insertText(c, a)
		case op.Retain > 0, op.Retain == 0 && op.Delete == 0 && a != nil: // Yjs has marks around nothing, too
			tx.formatText(op.Retain, a)
		case op.Delete > 0:
			tx.deleteText(op.Delete)
		case op.Retain < 0 || op.Delete < 0:
			tx.fail(ErrRange)
		}
		if tx.err != nil {
			return
		}
	}
}

// SetAttribute sets an attribute of the text itself.
func (t *Text) SetAttribute(tx *Txn, name string, value any) { t.setKey(tx, name, value) }

// RemoveAttribute removes an attribute of the text itself.
func (t *Text) RemoveAttribute(tx *Txn, name string) { t.deleteKey(tx, name) }

// textContent is what a text can take: a string, an embed or a type.
type textContent struct {
	ref   uint8
	n     int
	bytes []byte
	fresh freshType
}

func (tx *Txn) embed(v any) (textContent, bool) {
	if f, ok := v.(freshType); ok {
		return textContent{ref: refType, n: 1, fresh: f}, tx.fresh(f)
	}
	if s, ok := v.(string); ok {
		c, ok := tx.str(s)
		return c, ok && s != ""
	}
	b, err := appendAny(nil, v, 0)
	if v == nil {
		err = errors.New("an embed is nothing")
	}
	if err != nil {
		tx.fail(err)
		return textContent{}, false
	}
	return textContent{ref: refEmbedAny, n: 1, bytes: b}, true
}

// span reports whether the text has n elements from index on. It is asked before
// at, which may cut a surrogate pair.
func (t *Text) span(tx *Txn, index, n int) bool {
	if !tx.may(t.node) {
		return false
	}
	if index < 0 || n < 0 || index > t.length() || n > t.length()-index {
		tx.fail(ErrRange)
		return false
	}
	return true
}

// at puts the transaction's position before element index of t.
func (t *Text) at(tx *Txn, index int) bool {
	if !tx.may(t.node) {
		return false
	}
	if index < 0 || index > t.length() {
		tx.fail(ErrRange)
		return false
	}
	d, p := tx.d, &tx.pos
	*p = textPos{l: d.types[t.t].children, left: none, attrs: p.attrs[:0]}
	p.left, p.right = d.gap(p.l, uint32(index))
	if d.formatted(p.l) {
		d.formatsUpTo(p.l, p.left, func(i int32) { p.attrs.apply(d, i) })
	}
	return true
}

// gap returns the runs on both sides of the place behind the first index
// visible elements of list l, cutting one if need be.
func (d *Doc) gap(l int32, index uint32) (left, right int32) {
	if index == 0 {
		return none, d.lists[l].head
	}
	i, off := d.seek(l, index-1)
	x := &d.runs[i]
	if off++; off < x.n {
		return i, d.cleanStart(x.cl(), x.clk+off)
	}
	return i, x.r
}

// forward moves the position over the run behind it.
func (tx *Txn) forward() {
	p := &tx.pos
	if tx.d.runs[p.right].liveFormat() != 0 {
		p.attrs.apply(tx.d, p.right)
	}
	p.left, p.right = p.right, tx.d.runs[p.right].r
}

// put inserts a run at the position and moves behind it.
func (tx *Txn) put(ref uint8, n int, content []byte) int32 {
	p := &tx.pos
	i := tx.insert(p.l, p.left, p.right, ref, n, content)
	if i != none {
		p.right = i
		tx.forward()
	}
	return i
}

// insertText inserts content under formats a, to which it adds those to be
// taken away. Deleted runs behind the position are passed first: an origin that
// is not beside its element would let replicas differ.
//
// Source: yjs YText.js, insertText.
func (tx *Txn) insertText(c textContent, a attrs) {
	for _, x := range tx.pos.attrs {
		if _, ok := a.get(x.key); !ok {
			a = a.with(attr{key: x.key, value: anyNil})
		}
	}
	tx.minimize(a)
	negated := tx.insertAttrs(a)
	if tx.err != nil {
		return
	}
	switch {
	case c.fresh != nil:
		tx.putType(c.fresh)
	case c.ref != refString || !tx.extend(c.bytes, c.n):
		tx.put(c.ref, c.n, c.bytes)
	}
	tx.negate(negated)
}

// extend adds s to the run before the position if it would join that run when
// the transaction ends: if its client has just typed that run.
func (tx *Txn) extend(s []byte, n int) bool {
	d, p := tx.d, &tx.pos
	if p.left == none || !tx.room(n, len(s)) {
		return false
	}
	x := &d.runs[p.left]
	if x.ref() != refString || x.deleted() || x.cl() != tx.cl || x.end() != d.clients[x.cl()].next {
		return false
	}
	if p.right == none {
		if x.rC() != none {
			return false
		}
	} else if y := &d.runs[p.right]; x.rC() != y.cl() || x.rK != y.clk {
		return false
	}
	d.extend(p.left, s, uint32(n))
	return true
}

// extend adds n elements to run i, the last of its client and not deleted.
func (d *Doc) extend(i int32, s []byte, n uint32) {
	x := &d.runs[i]
	c := &d.clients[x.cl()]
	d.touch(c, x.cl())
	if d.tx.grown.clk == 0 && c.next == c.before && c.before > 0 {
		d.tx.grown = grown{x.cl(), c.before, x.payLen}
	}
	d.appendContent(x, s)
	d.treeGrow(i, n)
	x.n += n
	c.next += n
	d.lists[x.list()].length += n
}

// minimize moves the position over deleted runs and marks that say what a says.
func (tx *Txn) minimize(a attrs) {
	for p := &tx.pos; p.right != none; tx.forward() {
		x := &tx.d.runs[p.right]
		if x.deleted() {
			continue
		}
		if x.liveFormat() == 0 {
			return
		}
		mark := tx.d.mark(p.right)
		if want := a.orNil(mark.key); !want.equal(&mark) {
			return
		}
	}
}

// insertAttrs inserts a mark for each of a that does not hold at the position,
// and returns what holds there instead.
func (tx *Txn) insertAttrs(a attrs) (negated attrs) {
	for _, x := range a {
		current := tx.pos.attrs.orNil(x.key)
		if current.equal(&x) {
			continue
		}
		negated.set(current)
		tx.putMark(x)
		if tx.err != nil {
			return nil
		}
	}
	return negated
}

// putMark inserts a format mark at the position.
func (tx *Txn) putMark(x attr) {
	content := append(appendString(nil, x.key), x.value...)
	i := tx.insert(tx.pos.l, tx.pos.left, tx.pos.right, refFormatAny, 1, content)
	if i == none {
		return
	}
	tx.d.typ.set(i, x.id)
	tx.pos.right = i
	tx.forward()
}

// negate ends formats behind the position with marks that set negated, where
// such are not there already.
func (tx *Txn) negate(negated attrs) {
	if tx.err != nil {
		return
	}
	for p := &tx.pos; p.right != none; tx.forward() {
		x := &tx.d.runs[p.right]
		if x.deleted() {
			continue
		}
		if x.liveFormat() == 0 {
			break
		}
		mark := tx.d.mark(p.right)
		if want, ok := negated.get(mark.key); !ok || !want.equal(&mark) {
			break
		}
		negated.unset(mark.key)
	}
	for _, x := range negated {
		tx.putMark(x)
		if tx.err != nil {
			return
		}
	}
}

// formatText puts n elements behind the position under formats a, deletes marks
// that say otherwise, and restores behind them what held before.
//
// Source: yjs YText.js, formatText.
func (tx *Txn) formatText(n int, a attrs) {
	d, p := tx.d, &tx.pos
	tx.minimize(a)
	negated := tx.insertAttrs(a)
	if tx.err != nil {
		return
	}
	for p.right != none && (n > 0 || len(negated) > 0 && (d.runs[p.right].deleted() || d.runs[p.right].liveFormat() != 0)) {
		x := &d.runs[p.right]
		switch {
		case x.deleted():
		case x.liveFormat() != 0:
			mark := d.mark(p.right)
			want, ok := a.get(mark.key)
			if !ok {
				p.attrs.put(mark)
				break
			}
			if want.equal(&mark) {
				negated.unset(mark.key)
			} else if n == 0 {
				tx.negate(negated)
				return
			} else {
				negated.set(mark)
			}
			d.delete(p.right)
		default:
			if n < int(x.n) {
				d.cleanStart(x.cl(), x.clk+uint32(n))
				x = &d.runs[p.right]
			}
			n -= int(x.n)
		}
		tx.forward()
	}
	if n > 0 {
		tx.put(refString, n, slices.Repeat([]byte{'\n'}, n))
	}
	tx.negate(negated)
}

// deleteText deletes n elements behind the position.
//
// Source: yjs YText.js, deleteText.
func (tx *Txn) deleteText(n int) {
	d, p := tx.d, &tx.pos
	before := slices.Clone(p.attrs)
	start := p.right
	for n > 0 && p.right != none {
		x := &d.runs[p.right]
		if !x.deleted() && (x.ref() == refType || x.ref() == refEmbed || x.ref() == refEmbedAny || x.ref() == refString) {
			if n < int(x.n) {
				d.cleanStart(x.cl(), x.clk+uint32(n))
				x = &d.runs[p.right]
			}
			n -= int(x.n)
			d.delete(p.right)
		}
		tx.forward()
	}
	if start != none && d.formatted(p.l) {
		tx.cleanGap(start, before)
	}
}

// cleanGap deletes marks from start up to the next visible element that are
// overridden there or say what before says. The position is among them; its
// formats stay true.
//
// Source: yjs YText.js, cleanupFormattingGap.
func (tx *Txn) cleanGap(start int32, before attrs) {
	d, p := tx.d, &tx.pos
	last := make(map[string]int32)
	end := start
	for ; end != none && d.runs[end].visible() == 0; end = d.runs[end].r {
		if d.runs[end].liveFormat() != 0 {
			last[d.mark(end).key] = end
		}
	}
	reached := false
	for i := start; i != end; i = d.runs[i].r {
		reached = reached || i == p.right
		if d.runs[i].liveFormat() == 0 {
			continue
		}
		mark := d.mark(i)
		old := before.orNil(mark.key)
		current := p.attrs.orNil(mark.key)
		if last[mark.key] == i && !old.same(&mark) {
			if !reached {
				p.attrs.put(mark)
			}
			continue
		}
		d.delete(i)
		if !reached && current.same(&mark) && !old.same(&mark) {
			p.attrs.put(old)
		}
	}
}
