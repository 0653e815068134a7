package audit

import (
	"cmp"
	"iter"
	"slices"

	"golang.org/x/mod/sumdb/tlog"
)

// Sequenced is an entry with its place in the log.
type Sequenced struct {
	N    int64
	Leaf []byte
	Hash tlog.Hash // that the tree has at this place

	Proof   tlog.RecordProof // that it is in the tree of a checkpoint; of a selection only
	Details []byte           // salted, as [Details.Commit] returns them; nil: not handed out
}

// Item is an entry, or a checkpoint of all entries before it.
type Item struct {
	Entry      *Sequenced
	Checkpoint []byte
}

// Check is what a log is checked against.
type Check struct {
	Keys Ring // of the log: somebody knows that they are its own

	// Witnessed are checkpoints that somebody kept elsewhere. Without any, nobody knows whether the end of the log is missing.
	Witnessed [][]byte
	// Witness are the keys of who has signed all of those; zero: they come from somebody who is believed.
	Witness Keys

	// Unsigned allows entries behind the newest checkpoint, as a log has that is at work.
	Unsigned bool
	// Entry is called for each entry that is read, before it is known to be good; nil: nothing is.
	Entry func(Sequenced)
}

// Report is what a check found good.
type Report struct {
	Selection   bool       // these are some entries, and what is between is not known
	Entries     int64      // that a checkpoint is signed for
	Unsigned    int64      // behind the newest one
	Checkpoints int        // that were compared
	Newest      Checkpoint // of the log
	Details     int        // that came with entries, and are theirs
	Witnessed   Checkpoint // the newest one that somebody kept, if any was compared
	Fresh       bool       // one was; of a selection: its checkpoint is of the tree that somebody kept, whatever else is in that
}

// walk goes through a log from its beginning.
type walk struct {
	Check
	report   Report
	witness  []Checkpoint // that are to come, by size
	stated   *Edge        // the tree, of the hashes that it has
	computed *Edge        // and of what entries say; nil: the same
	bad      int64        // the first entry that does not have its hash
	good     int64        // entries that a good checkpoint covers
}

// Verify checks a whole log: that each entry is what the tree has in its place, that each checkpoint is signed by both keys and
// is one of this tree, and that the log has all that was witnessed. The error is a [*Fault], if it is not that of items.
func Verify(items iter.Seq2[Item, error], c Check) (Report, error) {
	w := &walk{Check: c, stated: new(Edge), bad: -1}
	if err := w.openWitnessed(); err != nil {
		return w.report, err
	}
	for item, err := range items {
		switch {
		case err != nil:
		case item.Entry != nil:
			err = w.entry(*item.Entry)
		default:
			err = w.checkpoint(item.Checkpoint)
		}
		if err != nil {
			return w.report, err
		}
	}
	return w.report, w.end()
}

// openWitnessed reads what somebody kept.
func (w *walk) openWitnessed() error {
	for _, signed := range w.Witnessed {
		c, err := w.Keys.Open(signed)
		if err == nil && !w.Witness.IsZero() {
			_, err = w.Witness.Cosigned(w.Keys, signed)
		}
		if err != nil {
			return fault(Unsigned, whole, "a witnessed checkpoint is %v", err)
		}
		w.witness = append(w.witness, c)
	}
	slices.SortFunc(w.witness, func(a, b Checkpoint) int { return cmp.Compare(a.Size, b.Size) })
	return nil
}

// entry takes the next entry.
func (w *walk) entry(s Sequenced) error {
	next := w.stated.Size()
	if s.N > next {
		return &Fault{Missing, next, s.N - 1, "the log goes on behind it, without it"}
	}
	if s.N < next {
		return fault(Misplaced, s.N, "it comes again, or behind entry %d", next-1)
	}
	if err := w.compareOthers(); err != nil {
		return err
	}
	if w.Entry != nil {
		w.Entry(s)
	}
	hash := HashOf(s.Leaf)
	if hash != s.Hash && w.bad < 0 {
		w.bad, w.computed = s.N, w.stated.clone()
	}
	w.stated.Append(s.Hash)
	if w.computed != nil {
		w.computed.Append(hash)
	}
	return w.details(s)
}

func (w *walk) details(s Sequenced) error {
	if s.Details == nil {
		return nil
	}
	e, err := ParseEntry(s.Leaf)
	if err == nil {
		_, err = OpenDetails(s.Details, e.Commitment)
	}
	if err != nil {
		return fault(Opened, s.N, "%v", err)
	}
	w.report.Details++
	return nil
}

// checkpoint compares the tree with the next checkpoint.
func (w *walk) checkpoint(signed []byte) error {
	c, err := w.Keys.Open(signed)
	if err != nil {
		return fault(Unsigned, whole, "the checkpoint behind entry %d is %v", w.stated.Size()-1, err)
	}
	switch size := w.stated.Size(); {
	case c.Size > size:
		return &Fault{Missing, size, c.Size - 1, "a checkpoint is signed for it, and it is not there"}
	case c.Size < size:
		return fault(Misplaced, whole, "the checkpoint of %d entries stands behind %d", c.Size, size)
	}
	if err := w.compareTree(c); err != nil {
		return err
	}
	if err := w.compareOthers(); err != nil {
		return err
	}
	w.good, w.report.Newest, w.report.Entries = c.Size, c, c.Size
	w.report.Checkpoints++
	return nil
}

