package crdt_test

import (
	"fmt"

	"github.com/clisonix/tidechart/crdt"
)

// Two clinicians' edits to patient-123, applied in either order, make one state.
func Example() {
	chen, rivera := crdt.New("patient-123"), crdt.New("patient-123")
	pulse := edit(chen, 7, func(tx *crdt.Txn) { chen.Text("note").Insert(tx, 0, "Pulse 72; ") })
	pressure := edit(rivera, 9, func(tx *crdt.Txn) { rivera.Text("note").Insert(tx, 0, "BP 120/80") })

	fmt.Println(chen.ApplyUpdate(pressure), rivera.ApplyUpdate(pulse))

	fmt.Println(chen.Text("note"))
	fmt.Println(rivera.Text("note"))
	// Output:
	// <nil> <nil>
	// Pulse 72; BP 120/80
	// Pulse 72; BP 120/80
}

// A text has formats and embeds; a delta shows both.
func ExampleText() {
	d := crdt.New("patient-123")
	note := d.Text("note")
	edit(d, 7, func(tx *crdt.Txn) {
		note.Insert(tx, 0, "Aspirin 75 mg")
		note.Format(tx, 0, 7, map[string]any{"bold": true})
		note.Delete(tx, 10, 3)
	})
	for _, op := range note.Delta() {
		fmt.Printf("%q %v\n", op.Insert, op.Attributes)
	}
	// Output:
	// "Aspirin" map[bold:true]
	// " 75" map[]
}

// Other types nest at will.
func ExampleMap() {
	d := crdt.New("patient-123")
	edit(d, 7, func(tx *crdt.Txn) {
		d.Map("vitals").Set(tx, "pulse", 72)
		d.Map("vitals").Set(tx, "notes", crdt.NewArray("resting", crdt.NewText("regular")))
	})
	fmt.Println(d.Map("vitals").ToJSON())
	// Output: map[notes:[resting regular] pulse:72]
}

// A document that keeps what is deleted can be read as it was.
func ExampleDoc_At() {
	d := crdt.New("patient-123", crdt.WithoutGC())
	note := d.Text("note")
	edit(d, 7, func(tx *crdt.Txn) { note.Insert(tx, 0, "Penicillin") })
	signed := d.Snapshot()
	edit(d, 9, func(tx *crdt.Txn) { note.Delete(tx, 0, 10); note.Insert(tx, 0, "Doxycycline") })

	then, err := d.At(signed)
	if err != nil {
		fmt.Println(err)
	}
	fmt.Println(then.Text("note"), "became", note)
	// Output: Penicillin became Doxycycline
}

// A caret stays where it is while others type.
func ExampleDoc_AbsolutePosition() {
	d := crdt.New("patient-123")
	note := d.Text("note")
	edit(d, 7, func(tx *crdt.Txn) { note.Insert(tx, 0, "stable") })
	caret, err := note.RelativePosition(3, 0)
	if err != nil {
		fmt.Println(err)
	}
	edit(d, 9, func(tx *crdt.Txn) { note.Insert(tx, 0, "Is ") })
	now, ok := d.AbsolutePosition(caret)
	fmt.Println(now.Index, ok)
	// Output: 6 true
}

func edit(d *crdt.Doc, client crdt.ClientID, f func(*crdt.Txn)) []byte {
	u, err := d.Transact(client, f)
	if err != nil {
		panic(err)
	}
	return u
}

// Who wrote what is part of the document.
func ExampleText_Spans() {
	d := crdt.New("patient-123")
	for _, u := range [][]byte{
		build(7, func(b *crdt.Builder) { b.String(crdt.Place{Root: "note"}, "aspirin 75 mg") }),
		build(9, func(b *crdt.Builder) { b.String(crdt.Place{After: &crdt.ID{Client: 7, Clock: 12}}, " daily") }),
	} {
		if err := d.ApplyUpdate(u); err != nil {
			fmt.Println(err)
		}
	}
	for _, s := range d.Text("note").Spans() {
		fmt.Printf("%d: %q\n", s.Author, s.Insert)
	}
	// Output:
	// 7: "aspirin 75 mg"
	// 9: " daily"
}

// A replica asks for what it lacks by its state vector.
func ExampleDoc_EncodeStateAsUpdate() {
	server, laptop := crdt.New("server"), crdt.New("laptop")
	first := build(1, func(b *crdt.Builder) { b.String(crdt.Place{Root: "note"}, "Stable.") })
	second := build(2, func(b *crdt.Builder) { b.String(crdt.Place{After: &crdt.ID{Client: 1, Clock: 6}}, " Afebrile.") })
	for _, err := range []error{server.ApplyUpdate(first), server.ApplyUpdate(second), laptop.ApplyUpdate(first)} {
		if err != nil {
			fmt.Println(err)
		}
	}

	lacks, err := server.EncodeStateAsUpdate(laptop.EncodeStateVector())
	if err != nil {
		fmt.Println(err)
	}
	if err := laptop.ApplyUpdate(lacks); err != nil {
		fmt.Println(err)
	}
	fmt.Println(laptop.Text("note"))
	// Output: Stable. Afebrile.
}

func build(client crdt.ClientID, f func(*crdt.Builder)) []byte {
	b := crdt.NewBuilder(client)
	f(b)
	u, err := b.Update()
	if err != nil {
		panic(err)
	}
	return u
}
