package history

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/internal/needs"
	"github.com/clisonix/tidechart/sessions"
	"github.com/clisonix/tidechart/sessions/storetest"
)

// line is what testdata/crowd.mjs prints of one update.
type line struct {
	Who    int
	Update []byte
	Length int
	Hash   string
	Did    string
}

// crowd has npm's yjs make a note's log, with what an independent client reads after each row.
func crowd(t *testing.T, seed, updates int) []line {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), needs.Node(t, "yjs"), "testdata/crowd.mjs", strconv.Itoa(seed), strconv.Itoa(updates))
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var lines []line
	for in := bufio.NewScanner(bytes.NewReader(out)); in.Scan(); {
		var l line
		if err := json.Unmarshal(in.Bytes(), &l); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, l)
	}
	if len(lines) != updates {
		t.Fatalf("the crowd made %d updates of %d", len(lines), updates)
	}
	return lines
}

// logOf stores a log, the first half of it through the first of two calls, and returns who its people are.
func logOf(t *testing.T, lines []line) (store *storetest.MemStore, note sessions.NoteID, people []sessions.PersonID) {
	t.Helper()
	store, note = &storetest.MemStore{}, uuid.New()
	for range 4 {
		people = append(people, uuid.New())
	}
	store.Add(note, people[0], storetest.Empty())
	for _, l := range lines {
		appendTo(t, store, note, people[l.Who], l.Update)
	}
	return store, note, people
}

func appendTo(t *testing.T, store *storetest.MemStore, note sessions.NoteID, who sessions.PersonID, update []byte) {
	t.Helper()
	u, err := crdt.DecodeUpdate(update)
	if err != nil {
		t.Fatal(err)
	}
	b := sessions.Batch{ID: uuid.New(), Entries: []sessions.Entry{{Note: note, Author: who, Session: uuid.New(), Update: update, Stamp: store.Stamp(note, who)}}}
	for _, r := range u.Ranges() {
		b.Claims = append(b.Claims, sessions.Claim{Note: note, Client: r.Client, From: r.From, To: r.To, Person: who})
	}
	if placed, err := store.Append(t.Context(), b); err != nil || len(placed) != 1 || placed[0].First == 0 {
		t.Fatalf("append: %v, %v", placed, err)
	}
}

func hashOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// TestEveryMomentIsAsYjsHadIt: after each row, gone to in any order, a note reads as it did to a Yjs client that had been
// given the same rows.
func TestEveryMomentIsAsYjsHadIt(t *testing.T) {
	for seed := range 4 {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			lines := crowd(t, seed, 300)
			store, note, people := logOf(t, lines)
			p := newPast(store, note, 16)
			if err := p.Grow(t.Context()); err != nil {
				t.Fatal(err)
			}
			for _, i := range rand.New(rand.NewPCG(uint64(seed), 1)).Perm(len(lines)) {
				doc, err := p.Doc(uint64(i) + 2) // behind the row that the note was created with
				if err != nil {
					t.Fatal(err)
				}
				if says := doc.XMLFragment(sessions.Fragment).String(); hashOf(says) != lines[i].Hash {
					t.Fatalf("after row %d the note reads %q, which is not what yjs reads", i+2, says)
				}
				if m := p.Moment(uint64(i) + 2); m.Author != people[lines[i].Who] || m.Seq != uint64(i)+2 {
					t.Fatalf("row %d is said to be %v's", i+2, m.Author)
				}
			}
		})
	}
}

