// Package tally counts what each person wrote in each session of a note: how much they typed, pasted and deleted, and when they
// paused. It follows from the log, and from what editors said of a row before it came, so that it is counted behind those who write,
// and costs a keystroke nothing; a crash delays it, and whoever counts again gets the same.
package tally

import (
	"cmp"
	"slices"
	"time"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/sessions"
)

// Break is how long somebody pauses at least who takes a break.
const Break = 5 * time.Minute

// Text is how much text came and went.
type Text struct {
	Typed, Pasted crdt.Amount // what somebody moves, to split a paragraph, to drag or to cut and paste it, or puts back by undo, is in none of them
	Deleted       crdt.Amount // that lived until then, and that whoever deleted it had seen
}

// Stretch is a run of edits of one person in one session without a break.
type Stretch struct {
	Session     sessions.SessionID
	Person      sessions.PersonID
	First, Last uint64 // seqs of the first and the newest edit
	From, Until time.Time
	Edits       int
	Text
}

// Plus returns how much two of them are together.
func (t Text) Plus(other Text) Text {
	return Text{sum(t.Typed, other.Typed), sum(t.Pasted, other.Pasted), sum(t.Deleted, other.Deleted)}
}

// Pause is a time in which nobody of a session wrote.
type Pause struct{ From, Until time.Time }

// Breaks returns the pauses between the stretches of a session that are breaks.
func Breaks(stretches []Stretch) (breaks []Pause) {
	inOrder := slices.SortedFunc(slices.Values(stretches), func(a, b Stretch) int { return a.From.Compare(b.From) })
	for i, s := range inOrder {
		if i > 0 && s.From.Sub(inOrder[i-1].Until) >= Break {
			breaks = append(breaks, Pause{inOrder[i-1].Until, s.From})
		}
		if i > 0 && inOrder[i-1].Until.After(s.Until) { // they wrote on beside this one
			inOrder[i].Until = inOrder[i-1].Until
		}
	}
	return breaks
}

// key is whose a stretch is.
type key struct {
	session sessions.SessionID
	person  sessions.PersonID
}

// counter goes through a note's log, and counts.
type counter struct {
	doc  *crdt.Doc
	open map[key]*Stretch // the newest of each person, in each session
	made []*Stretch       // that are new or have grown
	grew map[*Stretch]bool

	session sessions.SessionID        // that the newest row is of
	moves   crdt.Moves                // in it: what was removed before, nobody moves
	people  map[sessions.PersonID]int // as moves know them
	said    sessions.Tellings
}

func newCounter(doc *crdt.Doc, open []Stretch) *counter {
	c := &counter{doc: doc, open: make(map[key]*Stretch), grew: make(map[*Stretch]bool), people: make(map[sessions.PersonID]int)}
	for _, s := range open {
		c.open[key{s.Session, s.Person}] = &s
	}
	return c
}

// skip advances the document by a row that is counted already.
func (c *counter) skip(row sessions.Row) error {
	u, err := crdt.DecodeUpdate(row.Update)
	if err == nil {
		c.moved(row, u)
		err = c.doc.Apply(u)
	}
	return err
}

// moved returns what of the text that a row brings was somewhere else before. It is asked of all rows of a session, in order.
func (c *counter) moved(row sessions.Row, u *crdt.Update) []crdt.Copy {
	if row.Session != c.session {
		c.session = row.Session
		c.moves.Begin(c.doc)
	}
	who, known := c.people[row.Author]
	if !known {
		who = len(c.people)
		c.people[row.Author] = who
	}
	return c.moves.Copies(c.doc, u, who, c.said.Of(row, u.Ranges()))
}

// add counts a row.
func (c *counter) add(row sessions.Row) error {
	u, err := crdt.DecodeUpdate(row.Update)
	if err != nil {
		return err
	}
	text, err := c.measure(row, u)
	if err != nil || row.Session == (sessions.SessionID{}) { // nobody's session: it is what a note begins with
		return err
	}
	s := c.open[key{row.Session, row.Author}]
	if s == nil || row.At.Sub(s.Until) >= Break {
		s = &Stretch{Session: row.Session, Person: row.Author, First: row.Seq, From: row.At, Until: row.At}
		c.open[key{row.Session, row.Author}] = s
	}
	if !c.grew[s] {
		c.grew[s] = true
		c.made = append(c.made, s)
	}
	s.Last, s.Edits = row.Seq, s.Edits+1
	if row.At.After(s.Until) {
		s.Until = row.At
	}
	s.Text = s.Plus(text)
	return nil
}

// take returns what is new or has grown since the last call.
func (c *counter) take() []Stretch {
	made := make([]Stretch, len(c.made))
	for i, s := range c.made {
		made[i] = *s
	}
	c.made = c.made[:0]
	clear(c.grew)
	return made
}

// measure advances the document by the update of a row, and says what that brought and took.
func (c *counter) measure(row sessions.Row, u *crdt.Update) (t Text, err error) {
	var gone, from, to []crdt.ClockRange
	for _, x := range c.moved(row, u) {
		from = append(from, crdt.ClockRange{Client: x.From.Client, From: x.From.Clock, To: x.From.Clock + x.Len})
		to = append(to, crdt.ClockRange{Client: x.To.Client, From: x.To.Clock, To: x.To.Clock + x.Len})
	}
	for _, g := range u.Deletes() {
		gone = append(gone, crdt.ClockRange{Client: g.Client, From: uint64(g.Clock), To: uint64(g.Clock) + uint64(g.Len)})
	}
	t.Deleted = c.doc.Living(without(gone, from))
	if err := c.doc.Apply(u); err != nil {
		return Text{}, err
	}
	brought := c.doc.Brought(u, without(c.doc.LastChange().Inserted, to))
	if brought.Units > sessions.AtOnce {
		t.Pasted = brought
	} else {
		t.Typed = brought
	}
	return t, nil
}

func sum(a, b crdt.Amount) crdt.Amount {
	return crdt.Amount{Units: a.Units + b.Units, Words: a.Words + b.Words}
}

// without returns what of ranges is in none of holes, sorted. Both are sorted in place; ranges do not overlap, and nor do holes.
func without(ranges, holes []crdt.ClockRange) []crdt.ClockRange {
	byClock := func(a, b crdt.ClockRange) int {
		return cmp.Or(cmp.Compare(a.Client, b.Client), cmp.Compare(a.From, b.From))
	}
	slices.SortFunc(ranges, byClock)
	slices.SortFunc(holes, byClock)
	var rest []crdt.ClockRange
	for _, r := range ranges {
		for len(holes) > 0 && (holes[0].Client < r.Client || holes[0].Client == r.Client && holes[0].To <= r.From) {
			holes = holes[1:]
		}
		for _, h := range holes {
			if h.Client != r.Client || h.From >= r.To {
				break
			}
			if h.From > r.From {
				rest = append(rest, crdt.ClockRange{Client: r.Client, From: r.From, To: h.From})
			}
			r.From = max(r.From, min(h.To, r.To))
		}
		if r.From < r.To {
			rest = append(rest, r)
		}
	}
	return rest
}
