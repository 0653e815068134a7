package signature

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/prose"
)

func contentOf(t interface {
	Helper()
	Fatal(...any)
}, doc prose.Node,
) string {
	t.Helper()
	b, err := Content(prose.CurrentSchema(), doc)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func text(s string, marks ...string) prose.Node {
	n := prose.Node{Type: "text", Text: s}
	for _, m := range marks {
		n.Marks = append(n.Marks, prose.Mark{Type: m})
	}
	return n
}

func block(kind string, content ...prose.Node) prose.Node {
	return prose.Node{Type: kind, Content: content}
}

// TestContent: the canonical form of everything that a note may hold, known or not.
func TestContent(t *testing.T) {
	heading := block("heading", text("Plan"))
	heading.Attrs = map[string]any{"level": 2.0}
	odd := prose.Node{Type: "vital", Attrs: map[string]any{
		"b": []any{1.5, true, nil, "x"}, "a": map[string]any{"$k": 1e21, "é": math.Copysign(0, -1)}, "nan": math.NaN(), "inf": math.Inf(-1), "big": int64(1) << 60, "bytes": []byte{1, 2},
		"\U0001f600": 1e-7, "\ufb33": 1e300,
	}}
	two := text("c")
	two.Marks = []prose.Mark{{Type: "comment", Attrs: map[string]any{"id": "2"}}, {Type: "bold"}, {Type: "comment", Attrs: map[string]any{"id": "1"}}}
	got := contentOf(t, block("doc", heading, block("paragraph", text("a\n\"\u2028\x01", "bold"), text("b", "bold"), two), odd, block("unknownBlock", block("paragraph"))))
	want := contentHead + prose.CurrentSchema().Fingerprint() + "\n" +
		`{"content":[{"attrs":{"level":2},"content":[{"text":"Plan","type":"text"}],"type":"heading"},` +
		`{"content":[{"marks":[{"type":"bold"}],"text":"a\n\"` + "\u2028" + `\u0001b","type":"text"},` +
		`{"marks":[{"type":"bold"},{"attrs":{"id":"1"},"type":"comment"},{"attrs":{"id":"2"},"type":"comment"}],"text":"c","type":"text"}],"type":"paragraph"},` +
		`{"attrs":{"a":{"$$k":1e+21,"é":0},"b":[1.5,true,null,"x"],"big":{"$bigint":"1152921504606846976"},"bytes":{"$bytes":"AQI="},` +
		`"inf":{"$number":"-Infinity"},"nan":{"$number":"NaN"},"` + "\U0001f600" + `":1e-7,"` + "\ufb33" + `":1e+300},"type":"vital"},` +
		`{"content":[{"type":"paragraph"}],"type":"unknownBlock"}],"type":"doc"}` + "\n"
	if got != want {
		t.Errorf("content is\n%s, want\n%s", got, want)
	}
	if !json.Valid([]byte(got[strings.IndexByte(got, '\n'):])) {
		t.Error("it is not JSON")
	}
}

// TestWhatReadsEquallyIsEqual: how a note came to be, and what the schema says anyway, makes no difference; anything else does.
func TestWhatReadsEquallyIsEqual(t *testing.T) {
	doc := block("doc", block("paragraph", text("ab", "bold"), text("c")), block("heading", text("x")))
	same := block("doc", block("paragraph", text("a", "bold"), text("", "bold"), text("b", "bold"), text("c")), block("heading", text("x")))
	same.Content[0].Author, same.Content[0].Content[0].Author = 7, 8
	same.Content[1].Attrs = map[string]any{"level": 1.0} // the schema's default
	if a, b := contentOf(t, doc), contentOf(t, same); a != b {
		t.Errorf("%s and %s", a, b)
	}
	seen := map[string]string{contentOf(t, doc): "the note"}
	for name, change := range map[string]func(*prose.Node){
		"a text":         func(n *prose.Node) { n.Content[0].Content[1].Text = "d" },
		"a mark":         func(n *prose.Node) { n.Content[0].Content[1].Marks = []prose.Mark{{Type: "bold"}} },
		"another mark":   func(n *prose.Node) { n.Content[0].Content[1].Marks = []prose.Mark{{Type: "italic"}} },
		"an attribute":   func(n *prose.Node) { n.Content[1].Attrs = map[string]any{"level": 2.0} },
		"an unknown one": func(n *prose.Node) { n.Content[1].Attrs = map[string]any{"colour": "red"} },
		"a type":         func(n *prose.Node) { n.Content[0].Type = "blockquote" },
		"a block more":   func(n *prose.Node) { n.Content = append(n.Content, block("paragraph")) },
		"a node in text": func(n *prose.Node) { n.Content[0].Content = append(n.Content[0].Content, block("hardBreak")) },
		"JSON in a text": func(n *prose.Node) { n.Content[0].Content[1].Text = `c","type":"text"}` },
		"a key of ours":  func(n *prose.Node) { n.Content[1].Attrs = map[string]any{"k": map[string]any{"$number": "NaN"}} },
		"no number":      func(n *prose.Node) { n.Content[1].Attrs = map[string]any{"k": math.NaN()} },
	} {
		b, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		var changed prose.Node
		if err := json.Unmarshal(b, &changed); err != nil {
			t.Fatal(err)
		}
		change(&changed)
		form := contentOf(t, changed)
		if same, there := seen[form]; there {
			t.Errorf("%s is as %s: %s", name, same, form)
		}
		seen[form] = name
	}
}

func TestTooLargeIsNotSigned(t *testing.T) {
	large := block("doc", block("paragraph", text(strings.Repeat("\x01", MaxContent/6+1))))
	if _, err := Content(prose.CurrentSchema(), large); err == nil {
		b, _ := Content(prose.CurrentSchema(), large)
		if len(b) > MaxContent+1000 {
			t.Errorf("%d bytes", len(b))
		}
	}
	many := make([]Run, MaxAttribution/39+1)
	for i := range many {
		many[i] = Run{1, adaID}
	}
	if _, err := Attribution(many); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
	if _, err := Content(prose.CurrentSchema(), block("doc", text(strings.Repeat("a", MaxContent+1)))); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
}

// edits are updates of some people to one note: each writes, deletes, formats and splits where the note is as they have it.
func edits(t *testing.T, r *rand.Rand) (updates [][]byte) {
	t.Helper()
	docs := make([]*crdt.Doc, 1+r.IntN(3))
	for i := range docs {
		docs[i] = crdt.New("note")
	}
	have := make([]int, len(docs)) // how many of updates each has seen
	for range 1 + r.IntN(25) {
		i := r.IntN(len(docs))
		d := docs[i]
		if r.IntN(2) == 0 {
			for ; have[i] < len(updates); have[i]++ {
				if err := d.ApplyUpdate(updates[have[i]]); err != nil {
					t.Fatal(err)
				}
			}
		}
		u, err := d.Transact(crdt.ClientID(i+1), func(tx *crdt.Txn) { edit(r, d, tx) })
		if err != nil {
			t.Fatal(err)
		}
		if len(u) > 0 {
			updates = append(updates, u)
		}
	}
	return updates
}

func edit(r *rand.Rand, d *crdt.Doc, tx *crdt.Txn) {
	root := d.XMLFragment("default")
	var texts []*crdt.XMLText
	for _, c := range root.Children() {
		if e, is := c.Value.(*crdt.XMLElement); is {
			for _, inner := range e.Children() {
				if x, is := inner.Value.(*crdt.XMLText); is {
					texts = append(texts, x)
				}
			}
		}
	}
	if len(texts) == 0 || r.IntN(4) == 0 {
		attrs := map[string]any{}
		if r.IntN(2) == 0 {
			attrs["level"] = []any{1.0, 2.0, nil, r.NormFloat64(), "x", true}[r.IntN(6)]
		}
		name := []string{"paragraph", "heading", "vital", "listItem"}[r.IntN(4)]
		root.Insert(tx, r.IntN(root.Len()+1), crdt.NewXMLElement(name, attrs, crdt.NewXMLText("a 😀 b"[:r.IntN(3)])))
		return
	}
	x := texts[r.IntN(len(texts))]
	n := x.Len()
	switch from := r.IntN(n + 1); r.IntN(3) {
	case 0:
		x.Insert(tx, from, []string{"a", "bc", "😀", " ", "a\n"}[r.IntN(5)])
	case 1:
		x.Delete(tx, from, r.IntN(n-from+1))
	default:
		mark := []string{"bold", "italic", "comment--abcdefgh", "comment--ijklmnop"}[r.IntN(4)]
		x.Format(tx, from, r.IntN(n-from+1), map[string]any{mark: []any{map[string]any{}, map[string]any{"id": "1"}, nil, true}[r.IntN(4)]})
	}
}

// TestOrderMakesNoDifference: a note has one canonical form, and one attribution, in whatever order its updates came, however often, and
// whether they were merged; and two notes have one form only if they read equally.
func TestOrderMakesNoDifference(t *testing.T) {
	whose := func(c crdt.ClientID) uuid.UUID { return uuid.UUID{15: byte(c)} }
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 0))
		updates := edits(t, r)
		render := func(updates [][]byte) (Rendering, prose.Node) {
			d := crdt.New("note")
			for again := true; again; again = d.HasPending() { // Yjs, and so do we, may leave what waits until more comes
				for _, u := range updates {
					if err := d.ApplyUpdate(u); err != nil {
						t.Fatal(err)
					}
				}
			}
			doc := prose.Read(d.XMLFragment("default"))
			rendered, err := Render(prose.CurrentSchema(), doc, whose)
			if err != nil {
				t.Fatal(err)
			}
			return rendered, doc
		}
		full, fullDoc := render(updates)
		shuffled := append(append([][]byte{}, updates...), updates[r.IntN(len(updates))])
		r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		if other, _ := render(shuffled); other.Hashes() != full.Hashes() {
			t.Fatalf("seed %d, in another order:\n%s%s\n%s%s", seed, full.Content, full.Attribution, other.Content, other.Attribution)
		}
		merged, err := crdt.MergeUpdates(updates)
		if err != nil {
			t.Fatal(err)
		}
		if other, _ := render([][]byte{merged}); other.Hashes() != full.Hashes() {
			t.Fatalf("seed %d, merged: another form", seed)
		}
		less, lessDoc := render(updates[:len(updates)-1])
		a, errA := prose.JSON(lessDoc)
		b, errB := prose.JSON(fullDoc)
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		if bytes.Equal(less.Content, full.Content) != bytes.Equal(a, b) {
			t.Fatalf("seed %d: %s and %s read equally, or have one form", seed, a, b)
		}
		if runs, err := ParseAttribution(full.Attribution); err != nil || !slices.Equal(runs, full.Runs) {
			t.Fatalf("seed %d: %s is read as %v, %v", seed, full.Attribution, runs, err)
		}
	}
}

