package crdt

import (
	"fmt"
	"strings"
	"testing"
)

// TestCount measures updates by hand-counted ones.
func TestCount(t *testing.T) {
	d := New("")
	key := func(i int) *string { s := fmt.Sprintf("key-%d", i); return &s }
	b := NewBuilder(1)
	p := b.Element(Place{Root: "default"}, "p")
	for i := range 3 {
		b.Value(Place{Parent: &p, Key: key(i)}, i)
	}
	text := b.XMLText(Place{Parent: &p})
	b.String(Place{Parent: &text}, "grüße")
	first, err := b.Update()
	if err != nil {
		t.Fatal(err)
	}

	b = NewBuilder(2)
	b.Value(Place{Parent: &p, Key: key(2)}, "again")
	b.Value(Place{Parent: &p, Key: key(3)}, strings.Repeat("v", 100))
	b.Value(Place{Root: "meta", Key: key(0)}, true)
	second, err := b.Update()
	if err != nil {
		t.Fatal(err)
	}

	for _, tt := range []struct {
		name   string
		update []byte
		want   Count
	}{
		{"an element with attributes and text", first, Count{Structs: 6, Text: 7, Longest: 7, Keys: 3}},
		{"keys of an element that is there", second, Count{Structs: 3, Longest: 102, Keys: 4}},
		{"a hole between two structs", []byte{1, 3, 1, 0, 0, 2, 10, 5, 0, 1, 0}, Count{Structs: 2}},
		{"deletions", []byte{0, 1, 1, 1, 0, 4}, Count{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u, err := DecodeUpdate(tt.update)
			if err != nil {
				t.Fatal(err)
			}
			if got := d.Count(u); got != tt.want {
				t.Errorf("Count = %+v, want %+v", got, tt.want)
			}
			if err := d.Apply(u); err != nil {
				t.Fatal(err)
			}
		})
	}
}
