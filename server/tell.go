package server

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/sessions/history"
	"github.com/clisonix/tidechart/web"
	"github.com/clisonix/tidechart/web/words"
)

// Limits of what is said about two versions, beside what is shown of them (I10).
const (
	maxListed  = 200 // changes
	maxExcerpt = 60  // characters of one
)

// A teller says of parts of a note that differ between two versions who changed them, and when.
type teller struct {
	past   *history.Past
	people map[uuid.UUID]web.Person
	view   *web.CompareView
	back   bool // the second version is the older one
	traced history.Traced

	tallies map[uuid.UUID]*web.Tally
	parts   int
	n       int // changes so far
	open    bool
	within  []*prose.Part // what came or went as a whole, and is being gone through
}

func (t *teller) tell(ctx context.Context) error {
	var added, removed []crdt.Piece
	eachPart(t.view.Body, func(p *prose.Part) {
		switch p.Change {
		case prose.Added:
			added = append(added, p.Node.Pieces...)
		case prose.Removed:
			removed = append(removed, p.Node.Pieces...)
		}
	})
	from, to, came, went := t.view.From.Seq, t.view.To.Seq, added, removed
	if t.back {
		from, to, came, went = to, from, removed, added
	}
	var err error
	if t.traced, err = t.past.Trace(from, to, came, went); err != nil {
		return err
	}
	t.view.Edits = make(map[*prose.Part]web.Edit)
	t.blocks(ctx, t.view.Body, false)
	for _, tally := range t.tallies {
		t.view.Tallies = append(t.view.Tallies, *tally)
	}
	slices.SortFunc(t.view.Tallies, func(a, b web.Tally) int {
		return cmp.Or(cmp.Compare(b.Added+b.Removed, a.Added+a.Removed), cmp.Compare(a.Name, b.Name))
	})
	return nil
}

// eachPart calls f for all parts, outside first.
func eachPart(parts []prose.Part, f func(*prose.Part)) {
	for i := range parts {
		f(&parts[i])
		eachPart(parts[i].Parts, f)
	}
}

// blocks numbers the changes of blocks and of the text in them. What is in a block that came or went as a whole is one with it.
func (t *teller) blocks(ctx context.Context, parts []prose.Part, within bool) {
	t.open = false
	for i := range parts {
		p := &parts[i]
		if prose.Inline(p.Node) {
			t.inline(ctx, p, within)
			continue
		}
		t.open = false
		if p.Change != prose.Same {
			t.edit(ctx, p, !within, web.BlockChange(ctx, p)+" "+excerpt(ctx, p))
		}
		whole := p.Change == prose.Added || p.Change == prose.Removed
		if whole {
			t.within = append(t.within, p)
		}
		t.blocks(ctx, p.Parts, within || whole)
		if whole {
			t.within = t.within[:len(t.within)-1]
		}
		t.open = false
	}
}

// inline numbers changes of text: those with nothing but gaps between them are one.
func (t *teller) inline(ctx context.Context, p *prose.Part, within bool) {
	if p.Change == prose.Same {
		t.open = t.open && p.Node.Type == "text" && strings.TrimSpace(p.Node.Text) == ""
		return
	}
	t.edit(ctx, p, !within && !t.open, excerpt(ctx, p))
	if !within && t.open && p.Change == prose.Added && t.n <= maxListed { // what came says more than what went
		line := &t.view.Changes[t.n-1]
		if !strings.Contains(line.Text, " → ") {
			line.Text = clipWords(line.Text+" → "+p.Node.Text, 2*maxExcerpt)
		}
	}
	t.open = true
}

// edit says what is known of a part; a change begins there, or goes on.
func (t *teller) edit(ctx context.Context, p *prose.Part, begins bool, text string) {
	e := web.Edit{}
	t.parts++
	e.Part = t.parts
	var who uuid.UUID
	e.Says, who = t.says(ctx, p)
	e.By = t.people[who]
	if t.back { // who removed it since has not written it
		e.By = t.people[t.past.Writer(p.Node.Author)]
	}
	if p.Node.Type == "text" && !p.Moved {
		t.count(p, who)
	}
	if begins {
		t.n++
		e.N = t.n
		if t.n <= maxListed {
			t.view.Changes = append(t.view.Changes, web.ChangeLine{N: t.n, Says: e.Says, Text: text})
		} else {
			t.view.More++
		}
	}
	t.view.Edits[p] = e
}

