package crdt

import "unicode/utf8"

// maxRepeat bounds how many structs a version 2 update may hold per byte, plus
// a constant: its columns repeat a value at no cost, so its size says little.
const maxRepeat = 16

// Columns of a version 2 update, in wire order. Each is a buffer; after them
// come the rest bytes: nClients { nStructs firstClock }*, lengths of Skips,
// Any values, binaries, and the delete set. A leading varUint 0 is reserved.
const (
	colKeyClock   = iota // int diff, optional run length
	colClient            // uint, optional run length
	colLeftClock         // int diff, optional run length
	colRightClock        // int diff, optional run length
	colInfo              // byte, run length
	colString            // all strings as one, then their UTF-16 lengths as uint, optional run length
	colParentInfo        // byte, run length
	colTypeRef           // uint, optional run length
	colLen               // uint, optional run length
	colCount
)

// A column reads one of them. Its reader spans the whole update, so that errors
// name the right byte, but ends with the column.
type column struct {
	r     reader
	count uint64 // how often value still repeats
	value uint64
	diff  int64
}

// uint reads a UintOptRle: a varInt; if negative (-0 included) a count of
// further repetitions less one follows.
func (c *column) uint() uint64 {
	if c.count == 0 {
		mag, neg := c.r.int()
		c.value, c.count = mag, 1
		if neg {
			c.count = c.r.uint() + 2
		}
	}
	c.count--
	return c.value
}

// clock reads an IntDiffOptRle: a varInt of twice the difference, plus one if a
// count follows.
func (c *column) clock() uint64 {
	if c.count == 0 {
		at := c.r.i
		mag, neg := c.r.int()
		v := int64(mag)
		if neg {
			v = -v
		}
		c.diff, c.count = v>>1, 1 // rounds down, as Math.floor
		if v&1 != 0 {
			c.count = c.r.uint() + 2
		}
		if c.diff > MaxClock || c.diff < -MaxClock {
			c.r.failAt("clock above 2^32-1", at)
		}
	}
	c.count--
	v := int64(c.value) + c.diff
	if v < 0 || v > MaxClock {
		c.r.fail("clock outside 0 to 2^32-1")
		v = 0
	}
	c.value = uint64(v)
	return c.value
}

// byte reads an Rle of bytes: a value, then a count of repetitions less one
// unless the column ends; then the value repeats for ever.
func (c *column) byte() byte {
	if c.count == 0 {
		c.value = uint64(c.r.byte())
		if c.r.left() > 0 {
			c.count = c.r.uint() + 1
		} else {
			c.count = 1<<64 - 1
		}
	}
	c.count--
	return byte(c.value)
}

// decoderV2 turns a version 2 update into the internal superset of version 1.
type decoderV2 struct {
	col    [colCount]column
	str    []byte // what is left of all strings
	half   bool   // the next string starts inside a surrogate pair
	keys   [][]byte
	rest   reader
	out    []byte
	budget int
}

// decodeV2 validates a version 2 update and returns it as version 1 bytes in
// which an Embed or Format keeps its Any.
func decodeV2(b []byte) (*Update, error) {
	d := decoderV2{rest: reader{b: b}, budget: maxRepeat*len(b) + 1<<16}
	if d.rest.uint() != 0 {
		d.rest.failAt("reserved flag is set", 0)
	}
	for k := range d.col {
		start := d.rest.i
		n := len(d.rest.bytes())
		if d.rest.err != nil {
			return nil, d.rest.err
		}
		_ = start
		d.col[k].r = reader{b: b[:d.rest.i:d.rest.i], i: d.rest.i - n}
	}
	if c := &d.col[colString].r; c.left() > 0 {
		d.str = c.str()
	}
	if err := d.update(); err != nil {
		return nil, err
	}
	u := new(Update)
	return u, u.decode(d.out, true)
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

func (d *decoderV2) update() error {
	clients := d.rest.count(2)
	d.out = appendUint(d.out, uint64(clients))
	for range clients {
		at := d.rest.i
		n := d.rest.uint()
		if n > uint64(d.budget) {
			d.rest.failAt("too many structs for its size", at)
			return d.rest.err
		}
		d.budget -= int(n)
		client, clock := d.col[colClient].uint(), d.rest.uint()
		d.out = appendUint(appendUint(appendUint(d.out, n), client), clock)
		for range n {
			d.block()
			if err := d.err(); err != nil {
				return err
			}
		}
	}
	d.deletes()
	if err := d.err(); err != nil {
		return err
	}
	return d.rest.end()
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

// repeat copies len elements, each of which takes at least a unit of budget.
func (d *decoderV2) repeat(element func()) {
	n := d.col[colLen].uint()
	if n > uint64(d.budget) {
		d.col[colLen].r.fail("too many elements for its size")
		return
	}
	d.budget -= int(n)
	d.out = appendUint(d.out, n)
	for range n {
		if element(); d.err() != nil {
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
		d.out = appendBytes(d.out, d.keys[k])
		return
	}
	s := d.next()
	d.keys = append(d.keys, s)
	d.out = appendBytes(d.out, s)
}

// deletes reads a version 2 delete set: clocks as distances from the end of the
// range before, lengths less one.
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
