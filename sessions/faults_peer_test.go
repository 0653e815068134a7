package sessions_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/ysync"
	"github.com/clisonix/tidechart/sessions"
)

// simPeer is somebody who writes whatever becomes of the line, as a provider does: what was not saved is offered
// again with the next connection's Step2, and what was typed without a line is sent before it.
type simPeer struct {
	sim        *simulation
	who        sessions.Author
	client     crdt.ClientID
	hocuspocus bool
	open       atomic.Int64 // edits not yet saved

	// Owned by live.
	rng     *rand.Rand
	doc     *crdt.Doc
	unacked []*crdt.Update // own edits
	savedTo uint64         // all own clocks below it are saved
	queued  [][]byte       // edits made without a line
	edits   int
	drops   int
}

func newSimPeer(sim *simulation, who sessions.Author, client crdt.ClientID, hocuspocus bool, rng *rand.Rand) *simPeer {
	return &simPeer{sim: sim, who: who, client: client, hocuspocus: hocuspocus, rng: rng, doc: crdt.New("")}
}

func (p *simPeer) unsaved() int { return int(p.open.Load()) }

// live connects, again and again.
func (p *simPeer) live(ctx context.Context) {
	for ctx.Err() == nil {
		p.online(ctx)
		back := time.After(p.upTo(2 * time.Second))
		for away := true; away && ctx.Err() == nil; {
			select {
			case <-back:
				away = false
			case <-p.nextStroke():
				p.stroke(nil)
			case <-ctx.Done():
			}
		}
	}
}

func (p *simPeer) upTo(d time.Duration) time.Duration { return time.Duration(p.rng.Int64N(int64(d))) }

// nextStroke never comes when it is calm.
func (p *simPeer) nextStroke() <-chan time.Time {
	if p.sim.calm.Load() {
		return nil
	}
	return time.After(p.upTo(400 * time.Millisecond))
}

// simLine is one connection as its peer sees it.
type simLine struct {
	p        *simPeer
	pipe     *pipe
	out, in  chan []byte
	unknown  []*crdt.Update // sent on this line and not answered, in order
	lastSent [][]byte
}

// online is one connection, until the line breaks or the server ends it.
func (p *simPeer) online(ctx context.Context) {
	l := &simLine{p: p, pipe: newPipe(), out: make(chan []byte, 4096), in: make(chan []byte, 4096)}
	defer l.pipe.close()
	go l.serve(p.sim.hub.Load())
	go carry(rand.New(rand.NewPCG(p.rng.Uint64(), 0)), l.out, l.pipe.in, l.pipe.closed)
	go carry(rand.New(rand.NewPCG(p.rng.Uint64(), 0)), l.pipe.out, l.in, l.pipe.closed)
	if p.hocuspocus {
		l.say(ysync.Message{Kind: ysync.Auth, Auth: ysync.Token, Version: "4.8.0"})
	}
	l.say(ysync.Message{Kind: ysync.Sync, Step: ysync.Step1, Data: p.doc.EncodeStateVector()})
	if p.hocuspocus {
		for _, u := range p.queued {
			l.offer(ysync.StepUpdate, u)
		}
	}
	p.queued = nil
	cut := time.After(time.Second + p.upTo(8*time.Second))
	for {
		select {
		case frame := <-l.in:
			l.take(frame)
		case <-p.nextStroke():
			p.stroke(l)
		case <-cut:
			if !p.sim.calm.Load() {
				p.drops++
				return
			}
		case <-l.pipe.closed:
			return
		case <-ctx.Done():
			return
		}
	}
}

// serve is the server's end.
func (l *simLine) serve(hub *sessions.Hub) {
	grant, err := write(l.p.who), error(nil)
	if l.p.hocuspocus {
		err = hub.ServeHocuspocus(context.Background(), l.pipe, func(context.Context, sessions.NoteID, string) (sessions.Grant, error) {
			return grant, nil
		})
	} else {
		err = hub.ServeYWebSocket(context.Background(), l.pipe, note, "", granted(grant))
	}
	l.pipe.close()
	if reason := new(sessions.CloseError); errors.As(err, &reason) && reason.Code != 1012 && reason.Code != 1013 {
		l.p.sim.t.Errorf("%s, who does nothing wrong, was cut off: %v", l.p.who.Name, err)
	}
}

// carry is one direction of a line: slow, never out of order, and what is on its way when it breaks is lost.
func carry(rng *rand.Rand, from <-chan []byte, to chan<- []byte, broken <-chan struct{}) {
	for {
		select {
		case frame := <-from:
			time.Sleep(time.Duration(rng.Int64N(int64(60 * time.Millisecond))))
			select {
			case to <- frame:
			case <-broken:
				return
			}
		case <-broken:
			return
		}
	}
}

