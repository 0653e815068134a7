package store_test

import (
	"flag"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/sessions"
)

var (
	sealed    = flag.Int("sign.notes", 6, "how many notes are sealed while three people type in each")
	sealEvery = flag.Duration("sign.keys", 250*time.Millisecond, "how often each of them presses a key")
	sealIn    = flag.Duration("sign.in", time.Second, "how long sealing may take, of 99 in 100")
)

// keepsTyping presses a key now and then until stop is closed.
func (e *editor) keepsTyping(stop <-chan struct{}) {
	key := time.NewTicker(*sealEvery)
	defer key.Stop()
	for {
		e.listen()
		if e.line == nil {
			e.goOnline()
		}
		select {
		case <-e.line.more:
		case <-key.C:
			e.types()
		case <-stop:
			return
		}
	}
}

// TestSealing: notes in each of which three people type are frozen, read and signed one after the other. No row of a note comes behind its
// seal, nor is an edit behind it answered that is not kept beside it; and nobody waits long. Long: make bench-sign.
func TestSealing(t *testing.T) {
	h := open(t)
	third := uuid.New()
	h.must(t, `INSERT INTO person (id, username, name, role, color) VALUES ($1, 'cy', 'Cy', 'nurse', 0)`, third)
	people := []uuid.UUID{h.author, h.other, third}
	s := h.site(t)
	defer s.kill()
	notes, editors := make([]uuid.UUID, *sealed), make([][]*editor, *sealed)
	stop := make(chan struct{})
	var typing sync.WaitGroup
	for i := range notes {
		notes[i] = h.newNote(t)
		for k, who := range people {
			e := &editor{
				t: t, r: rand.New(rand.NewPCG(uint64(i), uint64(k))), note: notes[i], who: sessions.Author{ID: who, Name: "N", Role: "nurse", Color: "#000000"},
				client: crdt.ClientID(10*i + k + 1), doc: crdt.New(""), at: func() *site { return s },
			}
			editors[i] = append(editors[i], e)
			typing.Go(func() { e.keepsTyping(stop) })
		}
	}
	for _, note := range notes { // everybody is at it
		for seq := uint64(0); seq < 7; {
			log, err := h.db.Load(t.Context(), note)
			if err != nil {
				t.Fatal(err)
			}
			seq = log.Head
		}
	}
	took, signed := make([]time.Duration, len(notes)), make([]store.Signature, len(notes))
	for i, note := range notes {
		began := time.Now()
		f, err := s.db.Freeze(t.Context(), note, h.author, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		r, err := s.db.Render(t.Context(), note)
		if err != nil || r.Seq != f.Seq {
			t.Fatalf("frozen at seq %d, read at %d: %v", f.Seq, r.Seq, err)
		}
		if signed[i], err = s.db.Sign(t.Context(), note, h.author, func() store.Seen { seen := r.Seen(); seen.Epoch = f.Epoch; return seen }()); err != nil || signed[i].Seq != f.Seq {
			t.Fatal(err)
		}
		took[i] = time.Since(began)
	}
	close(stop)
	typing.Wait()
	beside := 0
	for i, note := range notes {
		for k, e := range editors[i] {
			if !e.bringsAll() {
				t.Fatalf("note %d: what editor %d typed is not answered", i, k)
			}
			e.serving.Wait()
		}
		now, err := h.db.Render(t.Context(), note)
		if err != nil || now.Seq != signed[i].Seq || now.Hashes() != signed[i].Hashes {
			t.Errorf("note %d: seq %d, signed at %d, %v", i, now.Seq, signed[i].Seq, err)
		}
		_, late := h.keystrokes(t, uint64(i), note, editors[i])
		beside += late
	}
	slices.Sort(took)
	p50, p99 := took[len(took)/2], took[len(took)*99/100]
	t.Logf("%d notes sealed under %d typists: p50 %v, p99 %v; %d edits were kept beside them", len(notes), 3*len(notes), p50, p99, beside)
	if p99 > *sealIn {
		t.Errorf("p99 is %v, want %v at most", p99, *sealIn)
	}
}
