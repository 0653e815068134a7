package audit_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/clisonix/tidechart/server/audit"
)

// testLog is a log in memory.
type testLog struct {
	t      *testing.T
	signer *audit.Signer
	ring   audit.Ring
	first  audit.Keys

	statements [][]byte // by which the keys changed
	entries    []audit.Sequenced
	points     map[int64][]byte // checkpoints, by size
	stored     []tlog.Hash
}

func newLog(t *testing.T, signer *audit.Signer) *testLog {
	return &testLog{t: t, signer: signer, ring: audit.Only(signer.Keys()), first: signer.Keys(), points: make(map[int64][]byte)}
}

func (l *testLog) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		hashes[i] = l.stored[index]
	}
	return hashes, nil
}

// add appends entries whose codes begin with name, and signs for all there are.
func (l *testLog) add(n int, name string) *testLog {
	for range n {
		at := int64(len(l.entries))
		_, commitment := audit.Details{Words: "planted"}.Commit()
		leaf := audit.Entry{
			ID: uuid.New(), At: someTime.Add(time.Duration(at) * time.Second), Act: audit.OpenNote, Outcome: audit.Done, Code: fmt.Sprint(name, at),
			Commitment: commitment,
		}.Leaf()
		hashes, err := tlog.StoredHashes(at, leaf, l)
		if err != nil {
			l.t.Fatal(err)
		}
		l.stored = append(l.stored, hashes...)
		l.entries = append(l.entries, audit.Sequenced{N: at, Leaf: leaf, Hash: audit.HashOf(leaf)})
	}
	l.sign()
	return l
}

func (l *testLog) sign() {
	size := int64(len(l.entries))
	root, err := tlog.TreeHash(size, l)
	if err != nil {
		l.t.Fatal(err)
	}
	l.points[size] = mustSign(l.t, l.signer, audit.Checkpoint{Size: size, Root: root, At: someTime.Add(time.Duration(size) * time.Second)})
}

// bundle writes it.
func (l *testLog) bundle() []byte {
	var b bytes.Buffer
	out, err := audit.NewBundle(&b, l.ring, false)
	if err != nil {
		l.t.Fatal(err)
	}
	for at := 0; ; at++ {
		if point := l.points[int64(at)]; point != nil {
			err = errors.Join(err, out.Write(audit.Item{Checkpoint: point}))
		}
		if at == len(l.entries) {
			break
		}
		err = errors.Join(err, out.Write(audit.Item{Entry: &l.entries[at]}))
	}
	if err := errors.Join(err, out.Close()); err != nil {
		l.t.Fatal(err)
	}
	return b.Bytes()
}

// selection writes some entries with their proofs.
func (l *testLog) selection(which ...int64) []byte {
	var b bytes.Buffer
	out, err := audit.NewBundle(&b, l.ring, true)
	if err != nil {
		l.t.Fatal(err)
	}
	size := int64(len(l.entries))
	err = out.Write(audit.Item{Checkpoint: l.points[size]})
	for _, n := range which {
		s := l.entries[n]
		var failed error
		s.Proof, failed = tlog.ProveRecord(size, n, l)
		err = errors.Join(err, failed, out.Write(audit.Item{Entry: &s}))
	}
	if err := errors.Join(err, out.Close()); err != nil {
		l.t.Fatal(err)
	}
	return b.Bytes()
}

// tiles are what a server shows of it.
func tiles(l *testLog) audit.Tree {
	return func(tile tlog.Tile) ([]byte, error) { return tlog.ReadTileData(tile, l) }
}

func verify(bundle []byte, c audit.Check) (audit.Report, error) {
	b, err := audit.OpenBundle(bytes.NewReader(bundle))
	if err != nil {
		return audit.Report{}, err
	}
	if c.Keys.Len() == 0 {
		c.Keys = b.Keys
	}
	return b.Verify(c)
}

