package crdt

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
)

// at writes an update by hand.
type at struct {
	client ClientID
	clock  uint32
}

// put returns an update with one string of the root "t", behind origin if given.
func (a at) put(s string, origin ...ID) []byte {
	b := block{client: a.client, clock: a.clock, n: uint32(utf16Len([]byte(s))), ref: refString, content: []byte(s)}
	if len(origin) > 0 {
		b.hasOrigin, b.origin = true, origin[0]
	} else {
		b.parentRoot, b.root = true, []byte("t")
	}
	return one(&b)
}

func one(bs ...*block) []byte {
	var w writerV1
	for _, b := range bs {
		w.block(b)
	}
	return w.finish(nil)
}

func deletes(ds ...DeleteRange) []byte {
	return append([]byte{0}, DeleteSet(ds).Encode()...)
}

func decoded(t *testing.T, b []byte) *Update {
	t.Helper()
	u, err := DecodeUpdate(b)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestRanges(t *testing.T) {
	u := decoded(t, must(MergeUpdates([][]byte{at{1, 0}.put("ab"), at{1, 5}.put("c"), at{9, 3}.put("d")})))
	want := []ClockRange{{9, 3, 4}, {1, 0, 2}, {1, 5, 6}}
	if got := u.Ranges(); !reflect.DeepEqual(got, want) {
		t.Errorf("Ranges = %v, want %v", got, want)
	}
}

func TestMissing(t *testing.T) {
	tests := []struct {
		name   string
		update []byte
		have   StateVector
		want   ID
		ok     bool
	}{
		{"nothing", at{1, 0}.put("a"), nil, ID{}, false},
		{"known already", at{1, 0}.put("a"), StateVector{1: 5}, ID{}, false},
		{"clocks before", at{1, 7}.put("a"), StateVector{1: 3}, ID{1, 3}, true},
		{"origin", at{1, 0}.put("a", ID{2, 4}), StateVector{2: 4}, ID{2, 4}, true},
		{"origin at hand", at{1, 0}.put("a", ID{2, 4}), StateVector{2: 5}, ID{}, false},
		{"origin in the update", must(MergeUpdates([][]byte{at{1, 0}.put("a", ID{2, 0}), at{2, 0}.put("b")})), nil, ID{}, false},
		{"inside its own hole", must(MergeUpdates([][]byte{at{1, 0}.put("a"), at{1, 3}.put("b")})), nil, ID{1, 1}, true},
		{"hole is filled by have", must(MergeUpdates([][]byte{at{1, 0}.put("a"), at{1, 3}.put("b")})), StateVector{1: 3}, ID{}, false},
		{
			"right origin",
			one(&block{client: 1, n: 1, ref: refString, content: []byte("a"), hasRight: true, right: ID{3, 2}}),
			nil,
			ID{3, 2},
			true,
		},
		{
			"parent",
			one(&block{client: 1, n: 1, ref: refString, content: []byte("a"), parentID: true, parent: ID{3, 0}}),
			nil,
			ID{3, 0},
			true,
		},
		{"deleted elements", deletes(DeleteRange{4, 2, 3}), StateVector{4: 4}, ID{4, 4}, true},
		{"deleted elements at hand", deletes(DeleteRange{4, 2, 3}), StateVector{4: 5}, ID{}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := decoded(t, tt.update).Missing(tt.have)
			if got != tt.want || ok != tt.ok {
				t.Errorf("Missing(%v) = %v, %v; want %v, %v", tt.have, got, ok, tt.want, tt.ok)
			}
		})
	}
}

func TestNovel(t *testing.T) {
	u := decoded(t, at{1, 2}.put("ab"))
	for have, want := range map[uint64]bool{0: true, 3: true, 4: false, 9: false} {
		if got := u.Novel(StateVector{1: have}); got != want {
			t.Errorf("Novel with clock %d = %v, want %v", have, got, want)
		}
	}
	if decoded(t, deletes(DeleteRange{1, 0, 1})).Novel(nil) {
		t.Error("an update that only deletes has novel structs")
	}
	if !decoded(t, []byte{0, 0}).Empty() || u.Empty() {
		t.Error("Empty is wrong")
	}
}

