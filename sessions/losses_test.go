package sessions_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/ysync"
	"github.com/clisonix/tidechart/sessions"
	"github.com/clisonix/tidechart/sessions/history"
	"github.com/clisonix/tidechart/sessions/storetest"
)

// page is the document in somebody's window, and under which client id they write there.
type page struct {
	t   *testing.T
	doc *crdt.Doc
	id  crdt.ClientID
}

func newPage(t *testing.T, id crdt.ClientID, updates ...[]byte) *page {
	t.Helper()
	p := &page{t, crdt.New("page"), id}
	p.take(updates...)
	return p
}

func (p *page) take(updates ...[]byte) {
	p.t.Helper()
	for _, u := range updates {
		if err := p.doc.ApplyUpdate(u); err != nil {
			p.t.Fatal(err)
		}
	}
}

func (p *page) edit(f func(*crdt.Txn, *crdt.XMLFragment)) []byte {
	p.t.Helper()
	update, err := p.doc.Transact(p.id, func(tx *crdt.Txn) { f(tx, p.doc.XMLFragment(sessions.Fragment)) })
	if err != nil {
		p.t.Fatal(err)
	}
	return update
}

// add appends a paragraph.
func (p *page) add(text string) []byte {
	p.t.Helper()
	return p.edit(func(tx *crdt.Txn, f *crdt.XMLFragment) {
		f.Insert(tx, len(f.Children()), crdt.NewXMLElement("paragraph", nil, crdt.NewXMLText(text)))
	})
}

// put types text into paragraph n.
func (p *page) put(n, at int, text string) []byte {
	p.t.Helper()
	return p.edit(func(tx *crdt.Txn, f *crdt.XMLFragment) {
		f.Children()[n].Value.(*crdt.XMLElement).Children()[0].Value.(*crdt.XMLText).Insert(tx, at, text)
	})
}

// head turns paragraph n into a heading, as editors do: the paragraph goes, and its text comes again.
func (p *page) head(n int, text string) []byte {
	p.t.Helper()
	return p.edit(func(tx *crdt.Txn, f *crdt.XMLFragment) {
		f.Delete(tx, n, 1)
		f.Insert(tx, n, crdt.NewXMLElement("heading", nil, crdt.NewXMLText(text)))
	})
}

// lost lists a note's losses, the oldest first, in words.
func lost(t *testing.T, hub *sessions.Hub, q sessions.LossQuery) []sessions.LostText {
	t.Helper()
	q.Limit = 100
	losses, err := hub.Losses(t.Context(), note, q)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(losses)
	return losses
}

// told counts how often a client was told to ask for its losses.
func (c *client) told() (n int) {
	for _, m := range c.messages() {
		if m.Kind == ysync.Stateless && m.Text == `{"type":"losses"}` {
			n++
		}
	}
	return n
}

// TestTextRemovedUnseen: whose text goes with what somebody else removed meanwhile is told, whichever came first.
func TestTextRemovedUnseen(t *testing.T) {
	for _, typedFirst := range []bool{true, false} {
		inWard(t, func(w *ward) {
			t := w.t
			types, other, heads, stock := w.hClient(write(chen)), w.hClient(write(chen)), w.hClient(write(rivera)), w.yClient(write(chen))
			first := newPage(t, 20, insert(9, 0, "start")).add("Stable.")
			heads.update(first)
			chens, riveras := newPage(t, 10, insert(9, 0, "start"), first), newPage(t, 20, insert(9, 0, "start"), first)
			send := []func(){
				func() { types.update(chens.put(0, 3, "ANAPHY")); types.update(chens.put(0, 9, "LAXIS")) },
				func() { heads.update(riveras.head(0, "Stable.")) },
			}
			if !typedFirst {
				slices.Reverse(send)
			}
			for _, f := range send {
				f()
			}
			time.Sleep(time.Second)
			var words string
			losses := lost(t, w.hub, sessions.LossQuery{Author: chen.ID, Waiting: true})
			for _, l := range losses {
				words += l.Words
				if l.By != rivera.ID || l.Author != chen.ID || !l.Replaced || l.Settled != nil || len(l.Place) != 2 {
					t.Errorf("typed first %v: lost %+v", typedFirst, l)
				}
			}
			if words != "ANAPHYLAXIS" {
				t.Errorf("typed first %v: lost %q in %d losses", typedFirst, words, len(losses))
			}
			if a, b, c, d := types.told(), other.told(), heads.told(), stock.told(); a == 0 || b != a || c+d != 0 {
				t.Errorf("typed first %v: chen's editors are told %d and %d times, rivera's %d, y-websocket %d", typedFirst, a, b, c, d)
			}
			settleAll(t, w, types, losses)
		})
	}
}

