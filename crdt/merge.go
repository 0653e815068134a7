package crdt

import (
	"cmp"
	"fmt"
	"slices"
)

// MergeUpdates returns one version 1 update with everything the given ones
// carry. Holes between structs of one client become Skips. The bytes are those
// Yjs would return. It takes time linear in the input, times the logarithm of how
// many updates overlap or are out of order.
func MergeUpdates(updates [][]byte) ([]byte, error) {
	us, err := decodeAll(updates)
	if err != nil {
		return nil, err
	}
	if len(us) == 1 {
		return us[0].b, nil
	}
	w := newWriterV1(structBytes(us))
	mergeBlocks(us, w)
	return w.finishAll(us, true), nil
}

// structBytes returns how many bytes the structs of updates take.
func structBytes(us []Update) (n int) {
	for i := range us {
		n += us[i].ds
	}
	return n
}

func decodeAll(updates [][]byte) ([]Update, error) {
	us := make([]Update, len(updates))
	var room []section // of many updates: most have one
	for i, b := range updates {
		if cap(room)-len(room) < 4 {
			room = make([]section, 0, min(4*len(updates)+4, 4096))
		}
		us[i].sections = room[len(room):]
		if err := us[i].decode(b, false, nil); err != nil {
			return nil, fmt.Errorf("update %d of %d: %w", i+1, len(updates), err)
		}
		n := len(us[i].sections)
		us[i].sections = us[i].sections[:n:n]
		room = room[:min(len(room)+n, cap(room))]
	}
	return us, nil
}

// A cursor walks the structs of one update, clients descending, Skips left out.
type cursor struct {
	cur     block
	u       *Update
	structs structs // of the present section
	k, stop int     // sections still to come, as nth counts them
	done    bool
	rank    int // order among cursors at the same struct: lower first
}

func (c *cursor) init(u *Update, rank int) {
	*c = cursor{u: u, stop: len(u.sections), rank: rank}
	c.next()
}

func (c *cursor) next() {
	for {
		for c.structs.next(&c.cur) {
			if c.cur.ref != refSkip {
				return
			}
		}
		if c.k == c.stop {
			c.done = true
			return
		}
		c.structs = c.u.structs(c.u.nth(c.k))
		c.k++
	}
}

// merger is the state of one merge: a heap of cursors, and the struct that is
// to be written once it is known that nothing can be joined to it.
type merger struct {
	us      []Update
	starts  []start // of the updates that no cursor is in yet, the next first
	heap    []*cursor
	spare   []*cursor
	w       writer
	cur     block
	pending bool // cur holds a struct
	steps   int
}

// A start is where an update begins, or before: Skips may come first.
type start struct {
	client ClientID
	clock  uint32
	update int32
}

// mergeBlocks writes the structs of all updates to w. It makes the same choices
// as Yjs where structs overlap, which are: the cursor with the highest client
// and lowest clock comes first; of equals, the one used last; it is followed as
// long as its structs are contiguous. An update gets a cursor when its turn has
// come, so that many that follow each other cost one.
//
// Source: yjs updates.js, mergeUpdatesV2.
func mergeBlocks(us []Update, w writer) {
	m := merger{us: us, w: w, starts: make([]start, 0, len(us))}
	for i := range us {
		if len(us[i].sections) > 0 {
			s := us[i].nth(0)
			m.starts = append(m.starts, start{s.client, s.clock, int32(i)})
		}
	}
	byTurn := func(a, b start) int {
		return cmp.Or(cmp.Compare(b.client, a.client), cmp.Compare(a.clock, b.clock), cmp.Compare(a.update, b.update))
	}
	if !slices.IsSortedFunc(m.starts, byTurn) {
		slices.SortFunc(m.starts, byTurn)
	}
	for m.admit() {
		m.step()
	}
	if m.pending {
		w.block(&m.cur)
	}
}

// admit gives cursors to the updates that may come first, and reports whether
// there is anything left.
func (m *merger) admit() bool {
	for len(m.starts) > 0 {
		s := m.starts[0]
		if len(m.heap) > 0 {
			if top := &m.heap[0].cur; s.client < top.client || s.client == top.client && s.clock > top.clock {
				break
			}
		}
		m.starts = m.starts[1:]
		if len(m.spare) == 0 {
			m.spare = append(m.spare, new(cursor))
		}
		c := m.spare[len(m.spare)-1]
		if c.init(&m.us[s.update], int(s.update)); c.done {
			continue
		}
		m.spare = m.spare[:len(m.spare)-1]
		m.heap = append(m.heap, c)
		m.up(len(m.heap) - 1)
	}
	return len(m.heap) > 0
}

// step takes the first cursor and writes what it has until another may be first.
func (m *merger) step() {
	c := m.heap[0]
	defer m.fix(c)
	client := c.cur.client
	if !m.pending {
		m.hold(&c.cur)
		c.next()
	} else {
		skipped := false
		for !c.done && c.cur.end() <= m.cur.end() && c.cur.client >= m.cur.client {
			c.next()
			skipped = true
		}
		if c.done || c.cur.client != client || skipped && c.cur.clock > m.cur.end() {
			return
		}
		m.join(c)
	}
	for !c.done && c.cur.client == client && c.cur.clock == m.cur.end() {
		m.w.block(&m.cur)
		m.hold(&c.cur)
		c.next()
	}
}

// join writes the held struct, or extends it, and holds the next: c's, or a
// Skip up to it.
func (m *merger) join(c *cursor) {
	switch {
	case c.cur.client != m.cur.client:
	case m.cur.end() < c.cur.clock:
		m.w.block(&m.cur)
		m.cur = block{client: m.cur.client, clock: m.cur.end(), n: c.cur.clock - m.cur.end(), ref: refSkip}
		return
	case m.cur.end() > c.cur.clock:
		c.cur.slice(m.cur.end() - c.cur.clock)
		fallthrough
	default:
		if m.cur.ref == refGC && c.cur.ref == refGC {
			m.cur.n += c.cur.n
			m.cur.raw = nil
			return
		}
	}
	m.w.block(&m.cur)
	m.hold(&c.cur)
	c.next()
}

func (m *merger) hold(b *block) { m.cur, m.pending = *b, true }

// fix restores the heap after its first cursor moved on.
func (m *merger) fix(c *cursor) {
	m.steps++
	c.rank = -m.steps
	if c.done {
		last := len(m.heap) - 1
		m.heap[0] = m.heap[last]
		m.heap = m.heap[:last]
		m.spare = append(m.spare, c)
	}
	m.down(0)
}

func (m *merger) less(a, b *cursor) bool {
	if a.cur.client != b.cur.client {
		return a.cur.client > b.cur.client
	}
	if a.cur.clock != b.cur.clock {
		return a.cur.clock < b.cur.clock
	}
	return a.rank < b.rank
}

func (m *merger) up(i int) {
	for i > 0 && m.less(m.heap[i], m.heap[(i-1)/2]) {
		m.heap[i], m.heap[(i-1)/2] = m.heap[(i-1)/2], m.heap[i]
		i = (i - 1) / 2
	}
}

func (m *merger) down(i int) {
	for {
		least := i
		for k := 2*i + 1; k <= 2*i+2 && k < len(m.heap); k++ {
			if m.less(m.heap[k], m.heap[least]) {
				least = k
			}
		}
		if least == i {
			return
		}
		m.heap[i], m.heap[least] = m.heap[least], m.heap[i]
		i = least
	}
}
