package sessions

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"slices"

	"github.com/clisonix/tidechart/crdt"
)

// declaration is a stateless message by which an editor says how text came into it, so that its author can be told from where
// it was pasted from, and from whom it only moved. Whoever says nothing is judged by how much came at once, and by what it says.
type declaration struct {
	Type   string `json:"type"` // "text"
	How    Manner `json:"how"`
	Client uint64 `json:"client"`
	From   uint64 `json:"from"`
	To     uint64 `json:"to"`

	// Moves says of [Relocated]: clock and number of elements, and which client's they repeat, from which clock on.
	Moves [][4]uint64 `json:"moves"`
}

// errUntold means that it could not be stored what an editor says it moved. It keeps that until its edit is saved: it comes back and says it again.
var errUntold = &CloseError{Code: closeTryLater, Reason: "not recorded what was moved"}

// declare stores what an editor says of its text. What is none of this is for nobody. That text was written offline can be said
// before it is sent only: of what is sent as it is written, everybody sees when that was.
func (p *Peer) declare(ctx context.Context, text string) error {
	var said declaration
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.DisallowUnknownFields()
	if err := d.Decode(&said); err != nil || said.Type != "text" || said.Client > crdt.MaxInt {
		return nil //nolint:nilerr // it is for nobody
	}
	if said.How == Relocated {
		return p.relocated(ctx, said)
	}
	if !p.mayWrite() || p.declared >= maxDeclared || len(said.Moves) > 0 {
		return nil
	}
	if said.How != Pasted && (said.How != Offline || !p.owesStep2) || said.To <= said.From || said.To > maxClock {
		return nil
	}
	p.declared++
	ctx, cancel := context.WithTimeout(ctx, recordTimeout)
	defer cancel()
	r := crdt.ClockRange{Client: crdt.ClientID(said.Client), From: said.From, To: said.To}
	if err := p.session.hub.store.Declare(ctx, p.session.note, Declaration{ClockRange: r, Person: p.author.ID, How: said.How}); err != nil {
		p.session.log.Warn("not recorded how text came", "err", err) // then its size says it
	}
	return nil
}

// relocated stores what an editor says that its edits moved or put back. Whether that is true is seen by whoever reads the log: see package
// history. While somebody is about to sign, what is held may come into the note all the same.
func (p *Peer) relocated(ctx context.Context, said declaration) error {
	mayWrite := p.mayWrite() || Closed(p.closed.Load()) == Frozen
	if !mayWrite || p.moved >= maxMoved || len(said.Moves) == 0 || len(said.Moves) > maxMoves || said.From != 0 || said.To != 0 {
		return nil
	}
	copies := make([]crdt.Copy, len(said.Moves))
	for i, m := range said.Moves {
		if m[1] == 0 || m[0] > maxClock || m[1] > maxClock || m[2] > crdt.MaxInt || m[3] > maxClock {
			return nil
		}
		copies[i] = crdt.Copy{To: crdt.ID{Client: crdt.ClientID(said.Client), Clock: m[0]}, From: crdt.ID{Client: crdt.ClientID(m[2]), Clock: m[3]}, Len: m[1]}
	}
	slices.SortStableFunc(copies, func(a, b crdt.Copy) int { return cmp.Compare(a.To.Clock, b.To.Clock) })
	p.moved++
	ctx, cancel := context.WithTimeout(ctx, recordTimeout)
	defer cancel()
	if err := p.session.hub.store.TellMoved(ctx, p.session.note, p.author.ID, copies); err != nil {
		p.session.log.Warn("not recorded what was moved", "err", err)
		return errUntold
	}
	return nil
}
