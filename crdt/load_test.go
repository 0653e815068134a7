package crdt

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand"
	"reflect"
	"runtime"
	"testing"
	"time"
)

// loadedAs compares a document that was loaded with one that got the same update
// decoded, and returns the first.
func loadedAs(t *testing.T, b []byte, v2 bool, opts ...Option) *Doc {
	t.Helper()
	d, e := New("loaded", opts...), New("applied", opts...)
	u, err := DecodeUpdate(b)
	if v2 {
		u, err = DecodeUpdateV2(b)
	}
	load := d.ApplyUpdate
	if v2 {
		load = d.ApplyUpdateV2
	}
	texts := [2]*Text{d.Text("t"), e.Text("t")} // taken before: they stay valid
	maps := [2]*Map{d.Map("t"), e.Map("t")}
	if got := load(b); (got == nil) != (err == nil) {
		t.Fatalf("loading says %v, decoding %v", got, err)
	}
	if err == nil {
		if err := e.Apply(u); err != nil {
			t.Fatal(err)
		}
	}
	sameDocs(t, d, e)
	if got, want := texts[0].String(), texts[1].String(); got != want {
		t.Fatalf("text %q, want %q", got, want)
	}
	if got, want := must(json.Marshal(maps[0].ToJSON())), must(json.Marshal(maps[1].ToJSON())); !bytes.Equal(got, want) {
		t.Fatalf("keys %s, want %s", got, want)
	}
	return d
}

// sameDocs fails if two documents differ in what can be asked of them.
func sameDocs(t *testing.T, d, e *Doc) {
	t.Helper()
	if err := d.verify(); err != nil {
		t.Fatal(err)
	}
	for _, g := range []struct {
		what string
		of   func(*Doc) any
	}{
		{"HasPending", func(d *Doc) any { return d.HasPending() }},
		{"StateVector", func(d *Doc) any { return d.StateVector() }},
		{"DeleteSet", func(d *Doc) any { return d.DeleteSet() }},
		{"LastChange", func(d *Doc) any { return d.LastChange() }},
		{"LastUpdate", func(d *Doc) any { return d.LastUpdate() }},
		{"LastUpdateV2", func(d *Doc) any { return d.LastUpdateV2() }},
		{"EncodeStateAsUpdate", func(d *Doc) any { return must(d.EncodeStateAsUpdate(nil)) }},
		{"EncodeStateAsUpdateV2", func(d *Doc) any { return must(d.EncodeStateAsUpdateV2(nil)) }},
		{"Delta", func(d *Doc) any { return plainDelta(d.Text("t")) }},
		{"Children", func(d *Doc) any { return plainList(d.XMLFragment("t").Children()) }},
		{"Array", func(d *Doc) any { return plain(d.Array("t").ToJSON()) }},
	} {
		if got, want := g.of(d), g.of(e); !reflect.DeepEqual(got, want) {
			t.Fatalf("%s\n got %v\nwant %v", g.what, got, want)
		}
	}
}

