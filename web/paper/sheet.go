package paper

import (
	"bytes"
	"slices"

	"codeberg.org/go-pdf/fpdf"
)

// The sheet: A4, in mm. What stands on every page has the room above and below.
const (
	pageWidth, pageHeight = 210.0, 297.0
	left, right           = 18.0, pageWidth - 18.0
	top, bottom           = 37.0, pageHeight - 22.0

	bodySize = 10.0 // points
	leading  = 1.36 // of a line, to its size
	indent   = 6.0
)

// sheet lays paragraphs out on pages.
type sheet struct {
	setter
	pdf   *fpdf.Fpdf
	known map[*face]bool // that the document has
	y     float64        // where the next line begins
	bars  []float64      // at the left of what is quoted, from the outside
	fresh bool           // nothing is on this page yet, or in this cell
	edge  float64        // where lines end at the right
	still bool           // no page begins: all of it is known to fit
	dry   bool           // nothing is drawn, to find out how high it is
}

func newSheet() *sheet {
	s := &sheet{pdf: fpdf.New("P", "mm", "A4", ""), known: make(map[*face]bool), edge: right}
	s.pdf.SetAutoPageBreak(false, 0)
	s.pdf.SetCatalogSort(true) // the same note is the same bytes
	s.page()
	return s
}

func (s *sheet) page() {
	s.pdf.AddPage()
	s.y, s.fresh = top, true
}

// paragraph is text with how it stands.
type paragraph struct {
	glyphs []glyph
	from   float64 // its left edge
	marker []glyph // at the left of its first line
	before float64
	keep   float64 // room that has to be below it, or it goes to the next page
}

// maxTogether is how many lines of a paragraph are never parted.
const maxTogether = 3

// set lays a paragraph out.
func (s *sheet) set(p paragraph) {
	rtl := rightToLeft(p.glyphs)
	lines := broken(p.glyphs, s.edge-p.from)
	heights := make([]float64, len(lines))
	whole := 0.0
	for i, line := range lines {
		heights[i] = height(line)
		whole += heights[i]
	}
	if !s.fresh {
		s.y += p.before
	}
	if s.still {
		s.inPlace(p, lines, heights, rtl)
		return
	}
	if need := whole + p.keep; s.y+need > bottom && (len(lines) <= maxTogether || s.y+heights[0]+heights[1] > bottom) && !s.fresh {
		s.page()
	}
	for i, line := range lines {
		if s.y+heights[i] > bottom && !s.fresh {
			s.page()
		}
		s.line(line, p, heights[i], rtl, i == 0)
	}
}

// inPlace lays lines out where they are known to fit.
func (s *sheet) inPlace(p paragraph, lines [][]glyph, heights []float64, rtl bool) {
	for i, line := range lines {
		if s.dry {
			s.y, s.fresh = s.y+heights[i], false
		} else {
			s.line(line, p, heights[i], rtl, i == 0)
		}
	}
}

func (s *sheet) line(line []glyph, p paragraph, high float64, rtl, first bool) {
	base := s.y + high*0.76
	for _, x := range s.bars {
		s.pdf.SetDrawColor(150, 150, 150)
		s.pdf.SetLineWidth(0.6)
		s.pdf.Line(x, s.y, x, s.y+high)
	}
	if first && p.marker != nil {
		s.draw(p.marker, p.from-widthOf(p.marker)-1.5, base)
	}
	x := p.from
	if rtl {
		x = s.edge - widthOf(line)
	}
	s.draw(visual(line, rtl), x, base)
	s.y += high
	s.fresh = false
}

func height(line []glyph) float64 {
	size := 0.0
	for _, g := range line {
		size = max(size, g.look.size)
	}
	if size == 0 {
		size = bodySize
	}
	return size * mm * leading
}

// draw puts glyphs on the page, whose look may change among them.
func (s *sheet) draw(gs []glyph, x, base float64) {
	for len(gs) > 0 {
		n := 1
		for n < len(gs) && gs[n].look == gs[0].look {
			n++
		}
		part := gs[:n]
		wide := widthOf(part)
		text := make([]rune, n)
		for i, g := range part {
			text[i] = g.r
		}
		l := part[0].look
		if l.odd {
			s.pdf.SetFillColor(225, 225, 225)
			s.pdf.Rect(x, base-l.size*mm*0.85, wide, l.size*mm*1.1, "F")
		}
		s.font(l)
		s.pdf.Text(x, base, string(text))
		s.pdf.SetDrawColor(0, 0, 0)
		s.pdf.SetLineWidth(l.size * mm * 0.06)
		if l.underline {
			s.pdf.Line(x, base+l.size*mm*0.13, x+wide, base+l.size*mm*0.13)
		}
		if l.strike {
			s.pdf.Line(x, base-l.size*mm*0.28, x+wide, base-l.size*mm*0.28)
		}
		x += wide
		gs = gs[n:]
	}
}

// font chooses the face of a look, which the document has from then on.
func (s *sheet) font(l look) {
	f := l.face()
	name, style := family, f.style
	if f == monospaced {
		name, style = family+"mono", ""
	}
	if !s.known[f] {
		s.pdf.AddUTF8FontFromBytes(name, style, bytes.Clone(f.ttf)) // it writes into what it cuts a font from
		s.known[f] = true
	}
	s.pdf.SetFont(name, style, l.size)
}

// broken parts glyphs into lines, behind a blank or a hyphen, or where there is none, where the line is full.
func broken(gs []glyph, wide float64) (lines [][]glyph) {
	for {
		used, fits, may := 0.0, 0, 0
		for fits < len(gs) && gs[fits].r != '\n' {
			g := gs[fits]
			if used += g.wide; used > wide+0.01 && g.r != ' ' && fits > 0 {
				break
			}
			if fits++; g.r == ' ' || g.r == '-' || g.r == '/' {
				may = fits
			}
		}
		switch {
		case fits == len(gs):
			return append(lines, trimmed(gs))
		case gs[fits].r == '\n':
			lines, gs = append(lines, trimmed(gs[:fits])), gs[fits+1:]
			continue
		case may > 0:
			fits = may
		}
		lines, gs = append(lines, trimmed(gs[:fits])), gs[fits:]
	}
}

// trimmed is a line without the blanks at its end.
func trimmed(line []glyph) []glyph {
	for len(line) > 0 && line[len(line)-1].r == ' ' {
		line = line[:len(line)-1]
	}
	return slices.Clip(line)
}

// fitted sets text in one line of some width: as large as it can be, from size down to least; what is too long even then ends in dots.
func (s *sheet) fitted(text string, l look, least, wide float64) []glyph {
	for {
		gs := s.add(nil, text, l)
		over := widthOf(gs) > wide
		if over && l.size > least {
			l.size -= 0.5
			continue
		}
		if over {
			dots := s.add(nil, "…", l)
			for len(gs) > 0 && widthOf(gs)+widthOf(dots) > wide {
				gs = gs[:len(gs)-1]
			}
			gs = append(gs, dots...)
		}
		return gs
	}
}
