package loadtest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clisonix/tidechart/crdt"
)

const keysTyped = 40

// fixture is a run of one note with one typist and one reader, just ended, in which nothing went wrong.
type fixture struct {
	run     *run
	typist  *client
	reader  *client
	updates [][]byte // what the typist sent
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	c := Defaults()
	c.Prefix, c.Protocol, c.Notes, c.Clients, c.Typists = "d", Hocuspocus, 1, 2, 1
	r := &run{config: c, ledger: newLedger(c), began: time.Now(), documents: []string{"d-0"}}
	r.plan()
	f := &fixture{run: r, typist: r.clients[0], reader: r.clients[1]}
	doc := f.typist.typist.doc
	text := crdt.NewXMLText("")
	f.transact(t, doc, func(tx *crdt.Txn) {
		doc.XMLFragment(fragment).Push(tx, crdt.NewXMLElement("paragraph", nil, text))
	})
	for n := range keysTyped {
		char, corrects := key(n)
		f.transact(t, doc, func(tx *crdt.Txn) {
			if corrects {
				text.Delete(tx, text.Len()-1, 1)
			}
			text.Insert(tx, text.Len(), string(char))
		})
	}
	f.typist.typist.keys = keysTyped
	f.typist.ready, f.reader.ready, r.last[0].ready = true, true, true
	return f
}

func (f *fixture) transact(t *testing.T, doc *crdt.Doc, edit func(*crdt.Txn)) {
	t.Helper()
	update, err := doc.Transact(f.typist.id, edit)
	if err != nil {
		t.Fatal(err)
	}
	f.updates = append(f.updates, update)
}

// give lets a client receive updates.
func give(t *testing.T, c *client, updates [][]byte) {
	t.Helper()
	for _, u := range updates {
		if err := c.replica.take(u, func(crdt.ClientID, span) {}); err != nil {
			t.Fatal(err)
		}
	}
}

// forge returns the updates of a typist who typed text by the same client.
func (f *fixture) forge(t *testing.T, text string) [][]byte {
	t.Helper()
	doc, p := crdt.New(""), crdt.NewXMLText("")
	update, err := doc.Transact(f.typist.id, func(tx *crdt.Txn) {
		doc.XMLFragment(fragment).Push(tx, crdt.NewXMLElement("paragraph", nil, p))
		p.Insert(tx, 0, text)
	})
	if err != nil {
		t.Fatal(err)
	}
	return [][]byte{update}
}

// faults runs the comparison.
func (f *fixture) faults(t *testing.T) []Fault {
	t.Helper()
	q, err := f.run.inquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if q.found != len(q.faults) {
		t.Errorf("%d faults found, %d listed", q.found, len(q.faults))
	}
	return q.faults
}

func TestNoFaults(t *testing.T) {
	f := newFixture(t)
	give(t, f.reader, f.updates)
	merged, err := crdt.MergeUpdates(f.updates)
	if err != nil {
		t.Fatal(err)
	}
	give(t, f.run.last[0], [][]byte{merged})
	give(t, f.reader, f.updates[3:9]) // again, which changes nothing
	if faults := f.faults(t); len(faults) > 0 {
		t.Errorf("faults where there are none: %v", faults)
	}
}

