// Package vault seals what the database holds, so that whoever has the database, its log, its backups or its disk
// has nothing to read, now or when there are quantum computers.
//
// It works in two steps. What belongs together, such as the secrets of one person, is sealed by a data key: 32 random
// bytes that are used for nothing else. The data key is wrapped to the key-encryption key and lies in the database
// beside what it seals. The key-encryption key never does: it is in a file (see [ReadFile]).
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
	"crypto/hmac"
	"crypto/hpke"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"

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
	OfPerson Scope = 1 // secrets by which somebody signs in
	OfNote   Scope = 2 // the log of a note, and what is derived from it
)

// Name names a data key. It is bound into all that the key wraps to and seals.
type Name struct {
	Scope Scope
	Owner uuid.UUID // whose
	Epoch uint32    // which of the owner's, from 1
}

// Wrapped is a data key as it is stored.
type Wrapped struct {
	KEK        KeyID  // whom it is wrapped to
	Sealed     []byte // see the package comment
	Commitment []byte // 32 bytes, to the data key
	Tag        []byte // 32 bytes, of all else
}

// Vault holds a key-encryption key. It is static, and any number of goroutines may use it.
type Vault struct {
	tenant uuid.UUID
	key    hpke.PrivateKey
	id     KeyID
	tags   []byte // the key of wrapped keys' tags
}

// New returns the vault of a secret.
func New(s Secret) (*Vault, error) {
	key, err := hpke.MLKEM768X25519().NewPrivateKey(expand(s.root[:], "tidechart/kek-seed/v1", s.tenant[:]))
	if err != nil {
		return nil, errors.New("make key-encryption key")
	}
	v := &Vault{tenant: s.tenant, key: key, tags: expand(s.root[:], "tidechart/wrap-tag/v1", s.tenant[:])}
	h := sha256.New()
	h.Write([]byte("tidechart/kek-id/v1"))
	h.Write(v.tenant[:])
	h.Write(key.PublicKey().Bytes())
	copy(v.id[:], h.Sum(nil))
	return v, nil
}

// ID names the key-encryption key.
func (v *Vault) ID() KeyID { return v.id }

// NewKey makes a data key, and wraps it.
func (v *Vault) NewKey(name Name) (*Key, Wrapped, error) {
	var secret [keySize]byte
	_, _ = rand.Read(secret[:]) // never fails
	sealed, err := hpke.Seal(v.key.PublicKey(), hpke.HKDFSHA256(), hpke.AES256GCM(), v.info(suite1, name), secret[:])
	if err != nil {
		return nil, Wrapped{}, errors.New("wrap data key")
	}
	w := Wrapped{KEK: v.id, Sealed: append([]byte{suite1}, sealed...), Commitment: commitment(secret[:], name)}
	w.Tag = v.tag(name, w)
	return newKey(v.tenant, name, secret), w, nil
}

// Unwrap returns the data key of that name. The error is [ErrOtherKey], [ErrSuite], or [ErrTampered] if this vault did not
// make w for that name.
func (v *Vault) Unwrap(name Name, w Wrapped) (*Key, error) {
	if w.KEK != v.id {
		return nil, fmt.Errorf("data key: %w", ErrOtherKey)
	}
	if !hmac.Equal(w.Tag, v.tag(name, w)) {
		return nil, fmt.Errorf("data key: %w", ErrTampered)
	}
	if len(w.Sealed) == 0 || !allowed(w.Sealed[0]) {
		return nil, fmt.Errorf("data key: %w", ErrSuite)
	}
	plain, err := hpke.Open(v.key, hpke.HKDFSHA256(), hpke.AES256GCM(), v.info(w.Sealed[0], name), w.Sealed[1:])
	if err != nil || len(plain) != keySize || subtle.ConstantTimeCompare(w.Commitment, commitment(plain, name)) != 1 {
		return nil, fmt.Errorf("data key: %w", ErrTampered)
	}
	return newKey(v.tenant, name, [keySize]byte(plain)), nil
}

// info is what HPKE binds a wrapped key to.
func (v *Vault) info(suite byte, name Name) []byte {
	b := append([]byte("tidechart/wrap/v1"), suite)
	b = append(b, v.tenant[:]...)
	return append(name.append(b), v.id[:]...)
}

// tag authenticates a wrapped key. Each part has a length of its own, or is hashed, so that none can reach into another.
func (v *Vault) tag(name Name, w Wrapped) []byte {
	sealed, commitment := sha256.Sum256(w.Sealed), sha256.Sum256(w.Commitment)
	mac := hmac.New(sha256.New, v.tags)
	mac.Write(name.append([]byte("tidechart/wrap-row/v1")))
	mac.Write(w.KEK[:])
	mac.Write(sealed[:])
	mac.Write(commitment[:])
	return mac.Sum(nil)
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
