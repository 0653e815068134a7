package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"
	"weak"

	"github.com/google/uuid"
)

// Kind says what a record is. Each kind has a key of its own, derived from the data key.
type Kind byte

// The kinds.
const (
	AppSecret        Kind = 1  // of an app for codes
	PendingAppSecret Kind = 2  // of one whose first code was not right yet
	Update           Kind = 3  // of a note's log
	Base             Kind = 4  // merged update of the log's first rows
	Burst            Kind = 5  // run of the log's rows, folded
	PatientRecord    Kind = 6  // who a patient is
	GlassWords       Kind = 7  // why somebody broke the glass
	ReviewWords      Kind = 8  // what somebody else found about that
	HoldWords        Kind = 9  // why a record is held
	LiftWords        Kind = 10 // why it is not any more
	ShredWords       Kind = 11 // why it is to be destroyed
	Signature        Kind = 12 // of a note: a statement, signed
	SignedContent    Kind = 13 // what was signed, in its canonical form
	SignedAuthors    Kind = 14 // who wrote it
	AboutWords       Kind = 15 // why a note about another was begun
	LateEdit         Kind = 16 // update that came too late for its note
	LateWords        Kind = 17 // why that was set aside
	VersionName      Kind = 18 // of a version of a note
	ThreadWords      Kind = 19 // of a thread about a note: what it quotes as 0, where that stands as 1, and what was said from 2 on
	AuditDetails     Kind = 20 // of an act: from where, and what was looked for
	AuditSigner      Kind = 21 // seed of who signs checkpoints
	NoteSigner       Kind = 22 // seed of who signs notes
	Bedside          Kind = 23 // what a team has to know of a patient at a glance
	PhraseText       Kind = 24 // of a phrase, which is of no record
	TaskText         Kind = 25 // of a task of a note
	SignedIdentity   Kind = 26 // who the patient of a signed note was, as its signer was shown
	SignedRemark     Kind = 27 // what they said with their signature
)

// kinds is one more than the last of them.
const kinds = 28

// Place is where a record belongs, beside its data key's name. It is bound into the record: in another place it does not
// open.
type Place struct {
	Kind   Kind
	Seq    uint64 // which of its kind; 0 for what there is one of in an epoch
	Schema uint16 // how what is sealed is to be read
	With   []byte // what else the record belongs to; of each kind it has one length
}

// The parts of a record.
const (
	recordHead = 1 + 4 // suite, epoch
	nonceSize  = 12
	tagSize    = 16

	// Overhead is by how much a record is longer than what it seals, in bytes.
	Overhead = recordHead + nonceSize + tagSize
)

// Key is an unwrapped data key. It is static, and any number of goroutines may use it.
type Key struct {
	tenant  uuid.UUID
	name    Name
	secret  [keySize]byte
	ciphers [kinds]atomic.Pointer[weak.Pointer[sealer]] // of those kinds that were asked for, until the garbage is collected
	links   *sync.Pool                                  // of *hasher
	covers  *sync.Pool                                  // the same
}

func newKey(tenant uuid.UUID, name Name, secret [keySize]byte) *Key {
	k := &Key{tenant: tenant, name: name, secret: secret}
	k.links, k.covers = hashers(k, "tidechart/chain-key/v1"), hashers(k, "tidechart/cover-key/v1")
	return k
}

// Seal returns plain as a record for that place, with a nonce of its own: sealed again, it is another record.
func (k *Key) Seal(at Place, plain []byte) []byte {
	return k.AppendSeal(make([]byte, 0, len(plain)+Overhead), at, plain)
}

// AppendSeal appends to dst what [Key.Seal] returns. With room in dst it allocates nothing.
func (k *Key) AppendSeal(dst []byte, at Place, plain []byte) []byte {
	dst = append(dst, suite1)
	dst = binary.BigEndian.AppendUint32(dst, k.name.Epoch)
	bound := bindings.Get().(*[]byte)
	*bound = k.bind((*bound)[:0], suite1, at)
	dst = k.cipher(at.Kind).Seal(dst, nil, plain, *bound)
	bindings.Put(bound)
	return dst
}

// A sealer is a cipher with its expanded key: 0.8 KiB that take a microsecond to make. A server keeps thousands of data keys, of which few are in use.
type sealer struct{ cipher.AEAD }

// bindings are buffers for associated data, which says nothing that the record does not.
var bindings = sync.Pool{New: func() any { return new([]byte) }}

// Open returns what was sealed for that place. The error is [ErrSuite], or [ErrTampered] if this key did not seal record
// for it.
func (k *Key) Open(at Place, record []byte) ([]byte, error) {
	epoch, err := EpochOf(record)
	if err != nil {
		return nil, err
	}
	if epoch != k.name.Epoch {
		return nil, fmt.Errorf("record: %w", ErrTampered)
	}
	bound := bindings.Get().(*[]byte)
	*bound = k.bind((*bound)[:0], record[0], at)
	plain, err := k.cipher(at.Kind).Open(nil, nil, record[recordHead:], *bound)
	bindings.Put(bound)
	if err != nil {
		return nil, fmt.Errorf("record: %w", ErrTampered)
	}
	return plain, nil
}

// EpochOf says which of its owner's data keys sealed a record, according to the record. The error is [ErrSuite] or
// [ErrTampered].
func EpochOf(record []byte) (uint32, error) {
	if len(record) < Overhead {
		return 0, fmt.Errorf("record: %w", ErrTampered)
	}
	if !allowed(record[0]) {
		return 0, fmt.Errorf("record: %w", ErrSuite)
	}
	return binary.BigEndian.Uint32(record[1:]), nil
}

// cipher returns what seals records of a kind. It draws the nonces: none is ever derived from a number that a transaction
// tried again could use twice.
func (k *Key) cipher(kind Kind) cipher.AEAD {
	made := &k.ciphers[kind]
	if w := made.Load(); w != nil {
		if s := w.Value(); s != nil {
			return s
		}
	}
	block, err := aes.NewCipher(expand(k.secret[:], "tidechart/record-key/v1", k.name.append([]byte{byte(kind)})))
	if err != nil {
		panic("vault: " + err.Error()) // only for keys of another length
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic("vault: " + err.Error()) // only for blocks of another length
	}
	s := &sealer{aead}
	w := weak.Make(s)
	made.Store(&w)
	return s
}

// bind appends a record's associated data to b. Each part has a fixed length, the last one that of its kind.
func (k *Key) bind(b []byte, suite byte, at Place) []byte {
	b = append(b, "tidechart/record/v1"...)
	b = append(b, suite, byte(at.Kind))
	b = append(b, k.tenant[:]...)
	b = k.name.append(b)
	b = binary.BigEndian.AppendUint64(b, at.Seq)
	b = binary.BigEndian.AppendUint16(b, at.Schema)
	return append(b, at.With...)
}

// Index is a hash of a value that nobody computes without the key: the same for the same value and purpose. It tells whether two values
// are equal, so that it is for values that few share, such as numbers.
func (k *Key) Index(purpose, value string) []byte {
	mac := hmac.New(sha256.New, expand(k.secret[:], "tidechart/index-key/v1", k.name.append([]byte(purpose))))
	mac.Write([]byte(value))
	return mac.Sum(nil)
}
