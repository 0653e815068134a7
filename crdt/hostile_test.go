package crdt

import (
	"math"
	"reflect"
	"strings"
	"testing"
)

// orphan is a text whose parent is said to be the element client-clock.
func orphan(client ClientID, clock uint64) []byte {
	return one(&block{client: 100, n: 4, ref: refString, content: []byte("EVIL"), parentID: true, parent: ID{client, clock}})
}

// What says that it is in a format mark is in nothing, whether somebody has formatted here or not.
func TestParentIsAMark(t *testing.T) {
	bold := map[string]any{"b": true}
	made := New("")
	u := must(made.Transact(5, func(tx *Txn) {
		made.Text("t").InsertFormatted(tx, 0, "x", bold) // the mark is 5-0
		made.Text("victim").Insert(tx, 0, "v")
	}))
	typed := New("")
	apply(t, typed, u)
	v := must(typed.Transact(6, func(tx *Txn) { typed.Text("t").Insert(tx, 1, "y") })) // reads the mark
	apply(t, made, v)
	loaded := New("")
	apply(t, loaded, must(made.EncodeStateAsUpdate(nil)))
	for _, d := range []*Doc{made, typed, loaded} {
		apply(t, d, orphan(5, 0))
		if got := d.Text("victim").String(); got != "v" {
			t.Errorf("somebody else's text is %q", got)
		}
	}
	sameDocs(t, typed, made)
	same(t, "loaded", must(loaded.EncodeStateAsUpdate(nil)), must(made.EncodeStateAsUpdate(nil)))

	many := New("")
	must(many.Transact(5, func(tx *Txn) {
		many.Text("t").Insert(tx, 0, "abcdefghij")
		for k := range 10 {
			many.Text("t").Format(tx, k, 1, map[string]any{"b": k})
		}
	}))
	apply(t, many, orphan(5, 10)) // a value of a number that no type has
	if got := many.Text("t").String(); got != "abcdefghij" {
		t.Errorf("the text is %q", got)
	}
}

// nested is a tree of n types, each the only child of the one before.
func nested(n uint32, content ...byte) []byte {
	var w writerV1
	for i := range n {
		b := &block{client: 1, clock: i, n: 1, ref: refType, content: content, parentRoot: i == 0, root: []byte("x")}
		if i > 0 {
			b.parentID, b.parent = true, ID{1, uint64(i) - 1}
		}
		w.block(b)
	}
	return w.finish(nil)
}

// Reading goes so deep and no deeper: a stack has an end, which kills the process.
func TestReadingHasABottom(t *testing.T) {
	for what, c := range map[string]struct {
		content []byte
		depth   func(*Doc) int
	}{
		"arrays": {[]byte{typeArray}, func(d *Doc) int {
			depth, v := 0, d.Array("x").ToJSON()
			for {
				list, _ := v.([]any)
				if len(list) == 0 {
					return depth
				}
				depth, v = depth+1, list[0]
			}
		}},
		"elements": {[]byte{typeXMLElement, 1, 'p'}, func(d *Doc) int { return strings.Count(d.XMLFragment("x").String(), "<p>") }},
	} {
		t.Run(what, func(t *testing.T) {
			d := New("")
			apply(t, d, nested(2*mostNested, c.content...))
			if got := c.depth(d); got < mostNested-1 || got > mostNested+1 {
				t.Errorf("%d levels are read, want %d", got, mostNested)
			}
		})
	}
}

// Each level of a tree is written once.
func TestNestedElementsAreWrittenLinearly(t *testing.T) {
	linear(t, mostNested/8, func(n uint32) float64 {
		d := New("")
		apply(t, d, nested(n, typeXMLElement, 1, 'p'))
		return float64(allocated(func() { _ = d.XMLFragment("x").String() }))
	})
}

