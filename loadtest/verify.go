package loadtest

import (
	"context"
	"crypto/sha256"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/clisonix/tidechart/crdt"
)

// A Fault is something that no server may do to a note.
type Fault struct {
	Document string `json:"document"`
	Replica  string `json:"replica"` // whose copy
	What     string `json:"what"`
}

// maxFaults is how many a report lists; it counts them all.
const maxFaults = 20

// inquest compares the replicas of a run once nobody changes them any more.
type inquest struct {
	run *run

	mu       sync.Mutex
	faults   []Fault
	found    int // faults
	compared int // replicas compared in full
}

// inquire compares every replica with what a newcomer was given at the end, and that with what was typed.
func (r *run) inquire(ctx context.Context) (*inquest, error) {
	q := &inquest{run: r}
	notes := make([][]*client, r.config.Notes)
	for _, c := range slices.Concat(r.clients, r.joiners) {
		notes[c.note] = append(notes[c.note], c)
	}
	err := each(ctx, len(notes), runtime.GOMAXPROCS(0), func(_ context.Context, note int) error {
		q.note(note, notes[note])
		return nil
	})
	return q, err
}

func (q *inquest) fault(note int, replica, what string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.found++; len(q.faults) < maxFaults {
		q.faults = append(q.faults, Fault{q.run.documents[note], replica, what})
	}
}

// note compares the replicas of one note.
func (q *inquest) note(note int, clients []*client) {
	last := q.run.last[note]
	if !last.ready {
		q.fault(note, string(newcomer), "cannot join any more")
		return
	}
	want, err := stateOf(last.replica.updates(), q.run.ledger.isTypist)
	if err != nil {
		q.fault(note, string(newcomer), err.Error())
		return
	}
	if want.waiting {
		q.fault(note, string(newcomer), want.differs(want))
	}
	for _, c := range clients {
		if t := c.typist; t != nil {
			if what := want.misprint(c.id, t.keys); what != "" {
				q.fault(note, fmt.Sprintf("%s, of %s %d", newcomer, writer, t.index), what)
			}
		}
	}
	known := make(map[[sha256.Size]byte]string)
	for _, c := range clients {
		q.replica(c, want, known)
	}
}

// replica compares one replica. Those that received the same are compared once: known has what came of it.
func (q *inquest) replica(c *client, want *state, known map[[sha256.Size]byte]string) {
	if !c.ready {
		return // it has never synced, which the report says
	}
	name := string(c.role)
	if c.typist != nil {
		name = fmt.Sprintf("%s %d", c.role, c.typist.index)
	}
	if !c.replica.keep {
		if what := gaps(c.replica.has, want.vector); what != "" {
			q.fault(c.note, name, what)
		}
		return
	}
	digest := c.replica.digest()
	what, is := known[digest]
	if !is || c.typist != nil {
		what = q.compare(c, want)
		if c.typist == nil {
			known[digest] = what
		}
	}
	if what != "" {
		q.fault(c.note, name, what)
	}
	q.mu.Lock()
	q.compared++
	q.mu.Unlock()
}

// compare builds a replica's document and says how it differs from want.
func (q *inquest) compare(c *client, want *state) string {
	updates := c.replica.updates()
	if c.typist != nil {
		own, err := c.typist.doc.EncodeStateAsUpdate(nil)
		if err != nil {
			return err.Error()
		}
		updates = append(updates, own)
	}
	got, err := stateOf(updates, q.run.ledger.isTypist)
	if err != nil {
		return err.Error()
	}
	what := got.differs(want)
	if what == "" {
		return ""
	}
	for client, paragraphs := range want.streams {
		i, _ := q.run.ledger.typist(client)
		mine := got.streams[client]
		if len(mine) != 1 || len(paragraphs) != 1 {
			continue
		}
		if v, at := judge(mine[0], paragraphs[0]); v != complete {
			return fmt.Sprintf("%s: %s of typist %d, first at %d", what, v, i, at)
		}
	}
	return what
}

// gaps compares which characters a replica has with which there are.
func gaps(has coverage, want crdt.StateVector) string {
	got := has.stateVector()
	for client, next := range want {
		if got[client] != next {
			return fmt.Sprintf("has another state vector: characters lost after %d of %d", got[client], next)
		}
	}
	return ""
}
