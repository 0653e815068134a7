package audit_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/clisonix/tidechart/server/audit"
)

// TestTreeIsTlogs: at each size the root is the one that package tlog computes from all hashes, and an edge that is read from
// the tiles goes on as the one that wrote them.
func TestTreeIsTlogs(t *testing.T) {
	const leaves = 256*256 + 256*3 + 7 // three levels of tiles
	var stored []tlog.Hash
	all := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			hashes[i] = stored[index]
		}
		return hashes, nil
	})
	type place struct {
		level int
		n     int64
	}
	tiles := make(map[place][]byte)
	read := func(level int, n int64) ([]byte, error) { return tiles[place{level, n}], nil }
	edge := new(audit.Edge)
	sizes := []int64{0, 1, 2, 3, 255, 256, 257, 511, 512, 513, 1000, 65535, 65536, 65537, 65792, leaves}
	for n := int64(0); ; n++ {
		if slices.Contains(sizes, n) {
			want, err := tlog.TreeHash(n, all)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := edge.Root(); err != nil || got != want || edge.Size() != n {
				t.Fatalf("%d leaves: root %v, %v; want %v", edge.Size(), got, err, want)
			}
			for _, tile := range edge.Tiles() {
				tiles[place{tile.Level, tile.N}] = slices.Clone(tile.Data)
			}
			if got, err := tlog.TreeHash(n, audit.Tiles(read)); err != nil || got != want {
				t.Fatalf("%d leaves: root of the tiles %v, %v; want %v", n, got, err, want)
			}
			if edge, err = audit.NewEdge(n, read); err != nil { // as the next server would
				t.Fatal(err)
			}
			if len(edge.Tiles()) > 0 {
				t.Fatal("what was only read has changed")
			}
		}
		if n == leaves {
			break
		}
		leaf := fmt.Append(nil, "leaf ", n)
		hashes, err := tlog.StoredHashes(n, leaf, all)
		if err != nil {
			t.Fatal(err)
		}
		stored = append(stored, hashes...)
		edge.Append(audit.HashOf(leaf))
	}
	full := 0
	for place := range maps.Keys(tiles) {
		if len(tiles[place]) == 256*tlog.HashSize {
			full++
		}
	}
	if full != 256+3+1 {
		t.Errorf("%d full tiles", full)
	}
	if _, err := audit.NewEdge(leaves+10, read); err == nil {
		t.Error("a tile that is too short is no error")
	}
}
