package paper

import (
	"strconv"

	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/web/words"
)

const (
	cellPad   = 1.2  // mm around what is in a cell
	minColumn = 17.0 // mm: a table with narrower columns is set cell below cell
)

// gridRow is a row of a table on paper.
type gridRow struct {
	cells []prose.TableCell
	high  float64
}

// grid is a table on paper: columns of one width.
type grid struct {
	writer
	from, wide float64 // of the first column; of each
	rows       []gridRow
	header     bool // the first row is one, and stands again on each page
	covers     []cover
}

// cover is a cell that takes rows below its own, in which nothing else stands there.
type cover struct{ column, across, rows int }

// table sets a table. Rows that are higher than a page, and tables of more columns than can be read, are set cell below cell, each
// behind the heading of its column, so that nothing is left out.
func (w writer) table(n prose.Node, from float64) {
	rows, columns := prose.TableRows(n)
	g := grid{writer: w, from: from, wide: (w.edge - from) / float64(max(columns, 1)), rows: make([]gridRow, len(rows))}
	w.y += 1.5
	for i, row := range rows {
		g.rows[i].cells = row
		g.header = g.header || i == 0 && prose.HeaderRow(row)
	}
	for i := range g.rows {
		if g.wide < minColumn {
			g.stacked(i)
			continue
		}
		g.row(i)
	}
	w.y += 1.5
	w.fresh = false
}

// row sets a row, all of it on one page.
func (g *grid) row(i int) {
	high := g.measured(i)
	head := 0.0
	if g.header && i > 0 {
		head = g.rows[0].high
	}
	switch {
	case g.dry:
		g.y += high
		return
	case !g.still && high+head > bottom-top:
		g.stacked(i)
		return
	case !g.still && g.y+high > bottom:
		g.page()
		if head > 0 {
			g.draw(0)
		}
	}
	g.draw(i)
}

// measured returns how high a row is.
func (g *grid) measured(i int) float64 {
	r := &g.rows[i]
	if r.high > 0 {
		return r.high
	}
	r.high = bodySize*mm*leading + 2*cellPad // of an empty one
	for _, c := range r.cells {
		r.high = max(r.high, g.cell(c, 0, true)+2*cellPad)
	}
	return r.high
}

// cell sets what is in a cell below some place, and returns how high it is.
func (g *grid) cell(c prose.TableCell, y float64, dry bool) float64 {
	was := *g.sheet
	left := g.from + float64(c.Column)*g.wide
	g.y, g.edge, g.bars, g.still, g.dry, g.fresh = y, left+float64(c.Across)*g.wide-cellPad, nil, true, dry || was.dry, true
	g.blocks(c.Node.Content, left+cellPad)
	high := g.y - y
	g.y, g.edge, g.bars, g.still, g.dry, g.fresh = was.y, was.edge, was.bars, was.still, was.dry, was.fresh
	return high
}

// draw draws a row, and the lines around its cells.
func (g *grid) draw(i int) {
	r := g.rows[i]
	top, end := g.y, g.y+r.high
	for _, c := range r.cells {
		x, right := g.from+float64(c.Column)*g.wide, g.from+float64(c.Column+c.Across)*g.wide
		g.pdf.SetDrawColor(120, 120, 120)
		g.pdf.SetLineWidth(0.2)
		if c.Header {
			g.pdf.SetFillColor(236, 236, 236)
			g.pdf.Rect(x, top, right-x, r.high, "F")
		}
		g.pdf.Line(x, top, right, top)
		g.covers = append(g.covers, cover{c.Column, c.Across, c.Down})
		g.cell(c, top+cellPad, false)
	}
	open := g.covers[:0]
	for _, c := range g.covers {
		x, right := g.from+float64(c.column)*g.wide, g.from+float64(c.column+c.across)*g.wide
		g.pdf.SetDrawColor(120, 120, 120)
		g.pdf.SetLineWidth(0.2)
		g.pdf.Line(x, top, x, end)
		g.pdf.Line(right, top, right, end)
		if c.rows--; c.rows > 0 {
			open = append(open, c)
		} else {
			g.pdf.Line(x, end, right, end)
		}
	}
	g.covers = open
	g.y, g.fresh = end, false
}

// stacked sets the cells of a row below each other.
func (g *grid) stacked(i int) {
	for _, c := range g.rows[i].cells {
		g.set(paragraph{glyphs: g.add(nil, g.columnName(c.Column), look{bold: true, size: 9}), from: g.from, before: 1, keep: 5})
		g.barred(g.from, func() { g.blocks(c.Node.Content, g.inner(g.from)) })
	}
}

// columnName is what stands above a column.
func (g *grid) columnName(column int) string {
	name := words.Say(g.ctx, "Column {number}", strconv.Itoa(column+1))
	if g.header {
		for _, c := range g.rows[0].cells {
			if c.Column <= column && column < c.Column+c.Across {
				name += ": " + prose.Text(c.Node)
			}
		}
	}
	return name
}
