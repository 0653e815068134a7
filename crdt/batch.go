package crdt

import (
	"encoding/binary"
	"math/bits"
)

// A batch is some structs of a version 2 update, read one column after the other:
// a column alone can be read without asking what comes next, which is as good as
// random, and of all strings the content is one piece.
type batch struct {
	most   int // structs that the next one may have
	pause  pause
	n      int              // structs of this one, all of which have a shape
	size   int              // of the content of the strings among them
	kinds  [batchRoom]uint8 // as in skimmed
	texts  [batchRoom]uint32
	gaps   [batchRoom]uint32 // lengths of the deleted ones
	left   [batchRoom]uint32 // clocks of the origins
	right  [batchRoom]uint32
	failed bool // a column has what is not valid here
}

// Columns are written by so many values at once, the last of which may be past what
// is asked for.
const (
	batchStep = 4
	batchRoom = mostSkimmed + 2*batchStep
)

// read reads some structs of the client whose update's strings are known to be
// ASCII so far. It passes none if the next is another.
func (b *batch) read(x *decoderV2, left uint64) {
	of, info, lengths := &x.col[colClient], &x.col[colInfo], &x.col[colString]
	kinds, texts := *info, *lengths
	for most := min(b.most, int(min(left, of.count/2, mostSkimmed))); ; {
		strings := b.readKinds(info, most)
		b.uints(lengths, &b.texts, strings)
		fit := b.measure(strings, x.ascii)
		if fit == strings {
			b.uints(&x.col[colLen], &b.gaps, b.n-strings)
			break
		}
		*info, *lengths, most = kinds, texts, b.before(fit)
	}
	b.clocks(&x.col[colLeftClock], &b.left, b.n)
	b.clocks(&x.col[colRightClock], &b.right, b.n)
	of.count -= 2 * uint64(b.n)
	b.most = min(2*b.n+leastSkimmed, mostSkimmed) // not many in vain
	b.pause.passed(uint32(b.n))
}

// readKinds reads the kinds of up to most structs, and returns how many of them are
// strings.
func (b *batch) readKinds(c *column, most int) (strings int) {
	b.n = 0
	for b.n < most {
		if c.count == 0 {
			c.nextByte()
		}
		kind := skimmed[byte(c.value)]
		if kind == 0x80 {
			break
		}
		n, word := int(min(c.count, uint64(most-b.n))), uint64(kind)*0x0101010101010101
		for k := 0; k < n; k += 8 {
			binary.LittleEndian.PutUint64(b.kinds[b.n+k:], word)
		}
		c.count -= uint64(n)
		b.n += n
		strings += n * int(kind&1)
	}
	return strings
}

// measure returns how many of the first strings have so many bytes at most, if all
// are ASCII, and notes how many these have.
func (b *batch) measure(strings, most int) int {
	b.size = 0
	for k, n := range b.texts[:strings] {
		if int(n) > most-b.size {
			return k
		}
		b.size += int(n)
	}
	return strings
}

// before returns how many structs there are before a string.
func (b *batch) before(text int) int {
	for k, kind := range b.kinds[:b.n] {
		if text -= int(kind & 1); text < 0 {
			return k
		}
	}
	return b.n
}

// uints reads n values of a UintOptRle; see [column.uint].
func (b *batch) uints(c *column, out *[batchRoom]uint32, n int) {
	for k := 0; ; c.nextUint() {
		m := int(min(c.count, uint64(n-k)))
		for j := 0; j < m; j += batchStep {
			to, v := (*[batchStep]uint32)(out[k+j:k+j+batchStep]), uint32(c.value)
			to[0], to[1], to[2], to[3] = v, v, v, v
		}
		b.failed = b.failed || c.value > MaxClock
		c.count -= uint64(m)
		k += m
		m, c.r.i = singleUints(c.r.b, c.r.i, out[k:n])
		if k += m; k == n {
			return
		}
	}
}

// clocks reads n values of an IntDiffOptRle; see [column.clock].
func (b *batch) clocks(c *column, out *[batchRoom]uint32, n int) {
	for k := 0; ; c.nextDiff() {
		m, v, diff := int(min(c.count, uint64(n-k))), int64(c.value), c.diff
		for j := 0; j < m; j, v = j+batchStep, v+batchStep*diff {
			to := (*[batchStep]uint32)(out[k+j : k+j+batchStep])
			to[0], to[1], to[2], to[3] = uint32(v+diff), uint32(v+2*diff), uint32(v+3*diff), uint32(v+4*diff)
		}
		v = int64(c.value) + int64(m)*diff
		c.count -= uint64(m)
		k += m
		b.failed = b.failed || uint64(v) > MaxClock // those between are, too, if this is not
		m, c.r.i, c.value, v = singleClocks(c.r.b, c.r.i, out[k:n], v)
		b.failed = b.failed || v != 0
		if k += m; k == n {
			return
		}
	}
}

// singleUints reads values of a UintOptRle that do not repeat, up to 4 bytes each, as
// long as there are some and as out has room. It returns how many there were and where
// they end. How long they are is as good as random, so that it computes what it can
// without asking.
func singleUints(in []byte, i int, out []uint32) (n, end int) {
	for n < len(out) && i <= len(in)-8 {
		x := binary.LittleEndian.Uint64(in[i : i+8 : i+8])
		ends := ^x & 0x80808080
		x &= ends ^ (ends - 1)
		last := uint(bits.TrailingZeros32(uint32(ends))) & 0x38
		if ends == 0 || x>>last == 0 && last > 0 || x&0x40 != 0 {
			break
		}
		i += int(last>>3 + 1)
		out[n] = uint32(x&0x3f | x>>2&0x1fc0 | x>>3&0xfe000 | x>>4&0x7f00000)
		n++
	}
	return n, i
}

// singleClocks is singleUints for an IntDiffOptRle, from a value on. It returns the
// last value, too, and not 0 if any was none.
func singleClocks(in []byte, i int, out []uint32, value int64) (n, end int, last uint64, bad int64) {
	for n < len(out) && i <= len(in)-8 {
		x := binary.LittleEndian.Uint64(in[i : i+8 : i+8])
		ends := ^x & 0x80808080
		x &= ends ^ (ends - 1)
		size := uint(bits.TrailingZeros32(uint32(ends))) & 0x38
		if ends == 0 || x>>size == 0 && size > 0 || x&1 != 0 {
			break
		}
		i += int(size>>3 + 1)
		sign := -int64(x >> 6 & 1)
		value += (int64(x&0x3f|x>>2&0x1fc0|x>>3&0xfe000|x>>4&0x7f00000)>>1 ^ sign) - sign
		bad |= value >> 32
		out[n] = uint32(value)
		n++
	}
	return n, i, uint64(value), bad
}
