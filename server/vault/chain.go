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

// linker computes links; its buffer spares an allocation.
type linker struct {
	mac  hash.Hash
	head [8]byte
}

// linkers are those of a key, of which each goroutine takes one.
func linkers(k *Key) *sync.Pool {
	return &sync.Pool{New: func() any {
		secret := expand(k.secret[:], "tidechart/chain-key/v1", k.name.append(append([]byte(nil), k.tenant[:]...)))
		return &linker{mac: hmac.New(sha256.New, secret)}
	}}
}

// Link makes l the link behind one more row of the log of the key's owner: HMAC-SHA-256 of the link before it, the row's number, what
// it belongs to, which has one length, and what it says before it is sealed. Sealed again, or packed, it is the same row. Links are
// keyed, so that nobody tries out what rows say, nor makes a link for rows that were never written.
func (k *Key) Link(l *Link, seq uint64, with, plain []byte) {
	one := k.links.Get().(*linker)
	one.mac.Reset()
	one.mac.Write(l[:])
	binary.BigEndian.PutUint64(one.head[:], seq)
	one.mac.Write(one.head[:])
	one.mac.Write(with)
	one.mac.Write(plain)
	one.mac.Sum(l[:0])
	k.links.Put(one)
}
