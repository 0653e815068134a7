package store

import (
	"context"
	"fmt"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/store/queries"
)

// lookedAtOnce is among how many acts it is looked at once for such as have no place and would get none (I10).
const lookedAtOnce = 10_000

// skipped looks for acts that would never get a place, because somebody has changed the log's rows from beside: at each checkpoint among
// the newest, and in turn among all that there are.
type skipped struct{ after int64 }

// find gives acts a place that were passed over, and says so in the log. It returns how many.
func (s *Sequencer) find(ctx context.Context, q *queries.Queries, head queries.AuditHeadRow) (int, error) {
	newest, err := q.NewestEvent(ctx)
	if err != nil {
		return 0, err
	}
	first := max(0, newest-lookedAtOnce)
	rows, err := s.db.skippedBetween(ctx, q, head, first, newest)
	if err != nil {
		return 0, err
	}
	if first > 0 { // there is more than the newest
		upto := min(s.looker.after+lookedAtOnce, first)
		more, err := s.db.skippedBetween(ctx, q, head, s.looker.after, upto)
		if err != nil {
			return 0, err
		}
		if rows, s.looker.after = append(rows, more...), upto; upto == first {
			s.looker.after = 0
		}
	}
	if len(rows) == 0 {
		return 0, nil
	}
	s.db.log.Error("acts had been kept from their places in the log; they have them now", "acts", len(rows), "first", rows[0].At)
	if err := s.place(ctx, q, rows); err != nil {
		return 0, err
	}
	return len(rows), s.db.record(ctx, q, audit.Event{Act: audit.FindActs, Code: fmt.Sprintf("acts=%d", len(rows))})
}

func (db *DB) skippedBetween(ctx context.Context, q *queries.Queries, head queries.AuditHeadRow, after, upto int64) ([]queries.EventsToSequenceRow, error) {
	found, err := q.EventsSkipped(ctx, queries.EventsSkippedParams{After: after, Upto: upto, Xid: head.Xid, N: head.N, MaxRows: maxSequenced})
	rows := make([]queries.EventsToSequenceRow, len(found))
	for i, row := range found {
		rows[i] = queries.EventsToSequenceRow(row)
	}
	return rows, err
}

// CheckPlaces looks whether every act has a place in the log, or is about to get one, and returns how many are. The error is an
// [audit.Fault], [audit.Missing], if there are others: somebody has changed what tells the server where it is.
func (db *DB) CheckPlaces(ctx context.Context) (waiting int64, err error) {
	head, err := db.AuditHead(ctx)
	if err != nil {
		return 0, fmt.Errorf("look up head of the log: %w", err)
	}
	newest, err := db.NewestEvent(ctx)
	if err != nil {
		return 0, fmt.Errorf("look up newest act: %w", err)
	}
	for after := int64(0); after < newest; after += lookedAtOnce {
		rows, err := db.skippedBetween(ctx, db.Queries, head, after, after+lookedAtOnce)
		if err != nil {
			return 0, fmt.Errorf("look for acts without a place: %w", err)
		}
		if len(rows) > 0 {
			return 0, audit.NoPlace(len(rows), rows[0].At)
		}
	}
	now, err := db.EventsWaiting(ctx, head.Xid, head.N)
	return now.Acts, err
}
