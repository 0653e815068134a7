package crdt

// A shared type is read through a handle, which stays valid as long as its
// document. Handles read the document as it is at the call.

// node is what all handles are.
type node struct {
	d     *Doc // nil until it is inserted
	t     int32
	fresh *fresh
}

// Author returns the client that created the type, 0 for a root.
func (n node) Author() ClientID {
	if cl := n.d.types[n.t].cl; cl != none {
		return n.d.ids[cl]
	}
	return 0
}

// Text is a shared text with formats and embeds: Y.Text.
type Text struct{ node }

// XMLText is a text among XML nodes: Y.XmlText.
type XMLText struct{ Text }

// XMLFragment is a list of XML nodes: Y.XmlFragment.
type XMLFragment struct{ node }

// XMLElement is a named list of XML nodes with attributes: Y.XmlElement.
type XMLElement struct{ XMLFragment }

// Array is a shared list of values: Y.Array.
type Array struct{ node }

// Map holds a value per key: Y.Map.
type Map struct{ node }

// XMLHook is a named map among XML nodes: Y.XmlHook.
type XMLHook struct{ Map }

// Subdoc stands for a document inside a document. It is not loaded. Opts are
// what Yjs keeps of its options: gc, autoLoad, meta.
type Subdoc struct {
	GUID string
	Opts map[string]any
}

// Text returns the root of that name, read as a text.
func (d *Doc) Text(name string) *Text { return &Text{node{d: d, t: d.typeOfRoot(name)}} }

// XMLFragment returns the root of that name, read as XML.
func (d *Doc) XMLFragment(name string) *XMLFragment {
	return &XMLFragment{node{d: d, t: d.typeOfRoot(name)}}
}

// XMLElement returns the root of that name, read as an element.
func (d *Doc) XMLElement(name string) *XMLElement { return &XMLElement{*d.XMLFragment(name)} }

// XMLText returns the root of that name, read as a text among XML nodes.
func (d *Doc) XMLText(name string) *XMLText { return &XMLText{*d.Text(name)} }

// Array returns the root of that name, read as an array.
func (d *Doc) Array(name string) *Array { return &Array{node{d: d, t: d.typeOfRoot(name)}} }

// Map returns the root of that name, read as a map.
func (d *Doc) Map(name string) *Map { return &Map{node{d: d, t: d.typeOfRoot(name)}} }

// UnknownType is a shared type that came after Yjs 13. A document passes it on,
// with all that it holds, and can say nothing else about it. Yjs 13 itself throws
// on an update that brings one; see [Count].Unknown.
type UnknownType struct {
	node
	Ref uint8 // its type reference on the wire
}

// String returns nothing.
func (*UnknownType) String() string { return "" }

// ToJSON returns nil.
func (*UnknownType) ToJSON() any { return nil }

// handle returns the handle of a nested type.
func (d *Doc) handle(t int32) any {
	n := node{d: d, t: t}
	switch d.types[t].ref {
	case typeArray:
		return &Array{n}
	case typeMap:
		return &Map{n}
	case typeText:
		return &Text{n}
	case typeXMLElement:
		return &XMLElement{XMLFragment{n}}
	case typeXMLFragment:
		return &XMLFragment{n}
	case typeXMLHook:
		return &XMLHook{Map{n}}
	case typeXMLText:
		return &XMLText{Text{n}}
	default:
		return &UnknownType{node: n, Ref: d.types[t].ref}
	}
}

// A Child is one element of a list and the client that put it there. Value is a
// handle (*Text, *XMLElement, …), a *Subdoc, or plain data: nil, bool, float64,
// string, []byte, []any, map[string]any, int64 for a bigint, [Undefined].
type Child struct {
	Value  any
	Author ClientID
}

// children calls f for each live element of the type's list.
func (n node) children(f func(Child)) {
	d := n.d
	for i := d.lists[d.types[n.t].children].head; i != none; i = d.runs[i].r {
		if x := &d.runs[i]; !x.deleted() && x.countable() {
			author := d.ids[x.cl()]
			d.values(i, func(v any) { f(Child{v, author}) })
		}
	}
}

// values calls f for each element of a run; a string is one.
func (d *Doc) values(i int32, f func(any)) {
	x := &d.runs[i]
	r := reader{b: d.content(x)}
	switch x.ref() {
	case refString:
		f(string(r.b))
	case refAny:
		for range x.n {
			f(readAny(&r))
		}
	case refJSON:
		for range x.n {
			f(jsonValue(r.str()))
		}
	case refBinary:
		f(append([]byte(nil), r.bytes()...))
	case refEmbed:
		f(parseJSON(r.str()))
	case refEmbedAny:
		f(readAny(&r))
	case refDoc:
		s := &Subdoc{GUID: string(r.str())}
		s.Opts, _ = readAny(&r).(map[string]any)
		f(s)
	case refType:
		f(d.handle(d.typ.at(i)))
	}
}

func jsonValue(s []byte) any {
	if string(s) == "undefined" {
		return Undefined{}
	}
	return parseJSON(s)
}

// key returns the present value of a key.
func (n node) key(key string) (Child, bool) {
	i := n.d.liveKey(n.t, key)
	if i == none {
		return Child{}, false
	}
	return n.d.last(i), true
}

// last returns the last element of run i, which is what a key holds.
func (d *Doc) last(i int32) Child {
	c := Child{Author: d.ids[d.runs[i].cl()]}
	d.values(i, func(v any) { c.Value = v })
	return c
}

// entries calls f for each key that has a value, in order of first use here.
func (n node) entries(f func(key string, c Child)) {
	d := n.d
	for l := d.types[n.t].firstKey; l != none; l = d.lists[l].nextKey {
		if i := d.lists[l].tail; i != none && !d.runs[i].deleted() {
			f(d.keyNames[d.lists[l].key], d.last(i))
		}
	}
}

// Len returns how many nodes the fragment has.
func (x *XMLFragment) Len() int { return x.length() }

func (n node) length() int { return int(n.d.lists[n.d.types[n.t].children].length) }

// Children returns the nodes in order. What is not XML, which Yjs permits, is
// returned too.
func (x *XMLFragment) Children() []Child { return x.list() }

func (n node) list() []Child {
	var out []Child
	n.children(func(c Child) { out = append(out, c) })
	return out
}

// Name returns the element's node name. A root has Yjs's, which is UNDEFINED.
func (x *XMLElement) Name() string {
	if t := &x.d.types[x.t]; t.cl != none {
		return t.name
	}
	return "UNDEFINED"
}

// Attribute returns the value of an attribute.
func (x *XMLElement) Attribute(name string) (any, bool) {
	c, ok := x.key(name)
	return c.Value, ok
}

// Attributes returns all attributes.
func (x *XMLElement) Attributes() map[string]any { return x.all() }

// Attributes returns the attributes of the text itself, not of its parts.
func (x *Text) Attributes() map[string]any { return x.all() }

func (n node) all() map[string]any {
	m := make(map[string]any)
	n.entries(func(k string, c Child) { m[k] = c.Value })
	return m
}

// Len returns how many values the array has.
func (a *Array) Len() int { return a.length() }

// Children returns the values in order, each with its author.
func (a *Array) Children() []Child { return a.list() }

// Get returns the value of a key and its author.
func (m *Map) Get(key string) (Child, bool) { return m.key(key) }

// Values returns all keys and their values.
func (m *Map) Values() map[string]any { return m.all() }

// Name returns the hook's name.
func (h *XMLHook) Name() string { return h.d.types[h.t].name }
