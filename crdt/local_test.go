package crdt

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"testing"
)

// A localStep is an edit that somebody makes, or an update that comes to him.
type localStep struct {
	Who    int
	Ops    []localOp
	Update []byte
	IsV2   bool
	U1, U2 []byte // what yjs emitted, empty if nothing changed
	rendering
}

type localOp struct {
	Path     []any
	Op       string
	Index, N int
	Text     string
	Formats  map[string]any
	Value    any
	Values   []any
	Key      string
	Delta    []Op
}

// People who edit here and people who edit in yjs cannot be told apart: after
// each edit and each delivery the emitted updates and the documents are the same
// bytes, so either side could have been at any keyboard.
func TestYjsLocalEdits(t *testing.T) {
	o := newOracle(t)
	for seed := range seeds(60) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			o.t = t
			gc := seed%4 != 0
			var h struct {
				Clients []ClientID
				Steps   []localStep
			}
			o.ask(map[string]any{"cmd": "local", "seed": seed, "gc": gc, "edits": 20 + seed%100}, &h)
			docs := make([]*Doc, len(h.Clients))
			for i := range docs {
				if docs[i] = New("local"); !gc {
					docs[i] = New("local", WithoutGC())
				}
			}
			for i, s := range h.Steps {
				localStepHere(t, i, docs[s.Who], h.Clients[s.Who], s)
			}
		})
	}
}

func localStepHere(t *testing.T, i int, d *Doc, client ClientID, s localStep) {
	t.Helper()
	before := must(d.EncodeStateAsUpdate(nil))
	describe := func() string {
		ops, _ := json.Marshal(s.Ops)
		return fmt.Sprintf("step %d of client %d: %s\nbefore %s", i, client, ops, base64.StdEncoding.EncodeToString(before))
	}
	var err error
	switch {
	case s.Ops != nil:
		_, err = d.Transact(client, func(tx *Txn) {
			for _, op := range s.Ops {
				makeEdit(t, d, tx, op)
			}
		})
	case s.IsV2:
		err = d.ApplyUpdateV2(s.Update)
	default:
		err = d.ApplyUpdate(s.Update)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, describe())
	}
	sameRendering(t, i, d, s.rendering)
	if s.Ops != nil {
		if err := d.verify(); err != nil {
			t.Fatalf("%v\n%s", err, describe())
		}
		same(t, describe()+"\nemitted v1", d.LastUpdate(), s.U1)
		same(t, describe()+"\nemitted v2", d.LastUpdateV2(), s.U2)
	} else {
		sameState(t, describe()+"\npassed on v1", orEmpty(d.LastUpdate(), false), orEmpty(s.U1, false), false)
		sameState(t, describe()+"\npassed on v2", orEmpty(d.LastUpdateV2(), true), orEmpty(s.U2, true), true)
	}
	same(t, "state vector", d.EncodeStateVector(), s.SV)
	sameState(t, describe()+"\nstate v1", must(d.EncodeStateAsUpdate(nil)), s.V1, false)
	sameState(t, describe()+"\nstate v2", must(d.EncodeStateAsUpdateV2(nil)), s.V2, true)
}

// orEmpty returns u, an empty update if there is none.
func orEmpty(u []byte, v2 bool) []byte {
	switch {
	case len(u) > 0:
		return u
	case v2:
		return must(ConvertUpdateV1ToV2([]byte{0, 0}))
	default:
		return []byte{0, 0}
	}
}

func makeEdit(t *testing.T, d *Doc, tx *Txn, o localOp) {
	t.Helper()
	switch x := resolve(t, d, o.Path).(type) {
	case *Text:
		editTextAs(x, tx, o)
	case *XMLText:
		switch o.Op {
		case "set":
			x.SetAttribute(tx, o.Key, built(o.Value))
		case "remove":
			x.RemoveAttribute(tx, o.Key)
		default:
			editTextAs(&x.Text, tx, o)
		}
	case *Array:
		switch o.Op {
		case "push":
			x.Push(tx, builtAll(o.Values)...)
		case "insertList":
			x.Insert(tx, o.Index, builtAll(o.Values)...)
		default:
			x.Delete(tx, o.Index, o.N)
		}
	case *Map:
		editMapAs(x, tx, o)
	case *XMLHook:
		editMapAs(&x.Map, tx, o)
	case *XMLElement:
		switch o.Op {
		case "set":
			x.SetAttribute(tx, o.Key, built(o.Value))
		case "remove":
			x.RemoveAttribute(tx, o.Key)
		default:
			editXMLAs(&x.XMLFragment, tx, o)
		}
	case *XMLFragment:
		editXMLAs(x, tx, o)
	default:
		t.Fatalf("nothing at %v", o.Path)
	}
}

