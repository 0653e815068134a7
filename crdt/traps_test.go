package crdt

import (
	"bytes"
	"errors"
	"reflect"
	"runtime"
	"testing"
)

// What broke other implementations of Yjs, each under its name.

func apply(t *testing.T, d *Doc, updates ...[]byte) {
	t.Helper()
	for i, u := range updates {
		if err := d.ApplyUpdate(u); err != nil {
			t.Fatalf("update %d: %v", i, err)
		}
	}
}

func wantText(t *testing.T, d *Doc, want string) {
	t.Helper()
	if got := d.Text("t").String(); got != want {
		t.Errorf("%s: text %q, want %q", d.Name(), got, want)
	}
}

// A client section that starts with a Skip is applied once the clocks before
// are there, whether they come before or after it (yjs parks it for ever).
func TestTrapSkipLedSection(t *testing.T) {
	skip := &block{client: 1, n: 2, ref: refSkip}
	tail := &block{client: 1, clock: 2, n: 2, ref: refString, content: []byte("cd"), hasOrigin: true, origin: ID{1, 1}}
	led := one(skip, tail)
	dependent := at{2, 0}.put("!", ID{1, 3})
	for _, order := range [][][]byte{
		{at{1, 0}.put("ab"), led, dependent},
		{led, dependent, at{1, 0}.put("ab")},
		{dependent, led, led, at{1, 0}.put("ab")},
	} {
		d := New("skip")
		apply(t, d, order...)
		wantText(t, d, "abcd!")
		if d.HasPending() {
			t.Error("something is pending still")
		}
	}
}

// What is sent on never starts with a Skip: yjs 13 could not use it.
func TestTrapSkipLedOutput(t *testing.T) {
	merged := must(MergeUpdates([][]byte{at{1, 0}.put("ab"), at{1, 9}.put("c")}))
	diff := decoded(t, must(DiffUpdate(merged, StateVector{1: 2}.Encode())))
	s := diff.sections[0]
	want := []section{{client: 1, clock: 9, end: 10, count: 1, off: s.off}}
	if !reflect.DeepEqual(diff.sections, want) {
		t.Errorf("sections %+v, want one that starts at 9", diff.sections)
	}
}

// A version 2 collected struct takes its clocks: one that did not lost half of
// a production document.
func TestTrapCollectedStructAdvancesClock(t *testing.T) {
	u := one(
		&block{client: 1, n: 3, ref: refGC},
		&block{client: 1, clock: 3, n: 2, ref: refString, content: []byte("ok"), parentRoot: true, root: []byte("t")},
	)
	d := New("gc")
	if err := d.ApplyUpdateV2(must(ConvertUpdateV1ToV2(u))); err != nil {
		t.Fatal(err)
	}
	wantText(t, d, "ok")
	if sv := d.StateVector(); sv[1] != 5 {
		t.Errorf("next clock %d, want 5", sv[1])
	}
}

// Elements with origins that are not neighbours converge in any order.
func TestTrapNonAdjacentOrigins(t *testing.T) {
	base := at{1, 0}.put("abcd")
	between := func(c ClientID, s string, left, right uint64) []byte {
		return one(&block{client: c, n: uint32(len(s)), ref: refString, content: []byte(s), hasOrigin: true, origin: ID{1, left}, hasRight: true, right: ID{1, right}})
	}
	edits := [][]byte{between(2, "X", 0, 3), between(3, "Y", 1, 2), between(4, "Z", 0, 2)}
	var want string
	for i, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 2, 0}, {1, 0, 2}, {0, 2, 1}, {2, 0, 1}} {
		d := New("origins")
		apply(t, d, base, edits[order[0]], edits[order[1]], edits[order[2]])
		if i == 0 {
			want = d.Text("t").String()
		}
		wantText(t, d, want)
	}
}

