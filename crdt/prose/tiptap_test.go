package prose

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"reflect"
	"testing"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/internal/needs"
)

// A tiptap is a node process that answers with npm's Tiptap and y-tiptap.
type tiptap struct {
	in  io.WriteCloser
	out *bufio.Reader
}

func newTiptap(t *testing.T) *tiptap {
	t.Helper()
	node := needs.Node(t, "@tiptap/y-tiptap")
	cmd := exec.Command(node, "testdata/tiptap.mjs", fmt.Sprintf("schemas/%d.json", len(schemas)))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("node: %v", err)
		}
	})
	return &tiptap{in, bufio.NewReaderSize(out, 1<<20)}
}

func (p *tiptap) ask(t *testing.T, question map[string]any, answer any) {
	t.Helper()
	q, err := json.Marshal(question)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.in.Write(append(q, '\n')); err != nil {
		t.Fatal(err)
	}
	line, err := p.out.ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	var failed struct{ Error string }
	if err := json.Unmarshal(line, &failed); err != nil || failed.Error != "" {
		t.Fatalf("tiptap: %v %s", err, failed.Error)
	}
	if err := json.Unmarshal(line, answer); err != nil {
		t.Fatal(err)
	}
}

// The schema file says what the editor's schema is, in the same order.
func TestSchemaIsTiptaps(t *testing.T) {
	var want any
	newTiptap(t).ask(t, map[string]any{"cmd": "schema"}, &want)
	var got map[string]any
	if err := json.Unmarshal(StarterKit().JSON(), &got); err != nil {
		t.Fatal(err)
	}
	delete(got, "tiptap")
	if !reflect.DeepEqual(any(got), want) {
		w, _ := json.MarshalIndent(want, "", "  ")
		t.Errorf("schemas/1.json differs from getSchema(StarterKit):\n%s", w)
	}
}

// Build writes what y-tiptap writes; Read and JSON read what Tiptap reads.
func TestNotesAreTiptaps(t *testing.T) {
	p := newTiptap(t)
	for seed := range uint64(60) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			g := generator{rand.New(rand.NewPCG(seed, 1))}
			doc := Node{Type: "doc", Content: g.blocks(0)}
			client := crdt.ClientID(1 + g.IntN(1<<31))
			got, err := Build(client, doc)
			if err != nil {
				t.Fatal(err)
			}
			own, err := JSON(doc)
			if err != nil {
				t.Fatal(err)
			}
			var want struct {
				Update []byte
				JSON   json.RawMessage
			}
			p.ask(t, map[string]any{"cmd": "build", "doc": json.RawMessage(own), "client": client}, &want)
			if !bytes.Equal(got, want.Update) {
				t.Fatalf("Build differs for %s\n got %x\nwant %x", own, got, want.Update)
			}
			d := crdt.New("note")
			if err := d.ApplyUpdate(got); err != nil {
				t.Fatal(err)
			}
			note := Read(d.XMLFragment("default"))
			j, err := JSON(note)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(j, want.JSON) {
				t.Errorf("JSON\n got %s\nwant %s", j, want.JSON)
			}
			checkAuthors(t, note, client)
		})
	}
}

func checkAuthors(t *testing.T, n Node, client crdt.ClientID) {
	for _, c := range n.Content {
		if c.Author != client {
			t.Errorf("author of %q is %d, want %d", c.Type, c.Author, client)
		}
		checkAuthors(t, c, client)
	}
}

// generator makes notes that the schema permits.
type generator struct{ *rand.Rand }

func (g generator) blocks(depth int) []Node {
	var out []Node
	for range 1 + g.IntN(3) {
		out = append(out, g.block(depth))
	}
	return out
}