// A document that is loaded is the one that the general way makes of the update.
func FuzzLoad(f *testing.F) {
	for _, u := range seedUpdates() {
		f.Add(u, false, true)
		f.Add(must(ConvertUpdateV1ToV2(u)), true, false)
	}
	for seed := range 8 {
		for _, u := range writtenByMany(seed) {
			f.Add(u, false, seed%2 == 0)
			f.Add(must(ConvertUpdateV1ToV2(u)), true, seed%2 == 1)
		}
	}
	for seed := range int64(8) {
		u := writtenByOne(seed)
		f.Add(u, false, seed%2 == 0)
		f.Add(must(ConvertUpdateV1ToV2(u)), true, seed%2 == 1)
	}
	f.Fuzz(func(t *testing.T, b []byte, v2, gc bool) {
		opts := []Option{WithoutGC()}
		if gc {
			opts = nil
		}
		d := loadedAs(t, b, v2, opts...)
		e := New("again", opts...)
		if e.ApplyUpdate(must(d.EncodeStateAsUpdate(nil))) != nil {
			t.Fatal("the state of a loaded document is refused")
		}
		for i := range min(len(b), 40) {
			d.Transact(ClientID(1+i%3), func(tx *Txn) {
				at := int(b[i]) % (d.Text("t").Len() + 1)
				if b[i]%3 == 0 {
					d.Text("t").Delete(tx, at, 1)
				} else {
					d.Text("t").Insert(tx, at, "é")
				}
			})
			if err := d.verify(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// writtenByMany returns the states, whole and partial, of a text with embedded
// types that several write at once.
func writtenByMany(seed int) [][]byte {
	docs := []*Doc{New("0"), New("1", WithoutGC()), New("2")}
	var out [][]byte
	x := uint32(seed*2654435761 + 1)
	rnd := func(n int) int {
		x = x*1664525 + 1013904223
		return int(x>>8) % n
	}
	for range 25 {
		k := rnd(3)
		d := docs[k]
		up, _ := d.Transact(ClientID(1+k*100_000), func(tx *Txn) {
			text := d.Text("t")
			at := rnd(text.Len() + 1)
			switch rnd(9) {
			case 0, 1, 2:
				text.Insert(tx, at, []string{"a", "bc", "😀", "déf"}[rnd(4)])
			case 3:
				text.Delete(tx, at, min(rnd(4), text.Len()-at))
			case 4:
				text.Format(tx, at, min(rnd(4), text.Len()-at), map[string]any{"b": true})
			case 5:
				d.Array("t").Insert(tx, at, NewMap(map[string]any{"k": 1}), 7, 8)
			case 6:
				d.Map("t").Set(tx, string(rune('a'+rnd(3))), rnd(9))
			case 7:
				d.XMLFragment("t").Push(tx, NewXMLElement("p", map[string]any{"n": 1}, NewXMLText("t")))
			default:
				d.Array("t").Delete(tx, at, min(rnd(3), text.Len()-at))
			}
		})
		if up != nil && rnd(6) == 0 {
			out = append(out, bytes.Clone(up))
		}
		if rnd(3) == 0 {
			_ = docs[rnd(3)].ApplyUpdate(must(d.EncodeStateAsUpdate(nil)))
		}
	}
	for _, d := range docs {
		out = append(out, must(d.EncodeStateAsUpdate(nil)))
	}
	return append(out, must(MergeUpdates(out)))
}

// A struct that needs a collected one is collected with it, in one run.
func TestLoadJoinsOrphansToCollected(t *testing.T) {
	loadedAs(t, []byte{1, 2, 1, 0, 0, 1, 0x84, 1, 0, 1, 'a', 0}, false)
}

// Structs that cost a version 2 update nothing do not fill memory: neither by
// their number nor by a long name that each refers back to.
func TestLoadRefusesRepeatedNames(t *testing.T) {
	const structs, name = 300_000, 200
	var b []byte
	many := appendUint(nil, structs)
	for _, column := range [][]byte{
		append([]byte{1}, many...),    // always the first name
		append([]byte{0x41}, many...), // client 1
		append([]byte{1}, many...),    // behind clock 0
		nil,
		{refType, 0, infoOrigin | refType},
		append(appendBytes(nil, append([]byte("t"), bytes.Repeat([]byte("n"), name)...)), 1, name&0x3f|0x80, name>>6),
		{1},
		append([]byte{0x40 | typeXMLElement}, many...),
		nil,
	} {
		b = appendBytes(b, column)
	}
	b = append([]byte{0}, b...)
	b = append(append(append(b, 1), many...), 0, 0)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := New("d").ApplyUpdateV2(b)
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 16<<20 {
		t.Errorf("%d bytes allocated for an update of %d", got, len(b))
	}
	if !errors.Is(err, ErrMalformed) {
		t.Errorf("error %v, want malformed", err)
	}
}

// A delete set that names the same elements over and over costs no more than one
// that names them once.
func TestDeletesThatOverlapAreLinear(t *testing.T) {
	const structs, ranges = 30_000, 30_000
	b := appendUint([]byte{1}, structs)
	b = append(b, 1, 0, 1, 1, 1, 't', 1)
	for i := range uint64(structs - 1) {
		b = append(appendUint(append(b, 0xc1, 1), i), 1, 0, 1)
	}
	b = appendUint(append(b, 1, 1), ranges)
	for range ranges {
		b = appendUint(append(b, 0), structs)
	}
	v2 := must(ConvertUpdateV1ToV2(b))
	start := time.Now()
	for _, apply := range []func(d *Doc) error{
		func(d *Doc) error { return d.ApplyUpdate(b) },
		func(d *Doc) error { return d.ApplyUpdateV2(v2) },
		func(d *Doc) error { return d.Apply(decoded(t, b)) },
	} {
		d := New("d")
		if err := apply(d); err != nil {
			t.Fatal(err)
		}
		if got := d.DeleteSet(); !reflect.DeepEqual(got, DeleteSet{{1, 0, structs}}) {
			t.Errorf("%v is deleted", got)
		}
	}
	limit := 2 * time.Second // the square takes minutes
	if checking {
		limit *= 5
	}
	if took := time.Since(start); took > limit {
		t.Errorf("it took %v", took)
	}
}

// Where elements go does not depend on how runs are cut: here the right origin
// stands before the origin, in one run or in two.
func TestInvertedOrigins(t *testing.T) {
	loadedAs(t, []byte{2, 4, 2, 0, 4, 1, 1, 't', 1, 'x', 0x84, 2, 0, 3, 'x', 'y', 'z', 0xc4, 2, 3, 2, 0, 1, 'x', 0x84, 2, 3, 1, 'x', 4, 1, 0, 4, 1, 1, 't', 1, 'x', 4, 1, 1, 't', 1, 'x', 0xc4, 2, 2, 2, 1, 3, 'x', 'y', 'z', 0x44, 2, 2, 1, 'x', 1, 1, 1, 0, 2}, false)
}

// Clients are integrated from the highest down, in whatever order they come.
func TestLoadOrdersClients(t *testing.T) {
	loadedAs(t, []byte{4, 2, 3, 0, 4, 1, 1, 't', 1, 'x', 0x84, 1, 2, 1, 'x', 3, 1, 0, 4, 1, 1, 't', 1, 'x', 0x84, 4, 0, 3, 'x', 'y', 'z', 0x24, 1, 1, 't', 1, 'k', 1, 'x', 1, 2, 0, 0x84, 4, 2, 1, 'x', 3, 4, 0, 0x24, 1, 1, 't', 1, 'k', 1, 'x', 0x84, 4, 0, 1, 'x', 0x24, 1, 1, 't', 1, 'k', 1, 'x', 0}, false)
}

// A value of several elements, which no editor writes, may be cut in two by what
// claims to stand within it.
func TestValueIsCut(t *testing.T) {
	loadedAs(t, []byte{2, 3, 2, 0, 0x24, 1, 1, 't', 1, 'k', 1, 'x', 0x84, 2, 0, 3, 'x', 'y', 'z', 0x84, 2, 1, 1, 'x', 2, 1, 0, 4, 1, 1, 't', 1, 'x', 0x44, 1, 0, 1, 'x', 0}, false)
}

// Updates that claim what no editor does are loaded as they are applied.
func TestLoadOfClaims(t *testing.T) {
	for seed := range 1500 {
		rnd := rand.New(rand.NewSource(int64(seed)))
		clients := 2 + rnd.Intn(3)
		clocks, structs := make([]int, clients+1), make([][]*block, clients+1)
		pick := func() (ID, bool) {
			k := 1 + rnd.Intn(clients)
			if clocks[k] == 0 {
				return ID{}, false
			}
			return ID{ClientID(k), uint64(rnd.Intn(clocks[k]))}, true
		}
		for range 4 + rnd.Intn(8) {
			c := 1 + rnd.Intn(clients)
			b := &block{client: ClientID(c), clock: uint32(clocks[c]), n: 1, ref: refString, content: []byte("x")}
			if rnd.Intn(3) > 0 {
				b.origin, b.hasOrigin = pick()
			}
			if rnd.Intn(2) > 0 {
				b.right, b.hasRight = pick()
			}
			if rnd.Intn(4) == 0 {
				b.content, b.n = []byte("xyz"), 3
			}
			if !b.hasOrigin && !b.hasRight {
				b.parentRoot, b.root = true, []byte("t")
				b.hasSub, b.sub = rnd.Intn(2) == 0, []byte("k")
			}
			clocks[c] += int(b.n)
			structs[c] = append(structs[c], b)
		}
		var all []*block
		for _, c := range rnd.Perm(clients + 1) {
			all = append(all, structs[c]...)
		}
		u := one(all...)
		if rnd.Intn(2) == 0 {
			u = append(u[:len(u)-1], DeleteSet{{1, 0, 2}}.Encode()...)
		}
		loadedAs(t, u, false)
		loadedAs(t, u, false, WithoutGC())
	}
}

// An update that names many clients, but has few, makes none of them.
func TestLoadOfManyNamesAllocatesLittle(t *testing.T) {
	const n = 50_000
	b := append(appendUint([]byte{1}, n), 1, 0)
	for i := range uint64(n) {
		b = append(appendUint(append(b, 0x81), i+2), 0, 1)
	}
	b = append(b, 0)
	within(t, len(b), func() { New("d").load(b, false) })
}

// A text that is cut at many places, from either end, between characters or within
// them, takes time and memory for each piece, not for the text each time.
func TestManyCutsAreLinear(t *testing.T) {
	const units, cuts = 120_000, 20_000
	for name, tt := range map[string]struct {
		char        string
		first, step int // clocks that are cut behind
	}{
		"from the end":                     {"é", units - 3, -4},
		"from the start":                   {"é", 3, 4},
		"within characters from the end":   {"😀", units - 4, -4},
		"within characters from the start": {"😀", 4, 4},
	} {
		t.Run(name, func(t *testing.T) {
			b := append(appendUint([]byte{2}, cuts), 2, 0)
			for i := range cuts {
				clock := uint64(tt.first + i*tt.step)
				b = appendUint(append(appendUint(append(b, 0xc4, 1), clock), 1), clock+1)
				b = append(b, 1, 'x')
			}
			b = append(b, 1, 1, 0, 4, 1, 1, 't')
			b = append(appendBytes(b, bytes.Repeat([]byte(tt.char), units/utf16Len([]byte(tt.char)))), 0)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			d := New("d")
			if err := d.ApplyUpdate(b); err != nil {
				t.Fatal(err)
			}
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			if took > 3*time.Second {
				t.Errorf("it took %v", took)
			}
			if got := after.TotalAlloc - before.TotalAlloc; got > 64<<20 {
				t.Errorf("%d bytes allocated for an update of %d", got, len(b))
			}
			if err := d.verify(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// The last units of a text begin where its first ones end.
func TestUTF16Tail(t *testing.T) {
	s := []byte("aé😀漢😀z")
	for n := range utf16Len(s) + 1 {
		at, inPair := utf16Offset(s, n)
		if back, backInPair := utf16Tail(s, utf16Len(s)-n); back != at || backInPair != inPair {
			t.Errorf("unit %d is at %d, %v; from the end %d, %v", n, at, inPair, back, backInPair)
		}
	}
}

// An update that needs more lists than a document can have is not loaded.
func TestLoadKeepsLimitOfLists(t *testing.T) {
	b := []byte{1, 3, 1, 0, 7, 1, 1, 't', 1, 0x87, 1, 0, 1, 0x87, 1, 1, 1, 0}
	for free, want := range map[int]bool{3: false, 4: true} {
		d := New("d")
		l := loader{d: d, cl: none, free: free, limit: expansion(len(b))}
		if got := l.read1(b); got != want {
			t.Errorf("with room for %d lists reading says %v", free, got)
		}
	}
}

// After a load that failed there is no last change, and asking for it is safe.
func TestLoadThatFailsLeavesNoChange(t *testing.T) {
	d := New("d")
	// Two clients whose structs wait for each other.
	b := []byte{2, 1, 2, 0, 0x84, 1, 0, 1, 'a', 1, 1, 0, 0x84, 2, 0, 1, 'b', 0}
	if d.load(b, false) {
		t.Fatal("a circle is loaded")
	}
	if got := d.LastUpdate(); got != nil {
		t.Errorf("LastUpdate = %x", got)
	}
}
