package sessions

import (
	"context"
	"fmt"

	"github.com/clisonix/tidechart/crdt"
)

// State returns the note's committed state as an update, v1. It returns [ErrNoNote] for an unknown note.
func (h *Hub) State(ctx context.Context, note NoteID) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	h.mu.Lock()
	s := h.sessions[note]
	h.mu.Unlock()
	if s != nil {
		var state []byte
		var err error
		if e := s.call(ctx, func() { state, err = s.snapshot() }); e == nil {
			return state, err
		} // it has just ended: its log is complete
	}
	log, err := h.store.Load(ctx, note)
	if err != nil {
		return nil, err
	}
	doc, err := log.Doc()
	if err != nil {
		return nil, fmt.Errorf("rebuild note: %w", err)
	}
	return doc.EncodeStateAsUpdate(nil)
}

// Doc returns a document of its own that holds the note's committed state.
func (h *Hub) Doc(ctx context.Context, note NoteID) (*crdt.Doc, error) {
	state, err := h.State(ctx, note)
	if err != nil {
		return nil, err
	}
	doc := crdt.New("")
	if err := doc.ApplyUpdate(state); err != nil {
		return nil, fmt.Errorf("rebuild note: %w", err)
	}
	return doc, nil
}
