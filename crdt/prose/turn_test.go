package prose

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/clisonix/tidechart/crdt"
)

// anything returns a note such as an editor makes, of a few words each.
func (s *scribe) anything() Node {
	var blocks []Node
	for range 1 + s.r.IntN(5) {
		blocks = append(blocks, s.block(0))
	}
	return docOf(blocks...)
}

func (s *scribe) block(depth int) Node {
	switch k := s.r.IntN(8); {
	case k == 0 && depth < 2:
		list := Node{Type: "bulletList"}
		for range 1 + s.r.IntN(3) {
			list.Content = append(list.Content, Node{Type: "listItem", Content: []Node{para(s.line()...), s.block(depth + 1)}})
		}
		return list
	case k == 1:
		return Node{Type: "heading", Attrs: map[string]any{"level": float64(1 + s.r.IntN(3))}, Content: s.line()}
	case k == 2:
		return Node{Type: "horizontalRule"}
	default:
		return para(s.line()...)
	}
}

func (s *scribe) line() (out []Node) {
	for range s.r.IntN(4) {
		n := text(s.words(1+s.r.IntN(4)) + " ")
		switch s.r.IntN(6) {
		case 0:
			n.Marks = []Mark{{Type: "bold"}}
		case 1:
			n.Marks = []Mark{{Type: "link", Attrs: map[string]any{"href": "https://example.org/" + s.words(1), "target": "_blank", "rel": "noopener", "class": nil, "title": nil}}}
		case 2:
			out = append(out, Node{Type: "hardBreak"})
		}
		out = append(out, n)
	}
	return out
}

// change returns a note that is like another, but for some of it.
func (s *scribe) change(n Node) Node {
	blocks := append([]Node(nil), n.Content...)
	for range 1 + s.r.IntN(3) {
		i := s.r.IntN(len(blocks) + 1)
		switch s.r.IntN(4) {
		case 0:
			blocks = append(blocks[:i:i], append([]Node{s.block(0)}, blocks[i:]...)...)
		case 1:
			if i < len(blocks) && len(blocks) > 1 {
				blocks = append(blocks[:i:i], blocks[i+1:]...)
			}
		default:
			if i < len(blocks) && (blocks[i].Type == "paragraph" || blocks[i].Type == "heading") {
				b := blocks[i]
				if line := b.Content; len(line) > 0 && s.r.IntN(3) > 0 {
					b.Content = append(append([]Node(nil), line[:len(line)/2]...), s.line()...)
				} else {
					b = Node{Type: "heading", Attrs: map[string]any{"level": 2.}, Content: line}
				}
				blocks = append(append([]Node(nil), blocks[:i]...), append([]Node{b}, blocks[i+1:]...)...)
			}
		}
	}
	return docOf(blocks...)
}

// TestTurn: whatever people made of a note, an update makes it say again what it said before; what did not change stays the elements it
// was, and Tiptap reads the same.
func TestTurn(t *testing.T) {
	p := newTiptap(t)
	for seed := range uint64(40) {
		s := scribe{r: rand.New(rand.NewPCG(seed, 6))}
		var edits []edit
		version := s.anything()
		for i := range 4 {
			if i > 0 {
				version = s.change(version)
			}
			b, err := JSON(version)
			if err != nil {
				t.Fatal(err)
			}
			edits = append(edits, edit{crdt.ClientID(i + 1), b})
		}
		var log struct{ Log [][]byte }
		p.ask(t, map[string]any{"cmd": "edits", "edits": edits}, &log)
		now, versions := crdt.New("note"), []Node(nil)
		for _, u := range log.Log {
			if err := now.ApplyUpdate(u); err != nil {
				t.Fatal(err)
			}
			versions = append(versions, ReadTraced(now.XMLFragment("default")))
		}
		for i, want := range versions {
			state, err := now.EncodeStateAsUpdate(nil)
			if err != nil {
				t.Fatal(err)
			}
			ours, theirs := crdt.New("ours"), crdt.New("theirs")
			for _, d := range []*crdt.Doc{ours, theirs} {
				if err := d.ApplyUpdate(state); err != nil {
					t.Fatal(err)
				}
			}
			before := ReadTraced(ours.XMLFragment("default"))
			var failed error
			update, err := ours.Transact(99, func(tx *crdt.Txn) { failed = Turn(tx, ours.XMLFragment("default"), want) })
			if err := errors.Join(err, failed); err != nil {
				t.Fatalf("seed %d, version %d: %v\n%s", seed, i, err, shows(Compare(before, want).Parts))
			}
			if update != nil {
				if err := theirs.ApplyUpdate(update); err != nil {
					t.Fatal(err)
				}
			}
			if len(Compare(ReadTraced(theirs.XMLFragment("default")), want).Parts) == 0 && len(want.Content) > 0 {
				t.Fatal("nothing is left")
			}
			untouched(t, before, ReadTraced(theirs.XMLFragment("default")))
			turned, err := theirs.EncodeStateAsUpdate(nil)
			if err != nil {
				t.Fatal(err)
			}
			var read struct{ JSON json.RawMessage }
			p.ask(t, map[string]any{"cmd": "read", "update": turned}, &read)
			if want, _ := JSON(want); canonical(t, read.JSON) != canonical(t, want) {
				t.Fatalf("seed %d, version %d: Tiptap reads\n%s\nwant\n%s", seed, i, read.JSON, want)
			}
		}
	}
}

// canonical is JSON with its keys in order.
func canonical(t *testing.T, b []byte) string {
	t.Helper()
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(bytes.TrimSpace(out))
}

// untouched fails unless the text of blocks that say the same after a note was turned is the same elements as before.
func untouched(t *testing.T, before, after Node) {
	t.Helper()
	for _, p := range Compare(before, after).Parts {
		if p.Change != Same || !all(p.Parts, Same) {
			continue
		}
		had := elements(before)
		for _, part := range p.Parts {
			for _, x := range part.Node.Pieces {
				if !had[x.ID] {
					t.Fatalf("%q was written anew", part.Node.Text)
				}
			}
		}
	}
}

// TestTurnKeepsWords: words between those that are brought back stay their elements, and what nobody may write is refused.
func TestTurnKeepsWords(t *testing.T) {
	d := crdt.New("note")
	f := d.XMLFragment("default")
	line := crdt.NewXMLText("The patient was stable overnight, no fever.")
	_, err := d.Transact(1, func(tx *crdt.Txn) { f.Push(tx, crdt.NewXMLElement("paragraph", nil, line)) })
	if err != nil {
		t.Fatal(err)
	}
	old := ReadTraced(f)
	if _, err := d.Transact(2, func(tx *crdt.Txn) {
		line.Delete(tx, 16, 6)
		line.Insert(tx, 16, "SEIZING")
		line.Format(tx, 0, 3, map[string]any{"bold": map[string]any{}})
	}); err != nil {
		t.Fatal(err)
	}
	var failed error
	if _, err := d.Transact(3, func(tx *crdt.Txn) { failed = Turn(tx, f, old) }); err != nil || failed != nil {
		t.Fatal(err, failed)
	}
	if got, want := authored(Read(f)), "1:The patient was  3:stable 1: overnight, no fever. "; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	foreign := docOf(Node{Type: "vitals", Content: []Node{text("37.5")}})
	if _, err := d.Transact(4, func(tx *crdt.Txn) { failed = Turn(tx, f, foreign) }); !errors.Is(failed, ErrForeign) {
		t.Errorf("a node that no editor has: %v, %v", failed, err)
	}
}