func (l *simLine) say(m ysync.Message) {
	var frame []byte
	if l.p.hocuspocus {
		frame = ysync.AppendEnvelope(nil, ysync.Envelope{Key: note.String(), Message: m})
	} else {
		frame = ysync.AppendMessage(nil, m)
	}
	select {
	case l.out <- frame:
	case <-l.pipe.closed:
	}
}

// offer sends an update, which Hocuspocus answers.
func (l *simLine) offer(step ysync.Step, update []byte) {
	l.say(ysync.Message{Kind: ysync.Sync, Step: step, Data: update})
	l.unknown = append(l.unknown, l.p.decode(update))
	l.lastSent = append(l.lastSent[max(0, len(l.lastSent)-3):], update)
}

func (p *simPeer) decode(update []byte) *crdt.Update {
	u, err := crdt.DecodeUpdate(update)
	if err != nil {
		p.sim.t.Errorf("%s: %v", p.who.Name, err)
		return &crdt.Update{}
	}
	return u
}

// take reads one frame of the server.
func (l *simLine) take(frame []byte) {
	p := l.p
	var m ysync.Message
	var err error
	if p.hocuspocus {
		var e ysync.Envelope
		e, err = ysync.DecodeEnvelope(frame)
		m = e.Message
	} else {
		m, err = ysync.DecodeMessage(frame)
	}
	switch {
	case err != nil:
		p.sim.t.Errorf("%s was sent % x: %v", p.who.Name, frame, err)
	case m.Kind == ysync.SyncStatus:
		if len(l.unknown) == 0 {
			p.sim.t.Errorf("%s was answered what it did not send", p.who.Name)
			return
		}
		if m.Saved {
			p.saved(l.unknown[0])
		}
		l.unknown = l.unknown[1:]
	case m.Kind == ysync.Sync && m.Step == ysync.Step1:
		l.answer(m.Data)
	case m.Kind == ysync.Sync:
		u := p.decode(m.Data)
		p.sim.mustHave(u, p.who.Name, "was sent")
		if err := p.doc.Apply(u); err != nil {
			p.sim.t.Errorf("%s: %v", p.who.Name, err)
		}
		if !p.hocuspocus {
			p.saved(u)
		}
	}
}

// answer sends what the server lacks. What it does not lack it has.
func (l *simLine) answer(vector []byte) {
	p := l.p
	has, err := crdt.DecodeStateVector(vector)
	diff, diffErr := p.doc.EncodeStateAsUpdate(vector)
	if err = errors.Join(err, diffErr); err != nil {
		p.sim.t.Errorf("%s: %v", p.who.Name, err)
		return
	}
	p.savedTo = max(p.savedTo, has[p.client])
	l.offer(ysync.Step2, diff)
}

// saved takes the server's word that it has what u holds.
func (p *simPeer) saved(u *crdt.Update) {
	p.sim.mustHave(u, p.who.Name, "was told of")
	for _, r := range u.Ranges() {
		if r.Client == p.client {
			p.savedTo = max(p.savedTo, r.To)
		}
	}
	have := u.Deletes()
	p.unacked = slices.DeleteFunc(p.unacked, func(edit *crdt.Update) bool {
		for _, r := range edit.Ranges() {
			if r.To > p.savedTo {
				return false
			}
		}
		for _, d := range edit.Deletes() {
			if !slices.ContainsFunc(have, func(h crdt.DeleteRange) bool {
				return h.Client == d.Client && h.Clock <= d.Clock && d.Clock+d.Len <= h.Clock+h.Len
			}) {
				return false
			}
		}
		return true
	})
	p.open.Store(int64(len(p.unacked)))
}

// stroke is one edit: mostly a word, at times a deletion. Without a line it waits for one.
func (p *simPeer) stroke(l *simLine) {
	text := p.doc.Text("t")
	update, err := p.doc.Transact(p.client, func(tx *crdt.Txn) {
		if n := text.Len(); n > 10 && p.rng.IntN(4) == 0 {
			at := p.rng.IntN(n - 3)
			text.Delete(tx, at, 1+p.rng.IntN(3))
		} else {
			text.Insert(tx, p.rng.IntN(n+1), "word "[:1+p.rng.IntN(5)])
		}
	})
	if err != nil || len(update) == 0 {
		p.sim.t.Errorf("%s cannot write: %v", p.who.Name, err)
		return
	}
	p.edits++
	p.unacked = append(p.unacked, p.decode(update))
	p.open.Store(int64(len(p.unacked)))
	if l == nil {
		p.queued = append(p.queued, update)
		return
	}
	l.offer(ysync.StepUpdate, update)
	if p.rng.IntN(8) == 0 { // and once more what was sent before
		l.offer(ysync.StepUpdate, l.lastSent[p.rng.IntN(len(l.lastSent))])
	}
}
