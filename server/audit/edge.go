package audit

import (
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// TileHeight is that of the tiles in which the tree is stored: each holds up to 256 hashes (C2SP tlog-tiles).
const TileHeight = 8

const tileWidth = 1 << TileHeight

// Tile is a part of the tree: the hashes of its level from N·256 on. A tile with fewer than 256 grows later.
type Tile struct {
	Level int
	N     int64
	Data  []byte
}

// Edge is the right edge of a tree: of each level the tile that is not full, which is what it takes to add leaves. One
// goroutine owns it.
type Edge struct {
	size   int64
	levels [][]byte // by level: hashes of the tile that is not full
	full   []Tile   // since [Edge.Tiles] was called last
	grown  int      // levels that changed since then
}

// NewEdge returns the edge of a tree of that size, whose tiles read returns.
func NewEdge(size int64, read func(level int, n int64) ([]byte, error)) (*Edge, error) {
	e := &Edge{size: size}
	for level, at := 0, size; at > 0; level, at = level+1, at/tileWidth {
		width := int(at % tileWidth * tlog.HashSize)
		var data []byte
		if width > 0 {
			var err error
			if data, err = read(level, at/tileWidth); err != nil {
				return nil, err
			}
			if len(data) < width {
				return nil, fmt.Errorf("tile %d of level %d has %d bytes, and not %d", at/tileWidth, level, len(data), width)
			}
		}
		e.levels = append(e.levels, append(make([]byte, 0, tileWidth*tlog.HashSize), data[:width]...))
	}
	return e, nil
}

// Size is how many leaves the tree has.
func (e *Edge) Size() int64 { return e.size }

// Append adds a leaf.
func (e *Edge) Append(leaf tlog.Hash) {
	at := e.size
	e.size++
	for level := 0; ; level++ {
		if level == len(e.levels) {
			e.levels = append(e.levels, make([]byte, 0, tileWidth*tlog.HashSize))
		}
		e.grown = max(e.grown, level+1)
		e.levels[level] = append(e.levels[level], leaf[:]...)
		if len(e.levels[level]) < tileWidth*tlog.HashSize {
			return
		}
		at /= tileWidth
		data := e.levels[level]
		e.full = append(e.full, Tile{level, at, data})
		e.levels[level] = make([]byte, 0, tileWidth*tlog.HashSize)
		leaf = rootOf(data)
	}
}

// rootOf is the hash over a full tile.
func rootOf(data []byte) tlog.Hash {
	var hashes [tileWidth]tlog.Hash
	for i := range hashes {
		copy(hashes[i][:], data[i*tlog.HashSize:])
	}
	for n := tileWidth / 2; n > 0; n /= 2 {
		for i := range n {
			hashes[i] = tlog.NodeHash(hashes[2*i], hashes[2*i+1])
		}
	}
	return hashes[0]
}

// Tiles returns those that have changed since it was called last.
func (e *Edge) Tiles() []Tile {
	changed := e.full
	for level, at := 0, e.size; level < e.grown; level, at = level+1, at/tileWidth {
		if len(e.levels[level]) > 0 {
			changed = append(changed, Tile{level, at / tileWidth, e.levels[level]})
		}
	}
	e.full, e.grown = nil, 0
	return changed
}

// Root is the hash of the whole tree.
func (e *Edge) Root() (tlog.Hash, error) {
	// What the root is made of lies at the edge.
	return tlog.TreeHash(e.size, Tiles(func(level int, _ int64) ([]byte, error) { return e.levels[level], nil }))
}

// clone returns an edge that grows by itself. Its tiles are nobody's.
func (e *Edge) clone() *Edge {
	c := &Edge{size: e.size}
	for _, level := range e.levels {
		c.levels = append(c.levels, append(make([]byte, 0, cap(level)), level...))
	}
	return c
}

// Tiles reads hashes from stored tiles, as package tlog asks for them. It believes the tiles.
func Tiles(read func(level int, n int64) ([]byte, error)) tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			tile := tlog.TileForIndex(TileHeight, index)
			data, err := read(tile.L, tile.N)
			if err != nil {
				return nil, err
			}
			if hashes[i], err = tlog.HashFromTile(tile, data, index); err != nil {
				return nil, err
			}
		}
		return hashes, nil
	})
}
