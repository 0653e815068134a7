package crdt

import (
	"encoding/binary"
	"unicode/utf8"
)

// fastBlock is [readBlock] for what nearly all structs of a text are: a string or
// deleted elements, beside something. It reports false, and has read nothing, if
// the struct at r is another or is not valid.
func fastBlock(r *reader, b *block) bool {
	in, i := r.b, r.i
	if i >= len(in) {
		return false
	}
	info := in[i]
	ref := info & infoRef
	if ref != refString && ref != refDeleted || info&(infoOrigin|infoRight) == 0 {
		return false
	}
	i++
	hasOrigin, hasRight := info&infoOrigin != 0, info&infoRight != 0
	if hasOrigin {
		if b.origin.Client, b.origin.Clock, i = fastID(in, i); !b.mayNeed(b.origin) {
			return false
		}
	}
	if hasRight {
		if b.right.Client, b.right.Clock, i = fastID(in, i); !b.mayNeed(b.right) {
			return false
		}
	}
	n, i := fastUint(in, i)
	b.content = nil
	if ref == refString {
		if n > uint64(len(in)-i) {
			return false
		}
		b.content = in[i : i+int(n) : i+int(n)]
		i += int(n)
		if !isASCII(b.content) {
			if !utf8.Valid(b.content) {
				return false
			}
			n = uint64(utf16Len(b.content))
		}
	}
	if n == 0 || n > uint64(MaxClock-b.clock) || i > len(in) {
		return false
	}
	b.raw = in[r.i:i:i]
	b.n, b.ref, b.hasOrigin, b.hasRight = uint32(n), ref, hasOrigin, hasRight
	b.parentRoot, b.parentID, b.hasSub, b.subBit = false, false, false, info&infoSub != 0
	r.i = i
	return true
}

// mayNeed reports whether b may depend on id: an earlier element, if it is of
// b's own client.
func (b *block) mayNeed(id ID) bool {
	return id.Clock < MaxClock && (id.Client != b.client || id.Clock < uint64(b.clock))
}

// fastID reads an ID at i. It is one that nothing may need if there is none.
func fastID(b []byte, i int) (ClientID, uint64, int) {
	client, i := fastUint(b, i)
	clock, i := fastUint(b, i)
	if i > len(b) {
		return 0, MaxClock, i
	}
	return ClientID(client), clock, i
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
