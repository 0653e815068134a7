package crdt

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// An owner is the client whose structs are read, and how its id looks on the
// wire: most structs stand beside another of the same client.
type owner struct {
	id         ClientID
	word, mask uint64
	size       int
}

func ownerOf(id ClientID) owner {
	var b [8]byte
	o := owner{id: id, size: len(appendUint(b[:0], uint64(id)))}
	o.word = binary.LittleEndian.Uint64(b[:])
	o.mask = 1<<(8*o.size) - 1
	return o
}

// fastBlock is [readBlock] for what nearly all structs of a text are: a string or
// deleted elements, beside something. It returns where the struct at i ends, or 0
// if it is another or is not valid; readBlock then says what is wrong.
func fastBlock(in []byte, i int, own *owner, b *block) int {
	if i >= len(in) {
		return 0
	}
	start, info := i, in[i]
	ref := info & infoRef
	if ref != refString && ref != refDeleted || info&(infoOrigin|infoRight) == 0 {
		return 0
	}
	i++
	if b.hasOrigin = info&infoOrigin != 0; b.hasOrigin {
		if b.origin, i = fastRef(in, i, own, b.clock); i == 0 {
			return 0
		}
	}
	if b.hasRight = info&infoRight != 0; b.hasRight {
		if b.right, i = fastRef(in, i, own, b.clock); i == 0 {
			return 0
		}
	}
	n, i := fastUint(in, i)
	if i > len(in) {
		return 0
	}
	b.content = nil
	if ref == refString {
		if n > uint64(len(in)-i) {
			return 0
		}
		b.content = in[i : i+int(n) : i+int(n)]
		if !shortASCII(in, i, n) && !isASCII(b.content) {
			if !utf8.Valid(b.content) {
				return 0
			}
			n = uint64(utf16Len(b.content))
		}
		i += len(b.content)
	}
	if n == 0 || n > uint64(MaxClock-b.clock) {
		return 0
	}
	b.raw = in[start:i:i]
	b.n, b.ref = uint32(n), ref
	b.parentRoot, b.parentID, b.hasSub, b.subBit = false, false, false, info&infoSub != 0
	return i
}

// A piece is a struct like nearly all of a text that one person types: ASCII or
// deleted elements, beside elements of the same client.
type piece struct {
	info       byte // infoOrigin and infoRight say which of the clocks there are
	oK, rK     uint32
	n          uint32
	from, size int // content
}

// piece reads the struct at i of in into p if it is one, and returns where it
// ends; else 0. It does not see the last structs of an update. Which links there
// are, and whether elements are deleted, is as good as random, so that it computes
// what it can without asking.
func (own *owner) piece(in []byte, i int, clock uint32, p *piece) int {
	const most = 1 + 2*(8+8) + 2 + 8
	if len(in)-i < most || clock == 0 {
		return 0
	}
	info := in[i]
	if info&infoSub != 0 || info&(infoOrigin|infoRight) == 0 || info&infoRef != refString && info&infoRef != refDeleted {
		return 0
	}
	i++
	oK, n, bad := own.clock(in[i:i+16], clock, -uint64(info>>7))
	i += n
	rK, n, bad2 := own.clock(in[i:i+16], clock, -uint64(info>>6&1))
	i += n
	size := uint32(in[i])
	i++
	if size >= 0x80 {
		size += uint32(in[i])<<7 - 0x80
		i++
		if size < 0x80 || size >= 1<<14 {
			return 0
		}
	}
	content := uint64(size) * uint64(info>>2&1) // refString is 4, refDeleted 1
	if bad|bad2 != 0 || size == 0 || size > MaxClock-clock || content > uint64(len(in)-i) {
		return 0
	}
	p.info, p.oK, p.rK, p.n, p.from, p.size = info, uint32(oK), uint32(rK), size, i, int(content)
	if content > 8 {
		if !isASCII(in[i : i+int(content)]) {
			return 0
		}
	} else if binary.LittleEndian.Uint64(in[i:])&(0x8080808080808080>>(64-8*content)) != 0 {
		return 0
	}
	return i + int(content)
}

