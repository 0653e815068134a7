package ysync

import (
	"unicode/utf8"

	"github.com/clisonix/tidechart/crdt"
)

// decoder reads lib0 primitives. The first failure sticks.
type decoder struct {
	b   []byte
	i   int
	err error
}

func (d *decoder) failAt(what string, at int) {
	if d.err == nil {
		d.err = &crdt.MalformedError{What: what, Offset: at}
	}
	d.i = len(d.b)
}

// uint reads a varUint of at most 2^53-1 that is no longer than needed.
func (d *decoder) uint() uint64 {
	start := d.i
	var v uint64
	for shift := uint(0); shift < 56; shift += 7 {
		if d.i >= len(d.b) {
			d.failAt("ends early", d.i)
			return 0
		}
		c := d.b[d.i]
		d.i++
		v |= uint64(c&0x7f) << shift
		if c >= 0x80 {
			continue
		}
		if c == 0 && shift > 0 {
			d.failAt("integer longer than needed", start)
			return 0
		}
		if v > crdt.MaxInt {
			break
		}
		return v
	}
	d.failAt("integer above 2^53-1", start)
	return 0
}

// bytes reads a buffer of at most limit bytes; it aliases the input.
func (d *decoder) bytes(limit int) []byte {
	start := d.i
	n := d.uint()
	if n > uint64(len(d.b)-d.i) {
		d.failAt("ends early", start)
		return nil
	}
	if n > uint64(limit) {
		d.failAt("longer than allowed", start)
		return nil
	}
	b := d.b[d.i : d.i+int(n) : d.i+int(n)]
	d.i += int(n)
	return b
}

// text reads a string of at most limit bytes.
func (d *decoder) text(limit int) string {
	start := d.i
	b := d.bytes(limit)
	if !utf8.Valid(b) {
		d.failAt("string is not UTF-8", start)
		return ""
	}
	return string(b)
}

func (d *decoder) more() bool { return d.i < len(d.b) }

func (d *decoder) end() error {
	if d.err == nil && d.more() {
		d.failAt("trailing bytes", d.i)
	}
	return d.err
}

func appendUint(b []byte, v uint64) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

func appendBytes[T []byte | string](b []byte, s T) []byte {
	return append(appendUint(b, uint64(len(s))), s...)
}
