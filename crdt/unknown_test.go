package crdt

import (
	"bytes"
	"testing"
)

// A type that came after Yjs 13 is passed on with what it holds, in both
// versions; nobody is told that it is something else.
func TestUnknownTypeSurvives(t *testing.T) {
	const ref = 15
	var w writerV1
	w.block(&block{client: 1, n: 1, ref: refType, parentRoot: true, root: []byte("a"), content: []byte{ref}})
	w.block(&block{client: 1, clock: 1, n: 2, ref: refString, parentID: true, parent: ID{1, 0}, content: []byte("in")})
	w.block(&block{client: 1, clock: 3, n: 1, ref: refAny, parentID: true, parent: ID{1, 0}, hasSub: true, sub: []byte("k"), content: []byte{anyTrue}})
	v1 := w.finish(nil)
	v2 := must(ConvertUpdateV1ToV2(v1))
	if back := must(ConvertUpdateV2ToV1(v2)); !bytes.Equal(back, v1) {
		t.Errorf("v1 after v2: % x, want % x", back, v1)
	}
	for _, apply := range []func(*Doc) error{
		func(d *Doc) error { return d.ApplyUpdate(v1) },
		func(d *Doc) error { return d.ApplyUpdateV2(v2) },
	} {
		d := New("d")
		if err := apply(d); err != nil {
			t.Fatal(err)
		}
		c, _ := d.Array("a").Get(0)
		if u, ok := c.Value.(*UnknownType); !ok || u.Ref != ref {
			t.Errorf("the array holds %#v", c.Value)
		}
		if got := must(d.EncodeStateAsUpdate(nil)); !bytes.Equal(got, v1) {
			t.Errorf("state % x, want % x", got, v1)
		}
		if got := must(d.EncodeStateAsUpdateV2(nil)); !bytes.Equal(got, v2) {
			t.Errorf("state v2 % x, want % x", got, v2)
		}
	}
	u, err := DecodeUpdate(v1)
	if err != nil {
		t.Fatal(err)
	}
	if n := New("d").Count(u).Unknown; n != 1 {
		t.Errorf("%d unknown types counted, want 1", n)
	}
}
