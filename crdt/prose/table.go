package prose

// A TableCell is where a cell of a table stands, of what several rows and columns it takes.
type TableCell struct {
	Node   Node // its content is that of the cell
	Header bool
	Column int // from 0
	Across int // columns that it takes
	Down   int // rows that it takes
}

// Limits of a table's layout (I10). Beyond them a cell takes one column and one row.
const (
	maxSpan    = 64
	maxCovered = 1 << 16 // places that cells of one table take beyond their own
)

// TableRows returns the cells of a table by rows, and how many columns they take. Whatever stands where a row or a cell should is a cell.
// Rows may be of different lengths, as people who change a table at once leave them.
func TableRows(table Node) (rows [][]TableCell, columns int) {
	var taken []int // of each column: how many rows more a cell from above takes
	covered := 0
	for i, r := range table.Content {
		content := r.Content
		if r.Type != "tableRow" {
			content = []Node{r}
		}
		row, at := make([]TableCell, 0, len(content)), 0
		for _, n := range content {
			for at < len(taken) && taken[at] > 0 {
				at++
			}
			c := TableCell{Node: n, Header: n.Type == "tableHeader", Column: at, Across: 1, Down: 1}
			if !c.Header && n.Type != "tableCell" {
				c.Node = Node{Type: "tableCell", Content: []Node{n}}
			} else if across, down := spanOf(n, "colspan", maxSpan), spanOf(n, "rowspan", min(maxSpan, len(table.Content)-i)); covered+across*down <= maxCovered {
				c.Across, c.Down = across, down
			}
			covered += c.Across*c.Down - 1
			for at += c.Across; len(taken) < at; {
				taken = append(taken, 0)
			}
			for k := c.Column; k < at; k++ {
				taken[k] = max(taken[k], c.Down)
			}
			row = append(row, c)
		}
		for k := range taken {
			taken[k] = max(taken[k]-1, 0)
		}
		columns = max(columns, len(taken))
		rows = append(rows, row)
	}
	return rows, columns
}

// spanOf reads how many columns or rows a cell takes: one, if it does not say a number that a table can have.
func spanOf(n Node, attr string, most int) int {
	if span := number(n, attr); span > 1 && span <= most {
		return span
	}
	return 1
}

// HeaderRow reports whether all of a row are headers.
func HeaderRow(row []TableCell) bool {
	for _, c := range row {
		if !c.Header {
			return false
		}
	}
	return len(row) > 0
}
