package crdt

// Text returns the root type name, read as text.
func (d *Doc) Text(name string) *Text { return &Text{d, d.typeOfRoot(name)} }

// XMLFragment returns the root type name, read as XML.
func (d *Doc) XMLFragment(name string) *XMLFragment { return &XMLFragment{d, d.typeOfRoot(name)} }

// Text is a shared text.
type Text struct {
	d *Doc
	t int32
}

func (t *Text) String() string {
	var b []byte
	for i := t.d.lists[t.d.types[t.t].children].head; i != none; i = t.d.runs[i].r {
		if x := &t.d.runs[i]; !x.deleted && x.ref == refString {
			b = append(b, t.d.content(x)...)
		}
	}
	return string(b)
}

// XMLFragment is a shared list of XML nodes.
type XMLFragment struct {
	d *Doc
	t int32
}
