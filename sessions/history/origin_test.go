package history

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/sessions"
	"github.com/clisonix/tidechart/sessions/storetest"
)

// ward is a note that people write.
type ward struct {
	t     *testing.T
	store *storetest.MemStore
	note  sessions.NoteID
	doc   *crdt.Doc // as everybody has it

	chen, rivera, robot sessions.PersonID
}

// withRobot is a store that says of one person that it is a program, which one in memory cannot know.
type withRobot struct {
	*storetest.MemStore
	robot sessions.PersonID
}

func (s withRobot) Origins(ctx context.Context, note sessions.NoteID) (sessions.Origins, error) {
	o, err := s.MemStore.Origins(ctx, note)
	o.Programs = map[sessions.PersonID]bool{s.robot: true}
	return o, err
}

func newWard(t *testing.T) *ward {
	w := &ward{t: t, store: &storetest.MemStore{}, note: uuid.New(), doc: crdt.New(""), chen: uuid.New(), rivera: uuid.New(), robot: uuid.New()}
	update, err := w.doc.Transact(9, func(tx *crdt.Txn) {
		w.doc.XMLFragment(sessions.Fragment).Push(tx, crdt.NewXMLElement("paragraph", nil, crdt.NewXMLText("Plan: ")))
	})
	if err != nil {
		t.Fatal(err)
	}
	w.store.Add(w.note, w.chen, update)
	return w
}

func (w *ward) text() *crdt.XMLText {
	return w.doc.XMLFragment(sessions.Fragment).Children()[0].Value.(*crdt.XMLElement).Children()[0].Value.(*crdt.XMLText)
}

// does has somebody edit the paragraph under a client id of theirs.
func (w *ward) does(who sessions.PersonID, client crdt.ClientID, f func(*crdt.Txn, *crdt.XMLText)) {
	w.t.Helper()
	update, err := w.doc.Transact(client, func(tx *crdt.Txn) { f(tx, w.text()) })
	if err != nil {
		w.t.Fatal(err)
	}
	appendTo(w.t, w.store, w.note, who, update)
}

func (w *ward) puts(who sessions.PersonID, client crdt.ClientID, at int, text string) {
	w.t.Helper()
	w.does(who, client, func(tx *crdt.Txn, t *crdt.XMLText) { t.Insert(tx, at, text) })
}

// types inserts letter by letter.
func (w *ward) types(who sessions.PersonID, client crdt.ClientID, at int, text string) {
	w.t.Helper()
	for i, letter := range text {
		w.puts(who, client, at+i, string(letter))
	}
}

func (w *ward) removes(who sessions.PersonID, client crdt.ClientID, at, n int) {
	w.t.Helper()
	w.does(who, client, func(tx *crdt.Txn, t *crdt.XMLText) { t.Delete(tx, at, n) })
}

