package crdt

import (
	"bytes"
	"math"
	"slices"
	"strconv"
	"unicode/utf16"
)

// anyNil is the Any of a format that does not hold.
var anyNil = []byte{anyNull}

// An attr is a format and its value, an Any. Two values that are objects are the
// same one to Yjs if this replica made the second from the first; id says which
// value it is.
type attr struct {
	key   string
	value []byte
	id    int32
}

// attrs are formats in the order in which JavaScript would list them.
type attrs []attr

// attrs returns formats as attrs, sorted by key.
func (tx *Txn) attrs(formats map[string]any) (attrs, bool) {
	if len(formats) == 0 {
		return nil, true
	}
	a := make(attrs, 0, len(formats))
	for _, k := range propertyKeys(formats) {
		v, err := appendAny(nil, formats[k], 0)
		if err != nil {
			tx.fail(err)
			return nil, false
		}
		if !tx.text(k) {
			return nil, false
		}
		a = append(a, attr{key: k, value: v, id: tx.d.newValue()})
	}
	return a, true
}

// mark returns what the format mark in run i says.
func (d *Doc) mark(i int32) attr {
	x := &d.runs[i]
	r := reader{b: d.content(x)}
	if d.typ.at(i) == none {
		d.typ.set(i, d.newValue())
	}
	a := attr{key: string(r.str()), id: d.typ.at(i)}
	if x.ref() == refFormat {
		a.value = appendJSONAsAny(nil, r.str())
	} else {
		a.value = bytes.Clone(r.b[r.i:])
	}
	return a
}

// newValue numbers a value that is the same as no other.
func (d *Doc) newValue() int32 {
	d.valueIDs = (d.valueIDs + 1) & math.MaxInt32
	return d.valueIDs
}

func (a attrs) find(key string) int {
	return slices.IndexFunc(a, func(x attr) bool { return x.key == key })
}

func (a attrs) get(key string) (attr, bool) {
	if i := a.find(key); i >= 0 {
		return a[i], true
	}
	return attr{}, false
}

// orNil returns the value of key, null if it has none.
func (a attrs) orNil(key string) attr {
	if i := a.find(key); i >= 0 {
		return a[i]
	}
	return attr{key: key, value: anyNil, id: none}
}

func (a *attrs) set(x attr) {
	if i := a.find(x.key); i >= 0 {
		(*a)[i] = x
	} else {
		*a = append(*a, x)
	}
}

// with adds x, which is new, as a property of an object: array indexes stand
// before other keys.
func (a attrs) with(x attr) attrs {
	n, isIndex := arrayIndex(x.key)
	if !isIndex {
		return append(a, x)
	}
	at := slices.IndexFunc(a, func(y attr) bool {
		k, alsoIndex := arrayIndex(y.key)
		return !alsoIndex || k > n
	})
	if at < 0 {
		at = len(a)
	}
	return slices.Insert(a, at, x)
}

func (a *attrs) unset(key string) {
	if i := a.find(key); i >= 0 {
		*a = slices.Delete(*a, i, i+1)
	}
}

// put sets x, or unsets it if it is null.
func (a *attrs) put(x attr) {
	if x.value[0] == anyNull {
		a.unset(x.key)
	} else {
		a.set(x)
	}
}

// apply puts what the mark in run i says.
func (a *attrs) apply(d *Doc, i int32) { a.put(d.mark(i)) }

// same is JavaScript's x === y.
func (x *attr) same(y *attr) bool {
	if isObject(x.value) || isObject(y.value) {
		return x.id != none && x.id == y.id
	}
	return scalarsEqual(readAny(&reader{b: x.value}), readAny(&reader{b: y.value}))
}

// equal is Yjs's equalAttrs: objects are equal if their members are the same.
func (x *attr) equal(y *attr) bool {
	if x.same(y) {
		return true
	}
	if !isObject(x.value) || !isObject(y.value) {
		return false
	}
	a, b := members(readAny(&reader{b: x.value})), members(readAny(&reader{b: y.value}))
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		w, ok := b[k]
		if !ok || !scalarsEqual(v, w) {
			return false
		}
	}
	return true
}

func isObject(v []byte) bool {
	return v[0] == anyObject || v[0] == anyArray || v[0] == anyBytes
}

// scalarsEqual is false for objects: decoded values have no identity.
func scalarsEqual(v, w any) bool {
	switch v.(type) {
	case map[string]any, []any, []byte:
		return false
	}
	switch w.(type) {
	case map[string]any, []any, []byte:
		return false
	}
	if f, ok := v.(float64); ok && math.IsNaN(f) {
		return false
	}
	return v == w
}

// members returns what JavaScript's for-in finds in a value: the members of an object,
// elements and the units of a string under their indexes.
func members(v any) map[string]any {
	switch v := v.(type) {
	case map[string]any:
		return v
	case string:
		units := utf16.Encode([]rune(v))
		m := make(map[string]any, len(units))
		for i, u := range units {
			m[strconv.Itoa(i)] = string(utf16.Decode([]uint16{u})) // half a pair is U+FFFD
		}
		return m
	case []any:
		m := make(map[string]any, len(v))
		for i, e := range v {
			m[string(appendJSONNumber(nil, float64(i)))] = e
		}
		return m
	case []byte:
		m := make(map[string]any, len(v))
		for i, c := range v {
			m[string(appendJSONNumber(nil, float64(i)))] = float64(c)
		}
		return m
	}
	return nil
}
