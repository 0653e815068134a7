package crdt

import (
	"encoding/binary"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// traced is what keystrokes read from TRACES.
var traced [][]byte

// keystrokes returns single-keystroke updates: the sequential trace in TRACES
// if that is set, else n made up by one writer who types, jumps and deletes.
func keystrokes(tb testing.TB, n int) [][]byte {
	tb.Helper()
	dir := os.Getenv("TRACES")
	if dir == "" {
		return typed(n)
	}
	if traced != nil {
		return traced
	}
	b, err := exec.Command("node", "testdata/trace.mjs", filepath.Join(dir, "sequential-automerge-paper.json.gz")).Output()
	if err != nil {
		tb.Fatalf("replaying the trace in yjs: %v", err)
	}
	out := traced
	for len(b) > 0 {
		n := binary.LittleEndian.Uint32(b)
		out, b = append(out, b[4:4+n]), b[4+n:]
	}
	traced = out
	return out
}

// typed makes n updates of one client: insertions behind the last, jumps to a
// random element, and deletions.
func typed(n int) [][]byte {
	r := rand.New(rand.NewPCG(1, 1))
	out := make([][]byte, 0, n)
	clock, last := uint32(0), uint64(0)
	for range n {
		if r.IntN(4) == 0 && clock > 0 {
			ds := DeleteSet{{1, uint32(r.IntN(int(clock))), 1}}
			out = append(out, append([]byte{0}, ds.Encode()...))
			continue
		}
		b := block{client: 1, clock: clock, n: 1, ref: refString, content: []byte{byte('a' + r.IntN(26))}}
		switch {
		case clock == 0:
			b.parentRoot, b.root = true, []byte("t")
		case r.IntN(10) == 0:
			last = uint64(r.IntN(int(clock)))
			fallthrough
		default:
			b.hasOrigin, b.origin = true, ID{1, last}
		}
		var w writerV1
		w.block(&b)
		out = append(out, w.finish(nil))
		last = uint64(clock)
		clock++
	}
	return out
}

func BenchmarkApplyKeystrokes(b *testing.B) {
	us := keystrokes(b, 100_000)
	b.ReportAllocs()
	for b.Loop() {
		d := New("bench")
		for _, u := range us {
			if err := d.ApplyUpdate(u); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(us)), "ns/update")
}

func BenchmarkLoad(b *testing.B) {
	for _, v2 := range []bool{false, true} {
		name := "v1"
		if v2 {
			name = "v2"
		}
		b.Run(name, func(b *testing.B) {
			d := New("bench")
			for _, u := range keystrokes(b, 100_000) {
				if err := d.ApplyUpdate(u); err != nil {
					b.Fatal(err)
				}
			}
			state := must(d.EncodeStateAsUpdate(nil))
			if v2 {
				state = must(d.EncodeStateAsUpdateV2(nil))
			}
			b.SetBytes(int64(len(state)))
			b.ReportAllocs()
			for b.Loop() {
				d := New("bench")
				var err error
				if v2 {
					err = d.ApplyUpdateV2(state)
				} else {
					err = d.ApplyUpdate(state)
				}
				if err != nil {
					b.Fatal(err)
				}
				_ = d.Text("t").String()
			}
		})
	}
}

func BenchmarkMerge(b *testing.B) {
	us := keystrokes(b, 50_000)
	for _, n := range []int{10_000, 50_000, len(us)} {
		b.Run("", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := MergeUpdates(us[:min(n, len(us))]); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*min(n, len(us))), "ns/update")
		})
	}
}

func BenchmarkDiff(b *testing.B) {
	d := New("bench")
	for _, u := range keystrokes(b, 100_000) {
		if err := d.ApplyUpdate(u); err != nil {
			b.Fatal(err)
		}
	}
	state := must(d.EncodeStateAsUpdate(nil))
	sv := StateVector{1: uint64(d.clients[0].next) / 2}.Encode()
	b.SetBytes(int64(len(state)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DiffUpdate(state, sv); err != nil {
			b.Fatal(err)
		}
	}
}

// Edits by index, an update each.
func BenchmarkLocalEdits(b *testing.B) {
	const n = 100_000
	r := rand.New(rand.NewPCG(2, 2))
	b.ReportAllocs()
	for b.Loop() {
		d := New("bench")
		t := d.Text("t")
		at := 0
		for range n {
			if r.IntN(50) == 0 {
				at = r.IntN(t.Len() + 1)
			}
			var err error
			if at > 0 && r.IntN(4) == 0 {
				at--
				_, err = d.Transact(1, func(tx *Txn) { t.Delete(tx, at, 1) })
			} else {
				_, err = d.Transact(1, func(tx *Txn) { t.Insert(tx, at, "x") })
				at++
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/edit")
}

// Many people insert at one place without seeing each other: the conflict rule
// at its worst.
func BenchmarkStorm(b *testing.B) {
	const n = 2000
	r := rand.New(rand.NewPCG(3, 3))
	us := make([][]byte, n)
	for i, k := range r.Perm(n) {
		w := writerV1{}
		w.block(&block{client: ClientID(k + 1), n: 1, ref: refString, content: []byte("x"), parentRoot: true, root: []byte("t")})
		us[i] = w.finish(nil)
	}
	b.ReportAllocs()
	for b.Loop() {
		d := New("bench")
		for _, u := range us {
			if err := d.ApplyUpdate(u); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// A document of ten million characters in 100,000 pieces loads, and is edited
// anywhere.
func BenchmarkBigDocument(b *testing.B) {
	const pieces, size = 100_000, 100
	d := New("big")
	t := d.Text("t")
	r := rand.New(rand.NewPCG(4, 4))
	insert := func(client ClientID, s string) {
		if _, err := d.Transact(client, func(tx *Txn) { t.Insert(tx, r.IntN(t.Len()+1), s) }); err != nil {
			b.Fatal(err)
		}
	}
	piece := strings.Repeat("lorem ipsum dolor sit amet ", 4)[:size]
	for range pieces {
		insert(1, piece)
	}
	state := must(d.EncodeStateAsUpdate(nil))
	b.Run("load", func(b *testing.B) {
		b.SetBytes(int64(len(state)))
		for b.Loop() {
			if err := New("big").ApplyUpdate(state); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("edit", func(b *testing.B) {
		for b.Loop() {
			insert(2, "x")
		}
	})
}
