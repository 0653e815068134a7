package audit

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"iter"

	"golang.org/x/mod/sumdb/tlog"
)

// A bundle is a text file, of a line of JSON for each entry and each checkpoint. Its first line says whose log it is of, its
// last one that it is whole.
const (
	bundleVersion = 1
	maxLine       = MaxRing // bytes (I10)
)

// bundleLine is any of them.
type bundleLine struct {
	Bundle    int    `json:"bundle,omitempty"`
	Selection bool   `json:"selection,omitempty"`
	Keys      string `json:"keys,omitempty"`

	Statements []string `json:"statements,omitempty"` // by which the keys changed

	Entry   *int64           `json:"entry,omitempty"`
	Leaf    json.RawMessage  `json:"leaf,omitempty"`
	Hash    *tlog.Hash       `json:"hash,omitempty"`
	Proof   tlog.RecordProof `json:"proof,omitempty"`
	Details []byte           `json:"details,omitempty"`

	Checkpoint string `json:"checkpoint,omitempty"`

	End *int64 `json:"end,omitempty"` // how many entries there were
}

// BundleWriter writes a bundle. Entries and checkpoints are to be written in the order in which [Verify] takes them; of a
// selection the checkpoint first.
type BundleWriter struct {
	out     *bufio.Writer
	lines   *json.Encoder
	entries int64
}

// NewBundle begins a bundle of a log, or of some entries of one.
func NewBundle(w io.Writer, keys Ring, selection bool) (*BundleWriter, error) {
	b := &BundleWriter{out: bufio.NewWriter(w)}
	b.lines = json.NewEncoder(b.out)
	b.lines.SetEscapeHTML(false)
	e := keys.encoded()
	return b, b.lines.Encode(bundleLine{Bundle: bundleVersion, Selection: selection, Keys: e.Keys, Statements: e.Statements})
}

// Write adds an item.
func (b *BundleWriter) Write(item Item) error {
	if item.Entry == nil {
		return b.lines.Encode(bundleLine{Checkpoint: string(item.Checkpoint)})
	}
	b.entries++
	s := item.Entry
	line := bundleLine{Entry: &s.N, Leaf: s.Leaf, Proof: s.Proof, Details: s.Details}
	if s.Proof == nil {
		line.Hash = &s.Hash
	}
	return b.lines.Encode(line)
}

// Close ends the bundle. What it writes to stays open.
func (b *BundleWriter) Close() error {
	return errors.Join(b.lines.Encode(bundleLine{End: &b.entries}), b.out.Flush())
}

// ErrBundle means that a file is no bundle that this version reads.
var ErrBundle = errors.New("not a bundle of an audit log")

// Bundle is one that is read.
type Bundle struct {
	Keys      Ring // that it says the log has; whether it is that log, somebody else has to know
	Selection bool

	lines *bufio.Reader
	read  int64 // entries
}

// OpenBundle reads the beginning of a bundle.
func OpenBundle(r io.Reader) (*Bundle, error) {
	b := &Bundle{lines: bufio.NewReaderSize(r, 64<<10)}
	first, err := b.next()
	if err != nil || first.Bundle != bundleVersion {
		return nil, ErrBundle
	}
	b.Keys, err = encodedRing{first.Keys, first.Statements}.ring()
	if errors.Is(err, ErrKeys) {
		return nil, ErrBundle
	}
	if err != nil {
		return nil, fault(Unsigned, whole, "%v", err)
	}
	b.Selection = first.Selection
	return b, nil
}

// Verify checks all that the bundle holds. It can be called once.
func (b *Bundle) Verify(c Check) (Report, error) {
	if b.Selection {
		return VerifySelection(b.items(), c)
	}
	return Verify(b.items(), c)
}

// items are what follows. A file that ends before its end is a fault.
func (b *Bundle) items() iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		for {
			line, err := b.next()
			if errors.Is(err, io.EOF) {
				err = fault(Incomplete, whole, "it ends behind %d entries, and does not say so", b.read)
			}
			if err == nil && line.End != nil {
				if *line.End != b.read {
					err = fault(Incomplete, whole, "it has %d entries, and says %d", b.read, *line.End)
				} else if _, more := b.next(); !errors.Is(more, io.EOF) {
					err = fault(Incomplete, whole, "something comes behind its end")
				} else {
					return
				}
			}
			if err != nil {
				yield(Item{}, err)
				return
			}
			if !yield(b.item(line)) {
				return
			}
		}
	}
}

func (b *Bundle) item(line bundleLine) (Item, error) {
	switch {
	case line.Checkpoint != "":
		return Item{Checkpoint: []byte(line.Checkpoint)}, nil
	case line.Entry == nil || line.Leaf == nil || !b.Selection && line.Hash == nil:
		return Item{}, fault(Incomplete, whole, "what comes behind %d entries is neither an entry nor a checkpoint", b.read)
	}
	b.read++
	s := &Sequenced{N: *line.Entry, Leaf: line.Leaf, Proof: line.Proof, Details: line.Details}
	if line.Hash != nil {
		s.Hash = *line.Hash
	}
	return Item{Entry: s}, nil
}

// next reads a line.
func (b *Bundle) next() (line bundleLine, err error) {
	var text []byte
	for more := true; more; {
		var part []byte
		part, err = b.lines.ReadSlice('\n')
		more = errors.Is(err, bufio.ErrBufferFull)
		if text = append(text, part...); len(text) > maxLine {
			return line, fault(Incomplete, whole, "a line behind %d entries is longer than any", b.read)
		}
	}
	if errors.Is(err, io.EOF) && len(text) > 0 {
		return line, fault(Incomplete, whole, "it ends within a line behind %d entries", b.read)
	}
	if err != nil {
		return line, err
	}
	in := json.NewDecoder(bytes.NewReader(text))
	in.DisallowUnknownFields()
	if in.Decode(&line) != nil {
		return line, fault(Incomplete, whole, "the line behind %d entries cannot be read", b.read)
	}
	return line, nil
}
