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
		if i = fastRef(in, i, own, b.clock, &b.origin); i == 0 {
			return 0
		}
	}
	if b.hasRight = info&infoRight != 0; b.hasRight {
		if i = fastRef(in, i, own, b.clock, &b.right); i == 0 {
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
		i += int(n)
		if !isASCII(b.content) {
			if !utf8.Valid(b.content) {
				return 0
			}
			n = uint64(utf16Len(b.content))
		}
	}
	if n == 0 || n > uint64(MaxClock-b.clock) {
		return 0
	}
	b.raw = in[start:i:i]
	b.n, b.ref = uint32(n), ref
	b.parentRoot, b.parentID, b.hasSub, b.subBit = false, false, false, info&infoSub != 0
	return i
}

// fastRef reads at i the ID of an element that a struct may depend on: an
// earlier one, if it is the client's own. It returns where the ID ends, or 0.
func fastRef(in []byte, i int, own *owner, clock uint32, id *ID) int {
	limit := uint64(MaxClock)
	if i+8 <= len(in) && binary.LittleEndian.Uint64(in[i:])&own.mask == own.word {
		id.Client, i, limit = own.id, i+own.size, uint64(clock)
	} else {
		var client uint64
		if client, i = fastUint(in, i); ClientID(client) == own.id {
			limit = uint64(clock)
		}
		id.Client = ClientID(client)
	}
	if id.Clock, i = fastUint(in, i); id.Clock >= limit || i > len(in) {
		return 0
	}
	return i
}

// fastUint reads a varUint at i and returns where it ends. That is past the end
// of b if there is none.
func fastUint(b []byte, i int) (uint64, int) {
	if i+8 > len(b) {
		return longUint(b, i)
	}
	x := binary.LittleEndian.Uint64(b[i:])
	if x&0x80 == 0 {
		return x & 0x7f, i + 1
	}
	stop := ^x & 0x8080808080808080
	if stop == 0 {
		return longUint(b, i)
	}
	n := bits.TrailingZeros64(stop)
	x &= stop ^ (stop - 1)
	if x>>(n-7) == 0 { // the last byte adds nothing
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

func longUint(b []byte, i int) (uint64, int) {
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

func isASCII(s []byte) bool {
	if len(s) == 1 {
		return s[0] < utf8.RuneSelf
	}
	for len(s) >= 8 {
		if binary.LittleEndian.Uint64(s)&0x8080808080808080 != 0 {
			return false
		}
		s = s[8:]
	}
	for _, c := range s {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
