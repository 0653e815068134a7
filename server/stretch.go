package server

import (
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/server/store"
)

// textBetween is what a note says from one character to another, both included, a block a line.
func textBetween(note prose.Node, start, end crdt.ID) (string, error) {
	t := stretch{start: start, end: end}
	t.read(note)
	switch {
	case !t.ended:
		return "", errTextGone
	case utf8.RuneCountInString(t.words.String()) > store.MaxQuote:
		return "", badRequest("A comment is about 2,000 characters of the note at most. To say something about all of it, select nothing.")
	}
	return t.words.String(), nil
}

// stretch reads a note from a character to another one.
type stretch struct {
	start, end   crdt.ID
	begun, ended bool
	words        strings.Builder
}

func (t *stretch) read(n prose.Node) {
	if n.Type == "text" {
		t.text(n)
		return
	}
	for _, c := range n.Content {
		if t.ended {
			return
		}
		if t.begun && slices.ContainsFunc(c.Content, func(in prose.Node) bool { return in.Type == "text" }) {
			t.words.WriteByte('\n')
		}
		t.read(c)
	}
}

func (t *stretch) text(n prose.Node) {
	units := utf16.Encode([]rune(n.Text))
	for _, p := range n.Pieces {
		size := min(int(p.Len), len(units))
		from, to := 0, size
		if !t.begun {
			if from = within(p, t.start); from < 0 {
				units = units[size:]
				continue
			}
			t.begun = true
		}
		if last := within(p, t.end); last >= from {
			t.ended, to = true, min(last+1, size)
		}
		t.words.WriteString(string(utf16.Decode(units[min(from, to):to])))
		if t.ended {
			return
		}
		units = units[size:]
	}
}

// within is which of its elements an id is, -1 if it is none.
func within(p crdt.Piece, id crdt.ID) int {
	if p.ID.Client != id.Client || id.Clock < p.ID.Clock || id.Clock >= p.ID.Clock+p.Len {
		return -1
	}
	return int(id.Clock - p.ID.Clock)
}
