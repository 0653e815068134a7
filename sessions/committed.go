package sessions

import (
	"context"
	"fmt"
	"slices"

	"github.com/clisonix/tidechart/crdt"
)

// Committed is a note as a store has it, after one row of its log.
type Committed struct {
	Head    uint64                     // that row
	Doc     *crdt.Doc                  // of its own; its spans name who wrote them first, as [Hub.Authored] has it
	Writers map[crdt.ClientID]PersonID // whose each client id is
}

// ReadCommitted reads a note from its log alone, whatever sessions of it there are, here or on other servers. It returns
// [ErrNoNote] for an unknown note, and [ErrDestroyed].
func ReadCommitted(ctx context.Context, store Store, note NoteID) (c Committed, err error) {
	log, err := store.Load(ctx, note)
	if err != nil {
		return c, err
	}
	c.Head, c.Writers = log.Head, log.Writers
	copied, _, err := store.Copies(ctx, note, maxCredits)
	if err != nil {
		return c, err
	}
	copied = slices.DeleteFunc(copied, func(m Copied) bool { return m.Seq > log.Searched })
	c.Doc = crdt.New("")
	if log.BaseSeq > log.Searched { // which text its rows moved, the base does not say
		var found Findings
		searched := log.Searched
		for searched < log.BaseSeq {
			if found, searched, err = find(ctx, store, note, searched, log.BaseSeq); err != nil {
				return c, fmt.Errorf("search note %s: %w", note, err)
			}
			copied = append(copied, found.Copies...)
		}
	}
	if log.BaseSeq > 0 {
		if err := c.Doc.ApplyUpdate(log.Base); err != nil {
			return c, fmt.Errorf("rebuild note %s: %w", note, err)
		}
	}
	for i, row := range log.Tail {
		u, err := crdt.DecodeUpdate(row)
		if err != nil {
			return c, fmt.Errorf("rebuild note %s: %w", note, err)
		}
		if seq := log.BaseSeq + uint64(i) + 1; seq > log.Searched {
			if copies := copiesOf(c.Doc, u); copies != nil {
				copied = append(copied, Copied{seq, copies})
			}
		}
		if err := c.Doc.Apply(u); err != nil {
			return c, fmt.Errorf("rebuild note %s: %w", note, err)
		}
	}
	for _, m := range copied {
		c.Doc.Credit(m.Copies)
	}
	return c, nil
}

// Whose is who has a client id; none: nobody that is known.
func (c Committed) Whose(client crdt.ClientID) PersonID { return c.Writers[client] }
