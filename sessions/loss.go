package sessions

import (
	"cmp"
	"time"

	"github.com/clisonix/tidechart/crdt"
)

// Loss is text of one person that an update removed although nobody who saw it did: it was typed in a paragraph that
// somebody else replaced or deleted meanwhile. What it says is in the log.
type Loss struct {
	LossID
	Author   PersonID // whose text it was
	By       PersonID // who removed what held it,
	BySeq    uint64   // with this update,
	Replaced bool     // which put something else there
	FirstSeq uint64   // the first update that holds some of the text
	Text     []LostRange
	Place    []crdt.ID // the elements that held it, inside first
	At       time.Time // when the update came by which it was lost

	Settled *Settlement // not stored with it
}

// LossID names a loss in its note: the update by which it was lost, and which of those that this update lost.
type LossID struct {
	Seq  uint64
	Part int
}

func (a LossID) compare(b LossID) int {
	return cmp.Or(cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.Part, b.Part))
}

// LostRange is elements of lost text. Ranges of one Paragraph stood in one.
type LostRange struct {
	crdt.ClockRange
	Paragraph int
}

// Settlement is what the author of lost text did about it.
type Settlement struct {
	How Remedy
	At  time.Time
}

// Remedy is what can be done about lost text.
type Remedy string

// The remedies.
const (
	Restored  Remedy = "restored"  // its author put it back, by an edit
	Dismissed Remedy = "dismissed" // its author did not want it any more
)

// LossQuery says which losses of a note to list.
type LossQuery struct {
	Author  PersonID // zero: everybody's
	Waiting bool     // without those that are settled
	Before  LossID   // zero: from the newest on
	Limit   int
}

// Row is an update in the log.
type Row struct {
	Seq     uint64
	Author  PersonID
	Session SessionID // none: it was written when the note was created
	At      time.Time // of the store's clock, to the microsecond
	Update  []byte
}
