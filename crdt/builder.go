package crdt

import (
	"encoding/binary"
	"fmt"
	"unicode/utf8"
)

// A Builder writes a version 1 update of elements that one client has not used
// before: new content for a document that has none. It does not see a document,
// so whoever builds says where each element goes.
type Builder struct {
	client ClientID
	clock  uint32
	w      writerV1
	err    error
}

// NewBuilder returns a builder for a client that has written nothing yet.
func NewBuilder(client ClientID) *Builder {
	b := &Builder{client: client}
	if client > MaxInt {
		b.err = fmt.Errorf("client id above 2^53-1")
	}
	return b
}

// A Place is where an element goes: between After and Before, the elements that
// are its neighbours when it is typed. Without After it is the first, without
// Before the last; without both it is the only one of the type that Parent
// holds, or of the root type Root. With a Key it is the value of that key.
type Place struct {
	Root          string
	Parent        *ID
	After, Before *ID
	Key           *string
}

// Element adds an XML element and returns its ID.
func (b *Builder) Element(p Place, name string) ID {
	return b.add(p, refType, 1, appendString([]byte{typeXMLElement}, b.text(name)))
}

// XMLText adds an empty XML text and returns its ID.
func (b *Builder) XMLText(p Place) ID { return b.add(p, refType, 1, []byte{typeXMLText}) }

// String adds characters and returns the ID of the last. s must not be empty.
func (b *Builder) String(p Place, s string) ID {
	return b.add(p, refString, utf16Len([]byte(s)), []byte(b.text(s)))
}

// Format adds a mark that turns a format on from there, or off if the JSON
// value is null.
func (b *Builder) Format(p Place, key string, value []byte) ID {
	r := reader{}
	checkJSON(&r, value, 0)
	b.fail(r.err)
	return b.add(p, refFormat, 1, appendBytes(appendString(nil, b.text(key)), value))
}

// Value adds one plain value: what [Child.Value] may be, and Go's integers.
func (b *Builder) Value(p Place, v any) ID {
	content, err := appendAny(nil, v, 0)
	b.fail(err)
	return b.add(p, refAny, 1, content)
}

// Update returns the update, or the first error of any element.
func (b *Builder) Update() ([]byte, error) {
	if b.err != nil {
		return nil, b.err
	}
	return b.w.finish(nil), nil
}

func (b *Builder) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}

func (b *Builder) text(s string) string {
	if !utf8.ValidString(s) {
		b.fail(fmt.Errorf("text is not UTF-8"))
	}
	return s
}

func (b *Builder) add(p Place, ref uint8, n int, content []byte) ID {
	if n == 0 || n > MaxClock-int(b.clock) {
		b.fail(fmt.Errorf("%d elements at clock %d", n, b.clock))
		n = 1
	}
	x := block{client: b.client, clock: b.clock, n: uint32(n), ref: ref, content: content}
	if p.After != nil {
		x.hasOrigin, x.origin = true, *p.After
	}
	if p.Before != nil {
		x.hasRight, x.right = true, *p.Before
	}
	switch {
	case x.hasOrigin || x.hasRight: // the neighbour knows
	case p.Parent != nil:
		x.parentID, x.parent = true, *p.Parent
	default:
		x.parentRoot, x.root = true, []byte(b.text(p.Root))
	}
	if p.Key != nil {
		x.hasSub, x.sub = true, []byte(b.text(*p.Key))
	}
	b.w.block(&x)
	b.clock = x.end()
	return ID{b.client, uint64(b.clock) - 1}
}

// appendAny writes v as an Any, objects in order of their keys.
func appendAny(b []byte, v any, depth int) ([]byte, error) {
	if depth > maxDepth {
		return b, fmt.Errorf("value nested deeper than %d", maxDepth)
	}
	switch v := v.(type) {
	case nil:
		return append(b, anyNull), nil
	case Undefined:
		return append(b, anyUndefined), nil
	case bool:
		if v {
			return append(b, anyTrue), nil
		}
		return append(b, anyFalse), nil
	case int:
		return appendNumber(b, float64(v)), nil
	case float64:
		return appendNumber(b, v), nil
	case int64:
		return binary.BigEndian.AppendUint64(append(b, anyBigInt), uint64(v)), nil
	case string:
		if !utf8.ValidString(v) {
			return b, fmt.Errorf("text is not UTF-8")
		}
		return appendString(append(b, anyString), v), nil
	case []byte:
		return appendBytes(append(b, anyBytes), v), nil
	case []any:
		return appendAnyArray(b, v, depth)
	case map[string]any:
		return appendAnyObject(b, v, depth)
	default:
		return b, fmt.Errorf("no form for a %T", v)
	}
}

func appendAnyArray(b []byte, v []any, depth int) ([]byte, error) {
	b = appendUint(append(b, anyArray), uint64(len(v)))
	for _, e := range v {
		var err error
		if b, err = appendAny(b, e, depth+1); err != nil {
			return b, err
		}
	}
	return b, nil
}

func appendAnyObject(b []byte, v map[string]any, depth int) ([]byte, error) {
	b = appendUint(append(b, anyObject), uint64(len(v)))
	for _, k := range propertyKeys(v) {
		if !utf8.ValidString(k) {
			return b, fmt.Errorf("text is not UTF-8")
		}
		var err error
		if b, err = appendAny(appendString(b, k), v[k], depth+1); err != nil {
			return b, err
		}
	}
	return b, nil
}
