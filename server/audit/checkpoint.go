package audit

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Checkpoint says that the log had so many entries at a time, and that this was their tree.
type Checkpoint struct {
	Origin string // name of the log
	Size   int64
	Root   tlog.Hash
	At     time.Time
}

// MaxCheckpoint bounds a signed checkpoint, in bytes: those of a log and of some witnesses are a few thousand each (I10).
const MaxCheckpoint = 64 << 10

// Errors of checkpoints.
var (
	ErrCheckpoint = errors.New("not a checkpoint")
	// ErrSignature means that a checkpoint is not signed by both keys of who should have signed it.
	ErrSignature = errors.New("not signed as it has to be")

	errNeither = fmt.Errorf("%w: neither signature", ErrSignature)
)

const timeLine = "time "

// text is what is signed: C2SP tlog-checkpoint, with a line of ours that says when.
func (c Checkpoint) text() string {
	return fmt.Sprintf("%s\n%d\n%s\n%s%s\n", c.Origin, c.Size, c.Root, timeLine, c.At.UTC().Format(leafTime))
}

func parseCheckpoint(text string) (c Checkpoint, err error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 5 || lines[4] != "" {
		return c, ErrCheckpoint
	}
	c.Origin = lines[0]
	size, bad := strconv.ParseInt(lines[1], 10, 64)
	if c.Root, err = tlog.ParseHash(lines[2]); err != nil || bad != nil {
		return c, ErrCheckpoint
	}
	c.Size = size
	at, is := strings.CutPrefix(lines[3], timeLine)
	if c.At, err = time.Parse(leafTime, at); err != nil || !is || size < 0 || c.text() != text {
		return c, ErrCheckpoint
	}
	return c, nil
}

// SignCheckpoint signs a checkpoint of the log that is called as s is.
func (s *Signer) SignCheckpoint(c Checkpoint) ([]byte, error) {
	c.Origin = s.name
	return s.sign(&note.Note{Text: c.text()})
}

// Open reads a checkpoint that is signed by both keys: a good signature by one of them is not enough. Others may have signed
// it as well. The error is [ErrSignature] or [ErrCheckpoint].
func (k Keys) Open(signed []byte) (Checkpoint, error) {
	n, err := k.open(signed)
	if err != nil {
		return Checkpoint{}, err
	}
	c, err := parseCheckpoint(n.Text)
	if err == nil && c.Origin != k.Name() {
		err = fmt.Errorf("%w of this log", ErrCheckpoint)
	}
	return c, err
}

// OpenText returns the text of a signed note, if both keys have signed it. The error is [ErrSignature], which says what of it is
// wrong, or [ErrCheckpoint] for what is no signed note at all.
func (k Keys) OpenText(signed []byte) (string, error) {
	n, err := k.open(signed)
	if err != nil {
		return "", err
	}
	return n.Text, nil
}

func (k Keys) open(signed []byte) (*note.Note, error) {
	if len(signed) > MaxCheckpoint {
		return nil, ErrCheckpoint
	}
	n, err := note.Open(signed, note.VerifierList(k.classic, k.quantum))
	var wrong *note.InvalidSignatureError
	var none *note.UnverifiedNoteError
	switch {
	case errors.As(err, &wrong) && wrong.Hash == k.quantum.KeyHash():
		return nil, fmt.Errorf("%w: the ML-DSA-65 signature is wrong", ErrSignature)
	case errors.As(err, &wrong):
		return nil, fmt.Errorf("%w: the Ed25519 signature is wrong", ErrSignature)
	case errors.As(err, &none):
		return nil, fmt.Errorf("%w of %s is there", errNeither, k.Name())
	case err != nil:
		return nil, ErrCheckpoint
	}
	// A note is open when one known key has signed it. Here every one has to have.
	signedBy := make(map[uint32]bool)
	for _, sig := range n.Sigs {
		signedBy[sig.Hash] = true
	}
	switch {
	case !signedBy[k.quantum.KeyHash()]:
		return nil, fmt.Errorf("%w: the ML-DSA-65 signature is missing", ErrSignature)
	case !signedBy[k.classic.KeyHash()]:
		return nil, fmt.Errorf("%w: the Ed25519 signature is missing", ErrSignature)
	}
	return n, nil
}

// Cosign adds a witness's signatures to a checkpoint that log has signed.
func (s *Signer) Cosign(log Ring, signed []byte) ([]byte, error) {
	n, _, err := log.open(signed)
	if err != nil {
		return nil, err
	}
	return s.sign(n)
}

// Cosigned reads a checkpoint of log that a witness has signed, too.
func (k Keys) Cosigned(log Ring, signed []byte) (Checkpoint, error) {
	c, err := log.Open(signed)
	if err == nil {
		_, err = k.open(signed)
	}
	return c, err
}