// A struct waits for its right origin and for its parent, not only its origin.
func TestTrapWaitsForAllItDependsOn(t *testing.T) {
	right := one(&block{client: 1, n: 1, ref: refString, content: []byte("a"), hasRight: true, right: ID{2, 0}})
	child := one(&block{client: 1, n: 1, ref: refType, content: []byte{typeXMLText}, parentID: true, parent: ID{2, 0}})
	for name, tt := range map[string]struct{ update, then []byte }{
		"right origin": {right, at{2, 0}.put("b")},
		"parent":       {child, one(&block{client: 2, n: 1, ref: refType, content: []byte{typeXMLFragment}, parentRoot: true, root: []byte("x")})},
	} {
		d := New(name)
		apply(t, d, tt.update)
		if !d.HasPending() || len(d.StateVector()) != 0 {
			t.Errorf("%s: applied before it could be", name)
		}
		apply(t, d, tt.then)
		if d.HasPending() || d.StateVector()[1] != 1 {
			t.Errorf("%s: not applied once it could be", name)
		}
	}
}

// The empty string is a key like any other, and a key is learned from the
// neighbour when there is one.
func TestTrapKeys(t *testing.T) {
	first := &block{client: 1, n: 1, ref: refAny, content: []byte{anyTrue}, parentRoot: true, root: []byte("m"), hasSub: true, sub: []byte("")}
	second := &block{client: 2, n: 1, ref: refAny, content: []byte{anyFalse}, hasOrigin: true, origin: ID{1, 0}}
	d := New("keys")
	apply(t, d, one(first), one(second))
	if got, want := d.Map("m").Values(), map[string]any{"": false}; !reflect.DeepEqual(got, want) {
		t.Errorf("map %v, want %v", got, want)
	}
	if !d.HasDeleted([]DeleteRange{{1, 0, 1}}) {
		t.Error("the value that was replaced is alive")
	}
	other := New("reversed")
	apply(t, other, one(second), one(first))
	same(t, "state", must(other.EncodeStateAsUpdate(nil)), must(d.EncodeStateAsUpdate(nil)))
}

// What belongs to a collected parent, or to something that is none, is
// collected; it is not given to whatever map there is.
func TestTrapOrphans(t *testing.T) {
	parent := &block{client: 1, n: 1, ref: refType, content: []byte{typeMap}, parentRoot: true, root: []byte("m"), hasSub: true, sub: []byte("k")}
	child := func(parent ID) []byte {
		return one(&block{client: 2, n: 1, ref: refAny, content: []byte{anyTrue}, parentID: true, parent: parent, hasSub: true, sub: []byte("x")})
	}
	d := New("orphans")
	apply(t, d, one(parent), deletes(DeleteRange{1, 0, 1}), child(ID{1, 0}))
	if got := d.Map("m").Values(); len(got) != 0 || d.StateVector()[2] != 1 {
		t.Errorf("map %v, state %v", got, d.StateVector())
	}
	d = New("no type")
	apply(t, d, at{1, 0}.put("a"), child(ID{1, 0}))
	if x := &d.runs[d.runAt(d.lookup(2), 0)]; x.ref() != refGC {
		t.Error("a child of a text character was linked")
	}
}

// Merging keeps what no document could hold yet: gaps and their deletes.
func TestTrapMergeKeepsPending(t *testing.T) {
	ahead := at{1, 5}.put("f", ID{1, 4})
	unseen := deletes(DeleteRange{77, 3, 2})
	merged := must(MergeUpdates([][]byte{ahead, at{1, 0}.put("abc"), unseen}))
	u := decoded(t, merged)
	if want := []ClockRange{{1, 0, 3}, {1, 5, 6}}; !reflect.DeepEqual(u.Ranges(), want) {
		t.Errorf("Ranges = %v, want %v", u.Ranges(), want)
	}
	if want := []DeleteRange{{77, 3, 2}}; !reflect.DeepEqual(u.Deletes(), want) {
		t.Errorf("Deletes = %v, want %v", u.Deletes(), want)
	}
	d := New("later")
	apply(t, d, merged, at{1, 3}.put("de", ID{1, 2}), at{77, 0}.put("12345"))
	if d.HasPending() || !d.HasDeleted([]DeleteRange{{77, 3, 2}}) {
		t.Error("what was pending in a merge did not apply")
	}
}