func TestRuns(t *testing.T) {
	whose := func(c crdt.ClientID) uuid.UUID { return []uuid.UUID{{}, adaID, bobID}[c] }
	by := func(c crdt.ClientID, n prose.Node) prose.Node { n.Author = c; return n }
	doc := block("doc", by(1, block("paragraph", by(1, text("a😀")), by(2, text("b")), by(0, text("c")), by(1, block("hardBreak")))), by(1, block("paragraph")))
	got, err := Attribution(Runs(doc, whose))
	if want := attributionHead + "4 " + adaID.String() + "\n1 " + bobID.String() + "\n1 -\n2 " + adaID.String() + "\n"; err != nil || string(got) != want {
		t.Errorf("attribution is %s, %v, want %s", got, err, want)
	}
	for _, bad := range []string{"", "x", attributionHead + "0 -\n", attributionHead + "01 -\n", attributionHead + "1 -", attributionHead + "1 " + uuid.Nil.String() + "\n", attributionHead + "1  -\n", attributionHead + "1 {" + adaID.String() + "}\n"} {
		if runs, err := ParseAttribution([]byte(bad)); err == nil {
			t.Errorf("%q is read as %v", bad, runs)
		}
	}
}

func TestBlanks(t *testing.T) {
	got := Blanks(block("doc",
		block("heading", text("Assessment")), block("paragraph", text("better ***"), text(", or "), text("*", "bold"), text("***", "italic"), text(" so")),
		block("heading", text("Plan ***")), block("bulletList", block("listItem", block("paragraph", text("give ** mg")), block("paragraph", text("***"))))))
	want := []Blank{
		{"Assessment", "better ***, or **** so", 7, 2}, {"Assessment", "better ***, or **** so", 15, 2}, {"Assessment", "Plan ***", 5, 3}, {"Plan ***", "***", 0, 5},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("blanks are %+v, want %+v", got, want)
	}
}

