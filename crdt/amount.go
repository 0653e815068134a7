package crdt

import (
	"unicode"
	"unicode/utf8"
)

// An Amount is how much text there is. Of somebody who writes into a word of others
// it is no word; see [Words].
type Amount struct {
	Units int // UTF-16, as JavaScript counts; clocks do, too
	Words int
}

// Words read text letter by letter. A word is letters with no white space between,
// and counts where its first one does. The zero value stands behind nothing.
type Words struct{ within bool }

// Begin reports whether a word begins with the next letter.
func (w *Words) Begin(letter rune) bool {
	before := w.within
	w.within = !unicode.IsSpace(letter)
	return w.within && !before
}

// CountWords returns how many words begin in a text.
func CountWords(text string) int {
	var a Amount
	a.add(text, 0)
	return a.Words
}

// add counts a text that stands behind before; 0: behind nothing.
func (a *Amount) add(text string, before rune) {
	a.Units += units16(text)
	var w Words
	if before != 0 {
		w.Begin(before)
	}
	for _, letter := range text {
		if w.Begin(letter) {
			a.Words++
		}
	}
}

// Living returns how much of ranges is text that is not deleted. Asked before an
// update is applied, of what it deletes, it says how much goes.
func (d *Doc) Living(ranges []ClockRange) Amount {
	var a Amount
	var pieces []doomed
	for _, g := range ranges {
		pieces = d.appendPieces(pieces[:0], DeleteRange{g.Client, uint32(g.From), uint32(g.To - g.From)}, nil, 0)
		for _, p := range pieces {
			r := &d.runs[p.run]
			text := suffix(refString, d.content(r), r.n, p.from-r.clk)
			a.add(string(prefix(refString, text, r.end()-p.from, p.to-p.from)), d.behind(p.run, p.from))
		}
	}
	return a
}

// Brought returns how much of ranges, which must be sorted by client and clock
// and not overlap, is text that u brings. Asked after u was applied, it knows what
// stands before each piece. Text that was deleted as it came counts as well.
func (d *Doc) Brought(u *Update, ranges []ClockRange) Amount {
	var a Amount
	u.Texts(ranges, func(_ int, first ID, text string) {
		before := rune(0)
		if c := d.lookup(first.Client); c != none && first.Clock < uint64(d.clients[c].next) {
			if i := d.runAt(c, uint32(first.Clock)); d.runs[i].ref() == refString && !d.runs[i].deleted() {
				before = d.behind(i, uint32(first.Clock))
			}
		}
		a.add(text, before)
	})
	return a
}

// behind returns what stands before an element of run i, which is living text:
// the last letter of text, or 0 if it is something else or nothing.
func (d *Doc) behind(i int32, clock uint32) rune {
	r := &d.runs[i]
	if clock > r.clk {
		last, _ := utf8.DecodeLastRune(prefix(refString, d.content(r), r.n, clock-r.clk))
		return last
	}
	for i = r.l; i != none; i = r.l {
		if r = &d.runs[i]; r.deleted() || !r.countable() {
			continue
		}
		if r.ref() != refString {
			break
		}
		last, _ := utf8.DecodeLastRune(d.content(r))
		return last
	}
	return 0
}