// lines edits a bundle, whose line 0 is its head.
func lines(bundle []byte, edit func(all []string) []string) []byte {
	all := strings.SplitAfter(strings.TrimSuffix(string(bundle), "\n"), "\n")
	all[len(all)-1] += "\n"
	return []byte(strings.Join(edit(all), ""))
}

// TestTamperedBundles: whatever is done to a log is found, and where it was done is said.
func TestTamperedBundles(t *testing.T) {
	signer := newSigner(t, "log.example")
	honest := newLog(t, signer).add(10, "a").add(10, "b").add(15, "c")
	bundle := honest.bundle()
	report, err := verify(bundle, audit.Check{Witnessed: [][]byte{honest.points[20], honest.points[35]}})
	if err != nil || report.Entries != 35 || report.Checkpoints != 3 || !report.Fresh || report.Witnessed.Size != 35 || report.Newest.Size != 35 {
		t.Fatalf("an honest log: %+v, %v", report, err)
	}
	if report, err := verify(bundle, audit.Check{}); err != nil || report.Fresh {
		t.Fatalf("without a witness nobody knows what is missing: %+v, %v", report, err)
	}

	// entryAt finds the line of an entry.
	entryAt := func(all []string, n int) int {
		return slices.IndexFunc(all, func(line string) bool { return strings.HasPrefix(line, fmt.Sprintf(`{"entry":%d,`, n)) })
	}
	change := func(all []string, n int, from, to string) []string {
		at := entryAt(all, n)
		if !strings.Contains(all[at], from) {
			t.Fatalf("%s is not in %s", from, all[at])
		}
		all[at] = strings.Replace(all[at], from, to, 1)
		return all
	}
	// rehash makes an entry's hash that of what it says.
	rehash := func(all []string, n int) []string {
		var line struct {
			Entry int64           `json:"entry"`
			Leaf  json.RawMessage `json:"leaf"`
			Hash  tlog.Hash       `json:"hash"`
		}
		if err := json.Unmarshal([]byte(all[entryAt(all, n)]), &line); err != nil {
			t.Fatal(err)
		}
		line.Hash = audit.HashOf(line.Leaf)
		text, err := json.Marshal(line)
		if err != nil {
			t.Fatal(err)
		}
		all[entryAt(all, n)] = string(text) + "\n"
		return all
	}
	short := newLog(t, signer).add(10, "a")
	forked := newLog(t, signer).add(10, "a").add(10, "b").add(15, "c") // signed by the log itself, and another
	for name, tt := range map[string]struct {
		edit        func(all []string) []string
		bundle      []byte // instead
		check       audit.Check
		kind        audit.FaultKind
		first, last int64
	}{
		"an entry is changed": {edit: func(all []string) []string { return change(all, 13, `"code":"b13"`, `"code":"x13"`) }, kind: audit.Changed, first: 13, last: 13},
		"so is its hash":      {edit: func(all []string) []string { return rehash(change(all, 13, `"code":"b13"`, `"code":"x13"`), 13) }, kind: audit.Changed, first: 10, last: 19},
		"only its hash":       {edit: func(all []string) []string { return change(all, 13, `"hash":"`, `"hash":"AAAA`) }, kind: audit.Incomplete, first: -1, last: -1},
		"only its hash, well": {edit: func(all []string) []string {
			a, b := entryAt(all, 13), entryAt(all, 14)
			hash := func(line string) string { return line[strings.Index(line, `"hash":"`):] }
			all[a] = strings.Replace(all[a], hash(all[a]), hash(all[b]), 1)
			return all
		}, kind: audit.Changed, first: 13, last: 13},
		"an entry is deleted": {edit: func(all []string) []string { at := entryAt(all, 13); return slices.Delete(all, at, at+1) }, kind: audit.Missing, first: 13, last: 13},
		"deleted, and all behind it renumbered": {edit: func(all []string) []string {
			at := entryAt(all, 13)
			all = slices.Delete(all, at, at+1)
			for i, line := range all {
				var n int
				if _, err := fmt.Sscanf(line, `{"entry":%d,`, &n); err == nil && n > 13 {
					all[i] = strings.Replace(line, fmt.Sprintf(`{"entry":%d,`, n), fmt.Sprintf(`{"entry":%d,`, n-1), 1)
				}
			}
			return all
		}, kind: audit.Missing, first: 19, last: 19},
		"two change places": {edit: func(all []string) []string {
			a, b := entryAt(all, 13), entryAt(all, 14)
			all[a], all[b] = all[b], all[a]
			return all
		}, kind: audit.Missing, first: 13, last: 13},
		"two change places and numbers": {edit: func(all []string) []string {
			a, b := entryAt(all, 13), entryAt(all, 14)
			all[a], all[b] = strings.Replace(all[b], `"entry":14`, `"entry":13`, 1), strings.Replace(all[a], `"entry":13`, `"entry":14`, 1)
			return all
		}, kind: audit.Changed, first: 10, last: 19},
		"an entry comes twice": {edit: func(all []string) []string { at := entryAt(all, 13); return slices.Insert(all, at, all[at]) }, kind: audit.Misplaced, first: 13, last: 13},
		"an entry is added": {edit: func(all []string) []string {
			at := len(all) - 1
			return slices.Insert(all, at, strings.Replace(all[entryAt(all, 13)], `"entry":13`, `"entry":35`, 1))
		}, kind: audit.Incomplete, first: -1, last: -1},
		"and counted": {edit: func(all []string) []string {
			at := len(all) - 1
			all[at] = `{"end":36}` + "\n"
			return slices.Insert(all, at, strings.Replace(all[entryAt(all, 13)], `"entry":13`, `"entry":35`, 1))
		}, kind: audit.Unsigned, first: 35, last: 35},
		"the file is cut off": {edit: func(all []string) []string { return all[:20] }, kind: audit.Incomplete, first: -1, last: -1},
		"within a line":       {edit: func(all []string) []string { all[20] = all[20][:30]; return all[:21] }, kind: audit.Incomplete, first: -1, last: -1},
		"the last entries are gone": {edit: func(all []string) []string {
			at := entryAt(all, 30)
			all[len(all)-1] = `{"end":30}` + "\n"
			return slices.Delete(all, at, at+5)
		}, kind: audit.Missing, first: 30, last: 34},
		"the tail, with its signature": {bundle: short.bundle(), check: audit.Check{Witnessed: [][]byte{short.points[10], honest.points[35]}}, kind: audit.RolledBack, first: 10, last: 34},
		"the tail, seen by a witness": {edit: func(all []string) []string {
			at := entryAt(all, 20)
			return append(slices.Delete(all, at, len(all)), `{"end":20}`+"\n")
		}, check: audit.Check{Witnessed: [][]byte{honest.points[35]}}, kind: audit.RolledBack, first: 20, last: 34},
		"another log of the same keys": {bundle: forked.bundle(), check: audit.Check{Witnessed: [][]byte{honest.points[20]}}, kind: audit.Forked, first: 10, last: 19},
		"another log's keys":           {bundle: newLog(t, newSigner(t, "log.example")).add(5, "a").bundle(), check: audit.Check{Keys: audit.Only(signer.Keys())}, kind: audit.Unsigned, first: -1, last: -1},
		"no checkpoint": {edit: func(all []string) []string {
			return slices.DeleteFunc(all, func(line string) bool { return strings.HasPrefix(line, `{"checkpoint"`) })
		}, kind: audit.Unsigned, first: -1, last: -1},
		"a checkpoint without ML-DSA": {edit: func(all []string) []string {
			return stripped(t, all, func(signatures []string) []string { return signatures[:1] })
		}, kind: audit.Unsigned, first: -1, last: -1},
		"a checkpoint without Ed25519": {edit: func(all []string) []string {
			return stripped(t, all, func(signatures []string) []string { return signatures[1:] })
		}, kind: audit.Unsigned, first: -1, last: -1},
		"a witnessed checkpoint is forged": {check: audit.Check{Witnessed: [][]byte{bytes.Replace(honest.points[20], []byte("\n20\n"), []byte("\n21\n"), 1)}}, kind: audit.Unsigned, first: -1, last: -1},
		"the witness has not signed":       {check: audit.Check{Witnessed: [][]byte{honest.points[20]}, Witness: newSigner(t, "witness.example").Keys()}, kind: audit.Unsigned, first: -1, last: -1},
		"others' details": {edit: func(all []string) []string {
			salted, _ := audit.Details{Words: "made up"}.Commit()
			text, _ := json.Marshal(salted)
			return change(all, 13, `,"hash"`, `,"details":`+string(text)+`,"hash"`)
		}, kind: audit.Opened, first: 13, last: 13},
		"something else":  {edit: func(all []string) []string { all[5] = `{"entry":4,"leaf":{},"more":1}` + "\n"; return all }, kind: audit.Incomplete, first: -1, last: -1},
		"a line too long": {edit: func(all []string) []string { all[5] = strings.Repeat(" ", 1<<20) + all[5]; return all }, kind: audit.Incomplete, first: -1, last: -1},
	} {
		t.Run(name, func(t *testing.T) {
			changed := tt.bundle
			if changed == nil {
				changed = bundle
			}
			if tt.edit != nil {
				changed = lines(bundle, tt.edit)
			}
			_, err := verify(changed, tt.check)
			var fault *audit.Fault
			if !errors.As(err, &fault) || fault.Kind != tt.kind || fault.First != tt.first || fault.Last != tt.last {
				t.Errorf("found %v; want %s at %d to %d", err, tt.kind, tt.first, tt.last)
			} else {
				t.Log(err)
			}
		})
	}
}

