package sessions_test

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/sessions"
	"github.com/clisonix/tidechart/sessions/storetest"
)

// restore has everybody write, and then sets the ward back to a database that knows only the note's beginning and what
// each wrote first. It returns what a browser still holds: Chen's "aa" and "b" (clients 1 and 2), Rivera's "cc" (client 3).
func (w *ward) restore() (held []byte) {
	w.t.Helper()
	var all [][]byte
	write := func(who sessions.Author, u []byte) {
		w.t.Helper()
		if _, err := w.hub.Apply(w.t.Context(), note, sessions.Grant{Author: who}, u); err != nil {
			w.t.Fatal(err)
		}
		all = append(all, u)
	}
	write(chen, insert(1, 0, "a"))
	write(rivera, insert(3, 0, "c"))
	kept := w.store.Rows(note)
	write(chen, insert(1, 1, "a"))
	write(chen, insert(2, 0, "b"))
	write(rivera, insert(3, 1, "c"))
	held, err := crdt.MergeUpdates(append([][]byte{insert(9, 0, "start")}, all...))
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.hub.Close(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	synctest.Wait()

	w.store = &storetest.MemStore{}
	w.store.Add(note, chen.ID, kept[0].Update)
	w.hub = sessions.NewHub(w.store, slog.New(slog.DiscardHandler))
	for i, who := range []sessions.Author{chen, rivera} {
		if _, err := w.hub.Apply(w.t.Context(), note, sessions.Grant{Author: who}, kept[1+i].Update); err != nil {
			w.t.Fatal(err)
		}
	}
	return held
}

func recovering(who sessions.Author) sessions.Grant {
	return sessions.Grant{Author: who, RecoverUntil: time.Now().Add(time.Hour)}
}

// brought says whose each recovered piece of text is, and who brought it.
func (w *ward) brought() string {
	names := map[uuid.UUID]string{chen.ID: "chen", rivera.ID: "rivera", uuid.Nil: "nobody"}
	var all []string
	for _, c := range w.store.Recovered(note) {
		all = append(all, fmt.Sprintf("%d: %s's by %s", c.Client, names[c.Person], names[c.RecoveredBy]))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// text is the note's.
func (w *ward) text() string {
	w.t.Helper()
	doc, err := w.hub.Doc(w.t.Context(), note)
	if err != nil {
		w.t.Fatal(err)
	}
	return doc.Text("t").String()
}

// TestRestoredNotesComeBack: after a restore of an older database a browser brings back what others wrote, once an
// operator has opened the note for it, and not before; all of it is marked with who brought it.
func TestRestoredNotesComeBack(t *testing.T) {
	inWard(t, func(w *ward) {
		held := w.restore()
		before := w.text()
		c := w.hClient(write(rivera))
		c.step2(held)
		if c.closeCode() != 4205 || w.text() != before || len(before) != len("start")+2 {
			t.Errorf("close code %d, text %q; want 4205 and %q", c.closeCode(), w.text(), before)
		}

		w.store.Recover(note, true)
		c = w.hClient(recovering(rivera))
		c.step2(held)
		if got := c.answers(); got != "11" || c.closeCode() != 0 {
			t.Errorf("answers %q, close code %d; want 11", got, c.closeCode())
		}
		if got := w.text(); len(got) != len("start")+5 {
			t.Errorf("text %q, want all of it", got)
		}
		if got, want := w.brought(), "1: chen's by rivera, 2: nobody's by rivera"; got != want {
			t.Errorf("recovered %q, want %q", got, want)
		}

		// Whose it is tells who goes on under it; nobody else can from then on.
		w.store.Recover(note, false)
		own, other := w.hClient(write(rivera)), w.hClient(write(chen))
		own.update(insert(3, 2, "c"))
		other.update(insert(1, 2, "a"))
		other.update(insert(2, 1, "b"))
		for _, c := range []*client{own, other} {
			if got := c.answers(); strings.Contains(got, "0") || c.closeCode() != 0 {
				t.Errorf("answers %q to who writes on", got)
			}
		}
		own.update(insert(2, 2, "forged"))
		if got := own.closeCode(); got != 4205 || strings.Contains(w.text(), "forged") {
			t.Errorf("close code %d of who writes under what is another's by now, want 4205", got)
		}
	})
}

// TestRecoveryEnds: of itself, and for who is there already; what is one's own needs none.
func TestRecoveryEnds(t *testing.T) {
	inWard(t, func(w *ward) {
		held := w.restore()
		o := &office{w: w}
		c := w.hClient(o.grant(chen))
		w.store.Recover(note, true)
		o.Lock()
		o.until = time.Now().Add(time.Minute)
		o.Unlock()
		o.change(false, nil)
		time.Sleep(time.Minute)
		c.step2(held)
		if c.closeCode() != 4205 || w.brought() != "" {
			t.Errorf("close code %d, recovered %q after its end; want 4205 and nothing", c.closeCode(), w.brought())
		}

		c = w.hClient(recovering(chen))
		c.update(insert(4, 0, "new"))
		if c.answers() != "11" || w.brought() != "" {
			t.Errorf("answers %q, recovered %q of one's own text", c.answers(), w.brought())
		}

		c = w.hClient(o.grant(chen))
		o.Lock()
		o.until = time.Now().Add(time.Minute)
		o.Unlock()
		o.change(false, nil)
		c.step2(held)
		if c.answers() != "11" || !strings.Contains(w.brought(), "3: rivera's by chen") {
			t.Errorf("answers %q, recovered %q of who was there when it was opened", c.answers(), w.brought())
		}
	})
}

// TestPresenceTellsWhoseTextComesBack: who shows a client id has it, though the database has forgotten.
func TestPresenceTellsWhoseTextComesBack(t *testing.T) {
	inWard(t, func(w *ward) {
		held := w.restore()
		w.store.Recover(note, true)
		author := w.hClient(recovering(rivera))
		author.send(announce(3, 1, "{}"))
		c := w.hClient(recovering(chen))
		c.send(announce(2, 1, "{}"))
		c.step2(held)
		if got, want := w.brought(), "3: rivera's by chen"; got != want || c.answers() != "11" {
			t.Errorf("recovered %q, answers %q; want %q", got, c.answers(), want)
		}
	})
}
