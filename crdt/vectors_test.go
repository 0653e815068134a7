package crdt

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math"
	"reflect"
	"testing"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestVarUint(t *testing.T) {
	for _, tt := range []struct {
		wire string
		want uint64
	}{
		{"00", 0},
		{"7f", 127},
		{"8001", 128},
		{"ff7f", 16383},
		{"808001", 16384},
		{"ffffffff0f", math.MaxUint32},
		{"ffffffffffffff0f", MaxInt},
	} {
		r := reader{b: unhex(t, tt.wire)}
		if v := r.uint(); v != tt.want || r.end() != nil {
			t.Errorf("uint(%s) = %d, %v; want %d", tt.wire, v, r.err, tt.want)
		}
		if got := hex.EncodeToString(appendUint(nil, tt.want)); got != tt.wire {
			t.Errorf("appendUint(%d) = %s; want %s", tt.want, got, tt.wire)
		}
	}
}

func TestVarInt(t *testing.T) {
	for _, tt := range []struct {
		wire string
		mag  uint64
		neg  bool
	}{
		{"00", 0, false},
		{"40", 0, true},
		{"3f", 63, false},
		{"7f", 63, true},
		{"8001", 64, false},
		{"c001", 64, true},
		{"bfffffffffffff1f", MaxInt, false},
	} {
		r := reader{b: unhex(t, tt.wire)}
		if mag, neg := r.int(); mag != tt.mag || neg != tt.neg || r.end() != nil {
			t.Errorf("int(%s) = %d, %v, %v; want %d, %v", tt.wire, mag, neg, r.err, tt.mag, tt.neg)
		}
		if got := hex.EncodeToString(appendInt(nil, tt.mag, tt.neg)); got != tt.wire {
			t.Errorf("appendInt(%d, %v) = %s; want %s", tt.mag, tt.neg, got, tt.wire)
		}
	}
}

func TestAny(t *testing.T) {
	for _, tt := range []struct {
		wire string
		want any
	}{
		{"7f", Undefined{}},
		{"7e", nil},
		{"78", true},
		{"79", false},
		{"7d00", 0.0},
		{"7d40", math.Copysign(0, -1)},
		{"7dbfffffff0f", float64(math.MaxInt32)},
		{"7c4f000000", float64(1 << 31)},
		{"7c3fc00000", 1.5},
		{"7b3fb999999999999a", 0.1},
		{"770474657374", "test"},
		{"7403000102", []byte{0, 1, 2}},
		{"75027e7d01", []any{nil, 1.0}},
		{"7601016b7d02", map[string]any{"k": 2.0}},
	} {
		r := reader{b: unhex(t, tt.wire)}
		skipAny(&r, 0)
		if err := r.end(); err != nil {
			t.Errorf("skipAny(%s): %v", tt.wire, err)
			continue
		}
		r = reader{b: r.b}
		if got := readAny(&r); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("readAny(%s) = %#v; want %#v", tt.wire, got, tt.want)
		}
		if got, err := appendAny(nil, tt.want, 0); err != nil || hex.EncodeToString(got) != tt.wire {
			t.Errorf("appendAny(%#v) = %x, %v; want %s", tt.want, got, err, tt.wire)
		}
	}
	if v := readAny(&reader{b: unhex(t, "7affffffffffffffff")}); v != int64(-1) {
		t.Errorf("bigint = %v, want -1", v)
	}
}

// insert "abc", then delete the b, by client 1 in the root "t".
const (
	abcV1 = "010301000401017401618101000184010101630101010101"
	abcV2 = "0000024101020002000504008100840603746163410101010001010103000101010100"
	abcSV = "010103"
)

