package history

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/evanw/esbuild/pkg/api"
	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
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
	lines    []scribed
	Template []byte
	Written  map[string]struct {
		Who, Seq int
		Pasted   bool
	}
	Texts []string // what the note says to each of those who were there, to who was sent each row, and to who opens it later
}

// scribed is a row, and what the code of the page says that it moved: clock, length, and of which client from which clock on.
type scribed struct {
	line
	Client crdt.ClientID
	Moves  [][4]uint64
}

// told is that as copies.
func (l scribed) told() (copies []crdt.Copy) {
	for _, m := range l.Moves {
		copies = append(copies, crdt.Copy{To: crdt.ID{Client: l.Client, Clock: m[0]}, From: crdt.ID{Client: crdt.ClientID(m[2]), Clock: m[3]}, Len: m[1]})
	}
	return copies
}

// undoes reports whether the row, or one of what it has of somebody who was away, is an undo.
func (l scribed) undoes() bool {
	return strings.Contains(l.Did, "undo") || strings.Contains(l.Did, "redo")
}

// brings reports whether the row brings a character, which may have been there before.
func (l scribed) brings(t *testing.T, c rune) (brings bool) {
	t.Helper()
	u, err := crdt.DecodeUpdate(l.Update)
	if err != nil {
		t.Fatal(err)
	}
	u.Texts(u.Ranges(), func(_ int, _ crdt.ID, text string) { brings = brings || strings.ContainsRune(text, c) })
	return brings
}

// bundled is testdata/scribes.mjs with the code of the page, as one script.
func bundled(t *testing.T) string {
	t.Helper()
	needs.Node(t, "@tiptap/y-tiptap")
	script := filepath.Join(t.TempDir(), "scribes.mjs")
	result := api.Build(api.BuildOptions{
		EntryPoints: []string{"testdata/scribes.mjs"}, Outfile: script, Bundle: true, Write: true, Format: api.FormatESModule,
		Platform: api.PlatformNode, Target: api.ES2022, LogLevel: api.LogLevelSilent,
	})
	if len(result.Errors) > 0 {
		t.Fatal(result.Errors)
	}
	return script
}

func scribesOf(t *testing.T, script string, seed, rows int, mode ...string) (s scribes) {
	t.Helper()
	args := append([]string{script, strconv.Itoa(seed), strconv.Itoa(rows)}, mode...)
	cmd := exec.CommandContext(t.Context(), needs.Node(t, "@tiptap/y-tiptap"), args...)
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
		var l scribed
		if err := json.Unmarshal(in.Bytes(), &l); err != nil {
			t.Fatal(err)
		}
		s.lines = append(s.lines, l)
	}
	t.Fatal("the scribes have not come to their end")
	return s
}

