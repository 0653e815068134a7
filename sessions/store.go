package sessions

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
)

// Identifiers. All are random or derived UUIDs: none tells anything about a patient.
type (
	NoteID    = uuid.UUID
	PersonID  = uuid.UUID
	SessionID = uuid.UUID
)

// Errors a [Store] returns. Any other error leaves the outcome unknown.
var (
	// ErrNoNote means that no note has that id.
	ErrNoNote = errors.New("no such note")
	// ErrRejected means that the database refused a batch for what it holds: nothing of it was stored, and
	// sending it again would not help.
	ErrRejected = errors.New("batch rejected")
)

// Log is a note as stored: a base that merges its first rows, and the rows after it.
type Log struct {
	Head uint64   // seq of the newest row, 0 for none
	Base []byte   // merged update of rows 1 … BaseSeq; nil if BaseSeq is 0
	Tail [][]byte // rows BaseSeq+1 … Head, in order

	BaseSeq uint64
}

// Entry is one update on its way into the log.
type Entry struct {
	Note    NoteID
	Author  PersonID
	Session SessionID
	Update  []byte // Yjs update, v1
}

// Placed says that a note took its entries of a batch: they have the seqs First, First+1, … in their order.
type Placed struct {
	Note  NoteID
	First uint64
}

// Store is the durable record. The server's is Postgres; the tests' one keeps it in memory and injects faults.
type Store interface {
	// Load reads a note's whole log. It returns [ErrNoNote] for an unknown one.
	Load(ctx context.Context, note NoteID) (Log, error)

	// Append commits entries in one transaction, whole. Notes that are missing from the result refused theirs
	// (they are signed or gone). After an error that is not [ErrRejected] the batch may or may not have been
	// committed: calling again with the same batch id settles it, since a batch is never applied twice.
	// The caller gives a context that outlives it: a commit is awaited, never cancelled.
	Append(ctx context.Context, batch uuid.UUID, entries []Entry) ([]Placed, error)

	// SaveBase stores the merged update of rows 1 … seq. The caller has verified it (I4).
	SaveBase(ctx context.Context, note NoteID, seq uint64, update []byte) error

	// Who sat at which note, and when.
	StartSession(ctx context.Context, session SessionID, note NoteID) error
	EndSession(ctx context.Context, session SessionID) error
	StartParticipation(ctx context.Context, id uuid.UUID, session SessionID, person PersonID) error
	EndParticipation(ctx context.Context, id uuid.UUID) error
}

// load builds the document of a note from its log.
func (l Log) load() (*crdt.Doc, error) {
	doc := crdt.New("")
	if l.BaseSeq > 0 {
		if err := doc.ApplyUpdate(l.Base); err != nil {
			return nil, err
		}
	}
	tail, err := crdt.MergeUpdates(l.Tail)
	if err != nil || len(l.Tail) == 0 {
		return doc, err
	}
	return doc, doc.ApplyUpdate(tail)
}
