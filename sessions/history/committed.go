package history

import (
	"context"
	"fmt"
	"maps"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/sessions"
)

// Committed is a note as a store has it, after one row of its log.
type Committed struct {
	Head uint64    // that row
	Doc  *crdt.Doc // of its own; its spans name who wrote them first, as those of [Past.Doc] do

	writers map[crdt.ClientID]sessions.PersonID
}

// Committed reads a note from its log alone, whatever sessions of it there are, here or on other servers: as it is loaded, so that
// all is looked at that speaks for the log being what it was. It returns [sessions.ErrNoNote] for an unknown note,
// [sessions.ErrDestroyed] and [ErrTooLong].
func (p *Pasts) Committed(ctx context.Context, store sessions.Store, note sessions.NoteID) (c Committed, err error) {
	log, err := store.Load(ctx, note)
	if err != nil {
		return c, err
	}
	if c.Doc, err = log.Doc(); err != nil {
		return c, fmt.Errorf("rebuild note %s: %w", note, err)
	}
	past, err := p.Of(ctx, store, note)             // at least as far
	if err == nil && !past.holds(c.Doc, log.Head) { // an older copy of the database took its place meanwhile
		p.Forget(note)
		past, err = p.Of(ctx, store, note)
	}
	if err != nil {
		return c, err
	}
	c.Head, c.writers = log.Head, log.Writers
	past.mu.RLock()
	defer past.mu.RUnlock()
	past.credit(c.Doc, int(c.Head))
	return c, nil
}

// holds reports whether the past can be that of a document, which is as the log was after a row.
func (p *Past) holds(doc *crdt.Doc, head uint64) bool {
	p.mu.RLock()
	defer p.mu.RUnlock()
	n := uint64(len(p.rows))
	return n > head || n == head && maps.Equal(p.tip.StateVector(), doc.StateVector())
}

// Whose is who has a client id; none: nobody that is known.
func (c Committed) Whose(client crdt.ClientID) sessions.PersonID { return c.writers[client] }
