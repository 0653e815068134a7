package history

import (
	"cmp"
	"fmt"
	"slices"
	"time"
	"unicode"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/sessions"
)

// Summary is whose the words of a note are, and how they came. A word belongs to whoever wrote its first letter.
type Summary struct {
	Words   int     // of the note
	Shares  []Share // of everybody who wrote any of it, who has most words first
	Carried []Source
}

// Share is what of a note is one person's.
type Share struct {
	Person sessions.PersonID // none: nobody knows whose
	Words  [Origins]int      // by how they came
}

// All is how many words are theirs, however they came.
func (s Share) All() (n int) {
	for _, words := range s.Words {
		n += words
	}
	return n
}

// Source is what a note has of one earlier note and author.
type Source struct {
	sessions.Source                     // At is when the oldest of it was written
	By              []sessions.PersonID // who carried it over
	Words           int
}

// Age is how old the words were when somebody looks at them.
func (s Source) Age(now time.Time) time.Duration { return now.Sub(s.At) }

// Summary returns whose the words of the note are after the row seq.
func (p *Past) Summary(seq uint64) (Summary, error) {
	a, err := p.Account(seq)
	if err != nil {
		return Summary{}, err
	}
	return a.Summary(), nil
}

// Summary counts the words of a note.
func (a *Account) Summary() (s Summary) {
	within := false
	a.Texts(func(text prose.Node, from Provenance, begins bool) {
		if begins {
			within = false
		}
		for _, letter := range text.Text {
			if starts := !unicode.IsSpace(letter); starts != within {
				if within = starts; starts {
					s.add(from)
				}
			}
		}
	})
	slices.SortStableFunc(s.Shares, func(a, b Share) int { return cmp.Compare(b.All(), a.All()) })
	slices.SortStableFunc(s.Carried, func(a, b Source) int { return cmp.Compare(b.Words, a.Words) })
	return s
}

// ByOrigin is how many words came in each way, whosever they are.
func (s Summary) ByOrigin() (words [Origins]int) {
	for _, share := range s.Shares {
		for o, n := range share.Words {
			words[o] += n
		}
	}
	return words
}

// add counts a word.
func (s *Summary) add(from Provenance) {
	s.Words++
	i := slices.IndexFunc(s.Shares, func(x Share) bool { return x.Person == from.Author })
	if i < 0 {
		i = len(s.Shares)
		s.Shares = append(s.Shares, Share{Person: from.Author})
	}
	s.Shares[i].Words[from.Origin]++
	if from.Source == nil {
		return
	}
	i = slices.IndexFunc(s.Carried, func(x Source) bool {
		return x.Note == from.Source.Note && x.Author == from.Source.Author
	})
	if i < 0 {
		i = len(s.Carried)
		s.Carried = append(s.Carried, Source{Source: *from.Source})
	}
	c := &s.Carried[i]
	c.Words++
	if from.Source.At.Before(c.At) {
		c.At = from.Source.At
	}
	if !slices.Contains(c.By, from.Author) {
		c.By = append(c.By, from.Author)
	}
}

// Amount is what one person did in one session: UTF-16 units of text, by how they came, whether or not they are still
// there, and how many of anybody's the person deleted. What an editor only moved counts as neither.
type Amount struct {
	Person      sessions.PersonID
	Units       [Origins]int
	Deleted     int
	Rows        int
	First, Last time.Time // of these
}

// Amounts returns what each person did in a session, in the order in which they came; none: nobody wrote in it.
func (p *Past) Amounts(session sessions.SessionID) ([]Amount, error) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	var out []Amount
	for i := range p.rows {
		m := p.moment(i)
		if m.Session != session {
			continue
		}
		k := slices.IndexFunc(out, func(a Amount) bool { return a.Person == m.Author })
		if k < 0 {
			k = len(out)
			out = append(out, Amount{Person: m.Author, First: m.At})
		}
		a := &out[k]
		a.Rows, a.Last, a.Deleted = a.Rows+1, m.At, a.Deleted+int(p.rows[i].deleted)
		if err := p.measure(i, a); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// measure adds the text that a row brought. The caller holds mu.
func (p *Past) measure(i int, a *Amount) error {
	u, err := crdt.DecodeUpdate(p.update(i))
	if err != nil {
		return fmt.Errorf("measure seq %d: %w", i+1, err)
	}
	ranges := u.Ranges()
	slices.SortFunc(ranges, func(a, b crdt.ClockRange) int {
		return cmp.Or(cmp.Compare(a.Client, b.Client), cmp.Compare(a.From, b.From))
	})
	u.Texts(ranges, func(_ int, first crdt.ID, text string) {
		p.trace(crdt.ClockRange{Client: first.Client, From: first.Clock, To: first.Clock + unitsOf(text)}, func(n uint64, from Provenance) {
			a.Units[from.Origin] += int(n)
		})
	})
	k, there := slices.BinarySearchFunc(p.copies, i, func(c copied, row int) int { return cmp.Compare(c.row, row) })
	if !there {
		return nil
	}
	for _, c := range p.copies[k].copies {
		p.trace(crdt.ClockRange{Client: c.To.Client, From: c.To.Clock, To: c.To.Clock + c.Len}, func(n uint64, from Provenance) {
			a.Units[from.Origin] -= int(n)
		})
	}
	return nil
}
