package prose

import (
	"flag"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/clisonix/tidechart/crdt"
)

// side returns one version of what was compared: that without what the change says.
func side(parts []Part, without Change) (out []Node) {
	for _, p := range parts {
		if p.Change == without {
			continue
		}
		n := p.Node
		if p.Was != nil && without == Added {
			n.Type, n.Attrs, n.Marks = p.Was.Type, p.Was.Attrs, p.Was.Marks
		}
		n.Content = side(p.Parts, without)
		out = append(out, n)
	}
	return out
}

// follows fails unless a comparison leads from one version to the other, and cuts no word.
func follows(t *testing.T, older, newer Node) Part {
	t.Helper()
	p := Compare(older, newer)
	for _, v := range []struct {
		want    Node
		without Change
	}{{older, Added}, {newer, Removed}} {
		want, _ := JSON(v.want)
		got, _ := JSON(side([]Part{p}, v.without)[0])
		if string(got) != string(want) {
			t.Fatalf("without change %d:\n%s\nwant\n%s", v.without, got, want)
		}
	}
	if got, want := apply(t, eachText(older), p), eachText(newer); got != want {
		t.Fatalf("applied to the older version, it gives %q, want %q", got, want)
	}
	for _, without := range []Change{Added, Removed} {
		wholeWords(t, p.Parts, without)
	}
	return p
}

// eachText is all text of a note.
func eachText(n Node) string {
	all := n.Text
	for _, c := range n.Content {
		all += eachText(c)
	}
	return all
}

// apply makes the older version's text the newer one's.
func apply(t *testing.T, older string, p Part) string {
	var out strings.Builder
	var walk func(p Part)
	walk = func(p Part) {
		if s := p.Node.Text; p.Change == Added {
			out.WriteString(s)
		} else {
			if !strings.HasPrefix(older, s) {
				t.Fatalf("it says %q where the older version says %.20q", s, older)
			}
			older = older[len(s):]
			if p.Change != Removed {
				out.WriteString(s)
			}
		}
		for _, part := range p.Parts {
			walk(part)
		}
	}
	walk(p)
	if older != "" {
		t.Fatalf("it leaves out %q", older)
	}
	return out.String()
}

// wholeWords fails if a word has come or gone in part.
func wholeWords(t *testing.T, parts []Part, without Change) {
	type piece struct {
		text   string
		change Change
	}
	var line []piece
	check := func() {
		for i := 1; i < len(line); i++ {
			a, b := line[i-1], line[i]
			if stays := func(c Change) bool { return c == Same || c == Changed }; stays(a.change) && stays(b.change) {
				continue
			}
			if cut := len(a.text); a.change != b.change && wordEndFrom(a.text+b.text, cut) != cut {
				t.Fatalf("%q is cut from %q", b.text, a.text)
			}
		}
		line = nil
	}
	for _, p := range parts {
		switch {
		case p.Change == without:
		case p.Node.Type == "text":
			line = append(line, piece{p.Node.Text, p.Change})
		default:
			check()
			wholeWords(t, p.Parts, without)
		}
	}
	check()
}

// wordEndFrom returns the first end of a word at or behind cut.
func wordEndFrom(s string, cut int) int {
	at := 0
	for at < cut {
		at += wordEnd(s[at:])
	}
	return at
}

// shows writes what was compared in a line: [-removed-], {+added+}, ~marks changed~, words that moved with >.
func shows(parts []Part) string {
	var b strings.Builder
	for _, p := range parts {
		s := p.Node.Text
		if p.Moved {
			s = ">" + s
		}
		if p.Node.Type != "text" {
			s = p.Node.Type + "("
			if p.Was != nil && p.Was.Type != p.Node.Type {
				s = p.Was.Type + "→" + s
			} else if p.Change == Changed {
				s = "~" + s
			}
			s += shows(p.Parts) + ")"
			if p.Change == Changed {
				b.WriteString(s)
				continue
			}
		}
		switch p.Change {
		case Added:
			s = "{+" + s + "+}"
		case Removed:
			s = "[-" + s + "-]"
		case Changed:
			s = "~" + s + "~"
		}
		b.WriteString(s)
	}
	return b.String()
}

func docOf(blocks ...Node) Node { return Node{Type: "doc", Content: blocks} }

func text(s string, marks ...string) Node {
	n := Node{Type: "text", Text: s}
	for _, m := range marks {
		n.Marks = append(n.Marks, Mark{Type: m})
	}
	return n
}

