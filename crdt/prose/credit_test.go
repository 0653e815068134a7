package prose

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"unicode"

	"github.com/clisonix/tidechart/crdt"
)

// An edit makes a note what Doc says, in the name of Client.
type edit struct {
	Client crdt.ClientID   `json:"client"`
	Doc    json.RawMessage `json:"doc"`
}

func noteOf(t *testing.T, blocks ...Node) json.RawMessage {
	t.Helper()
	b, err := JSON(Node{Type: "doc", Content: blocks})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func block(kind, text string) Node {
	n := Node{Type: kind}
	if text != "" {
		n.Content = []Node{{Type: "text", Text: text}}
	}
	return n
}

// replay applies what y-tiptap makes of edits, and credits copied text.
func replay(t *testing.T, p *tiptap, edits []edit) Node {
	t.Helper()
	var answer struct{ Log [][]byte }
	p.ask(t, map[string]any{"cmd": "edits", "edits": edits}, &answer)
	d, kept := crdt.New("note"), crdt.New("history", crdt.WithoutGC())
	var moves, others crdt.Moves
	for _, b := range answer.Log {
		u, err := crdt.DecodeUpdate(b)
		if err != nil {
			t.Fatal(err)
		}
		copies := moves.Copies(d, u, 0, nil)
		if other := others.Copies(kept, u, 0, nil); !reflect.DeepEqual(copies, other) {
			t.Fatalf("a document that collects finds the copies %v, one that does not %v", copies, other)
		}
		for _, doc := range []*crdt.Doc{d, kept} {
			if err := doc.Apply(u); err != nil {
				t.Fatal(err)
			}
		}
		d.Credit(copies)
	}
	return ReadTraced(d.XMLFragment("default"))
}

// authored writes a note's text with its authors.
func authored(n Node) string {
	var b strings.Builder
	for _, c := range n.Content {
		if c.Type == "text" {
			fmt.Fprintf(&b, "%d:%s ", c.Author, c.Text)
		}
		b.WriteString(authored(c))
	}
	return b.String()
}

// Text that an editor moves stays its author's.
func TestMovedTextKeepsItsAuthor(t *testing.T) {
	p := newTiptap(t)
	list := func(items ...string) Node {
		n := Node{Type: "bulletList"}
		for _, s := range items {
			n.Content = append(n.Content, Node{Type: "listItem", Content: []Node{block("paragraph", s)}})
		}
		return n
	}
	bold := Node{Type: "paragraph", Content: []Node{
		{Type: "text", Text: "Allergic to "},
		{Type: "text", Text: "all", Marks: []Mark{{Type: "bold"}}},
		{Type: "text", Text: " of it"},
	}}
	short := Node{Type: "paragraph", Content: []Node{
		{Type: "text", Text: "ab"}, {Type: "text", Text: "c", Marks: []Mark{{Type: "bold"}}}, {Type: "text", Text: "d"},
	}}
	heading := bold
	heading.Type = "heading"
	for _, tt := range []struct {
		name          string
		before, after []Node
		want          string
	}{
		{"split", []Node{block("paragraph", "Stable overnight.")}, []Node{block("paragraph", "Stable"), block("paragraph", " overnight.")}, "1:Stable 1: overnight. "},
		{"join", []Node{block("paragraph", "Stable"), block("paragraph", "ok")}, []Node{block("paragraph", "Stableok")}, "1:Stableok "},
		{"heading", []Node{block("paragraph", "😀 ok"), block("paragraph", "x")}, []Node{block("heading", "😀 ok"), block("paragraph", "x")}, "1:😀 ok 1:x "},
		{"marks", []Node{bold}, []Node{heading}, "1:Allergic to  1:all 1: of it "},
		{"marks gone", []Node{bold}, []Node{block("heading", "Allergic to all of it")}, "1:Allergic to all of it "},
		{"marks gone from short parts", []Node{short}, []Node{block("heading", "abcd")}, "1:abcd "},
		{"list", []Node{block("paragraph", "one"), block("paragraph", "two")}, []Node{list("one", "two")}, "1:one 1:two "},
		{"heading and more", []Node{block("paragraph", "Stable.")}, []Node{block("heading", "Stable. NOT")}, "1:Stable. 2: NOT "},
		{"begins and ends alike", []Node{block("paragraph", "Stable, no fever today")}, []Node{block("heading", "Stable, HIGH fever today")}, "1:Stable,  2:HIGH 1: fever today "},
		{"other words", []Node{block("paragraph", "Stable")}, []Node{block("heading", "Seizing")}, "2:Seizing "},
		{"a short text that is no whole", []Node{block("paragraph", "Stable")}, []Node{block("heading", "tab")}, "2:tab "},
		{"twice", []Node{block("paragraph", "Stable.")}, []Node{block("heading", "Stable."), block("blockquote", "")}, "1:Stable. "},
	} {
		if tt.name == "twice" { // one that was removed is the source of one only
			tt.after[1].Content = []Node{block("paragraph", "Stable.")}
			tt.want += "2:Stable. "
		}
		got := authored(replay(t, p, []edit{{1, noteOf(t, tt.before...)}, {2, noteOf(t, tt.after...)}}))
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// Whatever people split, join and retype, one after the other, each character
// stays its author's: who writes uses letters of their own.
func TestAttributionSurvives(t *testing.T) {
	p := newTiptap(t)
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 7))
		lines := []string{"abcdefghij"}
		kinds := []string{"paragraph"}
		var edits []edit
		add := func(client crdt.ClientID) {
			blocks := make([]Node, len(lines))
			for i, line := range lines {
				blocks[i] = block(kinds[i], line)
			}
			edits = append(edits, edit{client, noteOf(t, blocks...)})
		}
		add(1)
		for range 12 {
			i := r.IntN(len(lines))
			switch r.IntN(4) {
			case 0: // type: that is one's own
				at := r.IntN(len(lines[i]) + 1)
				client := r.IntN(3)
				letters := []byte{"abcdefghij"[r.IntN(10)], "KLMNOPQRST"[r.IntN(10)], "0123456789"[r.IntN(10)]}[client]
				lines[i] = lines[i][:at] + strings.Repeat(string(letters), 1+r.IntN(6)) + lines[i][at:]
				add(crdt.ClientID(100*(client+1) + len(edits)))
				continue
			case 1: // split
				at := r.IntN(len(lines[i]) + 1)
				lines = append(lines[:i+1], append([]string{lines[i][at:]}, lines[i+1:]...)...)
				kinds = append(kinds[:i+1], append([]string{kinds[i]}, kinds[i+1:]...)...)
				lines[i] = lines[i][:at]
			case 2: // join
				if i == 0 {
					continue
				}
				lines[i-1] += lines[i]
				lines, kinds = append(lines[:i], lines[i+1:]...), append(kinds[:i], kinds[i+1:]...)
			case 3: // retype
				kinds[i] = map[string]string{"paragraph": "heading", "heading": "paragraph"}[kinds[i]]
			}
			add(crdt.ClientID(900 + len(edits)))
		}
		note := replay(t, p, edits)
		for _, b := range note.Content {
			for _, s := range b.Content {
				for _, c := range s.Text {
					want := crdt.ClientID(1)
					switch {
					case unicode.IsUpper(c):
						want = 2
					case unicode.IsDigit(c):
						want = 3
					}
					if got := s.Author / 100; got != want && !(want == 1 && s.Author == 1) {
						t.Fatalf("seed %d: %q of %q is said to be client %d's\n%s", seed, c, s.Text, s.Author, authored(note))
					}
				}
			}
		}
	}
}
