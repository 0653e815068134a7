package crdt

import (
	"math/bits"
	"slices"
	"unicode/utf8"
)

// expansion bounds what a version 2 update may become in version 1, in bytes:
// its columns repeat values at no cost, so that its size alone says little. It
// leaves something of 8 times the size and 1 MB to the decoder itself.
func expansion(size int) int { return 8*size + 1<<20 - 1<<15 }

// decoderV2 turns a version 2 update into the internal superset of version 1. It
// reads it twice: to measure, when it only counts what it would write, and to
// write that into as many bytes. A slice that grows would take several times as
// much.
type decoderV2 struct {
	col       [colCount]column
	str       []byte // what is left of all strings
	half      bool   // the next string starts inside a surrogate pair
	cut       []byte // scratch: a string that was cut
	rest      reader
	out       []byte
	limit     int // of what is used
	measuring bool
	size      int // measured: of out
	sections  int // measured: those with structs
	keys      keys

	seeking bool // to name this client a second time fails
	sought  ClientID
	seen    bool // it was named
}

// decodeV2 validates a version 2 update and returns it as version 1 bytes in
// which an Embed or Format keeps its Any.
func decodeV2(b []byte) (*Update, error) {
	m := decoderV2{measuring: true}
	if m.open(b) {
		m.update(nil)
	}
	if m.keys.again && m.err() == nil {
		m = decoderV2{measuring: true, keys: m.keys.kept()}
		m.open(b)
		m.update(nil)
	}
	if err := m.err(); err != nil {
		return nil, err
	}
	d := decoderV2{out: make([]byte, 0, m.size), sections: m.sections, keys: m.keys.kept()}
	d.open(b)
	u := &Update{internal: true}
	u.room(m.sections, nil)
	d.update(u)
	if err := d.err(); err != nil {
		return nil, err
	}
	u.b = d.out
	u.dsPlain = plainDeletes(&reader{b: u.b, i: u.ds})
	if client, twice := u.putInOrder(); twice {
		return nil, namedTwice(b, client)
	}
	return u, nil
}

// namedTwice says where an update names a client again.
func namedTwice(b []byte, client ClientID) error {
	d := decoderV2{measuring: true, seeking: true, sought: client}
	d.open(b)
	d.update(nil)
	return d.err()
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
	const section = 28 // bytes that an Update keeps of each
	used := d.size + len(d.out) + section*d.sections + d.keys.size()
	if used > d.limit || n > uint64(d.limit-used) {
		d.rest.fail("repeats too much for its size")
		return false
	}
	return true
}

func (d *decoderV2) putByte(c byte) {
	if d.measuring {
		d.size++
	} else {
		d.out = append(d.out, c)
	}
}

func (d *decoderV2) putUint(v uint64) {
	if d.measuring {
		d.size += (bits.Len64(v|1) + 6) / 7
	} else {
		d.out = appendUint(d.out, v)
	}
}

func (d *decoderV2) put(b []byte) {
	if d.measuring {
		d.size += len(b)
	} else {
		d.out = append(d.out, b...)
	}
}

func (d *decoderV2) putBytes(b []byte) {
	d.putUint(uint64(len(b)))
	d.put(b)
}

// update reads all; u is nil if that is to measure.
func (d *decoderV2) update(u *Update) {
	clients := d.rest.count(2)
	d.putUint(uint64(d.sections))
	for range clients {
		if d.section(u); d.err() != nil {
			return
		}
	}
	if d.measuring { // now it is known how many there are
		d.size--
		d.putUint(uint64(d.sections))
	} else {
		u.ds = len(d.out)
	}
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
	if n == 0 {
		return
	}
	if d.seeking && ClientID(client) == d.sought {
		if d.seen {
			d.rest.failAt("client named twice", at)
			return
		}
		d.seen = true
	}
	d.putUint(n)
	d.putUint(client)
	d.putUint(clock)
	if d.measuring {
		d.sections++
		for range n {
			if d.block(); d.err() != nil || !d.fits(0) {
				return
			}
		}
		return
	}
	b := block{client: ClientID(client), clock: uint32(clock)}
	s := section{client: b.client, clock: b.clock, count: uint32(n), off: uint32(len(d.out))}
	for range n {
		start := len(d.out)
		if d.block(); d.err() != nil {
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
		if b.ref == refType {
			u.types++
		}
	}
	s.end = b.clock
	u.sections = append(u.sections, s)
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
	if n > uint64(len(d.str))+1 {
		lengths.r.fail("string longer than its column")
		return nil
	}
	s := []byte(nil)
	if d.half {
		s, d.half, n = append(d.cut[:0], replacement...), false, n-1
		d.cut = s
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
		d.str = d.str[size:]
	}
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

// keys are the format keys and element names so far, which a later struct may
// name by their number. Yjs never does, but its decoder and other writers do.
// They are kept only if that is known to come.
type keys struct {
	n     uint64
	again bool // one was named that was not kept
	keep  bool
	all   [][]byte
}

func (k *keys) add(s []byte) {
	k.n++
	if k.keep {
		k.all = append(k.all, append([]byte(nil), s...))
	}
}

// kept returns what to begin the next reading with: it keeps keys if this one
// did, or should have.
func (k *keys) kept() keys {
	if !k.again && !k.keep {
		return keys{}
	}
	return keys{keep: true, all: slices.Grow(k.all[:0], int(k.n))}
}

// size returns how many bytes are kept.
func (k *keys) size() int { return 24 * cap(k.all) }

// deletes copies the delete set; for its layout see rangeReader.
func (d *decoderV2) deletes() {
	clients := d.rest.count(2)
	d.putUint(uint64(clients))
	for range clients {
		d.putUint(d.rest.uint())
		ranges, clock := d.rest.count(2), uint64(0)
		d.putUint(uint64(ranges))
		for range ranges {
			at := d.rest.i
			clock += d.rest.uint()
			size := d.rest.uint() + 1
			if clock > MaxClock || size > MaxClock-clock {
				d.rest.failAt("delete range past clock 2^32-1", at)
			}
			if d.rest.err != nil || !d.fits(0) {
				return
			}
			d.putUint(clock)
			d.putUint(size)
			clock += size
		}
	}
}
