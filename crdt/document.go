package crdt

import (
	"cmp"
	"maps"
	"slices"
)

// A Doc is one replica of a document. One goroutine owns it (I11); what its
// methods return is the caller's.
type Doc struct {
	name string
	gc   bool

	runs      []run
	typ       sparse  // the type that a run of refType holds; which value, if it is a format
	leaf      sparse  // where runs are in their lists' position trees
	free      []int32 // indexes of runs that are none any more
	lists     []list
	types     []sharedType
	roots     map[string]int32 // type of each root
	keys      map[string]int32 // index in keyNames
	keyNames  []string
	keyLists  map[uint64]int32 // type<<32 | key → list
	pay       []byte
	garbage   int
	stretches stretches

	clients    []client
	ids        []ClientID // of clients, apart: where many insert at one place, little else is read
	byID       map[ClientID]int32
	lastID     ClientID // what lookup found last
	lastClient int32

	credits   map[ClientID][]credit // of text that repeats another's, see Credit
	pending   pending
	positions positions
	scratch   Update
	tx        transaction
	txn       Txn
	valueIDs  int32 // values of formats seen by local edits
}

// Limits of a document, beside those of what is packed (see run). A run that
// moves to grow takes up to twice its length, still within 32 bits.
const maxRuns, maxPayload = 1 << 30, 1 << 29

// An Option changes what [New] returns.
type Option func(*Doc)

// WithoutGC keeps the content of deleted elements, as history views need.
func WithoutGC() Option { return func(d *Doc) { d.gc = false } }

// New returns an empty document. The name is only kept.
func New(name string, opts ...Option) *Doc {
	d := &Doc{
		name:       name,
		gc:         true,
		roots:      make(map[string]int32),
		keys:       make(map[string]int32),
		keyLists:   make(map[uint64]int32),
		byID:       make(map[ClientID]int32),
		lastClient: none,
	}
	for _, o := range opts {
		o(d)
	}
	return d
}

// Name returns the name given to [New].
func (d *Doc) Name() string { return d.name }

// ApplyUpdate validates a version 1 update, see [DecodeUpdate], then integrates
// it. After an error the document is as it was. What depends on elements that
// are not there yet is kept until they come. The document keeps no part of v1.
//
// It takes time in proportion to v1, but for what many insert at one place at
// once. A document is there to be edited, so that it takes more memory than the
// 8 times that decoding does: of one struct that stands alone 44 bytes and more,
// where 4 can describe it. Beside 1 MB, text allocates up to about 20 times v1;
// structs that only count, types and clients with one struct each up to 50; keys
// up to 60, root types of one struct each up to 105. A refusal allocates up to
// 30 times, and keeps nothing.
func (d *Doc) ApplyUpdate(v1 []byte) error {
	if d.load(v1, false) {
		return nil
	}
	if err := d.scratch.decode(v1, false, nil); err != nil {
		return err
	}
	err := d.Apply(&d.scratch)
	d.scratch.b = nil
	return err
}

// Apply integrates an update that was decoded before. The only errors are
// [ErrTooLarge] and [ErrInTransaction].
func (d *Doc) Apply(u *Update) error {
	// A byte of an update makes at most one run and one byte of payload.
	if d.txn.open {
		return ErrInTransaction
	}
	if len(d.runs)+len(u.b) > maxRuns || len(d.pay)+len(u.b) > maxPayload || !d.pending.fits(d, u) {
		return ErrTooLarge
	}
	if len(u.b) > treeLimit {
		d.dropTrees()
	}
	d.tx.begin()
	if d.applyPart(u) {
		again := d.pending.merged()
		d.pending.structs, d.pending.missing = nil, nil
		d.applyPart(again)
	}
	d.cleanup()
	d.check()
	return nil
}

// applyPart applies structs and deletes, and reports whether structs that
// waited from before should be tried again.
//
// Source: yjs encoding.js, readUpdateV2.
func (d *Doc) applyPart(u *Update) (retry bool) {
	waiting := maps.Clone(d.pending.missing) // before more is parked
	d.applyStructs(u)
	for id, clk := range waiting {
		retry = retry || uint64(clk) < d.state(id)
	}
	old := d.pending.deletes
	d.pending.deletes = nil
	set := reader{b: u.b, i: u.ds}
	eachDelete(set, u.dsPlain, func(g DeleteRange) { d.applyDelete(g, set) })
	for _, g := range old {
		d.applyDelete(g, reader{})
	}
	d.pending.deletes = normalize(d.pending.deletes)
	return retry
}

// applyDelete applies a range of a delete set, of which the first that has to wait
// makes room for all: a slice that grows would take several times their memory.
func (d *Doc) applyDelete(g DeleteRange, set reader) {
	rest := d.deleteRange(g)
	if rest == 0 {
		return
	}
	if d.pending.deletes == nil {
		d.pending.deletes = make([]DeleteRange, 0, 1+d.waitingIn(set))
	}
	d.pending.deletes = append(d.pending.deletes, DeleteRange{g.Client, g.end() - rest, rest})
}

// waitingIn returns how many ranges of a delete set have to wait.
func (d *Doc) waitingIn(set reader) (n int) {
	var g DeleteRange
	for r := readDeletes(&set, false); r.next(&g); {
		if uint64(g.end()) > d.state(g.Client) {
			n++
		}
	}
	return n
}

// StateVector returns the next clock of each client.
func (d *Doc) StateVector() StateVector {
	sv := make(StateVector, len(d.clients))
	for i := range d.clients {
		sv[d.ids[i]] = uint64(d.clients[i].next)
	}
	return sv
}

// EncodeStateVector returns the encoded state vector.
func (d *Doc) EncodeStateVector() []byte { return d.StateVector().Encode() }

// DeleteSet returns all deleted elements.
func (d *Doc) DeleteSet() DeleteSet {
	var ds DeleteSet
	for _, c := range d.byClient() {
		id := d.ids[c]
		x := &d.clients[c].index
		for p, ok := x.start(); ok; p, ok = x.next(p) {
			r := &d.runs[x.at(p)]
			if !r.deleted() {
				continue
			}
			if k := len(ds) - 1; k >= 0 && ds[k].Client == id && ds[k].end() == r.clk {
				ds[k].Len += r.n
			} else {
				ds = append(ds, DeleteRange{id, r.clk, r.n})
			}
		}
	}
	return ds
}

// byClient returns the clients in descending order.
func (d *Doc) byClient() []int32 {
	cs := make([]int32, len(d.clients))
	for i := range cs {
		cs[i] = int32(i)
	}
	slices.SortFunc(cs, func(a, b int32) int { return cmp.Compare(d.ids[b], d.ids[a]) })
	return cs
}

// HasPending reports whether structs or deletes wait for elements that have not
// come.
func (d *Doc) HasPending() bool {
	return len(d.pending.structs) > 0 || len(d.pending.deletes) > 0
}

// HasDeleted reports whether every element of the ranges is deleted already.
func (d *Doc) HasDeleted(ranges []DeleteRange) bool {
	for _, g := range ranges {
		c := d.lookup(g.Client)
		if c == none || uint64(g.Clock)+uint64(g.Len) > uint64(d.clients[c].next) {
			return false
		}
		x := &d.clients[c].index
		for p, ok := x.find(d.runs, g.Clock), true; ok; p, ok = x.next(p) {
			r := &d.runs[x.at(p)]
			if r.clk >= g.end() {
				break
			}
			if !r.deleted() {
				return false
			}
		}
	}
	return true
}