// stripped takes signatures from the second checkpoint of a bundle.
func stripped(t *testing.T, all []string, keep func(signatures []string) []string) []string {
	t.Helper()
	for i, line := range all {
		var point struct {
			Checkpoint string `json:"checkpoint"`
		}
		if err := json.Unmarshal([]byte(line), &point); err != nil || !strings.HasPrefix(point.Checkpoint, "log.example\n20\n") {
			continue
		}
		text, signatures, _ := strings.Cut(point.Checkpoint, "\n\n")
		point.Checkpoint = text + "\n\n" + strings.Join(keep(strings.SplitAfter(signatures, "\n")[:2]), "")
		line, err := json.Marshal(point)
		if err != nil {
			t.Fatal(err)
		}
		all[i] = string(line) + "\n"
		return all
	}
	t.Fatal("no such checkpoint")
	return nil
}

// TestSelections: an entry alone is in the log, or shown not to be.
func TestSelections(t *testing.T) {
	signer := newSigner(t, "log.example")
	log := newLog(t, signer).add(300, "a")
	bundle := log.selection(0, 17, 299)
	if report, err := verify(bundle, audit.Check{Witnessed: [][]byte{log.points[300]}}); err != nil || report.Entries != 3 || !report.Fresh || !report.Selection {
		t.Fatalf("%+v, %v", report, err)
	}
	other := newLog(t, signer).add(300, "a")
	for name, tt := range map[string]struct {
		from, to string
		check    audit.Check
		kind     audit.FaultKind
		entry    int64
	}{
		"changed":     {from: `"code":"a17"`, to: `"code":"a18"`, kind: audit.Unproven, entry: 17},
		"renumbered":  {from: `"entry":17`, to: `"entry":18`, kind: audit.Unproven, entry: 18},
		"behind":      {from: `"entry":17`, to: `"entry":300`, kind: audit.Unproven, entry: 300},
		"twice":       {from: `"entry":17`, to: `"entry":0`, kind: audit.Misplaced, entry: 0},
		"of a fork":   {check: audit.Check{Witnessed: [][]byte{other.points[300]}}, kind: audit.Forked, entry: -1},
		"not so many": {from: `{"end":3}`, to: `{"end":2}`, kind: audit.Incomplete, entry: -1},
	} {
		_, err := verify(bytes.Replace(bundle, []byte(tt.from), []byte(tt.to), 1), tt.check)
		var fault *audit.Fault
		if !errors.As(err, &fault) || fault.Kind != tt.kind || fault.First != tt.entry {
			t.Errorf("%s: found %v; want %s at %d", name, err, tt.kind, tt.entry)
		}
	}
}