// clock reads an ID of the owner's with a clock below the given one if there is
// all ones, and nothing if it is 0. It returns how many bytes it read, and not 0
// as bad if the ID is another or not valid.
func (own *owner) clock(in []byte, below uint32, there uint64) (clock uint64, n int, bad uint64) {
	bad = (binary.LittleEndian.Uint64(in) ^ own.word) & own.mask
	x := binary.LittleEndian.Uint64(in[own.size:])
	stop := ^x & 0x80808080
	ends := bits.TrailingZeros32(uint32(stop)) // the bit that says so, 32 if it is longer
	k := ends >> 3                             // the last byte
	x &= stop ^ (stop - 1)
	clock = x&0x7f | x>>1&0x3f80 | x>>2&0x1fc000 | x>>3&0xfe00000
	bad |= uint64(k>>2) | (uint64(below)-1-clock)>>63
	bad |= (x>>(8*uint(k)&31) - 1) >> 63 & (uint64(-k) >> 63) // a last byte that adds nothing
	return clock & there, (own.size + k + 1) & int(there), bad & there
}

// fastRef reads at i the ID of an element that a struct may depend on: an
// earlier one, if it is the client's own. It returns where the ID ends, or 0.
func fastRef(in []byte, i int, own *owner, clock uint32) (ID, int) {
	id, limit := ID{Client: own.id}, uint64(clock)
	if i+16 > len(in) || binary.LittleEndian.Uint64(in[i:])&own.mask != own.word {
		var client uint64
		if client, i = fastUint(in, i); ClientID(client) != own.id {
			id.Client, limit = ClientID(client), MaxClock
		}
	} else if i += own.size; true {
		if v, n := varint4(binary.LittleEndian.Uint64(in[i:])); n > 0 && v < limit && (v>>(7*n-7) != 0 || n == 1) {
			id.Clock = v
			return id, i + n
		}
	}
	if id.Clock, i = fastUint(in, i); id.Clock >= limit || i > len(in) {
		return id, 0
	}
	return id, i
}

// varint4 reads a varUint of up to 4 bytes from the low end of x, and how many
// they are: 0 if it is longer.
func varint4(x uint64) (v uint64, n int) {
	stop := ^x & 0x80808080
	if stop == 0 {
		return 0, 0
	}
	x &= stop ^ (stop - 1)
	return x&0x7f | x>>1&0x3f80 | x>>2&0x1fc000 | x>>3&0xfe00000, bits.TrailingZeros64(stop)>>3 + 1
}

// fastUint reads a varUint at i and returns where it ends. That is past the end
// of b if there is none.
func fastUint(b []byte, i int) (uint64, int) {
	if i < len(b) && b[i] < 0x80 {
		return uint64(b[i]), i + 1
	}
	return longUint(b, i)
}

func longUint(b []byte, i int) (uint64, int) {
	if i+8 > len(b) {
		return lastUint(b, i)
	}
	x := binary.LittleEndian.Uint64(b[i:])
	stop := ^x & 0x8080808080808080
	if stop == 0 {
		return 0, len(b) + 1
	}
	n := bits.TrailingZeros64(stop)
	x &= stop ^ (stop - 1)
	if x>>(n-7) == 0 && n > 7 { // the last byte adds nothing
		return 0, len(b) + 1
	}
	x = x&0x007f007f007f007f | x&0x7f007f007f007f00>>1
	x = x&0x00003fff00003fff | x&0x3fff00003fff0000>>2
	x = x&0x000000000fffffff | x&0x0fffffff00000000>>4
	if x > MaxInt {
		return 0, len(b) + 1
	}
	return x, i + n>>3 + 1
}

// lastUint is longUint near the end of b.
func lastUint(b []byte, i int) (uint64, int) {
	var v uint64
	for shift := uint(0); shift < 56 && i < len(b); shift += 7 {
		c := b[i]
		i++
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			if c == 0 && shift > 0 || v > MaxInt {
				break
			}
			return v, i
		}
	}
	return 0, len(b) + 1
}

// shortASCII reports whether the n bytes of in from i on are known to be ASCII
// without a loop: few, and not the last.
func shortASCII(in []byte, i int, n uint64) bool {
	return n <= 8 && i+8 <= len(in) && binary.LittleEndian.Uint64(in[i:])&(0x8080808080808080>>(64-8*n)) == 0
}

func isASCII(s []byte) bool { return asciiLen(s) == len(s) }

// asciiLen returns how many bytes at the start of s are ASCII.
func asciiLen(s []byte) int {
	k := 0
	for ; len(s)-k >= 8; k += 8 {
		if high := binary.LittleEndian.Uint64(s[k:k+8:k+8]) & 0x8080808080808080; high != 0 {
			return k + bits.TrailingZeros64(high)>>3
		}
	}
	for k < len(s) && s[k] < utf8.RuneSelf {
		k++
	}
	return k
}
