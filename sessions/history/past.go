// Package history shows a note as it was: after any row of its log, in documents of their own, which no session and no
// store knows. Nothing done to them reaches the note.
package history

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/sessions"
)

// Limits of a past (I10).
const (
	// MaxBytes is how much the updates of a note may take that is shown as it was, and likewise its keyframes.
	MaxBytes = 64 << 20

	maxCopies = 1 << 20 // pieces of text that were moved, or put back

	spacing = 4096 // rows from one keyframe to the next: applying that many takes a few milliseconds
	perRead = 4096 // rows
)

// ErrTooLong means that a note's log takes more than [MaxBytes].
var ErrTooLong = errors.New("the note's history is too long to be shown")

// Past is what a note has been through: its log in memory, and every so many rows the document as it was. To go
// anywhere takes a keyframe, and no more than 4096 updates. Any number of goroutines may use it.
type Past struct {
	store   sessions.Store
	note    sessions.NoteID
	spacing int // of keyframes, in rows

	mu      sync.RWMutex
	rows    []row
	updates []byte   // of all rows, one behind the other
	frames  [][]byte // frames[i] is the document after (i+1)*spacing rows, in v2
	framed  int      // bytes of them
	tip     *crdt.Doc
	hands   []hand // of whom and which session the rows are
	known   map[hand]int32

	copies   []copied // of what rows moved, in order
	copied   int      // how many of them
	removals crdt.Removals
	people   map[sessions.PersonID]int           // who wrote any of it, as removals know them
	brought  map[crdt.ClientID][]brought         // by rows, in order
	large    []large                             // in order
	writers  map[crdt.ClientID]sessions.PersonID // whose each client id is
	origins  sessions.Origins
	marks    map[crdt.ClientID][]mark // in order of clocks, without overlap
	pasted   []int32                  // of large, those that count as pasted

	suggested map[string][]suggested // by the id of the suggestion, in the order of rows
}

// copied is text that a row brings and that is not new.
type copied struct {
	row    int
	copies []crdt.Copy
}

// row is a row of the log; its seq is its index plus one. A long note has some hundred thousand.
type row struct {
	end  int   // of its update
	at   int64 // microseconds since 1970
	hand int32
}

type hand struct {
	author  sessions.PersonID
	session sessions.SessionID
}

// Moment is a row of a log without what it changed.
type Moment struct {
	Seq     uint64
	At      time.Time
	Author  sessions.PersonID
	Session sessions.SessionID // none: written when the note was created
}

// Open returns the past of a note up to now. It returns [sessions.ErrNoNote] for an unknown note, and [ErrTooLong].
func Open(ctx context.Context, store sessions.Store, note sessions.NoteID) (*Past, error) {
	p := newPast(store, note, spacing)
	return p, p.Grow(ctx)
}

func newPast(store sessions.Store, note sessions.NoteID, spacing int) *Past {
	return &Past{
		store: store, note: note, spacing: spacing, tip: crdt.New(""), known: make(map[hand]int32),
		people: make(map[sessions.PersonID]int), brought: make(map[crdt.ClientID][]brought),
		suggested: make(map[string][]suggested),
	}
}

// Grow adds what the log has got since, and how its text came. After an error the past is as far as it came, and can go on.
func (p *Past) Grow(ctx context.Context) error {
	if err := p.Follow(ctx); err != nil {
		return err
	}
	return p.Learn(ctx)
}

// Learn adds how the text came.
func (p *Past) Learn(ctx context.Context) error {
	origins, err := p.store.Origins(ctx, p.note)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.learn(origins)
	return nil
}

// Follow adds what the log has got since: whose its text is, and not how it came. Errors are as with [Past.Grow].
func (p *Past) Follow(ctx context.Context) error {
	p.mu.RLock()
	since := p.tip.StateVector()
	p.mu.RUnlock()
	told, err := p.store.Told(ctx, p.note, since)
	if err != nil {
		return err
	}
	said := told.Tellings()
	for head := p.Head(); head < told.Head; head = p.Head() {
		rows, err := p.store.ReadLog(ctx, p.note, head, int(min(perRead, told.Head-head)))
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return fmt.Errorf("log ends at seq %d before %d", head, told.Head)
		}
		if err := p.add(rows, said); err != nil {
			return err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.writers = told.Writers
	return nil
}

// add takes rows, of which all is in said that was told before they were stored; those that somebody else has added meanwhile are passed over.
func (p *Past) add(rows []sessions.Row, said sessions.Tellings) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range rows {
		switch next := uint64(len(p.rows)) + 1; {
		case r.Seq < next:
			continue
		case r.Seq > next:
			return fmt.Errorf("history ends at seq %d before %d", next-1, r.Seq)
		case len(p.updates)+len(r.Update) > MaxBytes || p.framed > MaxBytes || p.copied > maxCopies:
			return ErrTooLong
		}
		if err := p.take(r, said); err != nil {
			return fmt.Errorf("replay seq %d: %w", r.Seq, err)
		}
	}
	return nil
}

