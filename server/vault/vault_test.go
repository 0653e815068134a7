package vault

import (
	"bytes"
	"crypto/hpke"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/clisonix/tidechart/internal/needs"
	"github.com/google/uuid"
)

func newVault(t testing.TB) *Vault {
	t.Helper()
	v, err := New(NewSecret())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// line is that of a key in a key file.
func (s Secret) line(key int) string { return line(secretPrefix, s.tenant[:], s.roots[key][:]) }

func somebody() Name { return Name{Scope: OfPerson, Owner: uuid.New(), Epoch: 3} }

func (v *Vault) mustKey(t testing.TB, name Name) (*Key, Wrapped) {
	t.Helper()
	key, w, err := v.NewKey(name)
	if err != nil {
		t.Fatal(err)
	}
	return key, w
}

// TestRoundTrip: what is sealed opens by the key that was wrapped, in the vault that the same file makes, and is another
// record each time.
func TestRoundTrip(t *testing.T) {
	secret := NewSecret()
	v, err := New(secret)
	if err != nil {
		t.Fatal(err)
	}
	name, at := somebody(), Place{Kind: AppSecret, Seq: 7, Schema: 1}
	key, w := v.mustKey(t, name)
	same, err := Parse([]byte("# for people\n\n" + secret.line(0) + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	later, err := New(same)
	if err != nil || later.ID() != v.ID() {
		t.Fatal("another vault", err)
	}
	again, err := later.Unwrap(name, w)
	if err != nil {
		t.Fatal(err)
	}
	for _, plain := range [][]byte{nil, []byte("x"), bytes.Repeat([]byte("abc"), 100_000)} {
		record := key.Seal(at, plain)
		if len(record) != len(plain)+Overhead || bytes.Equal(record, key.Seal(at, plain)) {
			t.Errorf("%d bytes are sealed as %d, or the same twice", len(plain), len(record))
		}
		if got, err := again.Open(at, record); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%d bytes come back as %d: %v", len(plain), len(got), err)
		}
		if epoch, err := EpochOf(record); err != nil || epoch != 3 {
			t.Errorf("epoch %d, %v", epoch, err)
		}
	}
}

// TestRecordsBelongWhereTheyAre: each bit of a record, and all that says where it belongs, counts.
func TestRecordsBelongWhereTheyAre(t *testing.T) {
	v, name, at := newVault(t), somebody(), Place{Kind: AppSecret, Seq: 7, Schema: 1}
	key, _ := v.mustKey(t, name)
	plain := []byte("12345678901234567890")
	record := key.Seal(at, plain)
	for i := range record {
		for bit := range 8 {
			changed := bytes.Clone(record)
			changed[i] ^= 1 << bit
			want := ErrTampered
			if i == 0 {
				want = ErrSuite
			}
			if _, err := key.Open(at, changed); !errors.Is(err, want) {
				t.Fatalf("bit %d of byte %d flipped: %v", bit, i, err)
			}
		}
	}
	for n := range record {
		if _, err := key.Open(at, record[:n]); !errors.Is(err, ErrTampered) {
			t.Fatalf("cut to %d bytes: %v", n, err)
		}
	}
	if _, err := key.Open(at, append(bytes.Clone(record), 0)); !errors.Is(err, ErrTampered) {
		t.Errorf("a byte more: %v", err)
	}
	for what, elsewhere := range map[string]Place{
		"kind": {Kind: PendingAppSecret, Seq: 7, Schema: 1}, "seq": {Kind: AppSecret, Seq: 8, Schema: 1}, "schema": {Kind: AppSecret, Seq: 7, Schema: 2},
		"what else": {Kind: AppSecret, Seq: 7, Schema: 1, With: []byte{0}},
	} {
		if _, err := key.Open(elsewhere, record); !errors.Is(err, ErrTampered) {
			t.Errorf("another %s: %v", what, err)
		}
	}
	// The same secret under another name, or for another tenant, is another key.
	for what, other := range map[string]*Key{
		"owner":  newKey(v.tenant, Name{OfPerson, uuid.New(), name.Epoch}, key.secret),
		"scope":  newKey(v.tenant, Name{OfPerson + 1, name.Owner, name.Epoch}, key.secret),
		"tenant": newKey(uuid.New(), name, key.secret),
	} {
		if _, err := other.Open(at, record); !errors.Is(err, ErrTampered) {
			t.Errorf("another %s: %v", what, err)
		}
	}
	later := newKey(v.tenant, Name{name.Scope, name.Owner, name.Epoch + 1}, key.secret)
	forged := later.Seal(at, plain)
	forged[4] = byte(name.Epoch)
	for what, r := range map[string][]byte{"of another epoch": later.Seal(at, plain), "that lies about its epoch": forged} {
		if _, err := key.Open(at, r); !errors.Is(err, ErrTampered) {
			t.Errorf("a record %s: %v", what, err)
		}
	}
}

// TestKindsAndSuites: kinds do not share a key, so that one's nonces are not another's; and only suites on the list open.
func TestKindsAndSuites(t *testing.T) {
	v := newVault(t)
	key, _ := v.mustKey(t, somebody())
	record := key.Seal(Place{Kind: AppSecret}, []byte("secret"))[recordHead:]
	if _, err := key.cipher(PendingAppSecret).Open(nil, nil, record, key.bind(nil, suite1, Place{Kind: AppSecret})); err == nil {
		t.Error("two kinds share a key")
	}
	for suite := range 256 {
		if allowed(byte(suite)) != (suite == 1) {
			t.Errorf("suite %d", suite)
		}
	}
}

// TestSubstitutedKeys: whoever writes in the database, and knows the public key, puts no data key of theirs in the place of
// another, nor another's. HPKE alone would let them.
func TestSubstitutedKeys(t *testing.T) {
	v, name := newVault(t), somebody()
	_, w := v.mustKey(t, name)

	k, mine := v.ring.Load().sealing, bytes.Repeat([]byte{1}, keySize)
	sealed, err := hpke.Seal(k.public, hpke.HKDFSHA256(), hpke.AES256GCM(), k.info(suite1, name), mine)
	if err != nil {
		t.Fatal(err)
	}
	forged := Wrapped{KEK: w.KEK, Sealed: append([]byte{suite1}, sealed...), Commitment: commitment(mine, name), Tag: w.Tag}
	if plain, err := hpke.Open(k.private, hpke.HKDFSHA256(), hpke.AES256GCM(), k.info(suite1, name), sealed); err != nil || !bytes.Equal(plain, mine) {
		t.Fatal("the forgery is none: HPKE refuses it", err)
	}
	if _, err := v.Unwrap(name, forged); !errors.Is(err, ErrTampered) {
		t.Errorf("a data key of theirs: %v", err)
	}
	forged.Tag = k.tag(name, forged) // as if they had its key
	if _, err := v.Unwrap(name, forged); err != nil {
		t.Errorf("what keeps it out is not the tag: %v", err)
	}

	other := Name{OfPerson, uuid.New(), name.Epoch}
	_, theirs := v.mustKey(t, other)
	for what, err := range map[string]error{
		"another person's": second(v.Unwrap(name, theirs)),
		"another epoch's":  second(v.Unwrap(Name{name.Scope, name.Owner, name.Epoch + 1}, w)),
		"another scope's":  second(v.Unwrap(Name{name.Scope + 1, name.Owner, name.Epoch}, w)),
	} {
		if !errors.Is(err, ErrTampered) {
			t.Errorf("%s data key: %v", what, err)
		}
	}
	if _, err := newVault(t).Unwrap(name, w); !errors.Is(err, ErrOtherKey) {
		t.Errorf("in another vault: %v", err)
	}
	for what, bytes := range map[string]*[]byte{"sealed key": &w.Sealed, "commitment": &w.Commitment, "tag": &w.Tag} {
		whole := *bytes
		for i := range whole {
			*bytes = slices.Clone(whole)
			(*bytes)[i] ^= 0x10
			if _, err := v.Unwrap(name, w); !errors.Is(err, ErrTampered) {
				t.Fatalf("byte %d of the %s changed: %v", i, what, err)
			}
		}
		*bytes = whole[:len(whole)-1]
		if _, err := v.Unwrap(name, w); !errors.Is(err, ErrTampered) {
			t.Errorf("a %s cut short: %v", what, err)
		}
		*bytes = whole
	}
	if _, err := v.Unwrap(name, w); err != nil {
		t.Errorf("unchanged: %v", err)
	}
}

func second(_ *Key, err error) error { return err }

// TestSubstitutedParts: what the tag vouches for is looked at all the same.
func TestSubstitutedParts(t *testing.T) {
	v, name := newVault(t), somebody()
	_, w := v.mustKey(t, name)
	k := v.ring.Load().sealing
	for what, tt := range map[string]struct {
		change func(*Wrapped)
		want   error
	}{
		"suite 0":            {func(w *Wrapped) { w.Sealed[0] = 0 }, ErrSuite},
		"suite 2":            {func(w *Wrapped) { w.Sealed[0] = 2 }, ErrSuite},
		"nothing":            {func(w *Wrapped) { w.Sealed = nil }, ErrSuite},
		"no encapsulation":   {func(w *Wrapped) { w.Sealed = w.Sealed[:1] }, ErrTampered},
		"a changed one":      {func(w *Wrapped) { w.Sealed[5] ^= 1 }, ErrTampered},
		"another commitment": {func(w *Wrapped) { w.Commitment = commitment(make([]byte, keySize), name) }, ErrTampered},
	} {
		changed := Wrapped{KEK: w.KEK, Sealed: bytes.Clone(w.Sealed), Commitment: w.Commitment}
		tt.change(&changed)
		changed.Tag = k.tag(name, changed)
		if _, err := v.Unwrap(name, changed); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestSecretsAreNotPrinted whatever prints them.
func TestSecretsAreNotPrinted(t *testing.T) {
	s := NewSecret()
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("key", "secret", s)
	for _, printed := range []string{fmt.Sprint(s), fmt.Sprintf("%v %+v %#v %s", s, s, s, s), log.String()} {
		if bytes.Contains([]byte(printed), []byte(s.line(0)[len(secretPrefix):])) || bytes.Contains([]byte(printed), fmt.Appendf(nil, "%d", s.roots[0][:4])) {
			t.Errorf("printed: %s", printed)
		}
	}
}

// FuzzOpen: no record opens that was not sealed, and none does harm.
func FuzzOpen(f *testing.F) {
	v := newVault(f)
	key, _ := v.mustKey(f, somebody())
	at := Place{Kind: AppSecret, Schema: 1}
	record := key.Seal(at, []byte("12345678901234567890"))
	f.Add(record[1:])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := key.Open(at, b); err == nil && !bytes.Equal(b, record) {
			t.Error("a forgery opens")
		}
		if _, err := v.Unwrap(key.name, Wrapped{KEK: v.ID(), Sealed: b, Commitment: b, Tag: b}); err == nil {
			t.Error("a forged data key opens")
		}
		if _, err := Parse(b); err == nil {
			t.Error("a key of nobody's")
		}
	})
}

// TestSealingAllocatesNothing beside the record, which a batch has room for; opening allocates what it returns.
func TestSealingAllocatesNothing(t *testing.T) {
	if needs.Raced {
		t.Skip("under the race detector pools drop what they are given; make test counts without it")
	}
	key, _ := newVault(t).mustKey(t, Name{OfNote, uuid.New(), 1})
	at, plain, room := Place{Kind: Update, Seq: 9, Schema: 1, With: make([]byte, 32)}, make([]byte, 200), make([]byte, 0, 300)
	if n := testing.AllocsPerRun(100, func() { key.AppendSeal(room, at, plain) }); n > 0 {
		t.Errorf("sealing: %v allocations", n)
	}
	record := key.Seal(at, plain)
	if n := testing.AllocsPerRun(100, func() { _, _ = key.Open(at, record) }); n > 1 {
		t.Errorf("opening: %v allocations", n)
	}
}

// TestIdleKeysAreSmall: a server keeps the data keys of ten thousand notes, and expanded keys only of those that are in use.
func TestIdleKeysAreSmall(t *testing.T) {
	if needs.Raced {
		t.Skip("the race detector's own memory is counted, too; make test counts without it")
	}
	const n, most = 1000, 600 // bytes each
	v, keys := newVault(t), make([]*Key, n)
	rest := func() uint64 {
		for range 3 { // pools empty themselves at the second
			runtime.GC()
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	was := rest()
	for i := range keys {
		keys[i], _ = v.mustKey(t, Name{OfNote, uuid.New(), 1})
		for _, kind := range []Kind{Update, Base, Burst} {
			keys[i].Seal(Place{Kind: kind, Seq: 1, With: make([]byte, 32)}, make([]byte, 200))
		}
	}
	if each := (int64(rest()) - int64(was)) / n; each > most {
		t.Errorf("a key that is not in use takes %d bytes, %d are allowed", each, most)
	}
	record := keys[0].Seal(Place{Kind: Update, Seq: 1, With: make([]byte, 32)}, []byte("steady"))
	if plain, err := keys[0].Open(Place{Kind: Update, Seq: 1, With: make([]byte, 32)}, record); err != nil || string(plain) != "steady" {
		t.Errorf("afterwards it opens %q: %v", plain, err)
	}
}

var (
	updateIn = flag.Duration("vault.update", 0, "how long BenchmarkUpdate may take for each; 0: as it takes")
	noteIn   = flag.Duration("vault.note", 0, "the same of BenchmarkOpenNote")
)

// within fails a benchmark that takes longer for each than it may.
func within(b *testing.B, limit time.Duration) {
	if each := b.Elapsed() / time.Duration(b.N); limit > 0 && each > limit {
		b.Errorf("%v each, %v are allowed", each, limit)
	}
}

// BenchmarkUpdate is what an update of 200 bytes costs: sealed, and opened.
func BenchmarkUpdate(b *testing.B) {
	key, _ := newVault(b).mustKey(b, Name{OfNote, uuid.New(), 1})
	at, plain, room := Place{Kind: Update, Seq: 9, Schema: 1, With: make([]byte, 32)}, make([]byte, 200), make([]byte, 0, 300)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := key.Open(at, key.AppendSeal(room, at, plain)); err != nil {
			b.Fatal(err)
		}
	}
	within(b, *updateIn)
}

// BenchmarkKeys is what a data key costs.
func BenchmarkKeys(b *testing.B) {
	v, name := newVault(b), somebody()
	_, w := v.mustKey(b, name)
	b.Run("new", func(b *testing.B) {
		for b.Loop() {
			v.mustKey(b, name)
		}
	})
	b.Run("unwrap", func(b *testing.B) {
		for b.Loop() {
			if _, err := v.Unwrap(name, w); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkOpenNote is what opening a note costs: its data key, a base of 256 KiB, and 500 updates after it.
func BenchmarkOpenNote(b *testing.B) {
	v, name := newVault(b), Name{OfNote, uuid.New(), 1}
	key, w := v.mustKey(b, name)
	base := key.Seal(Place{Kind: Base, Seq: 1, Schema: 1}, make([]byte, 256<<10))
	with := make([]byte, 32)
	var rows [][]byte
	for i := range 500 {
		rows = append(rows, key.Seal(Place{Kind: Update, Seq: uint64(i), Schema: 1, With: with}, make([]byte, 30)))
	}
	for b.Loop() {
		key, err := v.Unwrap(name, w)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := key.Open(Place{Kind: Base, Seq: 1, Schema: 1}, base); err != nil {
			b.Fatal(err)
		}
		for i, row := range rows {
			if _, err := key.Open(Place{Kind: Update, Seq: uint64(i), Schema: 1, With: with}, row); err != nil {
				b.Fatal(err)
			}
		}
	}
	within(b, *noteIn)
}

// TestKindsDiffer: no two kinds have one number, or a record of the one would open as the other; and each has its key.
func TestKindsDiffer(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "key.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	named := make(map[string]string)
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		if of, ok := spec.Type.(*ast.Ident); !ok || of.Name != "Kind" {
			return true
		}
		number := spec.Values[0].(*ast.BasicLit).Value
		if other, taken := named[number]; taken {
			t.Errorf("%s and %s are both %s", other, spec.Names[0].Name, number)
		}
		if n, err := strconv.Atoi(number); err != nil || n >= kinds {
			t.Errorf("%s is %s of %d", spec.Names[0].Name, number, kinds)
		}
		named[number] = spec.Names[0].Name
		return true
	})
	if len(named) < 20 {
		t.Errorf("found only %d kinds", len(named))
	}
}
