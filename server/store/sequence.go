package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/store/queries"
)

// The rhythm of the sequencer, and its limits (I10).
const (
	sequenceEvery   = 200 * time.Millisecond
	checkpointEvery = 8 * time.Second // a checkpoint is ten seconds old at most
	maxSequenced    = 5000            // entries that one transaction places
	sequenceTimeout = 20 * time.Second
	sequenceRetry   = 2 * time.Second
	keysLooked      = time.Hour // after which it is looked whether the log's key is worn
)

// Sequencer gives acts their places in the log, and signs it. Several servers may have one: whichever comes first does the
// work, the others find it done. One goroutine uses it; what it says of itself ([Sequencer.Figures]) any may ask.
type Sequencer struct {
	db *DB
	signing
	edge *audit.Edge // of the tree as it was stored last; nil: to be read

	seen   audit.Checkpoint // the newest that this server has signed, or found signed: the log goes on behind it
	memory Memory
	placed audit.Checkpoint // the tree as this server has stored it last, signed or not
	looker skipped

	figures atomic.Pointer[LogFigures]
	now     func() time.Time

	anchored time.Time // when the log was told last how far notes have come
	looked   uuid.UUID // the last note of those that were looked at since the start
	all      bool      // all were
}

// NewSequencer returns a sequencer. It makes the log's keys if there are none.
func (db *DB) NewSequencer(ctx context.Context) (*Sequencer, error) {
	signing, err := db.signing(ctx)
	if err != nil {
		return nil, err
	}
	s := &Sequencer{db: db, signing: signing, now: time.Now}
	s.figures.Store(new(LogFigures))
	return s, nil
}

// Memory keeps the newest checkpoint where the database is not.
type Memory interface {
	// Recall returns what was kept last; nil: nothing.
	Recall() ([]byte, error)
	Keep(checkpoint []byte) error
}

// Remember has s keep checkpoints, and compares the log with the one that was kept last: the error is [ErrLogChanged] if the log
// lacks what that is signed for. It is called before anything else.
func (s *Sequencer) Remember(ctx context.Context, m Memory) error {
	s.memory = m
	kept, err := m.Recall()
	if err != nil || kept == nil {
		return err
	}
	if s.seen, err = s.ring.Open(kept); err != nil {
		return fmt.Errorf("%w: the checkpoint that was kept is %w", ErrLogChanged, err)
	}
	head, err := s.db.AuditHead(ctx)
	if err != nil {
		return err
	}
	return s.reach(ctx, s.db.Queries, head)
}

// AcceptOlder records that a database was put back to an earlier time on purpose, whose log lacks what a kept checkpoint is signed for; had
// is how many entries that had, or -1 if it is signed by keys that the log does not know any more. With had 0 there is nothing to accept.
func (s *Sequencer) AcceptOlder(ctx context.Context, m Memory) (had, has int64, err error) {
	err = s.Remember(ctx, m)
	if !errors.Is(err, ErrLogChanged) {
		return 0, 0, err
	}
	head, err := s.db.AuditHead(ctx)
	if err != nil {
		return 0, 0, err
	}
	had = s.seen.Size
	if s.seen.Root == (tlog.Hash{}) {
		had = -1
	}
	s.seen = audit.Checkpoint{}
	if err := s.reach(ctx, s.db.Queries, head); err != nil { // what it does have is what was signed
		return 0, 0, err
	}
	return had, head.Size, s.db.Record(ctx, audit.Event{Act: audit.RestoreLog, Code: fmt.Sprintf("had=%d has=%d", had, head.Size)})
}