// compareTree says which entry is not the one that c is signed for.
func (w *walk) compareTree(c Checkpoint) error {
	root, err := w.stated.Root()
	if err != nil {
		return err
	}
	if root == c.Root && w.bad < 0 {
		return nil
	}
	if root == c.Root {
		return fault(Changed, w.bad, "it does not say what it said when it was sequenced")
	}
	if w.computed != nil {
		if root, err = w.computed.Root(); err != nil {
			return err
		}
		if root == c.Root {
			return fault(Changed, w.bad, "the entry is the one that was sequenced, but the tree beside it was changed here")
		}
	}
	return &Fault{Changed, w.good, c.Size - 1, "one of them, or their order, is not what the checkpoint behind them is signed for"}
}

// compareOthers compares the tree with what was signed for this size beside checkpoints.
func (w *walk) compareOthers() error {
	if signed, is := w.Keys.rootAt(w.stated.Size()); is {
		root, err := w.stated.Root()
		if err != nil {
			return err
		}
		if root != signed {
			return &Fault{Forked, w.good, w.stated.Size() - 1, "one of them is not what it was when the keys were handed over"}
		}
	}
	return w.compareWitness()
}

// compareWitness compares the tree with what was witnessed at this size.
func (w *walk) compareWitness() error {
	for len(w.witness) > 0 && w.witness[0].Size == w.stated.Size() {
		kept := w.witness[0]
		root, err := w.stated.Root()
		if err != nil {
			return err
		}
		if root != kept.Root {
			return &Fault{Forked, w.good, kept.Size - 1, "one of them is not what a witness was shown at " + kept.At.Format(leafTime)}
		}
		w.witness, w.report.Witnessed, w.report.Fresh = w.witness[1:], kept, true
	}
	return nil
}

// end says what is missing behind the last item.
func (w *walk) end() error {
	w.report.Unsigned = w.stated.Size() - w.good
	switch {
	case w.bad >= 0:
		return fault(Changed, w.bad, "it does not say what the tree has in its place")
	case w.report.Checkpoints == 0:
		return fault(Unsigned, whole, "there is no checkpoint")
	case w.report.Unsigned > 0 && !w.Unsigned:
		return &Fault{Unsigned, w.good, w.stated.Size() - 1, "no checkpoint is signed for it"}
	}
	if err := w.compareOthers(); err != nil {
		return err
	}
	if had := w.Keys.handedOver(); had > w.stated.Size() {
		return &Fault{RolledBack, w.stated.Size(), had - 1, "the keys were handed over behind it, and it is not there any more"}
	}
	if len(w.witness) > 0 {
		kept := w.witness[len(w.witness)-1]
		return &Fault{RolledBack, w.stated.Size(), kept.Size - 1, "a witness was shown it by " + kept.At.Format(leafTime) + ", and it is not there any more"}
	}
	return nil
}

// VerifySelection checks some entries of a log: that each is in the tree of the one checkpoint that comes first.
func VerifySelection(items iter.Seq2[Item, error], c Check) (Report, error) {
	w := &walk{Check: c, report: Report{Selection: true}}
	if err := w.openWitnessed(); err != nil {
		return w.report, err
	}
	last := int64(-1)
	for item, err := range items {
		switch {
		case err != nil:
		case item.Entry == nil:
			err = w.selectionOf(item.Checkpoint)
		default:
			err = w.selected(*item.Entry, last)
			last = item.Entry.N
		}
		if err != nil {
			return w.report, err
		}
	}
	if w.report.Checkpoints == 0 {
		return w.report, fault(Unsigned, whole, "there is no checkpoint")
	}
	return w.report, nil
}

func (w *walk) selectionOf(signed []byte) error {
	c, err := w.Keys.Open(signed)
	if err != nil || w.report.Checkpoints > 0 {
		return fault(Unsigned, whole, "the checkpoint is %v", cmp.Or(err, ErrCheckpoint))
	}
	for _, kept := range w.witness {
		switch {
		case kept.Size == c.Size && kept.Root != c.Root:
			return fault(Forked, whole, "of the same size, a witness was shown another tree at %s", kept.At.Format(leafTime))
		case kept.Size == c.Size:
			w.report.Witnessed, w.report.Fresh = kept, true
		}
	}
	w.report.Newest, w.report.Checkpoints = c, 1
	return nil
}

func (w *walk) selected(s Sequenced, last int64) error {
	c := w.report.Newest
	switch {
	case w.report.Checkpoints == 0:
		return fault(Unsigned, s.N, "no checkpoint comes before it")
	case s.N <= last:
		return fault(Misplaced, s.N, "it comes again, or behind entry %d", last)
	case s.N >= c.Size:
		return fault(Unproven, s.N, "the log had %d entries", c.Size)
	}
	if err := tlog.CheckRecord(s.Proof, c.Size, c.Root, s.N, HashOf(s.Leaf)); err != nil {
		return fault(Unproven, s.N, "it is not the one that the log has there")
	}
	if w.Entry != nil {
		w.Entry(s)
	}
	w.report.Entries++
	return w.details(s)
}
