package crdt

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
	ascii     int    // how much of that is known to be ASCII; none where half
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
		d.ascii = asciiLen(d.str)
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
		d.size += lenUint(v)
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
		u.count(&b)
	}
	s.end = b.clock
	u.sections = append(u.sections, s)
}

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
