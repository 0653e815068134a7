package sessions

import (
	"context"
	"errors"
	"time"

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
	// ErrRejected means that a batch was refused for what it holds: nothing of it was stored, and sending it
	// again would not help.
	ErrRejected = errors.New("batch rejected")
)

// Log is a note as stored: a base that merges its first rows, and the rows after it.
type Log struct {
	Head uint64   // seq of the newest row, 0 for none
	Base []byte   // merged update of rows 1 … BaseSeq; nil if BaseSeq is 0
	Tail [][]byte // rows BaseSeq+1 … Head, in order

	BaseSeq uint64

	Writers map[crdt.ClientID]PersonID // whose each client id is; no id: recovered, and nobody's yet

	// Shown says whose each client id is that was shown by a window that was there within [ReservedFor], of those that
	// have not written the [MaxReserved] newest. Of several people it is who showed it first.
	Shown map[crdt.ClientID]PersonID

	Searched uint64 // up to which row its findings are stored
}

// Entry is one update on its way into the log.
type Entry struct {
	Note    NoteID
	Author  PersonID
	Session SessionID
	Stamp   Stamp  // of the author's right to write it
	Update  []byte // Yjs update, v1
}

// Stamp numbers what a right to a note was decided on: both numbers grow with each change that concerns the person, or
// the note and its patient. A right whose stamp is not that of the store may have ended.
type Stamp struct{ Person, Note int64 }

// Claim says that a batch writes the clocks From … To−1 of a client id, on behalf of a person. A client id belongs to
// whoever first wrote under it in a note, from clock 0.
//
// While a note is open for recovery, somebody may bring what others wrote. Then Person is whose client id it is, or none
// if that is not known; and the first who writes on under such an id gets it.
type Claim struct {
	Note        NoteID
	Client      crdt.ClientID
	From, To    uint64
	Person      PersonID
	RecoveredBy PersonID // none: Person writes
}

// Batch is what commits together. Its id names it: a batch is never applied twice.
type Batch struct {
	ID      uuid.UUID
	Entries []Entry // of each note in their order
	Claims  []Claim // at most one per note and client id; they cover what the entries write
}

// Placed says that a note took its entries of a batch: they have the seqs First, First+1, … in their order. With First 0
// it took none, because the stamp of one is out of date, or because it is closed to all.
type Placed struct {
	Note  NoteID
	First uint64
}

// Forgery is what somebody tried, or a broken program of theirs, through one socket within a minute.
type Forgery struct {
	Note          NoteID
	Author        PersonID
	Participation uuid.UUID
	Why           string // "forged", "unfounded" or "malformed": of the first of them
	Updates       int
}

// Store is the durable record. The server's is Postgres; the tests' one keeps it in memory and injects faults.
type Store interface {
	// Load reads a note's whole log. It returns [ErrNoNote] for an unknown one, and [ErrDestroyed] for one that was.
	Load(ctx context.Context, note NoteID) (Log, error)

	// Append commits a batch in one transaction. Notes that are missing from the result refused their entries,
	// all of them: they are gone, or a claim does not begin where the client's clocks end, or is on a
	// client id of somebody else, or recovers text in a note that is not open for it. A note whose entries'
	// stamps are out of date, or that is signed, or frozen to be signed, is in the result with First 0, the first time. After an error that is not [ErrRejected] the batch may or may not have been
	// committed: calling again with the same batch settles it. The caller gives a context that outlives it: a
	// commit is awaited, never cancelled. Of the batch's own slices Append keeps nothing.
	Append(ctx context.Context, batch Batch) ([]Placed, error)

	// SaveBase stores the merged update of rows 1 … seq. The caller has verified it (I4).
	SaveBase(ctx context.Context, note NoteID, seq uint64, update []byte) error

	// ReadLog returns rows after a seq, in order: at least one, if there are any, and up to limit. Those that are folded
	// come back as they were, or it returns [ErrDamaged].
	ReadLog(ctx context.Context, note NoteID, after uint64, limit int) ([]Row, error)

	// Fold takes one step through a note's log: runs of rows that its newest base merges, and that came before a time,
	// become bursts. It does so in one transaction, in which what it stored is read again and compared before the rows
	// go; those who fold one note wait for each other. Calling it again goes on, until there is no more.
	Fold(ctx context.Context, note NoteID, before time.Time) (Folded, error)

	// SaveFindings stores what was found in a log, and that it was searched up to seq; what is there is left as it is,
	// and a note is never searched less far than before. Losses has those asked for, the newest first. SettleLosses
	// says what an author did about some of them, and returns how many were theirs and not settled before.
	SaveFindings(ctx context.Context, note NoteID, seq uint64, found []Loss) error
	// Searched returns a note's head and up to where it was searched, or [ErrNoNote].
	Searched(ctx context.Context, note NoteID) (head, seq uint64, err error)
	Losses(ctx context.Context, note NoteID, q LossQuery) ([]Loss, error)
	SettleLosses(ctx context.Context, note NoteID, author PersonID, losses []LossID, how Remedy) (int, error)

	// KeepLate stores an update beside a signed note, if it is the next in turn, and says whether it was: else somebody has stored one
	// meanwhile, or the note is not signed. It is on record. LateEdits returns all of them, in order.
	KeepLate(ctx context.Context, note NoteID, edit LateEdit) (bool, error)
	LateEdits(ctx context.Context, note NoteID) ([]LateEdit, error)

	// Origins returns what is known of where a note's text came from, beside its log. Declare stores what an editor says
	// of its text; of one person it stores no more than [MaxDeclared] for a note.
	Origins(ctx context.Context, note NoteID) (Origins, error)
	Declare(ctx context.Context, note NoteID, d Declaration) error
	// Told returns what editors said they moved, of elements that are not before since. TellMoved stores what one says, of elements
	// of one client id; of one person it stores no more than [MaxMoved] pieces for a note, and what was said before not again.
	// No row is stored meanwhile: what is told when a row is there does not speak of it.
	Told(ctx context.Context, note NoteID, since crdt.StateVector) (Told, error)
	TellMoved(ctx context.Context, note NoteID, person PersonID, copies []crdt.Copy) error

	// Learned says that committed rows have brought a note elements, attributes or marks by names that it had none of since its session
	// began. It may be lost.
	Learned(ctx context.Context, note NoteID, names []crdt.Name) error

	// RecordForgery says for the record that updates were refused that no editor makes. Losing it loses nothing else.
	RecordForgery(ctx context.Context, f Forgery) error

	// Who sat at which note, with what, and when.
	StartSession(ctx context.Context, session SessionID, note NoteID) error
	EndSession(ctx context.Context, session SessionID) error
	StartParticipation(ctx context.Context, id uuid.UUID, session SessionID, person PersonID, device string) error
	EndParticipation(ctx context.Context, id uuid.UUID) error
	// ShowClient says which client id others know a participation's window by: Load has it as shown.
	ShowClient(ctx context.Context, participation uuid.UUID, client crdt.ClientID) error
}

// Doc builds the document of a note from its log.
func (l Log) Doc() (*crdt.Doc, error) {
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
