package sessions_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/internal/needs"
	"github.com/clisonix/tidechart/sessions"
	"github.com/clisonix/tidechart/sessions/storetest"
)

var (
	faultSeeds = flag.Int("seeds", 0, "how many seeds TestFaults runs; 0: 20, or a few where the race detector makes them slow")
	firstSeed  = flag.Uint64("first", 1, "the first of them")
)

// TestFaults: six peers of both protocols write for half a minute over lines that delay and break, while the log's
// commits fail before they are done and after, and hang, and servers are lost. Whoever is told "saved" finds it in
// the log at that moment (I2); nobody is sent what is not there (I1); and at the end all have the same, which is the
// log, and its base and tail, and all that was ever typed (I4).
func TestFaults(t *testing.T) {
	seeds := *faultSeeds
	switch {
	case seeds == 0 && needs.Raced:
		seeds = 6
	case seeds == 0:
		seeds = 20
	}
	for seed := *firstSeed; seed < *firstSeed+uint64(seeds); seed++ {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { newSimulation(t, seed).run() })
		})
	}
}

// simulation is one run of TestFaults, in a bubble of fake time.
type simulation struct {
	t     *testing.T
	store *storetest.MemStore
	hub   atomic.Pointer[sessions.Hub]
	peers []*simPeer
	calm  atomic.Bool // nothing fails any more

	mu     sync.Mutex // guards what follows
	rng    *rand.Rand // of the store
	stored *crdt.Doc  // the log's rows, applied one by one
	rows   int        // how many of them
	faults struct{ before, after, hung, crashed int }
}

func newSimulation(t *testing.T, seed uint64) *simulation {
	sim := &simulation{t: t, store: &storetest.MemStore{}, rng: rand.New(rand.NewPCG(seed, 0)), stored: crdt.New("")}
	sim.store.Add(note, chen.ID, insert(9, 0, "start"))
	sim.store.Fault = sim.fault
	sim.startHub()
	for i := range 6 {
		who := sessions.Author{ID: uuid.UUID{byte(i + 1)}, Name: fmt.Sprintf("Person %d", i)}
		sim.peers = append(sim.peers, newSimPeer(sim, who, crdt.ClientID(100+i), i%2 == 0, rand.New(rand.NewPCG(seed, uint64(i+1)))))
	}
	return sim
}

func (sim *simulation) startHub() {
	sim.hub.Store(sessions.NewHub(sim.store, slog.New(slog.DiscardHandler), hurried()))
}

func (sim *simulation) run() {
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for _, p := range sim.peers {
		running.Go(func() { p.live(ctx) })
	}
	for range 3 {
		time.Sleep(10 * time.Second)
		sim.crash()
	}
	sim.calm.Store(true)
	sim.awaitSaved()
	stop()
	running.Wait()
	if err := sim.hub.Load().Close(context.Background()); err != nil {
		sim.t.Error(err)
	}
	time.Sleep(time.Minute) // servers that were lost give up
	sim.check()
}

// fault is what the store is asked around each commit.
func (sim *simulation) fault(before bool) error {
	if sim.calm.Load() {
		return nil
	}
	sim.mu.Lock()
	dice, hang := sim.rng.IntN(20), time.Duration(sim.rng.Int64N(int64(4*time.Second)))
	switch {
	case dice < 2 && before:
		sim.faults.before++
	case dice < 2:
		sim.faults.after++
	case dice == 2:
		sim.faults.hung++
	}
	sim.mu.Unlock()
	switch {
	case dice < 2:
		return errors.New("the database is gone")
	case dice == 2:
		time.Sleep(hang)
	default:
		time.Sleep(hang / 1000)
	}
	return nil
}

// crash loses the server with whatever it had not committed; what it has sent to the database may still be.
func (sim *simulation) crash() {
	now, lost := context.WithCancel(context.Background())
	lost()
	_ = sim.hub.Load().Close(now) // it cannot have ended in no time
	sim.faults.crashed++
	sim.startHub()
}

