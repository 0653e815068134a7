package sessions_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/ysync"
	"github.com/clisonix/tidechart/sessions"
	"github.com/clisonix/tidechart/sessions/storetest"
)

// clinic grants somebody to write a note unless it is closed, as the store says at each time.
func (w *ward) clinic(who sessions.Author) sessions.Grant {
	closed := w.store.Closed(note)
	return sessions.Grant{
		Author: who, ReadOnly: closed != sessions.Open, Closed: closed, Epoch: w.hub.AccessEpoch(), Stamp: w.store.Stamp(note, who.ID),
		Renew: func(context.Context) (sessions.Grant, error) { return w.clinic(who), nil },
	}
}

// close closes the note to its writers, or opens it, and has them told.
func (w *ward) close(why sessions.Closed) {
	w.store.Close(note, why)
	w.hub.Recheck(w.t.Context(), func(sessions.NoteID, sessions.PersonID, string) bool { return true })
	synctest.Wait()
}

// toldLate is how often an editor was told that something is kept beside the note.
func (c *client) toldLate() (n int) {
	for _, m := range c.messages() {
		if m.Kind == ysync.Stateless && m.Text == `{"type":"late"}` {
			n++
		}
	}
	return n
}

// late is what is kept beside the note, in words of its client's texts.
func (w *ward) late() string {
	edits, err := w.store.LateEdits(w.t.Context(), note)
	if err != nil {
		w.t.Fatal(err)
	}
	var said []string
	for _, e := range edits {
		u, err := crdt.DecodeUpdate(e.Update)
		if err != nil {
			w.t.Fatal(err)
		}
		var text strings.Builder
		u.Texts(u.Ranges(), func(_ int, _ crdt.ID, t string) { text.WriteString(t) })
		said = append(said, e.Author.String()[35:]+" "+text.String())
	}
	return strings.Join(said, ", ")
}

// TestFrozenNoteHoldsEdits: while somebody reads what they sign nobody's edit goes in, nor is it answered; then it does, in order, also of
// whoever has left meanwhile.
func TestFrozenNoteHoldsEdits(t *testing.T) {
	inWard(t, func(w *ward) {
		a, b, leaves := w.hClient(w.clinic(chen)), w.hClient(w.clinic(rivera)), w.hClient(w.clinic(rivera))
		a.update(insert(1, 0, "a"))
		leaves.update(insert(3, 0, "x"))
		w.store.Close(note, sessions.Frozen) // nobody has been told yet
		a.update(insert(1, 1, "b"))
		if got := a.auths(); got != "read-write, readonly" {
			t.Errorf("who writes on is told %q", got)
		}
		w.close(sessions.Frozen)
		a.update(insert(1, 2, "c"))
		leaves.update(insert(3, 1, "y"))
		leaves.pipe.close()
		if got := a.answers() + " " + b.text(); got != "11 "+b.text() || len(w.store.Rows(note)) != 3 {
			t.Errorf("answers and text %q; the log has %d rows, want 3", got, len(w.store.Rows(note)))
		}
		w.close(sessions.Open)
		if got := a.answers(); got != "1111" || !strings.Contains(b.text(), "abc") {
			t.Errorf("answers %q, somebody else reads %q", got, b.text())
		}
		time.Sleep(2 * time.Second)
		if got := b.text(); !strings.Contains(got, "xy") || a.closeCode() != 0 {
			t.Errorf("who had left is not read: %q", got)
		}
		if got := a.auths(); got != "read-write, readonly, read-write" {
			t.Errorf("told %q", got)
		}
	})
}

// TestFreezeThatNobodyEnds is over by itself: the store says so, and nobody has to tell.
func TestFreezeThatNobodyEnds(t *testing.T) {
	inWard(t, func(w *ward) {
		a, b := w.hClient(w.clinic(chen)), w.hClient(w.clinic(rivera))
		w.close(sessions.Frozen)
		a.update(insert(1, 0, "held"))
		w.store.Close(note, sessions.Open)
		time.Sleep(2 * time.Second)
		if got := a.answers(); got != "11" || !strings.Contains(b.text(), "held") {
			t.Errorf("answers %q, somebody else reads %q", got, b.text())
		}
	})
}

