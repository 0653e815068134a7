// Package signature is what it means that somebody signed a note, and how anybody finds out, away from here and without trusting
// the server that made it, whether that is so.
//
//	content      the note in a canonical form: equal bytes for documents that read equally, whatever updates made them
//	attribution  who wrote which of it, in the same order
//	statement    who signed, as what, when, and what: the hashes of both, the note, its place in the log, the signature before
//	signature    the statement as a signed note (C2SP), by Ed25519 and by ML-DSA-65; neither is enough
//	bundle       all of that for a note and its addenda in one file, with public keys and proofs that the log of acts has it
//
// The package does no I/O. It knows no database and no key file; keys are those of package audit, for a use of their own.
package signature

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
)

// Limits (I10), in bytes.
const (
	MaxContent     = 32 << 20 // of a note's canonical form: twice a whole note
	MaxAttribution = 32 << 20
	maxName        = 200 // of a person's, as it is printed
	maxWord        = 64  // of a role, a kind, a fingerprint
	maxSignatures  = 100 // of one note
	// MaxSigned bounds a signed statement: both signatures are some five thousand bytes.
	MaxSigned = 16 << 10
)

// Hash is a SHA-256.
type Hash [sha256.Size]byte

// HashOf returns the hash of some bytes.
func HashOf(b []byte) Hash { return sha256.Sum256(b) }

// String is the hash in hexadecimal digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// ParseHash reads what String returns.
func ParseHash(text string) (h Hash, err error) {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(h) || hex.EncodeToString(b) != text {
		return h, errors.New("not a hash of 64 hexadecimal digits")
	}
	return Hash(b), nil
}

// ErrTooLarge means that a note is larger than one that can be signed.
var ErrTooLarge = fmt.Errorf("larger than a note that can be signed: %d bytes in its canonical form", MaxContent)
