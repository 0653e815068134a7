package e2e

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// trace is an editing history in the format of josephg/editing-traces.
// Positions count code points. An edit is made on the merge of its parents.
type trace struct {
	Kind       string      `json:"kind"`
	EndContent string      `json:"endContent"`
	NumAgents  int         `json:"numAgents"`
	Txns       []traceEdit `json:"txns"`
}

type traceEdit struct {
	Parents     []int        `json:"parents"`
	NumChildren int          `json:"numChildren"`
	Agent       int          `json:"agent"`
	Patches     []tracePatch `json:"patches"`
}

// tracePatch deletes Del code points at Pos and then inserts Ins there.
type tracePatch struct {
	Pos, Del int
	Ins      string
}

func (p tracePatch) MarshalJSON() ([]byte, error) {
	return json.Marshal([]any{p.Pos, p.Del, p.Ins})
}

func (p *tracePatch) UnmarshalJSON(b []byte) error {
	return json.Unmarshal(b, &[]any{&p.Pos, &p.Del, &p.Ins})
}

// cells is how many lines a generated text has.
const cells = 8

// generateTrace makes a two-person history whose merge needs no rule for
// conflicts: the text is a row of cells, and in each round each person edits
// cells of their own, chosen anew. So the end is known without a CRDT.
func generateTrace(seed uint64) trace {
	g := traceGenerator{rng: rand.New(rand.NewPCG(seed, 1)), trace: trace{Kind: "concurrent", NumAgents: 2}}
	g.add(0, nil, tracePatch{0, 0, strings.Repeat("\n", cells-1)})
	g.heads = []int{0}
	for range 150 {
		g.round()
	}
	g.trace.EndContent = strings.Join(g.text[:], "\n")
	for _, e := range g.trace.Txns {
		for _, p := range e.Parents {
			g.trace.Txns[p].NumChildren++
		}
	}
	return g.trace
}

type traceGenerator struct {
	rng   *rand.Rand
	trace trace
	text  [cells]string // at the last merge
	heads []int
}

func (g *traceGenerator) add(agent int, parents []int, p tracePatch) int {
	g.trace.Txns = append(g.trace.Txns, traceEdit{Parents: append([]int{}, parents...), Agent: agent, Patches: []tracePatch{p}})
	return len(g.trace.Txns) - 1
}

// round lets both people edit their cells from the same state, and merges.
func (g *traceGenerator) round() {
	owner := [cells]int{}
	for i := range owner {
		owner[i] = g.rng.IntN(2)
	}
	merged := g.text
	var heads []int
	for agent := range 2 {
		mine, last := g.branch(agent, owner)
		for i, o := range owner {
			if o == agent {
				merged[i] = mine[i]
			}
		}
		if last >= 0 {
			heads = append(heads, last)
		}
	}
	if len(heads) > 0 { // where one rested, the other's edits built on all there was
		g.heads = heads
	}
	g.text = merged
}

// branch is one person's edits of a round; last is -1 when there are none.
func (g *traceGenerator) branch(agent int, owner [cells]int) (text [cells]string, last int) {
	text, last = g.text, -1
	parents := g.heads
	for range g.rng.IntN(8) {
		cell := g.rng.IntN(cells)
		if owner[cell] != agent {
			continue
		}
		start := utf8.RuneCountInString(strings.Join(text[:cell], "\n"))
		if cell > 0 {
			start++ // the line break before the cell
		}
		runes := []rune(text[cell])
		at := g.rng.IntN(len(runes) + 1)
		del := min(g.rng.IntN(4), len(runes)-at)
		ins := g.word()
		last = g.add(agent, parents, tracePatch{start + at, del, ins})
		text[cell] = string(slices.Concat(runes[:at], []rune(ins), runes[at+del:]))
		parents = []int{last}
	}
	return text, last
}

// word is what somebody types at once, at times outside the BMP.
func (g *traceGenerator) word() string {
	words := []string{"a", "BP ", "é", "🩺", "mg", "…", "ok, ", "𝛼"}
	return words[g.rng.IntN(len(words))]
}

func itoa(n int) string { return strconv.Itoa(n) }

// TestGeneratedHistoryIsTwoPersonWork: the generator makes concurrent work
// with merges and characters outside the BMP, the same for the same seed.
func TestGeneratedHistoryIsTwoPersonWork(t *testing.T) {
	t.Parallel()
	tr := generateTrace(7)
	if got := len(tr.Txns); got < 300 {
		t.Fatalf("%d edits, want some hundred", got)
	}
	merges := 0
	for i, e := range tr.Txns {
		if len(e.Parents) == 2 {
			merges++
		}
		for _, p := range e.Parents {
			if p >= i {
				t.Fatalf("edit %d builds on edit %d, which comes later", i, p)
			}
		}
	}
	if merges < 50 {
		t.Errorf("%d merges, want many", merges)
	}
	if !strings.ContainsAny(tr.EndContent, "🩺𝛼") {
		t.Error("no character outside the BMP survives to the end")
	}
	same := generateTrace(7)
	if same.EndContent != tr.EndContent || len(same.Txns) != len(tr.Txns) {
		t.Error("the same seed makes another history")
	}
}
