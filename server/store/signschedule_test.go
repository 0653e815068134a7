package store_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/ysync"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/sessions"
	past "github.com/clisonix/tidechart/sessions/history"
)

var (
	schedules     = flag.Int("sign.schedules", 4, "how many schedules of edits and signatures are tried")
	firstSchedule = flag.Uint64("sign.first", 0, "the first of them")
)

// site is one server on the database, without HTTP: sessions, and whoever watches access for them.
type site struct {
	db   *store.DB
	hub  *sessions.Hub
	stop context.CancelFunc
	done chan struct{}
}

func (h hospital) site(t *testing.T) *site {
	t.Helper()
	db, err := store.Open(context.Background(), h.url, h.vault)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &site{db: db, hub: sessions.NewHub(db, slog.New(slog.DiscardHandler)), stop: stop, done: make(chan struct{})}
	w, err := db.WatchAccess(ctx, -1)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(s.done)
		defer w.Close()
		for ctx.Err() == nil {
			changes, _, asked, err := w.Next(ctx, 200*time.Millisecond)
			if err != nil {
				return
			}
			if len(changes) > 0 {
				s.hub.Recheck(ctx, func(note sessions.NoteID, _ sessions.PersonID, _ string) bool {
					return slices.Contains(changes, store.AccessChange{Note: note}) || slices.Contains(changes, store.AccessChange{})
				})
			}
			s.hub.AccessSeen(asked)
		}
	}()
	return s
}

// kill ends a server as if it were killed: what it has not committed is gone, and nobody is told.
func (s *site) kill() {
	s.stop()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = s.hub.Close(ctx) // that it did not end in time is what is wanted
	<-s.done
	settled, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_ = s.hub.Close(settled) // its goroutines use the database until they have ended
	s.db.Close()
}

// grant is what somebody may do with a note, as package server decides it for its writers.
func (s *site) grant(ctx context.Context, note uuid.UUID, who sessions.Author) (sessions.Grant, error) {
	g := sessions.Grant{Author: who, Epoch: s.hub.AccessEpoch()}
	st, err := s.db.Standing(ctx, who.ID, note)
	if err != nil {
		return g, err
	}
	g.Stamp = sessions.Stamp{Person: st.PersonEpoch, Note: st.NoteEpoch}
	switch {
	case store.IsSigned(st.State):
		g.ReadOnly, g.Closed = true, sessions.Sealed
	case !st.Writable:
		g.ReadOnly, g.Closed, g.Again = true, sessions.Frozen, *st.FrozenUntil
	}
	g.Renew = func(ctx context.Context) (sessions.Grant, error) { return s.grant(ctx, note, who) }
	return g, nil
}

// line is a connection in memory.
type line struct {
	in     chan []byte
	closed chan struct{}
	once   sync.Once

	mu   sync.Mutex
	got  [][]byte
	more chan struct{} // has room for one: something came, or it ended
}

func newLine() *line {
	return &line{in: make(chan []byte, 64), closed: make(chan struct{}), more: make(chan struct{}, 1)}
}

