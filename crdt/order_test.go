package crdt

import (
	"math/rand/v2"
	"testing"
)

// TestMissingFindsCircles: structs that wait for each other are at hand, and yet
// no order integrates them.
func TestMissingFindsCircles(t *testing.T) {
	// Clients 21 and 20 type one character each, each behind the other's.
	circle := []byte{2, 1, 21, 0, 0x84, 20, 0, 1, 'a', 1, 20, 0, 0x84, 21, 0, 1, 'b', 0}
	u, err := DecodeUpdate(circle)
	if err != nil {
		t.Fatal(err)
	}
	if id, ok := u.Missing(StateVector{}); !ok {
		t.Error("nothing is missing")
	} else if id.Client != 20 && id.Client != 21 {
		t.Errorf("missing %v", id)
	}
	if _, ok := u.Missing(StateVector{20: 1}); ok {
		t.Error("something is missing, though one of the two is known")
	}
}

// TestNothingMissingMeansNothingPending is the law of Missing, over updates with
// arbitrary links.
func TestNothingMissingMeansNothingPending(t *testing.T) {
	whole, circles := 0, 0
	for seed := range uint64(3000) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		update := tangled(rnd)
		u, err := DecodeUpdate(update)
		if err != nil {
			continue
		}
		d := New("")
		_, missing := u.Missing(d.StateVector())
		if err := d.Apply(u); err != nil {
			t.Fatal(err)
		}
		if missing {
			circles++
		} else {
			whole++
		}
		if missing != d.HasPending() {
			t.Fatalf("seed %d: missing %v, pending %v: % x", seed, missing, d.HasPending(), update)
		}
	}
	if whole < 100 || circles < 100 {
		t.Errorf("the generator is one-sided: %d whole, %d not", whole, circles)
	}
}

// tangled is an update of a few clients whose characters hang on random others.
func tangled(rnd *rand.Rand) []byte {
	const clients = 3
	n := 1 + rnd.IntN(4)
	update := []byte{clients}
	for c := clients; c > 0; c-- {
		update = append(update, byte(n), byte(c), 0)
		for range n {
			if rnd.IntN(3) == 0 {
				update = append(update, 4, 1, 1, 't', 1, 'x')
			} else {
				update = append(update, 0x84, byte(1+rnd.IntN(clients)), byte(rnd.IntN(n)), 1, 'x')
			}
		}
	}
	return append(update, 0)
}

// TestDepth: a type lies one deeper than what it is put into, wherever that is.
func TestDepth(t *testing.T) {
	deep := func(client byte, n int) []byte { // n elements, each in the one before
		u := []byte{1, byte(n), client, 0, 7, 1, 1, 'r', 3, 1, 'p'}
		for i := 1; i < n; i++ {
			u = append(u, 7, 0, client, byte(i-1), 3, 1, 'p')
		}
		return append(u, 0)
	}
	d := New("")
	apply := func(b []byte) *Update {
		u, err := DecodeUpdate(b)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	for _, n := range []int{1, 2, 50} {
		if got := d.Depth(apply(deep(1, n))); got != n {
			t.Errorf("depth %d, want %d", got, n)
		}
	}
	if err := d.ApplyUpdate(deep(1, 3)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		update []byte
		want   int
	}{
		{"text", []byte{1, 1, 2, 0, 4, 1, 1, 't', 1, 'x', 0}, 0},
		{"an element inside the deepest", []byte{1, 1, 2, 0, 7, 0, 1, 2, 3, 1, 'p', 0}, 4},
		{"an element behind the deepest", []byte{1, 1, 2, 0, 0x87, 1, 2, 3, 1, 'p', 0}, 3},
		{"an element before the first", []byte{1, 1, 2, 0, 0x47, 1, 0, 3, 1, 'p', 0}, 1},
	} {
		if got := d.Depth(apply(tt.update)); got != tt.want {
			t.Errorf("%s: depth %d, want %d", tt.name, got, tt.want)
		}
	}
}
