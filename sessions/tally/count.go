package tally

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/sessions"
)

// stepRows is how many rows are read, and stored as counted, at once (I10).
const stepRows = 4096

// Begun is how far a note is counted.
type Begun struct {
	Seq  uint64    // up to which row
	Open []Stretch // the newest of each person in the sessions that may go on
	From uint64    // the first row of these; 0: none
	AsOf time.Time // by the store's clock, when this was so
}

// Store is where logs are and what is counted of them.
type Store interface {
	// Counted says how far a note is counted.
	Counted(ctx context.Context, note sessions.NoteID) (Begun, error)
	// BaseUpTo returns the newest verified merge of a note's first rows that goes no further than a seq, and how far it goes; nil
	// and 0: there is none.
	BaseUpTo(ctx context.Context, note sessions.NoteID, seq uint64) (update []byte, to uint64, err error)
	// ReadLog and Told are those of [sessions.Store].
	ReadLog(ctx context.Context, note sessions.NoteID, after uint64, limit int) ([]sessions.Row, error)
	Told(ctx context.Context, note sessions.NoteID, since crdt.StateVector) (sessions.Told, error)
	// SaveCounted stores stretches that are new or have grown by the rows behind from, up to and including to. taken is false, and
	// nothing stored, if somebody else has counted the note meanwhile.
	SaveCounted(ctx context.Context, note sessions.NoteID, from, to uint64, made []Stretch) (taken bool, err error)
	// CloseCounted says that all was counted that a note's log had at a time: sessions that had ended by then need not be looked at again.
	CloseCounted(ctx context.Context, note sessions.NoteID, asOf time.Time) error
}

// Count counts what a note's log has got since it was counted last. Several may do so at once, of which one is taken.
func Count(ctx context.Context, store Store, note sessions.NoteID) error {
	begun, err := store.Counted(ctx, note)
	if err == nil {
		err = count(ctx, store, note, begun)
	}
	if errors.Is(err, errElsewhere) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("count note %s: %w", note, err)
	}
	return nil
}

// errElsewhere means that somebody else has counted the note.
var errElsewhere = errors.New("the note is counted elsewhere")

func count(ctx context.Context, store Store, note sessions.NoteID, begun Begun) error {
	rows, err := store.ReadLog(ctx, note, begun.Seq, stepRows)
	if err != nil {
		return err
	}
	if len(rows) > 0 {
		c, err := load(ctx, store, note, begun)
		if err != nil {
			return err
		}
		for seq := begun.Seq; len(rows) > 0; {
			if err := c.hear(ctx, store, note); err != nil {
				return err
			}
			for _, row := range rows {
				if err := c.add(row); err != nil {
					return fmt.Errorf("seq %d: %w", row.Seq, err)
				}
			}
			to := rows[len(rows)-1].Seq
			taken, err := store.SaveCounted(ctx, note, seq, to, c.take())
			if err != nil {
				return err
			}
			if !taken {
				return errElsewhere
			}
			if rows, err = store.ReadLog(ctx, note, to, stepRows); err != nil {
				return err
			}
			seq = to
		}
	}
	return store.CloseCounted(ctx, note, begun.AsOf)
}

// hear has c know what was told of the rows that were read last: before those were stored.
func (c *counter) hear(ctx context.Context, store Store, note sessions.NoteID) error {
	told, err := store.Told(ctx, note, c.doc.StateVector())
	if err != nil {
		return err
	}
	c.said = told.Tellings()
	return nil
}

// load returns a counter that stands where counting goes on, and knows what was removed since the sessions began that go on.
func load(ctx context.Context, store Store, note sessions.NoteID, begun Begun) (*counter, error) {
	c := newCounter(crdt.New(""), begun.Open)
	from := begun.Seq
	if begun.From > 0 {
		from = min(from, begun.From-1)
	}
	base, at, err := store.BaseUpTo(ctx, note, from)
	if err != nil {
		return nil, err
	}
	if base != nil {
		if err := c.doc.ApplyUpdate(base); err != nil {
			return nil, fmt.Errorf("base at seq %d: %w", at, err)
		}
	}
	for at < begun.Seq {
		rows, err := store.ReadLog(ctx, note, at, int(min(stepRows, begun.Seq-at)))
		if err != nil {
			return nil, err
		}
		if len(rows) == 0 {
			return nil, fmt.Errorf("log ends at seq %d before %d", at, begun.Seq)
		}
		if err := c.hear(ctx, store, note); err != nil {
			return nil, err
		}
		for _, row := range rows {
			if err := c.skip(row); err != nil {
				return nil, fmt.Errorf("seq %d: %w", row.Seq, err)
			}
		}
		at = rows[len(rows)-1].Seq
	}
	return c, nil
}