func para(content ...Node) Node { return Node{Type: "paragraph", Content: content} }

// TestCompareUntraced: two versions of which nothing is known but what they say.
func TestCompareUntraced(t *testing.T) {
	cells := func(texts ...string) Node {
		row := Node{Type: "tableRow"}
		for _, s := range texts {
			row.Content = append(row.Content, Node{Type: "tableCell", Content: []Node{block("paragraph", s)}})
		}
		return row
	}
	task := func(done bool, s string) Node {
		return Node{Type: "taskItem", Attrs: map[string]any{"checked": done}, Content: []Node{block("paragraph", s)}}
	}
	for _, tt := range []struct {
		name          string
		before, after []Node
		want          string
	}{
		{"nothing", []Node{block("paragraph", "Stable.")}, []Node{block("paragraph", "Stable.")}, "paragraph(Stable.)"},
		{"a letter", []Node{block("paragraph", "She is stable now")}, []Node{block("paragraph", "She is unstable now")}, "paragraph(She is [-stable-]{+unstable+} now)"},
		{"a figure", []Node{block("paragraph", "Give 7.5 mg at night")}, []Node{block("paragraph", "Give 75 mg at night")}, "paragraph(Give [-7.5-]{+75+} mg at night)"},
		{"pressure", []Node{block("paragraph", "BP was 120/80 today")}, []Node{block("paragraph", "BP was 120/85 today")}, "paragraph(BP was [-120/80-]{+120/85+} today)"},
		{"a time", []Node{block("paragraph", "Seen at 08:15.She slept")}, []Node{block("paragraph", "Seen at 09:15.She slept")}, "paragraph(Seen at [-08:15-]{+09:15+}.She slept)"},
		{"a full stop", []Node{block("paragraph", "No fever. Eats well")}, []Node{block("paragraph", "No fever, eats well")}, "paragraph(No fever[-. Eats-]{+, eats+} well)"},
		{"marks", []Node{para(text("allergic to penicillin"))}, []Node{para(text("allergic to "), text("peni", "bold"), text("cillin"))}, "paragraph(allergic to ~peni~cillin)"},
		{"a level", []Node{{Type: "heading", Attrs: map[string]any{"level": 1.}, Content: []Node{text("Plan")}}}, []Node{{Type: "heading", Attrs: map[string]any{"level": 2.}, Content: []Node{text("Plan")}}}, "~heading(Plan)"},
		{"a paragraph more", []Node{block("paragraph", "one"), block("paragraph", "two")}, []Node{block("paragraph", "one"), block("paragraph", "new"), block("paragraph", "two")}, "paragraph(one){+paragraph({+new+})+}paragraph(two)"},
		{"a paragraph less", []Node{block("paragraph", "one"), block("paragraph", "old"), block("paragraph", "two")}, []Node{block("paragraph", "one"), block("paragraph", "two")}, "paragraph(one)[-paragraph([-old-])-]paragraph(two)"},
		{"another", []Node{block("paragraph", "Eats and drinks.")}, []Node{block("paragraph", "Seizing!")}, "[-paragraph([-Eats and drinks.-])-]{+paragraph({+Seizing!+})+}"},
		{"a cell", []Node{{Type: "table", Content: []Node{cells("Na", "140"), cells("K", "4.1")}}}, []Node{{Type: "table", Content: []Node{cells("Na", "140"), cells("K", "5.9")}}}, "table(tableRow(tableCell(paragraph(Na))tableCell(paragraph(140)))tableRow(tableCell(paragraph(K))[-tableCell([-paragraph([-4.1-])-])-]{+tableCell({+paragraph({+5.9+})+})+}))"},
		{"a task done", []Node{{Type: "taskList", Content: []Node{task(false, "Call the lab")}}}, []Node{{Type: "taskList", Content: []Node{task(true, "Call the lab")}}}, "taskList(~taskItem(paragraph(Call the lab)))"},
		{"a line broken", []Node{para(text("one two"))}, []Node{para(text("one"), Node{Type: "hardBreak"}, text("two"))}, "paragraph(one[- -]{+hardBreak()+}two)"},
		{"Chinese", []Node{block("paragraph", "患者无发热")}, []Node{block("paragraph", "患者有发热")}, "paragraph(患者[-无-]{+有+}发热)"},
	} {
		if got := shows(follows(t, docOf(tt.before...), docOf(tt.after...)).Parts); got != tt.want {
			t.Errorf("%s: %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

// TestCompareTraced: what editors split, join and make headings of stays; words that are typed again read the same.
func TestCompareTraced(t *testing.T) {
	p := newTiptap(t)
	item := func(s string) Node { return Node{Type: "listItem", Content: []Node{block("paragraph", s)}} }
	for _, tt := range []struct {
		name          string
		before, after []Node
		want          string
	}{
		{"a word", []Node{block("paragraph", "Stable")}, []Node{block("paragraph", "Unstable")}, "paragraph([-Stable-]{+Unstable+})"},
		{"split", []Node{block("paragraph", "Stable overnight.")}, []Node{block("paragraph", "Stable"), block("paragraph", " overnight.")}, "{+paragraph({+>Stable+})+}paragraph([->Stable-] overnight.)"},
		{"join", []Node{block("paragraph", "Stable"), block("paragraph", " overnight.")}, []Node{block("paragraph", "Stable overnight.")}, "paragraph(Stable{+> overnight.+})[-paragraph([-> overnight.-])-]"},
		{"heading", []Node{block("paragraph", "Plan for today"), block("paragraph", "x")}, []Node{block("heading", "Plan for today"), block("paragraph", "x")}, "paragraph→heading(Plan for today)paragraph(x)"},
		{"heading and a word", []Node{block("paragraph", "Plan for today")}, []Node{block("heading", "Plan for tomorrow")}, "paragraph→heading(Plan for [-today-]{+tomorrow+})"},
		{"an item less", []Node{{Type: "bulletList", Content: []Node{item("one"), item("two"), item("three")}}}, []Node{{Type: "bulletList", Content: []Node{item("one"), item("three")}}}, "bulletList(listItem(paragraph(one))[-listItem([-paragraph([-two-])-])-]listItem(paragraph(three)))"},
	} {
		edits := []edit{{1, noteOf(t, tt.before...)}, {2, noteOf(t, tt.after...)}}
		older, newer := replay(t, p, edits[:1]), replay(t, p, edits)
		if got := shows(follows(t, older, newer).Parts); got != tt.want {
			t.Errorf("%s: %s\nwant %s", tt.name, got, tt.want)
		}
		if all, once := length(newer), uint64(len(elements(newer))); all != once {
			t.Errorf("%s: of %d elements, %d are said to be others of them", tt.name, all, all-once)
		}
	}
}

// A scribe edits a document at random, in the name of several clients.
type scribe struct {
	r   *rand.Rand
	doc *crdt.Doc
}

var vocabulary = strings.Fields("the patient was stable overnight no fever 37.5 mg BP 120/80 don't 患者 無 é😀 . , pain")

func (s *scribe) words(n int) string {
	var words []string
	for range n {
		words = append(words, vocabulary[s.r.IntN(len(vocabulary))])
	}
	return strings.Join(words, " ")
}

func (s *scribe) edit() error {
	_, err := s.doc.Transact(crdt.ClientID(1+s.r.IntN(3)), func(tx *crdt.Txn) {
		f := s.doc.XMLFragment("default")
		if f.Len() == 0 || s.r.IntN(8) == 0 {
			kind := []string{"paragraph", "heading", "vitals"}[s.r.IntN(3)]
			f.Insert(tx, s.r.IntN(f.Len()+1), crdt.NewXMLElement(kind, nil, crdt.NewXMLText(s.words(s.r.IntN(12)))))
			return
		}
		at := s.r.IntN(f.Len())
		if s.r.IntN(12) == 0 {
			f.Delete(tx, at, 1)
			return
		}
		child, _ := f.Get(at)
		block := child.Value.(*crdt.XMLElement)
		inner, ok := block.Get(0)
		line, isText := inner.Value.(*crdt.XMLText)
		if !ok || !isText {
			return
		}
		place := s.r.IntN(line.Len() + 1)
		n := s.r.IntN(min(20, line.Len()-place+1))
		switch s.r.IntN(5) {
		case 0:
			line.Delete(tx, place, n)
		case 1:
			line.Format(tx, place, n, map[string]any{[]string{"bold", "mark--abcdefgh"}[s.r.IntN(2)]: map[string]any{"k": s.r.IntN(2)}})
		case 2:
			block.SetAttribute(tx, "level", s.r.IntN(3))
		case 3:
			line.InsertEmbed(tx, place, map[string]any{"x": s.r.IntN(2)}, nil)
		default:
			line.Insert(tx, place, s.words(1+s.r.IntN(3)))
		}
	})
	return err
}

var rounds = flag.Int("compare", 300, "random pairs of versions that are compared")

// TestCompareLeadsThere: whatever was edited between two versions, the comparison leads from one to the other, both ways, cuts no word,
// and says of each piece whose it is.
func TestCompareLeadsThere(t *testing.T) {
	for seed := range uint64(*rounds) {
		s := scribe{rand.New(rand.NewPCG(seed, 5)), crdt.New("note", crdt.WithoutGC())}
		var versions []Node
		for range 3 {
			for range s.r.IntN(40) {
				if err := s.edit(); err != nil {
					t.Fatal(err)
				}
			}
			versions = append(versions, ReadTraced(s.doc.XMLFragment("default")))
		}
		for i := range versions {
			for j := range versions {
				p := follows(t, versions[i], versions[j])
				if i == j && strings.ContainsAny(shows(p.Parts), "{[~") {
					t.Fatalf("seed %d: from itself, a version differs by %s", seed, shows(p.Parts))
				}
				if i < j {
					ownersAreRight(t, p.Parts, versions[i], versions[j])
				}
				follows(t, untraced(versions[i]), versions[j])
			}
		}
	}
}

// untraced is n as [Read] has it.
func untraced(n Node) Node {
	n.Pieces = nil
	content := n.Content
	n.Content = nil
	for _, c := range content {
		n.Content = append(n.Content, untraced(c))
	}
	return n
}

// ownersAreRight: what came is of elements that the older version has not, or stood elsewhere; what went is of those that the newer one has not.
// All of it is its author's, and as long as it says.
func ownersAreRight(t *testing.T, parts []Part, older, newer Node) {
	had, has := elements(older), elements(newer)
	var walk func(parts []Part)
	walk = func(parts []Part) {
		for _, p := range parts {
			walk(p.Parts)
			if p.Node.Type != "text" {
				continue
			}
			length, theirs := uint64(0), false
			for _, x := range p.Node.Pieces {
				length += x.Len
				theirs = theirs || x.ID.Client == p.Node.Author
				if x.ID.Client != p.Node.Author && p.Change == Same {
					t.Fatalf("%q of client %d is said to be %d's", p.Node.Text, x.ID.Client, p.Node.Author)
				}
				if in := map[Change]map[crdt.ID]bool{Added: has, Removed: had, Same: has, Changed: has}[p.Change]; !in[x.ID] {
					t.Fatalf("%q is not in its version", p.Node.Text)
				}
			}
			if !theirs {
				t.Fatalf("%q of %v is said to be %d's", p.Node.Text, p.Node.Pieces, p.Node.Author)
			}
			if length != units16(p.Node.Text) {
				t.Fatalf("%q is of %d elements", p.Node.Text, length)
			}
		}
	}
	walk(parts)
}

// length is of how many elements a note consists.
func length(n Node) (all uint64) {
	for _, p := range n.Pieces {
		all += p.Len
	}
	for _, c := range n.Content {
		all += length(c)
	}
	return all
}

func elements(n Node) map[crdt.ID]bool {
	all := make(map[crdt.ID]bool)
	var walk func(n Node)
	walk = func(n Node) {
		for _, p := range n.Pieces {
			for k := range p.Len {
				all[crdt.ID{Client: p.ID.Client, Clock: p.ID.Clock + k}] = true
			}
		}
		for _, c := range n.Content {
			walk(c)
		}
	}
	walk(n)
	return all
}

// Whatever two updates hold, the comparison leads from before the second to behind it.
func FuzzCompare(f *testing.F) {
	for seed := range uint64(4) {
		s := scribe{rand.New(rand.NewPCG(seed, 5)), crdt.New("note")}
		half := []byte(nil)
		for i := range 30 {
			if err := s.edit(); err != nil {
				f.Fatal(err)
			}
			if i == 15 {
				half, _ = s.doc.EncodeStateAsUpdate(nil)
			}
		}
		all, err := s.doc.EncodeStateAsUpdate(nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(half, all)
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		d := crdt.New("note")
		if d.ApplyUpdate(first) != nil {
			return
		}
		older := ReadTraced(d.XMLFragment("default"))
		if d.ApplyUpdate(second) != nil {
			return
		}
		follows(t, older, ReadTraced(d.XMLFragment("default")))
	})
}