func TestUpdateVector(t *testing.T) {
	for name, apply := range map[string]func(d *Doc) error{
		"v1": func(d *Doc) error { return d.ApplyUpdate(unhex(t, abcV1)) },
		"v2": func(d *Doc) error { return d.ApplyUpdateV2(unhex(t, abcV2)) },
	} {
		d := New("vector")
		if err := apply(d); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if s := d.Text("t").String(); s != "ac" {
			t.Errorf("%s: text %q, want ac", name, s)
		}
		same(t, name+": v1", must(d.EncodeStateAsUpdate(nil)), unhex(t, abcV1))
		same(t, name+": v2", must(d.EncodeStateAsUpdateV2(nil)), unhex(t, abcV2))
		same(t, name+": state vector", d.EncodeStateVector(), unhex(t, abcSV))
	}
	same(t, "v1 to v2", must(ConvertUpdateV1ToV2(unhex(t, abcV1))), unhex(t, abcV2))
	same(t, "v2 to v1", must(ConvertUpdateV2ToV1(unhex(t, abcV2))), unhex(t, abcV1))
	same(t, "state vector of the update", must(EncodeStateVectorFromUpdate(unhex(t, abcV1))), unhex(t, abcSV))
}

func TestStateVector(t *testing.T) {
	sv := StateVector{1: 3, 200: 70, MaxInt: MaxClock}
	b := sv.Encode()
	if want := unhex(t, "03ffffffffffffff0fffffffff0fc801460103"); !bytes.Equal(b, want) {
		t.Errorf("Encode = %x; want %x", b, want)
	}
	got, err := DecodeStateVector(b)
	if err != nil || !reflect.DeepEqual(got, sv) {
		t.Errorf("DecodeStateVector = %v, %v; want %v", got, err, sv)
	}
}

// Every refusal says at which byte, and leaves the document as it was.
func TestRefusals(t *testing.T) {
	deep := bytes.Repeat([]byte{anyArray, 1}, maxDepth+1)
	for _, tt := range []struct {
		name   string
		wire   string
		offset int
	}{
		{"nothing", "", 0},
		{"no delete set", "00", 1},
		{"trailing bytes", "000000", 2},
		{"padded integer", "800000", 0},
		{"integer above 2^53-1", "ffffffffffffff1f00", 0},
		{"more clients than bytes", "0a0000", 0},
		{"more structs than bytes", "01ffffff7f010000", 1},
		{"cut inside a struct", "01010100040101", 6},
		{"struct of length 0", "010101000000", 4},
		{"empty string", "0101010004010174" + "00" + "00", 4},
		{"flags on a collected struct", "01010100800100", 4},
		{"unknown content", "010101000b01017400", 8},
		{"content that is internal", "010101001d0101747e00", 8},
		{"type reference above 127", "0101010007010174800100", 8},
		{"string not UTF-8", "010101000401017401ff00", 8},
		{"embed not JSON", "010101000501017401" + "7b" + "00", 8},
		{"parent neither root nor element", "0101010004020174016100", 5},
		{"origin in the future of its client", "0101010084010001" + "6100", 5},
		{"client named twice", "0201010000010101010000" + "01" + "00", 9},
		{"clock past 2^32-1", "010101ffffffff0f000200", 8},
		{"empty delete range", "000101010000", 4},
		{"delete range past 2^32-1", "00010101ffffffff0f0100", 4},
		{"value too deep", "0101010008010174" + "01" + hex.EncodeToString(deep) + "7e00", 9 + 2*(maxDepth+1)},
		{"unknown value tag", "01010100080101740173" + "00", 9},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := New("refusals")
			if err := d.ApplyUpdate(unhex(t, abcV1)); err != nil {
				t.Fatal(err)
			}
			err := d.ApplyUpdate(unhex(t, tt.wire))
			var m *MalformedError
			if !errors.As(err, &m) || !errors.Is(err, ErrMalformed) || m.Offset != tt.offset {
				t.Errorf("error = %v; want malformed at byte %d", err, tt.offset)
			}
			same(t, "state", must(d.EncodeStateAsUpdate(nil)), unhex(t, abcV1))
		})
	}
}

// Cut anywhere, an update of either version is refused.
func TestTruncations(t *testing.T) {
	v1, v2 := unhex(t, abcV1), unhex(t, abcV2)
	for i := range v1 {
		if _, err := DecodeUpdate(v1[:i]); !errors.Is(err, ErrMalformed) {
			t.Errorf("v1 cut at %d: %v", i, err)
		}
	}
	for i := range v2 {
		if _, err := DecodeUpdateV2(v2[:i]); !errors.Is(err, ErrMalformed) {
			t.Errorf("v2 cut at %d: %v", i, err)
		}
	}
}
