package sessions

// Presence is a person at a note.
type Presence struct {
	Author   Author
	CanWrite bool
}

// Present returns who is at which note now. The slices are not to be changed.
func (h *Hub) Present() map[NoteID][]Presence {
	h.mu.Lock()
	defer h.mu.Unlock()
	present := make(map[NoteID][]Presence, len(h.present))
	for note, people := range h.present {
		present[note] = people
	}
	return present
}

// Changed returns a channel that is closed when what [Hub.Present] returns changes next.
func (h *Hub) Changed() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.changed
}

func (h *Hub) publish(note NoteID, people []Presence) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.publishLocked(note, people)
}

func (h *Hub) publishLocked(note NoteID, people []Presence) {
	if len(people) == 0 && len(h.present[note]) == 0 {
		return
	}
	if len(people) == 0 {
		delete(h.present, note)
	} else {
		h.present[note] = people
	}
	close(h.changed)
	h.changed = make(chan struct{})
}
