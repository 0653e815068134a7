package crdt

import (
	"encoding/binary"
	"math/bits"
)

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
		c.nextUint()
	}
	c.count--
	return c.value
}

func (c *column) nextUint() {
	mag, sign, n := shortInt(c.r.b, c.r.i)
	neg := sign != 0
	if c.r.i += n; n == 0 {
		mag, neg = c.r.int()
	}
	c.value, c.count = mag, 1
	if neg {
		c.count = c.r.uint() + 2
	}
}

// clock reads an IntDiffOptRle: a varInt of twice the difference, plus one if a
// count follows.
func (c *column) clock() uint64 {
	if c.count == 0 {
		c.nextDiff()
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

func (c *column) nextDiff() {
	at := c.r.i
	mag, sign, n := shortInt(c.r.b, at)
	if c.r.i += n; n == 0 {
		var neg bool
		if mag, neg = c.r.int(); neg {
			sign = 1
		}
	}
	v := int64(mag ^ -sign + sign) // the sign is as good as random
	c.diff, c.count = v>>1, 1      // rounds down, as Math.floor
	if v&1 != 0 {
		c.count = c.r.uint() + 2
	}
	if c.diff > MaxClock || c.diff < -MaxClock {
		c.r.failAt("clock above 2^32-1", at)
	}
}

// shortInt reads at i a varInt of up to 4 bytes, its sign as 1 if it is negative, and
// how many they are: 0 if it is another, not valid, or near the end. How long integers
// are is as good as random, so that it computes what it can without asking.
func shortInt(b []byte, i int) (mag, sign uint64, n int) {
	if i > len(b)-8 {
		return 0, 0, 0
	}
	x := binary.LittleEndian.Uint64(b[i : i+8 : i+8])
	stop := ^x & 0x80808080
	x &= stop ^ (stop - 1)
	n = bits.TrailingZeros64(stop)>>3 + 1
	if stop == 0 || x>>(8*n-8&63) == 0 && n > 1 {
		return 0, 0, 0
	}
	return x&0x3f | x>>2&0x1fc0 | x>>3&0xfe000 | x>>4&0x7f00000, x >> 6 & 1, n
}

// byte reads an Rle of bytes: a value, then a count of repetitions less one
// unless the column ends; then the value repeats for ever.
func (c *column) byte() byte {
	if c.count == 0 {
		c.nextByte()
	}
	c.count--
	return byte(c.value)
}

func (c *column) nextByte() {
	c.value = uint64(c.r.byte())
	if c.r.left() > 0 {
		c.count = c.r.uint() + 1
	} else {
		c.count = 1<<64 - 1
	}
}
