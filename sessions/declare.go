package sessions

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/clisonix/tidechart/crdt"
)

// declaration is a stateless message by which an editor says how text came into it, so that its author can be told from where
// it was pasted from. Whoever says nothing is judged by how much came at once.
type declaration struct {
	Type   string `json:"type"` // "text"
	How    Manner `json:"how"`
	Client uint64 `json:"client"`
	From   uint64 `json:"from"`
	To     uint64 `json:"to"`
}

// declare stores what an editor says of its text. What is none of this is for nobody. That text was written offline can be said
// before it is sent only: of what is sent as it is written, everybody sees when that was.
func (p *Peer) declare(ctx context.Context, text string) {
	var said declaration
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.DisallowUnknownFields()
	if err := d.Decode(&said); err != nil || said.Type != "text" || !p.mayWrite() || p.declared >= maxDeclared {
		return
	}
	if said.How != Pasted && (said.How != Offline || !p.owesStep2) || said.To <= said.From || said.To > maxClock || said.Client > crdt.MaxInt {
		return
	}
	p.declared++
	ctx, cancel := context.WithTimeout(ctx, recordTimeout)
	defer cancel()
	r := crdt.ClockRange{Client: crdt.ClientID(said.Client), From: said.From, To: said.To}
	if err := p.session.hub.store.Declare(ctx, p.session.note, Declaration{ClockRange: r, Person: p.author.ID, How: said.How}); err != nil {
		p.session.log.Warn("not recorded what an editor says of its text", "err", err) // then its size says it
	}
}
