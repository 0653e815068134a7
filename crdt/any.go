package crdt

import (
	"encoding/binary"
	"math"
)

// maxDepth bounds the nesting of one value: an Any, or JSON.
const maxDepth = 32

// Tags of lib0's Any, the wire form of a JavaScript value.
const (
	anyBytes     = 116 // varUint n, n bytes
	anyArray     = 117 // varUint n, n Any
	anyObject    = 118 // varUint n, n × (varString, Any)
	anyString    = 119 // varString
	anyTrue      = 120
	anyFalse     = 121
	anyBigInt    = 122 // int64, big endian
	anyFloat64   = 123 // big endian
	anyFloat32   = 124 // big endian, if exact
	anyInt       = 125 // varInt, if |x| < 2^31
	anyNull      = 126
	anyUndefined = 127
)

// Undefined is JavaScript's undefined, which is not null.
type Undefined struct{}

// skipAny validates the Any at r and moves past it.
func skipAny(r *reader, depth int) {
	if depth > maxDepth {
		r.fail("value nested deeper than 32")
		return
	}
	switch at := r.i; r.byte() {
	case anyUndefined, anyNull, anyTrue, anyFalse:
	case anyInt:
		r.int()
	case anyFloat32:
		r.take(4)
	case anyFloat64, anyBigInt:
		r.take(8)
	case anyString:
		r.str()
	case anyBytes:
		r.bytes()
	case anyObject:
		for range r.count(2) {
			r.str()
			skipAny(r, depth+1)
			if r.err != nil {
				return
			}
		}
	case anyArray:
		for range r.count(1) {
			skipAny(r, depth+1)
			if r.err != nil {
				return
			}
		}
	default:
		r.failAt("unknown value tag", at)
	}
}

// readAny decodes a validated Any into Go: nil, bool, float64, string, []any,
// map[string]any, []byte, int64 for a bigint, [Undefined].
func readAny(r *reader) any {
	switch r.byte() {
	case anyUndefined:
		return Undefined{}
	case anyTrue:
		return true
	case anyFalse:
		return false
	case anyInt:
		mag, neg := r.int()
		if neg {
			return math.Copysign(float64(mag), -1)
		}
		return float64(mag)
	case anyFloat32:
		return float64(math.Float32frombits(binary.BigEndian.Uint32(r.take(4))))
	case anyFloat64:
		return math.Float64frombits(binary.BigEndian.Uint64(r.take(8)))
	case anyBigInt:
		return int64(binary.BigEndian.Uint64(r.take(8)))
	case anyString:
		return string(r.str())
	case anyBytes:
		return append([]byte(nil), r.bytes()...)
	case anyObject:
		n := r.count(2)
		m := make(map[string]any, n)
		for range n {
			k := string(r.str())
			m[k] = readAny(r)
		}
		return m
	case anyArray:
		a := make([]any, 0, r.count(1))
		for range cap(a) {
			a = append(a, readAny(r))
		}
		return a
	default: // null; anything else was refused when it was decoded
		return nil
	}
}

// appendNumber writes a JavaScript number as lib0 does: the shortest of int,
// float32 and float64 that is exact.
func appendNumber(b []byte, f float64) []byte {
	if math.Trunc(f) == f && math.Abs(f) <= math.MaxInt32 {
		return appendInt(append(b, anyInt), uint64(math.Abs(f)), math.Signbit(f))
	}
	if f32 := float32(f); float64(f32) == f {
		return binary.BigEndian.AppendUint32(append(b, anyFloat32), math.Float32bits(f32))
	}
	if f != f { // JavaScript has one NaN, Go's is another
		return binary.BigEndian.AppendUint64(append(b, anyFloat64), 0x7ff8<<48)
	}
	return binary.BigEndian.AppendUint64(append(b, anyFloat64), math.Float64bits(f))
}
