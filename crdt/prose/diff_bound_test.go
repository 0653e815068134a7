package prose

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/internal/needs"
)

// longNote is a note of so many words, with and without edits here and there.
func longNote(words int) (older, newer Node) {
	s := scribe{rand.New(rand.NewPCG(1, 5)), crdt.New("note", crdt.WithoutGC())}
	f := s.doc.XMLFragment("default")
	_, _ = s.doc.Transact(1, func(tx *crdt.Txn) {
		for range words / 50 {
			f.Push(tx, crdt.NewXMLElement("paragraph", nil, crdt.NewXMLText(s.words(50))))
		}
	})
	older = ReadTraced(f)
	for range words / 25 {
		if err := s.edit(); err != nil {
			panic(err)
		}
	}
	return older, ReadTraced(f)
}

// BenchmarkCompare: fifty pages, of which every paragraph was edited.
func BenchmarkCompare(b *testing.B) {
	older, newer := longNote(25_000)
	for _, v := range []struct {
		name         string
		older, newer Node
	}{{"traced", older, newer}, {"untraced", untraced(older), untraced(newer)}} {
		b.Run(v.name, func(b *testing.B) {
			for b.Loop() {
				Compare(v.older, v.newer)
			}
		})
	}
}

// TestCompareIsBounded: nothing that anybody can write makes a comparison take long. Four times as much takes no more than some eight times as long.
func TestCompareIsBounded(t *testing.T) {
	if testing.Short() || needs.Raced {
		t.Skip("takes the time; make test does, without the race detector")
	}
	many := func(n int, of func(i int) Node) Node {
		d := Node{Type: "doc"}
		for i := range n {
			d.Content = append(d.Content, of(i))
		}
		return d
	}
	const n = 8_000
	for name, pair := range map[string][2]func(n int) Node{
		"one letter, other lengths": {
			func(n int) Node { return docOf(block("paragraph", strings.Repeat("a ", 5*n))) },
			func(n int) Node { return docOf(block("paragraph", strings.Repeat("a a, ", 3*n))) },
		},
		"nothing in common": {
			func(n int) Node {
				return many(n, func(i int) Node { return block("paragraph", fmt.Sprint("a", i, " x b", i)) })
			},
			func(n int) Node {
				return many(n, func(i int) Node { return block("paragraph", fmt.Sprint("c", i, " x d", i)) })
			},
		},
		"the other way round": {
			func(n int) Node { return many(n, func(i int) Node { return block("paragraph", fmt.Sprint("a", i)) }) },
			func(n int) Node { return many(n, func(i int) Node { return block("paragraph", fmt.Sprint("a", n-i)) }) },
		},
		"words in another order": {
			func(n int) Node {
				return docOf(many(1, func(int) Node {
					var b strings.Builder
					for i := range n {
						fmt.Fprint(&b, "w", i, " ")
					}
					return block("paragraph", b.String())
				}).Content...)
			},
			func(n int) Node {
				var b strings.Builder
				for i := range n {
					fmt.Fprint(&b, "w", (i*7919)%n, " ")
				}
				return docOf(block("paragraph", b.String()))
			},
		},
		"each letter marked": {
			func(n int) Node {
				p := para()
				for i := range n {
					p.Content = append(p.Content, text("ab", fmt.Sprint("m", i%2)))
				}
				return docOf(p)
			},
			func(n int) Node {
				p := para()
				for i := range n {
					p.Content = append(p.Content, text("a", fmt.Sprint("m", i%3)), Node{Type: "hardBreak"})
				}
				return docOf(p)
			},
		},
		"deep": {
			func(n int) Node { return deepNote(n, "a b c") },
			func(n int) Node { return deepNote(n, "a b d") },
		},
	} {
		took := func(n int) time.Duration {
			older, newer := pair[0](n), pair[1](n)
			best := time.Hour
			for range 2 {
				begun := time.Now()
				Compare(older, newer)
				best = min(best, time.Since(begun))
			}
			return best
		}
		small, large := took(n/4), took(n)
		t.Logf("%s: %v, and %v for four times as much", name, small, large)
		if large > max(12*small, 200*time.Millisecond) {
			t.Errorf("%s: %v, and %v for four times as much", name, small, large)
		}
	}
}

// deepNote nests lists as deep as can be, with lines in the innermost.
func deepNote(n int, s string) Node {
	inner := Node{Type: "blockquote"}
	for range n / 10 {
		inner.Content = append(inner.Content, block("paragraph", s))
	}
	for range MaxDepth - 2 {
		inner = Node{Type: "blockquote", Content: []Node{inner}}
	}
	return docOf(inner)
}
