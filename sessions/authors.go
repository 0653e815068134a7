package sessions

import (
	"cmp"
	"context"
	"slices"

	"github.com/clisonix/tidechart/crdt"
)

// Authored returns a document of its own that holds the note's committed state, whose spans name who wrote them first,
// and whose each client id is. Text that an editor moved, to split a paragraph or to make it a heading, stays its
// author's. It returns [ErrNoNote] for an unknown note.
func (h *Hub) Authored(ctx context.Context, note NoteID) (*crdt.Doc, map[crdt.ClientID]PersonID, error) {
	if err := h.catchUpLosses(ctx, note); err != nil {
		return nil, nil, err
	}
	doc, err := h.Doc(ctx, note)
	if err != nil {
		return nil, nil, err
	}
	copied, writers, err := h.copies(ctx, note)
	if err != nil {
		return nil, nil, err
	}
	for _, c := range copied {
		doc.Credit(c.Copies)
	}
	return doc, writers, nil
}

// Copies returns which updates of a note moved text, in order, up to what was committed before the call, and whose each
// client id is. It returns [ErrNoNote] for an unknown note.
func (h *Hub) Copies(ctx context.Context, note NoteID) ([]Copied, map[crdt.ClientID]PersonID, error) {
	if err := h.catchUpLosses(ctx, note); err != nil {
		return nil, nil, err
	}
	return h.copies(ctx, note)
}

// copies returns those that were found.
func (h *Hub) copies(ctx context.Context, note NoteID) ([]Copied, map[crdt.ClientID]PersonID, error) {
	h.mu.Lock()
	s := h.sessions[note]
	h.mu.Unlock()
	var moved []Copied
	if s != nil {
		_ = s.call(ctx, func() { moved = slices.Clone(s.guard.moved) }) // an ended session has stored it
	}
	copied, writers, err := h.store.Copies(ctx, note, maxCredits)
	if err != nil {
		return nil, nil, err
	}
	copied = append(copied, moved...)
	slices.SortStableFunc(copied, func(a, b Copied) int { return cmp.Compare(a.Seq, b.Seq) })
	return copied, writers, nil
}
