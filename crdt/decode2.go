package crdt

import "unicode/utf8"

// expansion bounds what a version 2 update may become in version 1, in bytes:
// its columns repeat values at no cost, so that its size alone says little.
func expansion(size int) int { return 8*size + 1<<20 }

// decoderV2 turns a version 2 update into the internal superset of version 1.
type decoderV2 struct {
	col   [colCount]column
	str   []byte // what is left of all strings
	half  bool   // the next string starts inside a surrogate pair
	keys  [][]byte
	rest  reader
	out   []byte
	limit int // of out
}

// decodeV2 validates a version 2 update and returns it as version 1 bytes in
// which an Embed or Format keeps its Any.
func decodeV2(b []byte) (*Update, error) {
	var d decoderV2
	if !d.open(b) {
		return nil, d.rest.err
	}
	u := &Update{internal: true}
	d.update(u)
	if err := d.err(); err != nil {
		return nil, err
	}
	u.b = d.out
	u.dsPlain = plainDeletes(&reader{b: u.b, i: u.ds})
	return u, u.checkClients()
}

// open finds the columns of b.
func (d *decoderV2) open(b []byte) bool {
	d.rest, d.limit = reader{b: b}, expansion(len(b))
	if d.rest.uint() != 0 {
		d.rest.failAt("reserved flag is set", 0)
	}
	for k := range d.col {
		n := len(d.rest.bytes())
		if d.rest.err != nil {
			return false
		}
		d.col[k].r = reader{b: b[:d.rest.i:d.rest.i], i: d.rest.i - n}
	}
	if c := &d.col[colString].r; c.left() > 0 {
		d.str = c.str()
	}
	return true
}

// err returns the first failure of any column.
func (d *decoderV2) err() error {
	for k := range d.col {
		if err := d.col[k].r.err; err != nil {
			return err
		}
	}
	return d.rest.err
}

// fits refuses an update that would grow past its limit by n more bytes.
func (d *decoderV2) fits(n uint64) bool {
	if n > uint64(d.limit-len(d.out)) {
		d.rest.fail("repeats too much for its size")
		return false
	}
	return true
}

func (d *decoderV2) update(u *Update) {
	clients := d.rest.count(2)
	d.out = appendUint(d.out, uint64(clients))
	for range clients {
		d.section(u)
		if d.err() != nil {
			return
		}
	}
	u.ds = len(d.out)
	d.deletes()
	_ = d.rest.end()
}

// section reads the structs of one client. Each is validated in its version 1
// form, by the same code; what that refuses is reported at the rest bytes.
func (d *decoderV2) section(u *Update) {
	at := d.rest.i
	n := d.rest.uint()
	if d.rest.err != nil || !d.fits(2*n) {
		return
	}
	client, clock := d.col[colClient].uint(), d.rest.uint()
	if clock > MaxClock {
		d.rest.failAt("clock above 2^32-1", at)
		return
	}
	d.out = appendUint(appendUint(appendUint(d.out, n), client), clock)
	b := block{client: ClientID(client), clock: uint32(clock)}
	s := section{client: b.client, clock: b.clock, count: uint32(n), off: uint32(len(d.out))}
	for range n {
		start := len(d.out)
		d.block()
		if d.err() != nil || !d.fits(0) {
			return
		}
		r := reader{b: d.out, i: start}
		if readBlock(&r, &b, true); r.err != nil {
			d.rest.fail(r.err.(*MalformedError).What)
			return
		}
		b.clock += b.n
		u.payload += len(b.content)
		u.lists += b.lists()
	}
	if s.end = b.clock; n > 0 {
		u.sections = append(u.sections, s)
	}
}

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
	if d.block(); d.err() != nil {
		return false
	}
	r := reader{b: d.out}
	readBlock(&r, b, true)
	return r.err == nil
}

func (d *decoderV2) id(clock int) {
	d.out = appendUint(d.out, d.col[colClient].uint())
	d.out = appendUint(d.out, d.col[clock].clock())
}

