package store

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/server/vault"
)

// How much of the log is read at once.
const (
	entriesAtOnce     = 2048 // a multiple of a tile's width
	checkpointsAtOnce = 100
	tilesKept         = 1000 // of 8 kB, while entries are compared with the tree
)

// AuditLog is the log as the database has it, up to a size. It is for one goroutine.
type AuditLog struct {
	Size   int64 // entries that have a place
	Signed int64 // entries that the newest checkpoint is signed for
	Newest []byte
	Keys   audit.Ring

	db      *DB
	details map[uint32]*vault.Key
	tiles   map[int64][]byte // of level 0: the last that were read
	root    tlog.Hash        // of the newest checkpoint
	read    map[tileAt][]byte
}

// AuditLog returns the log as it is now. With details, entries come with what is sealed of them, which takes a vault.
// [ErrNotFound]: nothing is signed yet.
func (db *DB) AuditLog(ctx context.Context, details bool) (*AuditLog, error) {
	l := &AuditLog{db: db, read: make(map[tileAt][]byte)}
	var err error
	if l.Keys, err = db.AuditRing(ctx); err != nil {
		return nil, err
	}
	head, err := db.AuditHead(ctx)
	if err == nil && head.Newest == nil {
		err = ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	l.Size, l.Newest = head.Size, []byte(*head.Newest)
	c, err := l.Keys.Open(l.Newest)
	if err != nil {
		return nil, fmt.Errorf("newest checkpoint: %w", err)
	}
	l.Signed, l.root = c.Size, c.Root
	if details {
		l.details, err = db.auditKeys(ctx)
	}
	return l, err
}

// Items returns all entries before size, each checkpoint behind the last entry that it is signed for, and the newest one
// behind those: what [audit.Verify] takes.
func (l *AuditLog) Items(ctx context.Context, size int64) iter.Seq2[audit.Item, error] {
	return func(yield func(audit.Item, error) bool) {
		next, stop := iter.Pull2(l.checkpoints(ctx))
		defer stop()
		point, err, more := next()
		// behind yields the checkpoints that belong behind n entries, or more, and reports whether there is to be more.
		behind := func(n int64, orMore bool) bool {
			for more && err == nil && (point.Size == n || orMore && point.Size > n && point.Size <= l.Signed) {
				if !yield(audit.Item{Checkpoint: []byte(point.Note)}, nil) {
					return false
				}
				point, err, more = next()
			}
			if err != nil {
				yield(audit.Item{}, err)
				return false
			}
			return n != l.Signed && !orMore || yield(audit.Item{Checkpoint: l.Newest}, nil)
		}
		n := int64(0)
		for n < size {
			rows, err := l.entries(ctx, n, size)
			if err != nil {
				yield(audit.Item{}, err)
				return
			}
			for _, s := range rows {
				if !behind(s.N, false) || !yield(audit.Item{Entry: &s}, nil) {
					return
				}
				n = s.N + 1
			}
			if len(rows) < entriesAtOnce {
				break // the rest is not there
			}
		}
		behind(n, n <= l.Signed)
	}
}

// checkpoints are those that are kept, by size.
func (l *AuditLog) checkpoints(ctx context.Context) iter.Seq2[queries.AuditCheckpoint, error] {
	return func(yield func(queries.AuditCheckpoint, error) bool) {
		for size, at, more := int64(-1), time.Unix(0, 0), true; more; {
			rows, err := l.db.Checkpoints(ctx, size, at, checkpointsAtOnce)
			if err != nil {
				yield(queries.AuditCheckpoint{}, fmt.Errorf("read checkpoints: %w", err))
				return
			}
			for _, row := range rows {
				if !yield(row, nil) {
					return
				}
				size, at = row.Size, row.At
			}
			more = len(rows) == checkpointsAtOnce
		}
	}
}

// entries are some of the log, from one on.
func (l *AuditLog) entries(ctx context.Context, first, size int64) ([]audit.Sequenced, error) {
	rows, err := l.db.LogEntries(ctx, first, size, entriesAtOnce)
	if err != nil {
		return nil, fmt.Errorf("read entries from %d on: %w", first, err)
	}
	all := make([]audit.Sequenced, len(rows))
	for i, row := range rows {
		if all[i], err = l.entry(ctx, row); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (l *AuditLog) entry(ctx context.Context, row queries.LogEntriesRow) (s audit.Sequenced, err error) {
	s = audit.Sequenced{N: row.Seq, Leaf: entryOf(queries.EventsToSequenceRow{
		N: row.N, ID: row.ID, At: row.At, Act: row.Act, Outcome: row.Outcome, Who: row.Who, PatientID: row.PatientID, NoteID: row.NoteID,
		About: row.About, Code: row.Code, Commitment: row.Commitment,
	}).Leaf()}
	if s.Hash, err = l.leafHash(ctx, row.Seq); err != nil {
		return s, err
	}
	if l.details != nil {
		s.Details, err = openDetails(l.details, row.Commitment, row.Details)
		if errors.Is(err, vault.ErrTampered) || errors.Is(err, vault.ErrSuite) {
			err = &audit.Fault{Kind: audit.Opened, First: row.Seq, Last: row.Seq, Says: "what is sealed of it does not open"}
		}
	}
	return s, err
}

// leafHash is what the tree has in a place; zero if it has nothing.
func (l *AuditLog) leafHash(ctx context.Context, seq int64) (h tlog.Hash, err error) {
	const width = 1 << audit.TileHeight
	data, read := l.tiles[seq/width]
	if !read {
		if data, err = l.db.Tile(ctx, 0, seq/width); err != nil && !errors.Is(err, ErrNotFound) {
			return h, fmt.Errorf("read tree: %w", err)
		}
		l.tiles = map[int64][]byte{seq / width: data}
	}
	if at := int(seq%width) * tlog.HashSize; at+tlog.HashSize <= len(data) {
		copy(h[:], data[at:])
	}
	return h, nil
}

// Holds reports whether an act is, as a row says it now, what the tree has in its place: the tree that is signed, if that goes so far.
func (l *AuditLog) Holds(ctx context.Context, row queries.SearchAuditRow) (bool, error) {
	hash := audit.HashOf(entryOf(queries.EventsToSequenceRow{
		N: row.N, ID: row.ID, At: row.At, Act: row.Act, Outcome: row.Outcome, Who: row.WhoID, PatientID: row.PatientID, NoteID: row.NoteID,
		About: row.AboutID, Code: row.Code, Commitment: row.Commitment,
	}).Leaf())
	if row.Seq >= l.Signed {
		stored, err := l.leafHash(ctx, row.Seq)
		return stored == hash, err
	}
	var failed error // to read, which says nothing of the log
	proof, err := tlog.ProveRecord(l.Signed, row.Seq, audit.Tiles(func(level int, n int64) ([]byte, error) {
		data, err := l.tile(ctx, level, n)
		if err != nil && !errors.Is(err, ErrNotFound) {
			failed = err
		}
		return data, err
	}))
	return err == nil && tlog.CheckRecord(proof, l.Signed, l.root, row.Seq, hash) == nil, failed
}

// tile reads a tile once.
func (l *AuditLog) tile(ctx context.Context, level int, n int64) ([]byte, error) {
	at := tileAt{level, n}
	if data, read := l.read[at]; read {
		return data, nil
	}
	data, err := l.db.Tile(ctx, int16(level), n)
	if err == nil && len(l.read) < tilesKept {
		l.read[at] = data
	}
	return data, err
}

type tileAt struct {
	level int
	n     int64
}

// Prove returns an entry with the proof that it is in the tree of the newest checkpoint. [ErrNotFound]: it has no such entry.
func (l *AuditLog) Prove(ctx context.Context, seq int64) (s audit.Sequenced, err error) {
	if seq < 0 || seq >= l.Signed {
		return s, ErrNotFound
	}
	rows, err := l.db.LogEntries(ctx, seq, seq+1, 1)
	if err == nil && len(rows) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return s, err
	}
	if s, err = l.entry(ctx, rows[0]); err != nil {
		return s, err
	}
	s.Proof, err = tlog.ProveRecord(l.Signed, seq, audit.Tiles(func(level int, n int64) ([]byte, error) { return l.db.Tile(ctx, int16(level), n) }))
	if err != nil {
		return s, fmt.Errorf("prove entry %d: %w", seq, err)
	}
	return s, nil
}
