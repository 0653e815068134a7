package audit

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Ring is the keys of a log, from its first pair on. Each pair hands over to the next by a statement that both have signed, for the
// tree as it was then: whoever trusts one of them can follow to all others. The zero Ring is no log's.
type Ring struct {
	keys       []Keys
	statements [][]byte     // keys[i+1] by statements[i]
	from       []Checkpoint // from[i] is that of statements[i]
}

// Limits of rings (I10).
const (
	// MaxRing bounds an encoded ring, in bytes.
	MaxRing = 1 << 20
	maxKeys = 64 // pairs of one log; each statement has some twelve thousand bytes
)

// ErrStatement means that keys were not handed over as they have to be.
var ErrStatement = errors.New("the log's keys were not handed over as they have to be")

// NewRing returns the keys that begin with first and go on as the statements say, each of which is checked: the error is
// [ErrStatement] or [ErrSignature].
func NewRing(first Keys, statements ...[]byte) (Ring, error) {
	r := Ring{keys: []Keys{first}}
	if len(statements) >= maxKeys {
		return Ring{}, ErrStatement
	}
	for _, signed := range statements {
		next, at, err := r.Newest().handOver(signed)
		if err != nil {
			return Ring{}, err
		}
		if len(r.from) > 0 && at.Size < r.from[len(r.from)-1].Size || r.Has(next) {
			return Ring{}, ErrStatement
		}
		r.keys, r.statements, r.from = append(r.keys, next), append(r.statements, signed), append(r.from, at)
	}
	return r, nil
}

// Only returns a ring of one pair.
func Only(keys Keys) Ring { return Ring{keys: []Keys{keys}} }

// Newest is the pair that signs now.
func (r Ring) Newest() Keys { return r.keys[len(r.keys)-1] }

// Name is that of the log.
func (r Ring) Name() string { return r.Newest().Name() }

// Len is how many pairs there were.
func (r Ring) Len() int { return len(r.keys) }

// Has reports whether a pair is one of the log's.
func (r Ring) Has(keys Keys) bool {
	return slices.ContainsFunc(r.keys, func(k Keys) bool { return k.String() == keys.String() })
}

// HasFingerprint reports whether a pair that has that fingerprint is one of the log's.
func (r Ring) HasFingerprint(fingerprint string) bool {
	return slices.ContainsFunc(r.keys, func(k Keys) bool { return k.Fingerprint() == fingerprint })
}

// Extends reports whether r goes on where another ring ended, or is that.
func (r Ring) Extends(before Ring) bool {
	return len(r.keys) >= len(before.keys) && slices.EqualFunc(r.keys[:len(before.keys)], before.keys, func(a, b Keys) bool { return a.String() == b.String() })
}

// Open reads a checkpoint that is signed by both keys of the pair that signed when the log had its size: keys that were replaced do
// not sign what comes after. The error is [ErrSignature] or [ErrCheckpoint].
func (r Ring) Open(signed []byte) (Checkpoint, error) {
	_, c, err := r.open(signed)
	return c, err
}

func (r Ring) open(signed []byte) (*note.Note, Checkpoint, error) {
	for i := len(r.keys) - 1; i >= 0; i-- {
		c, err := r.keys[i].Open(signed)
		if errors.Is(err, errNeither) && i > 0 {
			continue
		}
		if err != nil {
			return nil, c, err
		}
		if i < len(r.from) && c.Size > r.from[i].Size || i > 0 && c.Size < r.from[i-1].Size {
			return nil, c, fmt.Errorf("%w: these keys did not sign when the log had %d entries", ErrSignature, c.Size)
		}
		n, err := r.keys[i].open(signed)
		return n, c, err
	}
	return nil, Checkpoint{}, ErrSignature
}

// keysLine begins the line of a statement that names who hands over; the new pair follows.
const keysLine = "hands over from "

// HandOver returns the statement that from c on another signer, of the same name, signs instead. Both sign it.
func (s *Signer) HandOver(to *Signer, c Checkpoint) ([]byte, error) {
	if to.name != s.name {
		return nil, ErrStatement
	}
	c.Origin = s.name
	text := c.text() + keysLine + s.keys.Fingerprint() + "\n" + to.keys.String()
	return note.Sign(&note.Note{Text: text}, append(s.signings(), to.signings()...)...)
}

// handOver reads a statement of k's: to whom, and for which tree.
func (k Keys) handOver(signed []byte) (next Keys, at Checkpoint, err error) {
	n, err := k.open(signed)
	if err != nil {
		return next, at, err
	}
	point, rest, is := strings.Cut(n.Text, keysLine)
	if !is {
		return next, at, ErrStatement
	}
	if at, err = parseCheckpoint(point); err != nil || at.Origin != k.Name() {
		return next, at, ErrStatement
	}
	from, keys, _ := strings.Cut(rest, "\n")
	if next, err = ParseKeys(keys); err != nil || next.String() != keys || next.Name() != k.Name() || from != k.Fingerprint() {
		return next, at, ErrStatement
	}
	_, err = next.open(signed)
	return next, at, err
}

// encodedRing is a ring as others read it, and as bundles begin.
type encodedRing struct {
	Keys       string   `json:"keys"`                 // the first
	Statements []string `json:"statements,omitempty"` // in their order
}

func (r Ring) encoded() (e encodedRing) {
	e.Keys = r.keys[0].String()
	for _, s := range r.statements {
		e.Statements = append(e.Statements, string(s))
	}
	return e
}

func (e encodedRing) ring() (Ring, error) {
	first, err := ParseKeys(e.Keys)
	if err != nil {
		return Ring{}, err
	}
	var statements [][]byte
	for _, s := range e.Statements {
		statements = append(statements, []byte(s))
	}
	return NewRing(first, statements...)
}

// Encode writes all of it, which is nothing secret.
func (r Ring) Encode() []byte {
	text, err := json.Marshal(r.encoded())
	if err != nil {
		panic("audit: " + err.Error()) // strings have an encoding
	}
	return append(text, '\n')
}

// ParseRing reads what Encode wrote, and checks each statement.
func ParseRing(text []byte) (Ring, error) {
	var e encodedRing
	if err := json.Unmarshal(text, &e); err != nil {
		return Ring{}, ErrKeys
	}
	return e.ring()
}

// rootAt returns the tree for which keys were handed over at a size, if they were.
func (r Ring) rootAt(size int64) (root tlog.Hash, is bool) {
	for _, c := range r.from {
		if c.Size == size {
			return c.Root, true
		}
	}
	return root, false
}

// handedOver is the size at which keys were handed over last; 0: they never were.
func (r Ring) handedOver() int64 {
	if len(r.from) == 0 {
		return 0
	}
	return r.from[len(r.from)-1].Size
}