// take adds the next row. The caller holds mu.
func (p *Past) take(r sessions.Row, said sessions.Tellings) error {
	u, err := crdt.DecodeUpdate(r.Update)
	if err != nil {
		return err
	}
	who, known := p.people[r.Author]
	if !known {
		who = len(p.people)
		p.people[r.Author] = who
	}
	brings := u.Ranges()
	copies := p.removals.Copies(p.tip, u, who, said.Of(r, brings))
	if err := p.tip.Apply(u); err != nil {
		return err
	}
	i := len(p.rows)
	p.updates = append(p.updates, r.Update...)
	p.rows = append(p.rows, row{end: len(p.updates), at: r.At.UnixMicro(), hand: p.handOf(hand{r.Author, r.Session})})
	if len(copies) > 0 {
		p.copies, p.copied = append(p.copies, copied{i, copies}), p.copied+len(copies)
	}
	p.index(i, u, brings, copies)
	p.suggest(i, u)
	if len(p.rows)%p.spacing != 0 {
		return nil
	}
	frame, err := p.tip.EncodeStateAsUpdateV2(nil)
	p.frames, p.framed = append(p.frames, frame), p.framed+len(frame)
	return err
}

func (p *Past) handOf(h hand) int32 {
	i, ok := p.known[h]
	if !ok {
		i = int32(len(p.hands)) // rows are fewer than bytes, and those are bounded
		p.hands, p.known[h] = append(p.hands, h), i
	}
	return i
}

// Head is the seq of the newest row; 0: there is none.
func (p *Past) Head() uint64 {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return uint64(len(p.rows))
}

// Bytes is about how much memory the past takes.
func (p *Past) Bytes() int {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return len(p.updates) + p.framed + (24+8)*len(p.rows) + 40*p.copied
}

// Moment returns a row of the log, from 1 to Head.
func (p *Past) Moment(seq uint64) Moment {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.moment(int(seq) - 1)
}

// moment returns the row with an index. The caller holds mu.
func (p *Past) moment(i int) Moment {
	r := p.rows[i]
	h := p.hands[r.hand]
	return Moment{uint64(i) + 1, time.UnixMicro(r.at), h.author, h.session}
}

// Find returns the first row from seq on, or back from it if by is less than 0, that want accepts; false: there is none.
func (p *Past) Find(seq uint64, by int, want func(Moment) bool) (Moment, bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	for i := int(seq) - 1; i >= 0 && i < len(p.rows); i += by {
		if m := p.moment(i); want(m) {
			return m, true
		}
	}
	return Moment{}, false
}

// Later returns where somebody is who watches from the row seq on for as long as told; breaks of more than idle take
// idle. It goes on by a row at least, up to the last one that want accepts; the others are passed over, and take no time.
func (p *Past) Later(seq uint64, watched, idle time.Duration, want func(Moment) bool) uint64 {
	p.mu.RLock()
	defer p.mu.RUnlock()
	at := int(min(max(seq, 1), uint64(len(p.rows)))) - 1
	for i, begun := at+1, false; i < len(p.rows); i++ {
		if !want(p.moment(i)) {
			continue
		}
		pause := min(time.Duration(max(p.rows[i].at-p.rows[at].at, 0))*time.Microsecond, idle)
		if begun && pause > watched {
			break
		}
		watched, begun, at = watched-pause, true, i
	}
	return uint64(at) + 1
}

// Doc returns a document of its own that holds the note after the row seq, from 0 to Head. Its spans name who wrote them
// first: who splits a paragraph, makes one a heading, or undoes what they did has not written it.
func (p *Past) Doc(seq uint64) (*crdt.Doc, error) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	n := int(min(seq, uint64(len(p.rows))))
	frame := n / p.spacing
	doc := crdt.New("")
	if frame > 0 {
		if err := doc.ApplyUpdateV2(p.frames[frame-1]); err != nil {
			return nil, fmt.Errorf("replay from a keyframe: %w", err)
		}
	}
	for i := frame * p.spacing; i < n; i++ {
		if err := doc.ApplyUpdate(p.update(i)); err != nil {
			return nil, fmt.Errorf("replay seq %d: %w", i+1, err)
		}
	}
	p.credit(doc, n)
	return doc, nil
}

// credit has a document that holds the first n rows name who wrote its text first. The caller holds mu.
func (p *Past) credit(doc *crdt.Doc, n int) {
	for _, c := range p.copies {
		if c.row >= n {
			break
		}
		doc.Credit(c.copies)
	}
}

// update returns the update of the row with an index. The caller holds mu.
func (p *Past) update(i int) []byte {
	from := 0
	if i > 0 {
		from = p.rows[i-1].end
	}
	return p.updates[from:p.rows[i].end]
}

// Writer returns whose a client id is; none: nobody's that is known.
func (p *Past) Writer(client crdt.ClientID) sessions.PersonID {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.writers[client]
}

// People returns who wrote any of it, in the order in which they came.
func (p *Past) People() []sessions.PersonID {
	p.mu.RLock()
	defer p.mu.RUnlock()
	var people []sessions.PersonID
	for _, h := range p.hands {
		if !slices.Contains(people, h.author) {
			people = append(people, h.author)
		}
	}
	return people
}
