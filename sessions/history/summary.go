package history

import (
	"cmp"
	"slices"
	"time"

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
	var words crdt.Words
	a.Texts(func(text prose.Node, from Provenance, begins bool) {
		if begins {
			words = crdt.Words{}
		}
		for _, letter := range text.Text {
			if words.Begin(letter) {
				s.add(from)
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
