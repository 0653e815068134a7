package history

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"unicode"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/sessions"
)

// Limits of looking for what was carried over (I10).
const (
	CarriedWords = 8       // in a row that two notes have in common; fewer are equal by chance
	maxCompared  = 1 << 17 // words that came at once, of one note, that are looked for at once
)

// Lumps are the words that came into a note at once, as they are looked for in earlier notes.
type Lumps struct {
	to    uint64 // the row up to which they are
	words []lumpWord
	found []*sessions.Source // of each word; nil: in none yet
}

type lumpWord struct {
	crdt.ClockRange
	says  string
	begin bool // of what one struct brought: no range goes on before it
}

// Lumps returns the words that came at once, and have not been looked for yet; nil: none have.
func (p *Past) Lumps() (*Lumps, error) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.origins.CarriedTo >= uint64(len(p.rows)) {
		return nil, nil
	}
	l := &Lumps{to: uint64(len(p.rows))}
	for _, i := range p.pasted {
		at := p.moment(int(i))
		if at.Seq <= p.origins.CarriedTo || at.Session == (sessions.SessionID{}) || p.origins.Programs[at.Author] || len(l.words) > maxCompared {
			continue
		}
		u, err := crdt.DecodeUpdate(p.update(int(i)))
		if err != nil {
			return nil, fmt.Errorf("read seq %d: %w", at.Seq, err)
		}
		ranges := u.Ranges()
		slices.SortFunc(ranges, func(a, b crdt.ClockRange) int {
			return cmp.Or(cmp.Compare(a.Client, b.Client), cmp.Compare(a.From, b.From))
		})
		u.Texts(ranges, func(_ int, first crdt.ID, text string) { l.add(first, text) })
	}
	l.found = make([]*sessions.Source, len(l.words))
	return l, nil
}

// add adds the words of a piece of text.
func (l *Lumps) add(first crdt.ID, text string) {
	begin := true
	for word := range strings.FieldsSeq(text) {
		at := strings.Index(text, word) // the first there is: what is before has gone
		from := first.Clock + unitsOf(text[:at])
		to := from + unitsOf(word)
		l.words = append(l.words, lumpWord{crdt.ClockRange{Client: first.Client, From: from, To: to}, word, begin})
		text, first.Clock, begin = text[at+len(word):], to, false
	}
}

// Empty reports whether there is nothing to look for.
func (l *Lumps) Empty() bool { return len(l.words) < CarriedWords }

// gramSeed makes grams of words comparable within one process, which is as long as they live.
var gramSeed = maphash.MakeSeed()

// grams returns a hash of each run of CarriedWords words.
func grams(n int, word func(int) string) []uint64 {
	var out []uint64
	for i := 0; i+CarriedWords <= n; i++ {
		var h maphash.Hash
		h.SetSeed(gramSeed)
		for k := range CarriedWords {
			_, _ = h.WriteString(word(i + k)) // a hash takes all
			_ = h.WriteByte(0)
		}
		out = append(out, h.Sum64())
	}
	return out
}

// In reports whether a note that reads like that may have any of them: only then it is worth while to know whose its words are.
func (l *Lumps) In(body prose.Node) bool {
	var words []string
	var walk func(prose.Node)
	walk = func(n prose.Node) {
		var text strings.Builder
		for _, c := range n.Content {
			if c.Type == "text" {
				text.WriteString(c.Text)
			} else {
				walk(c)
			}
		}
		words = append(words, strings.Fields(text.String())...)
	}
	walk(body)
	mine := make(map[uint64]bool)
	for _, g := range grams(len(l.words), func(i int) string { return l.words[i].says }) {
		mine[g] = true
	}
	return slices.ContainsFunc(grams(len(words), func(i int) string { return words[i] }), func(g uint64) bool { return mine[g] })
}

// earlierWord is a word of an earlier note, and who wrote its first letter.
type earlierWord struct {
	says string
	from Provenance
}

// wordsOf returns the words of a note, across its pieces.
func wordsOf(a *Account) (words []earlierWord) {
	within := false
	a.Texts(func(text prose.Node, from Provenance, begins bool) {
		if begins {
			within = false
		}
		for _, r := range text.Text {
			if unicode.IsSpace(r) {
				within = false
				continue
			}
			if !within {
				words = append(words, earlierWord{from: from})
			}
			within = true
			words[len(words)-1].says += string(r)
		}
	})
	return words
}

// Compare looks for them in an earlier note. Of several notes that say the same it is the one that said it first.
func (l *Lumps) Compare(note sessions.NoteID, a *Account) {
	words := wordsOf(a)
	at := make(map[uint64]int)
	for i, g := range grams(len(words), func(i int) string { return words[i].says }) {
		if _, there := at[g]; !there {
			at[g] = i
		}
	}
	mine := grams(len(l.words), func(i int) string { return l.words[i].says })
	for i := 0; i < len(mine); {
		k, there := at[mine[i]]
		n := 0
		for there && i+n < len(l.words) && k+n < len(words) && l.words[i+n].says == words[k+n].says {
			n++
		}
		if n < CarriedWords {
			i++
			continue
		}
		for x := range n {
			from := words[k+x].from
			source := sessions.Source{Note: note, Author: from.Author, At: from.At}
			if from.Source != nil {
				source.Author, source.At = from.Source.Author, from.Source.At
			}
			if had := l.found[i+x]; had == nil || source.At.Before(had.At) {
				l.found[i+x] = &source
			}
		}
		i += n
	}
}

// Carried returns what was found, and up to which row that is all.
func (l *Lumps) Carried() (found []sessions.Carried, to uint64) {
	for i, w := range l.words {
		source := l.found[i]
		if source == nil {
			continue
		}
		if k := len(found) - 1; k >= 0 && i > 0 && !w.begin && l.found[i-1] != nil && *l.found[i-1] == *source {
			found[k].To = w.To
			continue
		}
		found = append(found, sessions.Carried{ClockRange: w.ClockRange, Source: *source})
	}
	return found, l.to
}
