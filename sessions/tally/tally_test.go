package tally

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf16"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/sessions"
)

// desk is a note that people edit one after the other, and what somebody who watches them counts.
type desk struct {
	t       *testing.T
	note    *crdt.Doc // what all have seen
	counter *counter
	seq     uint64
	at      time.Time
	session sessions.SessionID
}

func newDesk(t *testing.T) *desk {
	return &desk{t: t, note: crdt.New(""), counter: newCounter(crdt.New(""), nil), at: time.Unix(1_763_000_000, 0), session: uuid.New()}
}

var ada, bob = uuid.UUID{1}, uuid.UUID{2}

// row stores an update of somebody.
func (d *desk) row(who sessions.PersonID, update []byte) {
	d.t.Helper()
	d.seq++
	d.at = d.at.Add(time.Second)
	if err := d.counter.add(sessions.Row{Seq: d.seq, Author: who, Session: d.session, At: d.at, Update: update}); err != nil {
		d.t.Fatal(err)
	}
	if err := d.note.ApplyUpdate(update); err != nil {
		d.t.Fatal(err)
	}
}

// edit has somebody change a document, which is the note's unless they are behind, and returns the update.
func edit(t *testing.T, doc *crdt.Doc, who sessions.PersonID, f func(*crdt.Txn)) []byte {
	t.Helper()
	update, err := doc.Transact(crdt.ClientID(who[0]), f)
	if err != nil {
		t.Fatal(err)
	}
	return update
}

func (d *desk) edits(who sessions.PersonID, f func(*crdt.Txn, *crdt.Text)) {
	d.t.Helper()
	d.row(who, edit(d.t, d.note, who, func(tx *crdt.Txn) { f(tx, d.note.Text("t")) }))
}

// of is what somebody has written in all.
func (d *desk) of(who sessions.PersonID) (all Text) {
	for _, s := range d.counter.open {
		if s.Person == who {
			all = all.Plus(s.Text)
		}
	}
	return all
}

// TestAmounts: what is known to have been typed and deleted is what is counted.
func TestAmounts(t *testing.T) {
	d := newDesk(t)
	for _, letter := range "Slept well 😀" {
		d.edits(ada, func(tx *crdt.Txn, text *crdt.Text) { text.Insert(tx, text.Len(), string(letter)) })
	}
	d.edits(bob, func(tx *crdt.Txn, text *crdt.Text) { text.Insert(tx, 6, "very ") })
	d.edits(bob, func(tx *crdt.Txn, text *crdt.Text) { text.Insert(tx, 3, "XX") })                         // into a word
	d.edits(bob, func(tx *crdt.Txn, text *crdt.Text) { text.Delete(tx, 0, 8) })                            // SleXXpt and the space
	d.edits(bob, func(tx *crdt.Txn, text *crdt.Text) { text.Format(tx, 0, 4, map[string]any{"b": true}) }) // is no text
	d.edits(bob, func(tx *crdt.Txn, text *crdt.Text) { text.Delete(tx, 0, 5); text.Insert(tx, 0, "not ") })
	if got := d.note.Text("t").String(); got != "not well 😀" {
		t.Fatalf("the note reads %q", got)
	}
	if got, want := d.of(ada), (Text{Typed: crdt.Amount{Units: 13, Words: 3}}); got != want {
		t.Errorf("ada: %+v, want %+v", got, want)
	}
	if got, want := d.of(bob), (Text{Typed: crdt.Amount{Units: 11, Words: 2}, Deleted: crdt.Amount{Units: 13, Words: 2}}); got != want {
		t.Errorf("bob: %+v, want %+v", got, want)
	}
	long := strings.Repeat("lorem ipsum ", 10)
	d.edits(ada, func(tx *crdt.Txn, text *crdt.Text) { text.Insert(tx, 0, long) })
	if got := d.of(ada).Pasted; got != (crdt.Amount{Units: 120, Words: 20}) {
		t.Errorf("pasted: %+v", got)
	}
}

// TestAmountsOfMovedText: who splits or joins paragraphs has neither typed nor deleted what stands in them.
func TestAmountsOfMovedText(t *testing.T) {
	d := newDesk(t)
	paragraphs := func() *crdt.XMLFragment { return d.note.XMLFragment("p") }
	d.row(ada, edit(t, d.note, ada, func(tx *crdt.Txn) { paragraphs().Insert(tx, 0, crdt.NewXMLText("Slept well overnight")) }))
	d.row(bob, edit(t, d.note, bob, func(tx *crdt.Txn) {
		first, _ := paragraphs().Get(0)
		first.Value.(*crdt.XMLText).Delete(tx, 11, 9)
		paragraphs().Insert(tx, 1, crdt.NewXMLText("overnight!"))
	}))
	if got, want := d.of(bob), (Text{Typed: crdt.Amount{Units: 1}}); got != want {
		t.Errorf("who splits a paragraph: %+v, want %+v", got, want)
	}
	if got, want := d.of(ada), (Text{Typed: crdt.Amount{Units: 20, Words: 3}}); got != want {
		t.Errorf("who wrote it: %+v, want %+v", got, want)
	}
}