func (d *decoderV2) block() {
	info := d.col[colInfo].byte()
	ref := info & infoRef
	at := len(d.out)
	d.out = append(d.out, info)
	switch ref {
	case refGC:
		d.out = appendUint(d.out, d.col[colLen].uint())
		return
	case refSkip:
		d.out = appendUint(d.out, d.rest.uint())
		return
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
	switch ref {
	case refEmbed:
		d.out[at] = info&^infoRef | refEmbedAny
	case refFormat:
		d.out[at] = info&^infoRef | refFormatAny
	case refEmbedAny, refFormatAny:
		d.col[colInfo].r.fail("unknown content")
		return
	}
	d.content(ref)
}

func (d *decoderV2) parent(info byte) {
	at := d.col[colParentInfo].r.i
	switch d.col[colParentInfo].byte() {
	case 1:
		d.out = append(d.out, 1)
		d.string()
	case 0:
		d.out = append(d.out, 0)
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
		d.out = appendUint(d.out, d.col[colLen].uint())
	case refString:
		d.string()
	case refJSON:
		d.repeat(d.string)
	case refAny:
		d.repeat(d.any)
	case refBinary:
		d.out = appendBytes(d.out, d.rest.bytes())
	case refEmbed:
		d.any()
	case refFormat:
		d.key()
		d.any()
	case refType:
		typ := d.col[colTypeRef].uint()
		d.out = appendUint(d.out, typ)
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
	d.out = appendUint(d.out, n)
	for range n {
		if element(); d.err() != nil || !d.fits(0) {
			return
		}
	}
}

func (d *decoderV2) any() {
	start := d.rest.i
	skipAny(&d.rest, 0)
	d.out = append(d.out, d.rest.b[start:d.rest.i]...)
}

func (d *decoderV2) string() { d.out = appendBytes(d.out, d.next()) }

// next takes the next string out of the string column. A cut inside a surrogate
// pair leaves U+FFFD on both sides.
func (d *decoderV2) next() []byte {
	lengths := &d.col[colString]
	n := lengths.uint()
	if n == 0 {
		return nil
	}
	if n > uint64(len(d.str))+1 {
		lengths.r.fail("string longer than its column")
		return nil
	}
	s := []byte(nil)
	if d.half {
		s, d.half, n = append(s, replacement...), false, n-1
	}
	if n <= uint64(len(d.str)) && s == nil && isASCII(d.str[:n]) {
		s, d.str = d.str[:n:n], d.str[n:]
		return s
	}
	at, inPair := utf16Offset(d.str, int(n))
	if !inPair && utf16Len(d.str[:at]) != int(n) {
		lengths.r.fail("string longer than its column")
		return nil
	}
	if s == nil && !inPair {
		s = d.str[:at:at]
	} else {
		s = append(s, d.str[:at]...)
	}
	d.str = d.str[at:]
	if inPair {
		s, d.half = append(s, replacement...), true
		_, size := utf8.DecodeRune(d.str)
		d.str = d.str[size:]
	}
	return s
}

// key reads a format's key or an element's name. Yjs never refers back to an
// earlier one, but its decoder and other writers do.
func (d *decoderV2) key() {
	k := d.col[colKeyClock].clock()
	if k < uint64(len(d.keys)) {
		if d.fits(uint64(len(d.keys[k]))) {
			d.out = appendBytes(d.out, d.keys[k])
		}
		return
	}
	s := d.next()
	d.keys = append(d.keys, s)
	d.out = appendBytes(d.out, s)
}

// deletes copies the delete set, see rangeReader.
func (d *decoderV2) deletes() {
	n := d.rest.count(2)
	d.out = appendUint(d.out, uint64(n))
	for range n {
		client := d.rest.uint()
		ranges := d.rest.count(2)
		d.out = appendUint(appendUint(d.out, client), uint64(ranges))
		var at uint64
		for range ranges {
			at += d.rest.uint()
			size := d.rest.uint() + 1
			if at+size > MaxClock {
				d.rest.fail("delete range past clock 2^32-1")
			}
			if d.rest.err != nil {
				return
			}
			d.out = appendUint(appendUint(d.out, at), size)
			at += size
		}
	}
}
