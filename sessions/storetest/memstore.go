// Package storetest holds what every [sessions.Store] must do, as tests, and a store in memory that can fail.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/sessions"
)

// MemStore is a working store that keeps everything in memory. Its zero value has no notes; add them.
type MemStore struct {
	// Fault, if not nil, is asked around every commit: before it is done and after. An error before it loses
	// the commit, an error after it loses only the answer. It may block.
	Fault func(before bool) error

	mu       sync.Mutex
	people   map[sessions.PersonID]int64 // of their stamps; none is 0
	notes    map[sessions.NoteID]*memNote
	batches  map[uuid.UUID][]sessions.Placed
	sessions map[sessions.SessionID]*Sitting
	forged   []sessions.Forgery
}

type memNote struct {
	rows    []memRow // of each seq; nothing of those that a burst holds
	base    []byte
	baseSeq uint64
	bursts  []sessions.Burst // in the order of their seqs
	folded  uint64           // up to where folding has looked
	closed  sessions.Closed
	late    []sessions.LateEdit
	epoch   int64 // of its stamps
	writers map[crdt.ClientID]*writer

	recovering bool
	recovered  []sessions.Claim
	losses     []sessions.Loss // in the order of their ids
	searched   uint64
	declared   []sessions.Declaration
	moved      []sessions.Moved
	learned    []crdt.Name
}

// writer is whose a client id is, and how far it has written.
type writer struct {
	person sessions.PersonID
	next   uint64
}

// Sitting is a recorded session.
type Sitting struct {
	Note  sessions.NoteID
	Ended bool
	In    map[uuid.UUID]sessions.PersonID // participations that have not ended
	Came  []sessions.PersonID
	shown map[crdt.ClientID]sessions.PersonID
}

var _ sessions.Store = (*MemStore)(nil)

// Add creates a note whose first row is update.
func (m *MemStore) Add(note sessions.NoteID, author sessions.PersonID, update []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.notes == nil {
		m.people = make(map[sessions.PersonID]int64)
		m.notes = make(map[sessions.NoteID]*memNote)
		m.batches = make(map[uuid.UUID][]sessions.Placed)
		m.sessions = make(map[sessions.SessionID]*Sitting)
	}
	n := &memNote{
		rows:    []memRow{{sessions.Entry{Note: note, Author: author, Update: update}, now()}},
		writers: make(map[crdt.ClientID]*writer),
	}
	if first, err := crdt.DecodeUpdate(update); err == nil {
		for _, r := range first.Ranges() {
			n.writers[r.Client] = &writer{person: author, next: r.To}
		}
	}
	m.notes[note] = n
}

// Sign makes a note refuse updates.
func (m *MemStore) Sign(note sessions.NoteID) {
	m.Close(note, sessions.Sealed)
}

// Close makes a note closed to its writers, or open again.
func (m *MemStore) Close(note sessions.NoteID, why sessions.Closed) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.notes[note].closed = why
	m.notes[note].epoch++
}

// Closed is what a note is to its writers.
func (m *MemStore) Closed(note sessions.NoteID) sessions.Closed {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.notes[note].closed
}

// KeepLate implements [sessions.Store].
func (m *MemStore) KeepLate(_ context.Context, note sessions.NoteID, edit sessions.LateEdit) (bool, error) {
	if err := m.fault(true); err != nil {
		return false, err
	}
	m.mu.Lock()
	n := m.notes[note]
	kept := n != nil && n.closed == sessions.Sealed && edit.N == uint64(len(n.late))+1
	if kept {
		edit.At = now()
		n.late = append(n.late, edit)
	}
	m.mu.Unlock()
	return kept, m.fault(false)
}

// LateEdits implements [sessions.Store].
func (m *MemStore) LateEdits(_ context.Context, note sessions.NoteID) ([]sessions.LateEdit, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if n := m.notes[note]; n != nil {
		return slices.Clone(n.late), nil
	}
	return nil, nil
}

// Touch makes all rights of a person out of date that were decided on before.
func (m *MemStore) Touch(person sessions.PersonID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.people[person]++
}