// Run sequences until ctx ends, and then what is left.
func (s *Sequencer) Run(ctx context.Context, log *slog.Logger) {
	began, told := s.now(), time.Time{}
	for looked := time.Now(); ; {
		ending := ctx.Err() != nil // what comes from here on is the last of it
		s.anchor(ctx, ending, log)
		if time.Since(looked) > keysLooked {
			looked = time.Now()
			if _, err := s.db.auditKeys(ctx); err != nil {
				log.Warn("the key of the audit log not looked at", "err", err)
			}
		}
		wait := sequenceEvery
		switch n, err := s.Step(context.WithoutCancel(ctx)); {
		case errors.Is(err, ErrLogChanged):
			log.Error("acts are recorded, and neither sequenced nor signed for", "err", err)
			wait = sequenceRetry
		case err != nil:
			log.Warn("acts are recorded, and not sequenced yet", "err", err)
			wait = sequenceRetry
		case n >= maxSequenced:
			wait = 0
		}
		told = s.tellLate(log, told, began)
		if ending {
			return
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

// anchor has the log told how far notes have come, when it is time; at the end, of all; and soon after the start also of those of which a
// server that was cut off did not tell it.
func (s *Sequencer) anchor(ctx context.Context, ending bool, log *slog.Logger) {
	now := time.Now()
	if now.Sub(s.anchored) < anchorLook && !ending {
		return
	}
	s.anchored = now
	ctx = context.WithoutCancel(ctx)
	var err error
	if !s.all && !ending {
		s.looked, err = s.db.findUnanchored(ctx, s.looked)
		s.all = err == nil && s.looked == uuid.Nil
	}
	if err := errors.Join(err, s.db.AnchorNotes(ctx, ending)); err != nil {
		log.Warn("the log of acts is not told how far notes have come", "err", err)
	}
}

// Step places what is there, up to some thousand entries, and signs a checkpoint when one is due. It returns how many it placed.
func (s *Sequencer) Step(ctx context.Context) (n int, err error) {
	ctx, cancel := context.WithTimeout(ctx, sequenceTimeout)
	defer cancel()
	head, err := s.db.AuditHead(ctx)
	if err != nil {
		return 0, fmt.Errorf("look up head of the log: %w", err)
	}
	waiting, err := s.db.EventsWaiting(ctx, head.Xid, head.N)
	if err != nil {
		return 0, fmt.Errorf("look for acts: %w", err)
	}
	if due := s.look(head, waiting); !waiting.Due && head.Here && !due {
		return 0, nil
	}
	var signed []byte
	err = s.db.transact(ctx, pgx.TxOptions{}, func(q *queries.Queries) (err error) {
		n, signed, err = s.step(ctx, q)
		return err
	})
	if err == nil && n > 0 {
		s.placed.Size, s.placed.At = s.edge.Size(), s.now()
		s.placed.Root, err = s.edge.Root()
	}
	if err == nil && signed != nil {
		err = s.remember(signed)
	}
	if err != nil {
		s.edge = nil
		return 0, fmt.Errorf("sequence: %w", err)
	}
	return n, nil
}

// remember keeps a checkpoint, once it is in the database.
func (s *Sequencer) remember(signed []byte) (err error) {
	if s.seen, err = s.ring.Open(signed); err != nil || s.memory == nil {
		return err
	}
	if err := s.memory.Keep(signed); err != nil {
		return fmt.Errorf("keep checkpoint: %w", err)
	}
	return nil
}

// step returns a checkpoint, too, if it signed one.
func (s *Sequencer) step(ctx context.Context, q *queries.Queries) (n int, signed []byte, err error) {
	if mine, err := q.SequencesNow(ctx); err != nil || !mine {
		return 0, nil, err
	}
	head, err := q.AuditHead(ctx) // after that, nobody else moves it
	if err != nil {
		return 0, nil, err
	}
	if head.Signer != s.id {
		if s.signing, err = s.db.signing(ctx); err != nil {
			return 0, nil, err
		}
	}
	if err := s.reach(ctx, q, head); err != nil {
		return 0, nil, err
	}
	if !head.Here {
		if err := s.settle(ctx, q); err != nil {
			return 0, nil, fmt.Errorf("take in the log of another database cluster: %w", err)
		}
		if head, err = q.AuditHead(ctx); err != nil {
			return 0, nil, err
		}
	}
	due := s.due(head)
	if due {
		if n, err = s.find(ctx, q, head); err != nil {
			return 0, nil, fmt.Errorf("look for acts without a place: %w", err)
		}
	}
	rows, err := q.EventsToSequence(ctx, head.Xid, head.N, maxSequenced)
	if err != nil {
		return 0, nil, err
	}
	if err := s.place(ctx, q, rows); err != nil {
		return 0, nil, err
	}
	if due {
		signed, err = s.sign(ctx, q, head)
	}
	return n + len(rows), signed, err
}

// settle places what a database brought that was restored elsewhere: there, all transactions are over.
func (s *Sequencer) settle(ctx context.Context, q *queries.Queries) error {
	if err := q.LockEvents(ctx); err != nil {
		return err
	}
	for {
		left, err := q.EventsLeft(ctx, maxSequenced)
		if err != nil {
			return err
		}
		if len(left) == 0 {
			if err := q.SettleCluster(ctx); err != nil {
				return err
			}
			return s.db.record(ctx, q, audit.Event{Act: audit.TakeInLog, Code: fmt.Sprintf("entries=%d", s.edge.Size())})
		}
		rows := make([]queries.EventsToSequenceRow, len(left))
		for i, row := range left {
			rows[i] = queries.EventsToSequenceRow(row)
		}
		if err := s.place(ctx, q, rows); err != nil {
			return err
		}
	}
}

// place gives rows the next places, in their order.
func (s *Sequencer) place(ctx context.Context, q *queries.Queries, rows []queries.EventsToSequenceRow) error {
	if len(rows) == 0 {
		return nil
	}
	first, events := s.edge.Size(), make([]int64, len(rows))
	for i, row := range rows {
		events[i] = row.N
		s.edge.Append(audit.HashOf(entryOf(row).Leaf()))
	}
	if err := q.PlaceEvents(ctx, first, events); err != nil {
		return err
	}
	var tiles []queries.SaveTileParams
	for _, t := range s.edge.Tiles() {
		tiles = append(tiles, queries.SaveTileParams{Level: int16(t.Level), N: t.N, Data: t.Data})
	}
	var failed error
	q.SaveTile(ctx, tiles).Exec(func(_ int, err error) { failed = errors.Join(failed, err) })
	if failed != nil {
		return failed
	}
	return q.MoveHead(ctx, s.edge.Size())
}

// entryOf is a row as the log has it.
func entryOf(row queries.EventsToSequenceRow) audit.Entry {
	return audit.Entry{
		ID: row.ID, At: row.At, Act: audit.Act(row.Act), Outcome: audit.Outcome(row.Outcome), Who: row.Who,
		Patient: row.PatientID, Note: row.NoteID, About: row.About, Code: row.Code, Commitment: row.Commitment,
	}
}

// due reports whether it is time for a checkpoint. The newest one has its time signed, which counts: what the row beside it says can only
// have it signed earlier.
func (s *Sequencer) due(head queries.AuditHeadRow) bool {
	newest, err := s.newest(head)
	now := s.now()
	old := now.Sub(newest.At)
	return err != nil || old >= checkpointEvery || old <= -checkpointEvery || now.Sub(head.Signed) >= checkpointEvery
}

// sign signs a checkpoint. While nothing happens, the same tree is signed again, and says that it still is.
func (s *Sequencer) sign(ctx context.Context, q *queries.Queries, head queries.AuditHeadRow) ([]byte, error) {
	root, err := s.edge.Root()
	if err != nil {
		return nil, err
	}
	c := audit.Checkpoint{Size: s.edge.Size(), Root: root, At: s.now().Truncate(time.Microsecond)}
	signed, err := s.signer.SignCheckpoint(c)
	if err != nil {
		return nil, err
	}
	text := string(signed)
	if before, err := s.newest(head); err != nil || before.Size < c.Size {
		if err != nil {
			return nil, err
		}
		if err := q.SaveCheckpoint(ctx, c.Size, c.At, text); err != nil {
			return nil, err
		}
	}
	return signed, q.SetNewest(ctx, &text, c.At)
}

// newest is the checkpoint that was signed last; the zero one if there is none.
func (s *Sequencer) newest(head queries.AuditHeadRow) (audit.Checkpoint, error) {
	if head.Newest == nil {
		return audit.Checkpoint{Size: -1}, nil
	}
	return s.ring.Open([]byte(*head.Newest))
}

// ErrLogChanged means that the log is not what was signed: nothing more is, until somebody has looked (tidechart audit verify).
var ErrLogChanged = errors.New("the log is not the one that was signed")

// reach reads the edge of the tree, unless it is in memory. What was signed last has to be in it, what this server has seen signed, and what it
// has placed itself: a database that was put back to an earlier time has the first, and not the others.
func (s *Sequencer) reach(ctx context.Context, q *queries.Queries, head queries.AuditHeadRow) error {
	if s.edge != nil && s.edge.Size() == head.Size {
		return nil
	}
	before, err := s.newest(head)
	if err != nil {
		return fmt.Errorf("%w: the newest checkpoint is %w", ErrLogChanged, err)
	}
	tile := func(level int, n int64) ([]byte, error) { return q.Tile(ctx, int16(level), n) }
	for _, c := range []audit.Checkpoint{before, s.seen, s.placed} {
		if c.Size > head.Size {
			return fmt.Errorf("%w: it has %d entries, and had %d at %s", ErrLogChanged, head.Size, c.Size, c.At.UTC().Format(time.RFC3339))
		}
		if c.Size > 0 {
			root, err := tlog.TreeHash(c.Size, audit.Tiles(tile))
			if err != nil || root != c.Root {
				return errors.Join(fmt.Errorf("%w: its first %d entries have another tree", ErrLogChanged, c.Size), err)
			}
		}
	}
	s.edge, err = audit.NewEdge(head.Size, tile)
	return err
}
