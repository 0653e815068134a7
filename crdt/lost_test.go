package crdt

import (
	"fmt"
	"reflect"
	"testing"
	"unicode/utf16"
)

// lostIn applies an update and returns what it lost.
func lostIn(t *testing.T, d *Doc, update []byte) []LostText {
	t.Helper()
	u := decoded(t, update)
	if err := d.Apply(u); err != nil {
		t.Fatal(err)
	}
	return d.Lost(u)
}

// edited makes edits in the name of client.
func edited(t *testing.T, d *Doc, client ClientID, f func(*Txn)) []byte {
	t.Helper()
	update, err := d.Transact(client, f)
	if err != nil {
		t.Fatal(err)
	}
	return update
}

// paragraph returns an update of client 1 that puts a paragraph into the root
// "x": element 0, its text 1, the characters from 2 on.
func paragraph(t *testing.T, text string) []byte {
	t.Helper()
	return edited(t, New("first"), 1, func(tx *Txn) {
		p := NewXMLElement("paragraph", nil)
		tx.d.XMLFragment("x").Insert(tx, 0, p)
		p.Insert(tx, 0, NewXMLText(text))
	})
}

// replica returns a document that has taken updates.
func replica(t *testing.T, updates ...[]byte) *Doc {
	t.Helper()
	d := New("replica", WithoutGC())
	apply(t, d, updates...)
	return d
}

func textOf(d *Doc) *XMLText {
	return d.XMLFragment("x").Children()[0].Value.(*XMLElement).Children()[0].Value.(*XMLText)
}

// A paragraph is turned into a heading while somebody types in it.
func TestLostText(t *testing.T) {
	first := paragraph(t, "Stable.")
	typed := edited(t, replica(t, first), 2, func(tx *Txn) { textOf(tx.d).Insert(tx, 3, "ANAPHYLAXIS") })
	heading := edited(t, replica(t, first), 3, func(tx *Txn) {
		f := tx.d.XMLFragment("x")
		f.Delete(tx, 0, 1)
		f.Insert(tx, 0, NewXMLElement("heading", nil))
	})
	want := []LostText{{ID: ID{2, 0}, Len: 11, Text: "ANAPHYLAXIS", Holders: []ID{{1, 1}, {1, 0}}, Gone: 2}}
	for name, order := range map[string][][]byte{"typed first": {typed, heading}, "heading first": {heading, typed}} {
		d := replica(t, first)
		if got := lostIn(t, d, order[0]); got != nil {
			t.Errorf("%s: the first to come loses %v", name, got)
		}
		if got := lostIn(t, d, order[1]); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: lost %+v, want %+v", name, got, want)
		}
		if got := lostIn(t, d, order[1]); got != nil {
			t.Errorf("%s: the same again loses %v", name, got)
		}
		// A document that collects notices that something is lost, too.
		c := New("collects")
		apply(t, c, first, order[0])
		u := decoded(t, order[1])
		if err := c.Apply(u); err != nil {
			t.Fatal(err)
		}
		if got := c.Unnamed(u); !reflect.DeepEqual(got, DeleteSet{{2, 0, 11}}) {
			t.Errorf("%s: a collecting document says %v", name, got)
		}
	}
}

// What its author knew and removed is not lost.
func TestNamedIsNotLost(t *testing.T) {
	first := paragraph(t, "Stable.")
	d := replica(t, first)
	tests := []struct {
		name string
		edit func(*Txn)
	}{
		{"characters", func(tx *Txn) { textOf(tx.d).Delete(tx, 1, 3) }},
		{"typed and erased at once", func(tx *Txn) {
			textOf(tx.d).Insert(tx, 0, "oops")
			textOf(tx.d).Delete(tx, 0, 4)
		}},
		{"the paragraph", func(tx *Txn) { tx.d.XMLFragment("x").Delete(tx, 0, 1) }},
	}
	for _, tt := range tests {
		update := edited(t, replica(t, must(d.EncodeStateAsUpdate(nil))), 2, tt.edit)
		if got := lostIn(t, d, update); got != nil {
			t.Errorf("%s: lost %v", tt.name, got)
		}
		d = replica(t, first)
	}
}