// TestEveryCharacterIsItsAuthors: whatever people type, paste, delete, format, split, join, wrap, retype, move, cut and undo, at once
// and after being away: after each row of the log, each character is said to be whose it is, since when it was there first, and
// that it was pasted. Not one is said to be another's, as long as their editors say what they move. Where Yjs's undo has made two of
// one, which its author wrote once, the second is of the row whose undo it was: whoever removes words and puts them back more often than
// they were there has nobody else say them.
//
// Of editors that say nothing it is promised that a character which is not said to be its author's is said to be of whoever put it
// there, in the row by which they did: nobody's words are said to be a third one's. How many are depends on what people do: pieces of
// a few letters that were rebuilt cannot be told from what is typed, and what is once said to be another's is counted again after each
// row. So a third of what one crowd wrote may be wrong, and little of what many did: the bound is on all of a kind. Of the crowds of make test, which
// are always the same, it is what was counted, so that any change that makes it more is seen; of those of make authors, what was counted of 40 of each kind
// (from seed 3000, 250 rows; of plain crowds, which are seldom wrong, of 400) and a fourth more. It is meant for crowds by the thousand: ranges of some hundred plain
// ones, of eight that were counted, had from 0.018 to 0.039 %.
//
// What stands there twice is judged letter by letter. How often it does is up to Yjs's undo: never in the crowds of make test, and about 1 in 50,000 letters of others,
// all of them in a few crowds that leave a word twice and go on for long. It is bounded so that the exception stays one.
func TestEveryCharacterIsItsAuthors(t *testing.T) {
	script := bundled(t)
	short := *firstSeed == 0 && *seeds == 2 && *rowsEach == 150
	for _, crowd := range []struct {
		mode  []string
		tell  bool
		wrong int64   // characters of all rows, at most, of the crowds of make test
		most  float64 // share of them of others
	}{
		{[]string{"plain", "cut"}, true, 0, 0},
		{[]string{"calm", "cut"}, true, 0, 0},
		{[]string{"lively", "cut"}, true, 0, 0},
		{[]string{"plain"}, false, 0, 0.00032},
		{[]string{"calm"}, false, 0, 0.026},
		{[]string{"lively"}, false, 2244, 0.12},
	} {
		var sum counts
		var mu sync.Mutex
		t.Cleanup(func() {
			bad, twice := sum.wrong, sum.twice
			if !crowd.tell {
				bad, twice = bad+twice, 0
			}
			share := float64(bad) / float64(max(sum.all, 1))
			t.Logf("%v told=%v: %d of %d characters are wrong, %.3f %%, and %d stand there twice", crowd.mode, crowd.tell, bad, sum.all, 100*share, twice)
			if short && (bad > crowd.wrong || twice > 0) || share > crowd.most || twice > sum.all/20_000 {
				t.Errorf("%v told=%v: %d of %d characters are wrong, and %d stand there twice", crowd.mode, crowd.tell, bad, sum.all, twice)
			}
		})
		for seed := *firstSeed; seed < *firstSeed+*seeds; seed++ {
			t.Run(fmt.Sprintf("%v told=%v seed=%d", crowd.mode, crowd.tell, seed), func(t *testing.T) {
				t.Parallel()
				s := scribesOf(t, script, seed, *rowsEach, crowd.mode...)
				got := s.check(t, crowd.tell)
				if crowd.tell && got.twice > 0 {
					t.Logf("%d of %d stand there twice", got.twice, got.all)
				}
				mu.Lock()
				defer mu.Unlock()
				sum.all, sum.wrong, sum.twice = sum.all+got.all, sum.wrong+got.wrong, sum.twice+got.twice
				if got.all < int64(len(s.lines)) {
					t.Errorf("there are %d characters to look at", got.all)
				}
			})
		}
	}
}

// TestSecondsComeAfterTheFirst: of a text that undo has made two of, the one that is left is its author's as soon as the other is gone,
// also if that goes with what it stood in, removed by somebody who had not seen it, as it does in the first crowd after row 47. Until then it
// stays of the undo that made two, also where its person moves it on, as in the second crowd by row 209.
func TestSecondsComeAfterTheFirst(t *testing.T) {
	for _, seed := range []int{8061, 9079} {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			s := scribesOf(t, bundled(t), seed, 250, "lively", "cut")
			got := s.check(t, true)
			if got.wrong > 0 || got.twice == 0 {
				t.Errorf("%d characters are wrong; %d stand there twice, want some", got.wrong, got.twice)
			}
		})
	}
}

// counts are characters of a note after each of its rows.
type counts struct {
	all   int64
	wrong int64 // said to be another's, or of another row, or typed where they were pasted
	twice int64 // seconds of which the first is right: said to be of the undo that made two of one
}

