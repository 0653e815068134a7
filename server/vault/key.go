package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"

	"github.com/google/uuid"
)

// Kind says what a record is. Each kind has a key of its own, derived from the data key.
type Kind byte

// The kinds.
const (
	AppSecret        Kind = 1 // of an app for codes
	PendingAppSecret Kind = 2 // of one whose first code was not right yet
)

// Place is where a record belongs, beside its data key's name. It is bound into the record: in another place it does not
// open.
type Place struct {
	Kind   Kind
	Seq    uint64 // which of its kind; 0 for what there is one of in an epoch
	Schema uint16 // how what is sealed is to be read
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
	tenant uuid.UUID
	name   Name
	secret [keySize]byte
}

func newKey(tenant uuid.UUID, name Name, secret [keySize]byte) *Key {
	return &Key{tenant: tenant, name: name, secret: secret}
}

// Seal returns plain as a record for that place, with a nonce of its own: sealed again, it is another record.
func (k *Key) Seal(at Place, plain []byte) []byte {
	record := make([]byte, recordHead, len(plain)+Overhead)
	record[0] = suite1
	binary.BigEndian.PutUint32(record[1:], k.name.Epoch)
	return k.cipher(at.Kind).Seal(record, nil, plain, k.bind(suite1, at))
}

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
	plain, err := k.cipher(at.Kind).Open(nil, nil, record[recordHead:], k.bind(record[0], at))
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
	block, err := aes.NewCipher(expand(k.secret[:], "tidechart/record-key/v1", k.name.append([]byte{byte(kind)})))
	if err != nil {
		panic("vault: " + err.Error()) // only for keys of another length
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic("vault: " + err.Error()) // only for blocks of another length
	}
	return aead
}

// bind is a record's associated data. Each part has a fixed length.
func (k *Key) bind(suite byte, at Place) []byte {
	b := append([]byte("tidechart/record/v1"), suite, byte(at.Kind))
	b = append(b, k.tenant[:]...)
	b = k.name.append(b)
	b = binary.BigEndian.AppendUint64(b, at.Seq)
	return binary.BigEndian.AppendUint16(b, at.Schema)
}
