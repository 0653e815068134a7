package sessions

import (
	"context"
	"fmt"
	"slices"
	"unicode/utf16"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/prose"
)

// LateText is what somebody wrote too late.
type LateText struct {
	LateEdit
	Words   string // that it would bring, a block a line; without those that its author took away again
	Deletes int    // UTF-16 units of the note as it was signed that it would take away
}

// ReadLate returns what is kept beside a note, in the order in which it came, with the words that it would have brought: also those that
// have no place any more, because what they stood in is gone from the note. It returns [ErrNoNote] for an unknown note.
func ReadLate(ctx context.Context, store Store, note NoteID) ([]LateText, error) {
	l, err := openLate(ctx, store, note)
	if err != nil || l == nil {
		return nil, err
	}
	words, err := l.words(ctx, store, len(l.texts), func(edit int) int { return edit })
	for i := range words {
		l.texts[i].Words = words[i]
	}
	return l.texts, err
}

// LateWords returns the words of some of somebody's late edits together, as they would stand in the note: a block a line.
func LateWords(ctx context.Context, store Store, note NoteID, author PersonID, numbers []uint64) (string, error) {
	l, err := openLate(ctx, store, note)
	if err != nil || l == nil {
		return "", err
	}
	words, err := l.words(ctx, store, 1, func(edit int) int {
		if e := l.texts[edit]; e.Author == author && slices.Contains(numbers, e.N) {
			return 0
		}
		return -1
	})
	return words[0], err
}

// minMoved is from how many UTF-16 units on text that somebody took away and brought again counts as moved. What is shorter may have been typed,
// and a dose that is missed is worse than one that is read twice.
const minMoved = 16

// lateNote is a signed note with all that is kept beside it, in a document of its own.
type lateNote struct {
	note    NoteID
	texts   []LateText
	updates []*crdt.Update
	copies  []crdt.Copy // what late edits only moved
	doc     *crdt.Doc
	whose   spans              // by which edit elements came, but for those that are copies
	removed map[PersonID]spans // what the late edits of each took away
}

// openLate reads it; nil: nothing is kept.
func openLate(ctx context.Context, store Store, note NoteID) (*lateNote, error) {
	edits, err := store.LateEdits(ctx, note)
	if err != nil || len(edits) == 0 {
		return nil, err
	}
	log, err := store.Load(ctx, note)
	if err != nil {
		return nil, err
	}
	l := &lateNote{note: note, whose: make(spans), removed: make(map[PersonID]spans)}
	if l.doc, err = log.Doc(); err != nil { // of its own: the note stays as it is
		return nil, fmt.Errorf("rebuild note %s: %w", note, err)
	}
	for _, e := range edits {
		if err := l.take(e); err != nil {
			return nil, fmt.Errorf("late edit %d: %w", e.N, err)
		}
	}
	for _, s := range l.removed {
		s.sort()
	}
	l.doc.Credit(l.copies)
	return l, nil
}

// take advances the document by the next edit.
func (l *lateNote) take(e LateEdit) error {
	u, err := crdt.DecodeUpdate(e.Update)
	if err != nil {
		return err
	}
	text := LateText{LateEdit: e}
	if l.removed[e.Author] == nil {
		l.removed[e.Author] = make(spans)
	}
	for _, g := range u.Deletes() {
		from, to := uint64(g.Clock), uint64(g.Clock)+uint64(g.Len)
		l.removed[e.Author].add(g.Client, from, to, 0)
		for id := (crdt.ID{Client: g.Client, Clock: from}); id.Clock < to; {
			_, late, n := l.whose.at(id, to-id.Clock)
			if !late {
				text.Deletes += l.doc.Living([]crdt.ClockRange{{Client: id.Client, From: id.Clock, To: id.Clock + n}}).Units
			}
			id.Clock += n
		}
	}
	moved := make(spans)
	for _, c := range new(crdt.Moves).Copies(l.doc, u, 0, nil) { // nobody tells of them
		if c.Len < minMoved {
			continue
		}
		l.copies = append(l.copies, c)
		moved.add(c.To.Client, c.To.Clock, c.To.Clock+c.Len, 0)
		if _, late, _ := l.whose.at(c.From, 1); !late {
			text.Deletes = max(0, text.Deletes-int(c.Len))
		}
	}
	moved.sort()
	for _, r := range u.Ranges() {
		for id := (crdt.ID{Client: r.Client, Clock: r.From}); id.Clock < r.To; {
			_, again, n := moved.at(id, r.To-id.Clock)
			if !again {
				l.whose.add(id.Client, id.Clock, id.Clock+n, len(l.texts))
			}
			id.Clock += n
		}
	}
	l.texts, l.updates = append(l.texts, text), append(l.updates, u)
	return l.doc.Apply(u)
}

// words returns the words of edits in groups: group says in which the words of an edit are, or less than 0.
func (l *lateNote) words(ctx context.Context, store Store, groups int, group func(edit int) int) ([]string, error) {
	w := lateWords{late: l, group: group, said: make([]string, groups)}
	dead := make(spans)
	for _, g := range l.doc.DeleteSet() {
		dead.add(g.Client, uint64(g.Clock), uint64(g.Clock)+uint64(g.Len), 0)
	}
	dead.sort()
	w.block(prose.ReadTraced(l.doc.XMLFragment(Fragment)))
	w.displaced = func(id crdt.ID, edit int, n uint64) (bool, uint64) {
		_, is, n := dead.at(id, n)
		if !is {
			return false, n
		}
		_, own, n := l.removed[l.texts[edit].Author].at(id, n)
		return !own, n
	}
	if !w.lacksPlace() {
		return w.said, nil
	}
	whole, err := l.unabridged(ctx, store)
	if err != nil {
		return w.said, err
	}
	w.shown = make(spans)
	w.block(prose.ReadTraced(whole.XMLFragment(Fragment)))
	w.shown.sort()
	w.rest()
	return w.said, nil
}

