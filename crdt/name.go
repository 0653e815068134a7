package crdt

import (
	"cmp"
	"slices"
	"strings"
)

// NameOf says what a [Name] is of.
type NameOf uint8

// What has a name in an XML document as editors bind it.
const (
	NameOfElement   NameOf = iota // of an [XMLElement] or [XMLHook]
	NameOfAttribute               // of an element's attribute
	NameOfFormat                  // the key of a format of a text: a mark
)

// A Name is what a part of a document is called. An editor that does not know a
// name removes what is called so.
type Name struct {
	Of      NameOf
	Element string // whose attribute it is
	Name    string
}

// Names returns the names of what is alive in d, sorted. It takes time in
// proportion to d.
func (d *Doc) Names() []Name {
	var names []Name
	for c := range d.clients {
		x := &d.clients[c].index
		for p, ok := x.find(d.runs, 0), d.clients[c].next > 0; ok; p, ok = x.next(p) {
			switch i := x.at(p); {
			case d.runs[i].deleted():
			case d.runs[i].ref() == refType:
				names = d.namesOfType(names, d.typ.at(i))
			case d.runs[i].liveFormat() != 0:
				names = append(names, formatName(d.content(&d.runs[i])))
			}
		}
	}
	return sortNames(names)
}

// namesOfType appends what element t and its attributes are called.
func (d *Doc) namesOfType(names []Name, t int32) []Name {
	element := &d.types[t]
	if !isNamed(element.ref) {
		return names
	}
	names = append(names, Name{Of: NameOfElement, Name: element.name})
	for l := element.firstKey; l != none; l = d.lists[l].nextKey {
		if last := d.lists[l].tail; last != none && !d.runs[last].deleted() {
			names = append(names, Name{NameOfAttribute, element.name, d.keyNames[d.lists[l].key]})
		}
	}
	return names
}

// NamesIn returns the names of what u brings, sorted, whether or not d has it
// already. Attributes that it gives to elements which neither it nor d holds are
// left out. It takes time in proportion to u.
func (d *Doc) NamesIn(u *Update) []Name {
	var names []Name
	var own map[ID]string // the elements that u brings
	var given []block     // attributes
	for _, s := range u.sections {
		for b := range u.blocks(s) {
			switch {
			case b.ref == refType && isNamed(b.content[0]):
				if own == nil {
					own = make(map[ID]string)
				}
				r := reader{b: b.content, i: 1}
				name := string(r.str())
				own[ID{b.client, uint64(b.clock)}] = name
				names = append(names, Name{Of: NameOfElement, Name: name})
			case b.ref == refFormat || b.ref == refFormatAny:
				names = append(names, formatName(b.content))
			}
			if b.hasSub && b.parentID {
				given = append(given, *b)
			}
		}
	}
	for i := range given {
		b := &given[i]
		element, ok := own[b.parent]
		if t := d.typeOf(keyOwner{id: b.parent}, false); !ok && t != none && isNamed(d.types[t].ref) {
			element, ok = d.types[t].name, true
		}
		if ok {
			names = append(names, Name{NameOfAttribute, element, string(b.sub)})
		}
	}
	return sortNames(names)
}

// isNamed reports whether types of that reference have a name.
func isNamed(ref byte) bool { return ref == typeXMLElement || ref == typeXMLHook }

func formatName(content []byte) Name {
	r := reader{b: content}
	return Name{Of: NameOfFormat, Name: string(r.str())}
}

func sortNames(names []Name) []Name {
	slices.SortFunc(names, func(a, b Name) int {
		return cmp.Or(cmp.Compare(a.Of, b.Of), strings.Compare(a.Element, b.Element), strings.Compare(a.Name, b.Name))
	})
	return slices.Compact(names)
}
