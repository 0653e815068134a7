package sessions

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/clisonix/tidechart/crdt"
)

// A search finds the losses of a note in its log. It needs all of it: of what is deleted the log alone knows the text,
// and where it stood.
type search struct {
	store Store
	note  NoteID
	seq   uint64 // the last row taken
	bytes int
	doc   *crdt.Doc
	found []*lost

	// By whom and when, looked up once everything is found.
	texts   map[crdt.ClientID][]*lost
	holders map[crdt.ClientID][]holder
}

// lost is a piece of text on its way into a [Loss].
type lost struct {
	crdt.LostText
	seq uint64
	at  time.Time

	author PersonID
	first  uint64 // the first row that holds some of it; 0: not known yet

	// The first row that names what held it; until one is found, the row by which it was lost.
	by       PersonID
	bySeq    uint64
	replaced bool
	named    bool
}

// holder is a deleted element that held lost text.
type holder struct {
	clock uint64
	of    *lost
}

// find returns what the rows after from, up to and including to, have lost, and how far it went: less far if
// there is very much. The same rows give the same. A log that is too long is [errUnsearched].
func find(ctx context.Context, store Store, note NoteID, from, to uint64) (losses []Loss, searched uint64, err error) {
	s := &search{store: store, note: note, doc: crdt.New("", crdt.WithoutGC())}
	err = s.rows(ctx, to, func(row Row, u *crdt.Update) error { return s.apply(row, u, row.Seq > from) })
	if err != nil {
		return nil, 0, err
	}
	searched, s.seq, s.doc = s.seq, 0, nil
	if len(s.found) == 0 {
		return nil, searched, nil
	}
	s.arrange()
	if err := s.rows(ctx, s.found[len(s.found)-1].seq, s.attribute); err != nil {
		return nil, 0, err
	}
	return s.losses(), searched, nil
}

// rows calls f for each row behind seq up to and including to, until it says [errFull].
func (s *search) rows(ctx context.Context, to uint64, f func(Row, *crdt.Update) error) error {
	for s.bytes = 0; s.seq < to; {
		rows, err := s.store.ReadLog(ctx, s.note, s.seq, int(min(searchRows, to-s.seq)))
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return fmt.Errorf("log ends at seq %d before %d", s.seq, to)
		}
		for _, row := range rows {
			if s.bytes += len(row.Update); s.bytes > maxSearch {
				return errUnsearched
			}
			u, err := crdt.DecodeUpdate(row.Update)
			if err == nil {
				s.seq = row.Seq
				err = f(row, u)
			}
			if errors.Is(err, errFull) {
				return nil
			}
			if err != nil {
				return fmt.Errorf("search seq %d: %w", row.Seq, err)
			}
		}
	}
	return nil
}

// apply advances the document by a row, and notes what it loses if asked to.
func (s *search) apply(row Row, u *crdt.Update, look bool) error {
	if !look {
		return s.doc.Apply(u)
	}
	if err := s.doc.Apply(u); err != nil {
		return err
	}
	found := s.doc.Lost(u)
	brings := len(found) > 0 && len(u.Ranges()) > 0
	for _, l := range found[:min(len(found), maxLost)] {
		s.found = append(s.found, &lost{LostText: l, seq: row.Seq, at: row.At, by: row.Author, bySeq: row.Seq, replaced: brings})
	}
	if len(s.found) >= maxFound {
		return errFull
	}
	return nil
}

// arrange prepares what is found for being looked up by client.
func (s *search) arrange() {
	s.texts, s.holders = make(map[crdt.ClientID][]*lost), make(map[crdt.ClientID][]holder)
	for _, l := range s.found {
		s.texts[l.ID.Client] = append(s.texts[l.ID.Client], l)
		for _, id := range l.Holders[:l.Gone] {
			s.holders[id.Client] = append(s.holders[id.Client], holder{id.Clock, l})
		}
	}
}

// attribute says of what is found what a row knows. A client id is one person's (I3): whoever wrote the text.
func (s *search) attribute(row Row, u *crdt.Update) error {
	ranges := u.Ranges()
	for _, r := range ranges {
		for _, l := range s.texts[r.Client] {
			if l.first == 0 && l.ID.Clock < r.To && l.ID.Clock+l.Len > r.From {
				l.author, l.first = row.Author, row.Seq
			}
		}
	}
	brings := len(ranges) > 0
	for _, g := range u.Deletes() {
		for _, h := range s.holders[g.Client] {
			if l := h.of; !l.named && h.clock >= uint64(g.Clock) && h.clock-uint64(g.Clock) < uint64(g.Len) {
				l.by, l.bySeq, l.replaced, l.named = row.Author, row.Seq, brings, true
			}
		}
	}
	return nil
}

// losses puts together what one row lost of one person, of what one element held.
func (s *search) losses() []Loss {
	type key struct {
		seq    uint64
		author PersonID
		top    crdt.ID
	}
	var losses []Loss
	of, last := make(map[key]int), make(map[key]*lost)
	for _, l := range s.found {
		if l.first == 0 {
			continue // admission lets no text in that no row holds
		}
		k := key{l.seq, l.author, l.top()}
		i, there := of[k]
		if !there {
			i = len(losses)
			id := LossID{Seq: l.seq}
			if i > 0 && losses[i-1].Seq == l.seq {
				id.Part = losses[i-1].Part + 1
			}
			losses = append(losses, Loss{
				LossID: id, Author: l.author, By: l.by, BySeq: l.bySeq, Replaced: l.replaced, FirstSeq: l.first, Place: l.Holders, At: l.at,
			})
			of[k] = i
		}
		losses[i].add(l, last[k])
		last[k] = l
	}
	return losses
}

// add appends a piece, which stands behind last.
func (l *Loss) add(next, last *lost) {
	l.FirstSeq = min(l.FirstSeq, next.first)
	r := LostRange{ClockRange: crdt.ClockRange{Client: next.ID.Client, From: next.ID.Clock, To: next.ID.Clock + next.Len}}
	if n := len(l.Text); n > 0 {
		end := &l.Text[n-1]
		r.Paragraph = end.Paragraph
		if next.parent() != last.parent() {
			r.Paragraph++
		}
		if r.Paragraph == end.Paragraph && r.Client == end.Client && r.From == end.To {
			end.To = r.To
			return
		}
	}
	l.Text = append(l.Text, r)
}

// parent is the element that holds the type the text is in, top the outermost one that is deleted.
func (l *lost) parent() crdt.ID {
	if len(l.Holders) == 0 {
		return crdt.ID{}
	}
	return l.Holders[0]
}

func (l *lost) top() crdt.ID {
	if l.Gone == 0 {
		return crdt.ID{}
	}
	return l.Holders[l.Gone-1]
}

var (
	errUnsearched = errors.New("the log is too long to be searched")
	errFull       = errors.New("enough is found for one search")
)
