package crdt

import "unicode/utf8"

// How a version 2 decoder reads one struct.

// fastBlock reads into b, which holds client and clock, what nearly all structs
// of a text are, as [fastBlock] does for version 1. It reports false if the next
// struct is another, and has read nothing then, or is not valid, and fails then.
func (d *decoderV2) fastBlock(b *block) bool {
	c := &d.col[colInfo]
	if c.count == 0 {
		c.nextByte()
	}
	info := byte(c.value)
	ref := info & infoRef
	if ref != refString && ref != refDeleted || info&(infoOrigin|infoRight) == 0 {
		return false
	}
	c.count--
	ok := true
	if b.hasOrigin = info&infoOrigin != 0; b.hasOrigin {
		b.origin = ID{ClientID(d.col[colClient].uint()), d.col[colLeftClock].clock()}
		ok = b.mayNeed(b.origin)
	}
	if b.hasRight = info&infoRight != 0; b.hasRight {
		b.right = ID{ClientID(d.col[colClient].uint()), d.col[colRightClock].clock()}
		ok = ok && b.mayNeed(b.right)
	}
	b.content = nil
	var n uint64
	if ref == refString {
		b.content = d.next()
		n = d.col[colString].value
	} else {
		n = d.col[colLen].uint()
	}
	b.n, b.ref = uint32(n), ref
	b.parentRoot, b.parentID, b.hasSub = false, false, false
	if !ok || n == 0 || n > uint64(MaxClock-b.clock) {
		d.rest.fail("not valid")
		return false
	}
	return true
}

// mayNeed reports whether b may depend on id: an earlier element, if it is of
// b's own client.
func (b *block) mayNeed(id ID) bool {
	return id.Clock < MaxClock && (id.Client != b.client || id.Clock < uint64(b.clock))
}

// anyBlock reads the next struct into b, whatever it is. b is valid until the next.
func (d *decoderV2) anyBlock(b *block) bool {
	d.out = d.out[:0]
	if d.block(); d.err() != nil || d.keys.again {
		return false
	}
	r := reader{b: d.out}
	readBlock(&r, b, true)
	return r.err == nil
}

func (d *decoderV2) id(clock int) {
	d.putUint(d.col[colClient].uint())
	d.putUint(d.col[clock].clock())
}

func (d *decoderV2) block() {
	info := d.col[colInfo].byte()
	ref := info & infoRef
	switch ref {
	case refGC:
		d.putByte(info)
		d.putUint(d.col[colLen].uint())
		return
	case refSkip:
		d.putByte(info)
		d.putUint(d.rest.uint())
		return
	case refEmbed:
		d.putByte(info&^infoRef | refEmbedAny)
	case refFormat:
		d.putByte(info&^infoRef | refFormatAny)
	case refEmbedAny, refFormatAny:
		d.col[colInfo].r.fail("unknown content")
		return
	default:
		d.putByte(info)
	}
	if info&infoOrigin != 0 {
		d.id(colLeftClock)
	}
	if info&infoRight != 0 {
		d.id(colRightClock)
	}
	if info&(infoOrigin|infoRight) == 0 {
		d.parent(info)
	}
	d.content(ref)
}

func (d *decoderV2) parent(info byte) {
	at := d.col[colParentInfo].r.i
	switch d.col[colParentInfo].byte() {
	case 1:
		d.putByte(1)
		d.string()
	case 0:
		d.putByte(0)
		d.id(colLeftClock)
	default:
		d.col[colParentInfo].r.failAt("parent is neither a root nor an element", at)
	}
	if info&infoSub != 0 {
		d.string()
	}
}

func (d *decoderV2) content(ref byte) {
	switch ref {
	case refDeleted:
		d.putUint(d.col[colLen].uint())
	case refString:
		d.string()
	case refJSON:
		d.repeat(d.string)
	case refAny:
		d.repeat(d.any)
	case refBinary:
		d.putBytes(d.rest.bytes())
	case refEmbed:
		d.any()
	case refFormat:
		d.key()
		d.any()
	case refType:
		typ := d.col[colTypeRef].uint()
		d.putUint(typ)
		if typ == typeXMLElement || typ == typeXMLHook {
			d.key()
		}
	case refDoc:
		d.string()
		d.any()
	default:
		d.col[colInfo].r.fail("unknown content")
	}
}

// repeat copies len elements.
func (d *decoderV2) repeat(element func()) {
	n := d.col[colLen].uint()
	if !d.fits(n) {
		return
	}
	d.putUint(n)
	for range n {
		if element(); d.err() != nil || !d.fits(0) {
			return
		}
	}
}

func (d *decoderV2) any() {
	start := d.rest.i
	skipAny(&d.rest, 0)
	d.put(d.rest.b[start:d.rest.i])
}

func (d *decoderV2) string() { d.putBytes(d.next()) }

// next takes the next string out of the string column. A cut inside a surrogate
// pair leaves U+FFFD on both sides. The string is valid until the next.
func (d *decoderV2) next() []byte {
	lengths := &d.col[colString]
	n := lengths.uint()
	if n == 0 {
		return nil
	}
	if n <= uint64(d.ascii) {
		s := d.str[:n:n]
		d.str, d.ascii = d.str[n:], d.ascii-int(n)
		return s
	}
	if n > uint64(len(d.str))+1 {
		lengths.r.fail("string longer than its column")
		return nil
	}
	s := []byte(nil)
	if d.half {
		s, d.half, n = append(d.cut[:0], replacement...), false, n-1
		d.cut = s
	}
	at, inPair := utf16Offset(d.str, int(n))
	if !inPair && utf16Len(d.str[:at]) != int(n) {
		lengths.r.fail("string longer than its column")
		return nil
	}
	switch {
	case s != nil:
		s = append(s, d.str[:at]...)
	case inPair:
		s = append(d.cut[:0], d.str[:at]...)
	default:
		s = d.str[:at:at]
	}
	d.str = d.str[at:]
	if inPair {
		s, d.half = append(s, replacement...), true
		d.cut = s
		_, size := utf8.DecodeRune(d.str)
		d.str, d.ascii = d.str[size:], 0
		return s
	}
	d.ascii = asciiLen(d.str)
	return s
}

// key reads a format's key or an element's name.
func (d *decoderV2) key() {
	k := d.col[colKeyClock].clock()
	switch {
	case k >= d.keys.n:
		s := d.next()
		d.keys.add(s)
		d.putBytes(s)
	case d.keys.keep:
		if s := d.keys.all[k]; d.fits(uint64(len(s))) {
			d.putBytes(s)
		}
	default:
		d.keys.again = true
	}
}
