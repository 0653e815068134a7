package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

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
// work, the others find it done. One goroutine uses it.
type Sequencer struct {
	db     *DB
	signer *audit.Signer
	edge   *audit.Edge // of the tree as it was stored last; nil: to be read
}

// NewSequencer returns a sequencer. It makes the log's keys if there are none.
func (db *DB) NewSequencer(ctx context.Context) (*Sequencer, error) {
	signer, err := db.signer(ctx)
	if err != nil {
		return nil, err
	}
	return &Sequencer{db: db, signer: signer}, nil
}

// Run sequences until ctx ends, and then what is left.
func (s *Sequencer) Run(ctx context.Context, log *slog.Logger) {
	for looked := time.Now(); ; {
		if time.Since(looked) > keysLooked {
			looked = time.Now()
			if _, err := s.db.auditKeys(ctx); err != nil {
				log.Warn("the key of the audit log not looked at", "err", err)
			}
		}
		wait := sequenceEvery
		switch n, err := s.Step(context.WithoutCancel(ctx)); {
		case err != nil:
			log.Warn("acts are recorded, and not sequenced yet", "err", err)
			wait = sequenceRetry
		case n == maxSequenced:
			wait = 0
		}
		if ctx.Err() != nil {
			return
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
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
	has, err := s.db.HasEventsToSequence(ctx)
	if err != nil {
		return 0, fmt.Errorf("look for acts: %w", err)
	}
	if !has && head.Here && time.Since(head.Signed) < checkpointEvery {
		return 0, nil
	}
	err = s.db.transact(ctx, pgx.TxOptions{}, func(q *queries.Queries) (err error) {
		n, err = s.step(ctx, q)
		return err
	})
	if err != nil {
		s.edge = nil
		return 0, fmt.Errorf("sequence: %w", err)
	}
	return n, nil
}

func (s *Sequencer) step(ctx context.Context, q *queries.Queries) (int, error) {
	if mine, err := q.SequencesNow(ctx); err != nil || !mine {
		return 0, err
	}
	head, err := q.AuditHead(ctx) // after that, nobody else moves it
	if err != nil {
		return 0, err
	}
	if err := s.reach(ctx, q, head); err != nil {
		return 0, err
	}
	if !head.Here {
		if err := s.settle(ctx, q); err != nil {
			return 0, fmt.Errorf("take in the log of another database cluster: %w", err)
		}
	}
	rows, err := q.EventsToSequence(ctx, maxSequenced)
	if err != nil {
		return 0, err
	}
	if err := s.place(ctx, q, rows); err != nil {
		return 0, err
	}
	return len(rows), s.sign(ctx, q, head)
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
			return q.SettleCluster(ctx)
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
	return q.MoveHead(ctx, s.edge.Size(), events[len(events)-1])
}

// entryOf is a row as the log has it.
func entryOf(row queries.EventsToSequenceRow) audit.Entry {
	return audit.Entry{
		ID: row.ID, At: row.At, Act: audit.Act(row.Act), Outcome: audit.Outcome(row.Outcome), Who: row.Who,
		Patient: row.PatientID, Note: row.NoteID, About: row.About, Code: row.Code, Commitment: row.Commitment,
	}
}

// sign signs a checkpoint if one is due. While nothing happens, the same tree is signed again, and says that it still is.
func (s *Sequencer) sign(ctx context.Context, q *queries.Queries, head queries.AuditHeadRow) error {
	now := time.Now()
	if now.Sub(head.Signed) < checkpointEvery {
		return nil
	}
	root, err := s.edge.Root()
	if err != nil {
		return err
	}
	c := audit.Checkpoint{Size: s.edge.Size(), Root: root, At: now.Truncate(time.Microsecond)}
	signed, err := s.signer.SignCheckpoint(c)
	if err != nil {
		return err
	}
	text := string(signed)
	if before, err := s.newest(head); err != nil || before.Size < c.Size {
		if err != nil {
			return err
		}
		if err := q.SaveCheckpoint(ctx, c.Size, c.At, text); err != nil {
			return err
		}
	}
	return q.SetNewest(ctx, &text, c.At)
}

// newest is the checkpoint that was signed last; the zero one if there is none.
func (s *Sequencer) newest(head queries.AuditHeadRow) (audit.Checkpoint, error) {
	if head.Newest == nil {
		return audit.Checkpoint{Size: -1}, nil
	}
	return s.signer.Keys().Open([]byte(*head.Newest))
}

// ErrLogChanged means that the log is not what was signed: nothing more is, until somebody has looked (tidechart audit verify).
var ErrLogChanged = errors.New("the log is not the one that was signed")

// reach reads the edge of the tree, unless it is in memory. What was signed last has to be in it.
func (s *Sequencer) reach(ctx context.Context, q *queries.Queries, head queries.AuditHeadRow) error {
	if s.edge != nil && s.edge.Size() == head.Size {
		return nil
	}
	before, err := s.newest(head)
	if err != nil {
		return fmt.Errorf("%w: the newest checkpoint is %w", ErrLogChanged, err)
	}
	tile := func(level int, n int64) ([]byte, error) { return q.Tile(ctx, int16(level), n) }
	if before.Size > head.Size {
		return fmt.Errorf("%w: it has %d entries, and had %d", ErrLogChanged, head.Size, before.Size)
	}
	if before.Size > 0 {
		root, err := tlog.TreeHash(before.Size, audit.Tiles(tile))
		if err != nil || root != before.Root {
			return errors.Join(fmt.Errorf("%w: its first %d entries have another tree", ErrLogChanged, before.Size), err)
		}
	}
	s.edge, err = audit.NewEdge(head.Size, tile)
	return err
}
