package audit

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/cloudflare/circl/sign/mldsa/mldsa65"
	"golang.org/x/mod/sumdb/note"
)

// SeedSize is how many random bytes a [Signer] is made of: a seed for each of its two algorithms.
const SeedSize = ed25519.SeedSize + mldsa65.SeedSize

// Use is what keys sign. No key and no signature of one use is taken for one of another.
type Use struct {
	// alg begins keys of ML-DSA-65 in signed notes, which have no number for it: 0xff and a name of one's own.
	alg string
	// context is that of ML-DSA signatures. What Ed25519 signs, which has none, begins with another line in each use.
	context []byte
}

// The uses.
var (
	Checkpoints = &Use{"\xfftidechart ml-dsa-65 v1\x00", []byte("tidechart/checkpoint/v1")}
	Statements  = &Use{"\xfftidechart ml-dsa-65 note v1\x00", []byte("tidechart/signature/v1")} // of who signs patients' notes: server/signature
)

// Signer signs by both algorithms, for one use. It is static.
type Signer struct {
	name    string
	use     *Use
	ed25519 ed25519.PrivateKey
	mldsa   *mldsa65.PrivateKey
	keys    Keys
}

// NewSeed makes what a signer is made of.
func NewSeed() []byte {
	seed := make([]byte, SeedSize)
	_, _ = rand.Read(seed) // never fails
	return seed
}

// NewSigner returns the signer of checkpoints that has a name and a seed. A name has neither spaces nor a plus.
func NewSigner(name string, seed []byte) (*Signer, error) { return Checkpoints.NewSigner(name, seed) }

// NewSigner returns the signer that has a name and a seed.
func (u *Use) NewSigner(name string, seed []byte) (*Signer, error) {
	if len(seed) != SeedSize || !validName(name) {
		return nil, errors.New("not a signer's name and seed")
	}
	s := &Signer{name: name, use: u, ed25519: ed25519.NewKeyFromSeed(seed[:ed25519.SeedSize])}
	public, secret := mldsa65.NewKeyFromSeed((*[mldsa65.SeedSize]byte)(seed[ed25519.SeedSize:]))
	s.mldsa = secret
	classic, err := note.NewEd25519VerifierKey(name, s.ed25519.Public().(ed25519.PublicKey))
	if err != nil {
		return nil, err
	}
	s.keys, err = u.ParseKeys(classic + "\n" + u.mldsaKey(name, public.Bytes()))
	return s, err
}

func validName(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == '+' || r > '~' })
}

// Keys returns what it takes to check what s signs.
func (s *Signer) Keys() Keys { return s.keys }

// SignText signs a text, which ends with a newline, as a signed note (C2SP signed-note).
func (s *Signer) SignText(text string) ([]byte, error) { return s.sign(&note.Note{Text: text}) }

// sign adds both signatures to a note.
func (s *Signer) sign(n *note.Note) ([]byte, error) { return note.Sign(n, s.signings()...) }

// signings are who signs: both.
func (s *Signer) signings() []note.Signer {
	return []note.Signer{
		signing{s.keys.classic, func(msg []byte) ([]byte, error) { return ed25519.Sign(s.ed25519, msg), nil }},
		signing{s.keys.quantum, func(msg []byte) ([]byte, error) {
			sig := make([]byte, mldsa65.SignatureSize)
			return sig, mldsa65.SignTo(s.mldsa, msg, s.use.context, true, sig)
		}},
	}
}

// signing is a verifier that signs, too.
type signing struct {
	note.Verifier
	do func(msg []byte) ([]byte, error)
}

func (s signing) Sign(msg []byte) ([]byte, error) { return s.do(msg) }

// Keys are the public keys of a log, of a witness, or of who signs notes: both, under one name.
type Keys struct {
	text             string
	classic, quantum note.Verifier
}

// Name is that of the log or the witness.
func (k Keys) Name() string { return k.classic.Name() }

// String returns both keys, a line each, as [ParseKeys] reads them. There is nothing secret in them.
func (k Keys) String() string { return k.text }

// IsZero reports whether there are none.
func (k Keys) IsZero() bool { return k.classic == nil }

// Fingerprint is short enough to be compared by people.
func (k Keys) Fingerprint() string {
	sum := sha256.Sum256([]byte(k.text))
	return fmt.Sprintf("%x-%x-%x-%x", sum[0:4], sum[4:8], sum[8:12], sum[12:16])
}

// ErrKeys means that a text has not both keys of one signer, for what they are to be used.
var ErrKeys = errors.New("not the two public keys of a log, or of who signs notes, of Ed25519 and of ML-DSA-65")

// ParseKeys reads public keys of who signs checkpoints: both have to be there. Lines that begin with # are for people.
func ParseKeys(text string) (Keys, error) { return Checkpoints.ParseKeys(text) }

// ParseKeys reads public keys for a use.
func (u *Use) ParseKeys(text string) (Keys, error) {
	var k Keys
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
			continue
		case k.classic == nil:
			v, err := note.NewVerifier(line)
			if err != nil {
				return Keys{}, ErrKeys
			}
			k.classic = v
		case k.quantum == nil:
			v, err := u.newMLDSAVerifier(line)
			if err != nil {
				return Keys{}, ErrKeys
			}
			k.quantum = v
		default:
			return Keys{}, ErrKeys
		}
		k.text += line + "\n"
	}
	if k.classic == nil || k.quantum == nil || k.classic.Name() != k.quantum.Name() {
		return Keys{}, ErrKeys
	}
	return k, nil
}

// mldsaVerifier checks signatures of ML-DSA-65.
type mldsaVerifier struct {
	name string
	use  *Use
	hash uint32
	key  mldsa65.PublicKey
}

func (v *mldsaVerifier) Name() string    { return v.name }
func (v *mldsaVerifier) KeyHash() uint32 { return v.hash }
func (v *mldsaVerifier) Verify(msg, sig []byte) bool {
	return len(sig) == mldsa65.SignatureSize && mldsa65.Verify(&v.key, msg, v.use.context, sig)
}

// mldsaKey writes a key as package note writes those of Ed25519.
func (u *Use) mldsaKey(name string, key []byte) string {
	body := append([]byte(u.alg), key...)
	return fmt.Sprintf("%s+%08x+%s", name, keyHash(name, body), base64.StdEncoding.EncodeToString(body))
}

func keyHash(name string, body []byte) uint32 {
	sum := sha256.Sum256(append([]byte(name+"\n"), body...))
	return binary.BigEndian.Uint32(sum[:])
}

func (u *Use) newMLDSAVerifier(text string) (*mldsaVerifier, error) {
	name, rest, _ := strings.Cut(text, "+")
	stated, encoded, _ := strings.Cut(rest, "+")
	body, err := base64.StdEncoding.DecodeString(encoded)
	hash, bad := strconv.ParseUint(stated, 16, 32)
	key, is := bytes.CutPrefix(body, []byte(u.alg))
	if err != nil || bad != nil || !is || len(key) != mldsa65.PublicKeySize || !validName(name) || keyHash(name, body) != uint32(hash) {
		return nil, ErrKeys
	}
	v := &mldsaVerifier{name: name, use: u, hash: uint32(hash)}
	v.key.Unpack((*[mldsa65.PublicKeySize]byte)(key))
	return v, nil
}
