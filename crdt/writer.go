package crdt

// A writer builds an update from structs, sorted by client (descending) and
// clock, without gaps within a client. writerV1 and writerV2 implement it.
type writer interface {
	block(b *block)
	finish(ds []DeleteRange) []byte          // grouped by client, descending
	finishAll(us []Update, join bool) []byte // with the deletes of updates, see deleteSets
}

// writerV1 writes version 1. Counts precede what they count, so the structs of
// the current client wait in body.
type writerV1 struct {
	done    []byte // finished sections
	body    []byte // structs of the current section
	clients uint64
	count   uint64
	client  ClientID
	clock   uint32 // of the section's first struct

	internal bool // keep refEmbedAny and refFormatAny
}

// newWriterV1 returns a writer of about so many bytes of structs.
func newWriterV1(size int) *writerV1 {
	return &writerV1{done: make([]byte, 0, size), body: make([]byte, 0, size)}
}

func (w *writerV1) block(b *block) {
	if w.count > 0 && w.client != b.client {
		w.flush()
	}
	if w.count == 0 {
		w.client, w.clock = b.client, b.clock
	}
	w.count++
	w.body = appendBlock(w.body, b, w.internal)
}

func (w *writerV1) flush() {
	if w.count == 0 {
		return
	}
	w.done = appendUint(w.done, w.count)
	w.done = appendUint(w.done, uint64(w.client))
	w.done = appendUint(w.done, uint64(w.clock))
	w.done = append(w.done, w.body...)
	w.body, w.count = w.body[:0], 0
	w.clients++
}

func (w *writerV1) finish(ds []DeleteRange) []byte {
	return appendDeleteSet(w.structs(8*len(ds)), ds)
}

func (w *writerV1) finishAll(us []Update, join bool) []byte {
	ds := deletesOf(us, join)
	return ds.append(w.structs(ds.size()), false)
}

// structs returns the structs, with room for so many bytes.
func (w *writerV1) structs(room int) []byte {
	w.flush()
	out := make([]byte, 0, len(w.done)+10+room)
	return append(appendUint(out, w.clients), w.done...)
}

// appendBlock writes one struct in version 1. A struct that was read and not
// cut is copied, except that Yjs, which cannot know the key of an item that has
// an origin, drops the key flag of those it passes on.
func appendBlock(out []byte, b *block, internal bool) []byte {
	asAny := b.ref == refEmbedAny || b.ref == refFormatAny
	if b.raw != nil && (internal || !asAny) {
		at := len(out)
		out = append(out, b.raw...)
		if b.subBit && !b.hasSub {
			out[at] &^= infoSub
		}
		return out
	}
	if b.ref == refGC || b.ref == refSkip {
		return appendUint(append(out, b.ref), uint64(b.n))
	}
	at := len(out)
	out = appendLinks(out, b)
	if internal && asAny {
		out[at] = out[at]&^infoRef | b.ref
		return append(out, b.content...)
	}
	switch b.ref {
	case refDeleted:
		return appendUint(out, uint64(b.n))
	case refString:
		return appendBytes(out, b.content)
	case refJSON, refAny:
		out = appendUint(out, uint64(b.n))
		return append(out, b.content...)
	case refEmbedAny:
		return appendJSONString(out, b.content)
	case refFormatAny:
		r := reader{b: b.content}
		out = appendBytes(out, r.str())
		return appendJSONString(out, b.content[r.i:])
	default:
		return append(out, b.content...)
	}
}

// info returns the info byte. A key counts if it is written or known.
func (b *block) info() byte {
	info := b.ref
	switch b.ref {
	case refEmbedAny:
		info = refEmbed
	case refFormatAny:
		info = refFormat
	}
	if b.hasOrigin {
		info |= infoOrigin
	}
	if b.hasRight {
		info |= infoRight
	}
	if b.hasSub {
		info |= infoSub
	}
	return info
}

func appendLinks(out []byte, b *block) []byte {
	out = append(out, b.info())
	if b.hasOrigin {
		out = appendID(out, b.origin)
	}
	if b.hasRight {
		out = appendID(out, b.right)
	}
	if b.hasOrigin || b.hasRight {
		return out
	}
	if b.parentRoot {
		out = appendBytes(append(out, 1), b.root)
	} else {
		out = appendID(append(out, 0), b.parent)
	}
	if b.hasSub {
		out = appendBytes(out, b.sub)
	}
	return out
}
