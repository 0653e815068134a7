package storetest

import (
	"context"
	"slices"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/sessions"
)

// Origins implements [sessions.Store]. It knows of no programs.
func (m *MemStore) Origins(_ context.Context, note sessions.NoteID) (o sessions.Origins, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.notes[note]
	if n == nil {
		return o, sessions.ErrNoNote
	}
	o.Writers, o.Declared = n.people(), slices.Clone(n.declared)
	for _, c := range n.recovered {
		o.Recovered = append(o.Recovered, sessions.Recovery{ClockRange: crdt.ClockRange{Client: c.Client, From: c.From, To: c.To}, By: c.RecoveredBy})
	}
	return o, nil
}

// Declare implements [sessions.Store].
func (m *MemStore) Declare(_ context.Context, note sessions.NoteID, d sessions.Declaration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.notes[note]
	if n == nil {
		return sessions.ErrNoNote
	}
	if len(n.declared) < sessions.MaxDeclared {
		n.declared = append(n.declared, d)
	}
	return nil
}