// A difference that starts inside a Skip or a collected struct is sliced right.
func TestTrapSlices(t *testing.T) {
	u := one(
		&block{client: 1, n: 4, ref: refGC},
		&block{client: 1, clock: 4, n: 4, ref: refSkip},
		&block{client: 1, clock: 8, n: 1, ref: refString, content: []byte("x"), parentRoot: true, root: []byte("t")},
	)
	for have, want := range map[uint64][]ClockRange{
		0: {{1, 0, 4}, {1, 8, 9}}, 3: {{1, 3, 4}, {1, 8, 9}}, 6: {{1, 8, 9}}, 9: {},
	} {
		got := decoded(t, must(DiffUpdate(u, StateVector{1: have}.Encode()))).Ranges()
		if !reflect.DeepEqual(got, want) {
			t.Errorf("difference from %d: %v, want %v", have, got, want)
		}
	}
}

// A delete range may start inside collected structs and end behind them.
func TestTrapDeleteStartsInCollected(t *testing.T) {
	d := New("ranges")
	apply(t, d,
		one(
			&block{client: 1, n: 4, ref: refGC},
			&block{client: 1, clock: 4, n: 4, ref: refString, content: []byte("abcd"), parentRoot: true, root: []byte("t")},
		),
		deletes(DeleteRange{1, 2, 4}))
	wantText(t, d, "cd")
}

// Cutting a surrogate pair makes U+FFFD of both halves and keeps lengths.
func TestTrapSurrogates(t *testing.T) {
	d := New("pair")
	apply(t, d, at{1, 0}.put("a😀b"), deletes(DeleteRange{1, 2, 1}))
	wantText(t, d, "a\ufffdb")
	if n := d.Text("t").Len(); n != 3 {
		t.Errorf("Len = %d, want 3", n)
	}
	sliced := decoded(t, must(DiffUpdate(at{1, 0}.put("😀b"), StateVector{1: 1}.Encode())))
	for b := range sliced.blocks(sliced.sections[0]) {
		if string(b.content) != "\ufffdb" || b.n != 2 {
			t.Errorf("sliced to %q of %d", b.content, b.n)
		}
	}
	whole := New("half known")
	apply(t, whole, one(&block{client: 1, n: 1, ref: refString, content: []byte("x"), parentRoot: true, root: []byte("t")}), at{1, 0}.put("😀b"))
	wantText(t, whole, "x\ufffdb")
}

// A string column of version 2 may be cut inside a pair, too.
func TestTrapSurrogateColumn(t *testing.T) {
	d := decoderV2{str: []byte("a😀b")}
	lengths := appendInt(appendInt(nil, 2, false), 2, false)
	d.col[colString].r = reader{b: lengths}
	a := string(d.next())
	if b := string(d.next()); a != "a\ufffd" || b != "\ufffdb" || d.err() != nil {
		t.Errorf("strings %q, %q, %v", a, b, d.err())
	}
}

