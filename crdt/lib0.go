package crdt

import (
	"math/bits"
	"unicode/utf8"
)

// reader decodes lib0 primitives from b. The first failure sticks: later reads
// return zero values, so a caller may check err once per loop round.
//
// Source: lib0 encoding.js and decoding.js.
type reader struct {
	b   []byte
	i   int
	err error
}

func (r *reader) fail(what string) { r.failAt(what, r.i) }

func (r *reader) failAt(what string, at int) {
	if r.err == nil {
		r.err = &MalformedError{What: what, Offset: at}
	}
	r.i = len(r.b)
}

// left returns how many bytes remain: the bound of every count.
func (r *reader) left() int { return len(r.b) - r.i }

func (r *reader) byte() byte {
	if r.i >= len(r.b) {
		r.fail("ends early")
		return 0
	}
	c := r.b[r.i]
	r.i++
	return c
}

// uint reads a varUint: groups of 7 bits, least significant first, at most
// [MaxInt] and no longer than needed.
func (r *reader) uint() uint64 {
	if r.i < len(r.b) {
		if c := r.b[r.i]; c < 0x80 {
			r.i++
			return uint64(c)
		}
	}
	return r.uintSlow()
}

func (r *reader) uintSlow() uint64 {
	start := r.i
	var v uint64
	for shift := uint(0); shift < 56; shift += 7 {
		if r.i >= len(r.b) {
			r.fail("ends early")
			return 0
		}
		c := r.b[r.i]
		r.i++
		v |= uint64(c&0x7f) << shift
		if c >= 0x80 {
			continue
		}
		if c == 0 && shift > 0 {
			r.failAt("integer longer than needed", start)
			return 0
		}
		if v > MaxInt {
			break
		}
		return v
	}
	r.failAt("integer above 2^53-1", start)
	return 0
}

// lenUint returns how many bytes a varUint takes.
func lenUint(v uint64) int { return (bits.Len64(v|1) + 6) / 7 }

// int reads a varInt: a continuation bit, a sign bit and 6 bits, then groups of
// 7. Sign and magnitude are returned apart because -0 means something.
func (r *reader) int() (mag uint64, neg bool) {
	if v, i := fastUint(r.b, r.i); i <= len(r.b) {
		r.i = i
		return v&0x3f | v>>7<<6, v&0x40 != 0
	}
	return r.intSlow()
}

func (r *reader) intSlow() (mag uint64, neg bool) {
	start := r.i
	c := r.byte()
	mag, neg = uint64(c&0x3f), c&0x40 != 0
	if c < 0x80 {
		return mag, neg
	}
	for shift := uint(6); shift < 55; shift += 7 {
		c = r.byte()
		if r.err != nil {
			return 0, false
		}
		mag |= uint64(c&0x7f) << shift
		if c >= 0x80 {
			continue
		}
		if c == 0 {
			r.failAt("integer longer than needed", start)
			return 0, false
		}
		if mag > MaxInt {
			break
		}
		return mag, neg
	}
	r.failAt("integer above 2^53-1", start)
	return 0, false
}

// count reads a varUint that announces so many things of at least size bytes
// each, and refuses one that cannot be true.
func (r *reader) count(size int) int {
	start := r.i
	n := r.uint()
	if left := uint64(r.left()); n > left || n*uint64(size) > left {
		r.failAt("count exceeds the bytes that remain", start)
		return 0
	}
	return int(n)
}

// bytes reads a varUint length and as many bytes, which alias the input.
func (r *reader) bytes() []byte {
	n := r.count(1)
	b := r.b[r.i : r.i+n : r.i+n]
	r.i += n
	return b
}

// str reads a varString: bytes that must be UTF-8. They alias the input.
func (r *reader) str() []byte {
	start := r.i
	b := r.bytes()
	if !utf8.Valid(b) {
		r.failAt("string is not UTF-8", start)
		return nil
	}
	return b
}

// take returns the next n bytes, which alias the input.
func (r *reader) take(n int) []byte {
	if n > r.left() {
		r.fail("ends early")
		return nil
	}
	b := r.b[r.i : r.i+n : r.i+n]
	r.i += n
	return b
}

// end refuses bytes after the last expected one.
func (r *reader) end() error {
	if r.err == nil && r.i != len(r.b) {
		r.fail("trailing bytes")
	}
	return r.err
}

func appendUint(b []byte, v uint64) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

// appendInt writes a varInt; neg with mag 0 is -0.
func appendInt(b []byte, mag uint64, neg bool) []byte {
	c := byte(mag & 0x3f)
	if neg {
		c |= 0x40
	}
	if mag >>= 6; mag == 0 {
		return append(b, c)
	}
	b = append(b, c|0x80)
	return appendUint(b, mag)
}

func appendBytes(b, s []byte) []byte {
	return append(appendUint(b, uint64(len(s))), s...)
}

func appendString(b []byte, s string) []byte {
	return append(appendUint(b, uint64(len(s))), s...)
}

func appendID(b []byte, id ID) []byte {
	return appendUint(appendUint(b, uint64(id.Client)), id.Clock)
}

// utf16Len returns how many UTF-16 code units the UTF-8 bytes s are.
func utf16Len(s []byte) int {
	if isASCII(s) {
		return len(s)
	}
	n := 0
	for _, c := range s {
		if c < 0x80 || c >= 0xc0 {
			n++
			if c >= 0xf0 {
				n++
			}
		}
	}
	return n
}

// utf16Offset returns the byte offset of UTF-16 unit u in the UTF-8 bytes s,
// and whether u falls inside a surrogate pair; then at is the pair's start.
func utf16Offset(s []byte, u int) (at int, inPair bool) {
	if len(s) < u {
		return len(s), false
	}
	for u > 0 && at < len(s) {
		switch c := s[at]; {
		case c < 0x80:
			at, u = at+1, u-1
		case c < 0xe0:
			at, u = at+2, u-1
		case c < 0xf0:
			at, u = at+3, u-1
		case u == 1:
			return at, true
		default:
			at, u = at+4, u-2
		}
	}
	return at, false
}

// utf16Tail returns the byte offset of the last u UTF-16 units of s, which has as
// many, and whether they begin inside a surrogate pair; then at is the pair's start.
func utf16Tail(s []byte, u int) (at int, inPair bool) {
	at = len(s)
	for u > 0 && at > 0 {
		for at--; at > 0 && s[at]&0xc0 == 0x80; at-- {
		}
		if u--; s[at] >= 0xf0 {
			if u == 0 {
				return at, true
			}
			u--
		}
	}
	return at, false
}
