package crdt

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

// moved returns an update of client 9 that deletes ranges and brings text.
func moved(text string, gone ...DeleteRange) []byte {
	var w writerV1
	w.block(&block{client: 9, n: uint32(utf16Len([]byte(text))), ref: refString, content: []byte(text), parentRoot: true, root: []byte("t")})
	return w.finish(gone)
}

func TestCopies(t *testing.T) {
	base := must(MergeUpdates([][]byte{at{1, 0}.put("Stable 😀 "), at{2, 0}.put("overnight", ID{1, 9})})) // "Stable 😀 overnight"
	tests := []struct {
		name   string
		update []byte
		want   []Copy
	}{
		{"all of two people's", moved("Stable 😀 overnight", DeleteRange{2, 0, 9}, DeleteRange{1, 0, 10}), []Copy{{ID{9, 0}, ID{1, 0}, 10}, {ID{9, 10}, ID{2, 0}, 9}}},
		{"a part", moved("😀 over", DeleteRange{2, 0, 9}, DeleteRange{1, 0, 10}), []Copy{{ID{9, 0}, ID{1, 7}, 3}, {ID{9, 3}, ID{2, 0}, 4}}},
		{"and something new around it", moved("<overnight>", DeleteRange{2, 0, 9}), []Copy{{ID{9, 1}, ID{2, 0}, 9}}},
		{"both ends", moved("overWEIght", DeleteRange{2, 0, 9}), []Copy{{ID{9, 0}, ID{2, 0}, 4}}},
		{"what is not deleted", moved("overnight", DeleteRange{1, 0, 6}), nil},
		{"what is deleted in part", moved("overnight", DeleteRange{2, 0, 5}), []Copy{{ID{9, 0}, ID{2, 0}, 5}}},
		{"nothing deleted", moved("overnight"), nil},
		{"elements that are not there", moved("overnight", DeleteRange{7, 0, 9}, DeleteRange{2, 9, 9}), nil},
		{"nothing brought", deletes(DeleteRange{2, 0, 9}), nil},
		{"half a pair", moved("\ufffd ", DeleteRange{1, 8, 2}), []Copy{{ID{9, 0}, ID{1, 8}, 2}}},
	}
	for _, tt := range tests {
		d := New("copies")
		apply(t, d, base)
		u := decoded(t, tt.update)
		if got := new(Moves).Copies(d, u, 0, nil); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
		if err := d.Apply(u); err != nil {
			t.Fatal(err)
		}
		if got := new(Moves).Copies(d, u, 0, nil); got != nil {
			t.Errorf("%s: once it is applied: %v", tt.name, got)
		}
	}
}

func TestCredit(t *testing.T) {
	d := New("credit")
	apply(t, d, at{1, 0}.put("abc😀"), at{2, 0}.put("defgh", ID{1, 4}), at{3, 0}.put("ijk", ID{2, 4}))
	d.Credit([]Copy{
		{ID{2, 1}, ID{1, 0}, 3}, // efg is client 1's
		{ID{3, 0}, ID{2, 0}, 3}, // ijk are d, of 2, and e and f, of 1
		{ID{2, 2}, ID{3, 0}, 1}, // an element has one source
		{ID{8, 0}, ID{9, 0}, 5}, // and who is not there none
		{ID{1, 3}, ID{7, 0}, 1}, // half of a pair
	})
	var got []string
	for _, s := range d.Text("t").Spans() {
		got = append(got, string(rune('0'+s.Author))+s.Insert.(string))
	}
	if want := "1abc 7\ufffd 1\ufffd 2d 1efg 2hi 1jk"; strings.Join(got, " ") != want {
		t.Errorf("spans are %q, want %q", got, want)
	}
	if got := d.Text("t").String(); got != "abc😀defghijk" {
		t.Errorf("the text became %q", got)
	}
}

// However much an update moves, comparing it takes a moment.
func TestCopiesAreBounded(t *testing.T) {
	if checking {
		t.Skip("takes the time; make test does, without the race detector")
	}
	d := New("bounded")
	var bs []*block
	var gone []DeleteRange
	for i := range uint32(5_000) {
		text := strings.Repeat("a", 40) + string(rune('b'+i%20))
		n := uint32(len(text))
		bs = append(bs, &block{client: 1, clock: i * (n + 1), n: n, ref: refString, content: []byte(text), parentRoot: true, root: []byte("t")})
		bs = append(bs, &block{client: 1, clock: i*(n+1) + n, n: 1, ref: refAny, content: []byte{anyTrue}, parentRoot: true, root: []byte("t")})
		gone = append(gone, DeleteRange{1, i * (n + 1), n})
	}
	apply(t, d, one(bs...))
	for _, b := range bs {
		b.client = 2
		b.content = []byte(strings.Repeat("a", int(b.n)-1) + "z")
		if b.ref == refAny {
			b.content = []byte{anyTrue}
		}
	}
	var w writerV1
	for _, b := range bs {
		w.block(b)
	}
	u := decoded(t, w.finish(gone))
	began := time.Now()
	new(Moves).Copies(d, u, 0, nil)
	if took := time.Since(began); took > time.Second {
		t.Errorf("it took %v", took)
	}
}