func (l *line) Read(ctx context.Context, limit int) ([]byte, error) {
	select {
	case b := <-l.in:
		if len(b) > limit {
			return nil, sessions.TooLarge()
		}
		return b, nil
	case <-l.closed:
		return nil, io.EOF
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *line) Offer(messages [][]byte) int {
	l.mu.Lock()
	for _, m := range messages {
		l.got = append(l.got, slices.Clone(m))
	}
	l.mu.Unlock()
	l.ring()
	return len(messages)
}

func (l *line) Write(_ time.Time, messages [][]byte) error {
	select {
	case <-l.closed:
		return os.ErrClosed
	default:
		l.Offer(messages)
		return nil
	}
}

func (l *line) Cut()        { l.end() }
func (l *line) Close(error) { l.end() }
func (l *line) end()        { l.once.Do(func() { close(l.closed) }); l.ring() }

func (l *line) ring() {
	select {
	case l.more <- struct{}{}:
	default:
	}
}

// editor is a browser: what is typed is in its document at once, and on its way when there is a line.
type editor struct {
	t      *testing.T
	r      *rand.Rand
	note   uuid.UUID
	who    sessions.Author
	client crdt.ClientID
	doc    *crdt.Doc
	at     func() *site // one of the servers

	line    *line
	serving sync.WaitGroup
	met     bool // has sent its Step2
	steps   chan<- struct{}
	answers []bool // to Step2s and Updates of this line
}

func (e *editor) goOnline() {
	if e.line != nil {
		return
	}
	s := e.at()
	e.line, e.met, e.answers = newLine(), false, nil
	l := e.line
	e.serving.Go(func() {
		_ = s.hub.ServeHocuspocus(context.Background(), l, func(ctx context.Context, note sessions.NoteID, _ string) (sessions.Grant, error) {
			return s.grant(ctx, note, e.who)
		})
		l.end()
	})
	e.send(ysync.Message{Kind: ysync.Auth, Auth: ysync.Token, Version: "4.8.0"})
	e.send(ysync.Message{Kind: ysync.Sync, Step: ysync.Step1, Data: e.doc.EncodeStateVector()})
}

func (e *editor) goOffline() {
	if e.line != nil {
		e.line.end()
		e.line = nil
	}
}

func (e *editor) send(m ysync.Message) {
	select {
	case e.line.in <- ysync.AppendEnvelope(nil, ysync.Envelope{Key: e.note.String(), Message: m}):
	case <-e.line.closed:
	}
}

// listen takes what has come.
func (e *editor) listen() {
	l := e.line
	if l == nil {
		return
	}
	l.mu.Lock()
	got := l.got
	l.got = nil
	l.mu.Unlock()
	for _, frame := range got {
		m, err := ysync.DecodeEnvelope(frame)
		if err != nil {
			e.t.Errorf("%x: %v", frame, err)
			continue
		}
		switch {
		case m.Kind == ysync.SyncStatus:
			e.answers = append(e.answers, m.Saved)
		case m.Kind == ysync.Sync && m.Step == ysync.Step1:
			diff, err := e.doc.EncodeStateAsUpdate(m.Data)
			if err != nil {
				e.t.Error(err)
			}
			e.met = true
			e.send(ysync.Message{Kind: ysync.Sync, Step: ysync.Step2, Data: diff})
		case m.Kind == ysync.Sync:
			if err := e.doc.ApplyUpdate(m.Data); err != nil {
				e.t.Error(err)
			}
		}
	}
	select {
	case <-l.closed:
		e.line = nil
	default:
	}
}

// wait waits until something comes, for a while.
func (e *editor) wait(d time.Duration) {
	if e.line == nil {
		return
	}
	select {
	case <-e.line.more:
	case <-time.After(d):
	}
}

// types changes the document somewhere.
func (e *editor) types() {
	u, err := e.doc.Transact(e.client, func(tx *crdt.Txn) {
		root := e.doc.XMLFragment(sessions.Fragment)
		var texts []*crdt.XMLText
		for _, c := range root.Children() {
			if p, is := c.Value.(*crdt.XMLElement); is && p.Len() > 0 {
				if x, is := p.Children()[0].Value.(*crdt.XMLText); is {
					texts = append(texts, x)
				}
			}
		}
		if root.Len() > 1 && e.r.IntN(25) == 0 { // with what others type in it at this moment
			root.Delete(tx, e.r.IntN(root.Len()), 1)
			return
		}
		if len(texts) == 0 || e.r.IntN(8) == 0 {
			root.Insert(tx, e.r.IntN(root.Len()+1), crdt.NewXMLElement("paragraph", nil, crdt.NewXMLText("p")))
			return
		}
		x := texts[e.r.IntN(len(texts))]
		if at := e.r.IntN(x.Len() + 1); e.r.IntN(5) > 0 || at == x.Len() {
			x.Insert(tx, at, string(rune('a'+e.r.IntN(26))))
		} else {
			x.Delete(tx, at, 1)
		}
	})
	if err != nil {
		e.t.Error(err)
		return
	}
	if e.line != nil && e.met { // else its Step2 has it
		e.send(ysync.Message{Kind: ysync.Sync, Step: ysync.StepUpdate, Data: u})
	}
}

// edits does as somebody does at a browser: types, looks away, loses the line, comes back.
func (e *editor) edits(actions int) {
	for range actions {
		e.steps <- struct{}{}
		e.listen()
		switch k := e.r.IntN(20); {
		case k == 0:
			e.goOffline()
		case k < 4:
			e.goOnline()
		case k < 10:
			e.wait(10 * time.Millisecond)
		default:
			e.types()
		}
	}
}

// bringsAll comes back online until all that was typed here is answered as saved.
func (e *editor) bringsAll() bool {
	for until := time.Now().Add(30 * time.Second); time.Now().Before(until); {
		e.goOffline()
		for e.goOnline(); e.line != nil && len(e.answers) == 0 && time.Now().Before(until); e.listen() {
			e.wait(time.Second)
		}
		if e.line != nil && len(e.answers) > 0 && e.answers[0] {
			e.goOffline()
			return true
		}
	}
	return false
}

// signs tries to sign until the note is signed: as it is, or by a freeze, of which some are given up.
func signs(t *testing.T, r *rand.Rand, db *store.DB, note, by uuid.UUID, steps <-chan struct{}, expire func()) (signed store.Signature) {
	ctx := context.Background()
	for range r.IntN(300) {
		<-steps
	}
	for try := 0; ; try++ {
		for range r.IntN(10) {
			<-steps // of editors, until the last has ended
		}
		seen := store.Seen{}
		var f store.Freeze
		var err error
		if freeze := r.IntN(2) == 0; freeze {
			if f, err = db.Freeze(ctx, note, by, time.Minute); err != nil {
				continue // the server was killed
			}
			seen.Epoch = f.Epoch
		}
		rendering, err := db.Render(ctx, note)
		if err != nil {
			continue
		}
		seen.Hashes, seen.Identity = rendering.Hashes(), rendering.Seen().Identity
		if seen.Epoch != 0 && rendering.Seq != f.Seq {
			t.Errorf("frozen at seq %d, and now at %d", f.Seq, rendering.Seq)
		}
		switch k := r.IntN(4); {
		case seen.Epoch != 0 && k == 0 && try < 3:
			_ = db.LetGo(ctx, note, by, seen.Epoch)
			continue
		case seen.Epoch != 0 && k == 1 && try < 3:
			expire()
			continue
		}
		signed, err = db.Sign(ctx, note, by, seen)
		if err == nil {
			if signed.Hashes != seen.Hashes {
				t.Error("signed what the signer has not seen")
			}
			return signed
		}
		if all, err := db.Signatures(ctx, note); err == nil && len(all) > 0 { // by a server that was killed before it could say so
			return all[0]
		}
		if seen.Epoch != 0 && (errors.Is(err, store.ErrChanged) || errors.Is(err, store.ErrFreezeOver)) {
			t.Errorf("frozen, and not signed: %v", err)
		}
		if try > 200 {
			t.Fatalf("not signed after %d tries: %v", try, err)
		}
	}
}

// TestAnyScheduleOfSignatures: whatever three people type, on two servers that are killed now and then, online and off, while somebody signs, freezes,
// lets go and comes back: what is signed is what the signer saw, it never changes, and each keystroke is in the note or kept beside it as its
// author's (I5). Long: make test-signing.
func TestAnyScheduleOfSignatures(t *testing.T) {
	h := open(t)
	third := uuid.New()
	h.must(t, `INSERT INTO person (id, username, name, role, color) VALUES ($1, 'cy', 'Cy', 'nurse', 0)`, third)
	people := []uuid.UUID{h.author, h.other, third}
	var mu sync.RWMutex
	sites := []*site{h.site(t), h.site(t)}
	defer func() {
		for _, s := range sites {
			s.kill()
		}
	}()
	inNote, beside := 0, 0
	for seed := *firstSchedule; seed < *firstSchedule+uint64(*schedules); seed++ {
		r := rand.New(rand.NewPCG(seed, 7))
		pick := func(r *rand.Rand) *site {
			mu.RLock()
			defer mu.RUnlock()
			return sites[r.IntN(len(sites))]
		}
		note := h.newNote(t)
		editors, steps := make([]*editor, len(people)), make(chan struct{})
		var typing sync.WaitGroup
		for i, who := range people {
			own := rand.New(rand.NewPCG(seed, uint64(100+i)))
			e := &editor{
				t: t, r: own, note: note, who: sessions.Author{ID: who, Name: "N", Role: "nurse", Color: "#000000"}, client: crdt.ClientID(1000*seed + uint64(i) + 1), doc: crdt.New(""), steps: steps,
				at: func() *site { return pick(own) },
			}
			editors[i] = e
			typing.Go(func() { e.goOnline(); e.edits(150) })
		}
		if r.IntN(2) == 0 {
			typing.Go(func() {
				fresh := h.site(t)
				mu.Lock()
				i := r.IntN(len(sites))
				killed := sites[i]
				sites[i] = fresh
				mu.Unlock()
				killed.kill()
			})
		}
		signer := rand.New(rand.NewPCG(seed, 99))
		typed := make(chan struct{})
		go func() { typing.Wait(); close(steps); close(typed) }()
		signed := signs(t, signer, h.db, note, people[signer.IntN(len(people))], steps, func() {
			_ = h.exec(t, `UPDATE note SET frozen_until = now() WHERE id = $1 AND state = 'signing'`, note)
		})
		for range steps {
		}
		<-typed
		for i, e := range editors {
			if !e.bringsAll() {
				t.Fatalf("seed %d: what editor %d typed is not answered", seed, i)
			}
			e.serving.Wait()
		}
		now, err := h.db.Render(t.Context(), note)
		if err != nil {
			t.Fatal(err)
		}
		content, attribution, err := h.db.SignedText(t.Context(), note)
		if err != nil || now.Seq != signed.Seq || now.Hashes() != signed.Hashes || !bytes.Equal(content, now.Content) || !bytes.Equal(attribution, now.Attribution) {
			t.Fatalf("seed %d: the note is not what was signed: seq %d and %d, %v", seed, now.Seq, signed.Seq, err)
		}
		in, late := h.keystrokes(t, seed, note, editors)
		inNote, beside = inNote+in, beside+late
	}
	t.Logf("%d schedules: %d units in signed notes, %d edits beside them", *schedules, inNote, beside)
	if *schedules >= 4 && (inNote == 0 || beside == 0) {
		t.Error("the schedules try nothing")
	}
}

// keystrokes looks for all that was typed: in the note, or else beside it, by whom it was, and in what is proposed to them.
func (h hospital) keystrokes(t *testing.T, seed uint64, note uuid.UUID, editors []*editor) (inNote, beside int) {
	t.Helper()
	c, err := new(past.Pasts).Committed(t.Context(), h.db, note)
	if err != nil {
		t.Fatal(err)
	}
	edits, err := h.db.LateEdits(t.Context(), note)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range c.Doc.StateVector() {
		inNote += int(n)
	}
	for _, edit := range edits {
		u, err := crdt.DecodeUpdate(edit.Update)
		if err == nil {
			err = c.Doc.Apply(u)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range editors {
			if own := slices.ContainsFunc(u.Ranges(), func(r crdt.ClockRange) bool { return r.Client == e.client }); own && edit.Author != e.who.ID {
				t.Errorf("seed %d: late edit %d is said to be somebody else's", seed, edit.N)
			}
		}
	}
	h.proposed(t, seed, note, edits)
	for i, e := range editors {
		state, err := e.doc.EncodeStateAsUpdate(nil)
		if err != nil {
			t.Fatal(err)
		}
		u, err := crdt.DecodeUpdate(state)
		if err != nil {
			t.Fatal(err)
		}
		if u.Novel(c.Doc.StateVector()) || !c.Doc.HasDeleted(u.Deletes()) {
			t.Errorf("seed %d: some of what editor %d typed is neither in the note nor beside it", seed, i)
		}
	}
	return inNote, len(edits)
}

// proposed looks for each letter that somebody typed too late, and did not take away again, in the words of the addendum that they could make.
func (h hospital) proposed(t *testing.T, seed uint64, note uuid.UUID, edits []sessions.LateEdit) {
	t.Helper()
	updates, numbers, removed := make([]*crdt.Update, len(edits)), map[uuid.UUID][]uint64{}, map[uuid.UUID]map[crdt.ID]bool{}
	for i, edit := range edits {
		u, err := crdt.DecodeUpdate(edit.Update)
		if err != nil {
			t.Fatal(err)
		}
		if removed[edit.Author] == nil {
			removed[edit.Author] = make(map[crdt.ID]bool)
		}
		for _, g := range u.Deletes() {
			for k := range uint64(g.Len) {
				removed[edit.Author][crdt.ID{Client: g.Client, Clock: uint64(g.Clock) + k}] = true
			}
		}
		updates[i], numbers[edit.Author] = u, append(numbers[edit.Author], edit.N)
	}
	typed := map[uuid.UUID]map[rune]int{}
	for i, u := range updates {
		who := edits[i].Author
		if typed[who] == nil {
			typed[who] = make(map[rune]int)
		}
		u.Texts(u.Ranges(), func(_ int, id crdt.ID, text string) {
			for k, letter := range text { // each is one unit
				if !removed[who][crdt.ID{Client: id.Client, Clock: id.Clock + uint64(k)}] {
					typed[who][letter]++
				}
			}
		})
	}
	for who, letters := range typed {
		words, err := sessions.LateWords(t.Context(), h.db, note, who, numbers[who])
		if err != nil {
			t.Fatal(err)
		}
		for _, letter := range words {
			letters[letter]--
		}
		delete(letters, '\n')
		for letter, n := range letters {
			if n != 0 {
				t.Errorf("seed %d: of the letter %c %d are missing in %q, which is proposed", seed, letter, n, words)
			}
		}
	}
}
