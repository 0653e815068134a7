package crdt

import (
	"cmp"
	"slices"
)

// Texts calls f for each piece of text that the update brings of ranges, which
// must be sorted by client and clock and not overlap: with the index of the
// range, the piece's first element, and the text. Elements that are no text are
// left out. Cutting a surrogate pair makes U+FFFD of it.
func (u *Update) Texts(ranges []ClockRange, f func(i int, first ID, text string)) {
	for _, s := range u.sections {
		k, _ := slices.BinarySearchFunc(ranges, s, func(g ClockRange, s section) int {
			if g.Client != s.client {
				return cmp.Compare(g.Client, s.client)
			}
			if g.To <= uint64(s.clock) {
				return -1
			}
			return 1
		})
		for b := range u.blocks(s) {
			for k < len(ranges) && ranges[k].Client == s.client && ranges[k].To <= uint64(b.clock) {
				k++
			}
			for i := k; i < len(ranges) && ranges[i].Client == s.client && ranges[i].From < uint64(b.end()); i++ {
				if b.ref == refString {
					from, to := max(ranges[i].From, uint64(b.clock)), min(ranges[i].To, uint64(b.end()))
					f(i, ID{s.client, from}, string(b.cut(uint32(from), uint32(to))))
				}
			}
			if k == len(ranges) || ranges[k].Client != s.client {
				break
			}
		}
	}
}

// cut returns the text of a string from one clock to another.
func (b *block) cut(from, to uint32) []byte {
	text := suffix(refString, b.content, b.n, from-b.clock)
	return prefix(refString, text, b.end()-from, to-from)
}