// settleAll puts losses back, once, by whose they are.
func settleAll(t *testing.T, w *ward, editor *client, losses []sessions.LostText) {
	t.Helper()
	var ids []sessions.LossID
	for _, l := range losses {
		ids = append(ids, l.LossID)
	}
	before := editor.told()
	for _, tt := range []struct {
		who  sessions.Author
		want int
	}{{rivera, 0}, {chen, len(ids)}, {chen, 0}} {
		if n, err := w.hub.SettleLosses(t.Context(), note, tt.who.ID, ids, sessions.Restored); err != nil || n != tt.want {
			t.Errorf("%s settles %d, %v; want %d", tt.who.Name, n, err, tt.want)
		}
	}
	if got := editor.told() - before; got != 1 {
		t.Errorf("chen's editors are told %d times, want once", got)
	}
	if left := lost(t, w.hub, sessions.LossQuery{Author: chen.ID, Waiting: true}); len(left) != 0 {
		t.Errorf("%d wait still", len(left))
	}
	if all := lost(t, w.hub, sessions.LossQuery{}); len(all) != len(ids) || all[0].Settled == nil {
		t.Errorf("history has %+v", all)
	}
	if _, err := w.hub.SettleLosses(t.Context(), note, chen.ID, make([]sessions.LossID, 201), sessions.Dismissed); !errors.Is(err, sessions.ErrLimit) {
		t.Errorf("settling 201 = %v", err)
	}
}

// TestQuestionComesBeforeTheAnswer: whoever comes back is asked for what they have before they are told what happened,
// so that an honest Yjs client sends words that were removed meanwhile, and names only deletions it knew.
func TestQuestionComesBeforeTheAnswer(t *testing.T) {
	inWard(t, func(w *ward) {
		t := w.t
		for _, c := range []*client{w.hClient(write(chen)), w.yClient(write(chen))} {
			var steps []ysync.Step
			for _, m := range c.messages() {
				if m.Kind == ysync.Sync && m.Step != ysync.StepUpdate {
					steps = append(steps, m.Step)
				}
			}
			if !slices.Equal(steps, []ysync.Step{ysync.Step1, ysync.Step2}) {
				t.Errorf("the server sends steps %v", steps)
			}
		}
		heads := w.hClient(write(rivera))
		first := newPage(t, 20).add("Stable.")
		heads.update(first)
		away := newPage(t, 10, first)
		away.put(0, 0, "ALLERGIC. ")
		heads.update(newPage(t, 20, first).head(0, "Stable."))
		back := w.hClient(write(chen))
		state, err := away.doc.EncodeStateAsUpdate(newPage(t, 1, first).doc.EncodeStateVector())
		if err != nil {
			t.Fatal(err)
		}
		back.send(ysync.Message{Kind: ysync.Sync, Step: ysync.Step1, Data: away.doc.EncodeStateVector()})
		back.step2(state)
		losses := lost(t, w.hub, sessions.LossQuery{})
		if len(losses) != 1 || losses[0].Words != "ALLERGIC. " || losses[0].Author != chen.ID || losses[0].By != rivera.ID || losses[0].BySeq != 3 {
			t.Errorf("lost %+v", losses)
		}
	})
}

