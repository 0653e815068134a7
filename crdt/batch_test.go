package crdt

import (
	"fmt"
	"math/rand"
	"testing"
)

// A batch reads of a column what one would read value by value, wherever it starts
// and stops; it refuses what a column refuses.
func TestBatchesReadColumns(t *testing.T) {
	for seed := range int64(200) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			r := rand.New(rand.NewSource(seed))
			valid := 1 + r.Intn(400)
			for _, clocks := range []bool{false, true} {
				in := columnOf(r, valid)
				one := column{r: reader{b: in}}
				some, b := one, batch{}
				for round := 0; round < 1000 && one.r.left() > 0; round++ {
					n, out := 1+r.Intn(mostSkimmed), new([batchRoom]uint32)
					read, single := b.uints, one.uint
					if clocks {
						read, single = b.clocks, one.clock
					}
					read(&some, out, n)
					bad := some.r.err != nil || b.failed
					for k := range n {
						v := single()
						if one.r.err != nil || v > MaxClock {
							if !bad {
								t.Fatalf("clocks %t: value %d of %d is refused alone", clocks, k, n)
							}
							return
						}
						if !bad && uint64(out[k]) != v {
							t.Fatalf("clocks %t: value %d of %d is %d, want %d", clocks, k, n, out[k], v)
						}
					}
					if bad {
						t.Fatalf("clocks %t: refused together, but not alone", clocks)
					}
					same := some.r.i == one.r.i && some.count == one.count
					if same && clocks {
						same = some.value == one.value && (some.count == 0 || some.diff == one.diff)
					} else if same && some.count > 0 {
						same = some.value == one.value
					}
					if !same {
						t.Fatalf("clocks %t: left %+v, want %+v", clocks, some, one)
					}
				}
			}
		})
	}
}

// columnOf returns so many integers as a column has them, and then anything.
func columnOf(r *rand.Rand, valid int) []byte {
	var b []byte
	for range valid {
		v := uint64(r.Intn(1 << r.Intn(16)))
		flags, count := r.Intn(9), uint64(r.Intn(1<<r.Intn(10)))
		switch {
		case flags == 0: // negative: a count follows in one kind of column
			b = appendUint(append(b, byte(v&0x3f|0x40)), count)
		case v < 0x40:
			b = append(b, byte(v))
		default:
			b = appendUint(b, v>>6<<7|v&0x3f)
		}
	}
	for range r.Intn(30) {
		b = append(b, byte(r.Intn(256)))
	}
	return b
}
