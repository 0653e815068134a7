package crdt

// A RelativePosition is a place in a list or text that stays where it is while
// others edit: beside an element, or at the end of a type. Presence carries
// carets in this form.
type RelativePosition struct {
	Item  *ID    // the element; nil at an end
	Type  *ID    // without Item: the element that holds the type
	Root  string // without Item and Type: the name of the root
	Assoc int    // below 0 it belongs to the element before it, else to the one behind
}

// An AbsolutePosition is an index in a type, until the document changes.
type AbsolutePosition struct {
	Type  any    // the handle of the type, nil if it is a root
	Root  string // the root's name
	Index int
	Assoc int
}

// RelativePosition returns the place before element index. With assoc below 0
// it goes with the element before it.
//
// Source: yjs RelativePosition.js, createRelativePositionFromTypeIndex.
func (n node) RelativePosition(index, assoc int) (RelativePosition, error) {
	if index < 0 || index > n.length() {
		return RelativePosition{}, ErrRange
	}
	d := n.d
	p := RelativePosition{Assoc: assoc}
	i, off := none, uint32(0)
	switch {
	case assoc >= 0 && index < n.length():
		i, off = d.seek(d.types[n.t].children, uint32(index))
	case assoc < 0 && index > 0:
		i, off = d.seek(d.types[n.t].children, uint32(index-1))
	}
	if i != none {
		p.Item = d.idOf(i, off)
		return p, nil
	}
	if t := &d.types[n.t]; t.cl == none {
		p.Root = t.name
	} else {
		p.Type = &ID{d.ids[t.cl], uint64(t.clk)}
	}
	return p, nil
}

func (d *Doc) idOf(i int32, off uint32) *ID {
	x := &d.runs[i]
	return &ID{d.ids[x.cl()], uint64(x.clk + off)}
}

// AbsolutePosition returns where p is now. ok is false if the element or type it
// names has not come yet or was collected.
//
// Source: yjs RelativePosition.js, createAbsolutePositionFromRelativePosition.
func (d *Doc) AbsolutePosition(p RelativePosition) (a AbsolutePosition, ok bool) {
	a.Assoc = p.Assoc
	var t int32
	switch {
	case p.Item != nil:
		i := d.runOf(*p.Item)
		if i == none || d.runs[i].list() == none {
			return a, false
		}
		x := &d.runs[i]
		t = d.lists[x.list()].typ
		if item := d.types[t].item; item == none || !d.runs[item].deleted() {
			a.Index = int(d.indexOf(i))
			if x.visible() > 0 {
				a.Index += int(uint32(p.Item.Clock) - x.clk)
				if p.Assoc < 0 {
					a.Index++
				}
			}
		}
	case p.Type != nil:
		i := d.runOf(*p.Type)
		if i == none {
			return a, false
		}
		if t = d.holds(i); t == none {
			return a, false
		}
	default:
		if t, ok = d.roots[p.Root]; !ok { // nobody has named it here yet: it is empty
			a.Root = p.Root
			return a, true
		}
	}
	if p.Item == nil && p.Assoc >= 0 {
		a.Index = node{d: d, t: t}.length()
	}
	if d.types[t].item == none {
		a.Root = d.types[t].name
	} else {
		a.Type = d.handle(t)
	}
	return a, true
}

// runOf returns the run that holds an element, none if it is not here.
func (d *Doc) runOf(id ID) int32 {
	c := d.lookup(id.Client)
	if c == none || id.Clock >= uint64(d.clients[c].next) {
		return none
	}
	return d.runAt(c, uint32(id.Clock))
}

// Encode writes the position:
//
//	0 ID | 1 root name | 2 ID of the type, then assoc as a varInt
func (p RelativePosition) Encode() []byte {
	var b []byte
	switch {
	case p.Item != nil:
		b = appendID([]byte{0}, *p.Item)
	case p.Type != nil:
		b = appendID([]byte{2}, *p.Type)
	default:
		b = appendString([]byte{1}, p.Root)
	}
	if p.Assoc < 0 {
		return appendInt(b, uint64(-p.Assoc), true)
	}
	return appendInt(b, uint64(p.Assoc), false)
}

// DecodeRelativePosition reads what [RelativePosition.Encode] or Yjs wrote. Old
// clients leave out assoc.
func DecodeRelativePosition(b []byte) (RelativePosition, error) {
	var p RelativePosition
	r := reader{b: b}
	switch r.uint() {
	case 0:
		p.Item = r.id()
	case 1:
		p.Root = string(r.str())
	case 2:
		p.Type = r.id()
	default:
		r.failAt("unknown kind of position", 0)
	}
	if r.err == nil && r.left() > 0 {
		at := r.i
		mag, neg := r.int()
		if mag > MaxClock {
			r.failAt("association above 2^32-1", at)
		}
		if p.Assoc = int(mag); neg {
			p.Assoc = -p.Assoc
		}
	}
	if err := r.end(); err != nil {
		return RelativePosition{}, err
	}
	return p, nil
}

func (r *reader) id() *ID {
	at := r.i
	id := ID{ClientID(r.uint()), r.uint()}
	if id.Clock >= MaxClock {
		r.failAt("clock above 2^32-1", at)
	}
	return &id
}