// careless is a store that cannot keep losses for a while, and counts how often logs are read.
type careless struct {
	*storetest.MemStore
	failing atomic.Bool
	reads   atomic.Int32
	gate    chan struct{} // not nil: reading waits for it
}

func (s *careless) ReadLog(ctx context.Context, note sessions.NoteID, after uint64, limit int) ([]sessions.Row, error) {
	s.reads.Add(1)
	if s.gate != nil {
		<-s.gate
	}
	return s.MemStore.ReadLog(ctx, note, after, limit)
}

func (s *careless) SaveFindings(ctx context.Context, note sessions.NoteID, seq uint64, found []sessions.Loss) error {
	if s.failing.Load() {
		return errors.New("connection reset")
	}
	return s.MemStore.SaveFindings(ctx, note, seq, found)
}

// loseIn writes a loss into a note through hub.
func loseIn(t *testing.T, hub *sessions.Hub) {
	t.Helper()
	first := newPage(t, 20).add("Stable.")
	for _, e := range []struct {
		who    sessions.Author
		update []byte
	}{{rivera, first}, {chen, newPage(t, 10, first).put(0, 0, "ANAPHYLAXIS")}, {rivera, newPage(t, 20, first).head(0, "Stable.")}} {
		if _, err := hub.Apply(t.Context(), note, write(e.who), e.update); err != nil {
			t.Fatal(err)
		}
	}
}

// TestLossesSurviveCrashes: a server that dies between the commit and the search loses nothing; the next one finds it,
// for whoever opens the note and for whoever asks only. Searching again finds the same.
func TestLossesSurviveCrashes(t *testing.T) {
	for _, opened := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			store := &careless{MemStore: &storetest.MemStore{}}
			store.failing.Store(true)
			store.Add(note, chen.ID, insert(9, 0, "start"))
			hub := sessions.NewHub(store, slog.New(slog.DiscardHandler))
			loseIn(t, hub)
			synctest.Wait()
			if err := hub.Close(t.Context()); err != nil {
				t.Error(err)
			}
			store.failing.Store(false)
			hub = sessions.NewHub(store, slog.New(slog.DiscardHandler))
			if opened {
				if _, err := hub.Apply(t.Context(), note, write(chen), storetest.Empty()); err != nil {
					t.Fatal(err)
				}
			}
			for range 2 {
				losses := lost(t, hub, sessions.LossQuery{})
				if len(losses) != 1 || losses[0].Words != "ANAPHYLAXIS" || losses[0].Seq != 4 || losses[0].FirstSeq != 3 {
					t.Errorf("opened %v: lost %+v", opened, losses)
				}
			}
			if err := hub.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestFailingStoreIsAskedAgain: a search whose result cannot be stored is made again, and its peers are told then.
func TestFailingStoreIsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &careless{MemStore: &storetest.MemStore{}}
		store.failing.Store(true)
		store.Add(note, chen.ID, insert(9, 0, "start"))
		w := &ward{t: t, store: store.MemStore, hub: sessions.NewHub(store, slog.New(slog.DiscardHandler))}
		c := w.hClient(write(chen))
		loseIn(t, w.hub)
		time.Sleep(time.Minute)
		if c.told() != 0 {
			t.Error("told of what is not stored")
		}
		store.failing.Store(false)
		time.Sleep(time.Minute)
		if n := c.told(); n != 1 {
			t.Errorf("told %d times, want once", n)
		}
		if err := w.hub.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestWhatIsCleanIsNotSearched: reading the whole log is for notes that may have lost something, once.
func TestWhatIsCleanIsNotSearched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &careless{MemStore: &storetest.MemStore{}}
		store.Add(note, chen.ID, insert(9, 0, "start"))
		hub := sessions.NewHub(store, slog.New(slog.DiscardHandler))
		open := func(update []byte) {
			if _, err := hub.Apply(t.Context(), note, write(chen), update); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour) // the session ends
		}
		for i := range byte(3) {
			open(insert(1, i, "x"))
		}
		if losses := lost(t, hub, sessions.LossQuery{}); len(losses) != 0 || store.reads.Load() != 0 {
			t.Errorf("lost %+v, the log was read %d times", losses, store.reads.Load())
		}
		loseIn(t, hub)
		time.Sleep(time.Hour)
		once := store.reads.Load()
		open(insert(1, 3, "x"))
		if once == 0 || store.reads.Load() != once {
			t.Errorf("the log was read %d times for a loss, %d afterwards", once, store.reads.Load()-once)
		}
		if err := hub.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestTypingGoesOnDuringASearch: what is committed meanwhile is watched, and searched only if it lost something, too.
