package crdt

import (
	"bufio"
	"encoding/json"
	"os/exec"
	"testing"

	"github.com/clisonix/tidechart/internal/needs"
)

// TestInverted: of all pairs of elements that somebody can name as origin and right origin, the second before the first, it says which
// have Yjs's replicas of the same text differ, and no other. The element may come alone, or with the text that it stands in.
func TestInverted(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), needs.Node(t, "yjs"), "testdata/inverted.mjs", "12")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	count := map[bool]int{}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var text struct {
			Text  []byte
			Pairs [][3]uint32
		}
		if err := json.Unmarshal(lines.Bytes(), &text); err != nil {
			t.Fatal(err)
		}
		d := New("")
		apply(t, d, text.Text)
		for _, p := range text.Pairs {
			x := one(&block{
				client: 9, n: 1, ref: refString, content: []byte("x"),
				hasOrigin: true, origin: ID{1, uint64(p[0])}, hasRight: true, right: ID{1, uint64(p[1])},
			})
			differ := p[2] == 1
			count[differ]++
			if _, got := d.Inverted(decoded(t, x)); got != differ {
				t.Errorf("between %d and %d: %t, and replicas differ: %t", p[0], p[1], got, differ)
			}
			if _, got := New("").Inverted(decoded(t, must(MergeUpdates([][]byte{text.Text, x})))); got != differ {
				t.Errorf("between %d and %d, with its text: %t, and replicas differ: %t", p[0], p[1], got, differ)
			}
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	t.Logf("replicas differ for %d pairs, and agree for %d", count[true], count[false])
	if count[true] < 50 || count[false] < 50 {
		t.Error("these are too few")
	}
}
