package signature

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/prose"
)

// attributionHead is the first line of an attribution.
const attributionHead = "tidechart-attribution/v1\n"

// Run is how much of a note one person wrote in one go. Nobody is known to have written what the zero UUID wrote.
type Run struct {
	Units  int // of text, in UTF-16 code units, as editors count; any other node is one
	Person uuid.UUID
}

// Runs says who wrote what of a note, in its order: each node that is no text where it begins, each text unit by unit. whose
// says whose a client id is. Runs of one person are one.
func Runs(doc prose.Node, whose func(crdt.ClientID) uuid.UUID) []Run {
	var runs []Run
	add := func(units int, author crdt.ClientID) {
		if units == 0 {
			return
		}
		person := whose(author)
		if k := len(runs) - 1; k >= 0 && runs[k].Person == person {
			runs[k].Units += units
			return
		}
		runs = append(runs, Run{units, person})
	}
	var walk func(n prose.Node)
	walk = func(n prose.Node) { // package prose bounds how deep
		for _, c := range n.Content {
			if c.Type == "text" {
				add(unitsIn(c.Text), c.Author)
			} else {
				add(1, c.Author)
			}
			walk(c)
		}
	}
	walk(doc)
	return runs
}

func unitsIn(text string) (n int) {
	for _, r := range text {
		n += utf16.RuneLen(r)
	}
	return n
}

// Attribution returns runs in their canonical form: a line that says its version, then a line for each run, of its units and of
// its person, or of - if nobody knows. The error is [ErrTooLarge].
func Attribution(runs []Run) ([]byte, error) {
	out := []byte(attributionHead)
	for _, r := range runs {
		out = append(strconv.AppendInt(out, int64(r.Units), 10), ' ')
		if r.Person == uuid.Nil {
			out = append(out, '-')
		} else {
			out = append(out, r.Person.String()...)
		}
		if out = append(out, '\n'); len(out) > MaxAttribution {
			return nil, ErrTooLarge
		}
	}
	return out, nil
}

var errAttribution = errors.New("not an attribution")

// ParseAttribution reads what [Attribution] returns, and nothing else.
func ParseAttribution(text []byte) ([]Run, error) {
	rest, is := strings.CutPrefix(string(text), attributionHead)
	if !is || len(text) > MaxAttribution || !utf8.Valid(text) {
		return nil, errAttribution
	}
	var runs []Run
	for line := range strings.Lines(rest) {
		units, who, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		n, err := strconv.ParseInt(units, 10, 48)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("%w: run %d", errAttribution, len(runs))
		}
		r := Run{Units: int(n)}
		if who != "-" {
			if r.Person, err = uuid.Parse(who); err != nil || r.Person == uuid.Nil {
				return nil, fmt.Errorf("%w: run %d", errAttribution, len(runs))
			}
		}
		runs = append(runs, r)
	}
	if again, err := Attribution(runs); err != nil || string(again) != string(text) {
		return nil, errAttribution
	}
	return runs, nil
}