// TestLateEditsAreKeptBeside: what reaches a signed note, in flight, held by the freeze, or from offline, is kept of its author, once,
// and answered; the note stays as it is, and others see nothing (I5).
func TestLateEditsAreKeptBeside(t *testing.T) {
	inWard(t, func(w *ward) {
		a, b := w.hClient(w.clinic(chen)), w.yClient(w.clinic(rivera))
		a.update(insert(1, 0, "in"))
		signed := b.text()
		w.close(sessions.Frozen)
		a.update(insert(1, 2, "held"))
		w.store.Close(note, sessions.Sealed)
		b.update(insert(2, 0, "unaware"))
		w.close(sessions.Sealed)
		a.update(insert(1, 6, "late"))
		if got, want := w.late(), "2 unaware, 1 held, 1 late"; got != want && got != "1 held, 2 unaware, 1 late" {
			t.Errorf("kept: %q, want %q", got, want)
		}
		if got := a.answers(); got != "1111" || a.toldLate() != 2 || a.closeCode() != 0 || b.closeCode() != 0 {
			t.Errorf("answers %q, told %d times, close codes %d and %d", got, a.toldLate(), a.closeCode(), b.closeCode())
		}
		if len(w.store.Rows(note)) != 2 || w.hClient(w.clinic(rivera)).text() != signed || strings.Contains(a.text(), "unaware") {
			t.Error("the note is another")
		}

		// Back from offline: one Step2 with all of it, of which some is kept.
		again := w.connect(note.String(), func(conn sessions.Conn) error {
			return w.hub.ServeHocuspocus(w.t.Context(), conn, granted(w.clinic(chen)))
		})
		again.send(ysync.Message{Kind: ysync.Auth, Auth: ysync.Token, Version: "4.8.0"})
		again.send(ysync.Message{Kind: ysync.Sync, Step: ysync.Step1, Data: crdt.StateVector{}.Encode()})
		all, err := crdt.MergeUpdates([][]byte{insert(1, 0, "in"), insert(1, 2, "held"), insert(1, 6, "late"), insert(1, 10, "offline")})
		if err != nil {
			t.Fatal(err)
		}
		again.step2(all)
		again.step2(all)
		if got := again.answers(); got != "11" || !strings.HasSuffix(w.late(), ", 1 offline") || strings.Count(w.late(), "late") != 1 {
			t.Errorf("answers %q, kept %q", got, w.late())
		}

		// Nobody writes as somebody else there either, and what cannot be understood is refused.
		forger := w.hClient(w.clinic(rivera))
		forger.update(insert(1, 17, "forged"))
		if got := forger.closeCode(); got != 4205 || strings.Contains(w.late(), "forged") || len(w.store.Forged()) != 1 {
			t.Errorf("close code %d, kept %q, on record %v", got, w.late(), w.store.Forged())
		}
		gapped := w.hClient(w.clinic(rivera))
		gapped.update(insert(7, 5, "gap"))
		if got := gapped.closeCode(); got != 4205 || strings.Contains(w.late(), "gap") {
			t.Errorf("close code %d, kept %q", got, w.late())
		}
		reader := w.clinic(rivera)
		reader.Closed, reader.Renew = sessions.Open, nil
		r := w.hClient(reader)
		r.update(insert(8, 0, "reader"))
		if got := r.answers(); got != "10" || strings.Contains(w.late(), "reader") {
			t.Errorf("who only reads: answers %q, kept %q", got, w.late())
		}
	})
}

// TestLateEditsOutliveFaults: an unknown outcome is asked for, not guessed, and a server that stops has answered nothing that it lost.
func TestLateEditsOutliveFaults(t *testing.T) {
	inWard(t, func(w *ward) {
		a := w.hClient(w.clinic(chen))
		w.close(sessions.Sealed)
		faults := 0
		w.store.Fault = func(before bool) error {
			if faults++; faults <= 2 {
				return context.DeadlineExceeded // before it is done, and then after
			}
			return nil
		}
		a.update(insert(1, 0, "once"))
		if got := w.late(); got != "1 once" || a.answers() != "11" {
			t.Errorf("kept %q, answers %q", got, a.answers())
		}
		faults = -100
		w.store.Fault = func(bool) error { return context.DeadlineExceeded }
		a.update(insert(1, 4, "never"))
		if got := a.closeCode(); got != 1013 || a.answers() != "110" {
			t.Errorf("close code %d, answers %q", got, a.answers())
		}
		w.store.Fault = nil
	})
}

