// Package vault seals what the database holds, so that whoever has the database, its log, its backups or its disk
// has nothing to read, now or when there are quantum computers.
//
// It works in two steps. What belongs together, such as the secrets of one person, is sealed by a data key: 32 random
// bytes that are used for nothing else. The data key is wrapped to the key-encryption key and lies in the database
// beside what it seals. The key-encryption key never does: it is in a file (see [ReadFile]). There may be several, of which one
// wraps what is new; the others open what they wrapped until that has been wrapped anew.
//
//	file      tenant ‖ root
//	root      HKDF-Expand → X-Wing seed: the key-encryption key; and the key of the tags
//	data key  HPKE(X-Wing, HKDF-SHA256, AES-256-GCM) to the key-encryption key; commitment; tag
//	record    AES-256-GCM with a random nonce, by a key that HKDF-Expand makes of the data key for its kind
//
// Everything stored says by which suite it is sealed, in its first byte; only what suites lists is opened.
//
//	wrapped   suite(1) ‖ encapsulation(1120) ‖ sealed data key(32) ‖ GCM tag(16)
//	record    suite(1) ‖ epoch(4) ‖ nonce(12) ‖ ciphertext ‖ GCM tag(16)
//
// HPKE proves nothing about who wrapped: anybody who knows the public key can put a data key of their own in the place of
// another. So each wrapped key carries an HMAC by a key that is derived from root, which is looked at before anything else.
// GCM does not commit to its key, so that one ciphertext can be made to open under two; the commitment, which is compared
// after unwrapping, is of one data key only.
package vault

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"

	"github.com/google/uuid"
)

// Errors of what does not open. They say neither key nor content.
var (
	// ErrSuite means that something was sealed in a way that this version does not know, or does not allow any more.
	ErrSuite = errors.New("sealed by an unknown suite")
	// ErrTampered means that something is not what this vault sealed for this place: it was changed, or comes from
	// somewhere else.
	ErrTampered = errors.New("sealed data is damaged, or was tampered with")
	// ErrOtherKey means that a data key is wrapped to a key-encryption key that is not this vault's.
	ErrOtherKey = errors.New("sealed for another key")
)

// suite1 is X-Wing (ML-KEM-768 with X25519) by HPKE, HKDF-SHA256, HMAC-SHA256 and AES-256-GCM with random nonces.
const suite1 = 1

// allowed is the list of suites that are opened.
func allowed(suite byte) bool { return suite == suite1 }

// keySize is that of every symmetric key here, in bytes.
const keySize = 32

// KeyID names a key-encryption key, and reveals nothing of it.
type KeyID [16]byte

// String returns the id as operators see it.
func (id KeyID) String() string { return hex.EncodeToString(id[:]) }

// Scope says what kind of thing a data key is of.
type Scope byte

// The scopes.
const (
	OfPerson   Scope = 1  // secrets by which somebody signs in
	OfNote     Scope = 2  // the log of a note, and what is derived from it
	OfPatient  Scope = 3  // who somebody is, and what was said about access to their record
	OfHospital Scope = 4  // hashes by which something is found, and what belongs to no record
	OfAudit    Scope = 10 // the log of who did what
)

// Name names a data key. It is bound into all that the key wraps to and seals.
type Name struct {
	Scope Scope
	Owner uuid.UUID // whose
	Epoch uint32    // which of the owner's, from 1
}

// commitment is to one data key, and tells nothing of it.
func commitment(key []byte, name Name) []byte {
	return expand(key, "tidechart/commit/v1", name.append(nil))
}

// append writes the name in 21 bytes.
func (n Name) append(b []byte) []byte {
	b = append(append(b, byte(n.Scope)), n.Owner[:]...)
	return binary.BigEndian.AppendUint32(b, n.Epoch)
}

// expand derives a key for one purpose from a uniformly random one.
func expand(key []byte, purpose string, context []byte) []byte {
	out, err := hkdf.Expand(sha256.New, key, purpose+"\x00"+string(context), keySize)
	if err != nil {
		panic("vault: " + err.Error()) // only for lengths that no call here has
	}
	return out
}
