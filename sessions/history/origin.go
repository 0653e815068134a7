package history

import (
	"cmp"
	"slices"
	"time"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/sessions"
)

// perSecond is how many UTF-16 units hands type while there is no line: faster than anybody goes on for long. See [sessions.AtOnce], too.
const perSecond = 15

// Origin is how a piece of text came into a note.
type Origin uint8

// The origins.
const (
	Typed     Origin = iota // by hands, as far as a server can see
	Pasted                  // more at once than hands type, or as its author's editor says
	Imported                // by a program, or with the template that the note began with
	Carried                 // pasted, and an earlier note of the same patient has it
	Recovered               // brought back by somebody after a restore
	Origins                 // how many there are
)

// String returns the origin in a word, as the API has it.
func (o Origin) String() string {
	return [Origins]string{"typed", "pasted", "imported", "carried", "recovered"}[o]
}

// Provenance says whose a piece of text is, since when, and how it came.
type Provenance struct {
	Author   sessions.PersonID  // who wrote it first; none: nobody knows
	Seq      uint64             // the row in which it came first; 0: none is known
	At       time.Time          // and when that was
	Session  sessions.SessionID // none: when the note was created
	Origin   Origin
	Template bool              // imported with the template
	By       sessions.PersonID // who brought it back, of what is recovered
	Source   *sessions.Source  // of what is carried
}

// same reports whether two pieces of text came in one way: by one author in one session, within one minute.
func (p Provenance) same(q Provenance) bool {
	return p.Author == q.Author && p.Session == q.Session && p.Origin == q.Origin && p.Template == q.Template && p.By == q.By &&
		p.At.Unix()/60 == q.At.Unix()/60 && (p.Source == q.Source || p.Source != nil && q.Source != nil && *p.Source == *q.Source)
}

// brought is the first element that a row brought of a client; those up to the next one's came with it.
type brought struct {
	clock uint32
	row   int32
}

// large is a row that brings more text than hands type at once.
type large struct{ row, units int32 }

// mark says how elements of a client came, where their row does not.
type mark struct {
	from, to uint64
	origin   Origin
	by       sessions.PersonID
	source   *sessions.Source
}

// index takes down the ranges that the row with an index brings, of which copied is not new.
func (p *Past) index(i int, u *crdt.Update, ranges []crdt.ClockRange, copied []crdt.Copy) {
	for _, r := range ranges {
		p.brought[r.Client] = append(p.brought[r.Client], brought{uint32(r.From), int32(i)})
	}
	if len(ranges) == 0 || len(p.update(i)) <= sessions.AtOnce { // a unit takes a byte at least
		return
	}
	units := u.TextLen()
	for _, c := range copied {
		units -= int(c.Len)
	}
	if units > sessions.AtOnce {
		p.large = append(p.large, large{int32(i), int32(units)})
	}
}

// learn takes what is known beside the log. The caller holds mu.
func (p *Past) learn(o sessions.Origins) {
	p.origins = o
	p.marks = make(map[crdt.ClientID][]mark)
	for _, r := range o.Recovered {
		p.mark(r.ClockRange, mark{origin: Recovered, by: r.By})
	}
	for i := range o.Carried {
		p.mark(o.Carried[i].ClockRange, mark{origin: Carried, source: &o.Carried[i].Source})
	}
	var offline []crdt.ClockRange
	for _, d := range o.Declared {
		switch {
		case p.writers[d.Client] != d.Person: // an editor speaks of its own text only
		case d.How == sessions.Pasted:
			p.mark(d.ClockRange, mark{origin: Pasted})
		case d.How == sessions.Offline:
			offline = append(offline, d.ClockRange)
		}
	}
	p.pasted = p.pasted[:0]
	for _, l := range p.large {
		if !p.writtenOffline(l, offline) {
			p.pasted = append(p.pasted, l.row)
		}
	}
}

// mark adds m for what of r has none.
func (p *Past) mark(r crdt.ClockRange, m mark) {
	list := p.marks[r.Client]
	k, _ := slices.BinarySearchFunc(list, r.From, func(m mark, clock uint64) int { return cmp.Or(cmp.Compare(m.to, clock), -1) })
	for r.From < r.To {
		m.from, m.to = r.From, r.To
		if k < len(list) {
			if list[k].from <= r.From {
				r.From = max(r.From, list[k].to)
				k++
				continue
			}
			m.to = min(m.to, list[k].from)
		}
		list = slices.Insert(list, k, m)
		r.From = m.to
		k++
	}
	p.marks[r.Client] = list
}

// writtenOffline reports whether a row's editor says that it was away while its text was written, and hands could have
// typed that much since what the same client wrote before, or if that is nothing, anybody.
func (p *Past) writtenOffline(l large, offline []crdt.ClockRange) bool {
	for _, r := range offline {
		list := p.brought[r.Client]
		k, there := slices.BinarySearchFunc(list, l.row, func(b brought, row int32) int { return cmp.Compare(b.row, row) })
		if !there || uint64(list[k].clock) < r.From || uint64(list[k].clock) >= r.To {
			continue
		}
		before := max(l.row-1, 0)
		if k > 0 {
			before = list[k-1].row
		}
		away := time.Duration(p.rows[l.row].at-p.rows[before].at) * time.Microsecond
		return float64(l.units) <= perSecond*away.Seconds()
	}
	return false
}

// trace calls f for the elements of r, which repeat no others, in pieces that one row brought in one way. The caller holds mu.
func (p *Past) trace(r crdt.ClockRange, f func(n uint64, from Provenance)) {
	rows, marks := p.brought[r.Client], p.marks[r.Client]
	k, _ := slices.BinarySearchFunc(rows, r.From, func(b brought, clock uint64) int { return cmp.Or(cmp.Compare(uint64(b.clock), clock), -1) })
	k-- // the last that does not begin behind it
	m, _ := slices.BinarySearchFunc(marks, r.From, func(m mark, clock uint64) int { return cmp.Or(cmp.Compare(m.to, clock), -1) })
	for r.From < r.To {
		to := r.To
		for k+1 < len(rows) && uint64(rows[k+1].clock) <= r.From {
			k++
		}
		if k+1 < len(rows) {
			to = min(to, uint64(rows[k+1].clock))
		}
		for m < len(marks) && marks[m].to <= r.From {
			m++
		}
		var by *mark
		if m < len(marks) {
			if by = &marks[m]; by.from > r.From {
				to, by = min(to, by.from), nil
			} else {
				to = min(to, by.to)
			}
		}
		from := Provenance{Author: p.writers[r.Client]}
		if k >= 0 {
			p.tell(&from, int(rows[k].row), by)
		}
		f(to-r.From, from)
		r.From = to
	}
}

// tell says how something came with the row of an index, which m may say more of.
func (p *Past) tell(from *Provenance, row int, m *mark) {
	at := p.moment(row)
	from.Seq, from.At, from.Session = at.Seq, at.At, at.Session
	_, pasted := slices.BinarySearch(p.pasted, int32(row))
	switch {
	case m != nil && m.origin == Recovered:
		from.Origin, from.By = Recovered, m.by
	case at.Session == sessions.SessionID{}:
		from.Origin, from.Template = Imported, true
	case p.origins.Programs[at.Author]:
		from.Origin = Imported
	case m != nil:
		from.Origin, from.Source = m.origin, m.source
	case pasted:
		from.Origin = Pasted
	}
}