// unabridged is the note with all that is kept beside it, as if nobody had ever removed anything: in it, what lost its place has one.
func (l *lateNote) unabridged(ctx context.Context, store Store) (*crdt.Doc, error) {
	doc := crdt.New("")
	s := search{store: store, note: l.note}
	log, err := store.Load(ctx, l.note)
	if err != nil {
		return nil, err
	}
	err = s.rows(ctx, log.Head, func(_ Row, u *crdt.Update) error { return doc.Apply(u.Inserts()) })
	for i := 0; err == nil && i < len(l.updates); i++ {
		err = doc.Apply(l.updates[i].Inserts())
	}
	if err != nil {
		return nil, fmt.Errorf("read note %s without what was removed: %w", l.note, err)
	}
	doc.Credit(l.copies)
	return doc, nil
}

// lateWords collects words by groups.
type lateWords struct {
	late  *lateNote
	group func(edit int) int
	said  []string

	displaced func(id crdt.ID, edit int, n uint64) (is bool, same uint64) // nil: what lives is collected
	shown     spans
}

// block adds the words of a block that are of late edits, and those of the blocks in it.
func (w *lateWords) block(n prose.Node) {
	lines := make(map[int]string)
	for _, c := range n.Content {
		text := c.Text
		if c.Type == "mention" {
			text = prose.MentionText(c)
		} else if c.Type != "text" {
			continue
		}
		for _, p := range c.Pieces {
			for p.Len > 0 {
				edit, late, k := w.late.whose.at(p.Of, p.Len)
				takes := late && w.group(edit) >= 0
				if takes && w.displaced != nil {
					takes, k = w.displaced(p.ID, edit, k)
				}
				said := text
				if c.Type == "text" {
					said, text = cutUnits(text, k)
				}
				if takes {
					lines[w.group(edit)] += said
					if w.displaced != nil {
						w.shown.add(p.ID.Client, p.ID.Clock, p.ID.Clock+k, 0)
					}
				}
				_, p = p.Cut(k)
			}
		}
	}
	for group, line := range lines {
		w.line(group, line)
	}
	for _, c := range n.Content {
		w.block(c)
	}
}

func (w *lateWords) line(group int, line string) {
	if w.said[group] != "" {
		w.said[group] += "\n"
	}
	w.said[group] += line
}

// lacksPlace reports whether there is text that lost its place.
func (w *lateWords) lacksPlace() (found bool) {
	w.each(func(int, crdt.ID, uint64, string) { found = true })
	return found
}

// rest adds what lost its place and is not shown yet, in the order in which it was typed: nothing tells where it stood.
func (w *lateWords) rest() {
	w.each(func(group int, id crdt.ID, n uint64, text string) {
		for n > 0 {
			_, shown, k := w.shown.at(id, n)
			var said string
			if said, text = cutUnits(text, k); !shown {
				w.line(group, said)
			}
			id.Clock, n = id.Clock+k, n-k
		}
	})
}

// each calls f for each piece of text of late edits that lost its place.
func (w *lateWords) each(f func(group int, id crdt.ID, n uint64, text string)) {
	for i, u := range w.late.updates {
		if w.group(i) < 0 {
			continue
		}
		u.Texts(u.Ranges(), func(_ int, id crdt.ID, text string) {
			for n := uint64(len(utf16.Encode([]rune(text)))); n > 0; {
				of, late, k := w.late.whose.at(id, n)
				takes := late
				if late {
					takes, k = w.displaced(id, of, k)
				}
				var said string
				if said, text = cutUnits(text, k); takes {
					f(w.group(of), id, k, said)
				}
				id.Clock, n = id.Clock+k, n-k
			}
		})
	}
}

// cutUnits cuts a text behind n UTF-16 units; half a pair takes all of it.
func cutUnits(s string, n uint64) (head, tail string) {
	for i, r := range s {
		if n == 0 {
			return s[:i], s[i:]
		}
		n -= min(n, uint64(utf16.RuneLen(r)))
	}
	return s, ""
}

// spans are ranges of clocks of clients, each with a number.
type spans map[crdt.ClientID][]span

type span struct {
	from, to uint64
	n        int
}

func (s spans) add(client crdt.ClientID, from, to uint64, n int) {
	s[client] = append(s[client], span{from, to, n})
}

// sort makes those that were added in any order ready to be asked, and joins those that overlap.
func (s spans) sort() {
	for client, list := range s {
		slices.SortFunc(list, func(a, b span) int { return int(a.from) - int(b.from) })
		out := list[:0]
		for _, x := range list {
			if k := len(out) - 1; k >= 0 && x.from < out[k].to {
				out[k].to = max(out[k].to, x.to)
				continue
			}
			out = append(out, x)
		}
		s[client] = out
	}
}

// at returns the number of the range that an element is in, if it is in one, and of how many of n elements from it on the same is true.
func (s spans) at(id crdt.ID, n uint64) (number int, is bool, same uint64) {
	list := s[id.Client]
	k, _ := slices.BinarySearchFunc(list, id.Clock, func(x span, clock uint64) int {
		if x.to <= clock {
			return -1
		}
		return 1
	})
	switch {
	case k == len(list):
		return 0, false, n
	case list[k].from > id.Clock:
		return 0, false, min(n, list[k].from-id.Clock)
	}
	return list[k].n, true, min(n, list[k].to-id.Clock)
}
