package main

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/clisonix/tidechart/crdt"
)

// sizes are how much the workloads that need no trace do.
type sizes struct {
	shape     int   // N of dmonad/crdt-benchmarks
	storms    []int // people who insert at one place
	bigPieces int   // of 100 characters, in the big document
}

func usual(quick bool) sizes {
	s := sizes{shape: 6000, storms: []int{5000, 10_000, 20_000}, bigPieces: 100_000}
	if quick {
		s.storms = s.storms[:1]
	}
	return s
}

// A runner runs the workloads whose names match only.
type runner struct {
	only *regexp.Regexp
	got  results
}

func (r *runner) run(name string, f func() float64) {
	if r.only.MatchString(name) {
		fmt.Fprintln(os.Stderr, "here:", name)
		runtime.GC() // what others left is not this one's
		r.got[name] = f()
	}
}

// measure runs the workloads in this engine.
func measure(path, out string, n sizes, only *regexp.Regexp) (results, error) {
	state1, err := os.ReadFile(filepath.Join(out, "state1"))
	if err != nil {
		return nil, err
	}
	state2, err := os.ReadFile(filepath.Join(out, "state2"))
	if err != nil {
		return nil, err
	}
	got := &runner{only, make(results)}
	loads(got, state1, state2) // first: nothing else is in memory yet
	patches, end, err := readTrace(path)
	if err != nil {
		return nil, err
	}
	stream, err := os.ReadFile(filepath.Join(out, "updates"))
	if err != nil {
		return nil, err
	}
	var us [][]byte
	for len(stream) > 0 {
		n := binary.LittleEndian.Uint32(stream)
		us, stream = append(us, stream[4:4+n]), stream[4+n:]
	}
	if _, text := local(patches); got.only.MatchString("local") && text != end {
		return nil, fmt.Errorf("the replayed text is not the trace's")
	}
	got.run("local", func() float64 { return median(5, func() time.Duration { t, _ := local(patches); return t }) })
	got.run("local20k", func() float64 {
		return median(5, func() time.Duration { t, _ := local(patches[:min(len(patches), 20_000)]); return t })
	})
	got.run("apply", func() float64 {
		return median(5, func() time.Duration {
			d := crdt.New("bench")
			return timed(func() {
				for _, u := range us {
					apply(d, u)
				}
			})
		})
	})
	for name, n := range map[string]int{"merge10k": 10_000, "merge50k": 50_000, "merge": len(us)} {
		got.run(name, func() float64 {
			return median(3, func() time.Duration {
				runtime.GC() // the garbage of others would blur the line
				return timed(func() { must(crdt.MergeUpdates(us[:min(n, len(us))])) })
			})
		})
	}
	half := crdt.StateVector{1: must(crdt.DecodeStateVector(must(crdt.EncodeStateVectorFromUpdate(state1))))[1] / 2}.Encode()
	got.run("diff", func() float64 {
		return median(51, func() time.Duration { return timed(func() { must(crdt.DiffUpdate(state1, half)) }) })
	})
	shapes(got, n.shape)
	crowds(got, n)
	big(got, n.bigPieces)
	return got.got, nil
}

// local makes edits by index, an update each.
func local(patches []patch) (time.Duration, string) {
	d := crdt.New("bench")
	t := d.Text("t")
	took := timed(func() {
		for _, p := range patches {
			if p.del > 0 {
				must(d.Transact(1, func(tx *crdt.Txn) { t.Delete(tx, p.at, p.del) }))
			}
			if p.insert != "" {
				must(d.Transact(1, func(tx *crdt.Txn) { t.Insert(tx, p.at, p.insert) }))
			}
		}
	})
	return took, t.String()
}

