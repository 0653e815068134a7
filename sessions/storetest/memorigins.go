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
	o.Declared = slices.Clone(n.declared)
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

// Told implements [sessions.Store].
func (m *MemStore) Told(_ context.Context, note sessions.NoteID, since crdt.StateVector) (t sessions.Told, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.notes[note]
	if n == nil {
		return t, sessions.ErrNoNote
	}
	t.Head, t.Writers = uint64(len(n.rows)), n.people()
	for _, x := range n.moved {
		if last := x.Copies[len(x.Copies)-1]; last.To.Clock+last.Len > since[last.To.Client] {
			t.Moved = append(t.Moved, x)
		}
	}
	return t, nil
}

// TellMoved implements [sessions.Store].
func (m *MemStore) TellMoved(_ context.Context, note sessions.NoteID, person sessions.PersonID, copies []crdt.Copy) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.notes[note]
	if n == nil {
		return sessions.ErrNoNote
	}
	pieces := len(copies)
	for _, x := range n.moved {
		if x.Person != person {
			continue
		}
		if slices.Equal(x.Copies, copies) {
			return nil
		}
		pieces += len(x.Copies)
	}
	if pieces <= sessions.MaxMoved {
		n.moved = append(n.moved, sessions.Moved{Person: person, After: uint64(len(n.rows)), Copies: slices.Clone(copies)})
	}
	return nil
}