// A handle keeps who made its type, and where that was, when the type is collected and its place is another's.
func TestHandleOfACollectedType(t *testing.T) {
	d, a := New(""), NewArray("x")
	must(d.Transact(5, func(tx *Txn) { d.Array("a").Push(tx, 1, a) }))
	must(d.Transact(5, func(tx *Txn) { d.Array("a").Delete(tx, 0, 2) }))
	must(d.Transact(9, func(tx *Txn) { d.Array("a").Insert(tx, 0, NewMap(nil), []byte{1}) }))
	if got := a.Author(); got != 5 {
		t.Errorf("its author is %d, want 5", got)
	}
	p, err := a.RelativePosition(0, 0)
	if err != nil || p.Type == nil || *p.Type != (ID{5, 1}) {
		t.Errorf("its position is %+v, %v", p, err)
	}
	if at, ok := d.AbsolutePosition(p); ok {
		t.Errorf("a position in it is one in a %T", at.Type)
	}
}

// Handles that are nil end the transaction, not the process.
func TestNilHandles(t *testing.T) {
	for _, v := range []any{(*Subdoc)(nil), (*Text)(nil), (*XMLElement)(nil)} {
		d := New("")
		for what, edit := range map[string]func(*Txn){
			"a key":    func(tx *Txn) { d.Map("m").Set(tx, "k", v) },
			"a list":   func(tx *Txn) { d.Array("a").Push(tx, v) },
			"an embed": func(tx *Txn) { d.Text("t").InsertEmbed(tx, 0, v, nil) },
		} {
			if u, err := d.Transact(1, edit); err == nil || u != nil {
				t.Errorf("%T in %s: %x, %v", v, what, u, err)
			}
		}
	}
}

// Roots may be of any type, and texts have attributes. The bytes are Yjs's.
func TestRootsOfAllTypes(t *testing.T) {
	d := New("")
	e, x, p := d.XMLElement("e"), d.XMLText("t"), d.Text("p")
	must(d.Transact(7, func(tx *Txn) {
		e.SetAttribute(tx, "a", "1")
		e.Insert(tx, 0, NewXMLText("x"))
		x.InsertFormatted(tx, 0, "hi", map[string]any{"b": map[string]any{"c": "d"}})
		x.SetAttribute(tx, "k", "v")
		p.SetAttribute(tx, "lang", "en")
	}))
	if got, want := e.String()+" "+x.String(), `<undefined a="1">x</undefined> <b c="d">hi</b>`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if !reflect.DeepEqual(x.Attributes(), map[string]any{"k": "v"}) || !reflect.DeepEqual(p.Attributes(), map[string]any{"lang": "en"}) {
		t.Errorf("attributes are %v and %v", x.Attributes(), p.Attributes())
	}
	same(t, "state", must(d.EncodeStateAsUpdate(nil)), unhex(t, "01080700280101650161017701310701016506040007010178060101740162097b2263223a2264227d8407030268698607050162046e756c6c28010174016b0177017628010170046c616e67017702656e00"))
}

// What JavaScript makes of odd values, a version 1 update each.
func TestOddValues(t *testing.T) {
	d := New("")
	u := must(d.Transact(1, func(tx *Txn) { d.Array("a").Push(tx, math.NaN()) }))
	same(t, "not a number", u, unhex(t, "0101010008010161017b7ff800000000000000"))

	d = New("")
	must(d.Transact(1, func(tx *Txn) {
		d.Text("t").Insert(tx, 0, "abc")
		d.Text("t").ApplyDelta(tx, []Op{{Retain: 0, Attributes: map[string]any{"b": 1}}})
	}))
	same(t, "a format of nothing", must(d.EncodeStateAsUpdate(nil)), unhex(t, "01030100040101740361626346010001620131c6010301000162046e756c6c00"))

	d = New("")
	x := d.XMLText("t")
	must(d.Transact(1, func(tx *Txn) {
		x.InsertFormatted(tx, 0, "h", map[string]any{"font": "xy", "arr": []any{"p"}, "n": 1.0})
	}))
	if got, want := x.String(), `<arr 0="p"><font 0="x" 1="y"><n>h</n></font></arr>`; got != want {
		t.Errorf("formats that are no objects: %s, want %s", got, want)
	}
	if at, ok := New("").AbsolutePosition(RelativePosition{Root: "q"}); !ok || !reflect.DeepEqual(at, AbsolutePosition{Root: "q"}) {
		t.Errorf("the end of a root that nobody named: %+v, %v", at, ok)
	}
}
