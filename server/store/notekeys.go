package store

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/server/vault"
	"github.com/clisonix/tidechart/sessions"
)

// Limits of data keys in memory, and of one data key's use (I10).
const (
	maxNoteKeys = 10_000              // notes whose keys are kept
	keysKept    = time.Hour           // that keys are kept before they are looked up again
	keysAgain   = time.Minute         // the same of keys that could not be unwrapped then
	keyAge      = 90 * 24 * time.Hour // that a key seals what is new
	noteKeyRows = 1 << 19             // rows that it seals of a note: 1 TiB, since a row has 2 MiB at most
	logKeyRows  = 1 << 24             // entries of the log of acts: random nonces are drawn twice once in 2⁴⁹ then
)

// keySet are the data keys of one note, or of one patient. They are static, but for ends and known.
type keySet struct {
	keys   map[uint32]*vault.Key // by epoch
	first  uint32                // epoch
	newest queries.DataKey
	until  time.Time // when they are looked up again

	linksFrom uint64 // of a note: see linker

	// Guarded by the cache's mu.
	ends  [recentEnds]end // of a note's log, as far as is known: where it ends, and where it did after the batches before
	known uint64          // seq of the newest row that this server has seen
}

// recentEnds is how many of a note's batches are remembered: a base is of one of the last.
const recentEnds = 4

// sealing is the key for what is new.
func (k *keySet) sealing() *vault.Key { return k.keys[uint32(k.newest.Epoch)] }

// wear is when data keys are worn: the limits of NIST SP 800-38D for random nonces, with room, and what operators say.
type wear struct {
	rows  uint64    // that one seals
	since time.Time // keys that were made before are worn; zero: none
}

// worn reports whether what is written from now on, behind so many rows, needs another key than k.
func (w wear) worn(k queries.DataKey, head uint64, now time.Time) bool {
	return now.Sub(k.MadeAt) > keyAge || k.MadeAt.Before(w.since) || head > uint64(k.FromSeq)+w.rows
}

// wearOf is when keys are worn that seal so many rows.
func (db *DB) wearOf(rows uint64) wear {
	w := wear{rows: rows}
	if since := db.freshSince.Load(); since != nil {
		w.since = *since
	}
	return w
}

// keyCache keeps the keys of the notes, or patients, that were used last. Who asks for keys that somebody is looking up waits for them.
type keyCache struct {
	mu    sync.Mutex
	notes map[sessions.NoteID]*list.Element // of *keySlot
	order *list.List                        // the one used last in front

	forgotten int // how often keys were forgotten
}

type keySlot struct {
	note  sessions.NoteID
	ready chan struct{} // closed when the rest is set
	keys  *keySet
	err   error
}

func newKeyCache() *keyCache {
	return &keyCache{notes: make(map[sessions.NoteID]*list.Element), order: list.New()}
}

// get returns a note's keys, by look if they are not there. What look cannot find is asked for again; but keys that were there, and that the
// server could not unwrap any more, stay: who has the note open goes on.
func (c *keyCache) get(ctx context.Context, note sessions.NoteID, look func() (*keySet, error)) (*keySet, error) {
	c.mu.Lock()
	var before *keySet
	if e, there := c.notes[note]; there {
		slot := e.Value.(*keySlot)
		select {
		case <-slot.ready:
			if time.Now().Before(slot.keys.until) {
				c.order.MoveToFront(e)
				c.mu.Unlock()
				return slot.keys, nil
			}
			before = slot.keys
			c.drop(e)
		default:
			c.mu.Unlock()
			select {
			case <-slot.ready:
				return slot.keys, slot.err
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
	}
	slot := &keySlot{note: note, ready: make(chan struct{})}
	e := c.order.PushFront(slot)
	c.notes[note] = e
	for c.order.Len() > maxNoteKeys {
		c.drop(c.order.Back())
	}
	c.mu.Unlock()

	keys, err := look()
	c.mu.Lock()
	if before != nil && errors.Is(err, sessions.ErrSealed) {
		keys, err = &keySet{keys: before.keys, first: before.first, newest: before.newest, until: time.Now().Add(keysAgain), linksFrom: before.linksFrom, ends: before.ends, known: before.known}, nil
	}
	if before != nil && err == nil {
		keys.known = max(keys.known, before.known)
	}
	slot.keys, slot.err = keys, err
	if err != nil && c.notes[note] == e {
		c.drop(e)
	}
	c.mu.Unlock()
	close(slot.ready)
	return keys, err
}

// held returns those keys that are there now, and whose are not; and for keep, as of when.
func (c *keyCache) held(owners []uuid.UUID) (there map[uuid.UUID]*keySet, missing []uuid.UUID, asOf int) {
	there = make(map[uuid.UUID]*keySet, len(owners))
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	for _, owner := range owners {
		if e, known := c.notes[owner]; known {
			if k := e.Value.(*keySlot).keys; k != nil && now.Before(k.until) {
				c.order.MoveToFront(e)
				there[owner] = k
				continue
			}
		}
		missing = append(missing, owner)
	}
	return there, missing, c.forgotten
}

// keep adds keys that were looked up otherwise than by get, unless some were forgotten meanwhile: they may be these.
func (c *keyCache) keep(owner uuid.UUID, keys *keySet, asOf int) {
	slot := &keySlot{note: owner, ready: make(chan struct{}), keys: keys}
	close(slot.ready)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.forgotten != asOf {
		return
	}
	if e, there := c.notes[owner]; there {
		c.drop(e)
	}
	c.notes[owner] = c.order.PushFront(slot)
	for c.order.Len() > maxNoteKeys {
		c.drop(c.order.Back())
	}
}

// drop removes what is in the cache. c.mu is held.
func (c *keyCache) drop(e *list.Element) {
	delete(c.notes, e.Value.(*keySlot).note)
	c.order.Remove(e)
}

// owners are those whose keys are there, or being looked up.
func (c *keyCache) owners() []uuid.UUID {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Collect(maps.Keys(c.notes))
}

// forget has a note's keys looked up the next time.
func (c *keyCache) forget(note sessions.NoteID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forgotten++
	if e, there := c.notes[note]; there {
		c.drop(e)
	}
}

// endOf is where the log of the note with those keys ends, as far as is known.
func (c *keyCache) endOf(k *keySet) end {
	c.mu.Lock()
	defer c.mu.Unlock()
	return k.ends[0]
}

// endAt is where it ended after a seq, if that is remembered.
func (c *keyCache) endAt(k *keySet, seq uint64) (end, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range k.ends {
		if e.head == seq {
			return e, true
		}
	}
	return end{}, false
}

// knownOf is how far the log of the note with those keys has come, as far as this server has seen.
func (c *keyCache) knownOf(k *keySet) uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return k.known
}

// setEnd says where a note's log ends, if its keys are in memory.
func (c *keyCache) setEnd(note sessions.NoteID, e end) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if slot, there := c.notes[note]; there {
		if k := slot.Value.(*keySlot).keys; k != nil && k.ends[0] != e {
			copy(k.ends[1:], k.ends[:])
			k.ends[0], k.known = e, max(k.known, e.head)
		}
	}
}