// Of a run that was deleted in parts only what nobody named is lost, and what
// was in several texts comes in their order, with what held it.
func TestLostInOrder(t *testing.T) {
	first := edited(t, New("first"), 1, func(tx *Txn) {
		li := NewXMLElement("listItem", nil)
		tx.d.XMLFragment("x").Insert(tx, 0, li)
		for i := range 2 {
			li.Insert(tx, i, NewXMLText("ab"))
		}
	})
	texts := func(tx *Txn) [2]*XMLText {
		c := tx.d.XMLFragment("x").Children()[0].Value.(*XMLElement).Children()
		return [2]*XMLText{c[0].Value.(*XMLText), c[1].Value.(*XMLText)}
	}
	typed := edited(t, replica(t, first), 2, func(tx *Txn) {
		texts(tx)[1].Insert(tx, 1, "two") // 2:0
		texts(tx)[0].Insert(tx, 0, "one") // 2:3
	})
	// Somebody has seen, and removes, the "w"; then the item goes, named without the rest.
	seen := deletes(DeleteRange{2, 1, 1})
	item := deletes(DeleteRange{1, 0, 7})
	d := replica(t, first, typed, seen)
	got := ""
	for _, l := range lostIn(t, d, item) {
		got += fmt.Sprint(l.ID, l.Text, l.Holders, l.Gone, "; ")
	}
	want := "{2 3}one[{1 1} {1 0}] 2; {2 0}t[{1 4} {1 0}] 2; {2 2}o[{1 4} {1 0}] 2; "
	if got != want {
		t.Errorf("lost %s\nwant %s", got, want)
	}
}

func TestUpdateTexts(t *testing.T) {
	u := decoded(t, must(MergeUpdates([][]byte{at{1, 0}.put("a😀b"), at{1, 4}.put("cd", ID{7, 0}), at{2, 0}.put("x"), at{9, 3}.put("yz")})))
	for _, tt := range []struct {
		ranges []ClockRange
		want   string
	}{
		{[]ClockRange{{1, 0, 6}}, "0 {1 0}a😀b 0 {1 4}cd "},
		{[]ClockRange{{1, 3, 5}}, "0 {1 3}b 0 {1 4}c "},
		{[]ClockRange{{1, 1, 3}, {1, 3, 4}, {1, 5, 9}}, "0 {1 1}😀 1 {1 3}b 2 {1 5}d "},
		{[]ClockRange{{1, 2, 4}}, "0 {1 2}\ufffdb "},
		{[]ClockRange{{2, 0, 9}, {3, 0, 9}, {9, 0, 4}}, "2 {9 3}y 0 {2 0}x "},
		{[]ClockRange{{3, 0, 9}}, ""},
		{nil, ""},
	} {
		got := ""
		u.Texts(tt.ranges, func(i int, first ID, text string) { got += fmt.Sprint(i, first, text, " ") })
		if got != tt.want {
			t.Errorf("Texts(%v) = %q, want %q", tt.ranges, got, tt.want)
		}
	}
}

// Replaying a log finds lost what yjs says that each update deletes and does
// not name; and a document that collects notices each time.
func TestYjsLost(t *testing.T) {
	o := newOracle(t)
	total := 0
	for seed := range seeds(150) {
		o.t = t
		var h struct {
			Log    [][]byte
			Losses [][]struct {
				Client ClientID
				Clock  uint64
				Unit   uint16
			}
		}
		o.ask(map[string]any{"cmd": "lost", "seed": seed}, &h)
		d, c := New("replay", WithoutGC()), New("collects")
		for i, b := range h.Log {
			want, got := map[ID]uint16{}, map[ID]uint16{}
			for _, l := range h.Losses[i] {
				want[ID{l.Client, l.Clock}] = l.Unit
			}
			for _, l := range lostIn(t, d, b) {
				for k, unit := range utf16.Encode([]rune(l.Text)) {
					got[ID{l.ID.Client, l.ID.Clock + uint64(k)}] = unit
				}
				if l.Gone == 0 || l.Gone > len(l.Holders) {
					t.Fatalf("seed %d, update %d: %+v", seed, i, l)
				}
			}
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("seed %d, update %d: lost %v, yjs says %v", seed, i, got, want)
			}
			u := decoded(t, b)
			if err := c.Apply(u); err != nil {
				t.Fatal(err)
			}
			if len(want) > 0 && len(c.Unnamed(u)) == 0 {
				t.Fatalf("seed %d, update %d: a collecting document does not notice %v", seed, i, want)
			}
			total += len(want)
		}
	}
	if total < 100 {
		t.Errorf("%d characters were lost in all: too few to say anything", total)
	}
}
