package crdt

import (
	"bytes"
	"testing"
	"time"
)

// linear fails if 8 times the input takes more than 30 times as much, of time or
// memory: if that grows with the square it is 64 times.
func linear(t *testing.T, n uint32, cost func(n uint32) float64) {
	t.Helper()
	if checking {
		n /= 5
	}
	var small, big float64
	for range 4 { // something else may have had the processor
		if small, big = cost(n), cost(8*n); big <= 30*small {
			return
		}
	}
	t.Errorf("8 times the input costs %.0f instead of %.0f, %.1f times as much", big, small, big/small)
}

func quickest(f func() func()) float64 {
	best := time.Duration(1<<63 - 1)
	for range 3 {
		run := f()
		start := time.Now()
		run()
		best = min(best, time.Since(start))
	}
	return float64(best)
}

// manyValues is a struct of n values, or JSON.
func manyValues(ref uint8, n uint32) []byte {
	var content []byte
	for range n {
		if ref == refAny {
			content = append(content, anyNull)
		} else {
			content = append(content, 1, '1')
		}
	}
	return one(&block{client: 9, n: n, ref: ref, content: content, parentRoot: true, root: []byte("t")})
}

// Cutting a run of many values from its end on takes time in proportion to it.
func TestCutsOfValuesAreLinear(t *testing.T) {
	for name, ref := range map[string]uint8{"values": refAny, "JSON": refJSON} {
		t.Run(name, func(t *testing.T) {
			cut := func(n uint32) float64 {
				return quickest(func() func() {
					d := New("")
					apply(t, d, manyValues(ref, n))
					w := writerV1{}
					for i := range n - 1 { // one between any two, the last first
						w.block(&block{client: 5, clock: i, n: 1, ref: refDeleted, hasOrigin: true, origin: ID{9, uint64(n - 2 - i)}, hasRight: true, right: ID{9, uint64(n - 1 - i)}})
					}
					u := w.finish(nil)
					return func() { apply(t, d, u) }
				})
			}
			linear(t, 5_000, cut)
		})
	}
}

// A client's structs that came each after one of another join in linear memory.
func TestJoinsAreLinear(t *testing.T) {
	join := func(n uint32) float64 {
		w := writerV1{}
		for i := range n { // each behind the one of client 5 with the same clock
			w.block(&block{client: 9, clock: i, n: 1, ref: refString, content: []byte("x"), hasOrigin: true, origin: ID{5, uint64(i)}})
		}
		for i := range n {
			b := &block{client: 5, clock: i, n: 1, ref: refString, content: []byte("y"), hasOrigin: true, origin: ID{1, 0}}
			if i > 0 {
				b.origin = ID{5, uint64(i) - 1}
			}
			w.block(b)
		}
		d := New("")
		apply(t, d, one(&block{client: 1, n: 1, ref: refString, content: []byte("a"), parentRoot: true, root: []byte("t")}))
		return float64(allocated(func() { apply(t, d, w.finish(nil)) }))
	}
	linear(t, 2_500, join)
}

// To compare what is here in many pieces with one struct that has it all takes
// time in proportion to that.
func TestForksAreLinear(t *testing.T) {
	for name, c := range map[string]struct {
		ref     uint8
		element string
		units   uint32
	}{"values": {refAny, "\x7e", 1}, "letters": {refString, "é", 1}, "cut pairs": {refString, "😀", 2}} {
		t.Run(name, func(t *testing.T) {
			compare := func(n uint32) float64 {
				whole := one(&block{client: 9, n: n * c.units, ref: c.ref, content: bytes.Repeat([]byte(c.element), int(n)), parentRoot: true, root: []byte("t")})
				d := New("")
				apply(t, d, whole)
				w := writerV1{}
				for i := range n - 1 {
					at := uint64(i*c.units + c.units - 1)
					w.block(&block{client: 5, clock: i, n: 1, ref: refDeleted, hasOrigin: true, origin: ID{9, at}, hasRight: true, right: ID{9, at + 1}})
				}
				apply(t, d, w.finish(nil))
				u := decoded(t, whole)
				return quickest(func() func() {
					return func() {
						if id, fork := d.Fork(u); fork {
							t.Fatalf("%v is a fork", id)
						}
					}
				})
			}
			linear(t, 10_000, compare)
		})
	}
}

// Somebody types backwards, each character before the last, in updates of their
// own and in one.
func TestPrependingIsLinear(t *testing.T) {
	updates := func(n uint32) (one [][]byte, all []byte) {
		var whole writerV1
		for i := range n {
			b := &block{client: 9, clock: i, n: 1, ref: refString, content: []byte("x"), parentRoot: true, root: []byte("t")}
			if i > 0 {
				b.hasRight, b.right, b.parentRoot = true, ID{9, uint64(i) - 1}, false
			}
			var w writerV1
			w.block(b)
			whole.block(b)
			one = append(one, w.finish(nil))
		}
		return one, whole.finish(nil)
	}
	for name, together := range map[string]bool{"one by one": false, "at once": true} {
		t.Run(name, func(t *testing.T) {
			linear(t, 5_000, func(n uint32) float64 {
				us, all := updates(n)
				if together {
					us = [][]byte{at{1, 0}.put("a"), all}
				}
				return quickest(func() func() {
					d := New("")
					return func() { apply(t, d, us...) }
				})
			})
		})
	}
}
