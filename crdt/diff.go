package crdt

import "fmt"

// DiffUpdate returns the part of a version 1 update that a replica with the
// encoded state vector sv lacks. The delete set is passed on whole: a state
// vector does not say what is deleted.
func DiffUpdate(update, sv []byte) ([]byte, error) {
	have, err := DecodeStateVector(sv)
	if err != nil {
		return nil, fmt.Errorf("state vector: %w", err)
	}
	u, err := DecodeUpdate(update)
	if err != nil {
		return nil, err
	}
	w := new(writerV1)
	diffBlocks(u, have, w)
	return w.finish(u.deletes()), nil
}

// diffBlocks writes what have lacks of u: per client all from the first struct
// that reaches past have. Skips between structs stay, a leading one is dropped.
func diffBlocks(u *Update, have StateVector, w writer) {
	for _, s := range u.sections {
		started := false
		from := have[s.client]
		if uint64(s.end) <= from {
			continue
		}
		u.blocks(s, func(b *block) bool {
			if !started {
				if b.ref == refSkip || uint64(b.end()) <= from {
					return true
				}
				if started = true; uint64(b.clock) < from {
					c := *b
					c.slice(uint32(from) - c.clock)
					w.block(&c)
					return true
				}
			}
			w.block(b)
			return true
		})
	}
}

// EncodeStateVectorFromUpdate returns the encoded state vector of a replica
// that has applied just this version 1 update: per client the clocks from 0 up
// to the first hole.
func EncodeStateVectorFromUpdate(update []byte) ([]byte, error) {
	u, err := DecodeUpdate(update)
	if err != nil {
		return nil, err
	}
	return u.stateVector().Encode(), nil
}

func (u *Update) stateVector() StateVector {
	sv := make(StateVector, len(u.sections))
	for _, s := range u.sections {
		if s.clock != 0 {
			continue
		}
		u.blocks(s, func(b *block) bool {
			if b.ref == refSkip {
				return false
			}
			sv[s.client] = uint64(b.end())
			return true
		})
	}
	return sv
}