// TestSuggestionsIn: a suggestion of several words in several places is one; words that two people suggest to delete are two; what has no id
// is one each time it begins anew.
func TestSuggestionsIn(t *testing.T) {
	t.Parallel()
	with := func(s string, marks ...prose.Mark) prose.Node {
		n := text(s)
		n.Marks = marks
		return n
	}
	mark := func(kind, id string) prose.Mark { return prose.Mark{Type: kind, Attrs: map[string]any{"id": id}} }
	bare := prose.Mark{Type: "insertion", Attrs: map[string]any{}}
	got := SuggestionsIn(block("doc", block("heading", text("Plan")), block("paragraph"),
		block("bulletList", block("listItem", block("paragraph", text("give "), with("40", mark("deletion", "a")), with("80", mark("insertion", "a"), prose.Mark{Type: "bold"}),
			with(" mg", mark("deletion", "b"), mark("deletion", "c"))))),
		block("paragraph", with("daily", mark("insertion", "a")), with("x", bare), with("y", bare, prose.Mark{Type: "bold"}), text("z"), with("w", bare)),
		block("paragraph", prose.Node{Type: "mention", Marks: []prose.Mark{bare}})))
	if want := (Suggestions{Open: 6, First: 2}); got != want {
		t.Errorf("suggestions: %+v, want %+v", got, want)
	}
	if none := SuggestionsIn(block("doc", block("paragraph", text("del", "bold"), text("***")))); none != (Suggestions{}) {
		t.Errorf("none are %+v", none)
	}
}

