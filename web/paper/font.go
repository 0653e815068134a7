package paper

import (
	"fmt"
	"sync"
	"unicode"

	"codeberg.org/go-fonts/dejavu/dejavusanscondensed"
	"codeberg.org/go-fonts/dejavu/dejavusanscondensedbold"
	"codeberg.org/go-fonts/dejavu/dejavusanscondensedboldoblique"
	"codeberg.org/go-fonts/dejavu/dejavusanscondensedoblique"
	"codeberg.org/go-fonts/dejavu/dejavusansmono"
	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// A face is one cut of the font. DejaVu has Latin with all its accents, Greek, Cyrillic, Hebrew and Arabic letters, arrows and signs.
type face struct {
	style string // as fpdf names it, behind its family
	ttf   []byte
	parse func() *sfnt.Font
}

const family = "dejavu"

// The faces, by bold and italic; what is code has one.
var (
	faces = [4]*face{
		newFace("", dejavusanscondensed.TTF), newFace("B", dejavusanscondensedbold.TTF),
		newFace("I", dejavusanscondensedoblique.TTF), newFace("BI", dejavusanscondensedboldoblique.TTF),
	}
	monospaced = &face{style: "mono", ttf: dejavusansmono.TTF, parse: parser(dejavusansmono.TTF)}
)

func newFace(style string, ttf []byte) *face { return &face{style, ttf, parser(ttf)} }

func parser(ttf []byte) func() *sfnt.Font {
	return sync.OnceValue(func() *sfnt.Font {
		f, err := sfnt.Parse(ttf)
		if err != nil {
			panic("paper: " + err.Error()) // it is part of the program
		}
		return f
	})
}

// look is how a piece of text is set.
type look struct {
	bold, italic, mono     bool
	underline, strike, odd bool // odd: it says what could not be shown
	size                   float64
}

func (l look) face() *face {
	if l.mono {
		return monospaced
	}
	i := 0
	if l.bold {
		i |= 1
	}
	if l.italic {
		i |= 2
	}
	return faces[i]
}

// A glyph is a character where it may stand in a line.
type glyph struct {
	r    rune
	look look
	wide float64 // mm
}

// setter turns text into glyphs.
type setter struct {
	buf    sfnt.Buffer
	widths map[*face]map[rune]float64 // of an em; < 0: the face has no such glyph
	odd    bool                       // something was not shown, but named
	joined bool                       // there were letters that are written joined, and are not here
}

// mm is the length of a point.
const mm = 25.4 / 72

// add appends text as it can be shown: characters that the font has; of others their numbers, in brackets. A newline ends a line.
func (s *setter) add(to []glyph, text string, l look) []glyph {
	for _, r := range text {
		switch {
		case r == '\t':
			for range 4 {
				to = s.one(to, ' ', l)
			}
		case r == '\n':
			to = append(to, glyph{r: '\n', look: l})
		case unseen(r) || r > 0xFFFF || s.width(l.face(), r) < 0:
			plain := look{size: l.size}
			if !unseen(r) && r <= 0xFFFF && s.width(plain.face(), r) >= 0 { // slanted and bold faces have fewer
				to = s.one(to, r, plain)
				continue
			}
			s.odd = true
			marked := look{size: l.size, odd: true}
			for _, c := range fmt.Sprintf("[U+%04X]", r) {
				to = s.one(to, c, marked)
			}
		default:
			s.joined = s.joined || unicode.In(r, unicode.Arabic, unicode.Syriac) && unicode.IsLetter(r)
			to = s.one(to, r, l)
		}
	}
	return to
}

// unseen reports whether a character shows nothing by itself, or has others stand elsewhere than they do: on paper it has to be named.
func unseen(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Co, unicode.Cs, unicode.Zl, unicode.Zp, unicode.Variation_Selector) && r != '\u00AD' ||
		r == unicode.ReplacementChar
}

func (s *setter) one(to []glyph, r rune, l look) []glyph {
	return append(to, glyph{r, l, max(s.width(l.face(), r), 0) * l.size * mm})
}

// width is how wide a character is, in ems, or -1.
func (s *setter) width(f *face, r rune) float64 {
	known := s.widths[f]
	if known == nil {
		if s.widths == nil {
			s.widths = make(map[*face]map[rune]float64)
		}
		known = make(map[rune]float64)
		s.widths[f] = known
	}
	w, ok := known[r]
	if ok {
		return w
	}
	w = -1
	parsed := f.parse()
	if i, err := parsed.GlyphIndex(&s.buf, r); err == nil && i != 0 {
		em := int(parsed.UnitsPerEm())
		if advance, err := parsed.GlyphAdvance(&s.buf, i, fixed.I(em), font.HintingNone); err == nil {
			w = float64(advance.Round()) / float64(em)
		}
	}
	known[r] = w
	return w
}

func widthOf(gs []glyph) (w float64) {
	for _, g := range gs {
		w += g.wide
	}
	return w
}