// TouchNote makes all rights to a note out of date that were decided on before.
func (m *MemStore) TouchNote(note sessions.NoteID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.notes[note].epoch++
}

// Stamp is what a right is decided on now.
func (m *MemStore) Stamp(note sessions.NoteID, person sessions.PersonID) sessions.Stamp {
	m.mu.Lock()
	defer m.mu.Unlock()
	return sessions.Stamp{Person: m.people[person], Note: m.notes[note].epoch}
}

// Recover opens a note for recovery, or ends it.
func (m *MemStore) Recover(note sessions.NoteID, open bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.notes[note].recovering = open
}

// Recovered returns the claims by which somebody brought what others wrote.
func (m *MemStore) Recovered(note sessions.NoteID) []sessions.Claim {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.notes[note].recovered)
}

// Rows returns a note's whole log.
func (m *MemStore) Rows(note sessions.NoteID) []sessions.Entry {
	m.mu.Lock()
	defer m.mu.Unlock()
	log, err := m.notes[note].after(0)
	if err != nil {
		panic(err) // a test that damages a burst does not look at rows
	}
	rows := make([]sessions.Entry, len(log))
	for i, r := range log {
		rows[i] = sessions.Entry{Note: note, Author: r.Author, Session: r.Session, Update: r.Update}
	}
	return rows
}

// BaseSeq returns up to where a note has a base.
func (m *MemStore) BaseSeq(note sessions.NoteID) uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.notes[note].baseSeq
}

// Sittings returns every recorded session.
func (m *MemStore) Sittings() []Sitting {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []Sitting
	for _, s := range m.sessions {
		all = append(all, *s)
	}
	return all
}

func (m *MemStore) fault(before bool) error {
	if m.Fault == nil {
		return nil
	}
	return m.Fault(before)
}

// Load implements [sessions.Store].
func (m *MemStore) Load(_ context.Context, note sessions.NoteID) (sessions.Log, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.notes[note]
	if n == nil {
		return sessions.Log{}, sessions.ErrNoNote
	}
	log := sessions.Log{Head: uint64(len(n.rows)), Base: n.base, BaseSeq: n.baseSeq, Searched: n.searched}
	tail, err := n.after(n.baseSeq)
	if err != nil {
		return sessions.Log{}, err
	}
	for _, row := range tail {
		log.Tail = append(log.Tail, row.Update)
	}
	log.Writers = n.people()
	log.Shown = m.shownAt(note)
	return log, nil
}

// Append implements [sessions.Store].
func (m *MemStore) Append(_ context.Context, batch sessions.Batch) ([]sessions.Placed, error) {
	if err := m.fault(true); err != nil {
		return nil, err
	}
	placed := m.append(batch)
	if err := m.fault(false); err != nil {
		return nil, err
	}
	return placed, nil
}

func (m *MemStore) append(batch sessions.Batch) []sessions.Placed {
	m.mu.Lock()
	defer m.mu.Unlock()
	if placed, again := m.batches[batch.ID]; again {
		return placed
	}
	refused := make(map[sessions.NoteID]bool)
	for _, c := range batch.Claims {
		if n := m.notes[c.Note]; n != nil && !n.allows(c) {
			refused[c.Note] = true
		}
	}
	placed := []sessions.Placed{}
	for _, e := range batch.Entries {
		n := m.notes[e.Note]
		if n == nil {
			refused[e.Note] = true
		} else if (n.closed != sessions.Open || e.Stamp != (sessions.Stamp{Person: m.people[e.Author], Note: n.epoch})) && !slices.Contains(placed, sessions.Placed{Note: e.Note}) {
			placed = append(placed, sessions.Placed{Note: e.Note})
			refused[e.Note] = true
		}
	}
	for _, e := range batch.Entries {
		n := m.notes[e.Note]
		if refused[e.Note] {
			continue
		}
		if !slices.ContainsFunc(placed, func(p sessions.Placed) bool { return p.Note == e.Note }) {
			placed = append(placed, sessions.Placed{Note: e.Note, First: uint64(len(n.rows)) + 1})
		}
		n.rows = append(n.rows, memRow{e, now()})
	}
	for _, c := range batch.Claims {
		if !refused[c.Note] {
			m.notes[c.Note].take(c)
		}
	}
	m.batches[batch.ID] = placed
	return placed
}