func loads(got *runner, state1, state2 []byte) {
	got.run("load1", func() float64 {
		return median(31, func() time.Duration {
			d := crdt.New("bench")
			return timed(func() { apply(d, state1); _ = d.Text("t").String() })
		})
	})
	got.run("load2", func() float64 {
		return median(31, func() time.Duration {
			d := crdt.New("bench")
			return timed(func() {
				if err := d.ApplyUpdateV2(state2); err != nil {
					panic(err)
				}
				_ = d.Text("t").String()
			})
		})
	})
	got.run("heap", func() float64 {
		docs := make([]*crdt.Doc, 10)
		before := heap()
		for i := range docs {
			docs[i] = crdt.New("bench")
			apply(docs[i], state1)
		}
		defer runtime.KeepAlive(docs)
		return float64(heap()-before) / float64(len(docs))
	})
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// shapes are those of dmonad/crdt-benchmarks: one side edits, the other applies
// each update.
func shapes(got *runner, size int) {
	shape := func(name string, edit func(d *crdt.Doc, i int, r *rng, f func(func(*crdt.Txn)))) {
		got.run(name, func() float64 {
			return median(5, func() time.Duration {
				a, b, r := crdt.New("a"), crdt.New("b"), random(1)
				return timed(func() {
					for i := range size {
						edit(a, i, r, func(f func(*crdt.Txn)) { apply(b, must(a.Transact(1, f))) })
					}
				})
			})
		})
	}
	text := func(at func(d *crdt.Doc, r *rng) int, s func(r *rng) string) func(*crdt.Doc, int, *rng, func(func(*crdt.Txn))) {
		return func(d *crdt.Doc, _ int, r *rng, f func(func(*crdt.Txn))) {
			t := d.Text("t")
			i, s := at(d, r), s(r)
			f(func(tx *crdt.Txn) { t.Insert(tx, i, s) })
		}
	}
	numbers := func(at func(d *crdt.Doc, r *rng) int) func(*crdt.Doc, int, *rng, func(func(*crdt.Txn))) {
		return func(d *crdt.Doc, _ int, r *rng, f func(func(*crdt.Txn))) {
			a := d.Array("a")
			i, v := at(d, r), r.int(1e6)
			f(func(tx *crdt.Txn) { a.Insert(tx, i, v) })
		}
	}
	letter := func(r *rng) string { return r.letters(1) }
	word := func(r *rng) string { return r.letters(2 + r.int(9)) }
	first := func(*crdt.Doc, *rng) int { return 0 }
	last := func(d *crdt.Doc, _ *rng) int { return d.Text("t").Len() + d.Array("a").Len() }
	anywhere := func(d *crdt.Doc, r *rng) int { return r.int(last(d, r) + 1) }
	shape("B1.1 append", text(last, letter))
	shape("B1.3 prepend", text(first, letter))
	shape("B1.4 random", text(anywhere, letter))
	shape("B1.5 words", text(anywhere, word))
	shape("B1.7 mixed", func(d *crdt.Doc, _ int, r *rng, f func(func(*crdt.Txn))) {
		t := d.Text("t")
		at := r.int(t.Len() + 1)
		if at == t.Len() || r.chance(0.5) {
			s := word(r)
			f(func(tx *crdt.Txn) { t.Insert(tx, at, s) })
			return
		}
		n := min(t.Len()-at, 1+r.int(9))
		f(func(tx *crdt.Txn) { t.Delete(tx, at, n) })
	})
	shape("B1.8 numbers", numbers(last))
	shape("B1.10 prepend", numbers(first))
	shape("B1.11 random", numbers(anywhere))
	got.run("B2.3 two words", func() float64 {
		return median(5, func() time.Duration {
			a, b, r := crdt.New("a"), crdt.New("b"), random(2)
			must(a.Transact(1, func(tx *crdt.Txn) { a.Text("t").Insert(tx, 0, r.letters(100)) }))
			apply(b, must(a.EncodeStateAsUpdate(nil)))
			for i, d := range []*crdt.Doc{a, b} {
				for range size {
					s := word(r)
					must(d.Transact(crdt.ClientID(i+1), func(tx *crdt.Txn) { d.Text("t").Insert(tx, r.int(d.Text("t").Len()+1), s) }))
				}
			}
			ua, ub := must(a.EncodeStateAsUpdate(nil)), must(b.EncodeStateAsUpdate(nil))
			return timed(func() { apply(a, ub); apply(b, ua) })
		})
	})
}

// crowds are many people who do one thing without seeing each other.
func crowds(got *runner, size sizes) {
	crowd := func(n int, f func(d *crdt.Doc, i int, tx *crdt.Txn)) [][]byte {
		us := make([][]byte, n)
		for i := range us {
			d := crdt.New("one")
			us[i] = must(d.Transact(crdt.ClientID(i+10), func(tx *crdt.Txn) { f(d, i, tx) }))
		}
		return us
	}
	gather := func(us [][]byte, r *rng) time.Duration {
		order := make([]int, len(us))
		rank := make([]float64, len(us))
		for i := range us {
			order[i], rank[i] = i, r.next()
		}
		slices.SortFunc(order, func(a, b int) int {
			if rank[a] < rank[b] {
				return -1
			}
			return 1
		})
		d := crdt.New("all")
		return timed(func() {
			for _, i := range order {
				apply(d, us[i])
			}
			_ = d.Text("t").String()
		})
	}
	sets := crowd(int(math.Sqrt(float64(size.shape))*20), func(d *crdt.Doc, i int, tx *crdt.Txn) { d.Map("m").Set(tx, "v", i) })
	got.run("B3.1 map sets", func() float64 { return median(3, func() time.Duration { return gather(sets, random(4)) }) })
	for _, n := range size.storms {
		us := crowd(n, func(d *crdt.Doc, _ int, tx *crdt.Txn) { d.Text("t").Insert(tx, 0, "x") })
		got.run(fmt.Sprintf("storm %d", n), func() float64 { return median(1, func() time.Duration { return gather(us, random(5)) }) })
	}
}

// big is a document of many pieces of 100 characters.
func big(got *runner, pieces int) {
	const size = 100
	d := crdt.New("big")
	r := random(6)
	piece := strings.Repeat("lorem ipsum dolor sit amet ", 4)[:size]
	t := d.Text("t")
	for range pieces {
		must(d.Transact(1, func(tx *crdt.Txn) { t.Insert(tx, r.int(t.Len()+1), piece) }))
	}
	state := must(d.EncodeStateAsUpdate(nil))
	got.run("big load", func() float64 {
		return median(3, func() time.Duration {
			return timed(func() {
				d = crdt.New("big")
				apply(d, state)
				t = d.Text("t")
				_ = t.String()
			})
		})
	})
	got.run("big edit", func() float64 {
		return median(3, func() time.Duration {
			return timed(func() {
				for range 1000 {
					must(d.Transact(2, func(tx *crdt.Txn) { t.Insert(tx, r.int(t.Len()+1), "x") }))
				}
			})
		})
	})
}