// TestContentOfBlocks: what a signer sees of tables, tasks, mentions and suggestions is signed. A note that differs in a tick, an owner, a
// time, a cell or a suggestion is another.
func TestContentOfBlocks(t *testing.T) {
	t.Parallel()
	type attrs = map[string]any
	with := func(n prose.Node, a attrs) prose.Node {
		n.Attrs = a
		return n
	}
	task := func(a attrs) prose.Node {
		return block("doc", block("taskList", with(block("taskItem", block("paragraph", text("recheck"))), a)))
	}
	table := func(kind string, a attrs, cells ...prose.Node) prose.Node {
		row := block("tableRow")
		for _, c := range cells {
			row.Content = append(row.Content, with(block(kind, c), a))
		}
		return block("doc", block("table", row))
	}
	line := func(marks ...prose.Mark) prose.Node {
		return block("doc", block("paragraph", text("give "), prose.Node{Type: "text", Text: "40 mg", Marks: marks}))
	}
	mark := func(kind, id string) prose.Mark { return prose.Mark{Type: kind, Attrs: attrs{"id": id}} }
	mention := func(a attrs) prose.Node {
		return block("doc", block("paragraph", prose.Node{Type: "mention", Attrs: a}))
	}
	one, two := block("paragraph", text("furosemide")), block("paragraph", text("40 mg"))
	seen := make(map[string]int)
	for i, doc := range []prose.Node{
		task(nil), task(attrs{"checked": true}), task(attrs{"due": "2026-11-24"}), task(attrs{"due": "2026-11-24T14:00"}), task(attrs{"owner": "a", "ownerName": "Ada"}),
		task(attrs{"owner": "b", "ownerName": "Ada"}), task(attrs{"owner": "a", "ownerName": "Bo"}),
		table("tableCell", nil, one, two), table("tableCell", nil, two, one), table("tableHeader", nil, one, two), table("tableCell", attrs{"colspan": 2.0}, one, two),
		table("tableCell", attrs{"rowspan": 2.0}, one, two), table("tableCell", nil, one, two, block("paragraph")),
		line(), line(mark("insertion", "s1")), line(mark("deletion", "s1")), line(mark("deletion", "s2")), line(mark("deletion", "s1"), mark("deletion", "s2")),
		mention(attrs{"id": "a", "label": "Ada"}), mention(attrs{"id": "b", "label": "Ada"}), mention(attrs{"id": "a", "label": "Bo"}),
	} {
		content := contentOf(t, doc)
		if before, twice := seen[content]; twice {
			t.Errorf("notes %d and %d are signed as one: %s", before, i, content)
		}
		seen[content] = i
	}
	if contentOf(t, line(mark("deletion", "s1"), mark("deletion", "s2"))) != contentOf(t, line(mark("deletion", "s2"), mark("deletion", "s1"))) {
		t.Error("in which order two suggestions were read makes another note")
	}
	if contentOf(t, task(nil)) != contentOf(t, task(attrs{"checked": false, "owner": nil})) {
		t.Error("what is not set, and what is set to nothing, are two")
	}
}