// allows reports whether a claim begins where its client's clocks end, on the client's own behalf.
func (n *memNote) allows(c sessions.Claim) bool {
	if c.RecoveredBy != uuid.Nil && !n.recovering {
		return false
	}
	w := n.writers[c.Client]
	if w == nil {
		return c.From == 0
	}
	return (w.person == c.Person || w.person == uuid.Nil || c.Person == uuid.Nil) && w.next == c.From
}

// take acts on a claim that is allowed.
func (n *memNote) take(c sessions.Claim) {
	now := &writer{person: c.Person, next: c.To}
	if w := n.writers[c.Client]; w != nil && w.person != uuid.Nil {
		now.person = w.person
	}
	n.writers[c.Client] = now
	if c.RecoveredBy != uuid.Nil {
		n.recovered = append(n.recovered, c)
	}
}

// SaveBase implements [sessions.Store].
func (m *MemStore) SaveBase(_ context.Context, note sessions.NoteID, seq uint64, update []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.notes[note]
	if seq > uint64(len(n.rows)) {
		return fmt.Errorf("base up to seq %d of %d", seq, len(n.rows))
	}
	n.base, n.baseSeq = update, seq
	return nil
}

var errNoSession = errors.New("no such session")

// StartSession implements [sessions.Store].
func (m *MemStore) StartSession(_ context.Context, session sessions.SessionID, note sessions.NoteID) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sessions[session] = &Sitting{Note: note, In: make(map[uuid.UUID]sessions.PersonID), shown: make(map[crdt.ClientID]sessions.PersonID)}
	return nil
}

// EndSession implements [sessions.Store].
func (m *MemStore) EndSession(_ context.Context, session sessions.SessionID) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.sessions[session]
	if s == nil {
		return errNoSession
	}
	s.Ended = true
	return nil
}

// StartParticipation implements [sessions.Store].
func (m *MemStore) StartParticipation(_ context.Context, id uuid.UUID, session sessions.SessionID, person sessions.PersonID, _ string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.sessions[session]
	if s == nil {
		return errNoSession
	}
	s.In[id] = person
	s.Came = append(s.Came, person)
	return nil
}

// Learned implements [sessions.Store].
func (m *MemStore) Learned(_ context.Context, note sessions.NoteID, names []crdt.Name) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if n := m.notes[note]; n != nil {
		n.learned = append(n.learned, names...)
	}
	return nil
}

// LearnedOf are the names that a note was said to have, in their order.
func (m *MemStore) LearnedOf(note sessions.NoteID) []crdt.Name {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.notes[note].learned)
}

// RecordForgery implements [sessions.Store].
func (m *MemStore) RecordForgery(_ context.Context, f sessions.Forgery) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.forged = append(m.forged, f)
	return nil
}

// Forged are the forgeries on record, in their order.
func (m *MemStore) Forged() []sessions.Forgery {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.forged)
}

// EndParticipation implements [sessions.Store].
func (m *MemStore) EndParticipation(_ context.Context, id uuid.UUID) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.sessions {
		delete(s.In, id)
	}
	return nil
}

// ShowClient implements [sessions.Store].
func (m *MemStore) ShowClient(_ context.Context, participation uuid.UUID, client crdt.ClientID) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.sessions {
		if person, in := s.In[participation]; in {
			s.shown[client] = person
			return nil
		}
	}
	return errNoSession
}

// shownAt returns whose the client ids are that were shown at a note and have not written. It forgets none.
func (m *MemStore) shownAt(note sessions.NoteID) map[crdt.ClientID]sessions.PersonID {
	all := make(map[crdt.ClientID]sessions.PersonID)
	for _, s := range m.sessions {
		if s.Note != note {
			continue
		}
		for client, person := range s.shown {
			if m.notes[note].writers[client] == nil {
				all[client] = person
			}
		}
	}
	return all
}