// loaded says where a log ends that has just been read. If it is known why it had come further before, that is forgotten.
func (c *keyCache) loaded(note sessions.NoteID, e end, accepted bool) {
	c.setEnd(note, e)
	c.mu.Lock()
	defer c.mu.Unlock()
	if slot, there := c.notes[note]; there && accepted {
		if k := slot.Value.(*keySlot).keys; k != nil {
			k.known = k.ends[0].head
		}
	}
}

// withKeys calls f with a note's data keys, and once more if another server has made one since they were looked up.
func (db *DB) withKeys(ctx context.Context, note sessions.NoteID, f func(*keySet) error) error {
	for again := false; ; again = true {
		keys, err := db.keysOf(ctx, db.Queries, note)
		if err != nil {
			return err
		}
		if err = f(keys); again || !errors.Is(err, errNewKey) {
			return err
		}
		db.keys.forget(note)
	}
}

// keysOf returns a note's data keys, from q if they are not in memory. The error is [sessions.ErrNoNote] for an unknown note, and
// [sessions.ErrDestroyed] for one that has none any more.
func (db *DB) keysOf(ctx context.Context, q *queries.Queries, note sessions.NoteID) (*keySet, error) {
	if db.vault == nil {
		return nil, ErrNoKeys
	}
	return db.keys.get(ctx, note, func() (*keySet, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readTimeout) // whoever waits for it, too, needs the answer
		defer cancel()
		return db.readKeys(ctx, q, note)
	})
}

// readKeys unwraps a note's data keys.
func (db *DB) readKeys(ctx context.Context, q *queries.Queries, note sessions.NoteID) (*keySet, error) {
	row, err := q.NoteHead(ctx, note)
	if errors.Is(err, ErrNotFound) {
		return nil, sessions.ErrNoNote
	}
	if err != nil {
		return nil, fmt.Errorf("look up head: %w", err)
	}
	if row.Destroyed {
		return nil, sessions.ErrDestroyed
	}
	rows, err := q.DataKeysOf(ctx, int16(vault.OfNote), note)
	if err != nil {
		return nil, fmt.Errorf("look up data keys: %w", err)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("data keys are gone: %w", vault.ErrTampered)
	}
	k := &keySet{keys: make(map[uint32]*vault.Key, len(rows)), first: uint32(rows[0].Epoch), until: time.Now().Add(keysKept), linksFrom: uint64(row.LinksFrom), known: uint64(row.Head)}
	k.ends[0] = endOf(row.Head, row.Chain)
	for _, row := range rows {
		if k.keys[uint32(row.Epoch)], err = db.unwrap(row); err != nil {
			return nil, err
		}
		k.newest = bare(row)
	}
	return k, nil
}

// bare is a data key without what it is wrapped as, which is most of it, and of no use once it is unwrapped.
func bare(row queries.DataKey) queries.DataKey {
	return queries.DataKey{Scope: row.Scope, Owner: row.Owner, Epoch: row.Epoch, FromSeq: row.FromSeq, MadeAt: row.MadeAt}
}

// keysToWrite returns a note's data keys, of which the newest is not worn.
func (db *DB) keysToWrite(ctx context.Context, q *queries.Queries, note sessions.NoteID) (*keySet, error) {
	k, err := db.keysOf(ctx, q, note)
	if err != nil || !db.wearOf(noteKeyRows).worn(k.newest, db.keys.endOf(k).head, time.Now()) {
		return k, err
	}
	if _, err := db.newNoteKey(ctx, q, note, uint32(k.newest.Epoch)+1, db.keys.endOf(k).head+1); err != nil {
		return nil, err
	}
	db.keys.forget(note)
	return db.keysOf(ctx, q, note)
}

// newNoteKey makes a data key of a note, for rows from a seq on.
func (db *DB) newNoteKey(ctx context.Context, q *queries.Queries, note sessions.NoteID, epoch uint32, from uint64) (*vault.Key, error) {
	return db.newDataKey(ctx, q, vault.Name{Scope: vault.OfNote, Owner: note, Epoch: epoch}, from)
}
