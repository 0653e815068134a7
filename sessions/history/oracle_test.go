package history

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/internal/needs"
	"github.com/clisonix/tidechart/sessions"
	"github.com/clisonix/tidechart/sessions/storetest"
)

var (
	firstSeed = flag.Int("authors.first", 0, "first seed of TestEveryCharacterIsItsAuthors")
	seeds     = flag.Int("authors.seeds", 2, "how many seeds it has")
	rowsEach  = flag.Int("authors.rows", 150, "rows of each")
)

// scribes is what testdata/scribes.mjs says of a note: its rows, and of each character who wrote it.
type scribes struct {
	lines    []line
	Template []byte
	Written  map[string]struct {
		Who, Seq int
		Pasted   bool
	}
	Text string
}

func scribesOf(t *testing.T, seed, rows int, mode string) (s scribes) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), needs.Node(t, "@tiptap/y-tiptap"), "testdata/scribes.mjs", strconv.Itoa(seed), strconv.Itoa(rows), mode)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	in := bufio.NewScanner(bytes.NewReader(out))
	in.Buffer(nil, 16<<20)
	for in.Scan() {
		if bytes.HasPrefix(in.Bytes(), []byte(`{"template"`)) {
			if err := json.Unmarshal(in.Bytes(), &s); err != nil {
				t.Fatal(err)
			}
			return s
		}
		var l line
		if err := json.Unmarshal(in.Bytes(), &l); err != nil {
			t.Fatal(err)
		}
		s.lines = append(s.lines, l)
	}
	t.Fatal("the scribes have not come to their end")
	return s
}

// TestEveryCharacterIsItsAuthors: whatever people type, paste, delete, format, split, join, wrap, retype, move and undo, at once
// and after being away: after each row of the log, each character is said to be whose it is, since when it was there first, and
// that it was pasted. The rest is pieces of a few letters that an editor rebuilt, which cannot be told from what is typed; what
// is once said to be another's is counted again after each row. Long forms count how much that is: make authors.
func TestEveryCharacterIsItsAuthors(t *testing.T) {
	for _, crowd := range []struct {
		mode string
		most float64 // of the characters of all rows that may be wrong
	}{{"plain", 0.005}, {"calm", 0.03}, {"lively", 0.3}} {
		for seed := *firstSeed; seed < *firstSeed+*seeds; seed++ {
			t.Run(fmt.Sprintf("%s seed=%d", crowd.mode, seed), func(t *testing.T) {
				t.Parallel()
				s := scribesOf(t, seed, *rowsEach, crowd.mode)
				wrong, checked := s.check(t)
				t.Logf("%d of %d characters are wrong", wrong, checked)
				if float64(wrong) > crowd.most*float64(checked) || checked < len(s.lines) {
					t.Errorf("%d of %d characters are wrong", wrong, checked)
				}
			})
		}
	}
}

// check looks at the note after each row.
func (s *scribes) check(t *testing.T) (wrong, checked int) {
	t.Helper()
	store, note := &storetest.MemStore{}, uuid.New()
	people := []sessions.PersonID{uuid.New(), uuid.New(), uuid.New()}
	store.Add(note, people[0], s.Template)
	for _, l := range s.lines {
		appendTo(t, store, note, people[l.Who], l.Update)
	}
	p := newPast(store, note, 32)
	if err := p.Grow(t.Context()); err != nil {
		t.Fatal(err)
	}
	if doc, err := p.Doc(p.Head()); err != nil || doc.XMLFragment(sessions.Fragment).String() != s.Text {
		t.Fatalf("the note reads otherwise than in yjs, %v", err)
	}
	for seq := uint64(1); seq <= p.Head(); seq++ {
		a, err := p.Account(seq)
		if err != nil {
			t.Fatal(err)
		}
		a.Texts(func(text prose.Node, from Provenance, _ bool) {
			for _, c := range text.Text {
				checked++
				want, known := s.Written[string(c)]
				switch {
				case !known && from.Template && from.Seq == 1:
				case known && from.Author == people[want.Who] && from.Seq == uint64(want.Seq) && (!want.Pasted || from.Origin == Pasted):
				default:
					if wrong++; wrong <= 5 {
						t.Logf("after row %d, %s, %q is said to be %s's of row %d, %v, and is %+v", seq, s.lines[seq-2].Did, c, from.Author, from.Seq, from.Origin, want)
					}
				}
			}
		})
	}
	return wrong, checked
}
