package audit_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/clisonix/tidechart/server/audit"
)

// rotate has another signer sign l from now on, and returns the statement.
func (l *testLog) rotate() []byte {
	l.t.Helper()
	next := newSigner(l.t, l.signer.Keys().Name())
	size := int64(len(l.entries))
	root, err := tlog.TreeHash(size, l)
	if err != nil {
		l.t.Fatal(err)
	}
	statement := l.handOver(next, size, root)
	l.statements = append(l.statements, statement)
	l.signer = next
	if l.ring, err = audit.NewRing(l.first, l.statements...); err != nil {
		l.t.Fatal(err)
	}
	return statement
}

func (l *testLog) handOver(next *audit.Signer, size int64, root tlog.Hash) []byte {
	l.t.Helper()
	statement, err := l.signer.HandOver(next, audit.Checkpoint{Size: size, Root: root, At: someTime.Add(time.Duration(size) * time.Second)})
	if err != nil {
		l.t.Fatal(err)
	}
	return statement
}

// TestKeysAreHandedOver: whoever trusts one pair of a log's keys follows to all others; each statement is signed by both keys of both
// pairs, for the tree as it was, and keys that were replaced sign nothing that came later.
func TestKeysAreHandedOver(t *testing.T) {
	log := newLog(t, newSigner(t, "log.example")).add(10, "a")
	old := log.signer
	first := log.rotate()
	log.add(10, "b")
	log.rotate()
	log.add(15, "c")
	bundle := log.bundle()
	report, err := verify(bundle, audit.Check{Witnessed: [][]byte{log.points[10], log.points[20], log.points[35]}})
	if err != nil || report.Entries != 35 || report.Checkpoints != 3 || !report.Fresh {
		t.Fatalf("as it is: %+v, %v", report, err)
	}
	if b, err := audit.OpenBundle(bytes.NewReader(bundle)); err != nil || !b.Keys.Has(old.Keys()) || !b.Keys.Has(log.signer.Keys()) || b.Keys.Len() != 3 || b.Keys.Has(newSigner(t, "log.example").Keys()) {
		t.Errorf("the bundle's keys: %v", err)
	}
	if again, err := audit.ParseRing(log.ring.Encode()); err != nil || !again.Extends(log.ring) || !again.Extends(audit.Only(old.Keys())) || audit.Only(old.Keys()).Extends(again) {
		t.Errorf("read again: %v", err)
	}
	if report, err := verify(log.selection(3, 17, 30), audit.Check{}); err != nil || report.Entries != 3 {
		t.Errorf("a selection: %+v, %v", report, err)
	}
	for i, line := range strings.SplitAfter(string(first), "\n") {
		if strings.HasPrefix(line, "— ") {
			if _, err := audit.NewRing(log.first, []byte(strings.Replace(string(first), line, "", 1))); !errors.Is(err, audit.ErrSignature) {
				t.Errorf("without the signature of line %d: %v", i, err)
			}
		}
	}
	if n := strings.Count(string(first), "\n— "); n != 4 {
		t.Errorf("the statement has %d signatures", n)
	}
	thief := newSigner(t, "log.example")
	byThief, err := thief.HandOver(newSigner(t, "log.example"), audit.Checkpoint{Size: 10, At: someTime})
	if err != nil {
		t.Fatal(err)
	}
	for what, statements := range map[string][][]byte{
		"by others":          {byThief},
		"the second alone":   {log.statements[1]},
		"in the other order": {log.statements[1], log.statements[0]},
		"twice":              {log.statements[0], log.statements[0]},
		"a checkpoint":       {log.points[10]},
		"changed":            {bytes.Replace(first, []byte("\n10\n"), []byte("\n11\n"), 1)},
	} {
		if _, err := audit.NewRing(log.first, statements...); !errors.Is(err, audit.ErrSignature) && !errors.Is(err, audit.ErrStatement) {
			t.Errorf("handed over %s: %v", what, err)
		}
	}
	if _, err := log.ring.Open(first); err == nil {
		t.Error("a statement passes for a checkpoint")
	}

	stale := newLog(t, old).add(10, "x").add(10, "y") // by keys that were replaced, at their own time and later
	other := newLog(t, newSigner(t, "log.example")).add(10, "a")
	root, err := tlog.TreeHash(10, stale)
	if err != nil {
		t.Fatal(err)
	}
	other.first, other.signer = log.first, old
	forged := other.handOver(thief, 10, root)
	for what, tt := range map[string]struct {
		bundle      []byte
		kind        audit.FaultKind
		first, last int64
	}{
		"the tail is gone, with what was handed over": {bundle: func() []byte {
			short := *log
			short.entries, short.points = log.entries[:10], map[int64][]byte{10: log.points[10]}
			return short.bundle()
		}(), kind: audit.RolledBack, first: 10, last: 19},
		"replaced keys sign what came later": {bundle: func() []byte {
			l := *log
			l.entries, l.points = slices.Clone(log.entries[:20]), map[int64][]byte{10: log.points[10], 20: mustSign(t, old, audit.Checkpoint{Size: 20, Root: rootOf(t, log, 20), At: someTime})}
			return l.bundle()
		}(), kind: audit.Unsigned, first: -1, last: -1},
		"handed over for another tree": {bundle: func() []byte {
			l := *log
			var err error
			if l.ring, err = audit.NewRing(log.first, forged); err != nil {
				t.Fatal(err)
			}
			l.entries, l.points = log.entries[:10], map[int64][]byte{10: log.points[10]}
			return l.bundle()
		}(), kind: audit.Forked, first: 0, last: 9},
		"a forged statement": {bundle: bytes.Replace(bundle, []byte("hands over from "), []byte("hands over from 0"), 1), kind: audit.Unsigned, first: -1, last: -1},
	} {
		_, err := verify(tt.bundle, audit.Check{})
		var fault *audit.Fault
		if !errors.As(err, &fault) || fault.Kind != tt.kind || fault.First != tt.first || fault.Last != tt.last {
			t.Errorf("%s: found %v; want %s at %d to %d", what, err, tt.kind, tt.first, tt.last)
		} else {
			t.Logf("%s: %v", what, err)
		}
	}

	// A witness that knows the first keys goes on with the statements, and not without.
	w := audit.Witness{Log: audit.Only(old.Keys()), Signer: newSigner(t, "witness.example")}
	kept, err := w.Cosign(nil, log.points[10], someTime, tiles(log))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Cosign(kept, log.points[35], someTime, tiles(log)); err == nil {
		t.Error("the witness signs for keys that it does not know")
	}
	w.Log = log.ring
	if kept, err = w.Cosign(kept, log.points[35], someTime, tiles(log)); err != nil {
		t.Fatalf("with the statements: %v", err)
	}
	if _, err := w.Cosign(kept, log.points[20], someTime, tiles(log)); err == nil {
		t.Error("the witness goes back to before the keys were handed over")
	}
}

func rootOf(t *testing.T, l *testLog, size int64) tlog.Hash {
	t.Helper()
	root, err := tlog.TreeHash(size, l)
	if err != nil {
		t.Fatal(err)
	}
	return root
}