// past opens the note's past.
func (w *ward) past() *Past {
	w.t.Helper()
	p, err := Open(w.t.Context(), withRobot{w.store, w.robot}, w.note)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// says is the note's pieces: whose, how they came, and with which row.
func (w *ward) says() string {
	w.t.Helper()
	p := w.past()
	a, err := p.Account(p.Head())
	if err != nil {
		w.t.Fatal(err)
	}
	names := map[sessions.PersonID]string{w.chen: "chen", w.rivera: "rivera", w.robot: "robot", uuid.Nil: "nobody"}
	var out, texts []string
	a.Texts(func(text prose.Node, from Provenance, _ bool) {
		how := from.Origin.String()
		if from.Template {
			how = "template"
		}
		whose := names[from.Author] + " " + how
		if k := len(out) - 1; k >= 0 && out[k] == whose { // each row of a test is a session
			texts[k] += text.Text
			return
		}
		out, texts = append(out, whose), append(texts, text.Text)
	})
	for i, text := range texts {
		out[i] = fmt.Sprintf("%s %q", out[i], text)
	}
	return strings.Join(out, ", ")
}

func (w *ward) want(want string) {
	w.t.Helper()
	if got := w.says(); got != want {
		w.t.Errorf("the note is %s\nwant %s", got, want)
	}
}

const long = "forty characters and more are not typed at once. "

// TestOrigins: what is laid out, typed, pasted, brought by a program and brought back is told apart.
func TestOrigins(t *testing.T) {
	w := newWard(t)
	w.types(w.chen, 1, 6, "ok. ")
	w.puts(w.rivera, 2, 10, long)
	w.puts(w.robot, 3, 10+len(long), "K 4.1. ")
	w.puts(w.rivera, 2, 17+len(long), "short")
	at := uint64(len(long))
	declare := func(person sessions.PersonID, client crdt.ClientID, how sessions.Manner, from, to uint64) {
		t.Helper()
		d := sessions.Declaration{ClockRange: crdt.ClockRange{Client: client, From: from, To: to}, Person: person, How: how}
		if err := w.store.Declare(t.Context(), w.note, d); err != nil {
			t.Fatal(err)
		}
	}
	before := fmt.Sprintf(`chen template "Plan: ", chen typed "ok. ", rivera pasted %q, robot imported "K 4.1. "`, long)
	w.want(before + `, rivera typed "short"`)
	declare(w.chen, 2, sessions.Pasted, at, at+3)
	w.want(before + `, rivera typed "short"`) // nobody says it of another's
	declare(w.rivera, 2, sessions.Pasted, at+2, at+5)
	declare(w.rivera, 2, sessions.Pasted, at+1, at+3)
	w.want(before + `, rivera typed "s", rivera pasted "hort"`)

	w.store.Recover(w.note, true)
	update, err := w.doc.Transact(4, func(tx *crdt.Txn) { w.text().Insert(tx, 0, "Back. ") })
	if err != nil {
		t.Fatal(err)
	}
	b := sessions.Batch{
		ID:      uuid.New(),
		Entries: []sessions.Entry{{Note: w.note, Author: w.chen, Session: uuid.New(), Update: update, Stamp: w.store.Stamp(w.note, w.chen)}},
		Claims:  []sessions.Claim{{Note: w.note, Client: 4, To: 6, Person: w.rivera, RecoveredBy: w.chen}},
	}
	if _, err := w.store.Append(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	w.want(`rivera recovered "Back. ", ` + before + `, rivera typed "s", rivera pasted "hort"`)
}

// TestOfflineIsNotPasting: what an editor says was written while there was no line is typed if hands could have, and pasted
// where it says so; nobody types a page in a second.
func TestOfflineIsNotPasting(t *testing.T) {
	for away, want := range map[time.Duration]string{time.Minute: "typed", time.Second: "pasted"} {
		synctest.Test(t, func(t *testing.T) {
			w := newWard(t)
			w.puts(w.rivera, 2, 6, "A")
			time.Sleep(away)
			w.puts(w.rivera, 2, 7, long)
			offline := sessions.Declaration{ClockRange: crdt.ClockRange{Client: 2, From: 1, To: 1 + uint64(len(long))}, Person: w.rivera, How: sessions.Offline}
			if err := w.store.Declare(t.Context(), w.note, offline); err != nil {
				t.Fatal(err)
			}
			if got := w.says(); !strings.Contains(got, fmt.Sprintf("rivera %s %q", want, long)) && !strings.Contains(got, fmt.Sprintf("rivera %s %q", want, "A"+long)) {
				t.Errorf("after %v it is %s", away, got)
			}
		})
	}
}

// TestTimesAreTheFirst: text is of when it was typed first, by the server's clock, to the row, however often it moved since.
func TestTimesAreTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		w := newWard(t)
		time.Sleep(time.Hour)
		w.puts(w.chen, 1, 6, "stable overnight")
		time.Sleep(time.Hour)
		w.does(w.rivera, 2, func(tx *crdt.Txn, x *crdt.XMLText) { // as an editor makes it bold, badly
			x.Delete(tx, 6, 16)
			x.Insert(tx, 6, "stable overnight!")
		})
		p := w.past()
		a, err := p.Account(p.Head())
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		a.Texts(func(text prose.Node, from Provenance, _ bool) {
			got = append(got, fmt.Sprintf("%v %d %s", from.At.Sub(began).Round(time.Second), from.Seq, text.Text))
		})
		if want := "0s 1 Plan: |1h0m0s 2 stable overnight|2h0m0s 3 !"; strings.Join(got, "|") != want {
			t.Errorf("the pieces are %q, want %q", got, want)
		}
	})
}

// TestRetypingClaimsNothing: who removes another's words and types or pastes the same there has not written them; who types
// others there has, to the last letter; and nobody has them repeated in another's name.
func TestRetypingClaimsNothing(t *testing.T) {
	for _, tt := range []struct{ name, types, want string }{
		{"the same", "penicillin", `chen typed "penicillin"`},
		{"another word that begins alike", "paracetamol", `rivera typed "paracetamol"`},
		{"the same and more", "penicillins", `chen typed "penicillin", rivera typed "s"`},
		{"part of a word", "pen", `rivera typed "pen"`},
	} {
		w := newWard(t)
		w.types(w.chen, 1, 6, "penicillin")
		w.removes(w.rivera, 2, 6, 10)
		w.types(w.rivera, 2, 6, tt.types)
		if got, want := w.says(), `chen template "Plan: ", `+tt.want; got != want {
			t.Errorf("%s: %s, want %s", tt.name, got, want)
		}
	}
	w := newWard(t)
	w.types(w.chen, 1, 6, "not well")
	w.removes(w.rivera, 2, 6, 8)
	w.puts(w.rivera, 2, 6, "not well")
	w.puts(w.rivera, 2, 6, "not well")
	w.want(`chen template "Plan: ", rivera typed "not well", chen typed "not well"`)

	w = newWard(t) // nor is it another's who removes and types: the author took it back
	w.types(w.chen, 1, 6, "not well")
	w.removes(w.chen, 1, 6, 8)
	w.types(w.rivera, 2, 6, "not well")
	w.want(`chen template "Plan: ", rivera typed "not well"`)
}

// TestSummary: words are counted by whose they are and how they came.
func TestSummary(t *testing.T) {
	w := newWard(t)
	w.types(w.chen, 1, 6, "two words ")
	w.puts(w.rivera, 2, 16, long)
	w.removes(w.rivera, 2, 6, 4)
	p := w.past()
	sum, err := p.Summary(p.Head())
	if err != nil {
		t.Fatal(err)
	}
	words := map[sessions.PersonID][Origins]int{}
	for _, s := range sum.Shares {
		words[s.Person] = s.Words
	}
	if sum.Words != 11 || words[w.chen] != [Origins]int{Typed: 1, Imported: 1} || words[w.rivera] != [Origins]int{Pasted: 9} || sum.Shares[0].Person != w.rivera {
		t.Errorf("the words are %+v", sum)
	}
}