// TestReaderFaults: the note is as it was typed, but one replica is not.
func TestReaderFaults(t *testing.T) {
	without := func(all [][]byte, i int) [][]byte { return slices.Delete(slices.Clone(all), i, i+1) }
	tests := []struct {
		name    string
		receive func(f *fixture) [][]byte
		keep    bool // the bytes are compared; else the state vector
		want    string
	}{
		{"lost inside", func(f *fixture) [][]byte { return without(f.updates, 9) }, true, "never came"},
		{"lost at the end", func(f *fixture) [][]byte { return f.updates[:keysTyped] }, true, "characters lost of typist 0, first at"},
		{"lost inside, vectors", func(f *fixture) [][]byte { return without(f.updates, 9) }, false, "characters lost after 10 of 42"},
		{"lost at the end, vectors", func(f *fixture) [][]byte { return f.updates[:keysTyped] }, false, "characters lost after 41 of 42"},
		{"all lost", func(*fixture) [][]byte { return nil }, true, "another state vector"},
		{"altered", func(f *fixture) [][]byte {
			all := slices.Clone(f.updates)
			all[9] = []byte(strings.Replace(string(all[9]), "\x010\x00", "\x01x\x00", 1))
			if string(all[9]) == string(f.updates[9]) {
				panic("the fixture's bytes are others")
			}
			return all
		}, true, "other content: characters altered or out of order of typist 0, first at 8"},
		{"deletion lost", func(f *fixture) [][]byte {
			all := slices.Clone(f.updates)
			last := all[slipEvery+1] // the keystroke that corrects: its delete set is {client, 1 range, clock, length}
			u, err := crdt.DecodeUpdate(last)
			if err != nil || len(u.Deletes()) != 1 {
				panic("the fixture's bytes are others")
			}
			all[slipEvery+1] = append(last[:len(last)-len(crdt.DeleteSet(u.Deletes()).Encode()):len(last)], 0)
			return all
		}, true, "has other deletions"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			f.reader.replica.keep = tt.keep
			give(t, f.run.last[0], f.updates)
			give(t, f.reader, tt.receive(f))
			faults := f.faults(t)
			if len(faults) != 1 || faults[0].Replica != "reader" || !strings.Contains(faults[0].What, tt.want) {
				t.Errorf("faults %v; want one of the reader: …%s…", faults, tt.want)
			}
		})
	}
}

// TestNoteFaults: what a newcomer is given is not what was typed.
func TestNoteFaults(t *testing.T) {
	right := typed(keysTyped)
	for _, tt := range []struct{ name, text, want string }{
		{"lost", right[:5] + right[6:], "characters lost"},
		{"duplicated", right[:5] + "0" + right[5:], "characters there twice"},
		{"swapped", right[:14] + right[15:16] + right[14:15] + right[16:], "characters altered or out of order"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			forged := f.forge(t, tt.text)
			give(t, f.run.last[0], forged)
			give(t, f.reader, forged)
			faults := f.faults(t)
			if !slices.ContainsFunc(faults, func(one Fault) bool {
				return one.Replica == "newcomer, of typist 0" && strings.HasPrefix(one.What, tt.want)
			}) {
				t.Errorf("faults %v; want %s in what a newcomer is given", faults, tt.want)
			}
		})
	}
	t.Run("paragraph lost", func(t *testing.T) {
		f := newFixture(t)
		f.typist.replica, f.run.last[0].replica = replica{}, replica{keep: true, has: coverage{}}
		if faults := f.faults(t); len(faults) == 0 || faults[0].What != "paragraph there 0 times" {
			t.Errorf("faults %v; want that the paragraph is lost", faults)
		}
	})
	t.Run("nobody can join", func(t *testing.T) {
		f := newFixture(t)
		f.run.last[0].ready = false
		if faults := f.faults(t); len(faults) != 1 || faults[0].What != "cannot join any more" {
			t.Errorf("faults %v; want that nobody can join", faults)
		}
	})
}

// TestLargeUpdatesAreKeptOnce: joiners of a large note share its bytes.
func TestLargeUpdatesAreKeptOnce(t *testing.T) {
	updates, err := content(3 * large)
	if err != nil || len(updates) != 1 {
		t.Fatal(len(updates), err)
	}
	s := &shelf{}
	replicas := []replica{{shelf: s, keep: true, has: coverage{}}, {shelf: s, keep: true, has: coverage{}}}
	for i := range replicas {
		fresh := uint64(0)
		err := replicas[i].take(slices.Clone(updates[0]), func(_ crdt.ClientID, s span) { fresh += s.to - s.from })
		if err != nil || fresh == 0 || len(replicas[i].updates()) != 1 {
			t.Fatalf("replica %d: %d new clocks, %v", i, fresh, err)
		}
	}
	if len(s.volumes) != 1 || replicas[0].digest() != replicas[1].digest() {
		t.Errorf("%d copies; digests equal: %v", len(s.volumes), replicas[0].digest() == replicas[1].digest())
	}
}
