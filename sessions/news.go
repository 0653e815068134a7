package sessions

import "context"

// news is what an editor is told to ask about. It says no more: what there is to know is decided about when they ask.
type news string

const (
	newsLosses   news = "losses"   // text of its person was removed unseen
	newsLate     news = "late"     // what it sent is kept beside the note
	newsComments news = "comments" // somebody has said something about the note, or done something with that
)

// tell has the editors of people ask. One whose outbox is full asks when it syncs.
func (s *Session) tell(what news, whom func(PersonID) bool) {
	for _, p := range s.peers {
		if message := p.wire.news(what); message != nil && whom(p.author.ID) {
			p.send(message)
		}
	}
}

// Commented has everybody who has a note open ask what was said about it. Whoever is not told asks when they open it again.
func (h *Hub) Commented(ctx context.Context, note NoteID) {
	h.mu.Lock()
	s := h.sessions[note]
	h.mu.Unlock()
	if s != nil {
		_ = s.do(ctx, func() { s.tell(newsComments, func(PersonID) bool { return true }) }) // one that ends has nobody
	}
}
