package sessions

import "context"

// InMemory reports whether a note has a session, and whether that holds a document or its bytes only.
func (h *Hub) InMemory(ctx context.Context, note NoteID) (session, document bool) {
	h.mu.Lock()
	s := h.sessions[note]
	h.mu.Unlock()
	if s == nil {
		return false, false
	}
	err := s.call(ctx, func() { document = s.doc != nil })
	return err == nil, document
}

// Reserved returns how many client ids a note keeps for who showed them.
func (h *Hub) Reserved(ctx context.Context, note NoteID) (n int, err error) {
	h.mu.Lock()
	s := h.sessions[note]
	h.mu.Unlock()
	return n, s.call(ctx, func() { n = len(s.reserved) })
}