func TestHasDeleted(t *testing.T) {
	d := New("deleted")
	for _, u := range [][]byte{at{1, 0}.put("abcdef"), deletes(DeleteRange{1, 1, 3})} {
		if err := d.ApplyUpdate(u); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		g    DeleteRange
		want bool
	}{
		{DeleteRange{1, 1, 3}, true},
		{DeleteRange{1, 2, 1}, true},
		{DeleteRange{1, 0, 2}, false},
		{DeleteRange{1, 3, 2}, false},
		{DeleteRange{1, 5, 9}, false},
		{DeleteRange{7, 0, 1}, false},
	} {
		if got := d.HasDeleted([]DeleteRange{tt.g}); got != tt.want {
			t.Errorf("HasDeleted(%v) = %v, want %v", tt.g, got, tt.want)
		}
	}
	if want := (DeleteSet{{1, 1, 3}}); !reflect.DeepEqual(d.DeleteSet(), want) {
		t.Errorf("DeleteSet = %v, want %v", d.DeleteSet(), want)
	}
}

// Pending parts wait, travel with the state, and apply when their turn comes.
func TestPending(t *testing.T) {
	d := New("pending")
	for _, u := range [][]byte{at{1, 2}.put("cd", ID{1, 1}), deletes(DeleteRange{1, 3, 1})} {
		if err := d.ApplyUpdate(u); err != nil {
			t.Fatal(err)
		}
	}
	if !d.HasPending() || d.Text("t").String() != "" || len(d.StateVector()) != 0 {
		t.Fatalf("pending %v, text %q, state %v", d.HasPending(), d.Text("t"), d.StateVector())
	}
	relay := New("relay")
	if err := relay.ApplyUpdate(must(d.EncodeStateAsUpdate(nil))); err != nil {
		t.Fatal(err)
	}
	for _, d := range []*Doc{d, relay} {
		if err := d.ApplyUpdate(at{1, 0}.put("ab")); err != nil {
			t.Fatal(err)
		}
		if d.HasPending() || d.Text("t").String() != "abc" {
			t.Errorf("%s: pending %v, text %q, want abc", d.Name(), d.HasPending(), d.Text("t"))
		}
	}
}

// A frame that ends early is refused, wherever it was cut: nothing past its end
// is looked at, not even room that its buffer still has.
func TestEveryPrefixIsRefused(t *testing.T) {
	whole := []byte{
		1, 2, 1, 1,
		0xc4, 1, 0, 2, 3, 9, 'n', 'i', 'n', 'e', 'b', 'y', 't', 'e', 's',
		0x84, 0x81, 0x80, 4, 0x80, 1, 4, 0xf0, 0x9f, 0x98, 0x80,
		1, 1, 2, 0, 1, 5, 1,
	}
	if _, err := DecodeUpdate(whole); err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		part := bytes.Clone(whole[:n])
		if _, err := DecodeUpdate(part[:n:n]); err == nil {
			t.Errorf("the first %d bytes are taken for an update", n)
		}
	}
	// A length that is longer than needed, or does not end.
	for _, length := range [][]byte{{0x80, 0}, {0x80}, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}} {
		b := append([]byte{1, 1, 1, 1, 0x84, 1, 0}, length...)
		if _, err := DecodeUpdate(b[:len(b):len(b)]); err == nil {
			t.Errorf("the length % x is taken", length)
		}
	}
}

// An integer that is longer than needed is refused wherever it stands.
func TestPieceRefusesLongIntegers(t *testing.T) {
	b := []byte{1, 2, 1, 0, 4, 1, 1, 't', 1, 'a', 0x84, 1, 0x80, 0, 1, 'b', 0}
	b = append(b[:len(b)-1], make([]byte, 60)...)
	b[1] = 4
	b = append(b[:16], 0x84, 1, 1)
	b = append(appendBytes(b, bytes.Repeat([]byte("c"), 60)), 0x84, 1, 2, 1, 'd', 0)
	if _, err := DecodeUpdate(b); !errors.Is(err, ErrMalformed) {
		t.Errorf("error %v, want malformed", err)
	}
}