// TestPastGrows: what is written while somebody looks at a note as it was comes behind it, and changes nothing of it.
func TestPastGrows(t *testing.T) {
	lines := crowd(t, 9, 100)
	store, note, people := logOf(t, lines[:50])
	p := newPast(store, note, 8)
	for _, l := range append([]line{{}}, lines[50:]...) {
		if l.Update != nil {
			appendTo(t, store, note, people[l.Who], l.Update)
		}
		if err := p.Grow(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if p.Head() != 101 {
		t.Fatalf("the past has %d rows, want 101", p.Head())
	}
	for i, l := range lines {
		doc, err := p.Doc(uint64(i) + 2)
		if err != nil {
			t.Fatal(err)
		}
		if hashOf(doc.XMLFragment(sessions.Fragment).String()) != l.Hash {
			t.Fatalf("row %d reads differently", i+2)
		}
	}
}

// TestPastIsDetached: whatever is done to a note as it was, it is done to a copy.
func TestPastIsDetached(t *testing.T) {
	lines := crowd(t, 3, 40)
	store, note, _ := logOf(t, lines)
	p := newPast(store, note, 8)
	if err := p.Grow(t.Context()); err != nil {
		t.Fatal(err)
	}
	doc, err := p.Doc(20)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := doc.Transact(7, func(tx *crdt.Txn) { f := doc.XMLFragment(sessions.Fragment); f.Delete(tx, 0, f.Len()) }); err != nil {
		t.Fatal(err)
	}
	again, err := p.Doc(20)
	if err != nil {
		t.Fatal(err)
	}
	if hashOf(again.XMLFragment(sessions.Fragment).String()) != lines[18].Hash || len(store.Rows(note)) != 41 {
		t.Error("deleting from the past changed it")
	}
}

// TestWatching: time passes as it did while somebody wrote, and breaks are cut short.
func TestWatching(t *testing.T) {
	p := newPast(nil, uuid.Nil, 8)
	p.hands = []hand{{author: uuid.New()}, {author: uuid.New()}}
	for i, second := range []int64{0, 1, 2, 3600, 3601} {
		p.rows = append(p.rows, row{at: second * 1e6, hand: int32(i % 2)}) // in turns
	}
	anybody := func(Moment) bool { return true }
	one := func(m Moment) bool { return m.Author == p.hands[0].author } // rows 1, 3 and 5
	for _, c := range []struct {
		from    uint64
		watched time.Duration
		want    uint64
		by      func(Moment) bool
	}{
		{1, 0, 2, anybody},
		{1, time.Second, 2, anybody},
		{1, 2 * time.Second, 3, anybody},
		{1, 3900 * time.Millisecond, 3, anybody},
		{1, 4 * time.Second, 4, anybody},
		{3, time.Millisecond, 4, anybody},
		{4, time.Hour, 5, anybody},
		{5, time.Hour, 5, anybody},
		{0, 0, 2, anybody},
		{1, 0, 3, one},
		{1, 4 * time.Second, 5, one},
		{2, time.Millisecond, 3, one},
		{3, time.Millisecond, 5, one},
		{4, time.Hour, 5, one},
		{5, time.Hour, 5, one},
	} {
		if got := p.Later(c.from, c.watched, 2*time.Second, c.by); got != c.want {
			t.Errorf("%v from row %d: row %d, want %d", c.watched, c.from, got, c.want)
		}
	}
}

// TestUnknownNote: there is no past of what is not there.
func TestUnknownNote(t *testing.T) {
	store := &storetest.MemStore{}
	if _, err := Open(t.Context(), store, uuid.New()); err == nil {
		t.Error("an unknown note has a past")
	}
}

// TestLongNoteIsSoughtQuickly: wherever one goes in a note of 260,000 keystrokes, it is there within a fifth of a second.
func TestLongNoteIsSoughtQuickly(t *testing.T) {
	if testing.Short() || needs.Raced {
		t.Skip("types 260,000 keystrokes and takes the time; make test does, without the race detector")
	}
	const keystrokes, limit = 260_000, 200 * time.Millisecond
	r := rand.New(rand.NewPCG(1, 2))
	typed := crdt.New("")
	p := newPast(nil, uuid.Nil, spacing)
	at, began := 0, time.Now()
	var text *crdt.XMLText
	var rows []sessions.Row
	for i := range keystrokes {
		update, err := typed.Transact(1, func(tx *crdt.Txn) {
			f := typed.XMLFragment(sessions.Fragment)
			if i%1000 == 0 { // a paragraph of its own
				text, at = crdt.NewXMLText(""), 0
				f.Push(tx, crdt.NewXMLElement("paragraph", nil, text))
			}
			switch n := text.Len(); {
			case n > 0 && r.IntN(50) == 0: // goes elsewhere
				at = r.IntN(n)
				fallthrough
			case at == 0 || r.IntN(10) > 0:
				text.Insert(tx, at, string('a'+rune(i%26)))
				at++
			default:
				at--
				text.Delete(tx, at, 1)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, sessions.Row{Seq: uint64(i) + 1, At: began, Update: update})
	}
	began = time.Now()
	if err := p.add(rows, nil); err != nil {
		t.Fatal(err)
	}
	opened := time.Since(began)
	var took []time.Duration
	for range 100 {
		seq := 1 + r.Uint64N(keystrokes)
		began := time.Now()
		account, err := p.Account(seq) // as the page has it: with whose each piece is, and how many words
		if err != nil {
			t.Fatal(err)
		}
		if account.Body.Content == nil || account.Summary().Words == 0 {
			t.Fatal("the note is empty")
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	t.Logf("%d rows in %v, %d MB; seeking takes %v, one of a hundred %v", keystrokes, opened, p.Bytes()>>20, took[50], took[98])
	if took[90] > limit {
		t.Errorf("one of ten takes longer than %v: %v", limit, took[90])
	}
}
