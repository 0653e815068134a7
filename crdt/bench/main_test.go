package main

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/clisonix/tidechart/crdt"
)

// Every workload runs, on little data, so that none rots.
func TestWorkloads(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "trace.json.gz")
	if err := madeUp(path, 500); err != nil {
		t.Fatal(err)
	}
	patches, _, err := readTrace(path)
	if err != nil {
		t.Fatal(err)
	}
	d := crdt.New("t")
	var stream []byte
	for _, p := range patches {
		u, err := d.Transact(1, func(tx *crdt.Txn) {
			d.Text("t").Delete(tx, p.at, p.del)
			d.Text("t").Insert(tx, p.at, p.insert)
		})
		if err != nil {
			t.Fatal(err)
		}
		stream = append(binary.LittleEndian.AppendUint32(stream, uint32(len(u))), u...)
	}
	for name, b := range map[string][]byte{
		"updates": stream,
		"state1":  must(d.EncodeStateAsUpdate(nil)),
		"state2":  must(d.EncodeStateAsUpdateV2(nil)),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := measure(path, dir, sizes{shape: 50, storms: []int{5000}, bigPieces: 100}, regexp.MustCompile(""))
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range workloads {
		if _, ok := got[w.name]; !ok && w.name != "storm 10000" && w.name != "storm 20000" {
			t.Errorf("%s was not measured", w.name)
		}
	}
}