// TestLateWords: what words late edits are, in the order of the note, and what they would take away.
func TestLateWords(t *testing.T) {
	store, at := &storetest.MemStore{}, uuid.New()
	doc := crdt.New("")
	write := func(client crdt.ClientID, f func(tx *crdt.Txn, root *crdt.XMLFragment)) []byte {
		u, err := doc.Transact(client, func(tx *crdt.Txn) { f(tx, doc.XMLFragment(sessions.Fragment)) })
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	text := crdt.NewXMLText("signed words")
	store.Add(at, chen.ID, write(1, func(tx *crdt.Txn, root *crdt.XMLFragment) {
		root.Insert(tx, 0, crdt.NewXMLElement("paragraph", nil, text))
	}))
	store.Sign(at)
	inner := func() *crdt.XMLText {
		return doc.XMLFragment(sessions.Fragment).Children()[0].Value.(*crdt.XMLElement).Children()[0].Value.(*crdt.XMLText)
	}
	for i, u := range [][]byte{
		write(1, func(tx *crdt.Txn, _ *crdt.XMLFragment) { inner().Insert(tx, 6, " late") }), // by the client that wrote the note
		write(2, func(tx *crdt.Txn, root *crdt.XMLFragment) {
			inner().Insert(tx, 0, "very ")
			inner().Delete(tx, 16, 6) // " words", with the others' text in it
			root.Insert(tx, 1, crdt.NewXMLElement("paragraph", nil, crdt.NewXMLText("more")))
		}),
	} {
		if kept, err := store.KeepLate(t.Context(), at, sessions.LateEdit{N: uint64(i) + 1, Author: chen.ID, Update: u}); !kept || err != nil {
			t.Fatal(kept, err)
		}
	}
	got, err := sessions.ReadLate(t.Context(), store, at)
	if err != nil || len(got) != 2 || got[0].Words != " late" || got[0].Deletes != 0 || got[1].Words != "very \nmore" || got[1].Deletes != 6 {
		t.Errorf("late: %+v, %v", got, err)
	}
	if none, err := sessions.ReadLate(t.Context(), store, uuid.New()); err != nil || none != nil {
		t.Errorf("of no note: %v, %v", none, err)
	}
}

// lateCase is a signed note beside which edits are kept.
type lateCase struct {
	t     *testing.T
	store *storetest.MemStore
	note  sessions.NoteID
	n     uint64
}

// copyOf is a document of somebody who has seen another.
func copyOf(t *testing.T, of *crdt.Doc) *crdt.Doc {
	t.Helper()
	state, err := of.EncodeStateAsUpdate(nil)
	if err != nil {
		t.Fatal(err)
	}
	doc := crdt.New("")
	if err := doc.ApplyUpdate(state); err != nil {
		t.Fatal(err)
	}
	return doc
}

func edit(t *testing.T, doc *crdt.Doc, client crdt.ClientID, f func(tx *crdt.Txn, root *crdt.XMLFragment)) []byte {
	t.Helper()
	u, err := doc.Transact(client, func(tx *crdt.Txn) { f(tx, doc.XMLFragment(sessions.Fragment)) })
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// textIn is that of the first text in a block.
func textIn(root *crdt.XMLFragment, block int) *crdt.XMLText {
	return root.Children()[block].Value.(*crdt.XMLElement).Children()[0].Value.(*crdt.XMLText)
}

// heading makes a heading of the first block as editors do: the block goes, and its text comes again.
func heading(tx *crdt.Txn, root *crdt.XMLFragment) {
	says := textIn(root, 0).String()
	root.Delete(tx, 0, 1)
	root.Insert(tx, 0, crdt.NewXMLElement("heading", nil, crdt.NewXMLText(says)))
}

func (c *lateCase) keep(who sessions.Author, u []byte) {
	c.t.Helper()
	c.n++
	if kept, err := c.store.KeepLate(c.t.Context(), c.note, sessions.LateEdit{N: c.n, Author: who.ID, Update: u}); !kept || err != nil {
		c.t.Fatal(kept, err)
	}
}

// TestLateWordsThatLostTheirPlace: whatever becomes of what somebody typed into, before the signature or by others who were late as well, their words
// are proposed to them, in the order in which they stood; what they took away themselves, and what they only moved, is not.
func TestLateWordsThatLostTheirPlace(t *testing.T) {
	const ofChen, ofRivera = 11, 22
	for name, tt := range map[string]struct {
		before func(t *testing.T, doc *crdt.Doc) []byte              // somebody's edit that rivera has not seen
		late   func(t *testing.T, c *lateCase, chens, own *crdt.Doc) // what is kept
		want   []string                                              // of each edit
		all    string                                                // of rivera's together
		less   int                                                   // signed units that the last would take away
	}{
		"its paragraph was made a heading": {
			before: func(t *testing.T, doc *crdt.Doc) []byte { return edit(t, doc, ofChen, heading) },
			late: func(t *testing.T, c *lateCase, _, own *crdt.Doc) {
				c.keep(rivera, edit(t, own, ofRivera, func(tx *crdt.Txn, root *crdt.XMLFragment) {
					textIn(root, 0).Insert(tx, 0, "allergic ")
					textIn(root, 0).Insert(tx, 0, "not ")
				}))
				c.keep(rivera, edit(t, own, ofRivera, func(tx *crdt.Txn, root *crdt.XMLFragment) { textIn(root, 0).Insert(tx, 13, "to 1") }))
				c.keep(rivera, edit(t, own, ofRivera, func(tx *crdt.Txn, root *crdt.XMLFragment) { textIn(root, 0).Insert(tx, 16, "0") }))
			},
			want: []string{"not allergic ", "to 1", "0"}, all: "not allergic to 01",
		},
		"somebody who was late as well removed its paragraph": {
			late: func(t *testing.T, c *lateCase, chens, own *crdt.Doc) {
				c.keep(rivera, edit(t, own, ofRivera, func(tx *crdt.Txn, root *crdt.XMLFragment) { textIn(root, 0).Insert(tx, 0, "allergic ") }))
				c.keep(chen, edit(t, chens, ofChen, func(tx *crdt.Txn, root *crdt.XMLFragment) { root.Delete(tx, 0, 1) }))
			},
			want: []string{"allergic ", ""}, all: "allergic ", less: 23,
		},
		"somebody removed it by name": {
			late: func(t *testing.T, c *lateCase, _, own *crdt.Doc) {
				c.keep(rivera, edit(t, own, ofRivera, func(tx *crdt.Txn, root *crdt.XMLFragment) { textIn(root, 0).Insert(tx, 0, "allergic ") }))
				hostile := copyOf(t, own)
				c.keep(chen, edit(t, hostile, ofChen, func(tx *crdt.Txn, root *crdt.XMLFragment) { textIn(root, 0).Delete(tx, 0, 9) }))
			},
			want: []string{"allergic ", ""}, all: "allergic ",
		},
		"its author took some of it away": {
			before: func(t *testing.T, doc *crdt.Doc) []byte { return edit(t, doc, ofChen, heading) },
			late: func(t *testing.T, c *lateCase, _, own *crdt.Doc) {
				c.keep(rivera, edit(t, own, ofRivera, func(tx *crdt.Txn, root *crdt.XMLFragment) { textIn(root, 0).Insert(tx, 0, "allergic ") }))
				c.keep(rivera, edit(t, own, ofRivera, func(tx *crdt.Txn, root *crdt.XMLFragment) { textIn(root, 0).Delete(tx, 2, 7) }))
			},
			want: []string{"al", ""}, all: "al",
		},
		"its author made a heading of it": {
			late: func(t *testing.T, c *lateCase, _, own *crdt.Doc) {
				c.keep(rivera, edit(t, own, ofRivera, func(tx *crdt.Txn, root *crdt.XMLFragment) { textIn(root, 0).Insert(tx, 23, " 😀 allergic to it") }))
				c.keep(rivera, edit(t, own, ofRivera, heading))
				c.keep(rivera, edit(t, own, ofRivera, func(tx *crdt.Txn, root *crdt.XMLFragment) { textIn(root, 0).Insert(tx, 41, "!") }))
			},
			want: []string{" 😀 allergic to it", "", "!"}, all: " 😀 allergic to it!",
		},
		"its author wrote a dose again": {
			late: func(t *testing.T, c *lateCase, _, own *crdt.Doc) {
				c.keep(rivera, edit(t, own, ofRivera, func(tx *crdt.Txn, root *crdt.XMLFragment) {
					textIn(root, 0).Delete(tx, 0, 6)
					root.Insert(tx, 0, crdt.NewXMLElement("paragraph", nil, crdt.NewXMLText("signed by mouth")))
				}))
			},
			want: []string{"signed by mouth"}, all: "signed by mouth", less: 6,
		},
		"somebody is mentioned": {
			late: func(t *testing.T, c *lateCase, _, own *crdt.Doc) {
				c.keep(rivera, edit(t, own, ofRivera, func(tx *crdt.Txn, root *crdt.XMLFragment) {
					root.Insert(tx, 1, crdt.NewXMLElement("paragraph", nil, crdt.NewXMLText("ask "), crdt.NewXMLElement("mention", map[string]any{"id": "x", "label": "Dr Chen"})))
				}))
			},
			want: []string{"ask @Dr Chen"}, all: "ask @Dr Chen",
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := &lateCase{t: t, store: &storetest.MemStore{}, note: uuid.New()}
			doc := crdt.New("")
			c.store.Add(c.note, chen.ID, edit(t, doc, 1, func(tx *crdt.Txn, root *crdt.XMLFragment) {
				root.Insert(tx, 0, crdt.NewXMLElement("paragraph", nil, crdt.NewXMLText("signed words of a draft")))
			}))
			own := copyOf(t, doc)
			if tt.before != nil {
				b := sessions.Batch{ID: uuid.New(), Entries: []sessions.Entry{{Note: c.note, Author: chen.ID, Update: tt.before(t, doc), Stamp: c.store.Stamp(c.note, chen.ID)}}}
				if placed, err := c.store.Append(t.Context(), b); err != nil || placed[0].First == 0 {
					t.Fatal(placed, err)
				}
			}
			c.store.Sign(c.note)
			tt.late(t, c, copyOf(t, doc), own)
			got, err := sessions.ReadLate(t.Context(), c.store, c.note)
			if err != nil || len(got) != len(tt.want) {
				t.Fatal(got, err)
			}
			var numbers []uint64
			for i, l := range got {
				numbers = append(numbers, l.N)
				if l.Words != tt.want[i] {
					t.Errorf("edit %d says %q, want %q", l.N, l.Words, tt.want[i])
				}
			}
			if less := got[len(got)-1].Deletes; less != tt.less {
				t.Errorf("it would take %d units away, want %d", less, tt.less)
			}
			if all, err := sessions.LateWords(t.Context(), c.store, c.note, rivera.ID, numbers); err != nil || all != tt.all {
				t.Errorf("together they say %q, %v, want %q", all, err, tt.all)
			}
		})
	}
}

// TestNobodyUsesUpWhatIsKeptBesideANote: who has as many late edits as one person may have is refused, and a colleague's are kept.
func TestNobodyUsesUpWhatIsKeptBesideANote(t *testing.T) {
	inWard(t, func(w *ward) {
		a, b := w.hClient(w.clinic(chen)), w.hClient(w.clinic(rivera))
		w.close(sessions.Sealed)
		const most = 500
		for n := range most - 1 {
			kept, err := w.store.KeepLate(t.Context(), note, sessions.LateEdit{N: uint64(n + 1), Author: chen.ID, Update: insert2(1, n, "x")})
			if err != nil || !kept {
				t.Fatal(kept, err)
			}
		}
		a.update(insert2(1, most-1, "last"))
		if got := a.closeCode(); got != 0 {
			t.Errorf("the last: close code %d", got)
		}
		a.update(insert2(1, most+3, "beyond"))
		b.update(insert(2, 0, "colleague"))
		if got := w.late(); a.closeCode() != 4413 || b.closeCode() != 0 || !strings.HasSuffix(got, "1 last, 2 colleague") {
			t.Errorf("close codes %d and %d, the end is %q", a.closeCode(), b.closeCode(), got[max(0, len(got)-60):])
		}
	})
}
