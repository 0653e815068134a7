package crdt

import (
	"errors"
	"testing"
)

// A format that names the key of an earlier one, which Yjs can read but does not
// write, has that key.
func TestKeyNamedAgain(t *testing.T) {
	w := new(writerV2)
	for i := range uint32(3) {
		b := block{client: 1, clock: i, n: 1, ref: refFormat, content: []byte("\x04bold\x04true"), parentRoot: true, root: []byte("t")}
		if i == 0 {
			b.content = []byte("\x02em\x04true")
		}
		if i == 2 {
			w.keys = 1
			w.keyClock.write(w.keys)
			links := b
			w.links(&links)
			w.body = append(w.body, anyTrue)
			w.count++
			continue
		}
		w.block(&b)
	}
	v2 := w.finish(nil)
	u, err := DecodeUpdateV2(v2)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	var b block
	for x := u.structs(u.sections[0]); x.next(&b); {
		got = append(got, string(b.content))
	}
	if want := "\x04bold" + string(rune(anyTrue)); len(got) != 3 || got[1] != want || got[2] != want {
		t.Errorf("formats %q, want the last two to be %q", got, want)
	}
	d := New("")
	if err := d.ApplyUpdateV2(v2); err != nil || d.StateVector()[1] != 3 {
		t.Errorf("applied up to %v, %v", d.StateVector(), err)
	}
}

// Where version 2 names a client twice is said in its own bytes.
func TestClientNamedTwiceInVersion2(t *testing.T) {
	w := new(writerV2)
	for _, client := range []ClientID{1, 2, 1} {
		w.block(&block{client: client, n: 1, ref: refGC})
	}
	b := w.finish(nil)
	_, err := DecodeUpdateV2(b)
	var m *MalformedError
	if !errors.As(err, &m) || m.What != "client named twice" || m.Offset != len(b)-3 { // its two bytes, and no deletes
		t.Errorf("refused with %v, want a client named twice at byte %d", err, len(b)-3)
	}
}
