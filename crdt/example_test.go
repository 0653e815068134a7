package crdt_test

import (
	"fmt"

	"github.com/clisonix/tidechart/crdt"
)

// Two clinicians' edits to patient-123, applied in either order, make one state.
func Example() {
	// Both start from "BP 120/80"; one types before it, one behind.
	start := build(1, func(b *crdt.Builder) { b.String(crdt.Place{Root: "note"}, "BP 120/80") })
	chen := build(2, func(b *crdt.Builder) { b.String(crdt.Place{After: &crdt.ID{Client: 1, Clock: 8}}, ", pulse 72") })
	rivera := build(3, func(b *crdt.Builder) {
		b.String(crdt.Place{After: &crdt.ID{Client: 1, Clock: 1}, Before: &crdt.ID{Client: 1, Clock: 2}}, " lying")
	})

	for _, edits := range [][][]byte{{start, chen, rivera}, {rivera, chen, start}} {
		d := crdt.New("patient-123")
		for _, u := range edits {
			if err := d.ApplyUpdate(u); err != nil {
				fmt.Println(err)
			}
		}
		fmt.Println(d.Text("note"))
	}
	// Output:
	// BP lying 120/80, pulse 72
	// BP lying 120/80, pulse 72
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