// count adds a part's words to those of who changed it.
func (t *teller) count(p *prose.Part, who uuid.UUID) {
	if p.Change == prose.Changed || who == uuid.Nil {
		return
	}
	tally := t.tallies[who]
	if tally == nil {
		tally = &web.Tally{Person: t.people[who], Since: t.back}
		t.tallies[who] = tally
	}
	if p.Change == prose.Added != t.back {
		tally.Added += prose.Words(p.Node.Text)
	} else {
		tally.Removed += prose.Words(p.Node.Text)
	}
}

// says is a sentence about a part, and who did what it says.
func (t *teller) says(ctx context.Context, p *prose.Part) (string, uuid.UUID) {
	writer := t.past.Writer(p.Node.Author)
	switch {
	case p.Change == prose.Changed && p.Node.Type == "text":
		return words.Say(ctx, "Formatting changed"), uuid.Nil
	case p.Change == prose.Changed:
		return words.Say(ctx, "Changed by {name}", t.name(ctx, writer)), writer
	case p.Change == prose.Added == t.back: // it is in the older version only
		by, when := t.did(ctx, p, history.Traced.Went)
		said := words.Say(ctx, "Removed")
		if t.back {
			said = words.Say(ctx, "Removed since")
		}
		if p.Moved {
			said = words.Say(ctx, "Moved from here")
		}
		if by == uuid.Nil {
			return words.Say(ctx, "{said}; written by {name}", said, t.name(ctx, writer)), uuid.Nil
		}
		return words.Say(ctx, "{said} by {name}{when}{ofOther}", said, t.name(ctx, by), when, t.ofOther(ctx, by, writer)), by
	default:
		by, when := t.did(ctx, p, history.Traced.Came)
		said := words.Say(ctx, "Added")
		if t.back {
			said = words.Say(ctx, "Added since")
		}
		if p.Moved {
			return words.Say(ctx, "Moved here by {name}{when}{ofOther}", t.name(ctx, by), when, t.ofOther(ctx, by, writer)), writer
		}
		if by != writer && by != uuid.Nil && writer != uuid.Nil { // brought by another, who moved it, or recovered it
			return words.Say(ctx, "{said} by {name}{when}; put here by {name2}", said, t.name(ctx, writer), when, t.name(ctx, by)), writer
		}
		return words.Say(ctx, "{said} by {name}{when}", said, t.name(ctx, writer), when), writer
	}
}

// ofOther says whose text it was, if somebody else's.
func (t *teller) ofOther(ctx context.Context, by, writer uuid.UUID) string {
	if by == writer {
		return ""
	}
	return words.Say(ctx, "; written by {name}", t.name(ctx, writer))
}

// did is who did something to a part last, and when; or to what it went with, unseen.
func (t *teller) did(ctx context.Context, p *prose.Part, rows func(history.Traced, crdt.Piece) []uint64) (by uuid.UUID, when string) {
	last := uint64(0)
	for i := len(t.within); last == 0 && i >= 0; i-- {
		for _, piece := range p.Node.Pieces {
			if list := rows(t.traced, piece); len(list) > 0 {
				last = max(last, list[len(list)-1])
			}
		}
		if i > 0 {
			p = t.within[i-1]
		}
	}
	if last == 0 {
		return uuid.Nil, ""
	}
	m := t.past.Moment(last)
	return m.Author, ", " + words.Date(ctx, m.At.Local(), "02-Jan-2006 15:04")
}

func (t *teller) name(ctx context.Context, id uuid.UUID) string {
	return cmp.Or(t.people[id].Name, words.Say(ctx, "somebody unknown"))
}

// excerpt is how a part begins.
func excerpt(ctx context.Context, p *prose.Part) string {
	var b strings.Builder
	var add func(p *prose.Part)
	add = func(p *prose.Part) {
		b.WriteString(p.Node.Text)
		for i := 0; i < len(p.Parts) && b.Len() < 4*maxExcerpt; i++ {
			add(&p.Parts[i])
		}
		if p.Node.Type != "text" {
			b.WriteByte(' ')
		}
	}
	add(p)
	text := clipWords(b.String(), maxExcerpt)
	if text == "" {
		return words.Say(ctx, "(no text)")
	}
	return text
}

// clipWords is text in one line of up to n characters.
func clipWords(text string, n int) string {
	text = strings.Join(strings.Fields(text), " ")
	if utf8.RuneCountInString(text) <= n {
		return text
	}
	return string([]rune(text)[:n]) + "…"
}
