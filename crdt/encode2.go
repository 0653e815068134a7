package crdt

// writerV2 writes version 2; see columns.go for the layout.
type writerV2 struct {
	keyClock, leftClock, rightClock diffColumn
	client, typeRef, length         uintColumn
	info, parentInfo                byteColumn
	strings                         []byte
	stringLen                       uintColumn
	keys                            uint64

	done, body []byte // rest bytes of finished sections, of the current one
	clients    uint64
	count      uint64
	cur        ClientID
	clock      uint32
}

func (w *writerV2) block(b *block) {
	if w.count > 0 && w.cur != b.client {
		w.flush()
	}
	if w.count == 0 {
		w.cur, w.clock = b.client, b.clock
		w.client.write(uint64(b.client))
	}
	w.count++
	switch b.ref {
	case refGC:
		w.info.write(refGC)
		w.length.write(uint64(b.n))
	case refSkip:
		w.info.write(refSkip)
		w.body = appendUint(w.body, uint64(b.n))
	default:
		w.links(b)
		w.content(b)
	}
}

func (w *writerV2) flush() {
	if w.count == 0 {
		return
	}
	w.done = appendUint(appendUint(w.done, w.count), uint64(w.clock))
	w.done = append(w.done, w.body...)
	w.body, w.count = w.body[:0], 0
	w.clients++
}

func (w *writerV2) links(b *block) {
	w.info.write(b.info())
	if b.hasOrigin {
		w.left(b.origin)
	}
	if b.hasRight {
		w.client.write(uint64(b.right.Client))
		w.rightClock.write(b.right.Clock)
	}
	if b.hasOrigin || b.hasRight {
		return
	}
	if b.parentRoot {
		w.parentInfo.write(1)
		w.string(b.root)
	} else {
		w.parentInfo.write(0)
		w.left(b.parent)
	}
	if b.hasSub {
		w.string(b.sub)
	}
}

func (w *writerV2) left(id ID) {
	w.client.write(uint64(id.Client))
	w.leftClock.write(id.Clock)
}

func (w *writerV2) string(s []byte) {
	w.strings = append(w.strings, s...)
	w.stringLen.write(uint64(utf16Len(s)))
}

// key writes a key anew each time, as Yjs does by an oversight that is now the
// format.
func (w *writerV2) key(s []byte) {
	w.keyClock.write(w.keys)
	w.keys++
	w.string(s)
}

func (w *writerV2) content(b *block) {
	r := reader{b: b.content}
	switch b.ref {
	case refDeleted:
		w.length.write(uint64(b.n))
	case refString:
		w.string(b.content)
	case refJSON:
		w.length.write(uint64(b.n))
		for range b.n {
			w.string(r.str())
		}
	case refAny:
		w.length.write(uint64(b.n))
		w.body = append(w.body, b.content...)
	case refEmbed:
		w.body = appendJSONAsAny(w.body, r.str())
	case refFormat:
		w.key(r.str())
		w.body = appendJSONAsAny(w.body, r.str())
	case refFormatAny:
		w.key(r.str())
		w.body = append(w.body, b.content[r.i:]...)
	case refType:
		ref := r.uint()
		w.typeRef.write(ref)
		if ref == typeXMLElement || ref == typeXMLHook {
			w.key(r.str())
		}
	case refDoc:
		w.string(r.str())
		w.body = append(w.body, b.content[r.i:]...)
	default: // refEmbedAny, refBinary
		w.body = append(w.body, b.content...)
	}
}

func (w *writerV2) finish(ds []DeleteRange) []byte {
	return appendDeleteSetV2(w.structs(8*len(ds)), ds)
}

func (w *writerV2) finishAll(us []Update, join bool) []byte {
	ds := deletesOf(us, join)
	return ds.append(w.structs(ds.size()), true)
}

// structs returns the columns and structs, with room for so many bytes.
func (w *writerV2) structs(room int) []byte {
	w.flush()
	lengths := w.stringLen.finish()
	cols := [colCount][]byte{
		colKeyClock: w.keyClock.finish(), colClient: w.client.finish(),
		colLeftClock: w.leftClock.finish(), colRightClock: w.rightClock.finish(),
		colInfo: w.info.b, colString: lengths, colParentInfo: w.parentInfo.b,
		colTypeRef: w.typeRef.finish(), colLen: w.length.finish(),
	}
	size := 10*(colCount+3) + len(w.strings) + len(w.done) + room
	for _, col := range cols {
		size += len(col)
	}
	out := append(make([]byte, 0, size), 0)
	for k, col := range cols {
		if k == colString { // all strings as one come first
			n := len(appendUint(nil, uint64(len(w.strings)))) + len(w.strings)
			out = appendBytes(appendUint(out, uint64(n+len(col))), w.strings)
			out = append(out, col...)
			continue
		}
		out = appendBytes(out, col)
	}
	return append(appendUint(out, w.clients), w.done...)
}

func appendDeleteSetV2(b []byte, ds []DeleteRange) []byte {
	b = appendUint(b, clientsIn(ds))
	for len(ds) > 0 {
		n := 1
		for n < len(ds) && ds[n].Client == ds[0].Client {
			n++
		}
		b = appendUint(appendUint(b, uint64(ds[0].Client)), uint64(n))
		var at uint32
		for _, d := range ds[:n] {
			b = appendUint(appendUint(b, uint64(d.Clock-at)), uint64(d.Len-1))
			at = d.end()
		}
		ds = ds[n:]
	}
	return b
}

// uintColumn writes a UintOptRle.
type uintColumn struct {
	b     []byte
	value uint64
	count uint64
}

func (c *uintColumn) write(v uint64) {
	if c.count > 0 && c.value == v {
		c.count++
		return
	}
	c.flush()
	c.value, c.count = v, 1
}

func (c *uintColumn) flush() {
	switch {
	case c.count == 1:
		c.b = appendInt(c.b, c.value, false)
	case c.count > 1:
		c.b = appendUint(appendInt(c.b, c.value, true), c.count-2)
	}
}

func (c *uintColumn) finish() []byte {
	c.flush()
	c.count = 0
	return c.b
}

// diffColumn writes an IntDiffOptRle.
type diffColumn struct {
	b     []byte
	value uint64
	diff  int64
	count uint64
}

func (c *diffColumn) write(v uint64) {
	diff := int64(v) - int64(c.value)
	if c.count > 0 && c.diff == diff {
		c.value = v
		c.count++
		return
	}
	c.flush()
	c.value, c.diff, c.count = v, diff, 1
}

func (c *diffColumn) flush() {
	if c.count == 0 {
		return
	}
	v := c.diff * 2
	if c.count > 1 {
		v++
	}
	if v < 0 {
		c.b = appendInt(c.b, uint64(-v), true)
	} else {
		c.b = appendInt(c.b, uint64(v), false)
	}
	if c.count > 1 {
		c.b = appendUint(c.b, c.count-2)
	}
}

func (c *diffColumn) finish() []byte {
	c.flush()
	c.count = 0
	return c.b
}

// byteColumn writes an Rle of bytes: the last run has no count.
type byteColumn struct {
	b     []byte
	value byte
	count uint64
}

func (c *byteColumn) write(v byte) {
	if c.count > 0 && c.value == v {
		c.count++
		return
	}
	if c.count > 0 {
		c.b = appendUint(c.b, c.count-1)
	}
	c.b = append(c.b, v)
	c.value, c.count = v, 1
}
