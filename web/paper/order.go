package paper

import (
	"slices"
	"unicode"

	"golang.org/x/text/unicode/bidi"
)

// rightToLeft reports whether a paragraph is of a script that is written from the right: its first letter says so (UAX 9, P2 and P3).
func rightToLeft(gs []glyph) bool {
	for _, g := range gs {
		p, _ := bidi.LookupRune(g.r)
		switch p.Class() {
		case bidi.L:
			return false
		case bidi.R, bidi.AL:
			return true
		}
	}
	return false
}

// visual puts a line's glyphs in the order in which they stand, from the left (UAX 9, L2; characters that would embed one direction in
// another are named, never obeyed, so that there are no more than two levels). What opens a bracket closes it from the other side.
func visual(line []glyph, rtl bool) []glyph {
	if !slices.ContainsFunc(line, func(g glyph) bool {
		p, _ := bidi.LookupRune(g.r)
		return p.Class() == bidi.R || p.Class() == bidi.AL || p.Class() == bidi.AN
	}) {
		return line
	}
	text := make([]rune, len(line))
	for i, g := range line {
		text[i] = g.r
	}
	base := bidi.LeftToRight
	if rtl {
		base = bidi.RightToLeft
	}
	var p bidi.Paragraph
	if _, err := p.SetString(string(text), bidi.DefaultDirection(base)); err != nil {
		return line
	}
	order, err := p.Order()
	if err != nil {
		return line
	}
	var runs []run
	at := 0
	for i := range order.NumRuns() {
		r := order.Run(i)
		n := len([]rune(r.String()))
		if at+n > len(line) {
			return line
		}
		runs = append(runs, run{line[at : at+n], r.Direction() == bidi.RightToLeft})
		at += n
	}
	if at != len(line) {
		return line
	}
	out := make([]glyph, 0, len(line))
	for _, r := range arranged(runs, rtl) {
		out = r.appendTo(out)
	}
	return out
}

// run is a stretch of one direction.
type run struct {
	glyphs []glyph
	rtl    bool
}

// arranged puts runs in the order in which they stand. In a line from the left, numbers between words from the right go with these.
func arranged(runs []run, rtl bool) []run {
	if rtl {
		slices.Reverse(runs)
		return runs
	}
	for i := 0; i < len(runs); i++ {
		if !runs[i].rtl {
			continue
		}
		end := i + 1
		for end+1 < len(runs) && !runs[end].rtl && !runs[end].hasLetters() && runs[end+1].rtl {
			end += 2
		}
		slices.Reverse(runs[i:end])
		i = end - 1
	}
	return runs
}

func (r run) hasLetters() bool {
	return slices.ContainsFunc(r.glyphs, func(g glyph) bool {
		p, _ := bidi.LookupRune(g.r)
		return p.Class() == bidi.L
	})
}

// appendTo appends the run as it stands. Accents stay behind what they are on.
func (r run) appendTo(out []glyph) []glyph {
	if !r.rtl {
		return append(out, r.glyphs...)
	}
	for end := len(r.glyphs); end > 0; {
		start := end - 1
		for start > 0 && unicode.Is(unicode.Mn, r.glyphs[start].r) {
			start--
		}
		for _, g := range r.glyphs[start:end] {
			if p, _ := bidi.LookupRune(g.r); p.IsBracket() {
				for _, mirrored := range bidi.ReverseString(string(g.r)) {
					g.r = mirrored
				}
			}
			out = append(out, g)
		}
		end = start
	}
	return out
}
