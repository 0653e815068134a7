package crdt

import "sort"

// Content references: the low 5 bits of a struct's info byte.
const (
	refGC      = 0  // len
	refDeleted = 1  // len
	refJSON    = 2  // n, n × varString of JSON, or "undefined"
	refBinary  = 3  // buffer
	refString  = 4  // varString
	refEmbed   = 5  // varString of JSON
	refFormat  = 6  // varString key, varString of JSON
	refType    = 7  // type ref, and a name for XmlElement and XmlHook
	refAny     = 8  // n, n × Any
	refDoc     = 9  // varString guid, Any
	refSkip    = 10 // len: clocks that this update does not carry

	// Embed and Format whose value came in version 2, where it is an Any: JSON
	// cannot hold every Any, so it is kept. Never read from outside.
	refEmbedAny  = 29
	refFormatAny = 30
)

// Flags of the info byte.
const (
	infoRef    = 0x1f
	infoSub    = 0x20 // belongs to a map key; the key follows only if there is no origin
	infoRight  = 0x40
	infoOrigin = 0x80
)

// Type references.
const (
	typeArray = iota
	typeMap
	typeText
	typeXMLElement
	typeXMLFragment
	typeXMLHook
	typeXMLText
	typeCount

	// maxTypeRef is the highest reference that is taken for a type. Those from
	// typeCount on are of types that came after Yjs 13; nothing follows them.
	maxTypeRef = 1<<7 - 1
)

// A block is one struct of an update, as read. Byte slices alias the update.
//
//	info [origin] [rightOrigin] [parentInfo (root name | parent ID) [parentSub]] content
//
// The parent is present only if there is neither origin nor right origin: then
// it cannot be learned from a neighbour.
type block struct {
	raw     []byte // the whole struct as on the wire; nil once sliced
	content []byte // what follows n or len; for a string its UTF-8, without length
	root    []byte // name of the root type, if parentRoot
	sub     []byte // map key, if hasSub

	client ClientID
	clock  uint32
	n      uint32 // clocks it takes

	origin, right, parent ID

	ref                  uint8
	hasOrigin, hasRight  bool
	parentRoot, parentID bool
	hasSub               bool // a key is written
	subBit               bool // infoSub was set, with or without a key
}

func (b *block) end() uint32 { return b.clock + b.n }

// lists returns up to how many lists b needs that no other struct does: one if it
// holds a type, one if it is the first of a root or key.
func (b *block) lists() (n int) {
	if b.ref == refType {
		n++
	}
	if b.parentRoot || b.parentID {
		n++
	}
	return n
}

// readBlock decodes one struct into b, which holds client and clock of the
// struct. internal permits the references that only this package writes.
func readBlock(r *reader, b *block, internal bool) {
	start := r.i
	info := r.byte()
	*b = block{client: b.client, clock: b.clock, ref: info & infoRef}
	var n uint64
	switch {
	case b.ref == refGC || b.ref == refSkip:
		if info != b.ref {
			r.failAt("flags on a struct without content", start)
		}
		n = r.uint()
	default:
		readLinks(r, b, info)
		n = readContent(r, b, internal)
	}
	if r.err != nil {
		return
	}
	if n == 0 {
		r.failAt("empty struct", start)
		return
	}
	if n > uint64(MaxClock-b.clock) {
		r.failAt("struct past clock 2^32-1", start)
		return
	}
	b.n = uint32(n)
	b.raw = r.b[start:r.i:r.i]
}

// readLinks reads where an item was inserted.
func readLinks(r *reader, b *block, info byte) {
	b.subBit = info&infoSub != 0
	if info&infoOrigin != 0 {
		b.hasOrigin, b.origin = true, readRef(r, b)
	}
	if info&infoRight != 0 {
		b.hasRight, b.right = true, readRef(r, b)
	}
	if b.hasOrigin || b.hasRight {
		return
	}
	at := r.i
	switch r.uint() {
	case 1:
		b.parentRoot, b.root = true, r.str()
	case 0:
		b.parentID, b.parent = true, readRef(r, b)
	default:
		r.failAt("parent is neither a root nor an element", at)
		return
	}
	if b.subBit {
		b.hasSub, b.sub = true, r.str()
	}
}

// readRef reads the ID of an element that b depends on. Of its own client that
// must be an earlier one; Yjs does not check and then loops or corrupts.
func readRef(r *reader, b *block) ID {
	at := r.i
	id := ID{ClientID(r.uint()), r.uint()}
	if id.Clock >= MaxClock {
		r.failAt("clock above 2^32-1", at)
	}
	if id.Client == b.client && id.Clock >= uint64(b.clock) {
		r.failAt("depends on a later element of its own client", at)
	}
	return id
}

// readContent validates what an item holds and returns how many clocks it takes.
func readContent(r *reader, b *block, internal bool) (n uint64) {
	start := r.i
	n = 1
	switch b.ref {
	case refDeleted:
		return r.uint()
	case refString:
		b.content = r.str()
		return uint64(utf16Len(b.content))
	case refJSON:
		n = uint64(r.count(1))
		start = r.i
		for range n {
			at := r.i
			if s := r.str(); string(s) != "undefined" {
				checkJSON(r, s, at)
			}
			if r.err != nil {
				return 0
			}
		}
	case refAny:
		n = uint64(r.count(1))
		start = r.i
		for range n {
			if skipAny(r, 0); r.err != nil {
				return 0
			}
		}
	case refBinary:
		r.bytes()
	case refEmbed:
		at := r.i
		checkJSON(r, r.str(), at)
	case refFormat:
		r.str()
		at := r.i
		checkJSON(r, r.str(), at)
	case refType:
		skipType(r)
	case refDoc:
		r.str()
		skipAny(r, 0)
	case refEmbedAny, refFormatAny:
		if !internal {
			r.failAt("unknown content", start)
			return 0
		}
		if b.ref == refFormatAny {
			r.str()
		}
		skipAny(r, 0)
	default:
		r.failAt("unknown content", start)
	}
	if r.err != nil {
		return 0
	}
	b.content = r.b[start:r.i:r.i]
	return n
}

