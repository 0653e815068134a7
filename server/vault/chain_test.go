package vault

import (
	"testing"

	"github.com/google/uuid"
)

// TestLinks: a link depends on each part of each row before it, on the key, and on nothing else.
func TestLinks(t *testing.T) {
	v := newVault(t)
	key := func(owner uuid.UUID) *Key {
		k, _, err := v.NewKey(Name{Scope: OfNote, Owner: owner, Epoch: 1})
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	k := key(uuid.New())
	with, other := make([]byte, 32), append(make([]byte, 31), 1)
	of := func(k *Key, first, second func(*Link)) (l Link) {
		first(&l)
		second(&l)
		return l
	}
	row := func(k *Key, seq uint64, with []byte, plain string) func(*Link) {
		return func(l *Link) { k.Link(l, seq, with, []byte(plain)) }
	}
	a := of(k, row(k, 1, with, "one"), row(k, 2, with, "two"))
	if b := of(k, row(k, 1, with, "one"), row(k, 2, with, "two")); a != b {
		t.Error("the same rows have another link")
	}
	stranger := key(uuid.New())
	seen := map[Link]string{a: "the rows"}
	for what, l := range map[string]Link{
		"another first row":   of(k, row(k, 1, with, "One"), row(k, 2, with, "two")),
		"another second row":  of(k, row(k, 1, with, "one"), row(k, 2, with, "twO")),
		"the other order":     of(k, row(k, 1, with, "two"), row(k, 2, with, "one")),
		"another author":      of(k, row(k, 1, other, "one"), row(k, 2, with, "two")),
		"another place":       of(k, row(k, 1, with, "one"), row(k, 3, with, "two")),
		"one row":             of(k, row(k, 1, with, "onetwo"), func(*Link) {}),
		"only the first":      of(k, row(k, 1, with, "one"), func(*Link) {}),
		"another note's key":  of(stranger, row(stranger, 1, with, "one"), row(stranger, 2, with, "two")),
		"nothing":             {},
		"the first row twice": of(k, row(k, 1, with, "one"), row(k, 1, with, "one")),
	} {
		if same, is := seen[l]; is {
			t.Errorf("%s: the link is that of %s", what, same)
		}
		seen[l] = what
	}
}

// TestCovers: a row's cover depends on the row, its place and the key, and is no link.
func TestCovers(t *testing.T) {
	v := newVault(t)
	key := func() *Key {
		k, _, err := v.NewKey(Name{Scope: OfNote, Owner: uuid.New(), Epoch: 1})
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	k := key()
	with, other := make([]byte, 32), append(make([]byte, 31), 1)
	row := k.Cover(1, with, []byte("one"))
	if k.Cover(1, with, []byte("one")) != row {
		t.Error("the same row has another cover")
	}
	var link Link
	k.Link(&link, 1, with, []byte("one"))
	for what, c := range map[string]Cover{
		"another row": k.Cover(1, with, []byte("One")), "another place": k.Cover(2, with, []byte("one")), "another author": k.Cover(1, other, []byte("one")),
		"another note": key().Cover(1, with, []byte("one")), "its link": Cover(link), "nothing": {},
	} {
		if c == row {
			t.Errorf("%s has the row's cover", what)
		}
	}
}

// BenchmarkLink is one row of 200 bytes, BenchmarkCover the same.
func BenchmarkLink(b *testing.B) {
	var l Link
	benchmarkRows(b, func(k *Key, seq uint64, with, plain []byte) { k.Link(&l, seq, with, plain) })
}

func BenchmarkCover(b *testing.B) {
	benchmarkRows(b, func(k *Key, seq uint64, with, plain []byte) { k.Cover(seq, with, plain) })
}

func benchmarkRows(b *testing.B, f func(k *Key, seq uint64, with, plain []byte)) {
	k, _, err := newVault(b).NewKey(Name{Scope: OfNote, Owner: uuid.New(), Epoch: 1})
	if err != nil {
		b.Fatal(err)
	}
	with, plain := make([]byte, 32), make([]byte, 200)
	b.ReportAllocs()
	for i := uint64(0); b.Loop(); i++ {
		f(k, i, with, plain)
	}
}