// Four bytes that announce 2^27 structs must not allocate for them.
func TestTrapCountsDoNotAllocate(t *testing.T) {
	for _, wire := range []string{
		"ffffff7f", "01ffffff7f0100", "00ffffff7f", "0001ffffff7f",
	} {
		b := unhex(t, wire)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err1 := DecodeUpdate(b)
		_, err2 := DecodeUpdateV2(b)
		_, err3 := DecodeStateVector(b)
		runtime.ReadMemStats(&after)
		if err1 == nil || err2 == nil || err3 == nil {
			t.Errorf("%s: accepted", wire)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 64<<10 {
			t.Errorf("%s: %d bytes allocated", wire, n)
		}
	}
}

// A run length of version 2 costs nothing; the structs it stands for are
// limited by the update's size.
func TestTrapRunLengthBomb(t *testing.T) {
	bomb := new(writerV2)
	for clock := range uint32(2) {
		bomb.block(&block{client: 1, clock: clock, n: 1, ref: refGC})
	}
	b := bomb.finish(nil)
	at := bytes.LastIndex(b, []byte{1, 2, 0, 0})
	if at < 0 {
		t.Fatalf("no section in %x", b)
	}
	b = append(b[:at+1:at+1], append(appendUint(nil, 1<<40), 0, 0)...)
	if _, err := DecodeUpdateV2(b); !errors.Is(err, ErrMalformed) {
		t.Errorf("error %v, want malformed", err)
	}
}

// The bytes of one version are not an empty document in the other.
func TestTrapWrongVersion(t *testing.T) {
	for _, v1 := range [][]byte{{0, 0}, unhex(t, abcV1), at{1, 0}.put("abc")} {
		if _, err := DecodeUpdateV2(v1); err == nil {
			t.Errorf("%x is version 2, too", v1)
		}
		if _, err := DecodeUpdate(must(ConvertUpdateV1ToV2(v1))); err == nil {
			t.Errorf("%x in version 2 is version 1, too", v1)
		}
	}
}

// In version 2 an embed or format is a value, not a string of JSON.
func TestTrapVersion2HoldsValues(t *testing.T) {
	u := one(&block{client: 1, n: 1, ref: refEmbed, content: appendString(nil, `{"a":1}`), parentRoot: true, root: []byte("t")})
	v2 := must(ConvertUpdateV1ToV2(u))
	if !bytes.Contains(v2, []byte{anyObject, 1, 1, 'a', anyInt, 1}) {
		t.Errorf("no object in %x", v2)
	}
	same(t, "back in version 1", must(ConvertUpdateV2ToV1(v2)), u)
}

// Encoding twice gives the same bytes: nothing depends on the order of a Go map.
func TestTrapDeterministic(t *testing.T) {
	d := New("clients")
	for c := range ClientID(50) {
		apply(t, d, at{c * 7919 % 50, 0}.put("x"), deletes(DeleteRange{c * 7919 % 50, 0, 1}))
	}
	first := must(d.EncodeStateAsUpdate(nil))
	for range 10 {
		same(t, "state", must(d.EncodeStateAsUpdate(nil)), first)
	}
}

// Structs that wait for each other never apply, and nothing hangs or is lost.
func TestTrapCircle(t *testing.T) {
	d := New("circle")
	u := must(MergeUpdates([][]byte{at{1, 0}.put("a", ID{2, 0}), at{2, 0}.put("b", ID{1, 0})}))
	apply(t, d, u, at{3, 0}.put("c"))
	wantText(t, d, "c")
	if got := decoded(t, must(d.EncodeStateAsUpdate(nil))).Ranges(); len(got) != 3 {
		t.Errorf("ranges %v, want all three", got)
	}
}

// Nesting as deep as a megabyte allows is applied, deleted and read.
func TestTrapDepth(t *testing.T) {
	var w writerV1
	const deep = 100_000
	for clock := range uint32(deep) {
		b := &block{client: 1, clock: clock, n: 1, ref: refType, content: []byte{typeXMLFragment}}
		if clock == 0 {
			b.parentRoot, b.root = true, []byte("x")
		} else {
			b.parentID, b.parent = true, ID{1, uint64(clock) - 1}
		}
		w.block(b)
	}
	d := New("deep")
	apply(t, d, w.finish(nil), deletes(DeleteRange{1, 0, 1}))
	if n := d.XMLFragment("x").Len(); n != 0 {
		t.Errorf("Len = %d, want 0", n)
	}
	if !d.HasDeleted([]DeleteRange{{1, 0, deep}}) {
		t.Error("children are alive")
	}
}

// Two thousand updates that wait cost their bytes, not their square.
func TestTrapPendingBomb(t *testing.T) {
	d := New("bomb")
	for i := range uint32(20_000) {
		apply(t, d, at{1, 2*i + 1}.put("x", ID{2, 0}))
	}
	if !d.HasPending() || len(d.runs) != 0 {
		t.Error("applied what depends on nothing there is")
	}
}

// A long chain of clients, each waiting for the next, costs its length.
func TestTrapChain(t *testing.T) {
	var w writerV1
	const clients = 50_000
	for c := ClientID(clients); c > 0; c-- {
		b := block{client: c, n: 1, ref: refString, content: []byte("x"), hasOrigin: true, origin: ID{c - 1, 0}}
		w.block(&b)
	}
	chain := w.finish(nil)
	d := New("chain")
	apply(t, d, chain)
	if !d.HasPending() {
		t.Error("applied without its start")
	}
	apply(t, d, at{0, 0}.put("x"))
	if d.HasPending() || d.Text("t").Len() != clients+1 {
		t.Errorf("pending %v, length %d", d.HasPending(), d.Text("t").Len())
	}
}