// TestAmountsOfPutBackText: who cuts text and pastes it, or undoes, has deleted it and typed nothing, as long as their editor says so and
// it is true, and it is one session. What is typed again is typed.
func TestAmountsOfPutBackText(t *testing.T) {
	for _, tt := range []struct {
		name string
		text string
		told crdt.Copy
		does func(d *desk) // between the two
		want crdt.Amount   // that bob typed
	}{
		{"told", "well", crdt.Copy{To: crdt.ID{Client: 2}, From: crdt.ID{Client: 1, Clock: 6}, Len: 4}, func(*desk) {}, crdt.Amount{}},
		{"told of a part", "well", crdt.Copy{To: crdt.ID{Client: 2}, From: crdt.ID{Client: 1, Clock: 6}, Len: 3}, func(*desk) {}, crdt.Amount{Units: 1}},
		{"not told", "well", crdt.Copy{}, func(*desk) {}, crdt.Amount{Units: 4, Words: 1}},
		{"not true", "Well", crdt.Copy{To: crdt.ID{Client: 2}, From: crdt.ID{Client: 1, Clock: 6}, Len: 4}, func(*desk) {}, crdt.Amount{Units: 4, Words: 1}},
		{"not removed", "Slep", crdt.Copy{To: crdt.ID{Client: 2}, From: crdt.ID{Client: 1}, Len: 4}, func(*desk) {}, crdt.Amount{Units: 4, Words: 1}},
		{"in another session", "well", crdt.Copy{To: crdt.ID{Client: 2}, From: crdt.ID{Client: 1, Clock: 6}, Len: 4}, func(d *desk) { d.session = uuid.New() }, crdt.Amount{Units: 4, Words: 1}},
	} {
		d := newDesk(t)
		d.counter.said = sessions.Told{Writers: map[crdt.ClientID]sessions.PersonID{2: bob}, Moved: []sessions.Moved{{Person: bob, Copies: []crdt.Copy{tt.told}}}}.Tellings()
		d.edits(ada, func(tx *crdt.Txn, text *crdt.Text) { text.Insert(tx, 0, "Slept well overnight") })
		d.edits(bob, func(tx *crdt.Txn, text *crdt.Text) { text.Delete(tx, 6, 4) })
		tt.does(d)
		d.edits(bob, func(tx *crdt.Txn, text *crdt.Text) { text.Insert(tx, 0, tt.text) })
		if got, want := d.of(bob), (Text{Typed: tt.want, Deleted: crdt.Amount{Units: 4, Words: 1}}); got != want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, want)
		}
	}
}

// TestAmountsOfConcurrentEdits: what two delete goes once, and what is typed into text that has gone was typed all the same.
func TestAmountsOfConcurrentEdits(t *testing.T) {
	d := newDesk(t)
	d.edits(ada, func(tx *crdt.Txn, text *crdt.Text) { text.Insert(tx, 0, "one two three") })
	away := crdt.New("")
	state, err := d.note.EncodeStateAsUpdate(nil)
	if err == nil {
		err = away.ApplyUpdate(state)
	}
	if err != nil {
		t.Fatal(err)
	}
	late := edit(t, away, bob, func(tx *crdt.Txn) { away.Text("t").Delete(tx, 0, 8); away.Text("t").Insert(tx, 0, "four ") })
	d.edits(ada, func(tx *crdt.Txn, text *crdt.Text) { text.Delete(tx, 4, 9) })
	d.row(bob, late)
	if got := d.note.Text("t").String(); got != "four " {
		t.Fatalf("the note reads %q", got)
	}
	if got, want := d.of(ada).Deleted, (crdt.Amount{Units: 9, Words: 2}); got != want {
		t.Errorf("ada deleted %+v, want %+v", got, want)
	}
	if got, want := d.of(bob), (Text{Typed: crdt.Amount{Units: 5, Words: 1}, Deleted: crdt.Amount{Units: 4, Words: 1}}); got != want {
		t.Errorf("bob: %+v, want %+v", got, want)
	}
}

// begins reports whether a word begins with a letter of a plain text.
func begins(text []rune, i int) bool {
	return !unicode.IsSpace(text[i]) && (i == 0 || unicode.IsSpace(text[i-1]))
}

