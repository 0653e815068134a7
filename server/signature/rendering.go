package signature

import (
	"strings"
	"unicode"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/prose"
)

// Hashes name what of a note is signed. They are what a signer has seen.
type Hashes struct{ Content, Attribution Hash }

// Rendering is a note as it is signed.
type Rendering struct {
	Doc         prose.Node
	Schema      string // fingerprint of the schema that filled in defaults
	Content     []byte
	Attribution []byte
	Runs        []Run
}

// Render returns a note in its canonical form; whose says whose a client id is. A schema says what the note leaves to it: the newest when
// a note is about to be signed, and of one that is signed the one by which it was. The error is [ErrTooLarge].
func Render(schema *prose.Schema, doc prose.Node, whose func(crdt.ClientID) uuid.UUID) (r Rendering, err error) {
	r = Rendering{Doc: doc, Schema: schema.Fingerprint(), Runs: Runs(doc, whose)}
	if r.Content, err = Content(schema, doc); err != nil {
		return r, err
	}
	r.Attribution, err = Attribution(r.Runs)
	return r, err
}

// Hashes are those of both parts.
func (r Rendering) Hashes() Hashes { return Hashes{HashOf(r.Content), HashOf(r.Attribution)} }

// Words is how many words are whose: a word is of whoever wrote its first letter.
func Words(doc prose.Node, whose func(crdt.ClientID) uuid.UUID) map[uuid.UUID]int {
	words := make(map[uuid.UUID]int)
	countWords(doc, whose, words)
	return words
}

func countWords(n prose.Node, whose func(crdt.ClientID) uuid.UUID, words map[uuid.UUID]int) {
	within := false
	for _, child := range n.Content {
		if child.Type != "text" {
			within = false
			countWords(child, whose, words)
			continue
		}
		for _, letter := range child.Text {
			if begins := !unicode.IsSpace(letter); begins != within {
				if within = begins; begins {
					words[whose(child.Author)]++
				}
			}
		}
	}
}

// Blank is what templates and phrases leave to be filled in: three asterisks or more. A note with one is not signed.
type Blank struct {
	Section string // text of the heading above; "": there is none
	Line    string // text of the paragraph, or another block, that has it
	Offset  int    // of the asterisks in Line, in bytes
	Nth     int    // which paragraph or other block with text of the note it is, from 1
}

// Suggestions are what of a note is suggested and not decided on: text to be added, and text to be deleted. A note with one is not signed.
type Suggestions struct {
	Open  int // suggestions, of which one may be of several words; what has no id is one each time it begins anew
	First int // which block with text of the note has the first, as [Blank] counts them; 0: there is none
}

// SuggestionsIn counts what is suggested in a note.
func SuggestionsIn(doc prose.Node) Suggestions {
	s := suggestions{seen: make(map[string]bool)}
	l := lines{each: func(Line) {}, suggestions: &s}
	l.block(doc)
	return s.Suggestions
}

// maxBlanks is how many are listed (I10): who has that many left knows what to do.
const maxBlanks = 200

// Blanks lists what is still to be filled in, in the order of the note; of very many the first.
func Blanks(doc prose.Node) (found []Blank) {
	EachLine(doc, func(l Line) {
		for at := 0; len(found) < maxBlanks; {
			k := strings.Index(l.Text[at:], "***")
			if k < 0 {
				break
			}
			found = append(found, Blank{Section: l.Section, Line: l.Text, Offset: at + k, Nth: l.Nth})
			at += k + len(l.Text[at+k:]) - len(strings.TrimLeft(l.Text[at+k:], "*"))
		}
	})
	return found
}

// Line is the text of a paragraph, or of another block with text.
type Line struct {
	Section string // text of the heading above; "": there is none
	Text    string
	Nth     int // which of the note's it is, from 1
}

// EachLine calls f with all lines of a note, in its order.
func EachLine(doc prose.Node, f func(Line)) {
	l := lines{each: f}
	l.block(doc)
}

type lines struct {
	each        func(Line)
	suggestions *suggestions // nil: they are not asked for
	section     string
	nth         int
}

func (b *lines) block(n prose.Node) {
	var line strings.Builder
	without := "" // kinds of what is suggested without an id by the node before
	for _, c := range n.Content {
		if b.suggestions != nil {
			without = b.suggestions.add(c, without, b.nth+1)
		}
		if c.Type == "text" {
			line.WriteString(c.Text)
		} else if len(c.Content) > 0 {
			b.line(n, &line)
			b.block(c)
		} else if line.Len() > 0 && c.Type == "mention" {
			line.WriteString(prose.MentionText(c))
		} else if line.Len() > 0 { // a line break, or a node that stands in the line
			line.WriteByte('\n')
		}
	}
	b.line(n, &line)
}

// suggestions counts what is suggested.
type suggestions struct {
	Suggestions
	seen map[string]bool // ids of those that are counted
}

// add counts what is suggested of an inline node in a block, and returns the kinds of that which has no id. before is what it returned of the
// node before.
func (s *suggestions) add(n prose.Node, before string, block int) (without string) {
	for _, m := range n.Marks {
		if !prose.Suggests(m) {
			continue
		}
		id, _ := m.Attrs["id"].(string)
		if id == "" {
			without += m.Type + " "
			if strings.Contains(before, m.Type) {
				continue
			}
		} else if s.seen[id] {
			continue
		} else {
			s.seen[id] = true
		}
		s.Open++
		if s.First == 0 {
			s.First = block
		}
	}
	return without
}

// line hands on what has been gathered of a block's text, and begins anew.
func (b *lines) line(of prose.Node, gathered *strings.Builder) {
	text := gathered.String()
	gathered.Reset()
	if text == "" {
		return
	}
	b.nth++
	b.each(Line{b.section, text, b.nth})
	if of.Type == "heading" {
		b.section = text
	}
}
