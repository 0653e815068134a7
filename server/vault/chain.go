package vault

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"sync"
)

// LinkSize is the length of a [Link], in bytes.
const LinkSize = sha256.Size

// Link says what a log is up to one of its rows: the same rows have the same link, others another. Before the first row it is zero.
type Link [LinkSize]byte

// Cover is a keyed hash of one row of a log: who has it learns nothing of what the row says, and it fits no other row.
type Cover [sha256.Size]byte

// hasher computes keyed hashes; its buffers spare allocations.
type hasher struct {
	mac  hash.Hash
	head [8]byte
	sum  Cover
}

// hashers are those of a key for a purpose, of which each goroutine takes one.
func hashers(k *Key, purpose string) *sync.Pool {
	return &sync.Pool{New: func() any {
		secret := expand(k.secret[:], purpose, k.name.append(append([]byte(nil), k.tenant[:]...)))
		return &hasher{mac: hmac.New(sha256.New, secret)}
	}}
}

// row adds a row: its number, what it belongs to, which has one length, and what it says before it is sealed. Sealed again, or packed, it is the
// same row.
func (h *hasher) row(seq uint64, with, plain []byte) {
	binary.BigEndian.PutUint64(h.head[:], seq)
	h.mac.Write(h.head[:])
	h.mac.Write(with)
	h.mac.Write(plain)
}

// Cover returns that of a row of the log of the key's owner. It is keyed, so that nobody tries out what rows say. The links of a log that
// begins now are of these (signature.NextLink).
func (k *Key) Cover(seq uint64, with, plain []byte) Cover {
	one := k.covers.Get().(*hasher)
	one.mac.Reset()
	one.row(seq, with, plain)
	one.mac.Sum(one.sum[:0])
	c := one.sum
	k.covers.Put(one)
	return c
}

// Link makes l the link behind one more row of the log of the key's owner, as logs have it that an earlier version began: HMAC-SHA-256 of the
// link before it, and of the row. Nobody follows it without the key.
func (k *Key) Link(l *Link, seq uint64, with, plain []byte) {
	one := k.links.Get().(*hasher)
	one.mac.Reset()
	one.mac.Write(l[:])
	one.row(seq, with, plain)
	one.mac.Sum(l[:0])
	k.links.Put(one)
}