// skipType validates a type reference and the name that some types have.
func skipType(r *reader) {
	at := r.i
	ref := r.uint()
	if ref > maxTypeRef {
		r.failAt("no reference of a shared type", at)
	}
	if ref == typeXMLElement || ref == typeXMLHook {
		r.str()
	}
}

// structs reads the structs of one client in order.
type structs struct {
	r        reader
	own      owner
	clock    uint32 // of the next
	left     uint32 // structs to come
	end      int    // of the one that peek read
	internal bool
}

// structs reads those of section s.
func (u *Update) structs(s section) structs {
	return structs{r: reader{b: u.b, i: int(s.off)}, own: ownerOf(s.client), clock: s.clock, left: s.count, internal: u.internal}
}

// next reads one into b and reports whether there was one.
func (s *structs) next(b *block) bool {
	if s.left == 0 || !s.peek(b) {
		return false
	}
	s.advance(b)
	return true
}

// peek reads the next into b without passing it.
func (s *structs) peek(b *block) bool {
	b.client, b.clock = s.own.id, s.clock
	var p piece
	if s.end = s.own.piece(s.r.b, s.r.i, s.clock, &p); s.end > 0 {
		b.set(s.r.b[s.r.i:s.end:s.end], &p)
		return true
	}
	if s.end = fastBlock(s.r.b, s.r.i, &s.own, b); s.end == 0 {
		at := s.r.i
		readBlock(&s.r, b, s.internal)
		s.end, s.r.i = s.r.i, at
	}
	return s.r.err == nil
}

// set makes b, which holds client and clock, the struct p, whose bytes are raw.
func (b *block) set(raw []byte, p *piece) {
	b.n, b.ref = p.n, p.info&infoRef
	b.hasOrigin, b.origin = p.info&infoOrigin != 0, ID{b.client, uint64(p.oK)}
	b.hasRight, b.right = p.info&infoRight != 0, ID{b.client, uint64(p.rK)}
	b.parentRoot, b.parentID, b.hasSub, b.subBit = false, false, false, false
	b.raw, b.content = raw, nil
	if p.size > 0 {
		b.content = raw[len(raw)-p.size:]
	}
}

// advance passes b, which peek read.
func (s *structs) advance(b *block) {
	s.r.i, s.clock = s.end, b.end()
	s.left--
}

// slice drops the first off elements of b, which must be fewer than b.n. What
// remains has the dropped element before it as its origin.
func (b *block) slice(off uint32) {
	if off == 0 {
		return
	}
	if b.ref != refGC && b.ref != refSkip {
		b.content = suffix(b.ref, b.content, b.n, off)
	}
	b.sliceAt(off, 0)
}

// sliceAt is slice for content whose dropped part is known to be at bytes long.
func (b *block) sliceAt(off uint32, at int) {
	b.raw = nil
	if b.ref != refGC && b.ref != refSkip {
		b.content = b.content[at:]
		b.hasOrigin = true
		b.origin = ID{b.client, uint64(b.clock) + uint64(off) - 1}
		b.parentRoot, b.parentID = false, false // the key's flag stays
	}
	b.clock += off
	b.n -= off
}

// replacement is U+FFFD in UTF-8: what becomes of half a surrogate pair.
const replacement = "\xef\xbf\xbd"

// suffix returns content without its first off of n elements. A string cut
// inside a surrogate pair starts with U+FFFD instead of the pair's second half,
// so that lengths stay as they were.
func suffix(ref uint8, content []byte, n, off uint32) []byte {
	switch ref {
	case refString:
		if int(n) == len(content) {
			return content[off:]
		}
		at, inPair := utf16Offset(content, int(off))
		if inPair {
			return append([]byte(replacement), content[at+4:]...)
		}
		return content[at:]
	case refJSON, refAny:
		return content[elementOffset(ref, content, off):]
	default: // Deleted has no bytes; the others have one element
		return content
	}
}

// elementOffset returns where element k starts in validated JSON or Any content.
func elementOffset(ref uint8, content []byte, k uint32) int {
	r := reader{b: content}
	for range k {
		if ref == refJSON {
			r.bytes()
		} else {
			skipAny(&r, 0)
		}
	}
	return r.i
}

// blocks are the structs of an update by client and clock, without Skips.
type blocks []block

func (u *Update) sorted() blocks {
	var all blocks
	for _, s := range u.sections {
		for b := range u.blocks(s) {
			if b.ref != refSkip {
				all = append(all, *b)
			}
		}
	}
	sort.Slice(all, func(i, j int) bool {
		a, b := &all[i], &all[j]
		return a.client < b.client || a.client == b.client && a.clock < b.clock
	})
	return all
}

// find returns which of them holds id, or -1.
func (all blocks) find(id ID) int {
	i := sort.Search(len(all), func(i int) bool {
		b := &all[i]
		return b.client > id.Client || b.client == id.Client && uint64(b.end()) > id.Clock
	})
	if i == len(all) || all[i].client != id.Client || uint64(all[i].clock) > id.Clock {
		return -1
	}
	return i
}