// awaitSaved waits until every peer has been told that all it wrote is saved.
func (sim *simulation) awaitSaved() {
	for range 300 {
		time.Sleep(time.Second)
		left := 0
		for _, p := range sim.peers {
			left += p.unsaved()
		}
		if left == 0 {
			time.Sleep(30 * time.Second) // whoever is away with nothing to save comes back and reads
			return
		}
	}
	for _, p := range sim.peers {
		if p.unsaved() > 0 {
			sim.t.Errorf("%s: %d of %d edits are never saved", p.who.Name, p.unsaved(), p.edits)
		}
	}
}

// log catches up with the log, each row of which must begin where those before it end: deletions may come twice, text may not.
func (sim *simulation) log() *crdt.Doc {
	rows := sim.store.Rows(note)
	for ; sim.rows < len(rows); sim.rows++ {
		u, err := crdt.DecodeUpdate(rows[sim.rows].Update)
		if err != nil {
			sim.t.Fatal(err)
		}
		have := sim.stored.StateVector()
		for _, r := range u.Ranges() {
			if r.From != have[r.Client] {
				sim.t.Errorf("row %d has client %d from %d, the rows before it up to %d", sim.rows+1, r.Client, r.From, have[r.Client])
			}
		}
		if err := sim.stored.Apply(u); err != nil || sim.stored.HasPending() {
			sim.t.Errorf("row %d: %v, builds on what is missing: %v", sim.rows+1, err, sim.stored.HasPending())
		}
	}
	return sim.stored
}

// mustHave fails unless the log has all that u writes and deletes.
func (sim *simulation) mustHave(u *crdt.Update, who, what string) {
	sim.mu.Lock()
	defer sim.mu.Unlock()
	log := sim.log()
	have := log.StateVector()
	for _, r := range u.Ranges() {
		if have[r.Client] < r.To {
			sim.t.Errorf("%s %s clocks %d to %d of client %d; the log ends at %d", who, what, r.From, r.To, r.Client, have[r.Client])
		}
	}
	if !log.HasDeleted(u.Deletes()) {
		sim.t.Errorf("%s %s a deletion that is not in the log", who, what)
	}
}

// check compares all who have the note, when it is quiet.
func (sim *simulation) check() {
	log, err := sim.store.Load(context.Background(), note)
	if err != nil {
		sim.t.Fatal(err)
	}
	if log.Head != uint64(len(sim.store.Rows(note))) || log.Head != log.BaseSeq+uint64(len(log.Tail)) {
		sim.t.Errorf("head %d, base of %d, %d rows after it, %d in all", log.Head, log.BaseSeq, len(log.Tail), len(sim.store.Rows(note)))
	}
	based := crdt.New("")
	for _, u := range append([][]byte{log.Base}, log.Tail...) {
		if len(u) == 0 {
			continue // no base
		}
		if err := based.ApplyUpdate(u); err != nil {
			sim.t.Fatal(err)
		}
	}
	want := contentOf(sim.log())
	if got := contentOf(based); got != want {
		sim.t.Errorf("base and tail are\n%s\nthe log is\n%s", got, want)
	}
	edits, drops := 0, 0
	for _, p := range sim.peers {
		if got := contentOf(p.doc); got != want {
			sim.t.Errorf("%s has\n%s\nthe log is\n%s", p.who.Name, got, want)
		}
		edits, drops = edits+p.edits, drops+p.drops
	}
	f := sim.faults
	sim.t.Logf("%d edits in %d rows, base of %d; %d lines cut, %d servers lost, commits: %d failed before, %d after, %d hung",
		edits, log.Head, log.BaseSeq, drops, f.crashed, f.before, f.after, f.hung)
	if edits < 100 || drops == 0 || f.before == 0 || f.after == 0 {
		sim.t.Error("too little happened")
	}
}

// contentOf is what two replicas must share: text, clocks, deletions.
func contentOf(d *crdt.Doc) string {
	return fmt.Sprintf("%s\nclocks %v\ndeleted %v", d.Text("t"), d.StateVector(), d.DeleteSet())
}