func TestTypingGoesOnDuringASearch(t *testing.T) {
	for _, again := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			store := &careless{MemStore: &storetest.MemStore{}, gate: make(chan struct{})}
			store.Add(note, chen.ID, insert(9, 0, "start"))
			hub := sessions.NewHub(store, slog.New(slog.DiscardHandler))
			loseIn(t, hub)
			if _, err := hub.Apply(t.Context(), note, write(chen), insert(1, 0, "x")); err != nil {
				t.Fatal(err)
			}
			want, reads := 1, int32(2) // one to find, one to say whose
			if again {
				want, reads = 2, 4
				chens := newPage(t, 11, store.Rows(note)[1].Update)
				if _, err := hub.Apply(t.Context(), note, write(chen), chens.put(0, 0, "more")); err != nil {
					t.Fatal(err)
				}
			}
			close(store.gate)
			time.Sleep(time.Minute) // the session ends
			if head, seq, err := store.Searched(t.Context(), note); err != nil || seq != head {
				t.Errorf("again %v: searched up to %d of %d, %v", again, seq, head, err)
			}
			if store.reads.Load() != reads {
				t.Errorf("again %v: the log was read %d times, want %d", again, store.reads.Load(), reads)
			}
			if losses := lost(t, hub, sessions.LossQuery{}); len(losses) != want {
				t.Errorf("again %v: lost %+v", again, losses)
			}
			if err := hub.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestLossesArePutTogether: what one update took of one person out of one element is one loss, each paragraph a line.
func TestLossesArePutTogether(t *testing.T) {
	inWard(t, func(w *ward) {
		t := w.t
		p := newPage(t, 20)
		first := p.edit(func(tx *crdt.Txn, f *crdt.XMLFragment) {
			para := func(s string) *crdt.XMLElement { return crdt.NewXMLElement("paragraph", nil, crdt.NewXMLText(s)) }
			f.Insert(tx, 0, crdt.NewXMLElement("blockquote", nil, para("one"), para("two")), para("three"))
		})
		inQuote := func(n, at int, s string) func(*crdt.Txn, *crdt.XMLFragment) {
			return func(tx *crdt.Txn, f *crdt.XMLFragment) {
				f.Children()[0].Value.(*crdt.XMLElement).Children()[n].Value.(*crdt.XMLElement).Children()[0].Value.(*crdt.XMLText).Insert(tx, at, s)
			}
		}
		chens, other := newPage(t, 10, first), newPage(t, 30, first)
		typed := [][]byte{chens.edit(inQuote(1, 3, " B😀")), chens.edit(inQuote(0, 0, "A1 ")), chens.edit(inQuote(0, 6, " A2")), chens.put(1, 0, "C ")}
		mine := other.edit(inQuote(0, 3, " mine"))
		gone := p.edit(func(tx *crdt.Txn, f *crdt.XMLFragment) { f.Delete(tx, 0, 2) })
		for _, u := range append([][]byte{first}, append(typed, mine)...) {
			who := chen
			if p := string(u); strings.Contains(p, "mine") || strings.Contains(p, "blockquote") {
				who = rivera
			}
			if _, err := w.hub.Apply(t.Context(), note, write(who), u); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := w.hub.Apply(t.Context(), note, write(rivera), gone); err != nil {
			t.Fatal(err)
		}
		got := map[string]bool{} // whether it is chen's, by words
		for _, l := range lost(t, w.hub, sessions.LossQuery{}) {
			got[l.Words] = l.Author == chen.ID
			if l.Replaced || l.By != rivera.ID {
				t.Errorf("lost %+v", l)
			}
		}
		for words, chens := range map[string]bool{"A1  A2\n B😀": true, " mine": false, "C ": true} {
			if is, there := got[words]; !there || is != chens {
				t.Errorf("lost %v, want %q of chen: %v", got, words, chens)
			}
		}
	})
}

// TestMovedTextStaysItsAuthors: who splits a paragraph has not written it, whether the note is open, was closed, or was
// cut off by a crash.
func TestMovedTextStaysItsAuthors(t *testing.T) {
	for _, how := range []string{"open", "closed", "crashed", "crashed and opened", "searched"} {
		synctest.Test(t, func(t *testing.T) {
			store := &careless{MemStore: &storetest.MemStore{}}
			store.failing.Store(strings.HasPrefix(how, "crashed"))
			store.Add(note, chen.ID, insert(9, 0, "start"))
			hub := sessions.NewHub(store, slog.New(slog.DiscardHandler))
			chens := newPage(t, 10)
			first := chens.add("Stable overnight.")
			riveras := newPage(t, 20, first)
			split := riveras.edit(func(tx *crdt.Txn, f *crdt.XMLFragment) {
				text := f.Children()[0].Value.(*crdt.XMLElement).Children()[0].Value.(*crdt.XMLText)
				text.Delete(tx, 7, 10)
				f.Insert(tx, 1, crdt.NewXMLElement("paragraph", nil, crdt.NewXMLText("overnight.")))
			})
			again := newPage(t, 21, first, split).head(1, "overnight. SEIZED")
			edits := []struct {
				who    sessions.Author
				update []byte
			}{{chen, first}, {rivera, split}, {rivera, again}}
			if how == "searched" { // something is lost, too
				edits = append(edits, edits[0], edits[0])
				edits[3].update = newPage(t, 11, first, split, again).put(0, 0, "lost")
				edits[4].update = newPage(t, 12, first, split, again).head(0, "Stable ")
			}
			for _, e := range edits {
				if _, err := hub.Apply(t.Context(), note, write(e.who), e.update); err != nil {
					t.Fatal(err)
				}
			}
			if how == "closed" || how == "searched" {
				time.Sleep(time.Hour)
			}
			if store.failing.Load() {
				if err := hub.Close(t.Context()); err != nil {
					t.Error(err)
				}
				store.failing.Store(false)
				hub = sessions.NewHub(store, slog.New(slog.DiscardHandler))
			}
			if how == "crashed and opened" {
				if _, err := hub.Apply(t.Context(), note, write(chen), storetest.Empty()); err != nil {
					t.Fatal(err)
				}
			}
			written, err := new(history.Pasts).Committed(t.Context(), store, note)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, c := range written.Doc.XMLFragment(sessions.Fragment).Children() {
				for _, s := range c.Value.(*crdt.XMLElement).Children()[0].Value.(*crdt.XMLText).Spans() {
					got += map[sessions.PersonID]string{chen.ID: "chen", rivera.ID: "rivera"}[written.Whose(s.Author)] + ":" + s.Insert.(string) + "|"
				}
			}
			if want := "chen:Stable |chen:overnight.|rivera: SEIZED|"; got != want {
				t.Errorf("%s: written by %q, want %q", how, got, want)
			}
			if err := hub.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}