// TestAmountsOfRandomHistories: a plain text, to which the same is done, says the same.
func TestAmountsOfRandomHistories(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			d := newDesk(t)
			var plain []rune
			want := map[sessions.PersonID]*Text{ada: {}, bob: {}}
			units := func(text []rune) int { return len(utf16.Encode(text)) }
			for range 300 {
				who := []sessions.PersonID{ada, bob}[r.IntN(2)]
				at := r.IntN(len(plain) + 1)
				if r.IntN(3) == 0 && at < len(plain) {
					end := min(len(plain), at+1+r.IntN(6))
					for i := at; i < end; i++ {
						if begins(plain, i) {
							want[who].Deleted.Words++
						}
					}
					want[who].Deleted.Units += units(plain[at:end])
					d.edits(who, func(tx *crdt.Txn, text *crdt.Text) { text.Delete(tx, units(plain[:at]), units(plain[at:end])) })
					plain = append(append([]rune(nil), plain[:at]...), plain[end:]...)
					continue
				}
				var typed []rune
				for range 1 + r.IntN(5) {
					typed = append(typed, []rune("ab  é😀")[r.IntN(6)])
				}
				d.edits(who, func(tx *crdt.Txn, text *crdt.Text) { text.Insert(tx, units(plain[:at]), string(typed)) })
				plain = append(append(append([]rune(nil), plain[:at]...), typed...), plain[at:]...)
				for i := at; i < at+len(typed); i++ {
					if begins(plain, i) {
						want[who].Typed.Words++
					}
				}
				want[who].Typed.Units += units(typed)
			}
			if d.note.Text("t").String() != string(plain) {
				t.Fatal("the texts differ")
			}
			for who, sum := range want {
				if got := d.of(who); got != *sum {
					t.Errorf("%v: %+v, want %+v", who[0], got, *sum)
				}
			}
		})
	}
}

// TestStretches: a pause of five minutes ends a stretch, and where nobody writes for that long there is a break.
func TestStretches(t *testing.T) {
	d := newDesk(t)
	write := func(who sessions.PersonID, after time.Duration) {
		d.at = d.at.Add(after - time.Second)
		d.edits(who, func(tx *crdt.Txn, text *crdt.Text) { text.Insert(tx, 0, "x") })
	}
	write(ada, time.Second)
	write(bob, 4*time.Minute)
	write(ada, 2*time.Minute) // six behind her last one, and bob wrote meanwhile
	last := d.at
	write(bob, 5*time.Minute)
	made := d.counter.take()
	var edits []int
	for _, s := range made {
		edits = append(edits, s.Edits)
	}
	if got := fmt.Sprint(edits); got != "[1 1 1 1]" {
		t.Errorf("stretches of %s edits, want four of one", got)
	}
	breaks := Breaks(made)
	if len(breaks) != 1 || !breaks[0].From.Equal(last) || !breaks[0].Until.Equal(d.at) {
		t.Errorf("breaks: %v, want one, from %v to %v", breaks, last, d.at)
	}
	write(bob, 5*time.Minute-time.Microsecond)
	if grown := d.counter.take(); len(grown) != 1 || grown[0].Edits != 2 || grown[0].First != 4 || grown[0].Last != 5 {
		t.Errorf("what has grown: %+v", grown)
	}
	write(bob, 5*time.Minute)
	if begun := d.counter.take(); len(begun) != 1 || begun[0].First != 6 {
		t.Errorf("after a pause of five minutes: %+v", begun)
	}
	minute := func(m int) time.Time { return time.Unix(int64(60*m), 0) }
	if breaks := Breaks([]Stretch{{From: minute(1), Until: minute(1)}, {From: minute(0), Until: minute(8)}, {From: minute(10), Until: minute(10)}}); len(breaks) != 0 {
		t.Errorf("while somebody else wrote on there was a break: %v", breaks)
	}
}

// BenchmarkCount is what counting a keystroke costs, behind whoever types it.
func BenchmarkCount(b *testing.B) {
	doc := crdt.New("")
	var rows []sessions.Row
	for i := range 20_000 {
		update, err := doc.Transact(1, func(tx *crdt.Txn) {
			text := doc.Text("t")
			if i%10 == 9 {
				text.Delete(tx, text.Len()-1, 1)
			} else {
				text.Insert(tx, text.Len(), string("lorem "[i%6]))
			}
		})
		if err != nil {
			b.Fatal(err)
		}
		rows = append(rows, sessions.Row{Seq: uint64(i) + 1, Author: ada, Session: bob, At: time.Unix(int64(i), 0), Update: update})
	}
	for b.Loop() {
		c := newCounter(crdt.New(""), nil)
		for _, row := range rows {
			if err := c.add(row); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(rows)), "ns/keystroke")
}