// TestWitness: a witness signs what goes on where it left off, and nothing else.
func TestWitness(t *testing.T) {
	signer := newSigner(t, "log.example")
	w := audit.Witness{Log: audit.Only(signer.Keys()), Signer: newSigner(t, "witness.example")}
	log := newLog(t, signer).add(300, "a")
	kept, err := w.Cosign(nil, log.points[300], someTime.Add(300*time.Second+audit.MaxAge), tiles(log))
	if err != nil {
		t.Fatal(err)
	}
	log.add(700, "b")
	then := someTime.Add(1000 * time.Second)
	next, err := w.Cosign(kept, log.points[1000], then, tiles(log))
	if err != nil {
		t.Fatal(err)
	}
	if c, err := w.Signer.Keys().Cosigned(audit.Only(signer.Keys()), next); err != nil || c.Size != 1000 {
		t.Fatalf("%+v, %v", c, err)
	}
	if _, err := w.Cosign(next, log.points[1000], then, tiles(log)); err != nil {
		t.Errorf("nothing has happened: %v", err)
	}
	fork := newLog(t, signer).add(300, "a").add(700, "b").add(1, "c")
	lies := func(tile tlog.Tile) ([]byte, error) { // the old tree's tiles, beside the new root
		data, err := tlog.ReadTileData(tile, log)
		return bytes.Repeat([]byte{1}, len(data)), err
	}
	away := errors.New("away")
	for name, tt := range map[string]struct {
		kept, shown []byte
		tree        audit.Tree
		kind        audit.FaultKind
	}{
		"a fork of the same size":  {next, fork.points[1000], tiles(fork), audit.Forked},
		"a fork that is longer":    {next, fork.points[1001], tiles(fork), audit.Forked},
		"with the honest tiles":    {next, fork.points[1001], tiles(log.add(1, "d")), audit.Forked},
		"with no tiles of any":     {kept, log.points[1001], lies, audit.Forked},
		"an earlier state":         {next, log.points[300], tiles(log), audit.RolledBack},
		"stripped of ML-DSA":       {kept, []byte(strings.Join(strings.SplitAfter(string(log.points[1000]), "\n")[:6], "")), tiles(log), audit.Unsigned},
		"another log's signatures": {kept, newLog(t, newSigner(t, "log.example")).add(400, "a").points[400], tiles(log), audit.Unsigned},
	} {
		signed, err := w.Cosign(tt.kept, tt.shown, then, tt.tree)
		var fault *audit.Fault
		if !errors.As(err, &fault) || fault.Kind != tt.kind || signed != nil {
			t.Errorf("%s: %v; want %s", name, err, tt.kind)
		}
	}
	var fault *audit.Fault
	for what, at := range map[string]time.Time{"old": then.Add(audit.MaxAge + time.Second), "of a time to come": then.Add(-audit.MaxAge - time.Second)} {
		for _, before := range [][]byte{nil, kept, next} {
			if signed, err := w.Cosign(before, log.points[1000], at, tiles(log)); !errors.As(err, &fault) || fault.Kind != audit.Stale || signed != nil {
				t.Errorf("a checkpoint that is %s: %v", what, err)
			}
		}
	}
	if _, err := w.Cosign(kept, log.points[1000], then, func(tlog.Tile) ([]byte, error) { return nil, away }); !errors.Is(err, away) || errors.As(err, &fault) {
		t.Errorf("a tree that cannot be read is none that is forked: %v", err)
	}
	if _, err := w.Cosign(log.points[300], log.points[1000], then, tiles(log)); !errors.Is(err, audit.ErrSignature) {
		t.Errorf("what was kept is not what was signed here: %v", err)
	}
}
