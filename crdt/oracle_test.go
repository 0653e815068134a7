package crdt

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"iter"
	"os"
	"os/exec"
	"reflect"
	"testing"
	"time"

	"github.com/clisonix/tidechart/internal/needs"
)

// An oracle is a node process that answers with npm's yjs.
type oracle struct {
	t   testing.TB
	in  io.WriteCloser
	out *bufio.Reader
}

// newOracle starts testdata/oracle.mjs for the length of the test.
func newOracle(t testing.TB) *oracle {
	t.Helper()
	node := needs.Node(t, "yjs")
	cmd := exec.Command(node, "testdata/oracle.mjs")
	cmd.Stderr = os.Stderr
	o := &oracle{t: t}
	var err error
	if o.in, err = cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	o.out = bufio.NewReaderSize(out, 1<<20)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		o.in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("node: %v", err)
		}
	})
	return o
}

// ask sends a question and decodes the answer.
func (o *oracle) ask(question map[string]any, answer any) {
	o.t.Helper()
	q, err := json.Marshal(question)
	if err != nil {
		o.t.Fatal(err)
	}
	if _, err := o.in.Write(append(q, '\n')); err != nil {
		o.t.Fatal(err)
	}
	line, err := o.out.ReadBytes('\n')
	if err != nil {
		o.t.Fatal(err)
	}
	var failed struct{ Error string }
	if err := json.Unmarshal(line, &failed); err != nil || failed.Error != "" {
		o.t.Fatalf("yjs: %v %s", err, failed.Error)
	}
	if err := json.Unmarshal(line, answer); err != nil {
		o.t.Fatal(err)
	}
}

// rendering is what both sides say of a document.
type rendering struct {
	Text      string
	Delta     any
	XML       any
	Array     any
	Map       any
	ArrayJSON any
	MapJSON   any
	XMLString string
	SV        []byte
	V1, V2    []byte
}

type step struct {
	Update       []byte
	IsV2         bool
	From         []byte
	Diff1, Diff2 []byte
	rendering
}

func same(t *testing.T, what string, got, want []byte) {
	t.Helper()
	if !bytes.Equal(got, want) {
		t.Fatalf("%s differs\n got %s\nwant %s", what, base64.StdEncoding.EncodeToString(got), base64.StdEncoding.EncodeToString(want))
	}
}

// sameState compares updates. Where Yjs merges what is pending with what a
// collected document has, two structs may stand for the same clocks, one with
// content and one collected; which of them it writes depends on the insides of
// its sort. Only that difference is let pass.
func sameState(t *testing.T, what string, got, want []byte, v2 bool) {
	t.Helper()
	if bytes.Equal(got, want) {
		return
	}
	decode := DecodeUpdate
	if v2 {
		decode = DecodeUpdateV2
	}
	g, err := decode(got)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	w, err := decode(want)
	if err != nil {
		t.Fatalf("%s: yjs's: %v", what, err)
	}
	if !reflect.DeepEqual(g.Deletes(), w.Deletes()) || !reflect.DeepEqual(g.Ranges(), w.Ranges()) {
		same(t, what, got, want)
	}
	theirs := elements(w)
	for id, s := range elements(g) {
		if o := theirs[id]; s != o && s != "collected" && o != "collected" {
			t.Errorf("%s: %v is %q, want %q", what, id, s, o)
			same(t, what, got, want)
		}
	}
}

// elements describes each clock of an update: where it goes, or that it is
// collected.
func elements(u *Update) map[ID]string {
	m := make(map[ID]string)
	for _, s := range u.sections {
		for b := range u.blocks(s) {
			for c := b.clock; c < b.end(); c++ {
				id := ID{b.client, uint64(c)}
				switch {
				case b.ref == refGC || b.ref == refDeleted:
					m[id] = "collected"
				case c == b.clock:
					m[id] = fmt.Sprint(b.ref, b.hasOrigin, b.origin, b.hasRight, b.right, b.content)
				default:
					m[id] = "continued"
				}
			}
		}
	}
	return m
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

// A replica given anyone's updates in any order and form holds, after each, the
// same document in the same bytes as yjs.
func TestYjsHistories(t *testing.T) {
	o := newOracle(t)
	for seed := range seeds(90) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			o.t = t
			gc := seed%3 != 0
			var h struct{ Steps []step }
			o.ask(map[string]any{"cmd": "history", "seed": seed, "gc": gc, "edits": 10 + seed%60}, &h)
			d := New("history")
			if !gc {
				d = New("history", WithoutGC())
			}
			for i, s := range h.Steps {
				var err error
				if s.IsV2 {
					err = d.ApplyUpdateV2(s.Update)
				} else {
					err = d.ApplyUpdate(s.Update)
				}
				if err != nil {
					t.Fatalf("step %d: %v", i, err)
				}
				sameRendering(t, i, d, s.rendering)
				same(t, fmt.Sprintf("step %d: text", i), []byte(d.Text("t").String()), []byte(s.Text))
				same(t, fmt.Sprintf("step %d: state vector", i), d.EncodeStateVector(), s.SV)
				sameState(t, fmt.Sprintf("step %d: state v1", i), must(d.EncodeStateAsUpdate(nil)), s.V1, false)
				sameState(t, fmt.Sprintf("step %d: state v2", i), must(d.EncodeStateAsUpdateV2(nil)), s.V2, true)
				sameState(t, fmt.Sprintf("step %d: difference v1", i), must(d.EncodeStateAsUpdate(s.From)), s.Diff1, false)
				sameState(t, fmt.Sprintf("step %d: difference v2", i), must(d.EncodeStateAsUpdateV2(s.From)), s.Diff2, true)
			}
		})
	}
}

// The histories to compare. To search for longer, make fuzz-yjs.
var (
	firstSeed = flag.Int("yjs.first", 0, "first seed of the tests that compare histories with yjs")
	searchFor = flag.Duration("yjs.for", 0, "how long each of them tries seeds; 0 for a number that takes seconds")
)

// seeds returns n seeds, fewer where tests are short or slow, or those that fit
// in the time that was asked for.
func seeds(n int) iter.Seq[int] {
	if testing.Short() || checking {
		n /= 3
	}
	start := time.Now()
	return func(yield func(int) bool) {
		for k := 0; *searchFor > 0 && time.Since(start) < *searchFor || *searchFor == 0 && k < n; k++ {
			if !yield(*firstSeed + k) {
				return
			}
		}
	}
}