func (g generator) block(depth int) Node {
	kinds := 4
	if depth < 3 {
		kinds = 9
	}
	switch g.IntN(kinds) {
	case 0:
		return Node{Type: "heading", Attrs: map[string]any{"level": 1 + g.IntN(6)}, Content: g.line()}
	case 1:
		n := Node{Type: "codeBlock", Attrs: map[string]any{}}
		if g.IntN(2) == 0 {
			n.Attrs["language"] = "go"
		}
		if g.IntN(3) > 0 {
			n.Content = []Node{{Type: "text", Text: "if a < b && c > \"d\" {\n}"}}
		}
		return n
	case 2:
		return Node{Type: "horizontalRule"}
	case 4:
		return Node{Type: "blockquote", Content: g.blocks(depth + 1)}
	case 5:
		return Node{Type: "bulletList", Content: g.items(depth + 1)}
	case 6:
		n := Node{Type: "orderedList", Content: g.items(depth + 1)}
		if g.IntN(2) == 0 {
			n.Attrs = map[string]any{"start": g.IntN(9), "type": "a"}
		}
		return n
	case 7:
		return g.table(depth + 1)
	case 8:
		return Node{Type: "taskList", Content: g.tasks(depth + 1)}
	default:
		return Node{Type: "paragraph", Content: g.line()}
	}
}

// table may have cells that are empty, take several columns or hold blocks.
func (g generator) table(depth int) Node {
	n := Node{Type: "table"}
	for range g.IntN(3) {
		row := Node{Type: "tableRow"}
		for range g.IntN(4) {
			cell := Node{Type: []string{"tableCell", "tableHeader"}[g.IntN(2)], Attrs: map[string]any{"colspan": 1 + g.IntN(2), "rowspan": 1 + g.IntN(2)}}
			if g.IntN(4) > 0 {
				cell.Content = g.blocks(depth)
			}
			row.Content = append(row.Content, cell)
		}
		n.Content = append(n.Content, row)
	}
	return n
}

func (g generator) tasks(depth int) []Node {
	var out []Node
	for range g.IntN(3) {
		n := Node{Type: "taskItem", Attrs: map[string]any{"checked": g.IntN(2) == 0}}
		if g.IntN(2) == 0 {
			n.Attrs["owner"], n.Attrs["ownerName"] = "9b2e", "Rosa Rivera RN"
		}
		if g.IntN(2) == 0 {
			n.Attrs["due"] = "2026-11-24T14:00"
		}
		if g.IntN(4) > 0 {
			n.Content = g.blocks(depth)
		}
		out = append(out, n)
	}
	return out
}

func (g generator) items(depth int) []Node {
	var out []Node
	for range 1 + g.IntN(3) {
		item := Node{Type: "listItem", Content: []Node{{Type: "paragraph", Content: g.line()}}}
		if g.IntN(3) == 0 && depth < 3 {
			item.Content = append(item.Content, g.block(depth))
		}
		out = append(out, item)
	}
	return out
}

func (g generator) line() []Node {
	var out []Node
	for range g.IntN(5) {
		if g.IntN(6) == 0 {
			out = append(out, Node{Type: "hardBreak"})
			continue
		}
		if g.IntN(8) == 0 {
			out = append(out, Node{Type: "mention", Attrs: map[string]any{"id": "9b2e", "label": "Rosa Rivera RN"}})
			continue
		}
		texts := []string{"warfarin ", "5 mg", "é <&> \"'\\\u2028", "漢字", "😀👩‍⚕️", " ", "x\ty"}
		out = append(out, Node{Type: "text", Text: texts[g.IntN(len(texts))], Marks: g.marks()})
	}
	return joinText(out)
}

func (g generator) marks() []Mark {
	var out []Mark
	// Several may suggest to delete the same.
	for i, kind := range []string{"insertion", "deletion", "deletion"} {
		if g.IntN(6) == 0 {
			out = append(out, Mark{Type: kind, Attrs: map[string]any{"id": fmt.Sprint("s", i)}})
		}
	}
	if g.IntN(8) == 0 {
		return append(out, Mark{Type: "code"})
	}
	if g.IntN(5) == 0 {
		out = append(out, Mark{Type: "link", Attrs: map[string]any{"href": "https://example.org/?a=1&b=<2>", "target": "_blank", "rel": nil, "class": nil, "title": "t"}})
	}
	for _, m := range []string{"bold", "italic", "strike", "underline"} {
		if g.IntN(4) == 0 {
			out = append(out, Mark{Type: m})
		}
	}
	return out
}
