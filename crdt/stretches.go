package crdt

import (
	"cmp"
	"slices"
)

// stretches remember where in long Any and JSON content its elements begin, so
// that cutting it at many places does not read it from the start each time. They
// are made when first asked for, and are true until Doc.pay is rewritten: bytes
// of such content never change in place, and a piece that is cut off keeps both
// its bytes and its clocks.
type stretches []stretch // by pay

// A stretch is the content of one run, as it was when it was first cut.
type stretch struct {
	pay, size uint32
	clk       uint32   // of its first element
	marks     []uint32 // where every markEvery-th element begins, from pay on
}

const (
	markEvery = 64
	longRun   = 4 * markEvery // up to how many elements are read one by one
)

// elementAt returns where in the content of x, which has Any or JSON, its k-th
// element begins.
func (d *Doc) elementAt(x *run, k uint32) int {
	if k < longRun {
		return elementOffset(x.ref(), d.content(x), k)
	}
	s := d.stretches.of(x)
	e := x.clk + k - s.clk // which element of the stretch
	b := d.pay[s.pay : x.pay+x.payLen]
	for uint32(len(s.marks)) <= e/markEvery {
		last := s.marks[len(s.marks)-1]
		s.marks = append(s.marks, last+uint32(elementOffset(x.ref(), b[last:], markEvery)))
	}
	mark := s.marks[e/markEvery]
	return int(mark) + elementOffset(x.ref(), b[mark:], e%markEvery) - int(x.pay-s.pay)
}

// of returns the stretch that x lies in, or begins in, made if there is none.
func (m *stretches) of(x *run) *stretch {
	i, found := slices.BinarySearchFunc(*m, x.pay, func(s stretch, pay uint32) int { return cmp.Compare(s.pay, pay) })
	if !found {
		if i > 0 && x.pay-(*m)[i-1].pay < (*m)[i-1].size {
			return &(*m)[i-1]
		}
		*m = slices.Insert(*m, i, stretch{pay: x.pay, size: x.payLen, clk: x.clk, marks: []uint32{0}})
	}
	return &(*m)[i]
}
