package storetest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/clisonix/tidechart/sessions"
)

// memRow is a row of the log; without an update, a burst holds it.
type memRow struct {
	sessions.Entry
	at time.Time
}

// now is the time as a database keeps it.
func now() time.Time { return time.Now().Truncate(time.Microsecond) }

func (n *memNote) row(seq uint64) sessions.Row {
	r := n.rows[seq-1]
	return sessions.Row{Seq: seq, Author: r.Author, Session: r.Session, At: r.at, Update: r.Update}
}

// after returns the log behind a seq, rows and bursts alike.
func (n *memNote) after(seq uint64) ([]sessions.Row, error) {
	var log []sessions.Row
	for seq < uint64(len(n.rows)) {
		if n.rows[seq].Update != nil {
			seq++
			log = append(log, n.row(seq))
			continue
		}
		i := slices.IndexFunc(n.bursts, func(b sessions.Burst) bool { return b.First <= seq+1 && b.Last > seq })
		if i < 0 {
			return nil, fmt.Errorf("log has nothing at seq %d", seq+1)
		}
		rows, err := n.bursts[i].Rows()
		if err != nil {
			return nil, err
		}
		log = append(log, rows[seq+1-n.bursts[i].First:]...)
		seq = n.bursts[i].Last
	}
	return log, nil
}

// Fold implements [sessions.Store].
func (m *MemStore) Fold(_ context.Context, note sessions.NoteID, before time.Time) (sessions.Folded, error) {
	if err := m.fault(true); err != nil {
		return sessions.Folded{}, err
	}
	folded, err := m.fold(note, before)
	if err == nil {
		err = m.fault(false)
	}
	return folded, err
}

func (m *MemStore) fold(note sessions.NoteID, before time.Time) (folded sessions.Folded, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.notes[note]
	if n == nil {
		return folded, sessions.ErrNoNote
	}
	var rows []sessions.Row
	for seq := n.folded + 1; seq <= n.baseSeq && n.rows[seq-1].at.Before(before) && len(rows) < sessions.FoldRows; seq++ {
		rows = append(rows, n.row(seq))
	}
	folded.More = len(rows) == sessions.FoldRows
	runs, to := sessions.Runs(rows, folded.More)
	var bursts []sessions.Burst
	for _, run := range runs {
		b, err := sessions.Fold(run)
		if err != nil {
			return sessions.Folded{}, err
		}
		bursts = append(bursts, b)
		folded.Bursts++
		folded.Rows += len(run)
		folded.To += len(b.Data)
		for _, r := range run {
			folded.From += len(r.Update)
		}
	}
	for _, b := range bursts {
		for seq := b.First; seq <= b.Last; seq++ {
			n.rows[seq-1] = memRow{}
		}
	}
	n.bursts, n.folded = append(n.bursts, bursts...), max(n.folded, to)
	return folded, nil
}

// Damage changes a byte of each of a note's bursts.
func (m *MemStore) Damage(note sessions.NoteID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.notes[note].bursts {
		data := m.notes[note].bursts[i].Data
		data[len(data)/2] ^= 1
	}
}