// TestUndoNeverForks: what people undo and redo while others write says the same to everybody in the end, in Yjs and here. These
// are crowds in which Yjs's own undo, as it is, leaves those who were there with texts that differ for ever.
func TestUndoNeverForks(t *testing.T) {
	script := bundled(t)
	for mode, seeds := range map[string][]int{"calm": {31}, "lively": {21, 54, 67}} {
		for _, seed := range seeds {
			t.Run(fmt.Sprintf("%s seed=%d", mode, seed), func(t *testing.T) {
				t.Parallel()
				const rows = 250
				stock, named := scribesOf(t, script, seed, rows, mode, "stock"), scribesOf(t, script, seed, rows, mode)
				switch forked, refused := len(distinct(stock.Texts)) > 1, stock.inverted(t); {
				case !forked:
					t.Error("Yjs's own undo does not fork here: find another seed")
				case refused == 0:
					t.Error("replicas differ, and no row would have been refused")
				}
				if texts, refused := distinct(named.Texts), named.inverted(t); len(texts) > 1 || refused > 0 {
					t.Errorf("%d rows would have been refused; the replicas of one note read %q", refused, texts)
				}
			})
		}
	}
}

// inverted returns how many rows a session would have refused, because replicas do not agree on them.
func (s *scribes) inverted(t *testing.T) (n int) {
	t.Helper()
	doc := crdt.New("")
	if err := doc.ApplyUpdate(s.Template); err != nil {
		t.Fatal(err)
	}
	for _, l := range s.lines {
		u, err := crdt.DecodeUpdate(l.Update)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := doc.Inverted(u); ok {
			n++
		}
		if err := doc.Apply(u); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

func distinct(texts []string) []string {
	slices.Sort(texts)
	return slices.Compact(texts)
}

// check looks at the note after each row.
func (s *scribes) check(t *testing.T, tell bool) (sum counts) {
	t.Helper()
	store, note := &storetest.MemStore{}, uuid.New()
	people := []sessions.PersonID{uuid.New(), uuid.New(), uuid.New()}
	store.Add(note, people[0], s.Template)
	for _, l := range s.lines {
		if tell && len(l.Moves) > 0 {
			if err := store.TellMoved(t.Context(), note, people[l.Who], l.told()); err != nil {
				t.Fatal(err)
			}
		}
		appendTo(t, store, note, people[l.Who], l.Update)
	}
	p := newPast(store, note, 32)
	if err := p.Grow(t.Context()); err != nil {
		t.Fatal(err)
	}
	doc, err := p.Doc(p.Head())
	if err != nil {
		t.Fatal(err)
	}
	says := doc.XMLFragment(sessions.Fragment).String()
	for i, text := range s.Texts {
		if says != text {
			t.Fatalf("the note reads %q, and in replica %d of yjs %q", says, i, text)
		}
	}
	stand := map[uint64]map[rune]int{} // how often each character stands in the note after a row
	for seq := uint64(1); seq <= p.Head(); seq++ {
		stand[seq] = map[rune]int{}
		a, err := p.Account(seq)
		if err != nil {
			t.Fatal(err)
		}
		right, wrong := map[rune]bool{}, map[rune][]uint64{} // the rows that each is said to be of
		a.Texts(func(text prose.Node, from Provenance, _ bool) {
			for _, c := range text.Text {
				sum.all++
				stand[seq][c]++
				want, known := s.Written[string(c)]
				if !known && from.Template && from.Seq == 1 ||
					known && from.Author == people[want.Who] && from.Seq == uint64(want.Seq) && (!want.Pasted || from.Origin == Pasted) {
					right[c] = true
					continue
				}
				wrong[c] = append(wrong[c], from.Seq)
				if from.Seq < 2 || from.Author != people[s.lines[from.Seq-2].Who] || !s.lines[from.Seq-2].brings(t, c) {
					t.Errorf("after row %d, %q is said to be of row %d, which has not put it there, or not by that person", seq, c, from.Seq)
				}
			}
		})
		for c, rows := range wrong {
			second := func(row uint64) bool { return row > 1 && s.lines[row-2].undoes() && stand[row][c] > 1 }
			if right[c] && !slices.ContainsFunc(rows, func(row uint64) bool { return !second(row) }) {
				sum.twice += int64(len(rows))
				continue
			}
			if sum.wrong += int64(len(rows)); tell && sum.wrong <= 5 {
				t.Logf("after row %d, %s, %q is said to be another's, or of another row, and is %+v", seq, s.lines[seq-2].Did, c, s.Written[string(c)])
			}
		}
	}
	return sum
}
