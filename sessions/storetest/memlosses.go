package storetest

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/sessions"
)

// ReadLog implements [sessions.Store].
func (m *MemStore) ReadLog(_ context.Context, note sessions.NoteID, after uint64, limit int) ([]sessions.Row, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.notes[note]
	if n == nil {
		return nil, nil
	}
	rows, err := n.after(after)
	return rows[:min(limit, len(rows))], err
}

// SaveFindings implements [sessions.Store].
func (m *MemStore) SaveFindings(_ context.Context, note sessions.NoteID, seq uint64, found []sessions.Loss) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.notes[note]
	for _, l := range found {
		if i, there := n.loss(l.LossID); !there {
			l.Settled = nil
			n.losses = slices.Insert(n.losses, i, l)
		}
	}
	n.searched = max(n.searched, seq)
	return nil
}

// people says whose each client id is.
func (n *memNote) people() map[crdt.ClientID]sessions.PersonID {
	people := make(map[crdt.ClientID]sessions.PersonID)
	for client, w := range n.writers {
		people[client] = w.person
	}
	return people
}

func (n *memNote) loss(id sessions.LossID) (int, bool) {
	return slices.BinarySearchFunc(n.losses, id, func(l sessions.Loss, id sessions.LossID) int {
		return cmp.Or(cmp.Compare(l.Seq, id.Seq), cmp.Compare(l.Part, id.Part))
	})
}

// Searched implements [sessions.Store].
func (m *MemStore) Searched(_ context.Context, note sessions.NoteID) (head, seq uint64, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.notes[note]
	if n == nil {
		return 0, 0, sessions.ErrNoNote
	}
	return uint64(len(n.rows)), n.searched, nil
}

// Losses implements [sessions.Store].
func (m *MemStore) Losses(_ context.Context, note sessions.NoteID, q sessions.LossQuery) ([]sessions.Loss, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.notes[note]
	if n == nil {
		return nil, nil
	}
	end := len(n.losses)
	if q.Before != (sessions.LossID{}) {
		end, _ = n.loss(q.Before)
	}
	var found []sessions.Loss
	for _, l := range slices.Backward(n.losses[:end]) {
		if len(found) < q.Limit && (q.Author == uuid.Nil || q.Author == l.Author) && !(q.Waiting && l.Settled != nil) {
			found = append(found, l)
		}
	}
	return found, nil
}

// SettleLosses implements [sessions.Store].
func (m *MemStore) SettleLosses(_ context.Context, note sessions.NoteID, author sessions.PersonID, losses []sessions.LossID, how sessions.Remedy) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	settled := 0
	n := m.notes[note]
	if n == nil {
		return 0, nil
	}
	for _, id := range losses {
		i, there := n.loss(id)
		if there && n.losses[i].Author == author && n.losses[i].Settled == nil {
			n.losses[i].Settled = &sessions.Settlement{How: how, At: time.Now()}
			settled++
		}
	}
	return settled, nil
}
