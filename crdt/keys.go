package crdt

import "slices"

// keys are the format keys and element names so far, which a later struct may
// name by their number. Yjs never does, but its decoder and other writers do.
// They are kept only if that is known to come.
type keys struct {
	n     uint64
	again bool // one was named that was not kept
	keep  bool
	all   [][]byte
}

func (k *keys) add(s []byte) {
	k.n++
	if k.keep {
		k.all = append(k.all, append([]byte(nil), s...))
	}
}

// kept returns what to begin the next reading with: it keeps keys if this one
// did, or should have.
func (k *keys) kept() keys {
	if !k.again && !k.keep {
		return keys{}
	}
	return keys{keep: true, all: slices.Grow(k.all[:0], int(k.n))}
}

// size returns how many bytes are kept.
func (k *keys) size() int { return 24 * cap(k.all) }
