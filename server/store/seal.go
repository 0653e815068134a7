package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/server/vault"
	"github.com/clisonix/tidechart/sessions"
)

// updateSchema is how a sealed update is to be read: Yjs, v1. Bases are the same, and bursts hold such.
const updateSchema = 1

// updateAt is where a row of a log belongs: to its seq, its author and its session. with has room for that.
func updateAt(with []byte, seq uint64, author sessions.PersonID, session sessions.SessionID) vault.Place {
	return vault.Place{Kind: vault.Update, Seq: seq, Schema: updateSchema, With: append(append(with[:0], author[:]...), session[:]...)}
}

// How a sealed base is to be read.
const (
	baseSchema    = updateSchema // of versions before: the update alone
	chainedSchema = 2            // the link of its last row, then the update
)

func baseAt(seq uint64, schema uint16) vault.Place {
	return vault.Place{Kind: vault.Base, Seq: seq, Schema: schema}
}

func burstAt(first, last uint64, author sessions.PersonID, session sessions.SessionID) vault.Place {
	with := append(append([]byte(nil), author[:]...), session[:]...)
	return vault.Place{Kind: vault.Burst, Seq: first, Schema: updateSchema, With: binary.BigEndian.AppendUint64(with, last)}
}

// open opens a record of the note's.
func (k *keySet) open(at vault.Place, record []byte) ([]byte, error) {
	epoch, err := vault.EpochOf(record)
	if err != nil {
		return nil, err
	}
	key := k.keys[epoch]
	if key == nil {
		return nil, errNewKey
	}
	return key.Open(at, record)
}

// errNewKey means that a record was sealed by a key that is not in memory: another server has made one since, or there is none.
var errNewKey = fmt.Errorf("sealed by a key that the note does not have: %w", vault.ErrTampered)

// openUpdate opens a row of the log.
func (k *keySet) openUpdate(seq int64, author uuid.UUID, session uuid.NullUUID, data []byte) ([]byte, error) {
	var with [32]byte
	plain, err := k.open(updateAt(with[:], uint64(seq), author, session.UUID), data)
	if err != nil {
		return nil, fmt.Errorf("seq %d: %w", seq, err)
	}
	return plain, nil
}

// sealBurst is what is stored of a burst: its own checksum, then what it holds.
func (k *keySet) sealBurst(b sessions.Burst) []byte {
	return k.sealing().Seal(burstAt(b.First, b.Last, b.Author, b.Session), append(b.Sum[:], b.Data...))
}

// openBurst opens one; its author and session are those that it was sealed for, or it does not open.
func (k *keySet) openBurst(first, last int64, author uuid.UUID, session uuid.NullUUID, data []byte) (sessions.Burst, error) {
	b := sessions.Burst{First: uint64(first), Last: uint64(last), Author: author, Session: session.UUID}
	plain, err := k.open(burstAt(b.First, b.Last, b.Author, b.Session), data)
	if errors.Is(err, errNewKey) {
		return b, err
	}
	if err != nil || len(plain) < len(b.Sum) {
		return b, fmt.Errorf("%w: it does not open", sessions.ErrDamaged)
	}
	copy(b.Sum[:], plain)
	b.Data = plain[len(b.Sum):]
	return b, nil
}

// sealBase is what is stored of a base.
func (k *keySet) sealBase(at end, update []byte) []byte {
	return k.sealing().Seal(baseAt(at.head, chainedSchema), append(at.link[:len(at.link):len(at.link)], update...))
}

// openBase opens the newest base, and returns the link of its last row, or reports false if it is damaged, which is no loss: the log is
// the truth (I4).
func (k *keySet) openBase(base queries.NewestBaseRow) (update []byte, link vault.Link, whole bool) {
	if sum := sha256.Sum256(base.Data); !bytes.Equal(sum[:], base.Sum) {
		return nil, link, false
	}
	plain, err := k.open(baseAt(uint64(base.Seq), chainedSchema), base.Data)
	if err != nil || len(plain) < len(link) {
		return nil, link, false
	}
	copy(link[:], plain)
	return plain[len(link):], link, true
}
