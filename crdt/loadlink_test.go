package crdt

import "testing"

// An element says that it stood before one which is not the next any more, as no
// editor would: it goes where it competes with what came between.
func TestLoadedBesideAnother(t *testing.T) {
	letter := func(client ClientID, clock uint32, s string, origin, right ID) *block {
		return &block{
			client: client, clock: clock, n: 1, ref: refString, content: []byte(s),
			hasOrigin: true, origin: origin, hasRight: right != ID{}, right: right,
		}
	}
	a, c, p := ID{9, 0}, ID{9, 1}, ID{5, 0}
	var w writerV1
	w.block(&block{client: 9, n: 1, ref: refString, content: []byte("a"), parentRoot: true, root: []byte("t")})
	w.block(letter(9, 1, "c", a, ID{}))
	w.block(letter(9, 2, "b", a, p))
	w.block(letter(9, 3, "x", a, c))
	w.block(letter(5, 0, "p", a, c))
	u := w.finish(nil)
	for _, v2 := range []bool{false, true} {
		b := u
		if v2 {
			b = must(ConvertUpdateV1ToV2(u))
		}
		if got := loadedAs(t, b, v2).Text("t").String(); got != "abpxc" {
			t.Errorf("text %q, want abpxc", got)
		}
	}
}