func editTextAs(x *Text, tx *Txn, o localOp) {
	switch o.Op {
	case "insert":
		x.Insert(tx, o.Index, o.Text)
	case "insertFormatted":
		x.InsertFormatted(tx, o.Index, o.Text, o.Formats)
	case "embed":
		x.InsertEmbed(tx, o.Index, built(o.Value), o.Formats)
	case "delete":
		x.Delete(tx, o.Index, o.N)
	case "format":
		x.Format(tx, o.Index, o.N, o.Formats)
	case "delta":
		x.ApplyDelta(tx, o.Delta)
	}
}

func editMapAs(x *Map, tx *Txn, o localOp) {
	switch o.Op {
	case "set":
		x.Set(tx, o.Key, built(o.Value))
	case "remove":
		x.Delete(tx, o.Key)
	case "clear":
		x.Clear(tx)
	}
}

func editXMLAs(x *XMLFragment, tx *Txn, o localOp) {
	switch o.Op {
	case "push":
		x.Push(tx, builtAll(o.Values)...)
	case "insertList":
		x.Insert(tx, o.Index, builtAll(o.Values)...)
	default:
		x.Delete(tx, o.Index, o.N)
	}
}

// resolve follows a path from one of the test roots.
func resolve(t *testing.T, d *Doc, path []any) any {
	t.Helper()
	var x any
	switch path[0] {
	case "t":
		x = d.Text("t")
	case "x":
		x = d.XMLFragment("x")
	case "a":
		x = d.Array("a")
	case "m":
		x = d.Map("m")
	}
	for _, p := range path[1:] {
		var c Child
		switch y := x.(type) {
		case interface{ Delta() []Op }:
			c.Value = embedded(y.Delta())[int(p.(float64))]
		case interface{ Get(int) (Child, bool) }:
			c, _ = y.Get(int(p.(float64)))
		case interface{ Get(string) (Child, bool) }:
			c, _ = y.Get(p.(string))
		default:
			t.Fatalf("no way along %v", path)
		}
		x = c.Value
	}
	return x
}

// embedded returns the types among what a text shows.
func embedded(delta []Op) (types []any) {
	for _, op := range delta {
		if _, ok := op.Insert.(interface{ base() *node }); ok {
			types = append(types, op.Insert)
		}
	}
	return types
}

// built returns what a spec of testdata/local.mjs describes.
func built(v any) any {
	m, ok := v.(map[string]any)
	kind, special := m["$"].(string)
	if !ok || !special {
		return v
	}
	list, _ := m["list"].([]any)
	keys := make(map[string]any)
	if k, ok := m["keys"].(map[string]any); ok {
		for name, v := range k {
			keys[name] = built(v)
		}
	}
	s, _ := m["s"].(string)
	name, _ := m["name"].(string)
	switch kind {
	case "text":
		return NewText(s)
	case "xmltext":
		return NewXMLText(s)
	case "array":
		return NewArray(builtAll(list)...)
	case "map":
		return NewMap(keys)
	case "fragment":
		return NewXMLFragment(builtAll(list)...)
	case "element":
		return NewXMLElement(name, keys, builtAll(list)...)
	case "hook":
		return NewXMLHook(name, keys)
	case "bytes":
		b, _ := base64.StdEncoding.DecodeString(m["b"].(string))
		return b
	case "doc":
		opts := map[string]any{}
		if m["autoLoad"] == true {
			opts["autoLoad"] = true
		}
		return &Subdoc{GUID: m["guid"].(string), Opts: opts}
	case "bigint":
		n, _ := strconv.ParseInt(s, 10, 64)
		return n
	default:
		return Undefined{}
	}
}

func builtAll(vs []any) []any {
	out := make([]any, len(vs))
	for i := range vs {
		out[i] = built(vs[i])
	}
	return out
}
